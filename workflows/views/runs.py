"""All runs: find one, or start one by hand."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.permissions import Permission, requires
from workflows import access
from workflows.forms import RunFilter, input_form
from workflows.models import Execution, Workflow
from workflows.queries.keyset import page_of
from workflows.triggers import manual


@require_safe
@requires(Permission.VIEW_WORKFLOW)
def runs(request: HttpRequest) -> HttpResponse:
    """List the runs the person may see, newest first."""
    person = access.person(request)
    form = RunFilter(request.GET, user=person)
    rows = Execution.objects.visible_to(person).defer(*access.EXECUTION_PAYLOAD)
    rows = filtered(rows, form).select_related("triggered_by_user", "workflow")
    rows = rows.defer(*access.EXECUTION_PAYLOAD, *(f"workflow__{name}" for name in access.WORKFLOW_PAYLOAD))
    page = page_of(rows, request, by=("started_at", "id"))
    chosen = {name for name, value in form.cleaned_data.items() if value}
    context = {"page": page, "form": form, "is_filtered": bool(chosen), "chosen": chosen}
    return render(request, "workflows/runs.html", context)


def filtered(rows: Any, form: RunFilter) -> Any:
    """Return `rows` as the form narrows them; what cannot be read narrows nothing."""
    form.is_valid()
    chosen = form.cleaned_data
    if chosen.get("status"):
        rows = rows.filter(status=chosen["status"])
    if chosen.get("workflow"):
        rows = rows.filter(workflow=chosen["workflow"])
    if chosen.get("trigger"):
        rows = rows.filter(triggered_by=chosen["trigger"])
    if chosen.get("since"):
        rows = rows.filter(started_at__gte=_midnight(chosen["since"]))
    if chosen.get("until"):
        rows = rows.filter(started_at__lt=_midnight(chosen["until"]) + timedelta(days=1))
    return rows


@requires(Permission.RUN_WORKFLOW)
def run_now(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Ask for the workflow's inputs, then start a run of what is published; with ?draft=1 a test of the draft."""
    workflow = access.workflow_for(request, workflow_id, with_definition=True)
    is_draft = "draft" in request.GET
    source = workflow if is_draft else workflow.published_version
    schema = manual.inputs_schema(source.definition if source else None)
    form = input_form(schema, request.POST if request.method == "POST" else None)
    status, problems = 200, []
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                execution = _start(request, workflow, form.values, is_draft)
            except manual.NotStarted as refused:
                form.add_error(None, str(refused))
            except manual.DraftNotRunnable as refused:
                problems = refused.problems
            else:
                return redirect("workflows:run", execution.pk)
    context = {"workflow": workflow, "form": form, "is_draft": is_draft, "problems": problems}
    return render(request, "workflows/run_now.html", context, status=status)


def _start(request: HttpRequest, workflow: Workflow, values: dict[str, Any], is_draft: bool) -> Execution:
    person = access.person(request)
    if is_draft:
        return manual.start_test(workflow, person, values, dry_run="dry_run" in request.POST)
    return manual.start_manually(workflow, person, values)


def _midnight(day: Any) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
