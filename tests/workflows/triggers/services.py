"""A service that is asked and sends events: a local server in the place of every vendor, and who listens to it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test import Client as DjangoClient
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_httpserver import HTTPServer
from werkzeug import Request as Arrived
from werkzeug import Response as Answer
from werkzeug.test import Client

from integrations import certificates, credentials, inbound, tasks
from integrations.framework import Connector, Response, Trigger, Webhooks, dig, execute, registry
from integrations.models import Integration
from tests.integrations import vendors
from tests.integrations.checks import account_for, credentials_for
from tests.workflows.triggers.publishing import published, trigger_of
from tests.worlds import World
from workflows.models import Execution, TriggerDecision, Workflow
from workflows.triggers import addresses, front_door, jobs, subscriptions

# Answers of the vendors' APIs to "tell me of that", all in one: each connector reads its own members.
SUBSCRIBED = {
    "id": "sub-1",
    "name": "webhooks/sub-1",
    "secret": vendors.STANDARD_SECRET,
    "signing_secret": vendors.STANDARD_SECRET,
    "macSecretBase64": "c29tZSBtYWMgc2VjcmV0IG9mIG91cnM=",
    "new_signing_secret": vendors.STANDARD_SECRET,
    "expirationDateTime": "2026-11-25T09:30:00Z",
    "expirationTime": "2026-11-29T09:30:00.000Z",
    "expiration": "1795336200000",
    "resourceId": "ret08u3rv24htgh289g",
    "hostname": "in.example.com",
    "webhook": {"id": "sub-1", "secret": vendors.STANDARD_SECRET},
    "resource": {"uri": "https://api.calendly.com/webhook_subscriptions/sub-1"},
    "webhook_endpoint": {"id": "sub-1", "secret": vendors.STANDARD_SECRET},
    "subscription": {"id": "sub-1", "signature_key": "square-secret"},
    "data": {
        "id": "sub-1",
        "gid": "sub-1",
        "webhookCreate": {"success": True, "webhook": {"id": "sub-1"}},
        "create_webhook": {"id": "sub-1", "board_id": "1"},
        "webhookSubscriptionCreate": {"webhookSubscription": {"id": "sub-1"}, "userErrors": []},
        "webhookSubscriptionDelete": {"deletedWebhookSubscriptionId": "sub-1", "userErrors": []},
    },
    "success": True,
    "ok": True,
    "result": True,
}
DETAILS = {"id": "512", "properties": {"email": "ada@example.com"}, "text": "Hello", "order": {"id": "1"}}


@dataclass
class Vendor:
    """The service's side: what it was asked, and what it answers."""

    server: HTTPServer
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    reads: dict[str, Any] = field(default_factory=dict)
    status: int = 200

    def answer(self, request: Arrived) -> Answer:
        body = request.get_data()
        self.asked.append((request.method, request.path, f"{request.query_string.decode()} {body.decode()}"))
        if self.status != 200:
            return Answer('{"error": "not now"}', status=self.status, content_type="application/json")
        found = dict(SUBSCRIBED)
        if "signed" in request.path:
            found = {"id": "sub-1", "public_key": vendors.mail_public_key()}
        if "payloads" in request.path or (request.method == "GET" and self.reads):
            found = self.reads
        return Answer(json.dumps(found), content_type="application/json")

    @property
    def methods(self) -> list[str]:
        return [method for method, _path, _body in self.asked]


@pytest.fixture
def vendor(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Vendor:
    """A local server that every call to a service reaches, whatever the service's own host."""
    addresses.forget_all()
    here = Vendor(httpserver)
    httpserver.expect_request(re.compile(".*")).respond_with_handler(here.answer)
    settings.ALLOWED_PRIVATE_HOSTS = frozenset({f"{httpserver.host}:{httpserver.port}"})
    real = execute.prepare

    def prepare(*arguments: Any) -> dict[str, Any]:
        made = real(*arguments)
        parts = urlsplit(made["url"])
        return {**made, "url": httpserver.url_for(parts.path) + (f"?{parts.query}" if parts.query else "")}

    monkeypatch.setattr(execute, "prepare", prepare)
    cache.clear()
    monkeypatch.setattr(
        certificates,
        "_fetched",
        lambda address: vendors.paypal_certificate()[1] if "CERT-360" in address else "",
    )
    return here


@dataclass
class Listening:
    """One published workflow that listens to one event."""

    world: World
    connector: Connector
    trigger: Trigger
    webhooks: Webhooks
    integration: Integration
    workflow: Workflow

    @property
    def row(self) -> Any:
        return trigger_of(self.workflow, self.world, "service")

    @property
    def address(self) -> str:
        if self.webhooks.address == "app":
            return inbound.app_address(self.connector)
        if self.webhooks.address == "integration":
            return str(self.account.webhook_url)
        return subscriptions.address_of(self.row)

    @property
    def account(self) -> Integration:
        with self.world.scope():
            found: Integration = Integration.objects.get(pk=self.integration.pk)
            return found

    def key(self) -> str:
        """What the service signs with: read from where our checks read it, never made up here."""
        if self.webhooks.secret == "app":
            return "secret-of-our-app"
        if self.webhooks.secret == "credentials":
            return str(credentials.read(self.account)[self.webhooks.secret_name])
        if self.webhooks.address == "integration":
            return str(credentials.read_webhook_state(self.account).get("secret", ""))
        return str(subscriptions.state_of(self.row).get("secret", ""))

    def deliver(self, event: Any = None, *, tamper: str = "") -> int:
        made = vendors.sent(
            self.connector,
            self.trigger,
            self.webhooks,
            self.trigger.sample if event is None else event,
            key=self.key() + ("x" if tamper == "key" else ""),
            address=self.address,
            now=time.time(),
        )
        path = urlsplit(self.address).path + (f"?{made.query}" if made.query else "")
        if tamper == "unsigned":
            made.headers = {"Content-Type": made.headers.get("Content-Type", "application/json")}
            path = urlsplit(self.address).path
            made.body = made.body.replace(self.key().encode() or b"\0", b"")
        if path.startswith(front_door.PREFIX):
            client = Client(front_door.FrontDoor(WSGIHandler()))
            return client.post(path, data=made.body, headers=list(made.headers.items())).status_code
        kind = made.headers.pop("Content-Type", "application/json")
        answer = DjangoClient().post(path, made.body, content_type=kind, headers=made.headers)
        return answer.status_code

    def runs(self) -> list[Any]:
        with self.world.scope():
            found = Execution.objects.filter(workflow=self.workflow).order_by("id")
            return [run.input for run in found]

    def reasons(self) -> list[str]:
        with self.world.scope():
            rows = TriggerDecision.objects.filter(workflow=self.workflow).order_by("id")
            return [row.reason for row in rows]


def run_jobs() -> None:
    """Do what waits in the queues of services and triggers, once each."""
    work: dict[str, Callable[..., Any]] = {
        "integrations.hand_over": tasks.hand_over,
        **{
            task.name: task
            for task in (jobs.subscribe, jobs.unsubscribe, jobs.settle_account, jobs.fetch_details, jobs.look)
        },
    }
    for _round in range(3):
        for job in ProcrastinateJob.objects.filter(status="todo", task_name__in=list(work)).order_by("id"):
            with connection.cursor() as cursor:  # taken: the same job may be queued again
                cursor.execute("UPDATE procrastinate_jobs SET status = 'succeeded' WHERE id = %s", [job.pk])
            work[job.task_name](**job.args)


def listening(world: World, slug: str, key: str, settings: Any, **config: Any) -> Listening:
    connector = registry.get(slug)
    trigger = connector.trigger(key)
    webhooks = connector.webhooks_of(trigger)
    assert webhooks is not None
    settings.OAUTH_APPS = {f"OAUTH_{slug.upper()}_{webhooks.secret_name.upper()}": "secret-of-our-app"}
    account = account_for(connector)
    if webhooks.account:
        wrapped = vendors.sent(
            connector, trigger, webhooks, trigger.sample, key="k", address="https://steward.example/", now=0.0
        )
        body = json.loads(wrapped.body)
        found = dig(body, webhooks.account) or dig(trigger.sample, webhooks.account)
        account[webhooks.account_key or webhooks.account.rpartition(".")[2]] = found
    secrets = credentials_for(connector)
    if webhooks.secret == "credentials":
        made = {"public_key": vendors.bot_public_key(), "signing_secret": vendors.STANDARD_SECRET}
        secrets[webhooks.secret_name] = made.get(webhooks.secret_name, "a secret of the account")
    with world.scope():
        integration = Integration(
            provider=connector.provider, name="Team", organization=world.organization, settings=account
        )
        credentials.write(integration, secrets)
        if inbound.webhooks_for_accounts(connector) is not None:
            inbound.address_of(integration)
        if (
            webhooks.address == "integration"
            and webhooks.subscribe is None
            and webhooks.secret == "subscription"
        ):
            credentials.write_webhook_state(integration, {"secret": "what the person entered"})
        integration.save()
    filled = {
        entry.key: entry.example if entry.example is not None else entry.default
        for entry in trigger.fields
        if entry.required
    }
    event = {
        "type": "provider",
        "id": "service",
        "provider": slug,
        "event": key,
        "with": {**filled, **config},
    }
    workflow = published(world, event, name=f"On {key}")
    return Listening(world, connector, trigger, webhooks, integration, workflow)


def details_of(trigger: Trigger) -> tuple[Any, Any]:
    """Return what the service answers when asked for the details of the sample, and the whole event that makes."""
    follow_up, sample = trigger.follow_up, trigger.sample
    if trigger.fetch is not None:
        return _changes(sample), sample
    if follow_up is None:
        return {}, sample
    read = follow_up.read or (lambda response: response.json)
    told = sample.get(follow_up.into) if follow_up.into else sample
    for answer in (told, {"data": told}, {"order": told}, dict(DETAILS)):
        if answer is not None and told is not None and read(Response(200, answer)) == told:
            return answer, sample
    return DETAILS, {**sample, follow_up.into: read(Response(200, DETAILS))} if follow_up.into else DETAILS


def _changes(sample: Any) -> Any:
    """Return the page of Airtable's change list that the sample was read from."""
    cells = {"cellValuesByFieldId": sample.get("fields")}
    changed: dict[str, Any] = {"destroyedRecordIds": [sample["record"]]}
    if sample.get("createdTime"):
        entry = {"createdTime": sample["createdTime"], **cells}
        changed = {"createdRecordsById": {sample["record"]: entry}}
    elif "previous" in sample:
        before = {"cellValuesByFieldId": sample["previous"]}
        changed = {"changedRecordsById": {sample["record"]: {"current": cells, "previous": before}}}
    payload = {
        "timestamp": sample["at"],
        "baseTransactionNumber": int(sample["change"].partition(":")[0]),
        "actionMetadata": {"source": "client", "sourceMetadata": {"user": {"email": sample["by"]}}},
        "changedTablesById": {sample["table"]: changed},
    }
    return {"payloads": [payload], "cursor": 5, "mightHaveMore": False}
