"""Each way to know us, end to end: connected through the pages, used by runs, expired, revoked, held, mended, gone on.

A real worker, real pages and a local server in the place of the service. Nothing is lost, nothing is doubled.
"""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_httpserver import HTTPServer
from werkzeug import Request as Arrived
from werkzeug import Response as Answer

from integrations.framework import Basic, BotToken, Connector, Field, registry
from integrations.models import Integration
from tests.integrations.standin import CLIENT_SECRET, Service
from tests.integrations.test_connect import sign_in
from tests.workflows.runner.working import begin, published, run, until, working
from tests.worlds import World, make_world

RUNS, HELD = 20, 5
SPACE = Field("space", label="Space", required=True, default="alder", example="alder")


@dataclass
class Kinds(Service):
    """The service with every way to sign in, and an address that holds a variable of the account."""

    proofs: set[str] = field(default_factory=set)
    cards: list[str] = field(default_factory=list)

    @property
    def connector(self) -> Connector:
        plain = super().connector
        signing_in, key = plain.auths
        return replace(
            plain,
            base_url=f"{plain.base_url}/{{space}}",
            account=(SPACE,),
            auth=(signing_in, key, Basic(), BotToken()),
        )

    def answer(self, request: Arrived) -> Answer:
        self.space, _, _rest = request.path.strip("/").partition("/")
        request.path = re.sub("^/(alder|elsewhere)/", "/", request.path)
        return super().answer(request)

    def on_cards(self, request: Arrived, form: dict[str, str]) -> Answer:
        answer = super().on_cards(request, form)
        if answer.status_code == 200:
            with self.lock:
                self.cards.append(str((request.get_json() or {}).get("title")))
        return answer

    def _if_allowed(self, request: Arrived, body: dict[str, Any]) -> Answer:
        if self.space != "elsewhere" and request.headers.get("Authorization", "") in self.proofs:
            return Answer('{"id": "acc-1", "name": "Alder Bakery"}', content_type="application/json")
        return super()._if_allowed(request, body)

    def revoke_everything(self) -> None:
        super().revoke_everything()
        self.proofs.clear()


@pytest.fixture
def kinds(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Kinds:
    here = Kinds(httpserver)
    httpserver.expect_request(re.compile(".*")).respond_with_handler(here.answer)
    settings.ALLOWED_PRIVATE_HOSTS = frozenset({f"{httpserver.host}:{httpserver.port}"})
    settings.OAUTH_APPS = {
        "OAUTH_NOTION_CLIENT_ID": "our-id",
        "OAUTH_NOTION_CLIENT_SECRET": CLIENT_SECRET,
        "OAUTH_NOTION_SIGNING_SECRET": "of-deliveries",
    }
    real = registry.get
    monkeypatch.setattr(
        registry, "get", lambda name: here.connector if name.lower() == "notion" else real(name)
    )
    return here


@dataclass(frozen=True)
class Way:
    """One way to connect: what a person enters, and what the service then sees."""

    key: str
    entered: dict[str, str]
    proof: str = ""


def ways(serial: int) -> dict[str, Way]:
    basic = "Basic " + b64encode(f"ada:password-{serial}".encode()).decode()
    return {
        "oauth2": Way("oauth2", {}),
        "api_key": Way("api_key", {"api_key": f"canary-key-{serial}"}, f"Bearer canary-key-{serial}"),
        "basic": Way("basic", {"username": "ada", "password": f"password-{serial}"}, basic),
        "bot_token": Way("bot_token", {"bot_token": f"bot-{serial}"}, f"Bot bot-{serial}"),
    }


def connect(browser: Client, service: Kinds, way: Way, path: str) -> None:
    data = {**way.entered, "space": "alder"}
    if way.key == "oauth2":
        answer = sign_in(browser, service, path, **data)
    else:
        service.proofs.add(way.proof)
        answer = browser.post(f"{path}?way={way.key}", data)
    assert answer.status_code == 302, answer.content.decode()


def only(world: World) -> Integration:
    with world.scope():
        row: Integration = Integration.objects.get()
        return row


@pytest.mark.parametrize("kind", ["oauth2", "api_key", "basic", "bot_token"])
def test_an_account_is_used_revoked_mended_and_nothing_is_lost_or_doubled(
    committed_db: str, kinds: Kinds, kind: str
) -> None:
    alder = make_world("Alder")
    browser = Client()
    browser.force_login(alder.owner)
    connect(browser, kinds, ways(1)[kind], "/integrations/services/notion/connect/")
    row = only(alder)
    assert (row.status, row.settings["space"]) == ("ACTIVE", "alder")
    step = {
        "id": "add",
        "type": "action",
        "provider": "notion",
        "operation": "add_card",
        "integration": str(row.pk),
        "with": {"board": "b1", "title": "{{ inputs.title }}"},
    }
    made = published(alder, "Cards", step)
    if kind == "oauth2":
        with alder.scope():
            Integration.objects.update(expires_at=timezone.now() - timedelta(seconds=5))

    with working():
        first = [begin(alder, made, {"title": f"first {number}"}) for number in range(RUNS)]
        until(lambda: all(run(key).status == "COMPLETED" for key in first), "the runs end")
        assert sorted(kinds.cards) == sorted(f"first {number}" for number in range(RUNS))
        assert kinds.count("refresh_token") == (1 if kind == "oauth2" else 0)

        kinds.revoke_everything()
        second = [begin(alder, made, {"title": f"second {number}"}) for number in range(HELD)]
        until(lambda: all(run(key).status == "WAITING" for key in second), "the runs are held")
        assert only(alder).status == "EXPIRED"
        assert len(kinds.cards) == RUNS
        page = browser.get(f"/integrations/{row.pk}/").content.decode()
        assert "5 runs wait for it" in page

        connect(browser, kinds, ways(2)[kind], f"/integrations/{row.pk}/reconnect/")
        assert only(alder).status == "ACTIVE"
        until(lambda: all(run(key).status == "COMPLETED" for key in second), "the held runs go on")
    assert len(kinds.cards) == len(set(kinds.cards)) == RUNS + HELD


def test_another_value_of_the_account_variable_is_another_address(committed_db: str, kinds: Kinds) -> None:
    alder = make_world("Alder")
    browser = Client()
    browser.force_login(alder.owner)
    way = ways(1)["api_key"]
    kinds.proofs.add(way.proof)
    answer = browser.post(
        "/integrations/services/notion/connect/?way=api_key", {**way.entered, "space": "elsewhere"}
    )
    assert answer.status_code == 422
    with alder.scope():
        assert not Integration.objects.exists()
