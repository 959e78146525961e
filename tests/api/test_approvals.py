"""Approvals through the API: read, and answered as the maker of the key."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from tests.worlds import World, make_execution
from workflows.models import Approval, ApprovalVote


@pytest.fixture
def question(alder: World) -> str:
    with alder.scope():
        made = Approval.objects.create(
            execution=make_execution(alder, status="WAITING"),
            path="ok",
            title="Send it?",
            assignees=[{"role": "OWNER"}],
            shown={"amount": 12},
        )
    return str(made.pk)


def test_a_question_is_read_and_approved(steward: Any, alder: World, question: str) -> None:
    assert [each["title"] for each in steward.iterate_approvals(show="mine")] == ["Send it?"]
    read = steward.get_approval(question)
    assert (read["shown"], read["may_answer"]) == ({"amount": 12}, True)
    answered = steward.decide_approval(
        question, {"decision": "approve", "content_hash": read["content_hash"], "comment": "Fine"}
    )
    assert (answered["status"], answered["may_answer"]) == ("APPROVED", False)
    with alder.scope():
        assert (ApprovalVote.objects.get().via, ApprovalVote.objects.get().user_id) == ("API", alder.owner.pk)
    assert list(steward.iterate_approvals()) == []
    assert len(list(steward.iterate_approvals(show="decided"))) == 1


def test_what_changed_since_it_was_read_is_not_answered(
    steward: Any, alder: World, question: str, steward_client: ModuleType
) -> None:
    with pytest.raises(steward_client.StewardProblem) as refused:
        steward.decide_approval(question, {"decision": "approve", "content_hash": "0" * 64})
    assert (refused.value.status, refused.value.code) == (412, "changed")


def test_whoever_was_not_asked_does_not_answer(
    client_for: Any, alder: World, question: str, steward_client: ModuleType
) -> None:
    asked = client_for(alder.admin)
    read = asked.get_approval(question)
    with pytest.raises(steward_client.StewardProblem) as refused:
        asked.decide_approval(question, {"decision": "approve", "content_hash": read["content_hash"]})
    assert (refused.value.status, refused.value.code) == (403, "forbidden")


def test_a_question_is_answered_once(
    steward: Any, alder: World, question: str, steward_client: ModuleType
) -> None:
    answer = {"decision": "reject", "content_hash": steward.get_approval(question)["content_hash"]}
    assert steward.decide_approval(question, answer)["status"] == "REJECTED"
    with pytest.raises(steward_client.StewardProblem) as refused:
        steward.decide_approval(question, answer)
    assert refused.value.status == 409
