"""The webhook, through its address: what is accepted, what is refused and why, and what is on disk afterwards."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from tests.workflows.triggers.publishing import published, trigger_of
from tests.worlds import World
from workflows import publishing
from workflows.models import DedupeKey, Execution, TriggerDecision, WebhookDelivery
from workflows.triggers import addresses, decisions, pace, secrets, webhook

WEBHOOK = {"type": "webhook"}


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    addresses.forget_all()
    webhook._refusals = pace.Pace(1_000, 1_000)


def send(client: Client, token: str | None, body: Any = None, **extra: Any) -> Any:
    return client.post(
        f"/hooks/{token}/", data=json.dumps(body or {}), content_type="application/json", **extra
    )


def address(world: World, **settings: Any) -> tuple[Any, str]:
    workflow = published(world, {**WEBHOOK, **settings})
    return workflow, trigger_of(workflow, world).token


def decision(world: World, workflow: Any) -> TriggerDecision:
    with world.scope():
        return TriggerDecision.objects.filter(workflow=workflow).order_by("-id").first()


def test_an_accepted_delivery_is_stored_with_its_run_and_its_reason(client: Client, alder: World) -> None:
    workflow, token = address(alder)
    response = send(client, token, {"name": "Ada"})
    assert response.status_code == 202
    with alder.scope():
        execution = Execution.objects.get(pk=response.json()["execution_id"])
        delivery = WebhookDelivery.objects.get(pk=execution.webhook_event_id)
        reason = TriggerDecision.objects.get(execution_id=execution.pk)
    assert execution.status == "PENDING"
    assert execution.version_id == workflow.published_version_id
    assert execution.input["body"] == {"name": "Ada"}
    assert bytes(delivery.body) == b'{"name": "Ada"}'
    assert (delivery.verdict, reason.reason, reason.delivery_id) == ("ACCEPTED", "STARTED", delivery.pk)


@pytest.mark.parametrize("token", ["no-such-token-at-all", "short", "with spaces in it, and long"])
def test_unknown_and_malformed_tokens_get_the_same_answer(client: Client, alder: World, token: str) -> None:
    response = send(client, token)
    assert response.status_code == 404
    assert response.json() == webhook.UNKNOWN.body


def test_a_body_over_the_limit_is_refused_unread(client: Client, alder: World, settings: Any) -> None:
    settings.WEBHOOK_MAX_BODY_BYTES = 100
    workflow, token = address(alder)
    assert send(client, token, {"text": "x" * 60}).status_code == 202
    assert send(client, token, {"text": "x" * 200}).status_code == 413
    found = decision(alder, workflow)
    assert found.reason == "TOO_LARGE"
    assert "100 are allowed" in decisions.why(found)


def test_broken_json_is_refused_with_its_position(client: Client, alder: World) -> None:
    workflow, token = address(alder)
    response = client.post(
        f"/hooks/{token}/", data='{"name": "Ada",\n  oops}', content_type="application/json"
    )
    assert response.status_code == 400
    assert "line 2, column 3" in response.json()["message"]
    assert decision(alder, workflow).reason == "BAD_BODY"
    with alder.scope():
        assert not Execution.objects.filter(workflow=workflow).exists()


@pytest.mark.parametrize(
    "body", [b'{"a": "\\u0000"}', b'{"a": "\\ud800"}', b'{"a": NaN}', b"[" * 5_000 + b"]" * 5_000]
)
def test_json_that_cannot_be_kept_is_refused_not_a_crash(client: Client, alder: World, body: bytes) -> None:
    _workflow, token = address(alder)
    response = client.post(f"/hooks/{token}/", data=body, content_type="application/json")
    assert response.status_code == 400


def test_a_form_and_a_text_are_data_too(client: Client, alder: World) -> None:
    _workflow, token = address(alder)
    form = client.post(
        f"/hooks/{token}/", data="a=1&b=2&b=3", content_type="application/x-www-form-urlencoded"
    )
    text = client.post(f"/hooks/{token}/", data="plain words", content_type="text/plain")
    parts = client.post(f"/hooks/{token}/", data={"note": "hi"})
    with alder.scope():
        bodies = [
            Execution.objects.get(pk=response.json()["execution_id"]).input["body"]
            for response in (form, text, parts)
        ]
    assert bodies == [{"a": "1", "b": ["2", "3"]}, "plain words", {"note": "hi"}]


def test_a_method_that_is_not_listed_is_refused(client: Client, alder: World) -> None:
    _workflow, token = address(alder, methods=["POST", "PUT"])
    assert client.put(f"/hooks/{token}/", data="{}", content_type="application/json").status_code == 202
    response = client.get(f"/hooks/{token}/")
    assert (response.status_code, response["Allow"]) == (405, "POST, PUT")


# --- Who may send ----------------------------------------


def with_secret(world: World, secret: str, **auth: Any) -> tuple[Any, str]:
    workflow, token = address(world, auth=auth)
    with world.scope():
        secrets.keep(trigger_of(workflow, world), secret)
    return workflow, token


def test_a_header_secret_lets_its_holder_in_and_nobody_else(client: Client, alder: World) -> None:
    workflow, token = with_secret(alder, "open sesame", method="header", header="X-Bakery-Key")
    assert send(client, token).status_code == 401
    assert send(client, token, headers={"X-Bakery-Key": "open sesam"}).status_code == 401
    assert send(client, token, headers={"X-Bakery-Key": "open sesame"}).status_code == 202
    with alder.scope():
        stored = WebhookDelivery.objects.filter(workflow=workflow)
        assert all("open sesam" not in json.dumps(delivery.headers) for delivery in stored)
        assert "open sesam" not in json.dumps(Execution.objects.get(workflow=workflow).input)


def test_a_user_name_and_password_let_in(client: Client, alder: World) -> None:
    _workflow, token = with_secret(alder, "oven:warm", method="basic")
    right = base64.b64encode(b"oven:warm").decode()
    wrong = base64.b64encode(b"oven:cold").decode()
    assert send(client, token, headers={"Authorization": f"Basic {wrong}"}).status_code == 401
    assert send(client, token, headers={"Authorization": "Basic !!"}).status_code == 401
    assert send(client, token, headers={"Authorization": f"Basic {right}"}).status_code == 202


def test_a_signature_lets_in_while_it_is_fresh(client: Client, alder: World) -> None:
    auth = {"method": "hmac", "header": "X-Signature", "prefix": "sha256=", "timestamp_header": "X-Sent"}
    _workflow, token = with_secret(alder, "flour", **auth)

    def signed(body: bytes, at: int) -> Any:
        digest = hmac.new(b"flour", f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {"X-Signature": f"sha256={digest}", "X-Sent": str(at)}
        return client.post(f"/hooks/{token}/", data=body, content_type="application/json", headers=headers)

    now = int(time.time())
    assert signed(b'{"a": 1}', now).status_code == 202
    assert signed(b'{"a": 1}', now - 3_600).status_code == 401


def test_a_trigger_that_asks_for_proof_without_a_stored_secret_lets_nobody_in(
    client: Client, alder: World
) -> None:
    workflow, token = address(alder, auth={"method": "header", "header": "X-Key"})
    assert send(client, token, headers={"X-Key": ""}).status_code == 401
    assert "no secret is stored" in decisions.why(decision(alder, workflow))


# --- Duplicates, filters, states ----------------------------------------


def test_the_same_delivery_sent_twice_starts_one_run(client: Client, alder: World) -> None:
    workflow, token = address(alder, dedupe_key="{{ trigger.body.id }}")
    first, second, other = (send(client, token, {"id": number}) for number in (7, 7, 8))
    assert (first.status_code, second.status_code, other.status_code) == (202, 200, 202)
    assert second.json() == {"execution_id": first.json()["execution_id"], "duplicate": True}
    assert decision(alder, workflow).reason == "STARTED"
    with alder.scope():
        assert Execution.objects.filter(workflow=workflow).count() == 2
        assert DedupeKey.objects.filter(workflow=workflow).count() == 2
        assert WebhookDelivery.objects.filter(workflow=workflow, verdict="DUPLICATE").count() == 1


def test_a_filter_keeps_what_does_not_match_from_starting_a_run(client: Client, alder: World) -> None:
    condition = {"value": "{{ trigger.body.total }}", "is": "gt", "to": 100}
    workflow, token = address(alder, filter=condition)
    assert send(client, token, {"total": 150}).status_code == 202
    assert send(client, token, {"total": 50}).json() == {"status": "filtered"}
    assert send(client, token, {"sum": 50}).json() == {"status": "filtered"}
    assert decision(alder, workflow).reason == "FILTERED"
    with alder.scope():
        assert Execution.objects.filter(workflow=workflow).count() == 1


def test_pausing_and_archiving_hold_at_once(client: Client, alder: World) -> None:
    workflow, token = address(alder)
    assert send(client, token).status_code == 202
    with alder.scope():
        publishing.pause(workflow, alder.owner)
    assert send(client, token).status_code == 409
    assert decision(alder, workflow).reason == "PAUSED"
    with alder.scope():
        publishing.resume(workflow, alder.owner)
    assert send(client, token).status_code == 202
    with alder.scope():
        publishing.archive(workflow, alder.owner)
    assert send(client, token).status_code == 404
    assert decision(alder, workflow).reason == "ARCHIVED"


def test_a_draft_has_its_address_already_and_says_that_it_is_not_published(
    client: Client, alder: World
) -> None:
    from workflows.models import Workflow

    with alder.scope():
        workflow = Workflow.objects.create(name="New", created_by=alder.owner)
        publishing.save_draft(workflow, {"version": 1, "steps": []}, triggers=[WEBHOOK], revision=1)
    response = send(client, trigger_of(workflow, alder).token)
    assert response.status_code == 404
    assert "Publish it" in response.json()["message"]


def test_a_new_version_is_what_the_next_delivery_runs(client: Client, alder: World) -> None:
    workflow, token = address(alder)
    send(client, token)
    with alder.scope():
        version = publishing.publish(workflow, alder.owner)
    response = send(client, token)
    with alder.scope():
        assert Execution.objects.get(pk=response.json()["execution_id"]).version_id == version.pk


def test_too_many_requests_are_told_when_to_come_back(client: Client, alder: World, monkeypatch: Any) -> None:
    workflow, token = address(alder)
    monkeypatch.setattr(webhook, "_pace", pace.Pace(rate=0.01, burst=2, clock=lambda: 5.0))
    assert [send(client, token).status_code for _time in range(3)] == [202, 202, 429]
    assert int(send(client, token)["Retry-After"]) > 0
    assert decision(alder, workflow).reason == "RATE_LIMITED"


def test_a_captured_delivery_starts_nothing_and_the_next_one_does(client: Client, alder: World) -> None:
    from django.utils import timezone

    workflow, token = address(alder)
    send(client, token)
    with alder.scope():
        webhook.capture(trigger_of(workflow, alder), timezone.now())
    response = send(client, token, {"sample": True})
    assert response.json()["status"] == "captured"
    with alder.scope():
        assert bytes(WebhookDelivery.objects.get(verdict="CAPTURED").body) == b'{"sample": true}'
    assert decision(alder, workflow).reason == "CAPTURED"
    assert send(client, token).status_code == 202


def test_workflows_that_call_one_another_in_a_circle_are_stopped(client: Client, alder: World) -> None:
    workflow, token = address(alder)
    deep = send(client, token, headers={"Steward-Depth": "3"})
    with alder.scope():
        assert Execution.objects.get(pk=deep.json()["execution_id"]).depth == 3
    assert send(client, token, headers={"Steward-Depth": "11"}).status_code == 508
    assert decision(alder, workflow).reason == "DEPTH_LIMIT"


def test_secrets_in_headers_are_not_kept(client: Client, alder: World) -> None:
    workflow, token = address(alder)
    send(client, token, headers={"Authorization": "Bearer quince", "X-Api-Key": "medlar", "X-Shop": "bakery"})
    with alder.scope():
        kept = WebhookDelivery.objects.get(workflow=workflow).headers
    assert kept["x-shop"] == "bakery"
    assert "quince" not in json.dumps(kept)
    assert "medlar" not in json.dumps(kept)


def test_another_organization_sees_nothing_of_a_delivery(client: Client, alder: World, birch: World) -> None:
    _workflow, token = address(alder)
    execution_id = UUID(send(client, token).json()["execution_id"])
    with birch.scope():
        assert not Execution.objects.filter(pk=execution_id).exists()
        assert not WebhookDelivery.objects.exists()
    with alder.scope():
        assert Execution.objects.filter(pk=execution_id).exists()


def test_a_delivery_is_one_round_trip(client: Client, alder: World, django_assert_num_queries: Any) -> None:
    _workflow, token = address(alder)
    send(client, token)
    with django_assert_num_queries(1):
        send(client, token)


def test_a_stored_delivery_can_be_replayed_as_a_new_linked_one(client: Client, alder: World) -> None:
    from workflows.triggers.replay import replay

    workflow, token = address(alder, dedupe_key="{{ trigger.body.id }}")
    first = send(client, token, {"id": 7})
    with alder.scope():
        original = WebhookDelivery.objects.get(workflow=workflow)
        stored = replay(original)
        again = WebhookDelivery.objects.get(pk=stored.delivery_id)
        execution = Execution.objects.get(pk=stored.execution_id)
    assert stored.reason == "STARTED"
    assert again.replay_of_id == original.pk
    assert str(execution.pk) != first.json()["execution_id"]
    assert execution.input["body"] == {"id": 7}


def test_a_waiting_sender_gets_the_runs_answer(client: Client, alder: World, monkeypatch: Any) -> None:
    from workflows.runner import responses

    workflow, token = address(alder, respond="when_done", respond_timeout="5s")
    asked = {}

    def wait_for(execution_id: UUID, timeout: float) -> responses.Answer:
        asked["run"], asked["timeout"] = execution_id, timeout
        return responses.Answer(201, {"total": 3}, {"X-Till": "2"})

    monkeypatch.setattr(responses, "channel", lambda: "steward_answer_test")
    monkeypatch.setattr(responses, "wait_for", wait_for)
    response = send(client, token)
    assert (response.status_code, response.json(), response["X-Till"]) == (201, {"total": 3}, "2")
    with alder.scope():
        execution = Execution.objects.get(workflow=workflow)
    assert (execution.reply_to, asked) == ("steward_answer_test", {"run": execution.pk, "timeout": 5.0})


def test_a_run_that_takes_too_long_is_answered_with_its_id(
    client: Client, alder: World, monkeypatch: Any
) -> None:
    from workflows.runner import responses

    _workflow, token = address(alder, respond="when_done")
    monkeypatch.setattr(responses, "channel", lambda: "steward_answer_test")
    monkeypatch.setattr(responses, "wait_for", lambda execution_id, timeout: None)
    response = send(client, token)
    assert response.status_code == 202
    assert response.json()["execution_id"]


def test_without_a_plan_runs_are_held_and_go_on_when_there_is_one(client: Client, alder: World) -> None:
    from datetime import timedelta

    from django.utils import timezone

    from workflows.triggers import manual, plan_hold

    workflow, token = address(alder)
    alder.organization.trial_ends_at = timezone.now() - timedelta(days=1)
    with alder.scope():
        alder.organization.save(update_fields=["trial_ends_at"])
    response = send(client, token, {"name": "Ada"})
    assert response.status_code == 202
    assert decision(alder, workflow).reason == "PLAN_LIMIT"
    with alder.scope():
        workflow.refresh_from_db()
        by_hand = manual.start_manually(workflow, alder.owner)
        held = Execution.objects.get(pk=response.json()["execution_id"])
    assert (held.status, by_hand.status) == ("WAITING", "WAITING")
    assert held.deadline_at - timezone.now() > timedelta(days=29)
    assert plan_hold.release_all() == 0
    alder.organization.trial_ends_at = timezone.now() + timedelta(days=1)
    with alder.scope():
        alder.organization.save(update_fields=["trial_ends_at"])
    assert plan_hold.release_all() == 2
    with alder.scope():
        held.refresh_from_db()
    assert held.wake_at is not None
    assert held.deadline_at - timezone.now() < timedelta(hours=2)
