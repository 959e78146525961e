"""Taking changes of a draft back, and repeating them."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.permissions import Permission, requires
from workflows import access
from workflows.drafting import history, places
from workflows.models import DraftChange, Workflow


@require_POST
@requires(Permission.EDIT_WORKFLOW)
def undo(request: HttpRequest, workflow_id: UUID, change_id: UUID | None = None) -> HttpResponse:
    """Take back the person's last change, or the one a toast names."""
    return _replayed(
        request,
        workflow_id,
        lambda workflow: history.undo(workflow, access.person(request), change_id),
        _("Undone: %(what)s"),
    )


@require_POST
@requires(Permission.EDIT_WORKFLOW)
def redo(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Repeat what the person took back last."""
    return _replayed(
        request,
        workflow_id,
        lambda workflow: history.redo(workflow, access.person(request)),
        _("Repeated: %(what)s"),
    )


def _replayed(
    request: HttpRequest, workflow_id: UUID, act: Callable[[Workflow], DraftChange], words: str
) -> HttpResponse:
    workflow = access.workflow_for(request, workflow_id)
    try:
        change = act(workflow)
    except (places.NotThere, places.Refused) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, words % {"what": change.sentence})
    return redirect("workflows:edit", workflow.pk)
