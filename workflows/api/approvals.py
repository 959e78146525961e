"""Approvals in the API: the questions of runs, and answering them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Router, Schema

from accounts.api.authentication import endpoint
from accounts.api.pages import Body, PageQuery, page_of
from accounts.api.problems import Problem
from accounts.models.api_key import Scope
from accounts.permissions import Permission
from workflows import access, approvals
from workflows.models import Approval, ApprovalVote

router = Router()


class ApprovalSummary(Schema):
    """A question that a run asks people."""

    id: UUID
    execution_id: UUID
    kind: Literal["APPROVAL", "UNCERTAIN_EFFECT", "TOOL_CALL"]
    status: Literal["PENDING", "APPROVED", "REJECTED", "EXPIRED", "CANCELLED"]
    title: str
    message: str
    required: int = Field(description="How many people must approve.")
    deadline_at: datetime | None
    created_at: datetime
    decided_at: datetime | None

    @classmethod
    def of(cls, approval: Approval, **more: Any) -> Any:
        names = ApprovalSummary.model_fields
        return cls(**{name: getattr(approval, name) for name in names}, **more)


class ApprovalOut(ApprovalSummary):
    """A question with everything it is about."""

    form: Any = Field(description="JSON Schema of what an approval carries; null for none.")
    shown: Any = Field(description="The data that is decided about.")
    answer: Any
    content_hash: str = Field(description="Names what is asked; send it back with the decision.")
    may_answer: bool = Field(description="The maker of the key is one of those asked, and it is still open.")


class ApprovalPage(Schema):
    """A part of the list of approvals."""

    items: list[ApprovalSummary]
    next_cursor: str | None


class ApprovalQuery(PageQuery):
    """Which approvals to list."""

    show: Literal["mine", "open", "decided", "all"] = Field(
        "open", description="mine: open, asked of the key's maker."
    )


class Decision(Body):
    """An answer."""

    decision: Literal["approve", "reject"]
    content_hash: str = Field(
        pattern="^[0-9a-f]{64}$", description="Of the approval as you read it.", examples=["0" * 64]
    )
    form: dict[str, Any] = {}
    comment: str = Field("", max_length=2000)
    resolution: Literal["", "happened", "not_happened", "stop"] = Field(
        "", description="Of an UNCERTAIN_EFFECT: what you found in the service."
    )


@router.get("/approvals", response=ApprovalPage, summary="List approvals")
@endpoint(Scope.APPROVALS_READ, Permission.VIEW_WORKFLOW)
def list_approvals(request: HttpRequest, query: Query[ApprovalQuery]) -> Any:
    """List the questions that the key's maker may see, newest first."""
    person = access.person(request)
    rows = approvals.assigned_to(person) if query.show == "mine" else access.approvals_for(person)
    if query.show == "open":
        rows = rows.filter(status=Approval.Status.PENDING)
    elif query.show == "decided":
        rows = rows.exclude(status=Approval.Status.PENDING)
    found, cursor = page_of(rows.defer("shown", "form", "answer", "assignees"), query)
    return ApprovalPage(items=[ApprovalSummary.of(each) for each in found], next_cursor=cursor)


@router.get("/approvals/{uuid:approval_id}", response=ApprovalOut, summary="Read an approval")
@endpoint(Scope.APPROVALS_READ, Permission.VIEW_WORKFLOW)
def get_approval(request: HttpRequest, approval_id: UUID) -> Any:
    """Return a question with the data it is about."""
    return _shown(request, _approval(request, approval_id))


@router.post("/approvals/{uuid:approval_id}/decision", response=ApprovalOut, summary="Answer an approval")
@endpoint(Scope.APPROVALS_WRITE, Permission.ANSWER_APPROVAL)
def decide_approval(request: HttpRequest, approval_id: UUID, body: Decision) -> Any:
    """Answer as the maker of the key. The run goes on as soon as enough people have approved, or one has not."""
    found = _approval(request, approval_id)
    answers = body.form
    if found.kind == Approval.Kind.UNCERTAIN_EFFECT:
        answers = {**body.form, "resolution": body.resolution}
    try:
        voted = approvals.vote(
            found,
            access.person(request),
            body.decision == "approve",
            form=answers,
            comment=body.comment,
            via=ApprovalVote.Via.API,
            shown_hash=body.content_hash,
        )
    except approvals.VoteRefused as refused:
        code = {"not_yours": "forbidden", "changed": "changed", "form": "invalid"}.get(
            refused.code, "conflict"
        )
        fields = [(f"body.form.{name}", message) for name, message in refused.fields]
        raise Problem(code, str(refused), errors=fields) from None
    return _shown(request, voted)


def _approval(request: HttpRequest, approval_id: UUID) -> Approval:
    found: Approval = get_object_or_404(access.approvals_for(access.person(request)), pk=approval_id)
    return found


def _shown(request: HttpRequest, approval: Approval) -> ApprovalOut:
    is_open = approval.status == Approval.Status.PENDING
    found: ApprovalOut = ApprovalOut.of(
        approval,
        form=approval.form,
        shown=approval.shown,
        answer=approval.answer,
        content_hash=approvals.fingerprint(approval),
        may_answer=is_open and approvals.may_answer(request.user, approval),
    )
    return found
