"""Trying one step from its panel, and catching a call to a webhook's address as a sample."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.permissions import Permission, requires
from workflows import access, step_trials
from workflows.drafting import places, samples
from workflows.drafting.previews import shown
from workflows.models import Execution, ExecutionStep, Trigger, Workflow
from workflows.saved_tests.secrecy import without_secrets
from workflows.triggers import manual, webhook
from workflows.views.editor import page
from workflows.views.editor.page import Panel
from workflows.views.parts import wants_part

LARGEST_SHOWN = 20_000  # characters of a result
RESULT = "workflows/editor/trial_result.html"
CAPTURE = "workflows/editor/capture.html"


@require_POST
@requires(Permission.RUN_WORKFLOW)
def start(request: HttpRequest, workflow_id: UUID, step_id: str) -> HttpResponse:
    """Run the step alone, with sample data; it really sends only when the form says so."""
    workflow = access.workflow_for(request, workflow_id, with_definition=True)
    back = redirect("workflows:edit-step", workflow.pk, step_id)
    try:
        draft = page.open_draft(workflow)
        person = access.person(request)
        run = step_trials.start(
            workflow, draft.document, person, step_id, send=request.POST.get("send") == "1"
        )
    except places.NotThere as gone:
        messages.error(request, str(gone))
        return redirect("workflows:edit", workflow.pk)
    except places.Refused:
        return redirect("workflows:edit-text", workflow.pk)
    except manual.DraftNotRunnable as refused:
        messages.error(
            request, _("Correct this step first: %(fault)s") % {"fault": refused.problems[0].message}
        )
        return back
    except manual.NotStarted as refused:
        messages.error(request, str(refused))
        return back
    return redirect("workflows:edit-trial", workflow.pk, step_id, run.pk)


@require_safe
@vary_on_headers("HX-Request")
@requires(Permission.RUN_WORKFLOW)
def show(request: HttpRequest, workflow_id: UUID, step_id: str, execution_id: UUID) -> HttpResponse:
    """Show what came of it; with ?part=1 the result alone, which asks again until there is one."""
    workflow = access.workflow_for(request, workflow_id, with_definition=True)
    run = step_trials.run_of(workflow, step_id, execution_id)
    if run is None:
        raise Http404
    context = _result(workflow, run, step_id)
    if wants_part(request) and request.GET.get("part"):
        return render(request, RESULT, context | {"workflow": workflow})
    try:
        draft = page.open_draft(workflow)
    except places.Refused:
        return redirect("workflows:edit-text", workflow.pk)
    card = draft.outline.card(step_id)
    if card is None:
        return redirect("workflows:edit", workflow.pk)
    return page.show(
        request, workflow, Panel("trial", step_id, context=context | {"card": card}), draft=draft
    )


def _result(workflow: Workflow, run: Execution, step_id: str) -> dict[str, Any]:
    last = ExecutionStep.objects.filter(execution=run, step_id=step_id).order_by("-attempt").first()
    is_shown = last is not None and isinstance(last.output, dict) and last.output.get("dry_run") is True
    output = last.output if last is not None else None
    if is_shown and isinstance(output, dict):
        output = output.get("would_send")
    error = (last.error if last is not None else None) or run.error
    return {
        "run": run,
        "step_id": step_id,
        "is_finished": run.is_finished,
        "last": last,
        "is_shown_only": is_shown,
        "output": _pretty(output) if last is not None and last.status == "COMPLETED" else "",
        "sent": _pretty(last.input) if last is not None and last.input and not is_shown else "",
        "error": shown(error.get("message", "")) if isinstance(error, dict) and run.is_finished else "",
        "part_url": reverse("workflows:edit-trial", args=[workflow.pk, step_id, run.pk]) + "?part=1",
    }


def _pretty(value: Any) -> str:
    text = json.dumps(without_secrets(value), indent=2, ensure_ascii=False, default=str)
    return text if len(text) <= LARGEST_SHOWN else text[:LARGEST_SHOWN] + "\n…"


@requires(Permission.EDIT_WORKFLOW)
@vary_on_headers("HX-Request")
def capture(request: HttpRequest, workflow_id: UUID, key: str) -> HttpResponse:
    """Wait for the next call to a webhook's address (POST), or tell whether it has come (GET)."""
    workflow = access.workflow_for(request, workflow_id, with_definition=True)
    row = get_object_or_404(Trigger, workflow=workflow, key=key, kind=Trigger.Kind.WEBHOOK)
    if request.method == "POST":
        webhook.capture(row, timezone.now())
    if wants_part(request):
        return render(request, CAPTURE, {"workflow": workflow, "capture": capture_of(workflow, row)})
    return redirect("workflows:edit-trigger", workflow.pk, key)


def capture_of(workflow: Workflow, row: Trigger) -> dict[str, Any]:
    """Return what the panel says about samples: whether one is awaited, and the newest one."""
    found = samples.captured_call(workflow, row.key)
    call = samples.call_of(found) if found is not None else None
    return {
        "key": row.key,
        "is_waiting": row.capture_until is not None and row.capture_until > timezone.now(),
        "until": row.capture_until,
        "found": found,
        "shown": _pretty({name: call[name] for name in ("query", "body")}) if call else "",
    }
