"""Switching a workflow on and off, out of use and back: one resource per change, each with its way back."""

from __future__ import annotations

import json
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import audit
from accounts.permissions import Permission, requires
from workflows import access, publishing
from workflows.models import Execution, Workflow
from workflows.queries import overview
from workflows.views.parts import wants_part


@require_POST
@requires(Permission.EDIT_WORKFLOW)
def pause(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Stop starting runs."""
    workflow = publishing.pause(
        access.workflow_for(request, workflow_id), access.person(request), request=request
    )
    return _changed(request, workflow, _("“%(name)s” is paused."), "workflows:activation")


@require_POST
@requires(Permission.EDIT_WORKFLOW)
def activation(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Start runs again."""
    workflow = access.workflow_for(request, workflow_id)
    try:
        workflow = publishing.resume(workflow, access.person(request), request=request)
    except publishing.PublishRefused as refused:
        messages.error(request, str(refused))
        if wants_part(request):
            return _row(request, workflow, {"steward:toast": {"text": str(refused), "tone": "danger"}})
        return _back(request, workflow)
    return _changed(request, workflow, _("“%(name)s” runs again."), "workflows:pause")


@require_POST
@requires(Permission.EDIT_WORKFLOW)
def archival(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Take a workflow out of use."""
    workflow = publishing.archive(
        access.workflow_for(request, workflow_id), access.person(request), request=request
    )
    return _changed(request, workflow, _("“%(name)s” is archived."), "workflows:unarchival")


@require_POST
@requires(Permission.EDIT_WORKFLOW)
def unarchival(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Bring an archived workflow back."""
    workflow = publishing.unarchive(
        access.workflow_for(request, workflow_id), access.person(request), request=request
    )
    return _changed(request, workflow, _("“%(name)s” is back."), "workflows:archival")


@requires(Permission.DELETE_WORKFLOW)
def deletion(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Ask, then delete a workflow with all its versions and runs."""
    workflow = access.workflow_for(request, workflow_id)
    if request.method != "POST":
        runs = Execution.objects.filter(workflow=workflow)
        context = {"workflow": workflow, "runs": runs.count(), "unfinished": runs.unfinished().count()}
        return render(request, "workflows/deletion.html", context)
    if request.POST.get("name", "").strip() != workflow.name:
        context = {
            "workflow": workflow,
            "is_wrong": True,
            "runs": Execution.objects.filter(workflow=workflow).count(),
        }
        return render(request, "workflows/deletion.html", context, status=422)
    audit.record(
        "workflow.deleted",
        actor=access.person(request),
        target=workflow,
        before={"name": workflow.name},
        request=request,
    )
    name = workflow.name
    # PostgreSQL's own cascades take versions, runs and journal along without reading millions of rows into memory.
    Workflow.objects.filter(pk=workflow.pk)._raw_delete("default")
    messages.success(request, _("“%(name)s” was deleted.") % {"name": name})
    return redirect("workflows:list")


def _changed(request: HttpRequest, workflow: Workflow, text: str, undo: str) -> HttpResponse:
    said = text % {"name": workflow.name}
    if wants_part(request):
        return _row(
            request, workflow, {"steward:undo": {"text": said, "url": reverse(undo, args=[workflow.pk])}}
        )
    messages.success(request, said)
    return _back(request, workflow)


def _row(request: HttpRequest, workflow: Workflow, events: dict[str, object]) -> HttpResponse:
    overview.with_last_runs([workflow])
    response = render(request, "workflows/list.html#workflow-row", {"workflow": workflow})
    response.headers["HX-Trigger"] = json.dumps(events)
    return response


def _back(request: HttpRequest, workflow: Workflow) -> HttpResponse:
    if request.POST.get("from") == "list":
        return redirect("workflows:list")
    return redirect("workflows:detail", workflow.pk)
