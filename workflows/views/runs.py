"""All runs: find one, or start one by hand."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts.permissions import Permission, may, requires
from workflows import access, bulk
from workflows.forms import RunFilter, input_form
from workflows.models import Execution, Workflow
from workflows.queries import run_search
from workflows.triggers import manual


@require_safe
@requires(Permission.VIEW_WORKFLOW)
def runs(request: HttpRequest) -> HttpResponse:
    """List the runs the person may see, newest first."""
    person = access.person(request)
    form = RunFilter(request.GET, user=person)
    rows = Execution.objects.visible_to(person).defer(*access.EXECUTION_PAYLOAD)
    rows = rows.select_related("triggered_by_user", "workflow")
    rows = rows.defer(*access.EXECUTION_PAYLOAD, *(f"workflow__{name}" for name in access.WORKFLOW_PAYLOAD))
    page, is_cut = run_search.page_of_runs(rows, form, request)
    chosen = {name: request.GET[name] for name, value in form.cleaned_data.items() if value}
    matching = (
        bulk.matching(person, chosen) if chosen and page.rows and may(person, Permission.RUN_WORKFLOW) else 0
    )
    context = {
        "page": page,
        "form": form,
        "is_filtered": bool(chosen),
        "chosen": chosen,
        "is_cut": is_cut,
        "matching": matching,
        "most_counted": run_search.MAX_MATCHES if "q" in chosen else run_search.MAX_COUNTED,
        "bulk_query": urlencode(chosen),
    }
    return render(request, "workflows/runs.html", context)


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
