"""How often a key may ask: counted in the database, so that it holds across processes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client

from accounts import api_keys
from accounts.api import pace
from accounts.models import ApiKey
from accounts.tenancy import system_scope
from tests.api.conftest import make_key
from tests.worlds import World, make_world

Asking = Callable[[], Any]


@pytest.fixture
def ask(alder: World, monkeypatch: pytest.MonkeyPatch) -> Asking:
    """Ask with a key that may do so six times a minute."""
    monkeypatch.setitem(pace.PER_MINUTE, "PROFESSIONAL", 6)
    headers = {"Authorization": f"Bearer {make_key(alder.owner)}"}
    return lambda: Client().get("/api/v1/workflows", headers=headers)


def pass_time(world: World, seconds: float) -> None:
    """Let what was paid for lie further back."""
    with world.scope():
        ApiKey.objects.update(paced_until=F("paced_until") - timedelta(seconds=seconds))


def test_a_burst_is_all_right_and_then_it_is_too_much(ask: Asking) -> None:
    answers = [ask() for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 6 + [429]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == [
        "5",
        "4",
        "3",
        "2",
        "1",
        "0",
        "0",
    ]
    assert answers[0].headers["RateLimit-Limit"] == "6"
    assert answers[0].headers["RateLimit-Policy"] == "6;w=60"
    refused = answers[-1]
    assert (refused.json()["code"], refused.headers["Content-Type"]) == (
        "rate_limited",
        "application/problem+json",
    )
    assert refused.headers["Retry-After"] == "10"
    assert int(refused.headers["RateLimit-Reset"]) == 60


def test_requests_come_back_one_by_one(ask: Asking, alder: World) -> None:
    for _ in range(6):
        ask()
    pass_time(alder, 9)
    assert ask().status_code == 429
    pass_time(alder, 1.5)
    assert [ask().status_code, ask().status_code] == [200, 429]
    pass_time(alder, 3600)
    assert ask().headers["RateLimit-Remaining"] == "5"


def test_one_key_does_not_use_up_another(ask: Asking, alder: World) -> None:
    for _ in range(7):
        ask()
    other = {"Authorization": f"Bearer {make_key(alder.owner)}"}
    assert Client().get("/api/v1/workflows", headers=other).status_code == 200


def test_refused_requests_cost_nothing(ask: Asking, alder: World) -> None:
    for _ in range(20):
        ask()
    pass_time(alder, 10.1)
    assert ask().status_code == 200


def test_a_larger_plan_may_ask_more_often() -> None:
    assert pace.PER_MINUTE["STARTER"] < pace.PER_MINUTE["PROFESSIONAL"] < pace.PER_MINUTE["ENTERPRISE"]


def test_the_client_waits_as_long_as_it_is_told(
    ask: Asking, alder: World, client_for: Any, steward_client: ModuleType
) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        pass_time(alder, seconds)

    steward = client_for(alder.owner, attempts=2, sleep=sleep)
    for _ in range(7):
        steward.list_workflows()
    assert slept == [10.0]
    with pytest.raises(steward_client.StewardProblem) as refused:
        client_for(alder.owner, ["executions:read"], attempts=9, sleep=sleep).list_workflows()
    assert (refused.value.code, slept) == ("missing_scope", [10.0])


def test_connections_at_the_same_time_share_one_limit(
    committed_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(pace.PER_MINUTE, "PROFESSIONAL", 10)
    world = make_world("Alder")
    key = api_keys.authenticate(make_key(world.owner))
    assert key is not None
    taken: list[pace.Taken] = []

    def work() -> None:
        try:
            for _ in range(5):
                taken.append(pace.take(key))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(not each.retry_after for each in taken) == 10
    with system_scope("look at the key"):
        assert ApiKey.objects.get(pk=key.pk).paced_until is not None
