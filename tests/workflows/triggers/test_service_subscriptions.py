"""Subscriptions over time: finished in two steps, shared by an account, renewed, made again, taken back."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.tenancy import system_scope
from integrations import connecting, credentials, inbound
from integrations.framework import TemporaryError, registry
from integrations.models import Integration
from tests.integrations import vendors
from tests.integrations.checks import delivery
from tests.workflows.triggers import services
from tests.workflows.triggers.publishing import published
from tests.workflows.triggers.services import Vendor, listening, run_jobs
from tests.worlds import World
from workflows import publishing
from workflows.triggers import account_subscriptions, jobs, subscriptions


def paths(vendor: Vendor) -> list[str]:
    return [f"{method} {path}" for method, path, _body in vendor.asked]


def test_a_second_step_that_fails_is_tried_again_without_the_first(
    alder: World, vendor: Vendor, settings: Any
) -> None:
    here = listening(alder, "sendgrid", "email_delivered", settings)
    organization, trigger = str(alder.organization.pk), str(here.row.pk)
    real = vendor.answer

    def failing(request: Any) -> Any:
        vendor.status = 503 if "signed" in request.path else 200
        return real(request)

    vendor.server.clear()
    vendor.server.expect_request(re.compile(".*")).respond_with_handler(failing)
    with pytest.raises(TemporaryError):
        subscriptions.subscribe(organization, trigger)
    assert here.deliver() == 401  # not signed with what is switched on only then
    vendor.server.clear()
    vendor.server.expect_request(re.compile(".*")).respond_with_handler(real)
    vendor.status = 200
    assert subscriptions.subscribe(organization, trigger)
    assert [path for path in paths(vendor) if path.startswith("POST")] == [
        "POST /v3/user/webhooks/event/settings"
    ]
    assert subscriptions.state_of(here.row)["secret"] == vendors.mail_public_key()
    assert subscriptions.subscribe(organization, trigger) is False


def test_an_account_is_subscribed_once_for_all_its_triggers(
    alder: World, vendor: Vendor, settings: Any
) -> None:
    here = listening(alder, "telegram", "new_message", settings)
    run_jobs()
    secret = credentials.read_webhook_state(here.account)["secret"]
    second = published(
        alder,
        {"type": "provider", "id": "service", "provider": "telegram", "event": "button_pressed", "with": {}},
        name="Buttons",
    )
    run_jobs()
    assert all(path.endswith("/setWebhook") for path in paths(vendor))
    assert credentials.read_webhook_state(here.account)["secret"] == secret
    asked = len(vendor.asked)
    jobs.settle(str(alder.organization.pk), str(here.integration.pk))
    run_jobs()
    assert len(vendor.asked) == asked  # nothing new is wanted
    with alder.scope():
        publishing.pause(here.workflow, alder.owner)
    run_jobs()
    assert not any(path.endswith("deleteWebhook") for path in paths(vendor))
    with alder.scope():
        publishing.pause(second, alder.owner)
    run_jobs()
    assert paths(vendor)[-1].endswith("/deleteWebhook")
    assert credentials.read_webhook_state(here.account)["secret"] == secret
    assert secret not in here.account.webhook_state


def test_a_channel_that_is_renewed_takes_the_place_of_the_old_one(
    alder: World, vendor: Vendor, settings: Any
) -> None:
    here = listening(alder, "google_sheets", "file_changed", settings)
    run_jobs()
    before = subscriptions.state_of(here.row)
    with system_scope("find subscriptions that end soon"):
        soon = datetime.fromtimestamp(1795336200, UTC) - timedelta(minutes=10)
        assert subscriptions.due_for_renewal(soon) == [(str(alder.organization.pk), str(here.row.pk))]
    services.SUBSCRIBED["id"] = "sub-2"
    try:
        assert subscriptions.renew(str(alder.organization.pk), str(here.row.pk))
    finally:
        services.SUBSCRIBED["id"] = "sub-1"
    after = subscriptions.state_of(here.row)
    assert (after["id"], after["secret"]) == ("sub-2", before["secret"])
    _method, path, body = vendor.asked[-1]
    assert path.endswith("/channels/stop")
    assert json.loads(body)["id"] == "sub-1"
    assert here.deliver() == 200


def test_what_could_not_be_subscribed_is_found_again(alder: World, vendor: Vendor, settings: Any) -> None:
    here = listening(alder, "stripe", "invoice_paid", settings)
    vendor.status = 400
    run_jobs()
    assert "subscription" not in here.row.state
    assert here.reasons() == ["INTEGRATION_BROKEN"]
    vendor.status = 200
    jobs.plan_renewals(0)
    run_jobs()
    assert "subscription" in here.row.state


def test_a_reconnected_account_is_subscribed_anew(
    alder: World, vendor: Vendor, settings: Any, rf: Any
) -> None:
    here = listening(alder, "stripe", "invoice_paid", settings)
    run_jobs()
    proved = connecting.Proved(here.connector, {}, {"auth": "api_key", "api_key": "a new key"})
    with alder.scope():
        row = Integration.objects.get(pk=here.integration.pk)
        connecting.reconnect(row, proved, actor=alder.owner, request=rf.post("/"))
    run_jobs()
    assert paths(vendor).count("POST /v1/webhook_endpoints") == 2
    assert here.deliver() == 200


def test_a_disconnected_account_is_told_that_we_are_gone(
    alder: World, vendor: Vendor, settings: Any, rf: Any
) -> None:
    here = listening(alder, "stripe", "invoice_paid", settings)
    run_jobs()
    with alder.scope():
        row = Integration.objects.get(pk=here.integration.pk)
        revocation = connecting.disconnect(row, actor=alder.owner, request=rf.post("/"))
    assert revocation is not None
    assert connecting.revoke(revocation)
    assert paths(vendor)[-1] == "DELETE /v1/webhook_endpoints/sub-1"


def test_discord_is_answered_only_after_its_signature_was_looked_at(
    alder: World, vendor: Vendor, settings: Any, client: Any
) -> None:
    here = listening(alder, "discord", "interaction", settings)
    run_jobs()
    path = here.address.removeprefix(settings.BASE_URL)
    ping: dict[str, Any] = {"type": 1, "id": "1"}
    body = json.dumps(ping).encode()
    forged = client.post(
        path, body, content_type="application/json",
        headers={"X-Signature-Ed25519": "00" * 64, "X-Signature-Timestamp": "1"},
    )  # fmt: skip
    assert forged.status_code == 401
    assert here.deliver(ping) == 200


def test_notions_token_is_shown_until_it_was_entered(
    alder: World, vendor: Vendor, settings: Any, client: Any
) -> None:
    here = listening(alder, "notion", "page_created", settings)
    with alder.scope():
        row = Integration.objects.get(pk=here.integration.pk)
        row.webhook_state = ""
        row.save(update_fields=["webhook_state"])
    path = here.address.removeprefix(settings.BASE_URL)
    client.post(
        path, json.dumps({"verification_token": "secret_tMrlL1qK5v"}), content_type="application/json"
    )
    client.force_login(alder.owner)
    page = reverse("integrations:integration", args=[here.integration.pk])
    assert "secret_tMrlL1qK5v" in client.get(page).content.decode()
    assert here.deliver() == 200
    assert "secret_tMrlL1qK5v" not in client.get(page).content.decode()


def test_one_way_is_chosen_by_what_a_delivery_holds() -> None:
    connector = registry.get("discord")
    for key in ("app_authorized", "interaction"):
        trigger = connector.trigger(key)
        assert inbound.webhooks_for_delivery(connector, delivery(trigger.sample)) is trigger.webhooks


def test_nothing_is_queued_twice_for_one_account(alder: World, vendor: Vendor, settings: Any) -> None:
    here = listening(alder, "telegram", "new_message", settings)
    jobs.settle(str(alder.organization.pk), str(here.integration.pk))
    assert ProcrastinateJob.objects.filter(task_name=jobs.settle_account.name, status="todo").count() == 1
    with system_scope("find accounts"):
        assert account_subscriptions.unsettled() == [(str(alder.organization.pk), str(here.integration.pk))]
