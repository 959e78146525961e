"""Events of connected services, with Stripe's connector against a local server that stands in for Stripe."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_httpserver import HTTPServer

from integrations import credentials
from integrations.framework import registry
from integrations.inbound import Event
from integrations.models import Integration
from tests.integrations.checks import credentials_for
from tests.workflows.triggers.publishing import published, trigger_of
from tests.worlds import World
from workflows import publishing
from workflows.models import Execution, TriggerDecision
from workflows.triggers import addresses, polling, provider, subscriptions

NOW = datetime.now(UTC)


@pytest.fixture
def stripe(httpserver: HTTPServer, monkeypatch: Any, settings: Any) -> HTTPServer:
    """Stripe's connector, whose base URL is the local server."""
    addresses.forget_all()
    here = replace(registry.get("stripe"), base_url=httpserver.url_for("").rstrip("/"))
    real = registry.get
    monkeypatch.setattr(registry, "get", lambda name: here if name.lower() == "stripe" else real(name))
    settings.ALLOWED_PRIVATE_HOSTS = frozenset({f"{httpserver.host}:{httpserver.port}"})
    return httpserver


def connected(world: World) -> Integration:
    with world.scope():
        integration = Integration(provider="STRIPE", name="Till", organization=world.organization)
        credentials.write(integration, credentials_for(registry.get("stripe")))
        integration.save()
        return integration


def listening(world: World, event: str, **extra: Any) -> Any:
    return published(world, {"type": "provider", "id": "till", "provider": "stripe", "event": event, **extra})


def reasons(world: World, workflow: Any) -> list[str]:
    with world.scope():
        return list(
            TriggerDecision.objects.filter(workflow=workflow).order_by("id").values_list("reason", flat=True)
        )


def runs(world: World, workflow: Any) -> list[Any]:
    with world.scope():
        return list(
            Execution.objects.filter(workflow=workflow).order_by("id").values_list("input", flat=True)
        )


def item(number: int) -> dict[str, Any]:
    return {
        "id": f"evt_{number}",
        "type": "invoice.paid",
        "created": 1_700_000_000 + number,
        "data": {"object": {"n": number}},
    }


def answer(server: HTTPServer, *numbers: int) -> None:
    server.clear()
    server.expect_request("/v1/events").respond_with_json(
        {"data": [item(n) for n in sorted(numbers, reverse=True)]}
    )


def test_looking_starts_a_run_for_each_new_item_and_none_for_what_was_there(
    alder: World, stripe: HTTPServer
) -> None:
    connected(alder)
    workflow = listening(alder, "events_poll")
    row = trigger_of(workflow, alder, "till")
    answer(stripe, 1, 2)
    soon = datetime.now(UTC) + timedelta(seconds=5)
    ((organization, trigger),) = polling.due_polls(soon)
    assert polling.due_polls(soon) == []
    assert polling.poll_once(organization, trigger, NOW) == 0
    answer(stripe, 1, 2, 3, 4)
    assert polling.poll_once(organization, trigger, NOW) == 2
    assert polling.poll_once(organization, trigger, NOW) == 0
    # The newest item is deleted at the service: nothing is replayed, nothing is skipped.
    answer(stripe, 1, 2, 3, 5)
    assert polling.poll_once(organization, trigger, NOW) == 1
    assert [seen["body"]["object"]["n"] for seen in runs(alder, workflow)] == [3, 4, 5]
    assert str(row.pk) == trigger


def test_a_refused_credential_is_said_once_an_hour_and_starts_nothing(
    alder: World, stripe: HTTPServer
) -> None:
    connected(alder)
    workflow = listening(alder, "events_poll")
    trigger = trigger_of(workflow, alder, "till")
    stripe.expect_request("/v1/events").respond_with_json({"error": {"message": "no such key"}}, status=401)
    for minutes in (0, 5, 70):
        polling.poll_once(str(trigger.organization_id), str(trigger.pk), NOW + timedelta(minutes=minutes))
    assert reasons(alder, workflow) == ["INTEGRATION_BROKEN", "INTEGRATION_BROKEN"]


def test_a_subscription_is_made_used_and_taken_back(client: Client, alder: World, stripe: HTTPServer) -> None:
    connected(alder)
    workflow = listening(alder, "payment_succeeded")
    row = trigger_of(workflow, alder, "till")
    made = {"id": "we_1", "secret": "whsec_medlar"}
    stripe.expect_ordered_request("/v1/webhook_endpoints", method="POST").respond_with_json(made)
    stripe.expect_ordered_request("/v1/webhook_endpoints/we_1", method="DELETE").respond_with_json(
        {"deleted": True}
    )
    assert subscriptions.subscribe(str(row.organization_id), str(row.pk))
    row = trigger_of(workflow, alder, "till")
    assert "medlar" not in json.dumps(row.state)

    event = copy.deepcopy(registry.get("stripe").trigger("payment_succeeded").sample)
    body = json.dumps(event).encode()
    at = int(time.time())

    def deliver(secret: str) -> int:
        signature = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {"Stripe-Signature": f"t={at},v1={signature}"}
        response = client.post(
            f"/hooks/{row.token}/", data=body, content_type="application/json", headers=headers
        )
        return response.status_code

    assert deliver("whsec_wrong") == 401
    assert deliver("whsec_medlar") == 200
    assert deliver("whsec_medlar") == 200
    assert reasons(alder, workflow) == ["BAD_SIGNATURE", "STARTED", "DUPLICATE"]
    (seen,) = runs(alder, workflow)
    assert (seen["provider"], seen["event"]) == ("stripe", "payment_succeeded")

    with alder.scope():
        publishing.pause(workflow, alder.owner)
    paused = trigger_of(workflow, alder, "till")
    assert "subscription" not in paused.state
    subscriptions.unsubscribe(
        str(row.organization_id), str(row.pk), settings=dict(row.settings), integration_id=str(row.integration_id),
        token=row.token or "", sealed=row.state["subscription"],
    )  # fmt: skip
    stripe.check_assertions()


def test_an_event_for_the_account_starts_the_workflows_that_listen(
    alder: World, birch: World, stripe: HTTPServer
) -> None:
    till = connected(alder)
    connected(birch)
    condition = {"value": "{{ trigger.body.amount }}", "is": "gt", "to": 1_000_000}
    plain = listening(alder, "payment_succeeded")
    filtered = published(
        alder,
        {"type": "provider", "provider": "stripe", "event": "payment_succeeded", "filter": condition},
        name="Large ones",
    )
    elsewhere = listening(birch, "payment_succeeded")
    sample = registry.get("stripe").trigger("payment_succeeded").sample
    with alder.scope():
        event = Event(name="payment_intent.succeeded", key="evt_9", payload=sample, delivery_id=till.pk)
        provider.handle_inbound(till, "STRIPE", [event])
        provider.handle_inbound(till, "STRIPE", [event])
    assert reasons(alder, plain) == ["STARTED", "DUPLICATE"]
    assert reasons(alder, filtered) == ["FILTERED", "FILTERED"]
    assert reasons(birch, elsewhere) == []
