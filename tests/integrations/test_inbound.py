"""Deliveries of services: proved before anything else, on disk before the answer, handed over once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.tenancy import system_scope
from integrations import credentials, inbound, tasks
from integrations.inbound import Event
from integrations.models import InboundDelivery, InboundKey, Integration
from tests.integrations.standin import Service
from tests.worlds import World

APP = "/integrations/inbound/notion/"
ADDED = {"id": "evt-1", "type": "card.added", "card": {"title": "Bread"}}
MOVED = {"id": "evt-2", "type": "card.moved", "card": {"title": "Bread"}}


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """(integration's name, event's key) of everything that was handed over."""
    taken: list[tuple[str, str]] = []

    def handler(integration: Integration | None, provider: str, events: Sequence[Event]) -> None:
        assert integration is not None
        taken.extend((integration.name, event.key) for event in events)

    monkeypatch.setattr(inbound, "_handlers", [handler])
    return taken


def account(world: World, *, name: str = "", account_id: str = "acc-1", **fields: Any) -> Integration:
    with world.scope():
        row = Integration(
            provider="NOTION",
            name=name or world.organization.name,
            settings={"account_id": account_id},
            organization=world.organization,
        )
        for key, value in fields.items():
            setattr(row, key, value)
        credentials.write(row, {"auth": "api_key", "api_key": "canary"})
        inbound.address_of(row)
        row.save()
    return row


def run_jobs() -> None:
    for job in ProcrastinateJob.objects.filter(task_name="integrations.hand_over", status="todo").order_by(
        "id"
    ):
        tasks.hand_over(**job.args)


def stored() -> int:
    with system_scope("count deliveries"):
        return int(InboundDelivery.objects.count())


def test_a_delivery_is_stored_and_handed_over_once(
    client: Client, service: Service, alder: World, handed: list[Any]
) -> None:
    account(alder)
    sent = service.delivery(ADDED, MOVED)
    assert client.post(APP, **sent).status_code == 200
    assert stored() == 1
    assert handed == []
    run_jobs()
    run_jobs()
    assert handed == [("Alder", "evt-1"), ("Alder", "evt-2")]


def test_the_handler_gets_the_event_as_the_connector_reads_it(
    client: Client, service: Service, alder: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Event] = []
    monkeypatch.setattr(inbound, "_handlers", [lambda integration, provider, events: seen.extend(events)])
    account(alder)
    client.post(APP, **service.delivery(ADDED))
    run_jobs()
    (event,) = seen
    trigger = service.connector.trigger("card_added")
    assert (event.name, event.key, event.payload) == ("card.added", "evt-1", ADDED)
    assert trigger.output(event.payload) == {"title": "Bread"}


def test_a_repeat_is_accepted_and_starts_nothing(
    client: Client, service: Service, alder: World, handed: list[Any]
) -> None:
    account(alder)
    client.post(APP, **service.delivery(ADDED))
    assert client.post(APP, **service.delivery(ADDED)).status_code == 200
    assert client.post(APP, **service.delivery(ADDED, MOVED, MOVED)).status_code == 200
    run_jobs()
    assert handed == [("Alder", "evt-1"), ("Alder", "evt-2")]
    assert stored() == 2


@pytest.mark.parametrize("change", ["tampered", "unsigned", "other key"])
def test_what_is_not_proved_is_refused_and_not_stored(
    client: Client, service: Service, alder: World, change: str
) -> None:
    account(alder)
    sent = service.delivery(ADDED, secret="wrong" if change == "other key" else "canary-signing-secret-5d1f")
    if change == "tampered":
        sent["data"] = sent["data"].replace(b"Bread", b"Cakes")
    if change == "unsigned":
        sent["headers"] = {}
    assert client.post(APP, **sent).status_code == 401
    assert stored() == 0


def test_the_account_says_whose_it_is(
    client: Client, service: Service, alder: World, birch: World, handed: list[Any]
) -> None:
    account(alder)
    account(birch, account_id="acc-2")
    client.post(APP, **service.delivery(ADDED, account="acc-2"))
    client.post(APP, **service.delivery(MOVED, account="acc-9"))
    run_jobs()
    assert handed == [("Birch", "evt-1")]
    with alder.scope():
        assert InboundDelivery.objects.count() == 0
    with birch.scope():
        assert InboundDelivery.objects.count() == 1


def test_two_organizations_with_one_account_both_get_it(
    client: Client, service: Service, alder: World, birch: World, handed: list[Any]
) -> None:
    account(alder)
    account(birch)
    client.post(APP, **service.delivery(ADDED))
    run_jobs()
    assert sorted(handed) == [("Alder", "evt-1"), ("Birch", "evt-1")]


def test_a_challenge_is_answered(client: Client, service: Service) -> None:
    answer = client.post(APP, json.dumps({"challenge": "abc"}), content_type="application/json")
    assert (answer.status_code, answer.json()) == (200, {"challenge": "abc"})


def test_an_address_without_its_secret_is_not_open(
    client: Client, service: Service, alder: World, settings: Any
) -> None:
    account(alder)
    settings.OAUTH_APPS = {}
    assert client.post(APP, **service.delivery(ADDED)).status_code == 503
    assert stored() == 0


def test_a_handler_that_fails_gets_the_delivery_again(
    client: Client, service: Service, alder: World, handed: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    account(alder)
    client.post(APP, **service.delivery(ADDED))
    real = inbound._handlers[0]

    def failing(*arguments: Any) -> None:
        raise RuntimeError("the database went away")

    monkeypatch.setattr(inbound, "_handlers", [failing])
    with pytest.raises(RuntimeError):
        run_jobs()
    monkeypatch.setattr(inbound, "_handlers", [real])
    run_jobs()
    assert handed == [("Alder", "evt-1")]


def test_a_switched_off_account_starts_nothing(
    client: Client, service: Service, alder: World, handed: list[Any]
) -> None:
    account(alder, status="DISABLED")
    client.post(APP, **service.delivery(ADDED))
    run_jobs()
    assert handed == []


def test_an_account_has_an_address_and_a_secret_of_its_own(
    client: Client, service: Service, alder: World, birch: World, handed: list[Any]
) -> None:
    service.address = "integration"
    ours, theirs = account(alder), account(birch)
    assert ours.webhook_url.endswith(
        reverse("integrations:inbound-account", args=["notion", ours.webhook_token])
    )
    client.force_login(alder.owner)
    page = reverse("integrations:integration", args=[ours.pk])
    assert ours.webhook_url in client.get(page).content.decode()
    client.post(reverse("integrations:webhook-secret", args=[ours.pk]), {"secret": "canary-of-alder"})
    assert "canary-of-alder" not in client.get(page).content.decode()
    path = reverse("integrations:inbound-account", args=["notion", ours.webhook_token])
    assert client.post(path, **service.delivery(ADDED, secret="canary-of-alder")).status_code == 200
    assert client.post(path, **service.delivery(MOVED, secret="canary-of-birch")).status_code == 401
    other = reverse("integrations:inbound-account", args=["notion", theirs.webhook_token])
    assert client.post(other, **service.delivery(MOVED, secret="canary-of-alder")).status_code == 401
    run_jobs()
    assert handed == [("Alder", "evt-1")]


@pytest.mark.parametrize("token", ["short", "x" * 43, "x" * 70])
def test_an_address_that_was_never_given_out_does_not_exist(
    client: Client, service: Service, db: None, token: str
) -> None:
    service.address = "integration"
    assert client.post(f"{APP}{token}/", **service.delivery(ADDED)).status_code == 404


def test_a_handshake_cannot_replace_a_secret_that_is_there(service: Service, alder: World) -> None:
    service.address = "integration"
    row = account(alder)
    inbound._keep(row, {"secret": "the first"})
    inbound._keep(row, {"secret": "the second"})
    with alder.scope():
        assert credentials.read_webhook_state(Integration.objects.get()) == {"secret": "the first"}


def test_a_delivery_that_is_too_large_is_refused(
    client: Client, service: Service, alder: World, settings: Any
) -> None:
    account(alder)
    settings.WEBHOOK_MAX_BODY_BYTES = 50
    assert client.post(APP, **service.delivery(ADDED)).status_code == 413


def test_old_deliveries_leave(client: Client, service: Service, alder: World) -> None:
    account(alder)
    client.post(APP, **service.delivery(ADDED))
    client.post(APP, **service.delivery(MOVED))
    with alder.scope():
        long_ago = timezone.now() - timedelta(days=8)
        InboundKey.objects.filter(key="evt-1").update(seen_at=long_ago)
        InboundDelivery.objects.filter(pk=InboundDelivery.objects.order_by("id").first().pk).update(
            received_at=long_ago
        )
    assert tasks.clear_deliveries() == "removed 2 deliveries and keys"
    assert stored() == 1
