"""Which workflow, run or approval a signed-in person may open: anything else is a 404, as if it never existed.

`accounts.permissions.requires` says what a role may do at all; the functions here say with which objects. Members have
the workflows assigned to them, every other role has all of the organization's.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from accounts.models import User
from accounts.permissions import Permission, may
from workflows.models import Approval, Execution, Workflow, WorkflowVersion

# What no list needs: definitions and payloads may be half a megabyte each.
WORKFLOW_PAYLOAD = ("definition", "triggers", "schedule", "search_vector")
EXECUTION_PAYLOAD = ("draft_definition", "input", "output", "error")
STEP_PAYLOAD = ("input", "output", "recorded")


def person(request: HttpRequest) -> User:
    """Return who is signed in; views that call this are guarded by `requires`."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101 - `requires` has refused everybody else
    return user


def workflow_for(request: HttpRequest, workflow_id: UUID, *, with_definition: bool = False) -> Workflow:
    """Return a workflow the person may see, with its published version; 404 otherwise."""
    rows = Workflow.objects.visible_to(person(request)).select_related("published_version", "created_by")
    if not with_definition:
        rows = rows.defer(
            *WORKFLOW_PAYLOAD,
            *(f"published_version__{name}" for name in ("definition", "triggers", "schedule")),
        )
    return get_object_or_404(rows, pk=workflow_id)


def version_for(request: HttpRequest, workflow_id: UUID, number: int) -> WorkflowVersion:
    """Return one version of a workflow the person may see; 404 otherwise."""
    visible = Workflow.objects.visible_to(person(request)).values("pk")
    rows = WorkflowVersion.objects.filter(workflow__in=visible, workflow_id=workflow_id)
    return get_object_or_404(rows.select_related("workflow", "published_by"), number=number)


def execution_for(request: HttpRequest, execution_id: UUID) -> Execution:
    """Return a run of a workflow the person may see; 404 otherwise. Input and output stay unread until asked for."""
    rows = Execution.objects.visible_to(person(request)).defer("draft_definition", "input", "output")
    return get_object_or_404(rows.select_related("workflow", "version", "triggered_by_user"), pk=execution_id)


def approval_for(request: HttpRequest, approval_id: UUID) -> Approval:
    """Return a question the person may see: of a workflow they see, or asked of them; 404 otherwise."""
    return get_object_or_404(
        approvals_for(person(request)).select_related("execution__workflow"), pk=approval_id
    )


def approvals_for(user: User) -> Any:
    """Return the questions a person may see, as a queryset: members those asked of them or of their workflows."""
    rows = Approval.objects.all()
    if user.role != User.Role.MEMBER:
        return rows
    theirs = Workflow.objects.visible_to(user).values("pk")
    asked = Q(assignees__contains=[{"user": str(user.pk)}]) | Q(assignees__contains=[{"role": user.role}])
    return rows.filter(asked | Q(execution__workflow__in=theirs))


def may_change(user: Any) -> bool:
    """Return whether the person's role may edit the workflows they see."""
    return may(user, Permission.EDIT_WORKFLOW)


def identifiers(texts: list[str]) -> list[UUID]:
    """Return the ids among what a form sent; anything else is left out. At most 200, the most a page offers."""
    found = []
    for text in texts[:200]:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


def waiting_for_me(request: HttpRequest) -> int:
    """Return how many questions wait for who is signed in: the number beside the inbox."""
    from workflows.approvals import assigned_to  # its models are not ready when the app registers this

    user = request.user
    return assigned_to(user).count() if isinstance(user, User) and user.organization_id is not None else 0
