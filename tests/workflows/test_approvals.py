"""Questions to people: who may answer, how votes count, deadlines, and the link in the e-mail."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.tenancy import system_scope
from tests.worlds import World, make_execution
from workflows import approval_links, approvals, notifications, tasks
from workflows.models import Approval, Execution

FORM = {
    "type": "object",
    "required": ["amount"],
    "properties": {
        "amount": {"type": "integer", "title": "Amount", "minimum": 1},
        "note": {"type": "string"},
    },
}


@pytest.fixture
def run(alder: World) -> Execution:
    with alder.scope():
        return make_execution(alder, status="WAITING", waiting_for=[])


def ask(world: World, run: Execution, **fields: Any) -> Approval:
    with world.scope():
        return approvals.create(run, "ask", title="Pay the miller?", **fields)


def vote(world: World, approval: Approval, user: Any, approve: bool = True, **extra: Any) -> Approval:
    with world.scope():
        return approvals.vote(approval, user, approve, shown_hash=approvals.fingerprint(approval), **extra)


def test_one_approval_decides_and_wakes_the_run(alder: World, run: Execution) -> None:
    approval = ask(alder, run)
    decided = vote(alder, approval, alder.owner, comment="fine")
    assert decided.status == "APPROVED"
    assert decided.answer["decision"] == "approve"
    assert decided.answer["comments"] == ["fine"]
    with alder.scope():
        run.refresh_from_db()
    assert run.wake_at is not None


def test_asking_the_same_again_is_the_same_question(alder: World, run: Execution) -> None:
    assert ask(alder, run).pk == ask(alder, run).pk
    approval = vote(alder, ask(alder, run), alder.owner)
    assert ask(alder, run).status == approval.status


def test_two_of_three_and_one_refusal_is_a_veto(alder: World, run: Execution) -> None:
    roles = [{"role": "OWNER"}, {"role": "ADMIN"}, {"role": "MEMBER"}]
    approval = ask(alder, run, assignees=roles, required=2)
    assert vote(alder, approval, alder.owner).status == "PENDING"
    with pytest.raises(approvals.VoteRefused) as twice:
        vote(alder, approval, alder.owner)
    assert twice.value.code == "voted"
    assert vote(alder, approval, alder.member, approve=False).status == "REJECTED"
    with pytest.raises(approvals.VoteRefused) as late:
        vote(alder, approval, alder.admin)
    assert late.value.code == "decided"


def test_only_those_asked_may_answer_and_a_viewer_never(alder: World, birch: World, run: Execution) -> None:
    approval = ask(alder, run, assignees=[{"user": alder.member.email}])
    for person in (alder.owner, alder.viewer, birch.owner):
        with pytest.raises(approvals.VoteRefused) as refused:
            vote(alder, approval, person)
        assert refused.value.code == "not_yours"
    with alder.scope():
        assert list(approvals.assigned_to(alder.member)) == [approval]
        assert list(approvals.assigned_to(alder.owner)) == []
    assert vote(alder, approval, alder.member).status == "APPROVED"


def test_a_question_that_nobody_could_answer_is_refused(alder: World, birch: World, run: Execution) -> None:
    for assignees in (
        [{"user": "nobody@alder.example"}],
        [{"user": birch.owner.email}],
        [{"user": alder.viewer.email}],
    ):
        with pytest.raises(approvals.ApprovalProblem):
            ask(alder, run, assignees=assignees)
    with pytest.raises(approvals.ApprovalProblem):
        ask(alder, run, assignees=[{"role": "OWNER"}], required=2)


def test_the_form_is_checked_and_handed_on(alder: World, run: Execution) -> None:
    approval = ask(alder, run, form=FORM)
    with pytest.raises(approvals.VoteRefused) as refused:
        vote(alder, approval, alder.owner, form={"amount": 0})
    assert refused.value.fields == [("amount", "“Amount” must be at least 1.")]
    assert vote(alder, approval, alder.owner, form={"amount": 3}).answer["form"] == {"amount": 3}


def test_an_answer_holds_only_for_what_was_shown(alder: World, run: Execution) -> None:
    approval = ask(alder, run)
    with alder.scope(), pytest.raises(approvals.VoteRefused) as refused:
        approvals.vote(approval, alder.owner, True, shown_hash="0" * 64)
    assert refused.value.code == "changed"


def test_nobody_answers_after_the_deadline(alder: World, run: Execution) -> None:
    approval = ask(alder, run, deadline_at=timezone.now() - timedelta(seconds=1), on_deadline="reject")
    with pytest.raises(approvals.VoteRefused) as refused:
        vote(alder, approval, alder.owner)
    assert refused.value.code == "expired"
    with system_scope("the deadline passes"):
        assert approvals.expire_due(timezone.now()) == 1
        assert approvals.expire_due(timezone.now()) == 0
    with alder.scope():
        approval.refresh_from_db()
        run.refresh_from_db()
    assert approval.status == "EXPIRED"
    assert run.wake_at is not None


@pytest.mark.parametrize(
    ("resolution", "status"), [("happened", "APPROVED"), ("not_happened", "APPROVED"), ("stop", "REJECTED")]
)
def test_an_uncertain_call_is_resolved_and_asked_anew_for_another_try(
    alder: World, run: Execution, resolution: str, status: str
) -> None:
    with alder.scope():
        approval = approvals.ask_about_effect(
            run, "pay", attempt=1, what="Pay the miller", call={"amount": 3}
        )
    with pytest.raises(approvals.VoteRefused):
        vote(alder, approval, alder.owner, form={"resolution": "perhaps"})
    decided = vote(alder, approval, alder.owner, form={"resolution": resolution})
    assert (decided.status, decided.answer["resolution"], decided.answer["attempt"]) == (
        status,
        resolution,
        1,
    )
    with alder.scope():
        again = approvals.ask_about_effect(run, "pay", attempt=2, what="Pay the miller", call={"amount": 3})
    assert (again.pk, again.status) == (approval.pk, "PENDING")
    assert vote(alder, again, alder.owner, form={"resolution": resolution}).answer["attempt"] == 2


# --- By e-mail -------------------------------------------------------------------------------------------------------


def test_everybody_asked_gets_an_e_mail_with_a_link_of_their_own(alder: World, run: Execution) -> None:
    approval = ask(alder, run, message="40 sacks")
    mail.outbox.clear()
    tasks.approval_requested(str(alder.organization.pk), str(approval.pk))
    assert sorted(message.to[0] for message in mail.outbox) == [alder.admin.email, alder.owner.email]
    assert len({message.body for message in mail.outbox}) == 2
    assert "40 sacks" in mail.outbox[0].body
    assert mail.outbox[0].alternatives
    vote(alder, approval, alder.owner)
    mail.outbox.clear()
    tasks.approval_reminder(str(alder.organization.pk), str(approval.pk))
    assert mail.outbox == []


def link(world: World, approval: Approval, user: Any) -> str:
    with world.scope():
        return urlsplit(approval_links.link_for(approval, user)).path


def test_the_link_shows_on_get_and_decides_on_post(client: Client, alder: World, run: Execution) -> None:
    approval = ask(alder, run, form=FORM, message="40 <b>sacks</b>")
    address = link(alder, approval, alder.owner)
    shown = client.get(address)
    assert shown.status_code == 200
    assert "Pay the miller?" in shown.text
    assert "<b>sacks</b>" not in shown.text
    with alder.scope():
        approval.refresh_from_db()
    assert approval.status == "PENDING"
    wrong = client.post(address, {"decision": "approve", "answer-amount": "0"})
    assert wrong.status_code == 422
    assert client.post(address, {"decision": "approve", "answer-amount": "3"}).status_code == 200
    with alder.scope():
        approval.refresh_from_db()
        assert (approval.status, approval.answer["form"]) == ("APPROVED", {"amount": 3})
        assert approval.votes.get().via == "EMAIL"
    assert client.get(address).status_code == 410


def test_a_link_works_for_its_owner_in_whatever_session_and_not_when_altered(
    client: Client, alder: World, birch: World, run: Execution
) -> None:
    approval = ask(alder, run)
    address = link(alder, approval, alder.owner)
    client.force_login(birch.owner)
    assert client.get(address).status_code == 200
    assert client.get(address[:-3] + "xx/").status_code == 404
    with system_scope("the owner leaves"):
        type(alder.owner).objects.filter(pk=alder.owner.pk).update(role="VIEWER")
    assert client.post(address, {"decision": "approve"}).status_code == 403


# --- Failures --------------------------------------------------------------------------------------------------------


def failed(world: World, seconds_ago: int = 0) -> Execution:
    with world.scope():
        return make_execution(
            world,
            status="FAILED",
            result="FAILURE",
            completed_at=timezone.now() - timedelta(seconds=seconds_ago),
            error={"message": "The oven is cold. Light it."},
        )


def test_the_first_failure_is_told_at_once_and_the_rest_together(alder: World) -> None:
    from django.core.cache import cache

    cache.clear()
    organization = str(alder.organization.pk)
    first = failed(alder, seconds_ago=60)
    notifications.run_failed(organization, str(first.pk))
    (message,) = mail.outbox
    assert message.to == [alder.owner.email]
    assert "The oven is cold. Light it." in message.body
    second, third = failed(alder, 30), failed(alder, 20)
    notifications.run_failed(organization, str(second.pk))
    notifications.run_failed(organization, str(third.pk))
    assert len(mail.outbox) == 1
    since = (first.completed_at + timedelta.resolution).isoformat()
    notifications.tell_about_failures(organization, str(alder.workflow.pk), since=since)
    assert mail.outbox[1].subject.startswith("2 runs")


def test_a_test_run_that_fails_tells_nobody(alder: World) -> None:
    with alder.scope():
        run = make_execution(
            alder, status="FAILED", result="FAILURE", mode="TEST", completed_at=timezone.now()
        )
    notifications.run_failed(str(alder.organization.pk), str(run.pk))
    assert mail.outbox == []


def test_a_failure_starts_the_workflow_that_was_named_for_it_once(alder: World) -> None:
    from tests.workflows.triggers.publishing import published
    from workflows.triggers.failures import start_handler

    handler = published(alder, name="Handle failures")
    settings = {"on_failure": {"notify": [], "workflow": str(handler.pk)}}
    step = {"id": "a", "type": "set", "values": {"x": 1}}
    workflow = published(
        alder, name="Fragile", definition={"version": 1, "steps": [step], "settings": settings}
    )
    with alder.scope():
        run = make_execution(
            alder, status="FAILED", result="FAILURE", completed_at=timezone.now(), error={"message": "x"}
        )
        Execution.objects.filter(pk=run.pk).update(workflow=workflow, version=workflow.published_version)
    started = start_handler(str(alder.organization.pk), str(run.pk))
    assert start_handler(str(alder.organization.pk), str(run.pk)) is None
    with alder.scope():
        found = Execution.objects.get(workflow=handler)
    assert (found.pk, found.input["execution_id"], found.input["error"]) == (
        started,
        str(run.pk),
        {"message": "x"},
    )
