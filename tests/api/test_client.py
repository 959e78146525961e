"""The downloaded client over real HTTP, and what it does when things go wrong on the way."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pytest

from tests.api.conftest import make_key
from tests.worlds import make_world


def test_it_talks_to_a_server(live_server: Any, steward_client: ModuleType) -> None:
    world = make_world("Alder")
    steward = steward_client.Steward(live_server.url, make_key(world.owner))
    run = steward.start_execution({"workflow": str(world.workflow.pk), "input": {"name": "Ada"}})
    assert [each["id"] for each in steward.iterate_executions()] == [run["id"]]
    with pytest.raises(steward_client.StewardProblem, match="does not exist") as refused:
        steward.get_workflow(run["id"])
    assert (refused.value.status, refused.value.code) == (404, "not_found")
    assert refused.value.instance.startswith("urn:uuid:")


class Line:
    """A transport that answers as it is told and remembers what it was sent."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.sent = list(answers), []

    def __call__(self, method: str, address: str, headers: Mapping[str, str], body: bytes | None) -> Any:
        self.sent.append((method, address, dict(headers)))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def client_on(module: ModuleType, line: Line, slept: list[float]) -> Any:
    return module.Steward("https://steward.example.com/", "stw_x", transport=line, sleep=slept.append)


def test_what_cannot_happen_twice_is_sent_again_with_the_same_key(steward_client: ModuleType) -> None:
    slept: list[float] = []
    line = Line(ConnectionResetError(), (503, {}, b""), (201, {}, b'{"id": "1"}'))
    assert client_on(steward_client, line, slept).start_execution({"workflow": "1"}) == {"id": "1"}
    keys = {headers["Idempotency-Key"] for _method, _address, headers in line.sent}
    assert (len(line.sent), len(keys), slept) == (3, 1, [2.0, 4.0])


def test_what_could_happen_twice_is_not_sent_again(steward_client: ModuleType) -> None:
    line = Line(ConnectionResetError())
    with pytest.raises(ConnectionResetError):
        client_on(steward_client, line, []).cancel_execution("1")
    line = Line((503, {}, b"<html>"))
    with pytest.raises(steward_client.StewardProblem, match="HTTP 503"):
        client_on(steward_client, line, []).cancel_execution("1")


def test_it_waits_when_told_to_and_gives_up_in_the_end(steward_client: ModuleType) -> None:
    slept: list[float] = []
    line = Line(*[(429, {"retry-after": "7"}, b'{"code": "rate_limited"}')] * 4)
    with pytest.raises(steward_client.StewardProblem) as refused:
        client_on(steward_client, line, slept).cancel_execution("1")
    assert (slept, refused.value.code, refused.value.retry_after) == ([7.0] * 3, "rate_limited", 7.0)


def test_ids_cannot_lead_to_another_address(steward_client: ModuleType) -> None:
    line = Line((200, {}, b"{}"))
    client_on(steward_client, line, []).get_workflow("../members?x=1")
    assert line.sent[0][1] == "https://steward.example.com/api/v1/workflows/..%2Fmembers%3Fx%3D1"
