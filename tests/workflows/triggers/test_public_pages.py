"""Forms, resume addresses and the schema document: pages for people and systems that have no account."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Organization
from tests.workflows.triggers.publishing import published, trigger_of
from tests.worlds import World, make_execution
from workflows import publishing
from workflows.models import Execution, ResumeToken, TriggerDecision, WebhookDelivery
from workflows.triggers import addresses, backlog, form
from workflows.triggers.pace import Pace
from workflows.views.resume import hash_of

ORDER = {
    "type": "form",
    "title": "Order bread",
    "description": "Before noon for tomorrow.",
    "thanks": "Your bread is on its way.",
    "schema": {
        "type": "object",
        "required": ["email", "loaves"],
        "properties": {
            "email": {"type": "string", "format": "email", "title": "Your e-mail"},
            "loaves": {"type": "integer", "minimum": 1, "maximum": 50},
            "kind": {"type": "string", "enum": ["rye", "wheat"]},
            "where": {"type": "object", "title": "Where to", "properties": {"street": {"type": "string"}}},
        },
    },
}
ANSWERS = {"email": "ada@example.com", "loaves": "3", "kind": '"rye"', "where__street": "Mill Lane"}


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: Any) -> None:
    addresses.forget_all()
    monkeypatch.setattr(form, "_pace", Pace(rate=1_000, burst=1_000))


def hosted(world: World, **settings: Any) -> tuple[Any, str]:
    workflow = published(world, {**ORDER, **settings})
    return workflow, f"/forms/{trigger_of(workflow, world, 'form').token}/"


def test_a_form_is_a_page_and_its_answers_start_a_run(client: Client, alder: World) -> None:
    workflow, address = hosted(alder)
    page = client.get(address)
    assert page.status_code == 200
    for text in ("Order bread", "Before noon", "Your e-mail", "Where to: Street"):
        assert text in page.text
    sent = client.post(address, ANSWERS)
    assert "Your bread is on its way." in sent.text
    with alder.scope():
        execution = Execution.objects.get(workflow=workflow)
        reason = TriggerDecision.objects.get(workflow=workflow)
        assert WebhookDelivery.objects.get(workflow=workflow).execution_id == execution.pk
    wanted = {"email": "ada@example.com", "loaves": 3, "kind": "rye", "where": {"street": "Mill Lane"}}
    assert execution.input["body"] == wanted
    assert (reason.reason, reason.kind) == ("STARTED", "FORM")


@pytest.mark.parametrize(
    "change",
    [{"email": "no address"}, {"loaves": "0"}, {"loaves": "many"}, {"kind": '"white"'}, {"email": ""}],
)
def test_wrong_answers_come_back_with_the_reason(
    client: Client, alder: World, change: dict[str, str]
) -> None:
    workflow, address = hosted(alder)
    sent = client.post(address, {**ANSWERS, **change})
    assert sent.status_code == 422
    assert "Mill Lane" in sent.text
    with alder.scope():
        assert not Execution.objects.filter(workflow=workflow).exists()


def test_a_program_that_fills_in_everything_is_thanked_and_ignored(client: Client, alder: World) -> None:
    workflow, address = hosted(alder)
    sent = client.post(address, {**ANSWERS, "website_address": "http://spam.example"})
    assert "on its way" in sent.text
    with alder.scope():
        assert not Execution.objects.filter(workflow=workflow).exists()


def test_too_many_answers_from_one_place_are_told_to_wait(
    client: Client, alder: World, monkeypatch: Any
) -> None:
    _workflow, address = hosted(alder)
    monkeypatch.setattr(form, "_pace", Pace(rate=0.01, burst=2, clock=lambda: 1.0))
    assert [client.post(address, ANSWERS).status_code for _time in range(3)] == [200, 200, 429]


def test_a_full_line_is_told_and_what_was_filled_in_stays(
    client: Client, alder: World, monkeypatch: Any
) -> None:
    workflow, address = hosted(alder)
    backlog.forget_all()
    monkeypatch.setattr(backlog, "MOST_WAITING", dict.fromkeys(Organization.Plan, 1))
    assert client.post(address, ANSWERS).status_code == 200
    refused = client.post(address, ANSWERS)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "30")
    assert "send it again in a minute" in refused.text
    assert 'value="ada@example.com"' in refused.text
    with alder.scope():
        assert Execution.objects.filter(workflow=workflow).count() == 1


def test_a_form_for_members_asks_to_sign_in(client: Client, alder: World, birch: World) -> None:
    workflow, address = hosted(alder, require_login=True)
    assert client.get(address).status_code == 302
    client.force_login(birch.member)
    assert client.get(address).status_code == 302
    client.force_login(alder.viewer)
    assert client.post(address, ANSWERS).status_code == 200
    with alder.scope():
        assert Execution.objects.get(workflow=workflow).input["submitted_by"] == alder.viewer.email


def test_a_form_of_a_paused_workflow_says_so(client: Client, alder: World) -> None:
    workflow, address = hosted(alder)
    client.get(address)
    with alder.scope():
        publishing.pause(workflow, alder.owner)
    assert client.post(address, ANSWERS).status_code == 409
    assert client.post(address, ANSWERS).status_code == 409


def test_a_webhooks_token_is_no_form_and_a_forms_token_no_webhook(client: Client, alder: World) -> None:
    workflow = published(alder, ORDER, {"type": "webhook"})
    hook, page = (trigger_of(workflow, alder, key).token for key in ("webhook", "form"))
    assert client.get(f"/forms/{hook}/").status_code == 404
    assert client.post(f"/hooks/{page}/").status_code == 404


# --- Resume ----------------------------------------------------------------------------------------------------------

TOKEN = "mill-wheel-mill-wheel-mill-wheel"


def waiting(world: World, **fields: Any) -> Execution:
    with world.scope():
        run = make_execution(world, status=fields.pop("status", "WAITING"), waiting_for=[])
        values = {
            "token_hash": hash_of(TOKEN),
            "expires_at": timezone.now() + timedelta(hours=1),
            "path": "wait",
            **fields,
        }
        ResumeToken.objects.create(execution=run, **values)
        return run


def test_a_resume_address_takes_one_body_and_wakes_the_run(client: Client, alder: World) -> None:
    run = waiting(alder)
    assert client.get(f"/resume/{TOKEN}/").status_code == 200
    first = client.post(f"/resume/{TOKEN}/", {"grain": 3}, content_type="application/json")
    second = client.post(f"/resume/{TOKEN}/", {"grain": 4}, content_type="application/json")
    assert (first.status_code, second.status_code) == (200, 410)
    with alder.scope():
        run.refresh_from_db()
        assert ResumeToken.objects.get(execution=run).body == {"grain": 3}
    assert run.wake_at is not None


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"expires_at": timezone.now() - timedelta(minutes=1)}, 410), ({"status": "CANCELLED"}, 410), ({}, 200)],
)
def test_a_resume_address_ends_with_its_time_and_its_run(
    client: Client, alder: World, fields: dict[str, Any], status: int
) -> None:
    waiting(alder, **fields)
    assert client.post(f"/resume/{TOKEN}/", "{}", content_type="application/json").status_code == status


def test_an_unknown_resume_address_and_a_broken_body_are_told_apart(client: Client, alder: World) -> None:
    run = waiting(alder)
    assert (
        client.post("/resume/not-a-token-of-ours/", "{}", content_type="application/json").status_code == 404
    )
    assert client.post(f"/resume/{TOKEN}/", "{", content_type="application/json").status_code == 400
    with alder.scope():
        assert ResumeToken.objects.get(execution=run).used_at is None


def test_the_language_is_published_as_a_schema(client: Client, db: None) -> None:
    response = client.get("/schemas/workflow-v1.json")
    assert response.status_code == 200
    assert response.json()["title"] == "Workflow"
