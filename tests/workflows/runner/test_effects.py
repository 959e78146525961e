"""Outside calls of a run: what is sent, what is counted, and what a dead credential does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from accounts.tenancy import uuid7
from integrations.credentials import key_ring
from integrations.framework.crypto import row_binding
from integrations.health import heal
from integrations.models import Integration
from tests.workflows.runner.working import as_system, begin, ended, journal, published, reaches, working
from tests.worlds import World, make_world

pytestmark = pytest.mark.usefixtures("committed_db")
SECRET = "sk-alder-0123456789"


class Service:
    """An AI service and a web service on one port. accepts: the API key it knows."""

    def __init__(self) -> None:
        self.accepts = SECRET
        self.asked: list[dict[str, Any]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])) or b"null")
                service.asked.append({"path": self.path, "body": body, "headers": dict(self.headers)})
                if (
                    self.path.startswith("/v1/")
                    and self.headers["authorization"] != f"Bearer {service.accepts}"
                ):
                    self.answer(401, {"error": {"message": "wrong key"}})
                else:
                    self.answer(200, {
                        "id": "chatcmpl-1", "object": "chat.completion", "created": 1790000000, "model": "tiny",
                        "choices": [{
                            "index": 0, "finish_reason": "stop", "logprobs": None,
                            "message": {
                                "role": "assistant", "refusal": None, "content": '{"label": "Sales", "confidence": 90}',
                            },
                        }],
                        "usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12},
                    })  # fmt: skip

            def do_GET(self) -> None:
                page = 2 if "page=2" in self.path else 1
                self.answer(200, {"items": [page * 10, page * 10 + 1]})

            def answer(self, status: int, body: Any) -> None:
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the base class's name
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def alder(committed_db: str) -> World:
    return make_world("Alder")


@pytest.fixture
def service(settings: Any) -> Iterator[Service]:
    found = Service()
    settings.ALLOWED_PRIVATE_HOSTS = frozenset({found.url.removeprefix("http://")})
    yield found
    found.server.shutdown()
    found.server.server_close()


def connect_openai(world: World, service: Service) -> Integration:
    with world.scope():
        identifier = uuid7()
        binding = row_binding(world.organization.pk, identifier)
        return Integration.objects.create(
            id=identifier, provider="OPENAI", name="Model", settings={"base_url": f"{service.url}/v1", "model": "tiny"},
            credentials=key_ring().encrypt_json({"auth": "api_key", "api_key": SECRET}, bound_to=binding),
        )  # fmt: skip


ASK = {"id": "ask", "type": "ai", "operation": "classify", "prompt": "Which?", "labels": ["sales", "support"]}


def test_an_http_step_sends_what_was_rendered_and_keeps_the_answer(alder: World, service: Service) -> None:
    step = {
        "id": "send",
        "type": "http",
        "method": "POST",
        "url": f"{service.url}/orders",
        "json": {"n": "{{ inputs.n }}"},
    }
    identifier = begin(alder, published(alder, "Send", step), {"n": 3})
    with working():
        found = ended(identifier)
    assert (found.status, service.asked[0]["body"]) == ("COMPLETED", {"n": 3})
    row = journal(identifier)["send"]
    assert (row.effect, row.effect_state, row.output["status"]) == ("unsafe", "HAPPENED", 200)
    assert row.idempotency_key == f"{identifier}:send"
    used = as_system("SELECT metric, quantity FROM billing_usageentry WHERE execution_id = %s", identifier)
    assert ("API_CALLS_MADE", 1) in used


def test_an_http_step_follows_pages(alder: World, service: Service) -> None:
    pages = {"mode": "page", "items": "items", "parameter": "page", "start": 1, "max_pages": 2}
    step = {"id": "list", "type": "http", "url": f"{service.url}/list", "pagination": pages}
    identifier = begin(alder, published(alder, "List", step), {})
    with working():
        assert ended(identifier).output["body"] == [10, 11, 20, 21]


def test_an_address_inside_our_network_is_refused(alder: World) -> None:
    step = {"id": "peek", "type": "http", "url": "http://127.0.0.1:1/secrets"}
    identifier = begin(alder, published(alder, "Peek", step), {})
    with working():
        found = ended(identifier)
    assert (found.status, found.error["class"]) == ("FAILED", "permanent")


def test_a_dry_run_shows_what_it_would_send(alder: World, service: Service) -> None:
    step = {"id": "send", "type": "http", "method": "POST", "url": f"{service.url}/orders", "json": {"n": 1}}
    identifier = begin(alder, published(alder, "Dry", step), {}, mode="DRY_RUN")
    with working():
        found = ended(identifier)
    assert found.output["would_send"]["json"] == {"n": 1}
    assert service.asked == []


def test_an_ai_step_answers_with_a_label_and_counts_its_tokens(alder: World, service: Service) -> None:
    connect_openai(alder, service)
    identifier = begin(alder, published(alder, "Sort", ASK), {})
    with working():
        found = ended(identifier)
    assert (found.output["label"], found.tokens) == ("sales", 12)
    used = as_system("SELECT metric, quantity FROM billing_usageentry WHERE execution_id = %s", identifier)
    assert ("AI_TOKENS_USED", 12) in used


def test_a_dead_credential_holds_the_run_until_it_is_reconnected(alder: World, service: Service) -> None:
    integration = connect_openai(alder, service)
    service.accepts = "another key"
    identifier = begin(alder, published(alder, "Held", ASK), {})
    with working():
        found = reaches(identifier, "WAITING")
        assert found.waiting_for[0]["kind"] == "held_integration"
        with alder.scope():
            integration.refresh_from_db()
            assert integration.status == "EXPIRED"
            service.accepts = SECRET
            heal(integration)
            integration.save()
        found = ended(identifier)
    assert found.status == "COMPLETED"
    everything = as_system("SELECT row_to_json(s)::text FROM workflows_executionstep s")
    assert all(SECRET not in text for (text,) in everything)
