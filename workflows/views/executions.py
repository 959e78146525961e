"""One run: what happened so far, live; what each step was given and gave; and what can be done about it."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.permissions import Permission, requires
from workflows import access
from workflows.models import Execution, ExecutionLog, ExecutionStep, WebhookDelivery
from workflows.queries import reasons, timeline, would_send
from workflows.queries.exchanges import exchanges_of
from workflows.queries.keyset import page_of
from workflows.views.parts import wants_part

CHILDREN = 20
LONGEST_SHOWN = 200_000  # characters of one payload on a page; the whole can be downloaded


@require_safe
@requires(Permission.VIEW_WORKFLOW)
def run(request: HttpRequest, execution_id: UUID) -> HttpResponse:
    """Show a run; while it is going the page asks for news by itself."""
    execution = access.execution_for(request, execution_id)
    related = Execution.objects.only(
        "id", "organization_id", "status", "started_at", "relation", "parent_path", "workflow__name"
    )
    children = related.select_related("workflow").filter(parent_id=execution.pk).order_by("id")[:CHILDREN]
    parent = (
        related.select_related("workflow").filter(pk=execution.parent_id).first()
        if execution.parent_id
        else None
    )
    # A fork and a child keep the step they came from: of this run, or of the one it belongs to.
    origin = timeline.step_words(execution, execution.parent_path) if execution.parent_path else ""
    context = {"children": children, "parent": parent, "origin": origin}
    return render(request, "workflows/run.html", _context(execution) | context)


@require_safe
@requires(Permission.VIEW_WORKFLOW)
def run_timeline(request: HttpRequest, execution_id: UUID) -> HttpResponse:
    """Answer a watching page: 204 while nothing has changed, else the timeline; a finished run ends the asking."""
    execution = access.execution_for(request, execution_id)
    if not execution.is_finished and request.GET.get("seen") == timeline.fingerprint(execution):
        return HttpResponse(status=204)
    return render(request, "workflows/run.html#live", _context(execution))


@require_safe
@requires(Permission.VIEW_WORKFLOW)
def run_rounds(request: HttpRequest, execution_id: UUID, loop: str) -> HttpResponse:
    """Show further rounds of a loop: fifty from the one asked for."""
    execution = access.execution_for(request, execution_id)
    text = request.GET.get("from", "0")
    start = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
    node = timeline.rounds_of(execution, loop[:500], start)
    if node is None:
        raise Http404
    would_send.explain(execution, [node])
    template = "workflows/rounds.html" if wants_part(request) else "workflows/run_rounds.html"
    return render(request, template, {"execution": execution, "node": node})


@require_safe
@requires(Permission.VIEW_WORKFLOW)
def step_data(request: HttpRequest, execution_id: UUID, step_id: UUID) -> HttpResponse:
    """Show what one try of a step was given, gave and wrote."""
    execution = access.execution_for(request, execution_id)
    step = get_object_or_404(ExecutionStep, execution=execution, pk=step_id)
    logs = ExecutionLog.objects.filter(execution=execution, step_id=step.path)[:200]
    context = {
        "execution": execution,
        "step": step,
        "logs": logs,
        "payloads": [
            _payload("input", _("What it was given"), step.input),
            _payload("output", _("What it gave"), step.output),
        ],
        "error_detail": (step.error or {}).get("detail", "") if isinstance(step.error, dict) else "",
        "talks": exchanges_of(step),
    }
    template = "workflows/step_data.html" if wants_part(request) else "workflows/step_page.html"
    return render(request, template, context)


@require_safe
@requires(Permission.VIEW_WORKFLOW)
def run_data(request: HttpRequest, execution_id: UUID) -> HttpResponse:
    """Show what started a run and what came out of it."""
    execution = access.execution_for(request, execution_id)
    values = Execution.objects.values("input", "output").get(pk=execution.pk)
    delivery = WebhookDelivery.objects.filter(pk=execution.webhook_event_id).defer("body", "headers").first()
    context = {
        "execution": execution,
        "delivery": delivery if execution.webhook_event_id else None,
        "payloads": [
            _payload("run-input", _("What started it"), values["input"]),
            _payload("run-output", _("What came out"), values["output"]),
        ],
    }
    return render(
        request, "workflows/run_data.html" if wants_part(request) else "workflows/run_data_page.html", context
    )


@require_safe
@requires(Permission.VIEW_WORKFLOW)
def run_log(request: HttpRequest, execution_id: UUID) -> HttpResponse:
    """Show all that a run wrote, newest first."""
    execution = access.execution_for(request, execution_id)
    page = page_of(ExecutionLog.objects.filter(execution=execution), request, size=100)
    return render(request, "workflows/run_log.html", {"execution": execution, "page": page})


def _context(execution: Execution) -> dict[str, Any]:
    age = (timezone.now() - execution.started_at).total_seconds()
    nodes = timeline.timeline_of(execution)
    return {
        "execution": execution,
        "nodes": nodes,
        "shown_calls": would_send.explain(execution, nodes),
        "seen": timeline.fingerprint(execution),
        "reason": reasons.why_ended(execution),
        "waits": reasons.why_waiting(execution),
        "remedies": reasons.remedies(execution),
        # Young runs change every second; one that has waited for an hour need not be asked about as often.
        "interval": 1 if age < 60 else 3 if age < 600 else 10,
        "runs_old_version": execution.version_id is not None
        and execution.version_id != execution.workflow.published_version_id,
    }


def _payload(identifier: str, label: str, value: Any) -> dict[str, Any]:
    text = "" if value is None else json.dumps(value, indent=2, ensure_ascii=False)
    return {
        "id": identifier,
        "label": label,
        "text": text[:LONGEST_SHOWN],
        "is_cut": len(text) > LONGEST_SHOWN,
    }
