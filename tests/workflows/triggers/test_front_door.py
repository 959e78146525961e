"""The short way for webhooks: the same answers as the long one, and nothing else goes through it."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import OperationalError, connection

from tests.workflows.triggers.publishing import published, trigger_of
from tests.worlds import World
from workflows.models import Execution, WebhookDelivery
from workflows.triggers import addresses, front_door, intake


class Heard:
    """What a WSGI server would hear."""

    status = ""

    def __call__(self, status: str, headers: list[tuple[str, str]]) -> None:
        self.status, self.headers = status, dict(headers)


def call(path: str, body: bytes = b"{}", inner: Any = None, **environ: Any) -> tuple[Heard, bytes]:
    heard = Heard()
    given = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        **environ,
    }
    answer = front_door.FrontDoor(inner or WSGIHandler())(given, heard)
    return heard, b"".join(answer)


@pytest.fixture
def token(alder: World) -> str:
    addresses.forget_all()
    return str(trigger_of(published(alder, {"type": "webhook"}), alder).token)


def test_a_delivery_is_taken_before_django_sees_it(alder: World, token: str) -> None:
    def inner(environ: Any, start_response: Any) -> Any:
        raise AssertionError("the application was asked")

    heard, content = call(f"/hooks/{token}/", b'{"name": "Ada"}', inner)
    assert heard.status == "202 Accepted"
    with alder.scope():
        execution = Execution.objects.get(pk=json.loads(content)["execution_id"])
    assert execution.input["body"] == {"name": "Ada"}


def test_everything_else_goes_on_to_the_application(db: None) -> None:
    def inner(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return [environ["PATH_INFO"].encode()]

    assert [call(path, inner=inner)[1] for path in ("/", "/hooks/", "/hooks/a/b/")] == [
        b"/",
        b"/hooks/",
        b"/hooks/a/b/",
    ]


def test_a_chunked_body_has_no_length_and_is_read_to_its_end(alder: World, token: str, settings: Any) -> None:
    chunked = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    heard, _content = call(f"/hooks/{token}", b'{"a": 1}', **chunked)
    assert heard.status == "202 Accepted"
    settings.WEBHOOK_MAX_BODY_BYTES = 4
    heard, _content = call(f"/hooks/{token}", b'{"a": 1}', **chunked)
    assert heard.status.startswith("413")


def test_a_line_break_in_an_answers_header_makes_no_second_header(token: str, monkeypatch: Any) -> None:
    answer = front_door.Answer(200, "fine", {"X-Good": "yes", "X-Bad": "a\r\nSet-Cookie: b"})
    monkeypatch.setattr(front_door, "receive", lambda token, arrival: answer)
    heard, content = call(f"/hooks/{token}/")
    assert (content, heard.headers.get("X-Good"), "X-Bad" in heard.headers) == (b"fine", "yes", False)


def test_a_database_that_is_away_is_said_so(token: str, monkeypatch: Any) -> None:
    def away(*arguments: Any, **named: Any) -> Any:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(intake, "store", away)
    monkeypatch.setattr("django.db.connection.close", lambda: None)
    heard, content = call(f"/hooks/{token}/")
    assert (heard.status, heard.headers["Retry-After"]) == ("503 Service Unavailable", "5")
    assert json.loads(content)["error"] == "unavailable"


def test_a_lost_answer_of_the_database_does_not_store_twice(committed_db: str, monkeypatch: Any) -> None:
    from tests.worlds import make_world

    addresses.forget_all()
    world = make_world("Alder")
    workflow = published(world, {"type": "webhook", "dedupe_key": "{{ trigger.body.id }}"})
    token = trigger_of(workflow, world).token
    really, calls = intake._call, []

    def committed_but_unheard(parameters: list[Any]) -> Any:
        calls.append(parameters)
        row = really(parameters)
        if len(calls) == 1:
            raise OperationalError("the connection broke after the commit")
        return row

    monkeypatch.setattr(intake, "_call", committed_but_unheard)
    heard, content = call(f"/hooks/{token}/", b'{"id": 1}')
    assert heard.status == "202 Accepted"
    with world.scope():
        assert str(Execution.objects.get(workflow=workflow).pk) == json.loads(content)["execution_id"]
        assert WebhookDelivery.objects.filter(workflow=workflow).count() == 1


def test_statements_that_debug_remembers_are_forgotten_after_each_delivery(token: str, settings: Any) -> None:
    settings.DEBUG = True
    for _time in range(3):
        assert call(f"/hooks/{token}/", b'{"name": "Ada"}')[0].status == "202 Accepted"
    assert len(connection.queries_log) == 0
