"""The approvals inbox: who sees which question, and what an answer does."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

from tests.worlds import World, make_execution
from workflows import approvals
from workflows.models import Approval, ApprovalVote


def ask(world: World, **fields: Any) -> Approval:
    with world.scope():
        run = make_execution(world, status="WAITING")
        fields.setdefault("assignees", [{"role": "OWNER"}])
        return approvals.create(run, "ok", title="Send the offer?", **fields)


def answer(client: Client, approval: Approval, **data: Any) -> Any:
    data = {"shown": approval.content_hash, "decision": "approve"} | data
    return client.post(reverse("workflows:decision", args=[approval.pk]), data)


def test_a_question_is_in_the_inbox_of_those_who_are_asked(client: Client, alder: World) -> None:
    approval = ask(alder)
    for person, mine in ((alder.owner, 1), (alder.admin, 0), (alder.member, 0), (alder.viewer, 0)):
        client.force_login(person)
        assert len(client.get(reverse("workflows:approvals")).context["page"]) == mine
        page = client.get(reverse("workflows:approval", args=[approval.pk]))
        assert page.context["may_answer"] == bool(mine)


def test_an_answer_decides_and_moves_the_question_to_the_history(client: Client, alder: World) -> None:
    approval = ask(alder)
    client.force_login(alder.owner)
    assert answer(client, approval, comment="Fine").status_code == 302
    assert len(client.get(reverse("workflows:approvals")).context["page"]) == 0
    decided = client.get(reverse("workflows:approvals"), {"show": "decided"}).context["page"].rows
    assert [(each.pk, each.status) for each in decided] == [(approval.pk, "APPROVED")]
    with alder.scope():
        assert ApprovalVote.objects.get(approval=approval).comment == "Fine"


def test_who_was_not_asked_cannot_answer(client: Client, alder: World) -> None:
    approval = ask(alder)
    client.force_login(alder.admin)
    assert answer(client, approval).status_code == 422
    with alder.scope():
        assert Approval.objects.get(pk=approval.pk).status == "PENDING"


def test_an_answer_to_something_else_than_was_shown_is_refused(client: Client, alder: World) -> None:
    approval = ask(alder)
    client.force_login(alder.owner)
    response = answer(client, approval, shown="0" * 64)
    assert response.status_code == 422
    assert "Read it again" in response.text


def test_the_form_of_a_question_must_be_filled_in_to_approve_but_not_to_refuse(
    client: Client, alder: World
) -> None:
    form = {"type": "object", "properties": {"amount": {"type": "integer"}}, "required": ["amount"]}
    approval = ask(alder, form=form)
    client.force_login(alder.owner)
    assert answer(client, approval).status_code == 422
    assert answer(client, approval, **{"input-amount": "12"}).status_code == 302
    with alder.scope():
        assert Approval.objects.get(pk=approval.pk).answer["form"] == {"amount": 12}
    other = ask(alder, form=form)
    assert answer(client, other, decision="reject").status_code == 302


def test_a_person_says_whether_an_uncertain_call_happened(client: Client, alder: World) -> None:
    with alder.scope():
        run = make_execution(alder, status="WAITING")
        approval = approvals.ask_about_effect(run, "pay", attempt=1, what="Pay the baker", call={"amount": 3})
    client.force_login(alder.owner)
    assert "Yes, it happened" in client.get(reverse("workflows:approval", args=[approval.pk])).text
    assert answer(client, approval).status_code == 422
    assert answer(client, approval, resolution="happened").status_code == 302
    with alder.scope():
        assert Approval.objects.get(pk=approval.pk).answer["resolution"] == "happened"
