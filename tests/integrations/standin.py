"""A service that is not there: OAuth2, API keys, a listing and signed deliveries, on a local HTTP server."""

from __future__ import annotations

import hashlib
import hmac
import html
import json
import re
import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request as Arrived
from werkzeug import Response as Answer

from integrations.framework import (
    Action,
    ApiKey,
    Connector,
    Field,
    Hmac,
    OAuth2,
    Offers,
    Output,
    Request,
    Test,
    Trigger,
    Webhooks,
    echo_json,
    registry,
)

SIGNING_SECRET = "canary-signing-secret-5d1f"
CLIENT_SECRET = "canary-client-secret-9a2b"
API_KEY = "canary-api-key-77c0ffee"


@dataclass
class Service:
    """What the service knows: which tokens are good, and what was asked of it."""

    server: HTTPServer
    address: str = "app"
    lifetime: int | None = 3600
    is_down: bool = False
    account: str = "Alder Bakery"
    account_id: str = "acc-1"
    serial: int = 0
    access: set[str] = field(default_factory=set)
    refresh: set[str] = field(default_factory=set)
    challenges: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    answer_after: threading.Event | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def connector(self) -> Connector:
        """The connector that talks to it."""
        base = self.server.url_for("").rstrip("/")
        listing = Action(
            key="list_boards",
            label="List boards",
            call="GET /boards",
            fields=(Field("space", label="Space"),),
            returns={"boards": Output("boards", kind="list", of={"id": "id", "name": "name"})},
            offers=Offers(items="boards"),
            effect="read",
        )
        return Connector(
            slug="notion",
            name="Standin",
            category="Tests",
            summary="Keeps cards on boards.",
            docs_url="https://docs.example/",
            base_url=base,
            auth=(
                OAuth2(
                    authorize_url=f"{base}/authorize",
                    token_url=f"{base}/token",
                    revoke_url=f"{base}/revoke",
                    scopes=("cards", "boards"),
                    rotates_refresh_token=True,
                    account_from_token={"account_id": "account"},
                ),
                ApiKey(prefix="Bearer ", help="Under Settings, API."),
            ),
            test=Test(Request("GET", "/me"), account={"account_id": "id"}, label="name"),
            actions=(
                Action(
                    key="add_card",
                    label="Add a card",
                    description="Puts a card on a board.",
                    fields=(
                        Field("board", label="Board", required=True, options="list_boards", depends_on=("space",)),
                        Field("space", label="Space"),
                        Field("title", label="Title", required=True, example="Bake bread"),
                    ),
                    call="POST /cards",
                    returns={"id": "id"},
                ),
                listing,
            ),
            triggers=(
                Trigger(key="card_added", label="A card is added", event="card.added", root="card",
                        sample={"type": "card.added", "card": {"title": "Bread"}}, returns={"title": "title"}),
            ),
            webhooks=Webhooks(
                address=self.address,
                signature=Hmac(header="X-Signature"),
                secret="app" if self.address == "app" else "subscription",
                handshake=echo_json("challenge"),
                events="events",
                event="type",
                delivery_id="id",
                account="account",
                account_key="account_id",
                setup="Enter this address in the service's settings.",
            ),
        )  # fmt: skip

    def revoke_everything(self) -> None:
        """The account's owner removes us at the service."""
        self.access.clear()
        self.refresh.clear()

    def count(self, what: str) -> int:
        return self.calls.count(what)

    def delivery(
        self, *events: dict[str, Any], account: str = "acc-1", secret: str = SIGNING_SECRET
    ) -> dict[str, Any]:
        """Return what the test client posts for a signed delivery."""
        body = json.dumps({"account": account, "events": list(events)}).encode()
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return {"data": body, "content_type": "application/json", "headers": {"X-Signature": signature}}

    # --- The server's side -------------------------------------------------------------------------------

    def answer(self, request: Arrived) -> Answer:
        """Answer one request as the service would."""
        form = request.form.to_dict()
        what = request.path.strip("/")
        with self.lock:
            self.calls.append(form.get("grant_type") or what)
        if self.is_down:
            return Answer("down", status=503)
        return getattr(self, f"on_{what}", self.on_unknown)(request, form)

    def on_unknown(self, request: Arrived, form: dict[str, str]) -> Answer:
        return Answer("?", status=404)

    def on_authorize(self, request: Arrived, form: dict[str, str]) -> Answer:
        asked = request.args.to_dict()
        code = f"code-{len(self.challenges)}"
        self.challenges[code] = asked["code_challenge"]
        back = f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"
        refused = f"{asked['redirect_uri']}?{urlencode({'error': 'access_denied', 'state': asked['state']})}"
        page = (
            f'<title>Standin</title><a href="{html.escape(back)}">Agree</a> '
            f'<a href="{html.escape(refused)}">Refuse</a>'
        )
        return Answer(page, content_type="text/html")

    def on_token(self, request: Arrived, form: dict[str, str]) -> Answer:
        if self.answer_after is not None:
            self.answer_after.wait(10)
        with self.lock:
            if form.get("client_secret") != CLIENT_SECRET:
                return _json({"error": "invalid_client"}, 401)
            if form["grant_type"] == "authorization_code":
                from integrations.framework.oauth import challenge

                if self.challenges.pop(form["code"], None) != challenge(form.get("code_verifier", "")):
                    return _json({"error": "invalid_grant"}, 400)
            elif form["refresh_token"] not in self.refresh:
                return _json({"error": "invalid_grant"}, 400)
            else:
                self.refresh.discard(form["refresh_token"])
            self.serial += 1
            tokens = {
                "access_token": f"canary-access-{self.serial}",
                "refresh_token": f"canary-refresh-{self.serial}",
            }
            self.access.add(tokens["access_token"])
            self.refresh.add(tokens["refresh_token"])
            return _json({**tokens, "account": self.account_id, "expires_in": self.lifetime})

    def on_revoke(self, request: Arrived, form: dict[str, str]) -> Answer:
        self.refresh.discard(form["token"])
        return _json({})

    def on_me(self, request: Arrived, form: dict[str, str]) -> Answer:
        return self._if_allowed(request, {"id": self.account_id, "name": self.account})

    def on_boards(self, request: Arrived, form: dict[str, str]) -> Answer:
        space = request.args.get("space", "")
        boards = [{"id": f"b1{space}", "name": "Ovens <1>"}, {"id": "b2", "name": "Shop"}]
        return self._if_allowed(request, {"boards": boards})

    def on_cards(self, request: Arrived, form: dict[str, str]) -> Answer:
        return self._if_allowed(request, {"id": "card-1"})

    def _if_allowed(self, request: Arrived, body: dict[str, Any]) -> Answer:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token == API_KEY or token in self.access:
            return _json(body)
        return _json({"error": f"the token {token} is not good"}, 401)


def _json(body: dict[str, Any], status: int = 200) -> Answer:
    return Answer(json.dumps(body), status=status, content_type="application/json")


@pytest.fixture
def service(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Service:
    """The stand-in, in the place of one connector of ours."""
    standin = Service(httpserver)
    httpserver.expect_request(re.compile(".*")).respond_with_handler(standin.answer)
    settings.ALLOWED_PRIVATE_HOSTS = frozenset({f"{httpserver.host}:{httpserver.port}"})
    settings.OAUTH_APPS = {
        "OAUTH_NOTION_CLIENT_ID": "our-id",
        "OAUTH_NOTION_CLIENT_SECRET": CLIENT_SECRET,
        "OAUTH_NOTION_SIGNING_SECRET": SIGNING_SECRET,
    }
    real = registry.get
    monkeypatch.setattr(
        registry, "get", lambda name: standin.connector if name.lower() == "notion" else real(name)
    )
    monkeypatch.setattr(registry, "all_connectors", lambda: (standin.connector, real("slack")))
    return standin
