"""Every event that any connector offers, from publishing to the run: told, signed, stored, started, left.

The service is a local HTTP server that answers with what the vendor's API answers; deliveries are shaped and signed by
tests/integrations/vendors.py and come in through the whole application, front door included.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from integrations.framework import registry
from integrations.models import InboundDelivery
from tests.workflows.triggers.services import Vendor, details_of, listening, run_jobs
from tests.worlds import World
from workflows import publishing
from workflows.models import WebhookDelivery

EVERY = [
    pytest.param(connector.slug, trigger.key, id=f"{connector.slug}-{trigger.key}")
    for connector in registry.all_connectors()
    for trigger in connector.triggers
    if trigger.kind == "webhook"
]


@pytest.mark.parametrize(("slug", "key"), EVERY)
def test_a_published_event_is_subscribed_proved_stored_run_and_left(
    alder: World, vendor: Vendor, settings: Any, slug: str, key: str
) -> None:
    here = listening(alder, slug, key, settings)
    run_jobs()
    if here.webhooks.subscribe is not None:
        assert vendor.asked, "the service was not told our address"
        assert any(urlsplit(here.address).path in unquote(what) for _method, _path, what in vendor.asked)
    state = json.dumps(here.row.state) + here.account.webhook_state
    if here.key():
        assert here.key() not in state, "the secret is kept in clear"
    vendor.reads, whole = details_of(here.trigger)

    if here.webhooks.signature is not None:
        assert here.deliver(tamper="unsigned") == 401
        assert here.runs() == []
    accepted = here.deliver()
    assert 200 <= accepted < 300
    with alder.scope():
        kept = WebhookDelivery.objects.exclude(verdict="REFUSED").count() + InboundDelivery.objects.count()
        bodies = [bytes(row.body) for row in WebhookDelivery.objects.all()] + [
            bytes(row.body) for row in InboundDelivery.objects.all()
        ]
    assert kept == 1
    if here.key() and here.webhooks.secret == "subscription":
        assert not any(here.key().encode() in body for body in bodies), "the secret is kept with the delivery"
    run_jobs()
    (seen,) = here.runs()
    assert (seen["provider"], seen["event"]) == (slug, key)
    assert seen["body"] == json.loads(json.dumps(here.trigger.output(whole)))
    assert here.reasons()[-1] == "STARTED"

    told = len(vendor.asked)
    with alder.scope():
        publishing.pause(here.workflow, alder.owner)
    run_jobs()
    if here.webhooks.unsubscribe is not None:
        assert len(vendor.asked) > told, "the service was not told that we are gone"
    if here.webhooks.address == "trigger":
        assert here.deliver() in (401, 404)
        assert "subscription" not in here.row.state
    assert len(here.runs()) == 1


# These number nothing, and the same thing may well happen twice: each delivery counts.
UNNUMBERED = {
    ("acuity", "appointment_rescheduled"),
    ("make", "received_from_make"),
    ("zapier", "received_from_zap"),
}


@pytest.mark.parametrize(("slug", "key"), EVERY)
def test_a_repeat_starts_nothing(alder: World, vendor: Vendor, settings: Any, slug: str, key: str) -> None:
    here = listening(alder, slug, key, settings)
    run_jobs()
    vendor.reads, _whole = details_of(here.trigger)
    here.deliver()
    run_jobs()
    assert 200 <= here.deliver() < 300
    run_jobs()
    assert len(here.runs()) == (2 if (slug, key) in UNNUMBERED else 1)
