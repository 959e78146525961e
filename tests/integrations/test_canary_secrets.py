"""No secret in anything that is written: planted everywhere, then looked for in tables, pages, logs and e-mails."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_httpserver import HTTPServer
from werkzeug import Request as Arrived
from werkzeug import Response as Answer

from accounts.models import ApiKey, User
from accounts.tenancy import system_scope
from integrations import connecting, health, tasks
from integrations.framework import ConnectorError, registry
from integrations.models import Integration
from tests.workflows.runner.working import begin, ended, published, reaches, working
from tests.workflows.triggers.publishing import published as published_with_triggers
from tests.workflows.triggers.publishing import trigger_of
from tests.worlds import World, make_world
from workflows.triggers import secrets as trigger_secrets

# Every word is one that nothing else writes.
WAYS: dict[str, dict[str, str]] = {
    "bearer": {"token": "canary-bearer-0f3a1c"},
    "header": {"header_name": "X-Key", "value": "canary-header-0f3a1c"},
    "query": {"parameter_name": "key", "value": "canary-query-0f3a1c"},
    "basic": {"username": "ada", "password": "canary-basic-0f3a1c"},
    "client_credentials": {"client_id": "their-app", "client_secret": "canary-client-0f3a1c"},
    "oauth2": {
        "client_id": "their-app",
        "client_secret": "canary-own-app-0f3a1c",
        "access_token": "canary-access-0f3a1c",
        "refresh_token": "canary-refresh-0f3a1c",
    },
}
HOOK_SECRET = "canary-webhook-0f3a1c"
SIGNING_SECRET = "canary-signing-0f3a1c"
CANARY = "canary-"


class Echo:
    """A service that says back everything it is sent, the secrets too. refuses: it answers 401 and says them."""

    def __init__(self, server: HTTPServer) -> None:
        self.refuses = False
        self.seen: list[str] = []
        self.url = server.url_for("").rstrip("/")

    def __call__(self, request: Arrived) -> Answer:
        text = f"{request.full_path} {dict(request.headers)} {request.get_data(as_text=True)}"
        self.seen.append(text)
        status = 401 if self.refuses else 200
        body: dict[str, Any] = {"echo": text, "error": f"not good: {text}", "token": "x"}
        if request.path == "/token" and not self.refuses:
            body = {"access_token": "canary-granted-0f3a1c", "expires_in": 3600}
        import json

        headers = {"X-Echo": request.headers.get("Authorization", "")}
        return Answer(json.dumps(body), status, headers, content_type="application/json")


@pytest.fixture
def alder(committed_db: str) -> World:
    return make_world("Alder")


@pytest.fixture
def echo(httpserver: HTTPServer, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Echo:
    service = Echo(httpserver)
    import re

    httpserver.expect_request(re.compile(".*")).respond_with_handler(service)
    settings.ALLOWED_PRIVATE_HOSTS = frozenset({f"{httpserver.host}:{httpserver.port}"})
    real = registry.get
    there = real("http")
    there = replace(
        there,
        base_url=service.url,
        auth=tuple(
            replace(auth, token_url=f"{service.url}/token") if hasattr(auth, "token_url") else auth
            for auth in there.auths
        ),
    )
    monkeypatch.setattr(registry, "get", lambda name: there if name.lower() == "http" else real(name))
    return service


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Any:
    """Return a function that gives everything that was logged or printed so far, at the most talkative level."""
    caplog.set_level(logging.DEBUG)
    printed: list[str] = []

    def everything() -> str:
        out, err = capfd.readouterr()
        printed.append(out + err)
        # The stand-in's own log is the service's, not ours.
        ours = [record for record in caplog.records if record.name != "werkzeug"]
        return "\n".join([*printed, *(f"{record.getMessage()} {record.__dict__}" for record in ours)])

    return everything


def test_no_planted_secret_is_found_in_anything_that_was_written(
    alder: World, echo: Echo, client: Client, logged: Any
) -> None:
    # --- Plant and use ----------------------------------------------------------------------------------------
    client.force_login(alder.owner)
    for key, values in WAYS.items():
        integration = connected(client, alder, key, values)
        steps = (
            {"id": "ask", "type": "http", "url": f"{echo.url}/echo", "integration": str(integration.pk)},
            {"id": "do", "type": "action", "provider": "HTTP", "operation": "read",
             "integration": str(integration.pk), "with": {"path": "/echo"}},
        )  # fmt: skip
        works = begin(alder, published(alder, f"Works {key}", *steps), {})
        with working():
            assert ended(works).status == "COMPLETED"
        echo.refuses = True
        fails = [begin(alder, published(alder, f"Fails {key} {step['id']}", step), {}) for step in steps]
        with working():
            for identifier in fails:
                reaches(identifier, "WAITING")
        with pytest.raises(ConnectorError):
            health.check(alder.organization.pk, integration.pk)
        if "client_secret" in values:
            refused = Client()
            refused.force_login(alder.owner)
            typed = refused.post(form_of(key), {"base_url": "https://api.example.com", **asked(key, values)})
            assert typed.status_code in (200, 422)
        tasks.tell_of_break(str(alder.organization.pk), str(integration.pk))
        echo.refuses = False
    secret = planted_webhook(alder, client)
    with alder.scope():
        _key, api_key = ApiKey.issue(
            organization=alder.organization, name="Website", scopes=["workflows:run"]
        )
    client.get("/workflows/", headers={"Authorization": f"Bearer {api_key}"})
    client.get("/workflows/", headers={"Authorization": f"Bearer {api_key}x"})

    # --- Every secret was really used ------------------------------------------------------------------------
    used = "\n".join(echo.seen)
    for values in WAYS.values():
        for name, value in values.items():
            if value.startswith(CANARY) and name != "refresh_token" and "own-app" not in value:
                assert any(form in used for form in forms(value, values)), name

    # --- Search ------------------------------------------------------------------------------------------------
    secrets = [value for values in WAYS.values() for value in values.values() if value.startswith(CANARY)]
    secrets += [secret, "canary-granted-0f3a1c", api_key]
    found = [f"{where}: {value}" for where, text in written(alder, client, logged) for value in secrets
             if any(form in text for form in forms(value, WAYS["basic"]))]  # fmt: skip
    assert found == []


def test_the_search_itself_finds_what_is_written(alder: World, client: Client, logged: Any) -> None:
    """Without this, a search that looks nowhere would pass."""
    with alder.scope():
        Integration.objects.create(
            organization=alder.organization, provider="HTTP", name="Shown canary-name-0f3a1c", settings={}
        )
    logging.getLogger("steward.test").debug("canary-log-0f3a1c")
    mail.send_mail("canary-mail-0f3a1c", "x", None, ["ada@example.com"])
    client.force_login(alder.owner)
    places = dict(written(alder, client, logged))
    assert "canary-name-0f3a1c" in places["table integrations_integration"]
    assert "canary-name-0f3a1c" in places[f"page {reverse('integrations:gallery')}"]
    assert "canary-name-0f3a1c" in places["export"]
    assert "canary-name-0f3a1c" in places["admin /admin/integrations/integration/"]
    assert "canary-log-0f3a1c" in places["logs"]
    assert "canary-mail-0f3a1c" in places["e-mails"]


def form_of(key: str) -> str:
    return f"{reverse('integrations:connect', args=['http'])}?way={key}"


def asked(key: str, values: dict[str, str]) -> dict[str, str]:
    given = {name: value for name, value in values.items() if name not in ("access_token", "refresh_token")}
    if key in ("client_credentials", "oauth2"):
        given["token_url"] = "https://auth.example.com/token"
    if key == "oauth2":
        given["authorize_url"] = "https://auth.example.com/authorize"
    return given


def connected(client: Client, world: World, key: str, values: dict[str, str]) -> Integration:
    """Connect through the form where the form itself does it, else as the callback would."""
    account = {"base_url": "https://api.example.com", "test_path": "/me"}
    if key != "oauth2":
        answer = client.post(form_of(key), {**account, **asked(key, values), "connection_name": key})
        assert answer.status_code == 302, answer.content.decode()
        with world.scope():
            return Integration.objects.get(name=key)
    connector = registry.get("http")
    away = client.post(form_of(key), {**account, **asked(key, values), "connection_name": key})
    assert away.status_code == 200
    assert CANARY not in away.content.decode()
    auth = next(auth for auth in connector.auths if auth.key == key)
    proved = connecting.prove(connector, auth, values, account)
    request = type("R", (), {"META": {}, "headers": {}, "user": world.owner, "COOKIES": {}})()
    with world.scope():
        return connecting.connect(proved, key, actor=world.owner, request=request)  # type: ignore[arg-type] # for the audit


def planted_webhook(world: World, client: Client) -> str:
    """Publish a webhook with a header secret, and call it rightly and wrongly."""
    workflow = published_with_triggers(
        world, {"type": "webhook", "auth": {"method": "header", "header": "X-Oven"}}, name="Hook"
    )
    trigger = trigger_of(workflow, world)
    with world.scope():
        trigger_secrets.keep(trigger, HOOK_SECRET)
    for value, status in ((HOOK_SECRET, 202), (f"{HOOK_SECRET}x", 401)):
        for header in ({"X-Oven": value}, {"X-Oven": value, "Authorization": f"Bearer {value}"}):
            answer = client.post(
                f"/hooks/{trigger.token}/", data="{}", content_type="application/json", headers=header
            )
            assert answer.status_code == status
    return HOOK_SECRET


def forms(value: str, basic: dict[str, str]) -> set[str]:
    """Return how a secret may be written: plain, quoted, base64, as Basic."""
    pair = f"{basic.get('username', '')}:{value}"
    texts = {value, quote(value, safe="")}
    return texts | {base64.b64encode(text.encode()).decode().rstrip("=") for text in (value, pair)}


def written(world: World, client: Client, logged: Any) -> Iterator[tuple[str, str]]:
    """Yield (where, everything that stands there)."""
    with system_scope("search"), connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        )
        for (table,) in cursor.fetchall():
            if not readable(cursor, table):
                continue
            cursor.execute(f'SELECT t::text FROM "{table}" t')  # noqa: S608 - names of our own tables
            yield f"table {table}", "\n".join(row[0] for row in cursor.fetchall())
    with world.scope():
        integrations = list(Integration.objects.all())
        executions = [str(pk) for (pk,) in execution_keys()]
    paths = [
        reverse("integrations:gallery"),
        "/",
        "/runs/",
        "/workflows/",
        reverse("integrations:provider", args=["http"]),
    ]
    for integration in integrations:
        paths += [
            reverse(f"integrations:{name}", args=[integration.pk])
            for name in ("integration", "reconnect", "disconnect")
        ]
    paths += [f"/runs/{key}/" for key in executions]
    for path in paths:
        answer = client.get(path, follow=True)
        assert answer.status_code == 200, (path, answer.status_code)
        yield f"page {path}", answer.content.decode()
    export = client.get(reverse("accounts:organization-export"))
    yield "export", b"".join(export.streaming_content).decode()  # type: ignore[attr-defined]
    staff = Client()
    with system_scope("make staff"):
        staff.force_login(User.objects.create_superuser("support@steward.example", "a long pass phrase"))
    for app, model in (
        ("integrations", "integration"), ("workflows", "execution"), ("workflows", "executionstep"),
        ("workflows", "webhookdelivery"), ("workflows", "trigger"), ("accounts", "auditevent"), ("accounts", "apikey"),
    ):  # fmt: skip
        path = f"/admin/{app}/{model}/"
        text = staff.get(path).content.decode()
        if model == "integration":
            text += "".join(staff.get(f"{path}{one.pk}/change/").content.decode() for one in integrations)
        yield f"admin {path}", text
    yield "e-mails", "\n".join(str(message.message()) for message in mail.outbox)
    yield "logs", logged()


def execution_keys() -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM workflows_execution")
        return list(cursor.fetchall())


def readable(cursor: Any, table: str) -> bool:
    cursor.execute("SELECT has_table_privilege(%s, 'SELECT')", [f'public."{table}"'])
    return bool(cursor.fetchone()[0])
