"""What a person does with the steps of a draft: add, move, duplicate, switch, delete, paste, and their branches."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.permissions import Permission, requires
from integrations.models import Integration
from workflows import access
from workflows.drafting import blueprints, operations, places
from workflows.drafting.operations import Changed
from workflows.drafting.places import read_slot
from workflows.models import Workflow
from workflows.views.editor import page
from workflows.views.editor.page import Panel


@require_safe
@vary_on_headers("HX-Request")
@requires(Permission.EDIT_WORKFLOW)
def choose(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Offer what can be added at a place: step types and the operations of all services."""
    workflow = access.workflow_for(request, workflow_id, with_definition=True)
    text, service = request.GET.get("q", "").strip()[:80], request.GET.get("service", "")
    slot, after = request.GET.get("slot", ""), request.GET.get("after", "")
    context = {
        "offers": blueprints.step_offers(text, connected(), service),
        "text": text,
        "slot": slot,
        "after": after,
        "service": service,
    }
    return page.show(request, workflow, Panel("choose", place=f"{slot}|{after}", context=context))


@require_POST
@requires(Permission.EDIT_WORKFLOW)
def add(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Put a new step into the draft and open it."""
    kind = request.POST.get("kind", "")
    slot, after = read_slot(request.POST.get("slot", "")), request.POST.get("after", "")

    def operation(document: places.Document) -> Changed:
        return operations.add(document, blueprints.new_step(kind, places.step_ids(document)), slot, after)

    return _changed(request, workflow_id, _("Step added"), operation, is_opened=True)


@require_safe
@vary_on_headers("HX-Request")
@requires(Permission.EDIT_WORKFLOW)
def paste_panel(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Ask for the JSON of copied steps."""
    workflow = access.workflow_for(request, workflow_id, with_definition=True)
    slot, after = request.GET.get("slot", ""), request.GET.get("after", "")
    return page.show(
        request, workflow, Panel("paste", place=f"{slot}|{after}", context={"slot": slot, "after": after})
    )


@require_POST
@requires(Permission.EDIT_WORKFLOW)
def paste(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Put copied steps into the draft; what is no JSON of steps comes back with the reason."""
    text = request.POST.get("steps", "")
    slot, after = read_slot(request.POST.get("slot", "")), request.POST.get("after", "")
    try:
        operations.read_steps(text)
    except places.Refused as refused:
        workflow = access.workflow_for(request, workflow_id, with_definition=True)
        context = {
            "slot": request.POST.get("slot", ""),
            "after": after,
            "pasted": text,
            "paste_error": str(refused),
        }
        return page.show(request, workflow, Panel("paste", context=context), status=422)
    return _changed(
        request,
        workflow_id,
        _("Steps pasted"),
        lambda document: operations.paste(document, text, slot, after),
    )


@require_POST
@requires(Permission.EDIT_WORKFLOW)
def move(request: HttpRequest, workflow_id: UUID, step_id: str) -> HttpResponse:
    """Move a step: by one place (`to`), or to a slot behind another step (`slot`, `after`)."""
    to, sent = request.POST.get("to", ""), request.POST
    # Without JavaScript the steps' menu sends the place as one value.
    slot, after = sent.get("slot", ""), sent.get("after", "")
    if "|" in sent.get("place", ""):
        slot, _bar, after = sent["place"].partition("|")

    def operation(document: places.Document) -> Changed:
        if to:
            return operations.nudge(document, step_id, to)
        return operations.move(document, step_id, read_slot(slot), after)

    return _changed(request, workflow_id, _("Step moved"), operation)


@require_POST
@requires(Permission.EDIT_WORKFLOW)
def duplicate(request: HttpRequest, workflow_id: UUID, step_id: str) -> HttpResponse:
    """Put a copy of a step behind it."""
    return _changed(
        request, workflow_id, _("Step duplicated"), lambda document: operations.duplicate(document, step_id)
    )


@require_POST
@requires(Permission.EDIT_WORKFLOW)
def switch(request: HttpRequest, workflow_id: UUID, step_id: str) -> HttpResponse:
    """Switch a step off, or on again."""
    disabled = request.POST.get("disabled") == "1"
    words = _("Step switched off") if disabled else _("Step switched on")
    return _changed(
        request, workflow_id, words, lambda document: operations.switch(document, step_id, disabled=disabled)
    )


@require_POST
@requires(Permission.EDIT_WORKFLOW)
def removal(request: HttpRequest, workflow_id: UUID, step_id: str) -> HttpResponse:
    """Delete a step with all inside it; a toast takes it back."""
    return _changed(
        request, workflow_id, _("Step deleted"), lambda document: operations.remove(document, step_id)
    )


@require_POST
@requires(Permission.EDIT_WORKFLOW)
def branches(request: HttpRequest, workflow_id: UUID, step_id: str) -> HttpResponse:
    """Add a way to a branch or parallel step, or remove or move one: `remove`, `up`, `down` name it."""
    sent = request.POST

    def operation(document: places.Document) -> Changed:
        if name := sent.get("remove"):
            return operations.remove_lane(document, step_id, name)
        for word, by in (("up", -1), ("down", 1)):
            if name := sent.get(word):
                return operations.move_lane(document, step_id, name, by)
        return operations.add_lane(document, step_id)

    words = _("Way deleted") if sent.get("remove") else _("Ways changed")
    return _changed(request, workflow_id, words, operation)


def connected() -> set[str]:
    """Return the providers that the organization has an account at."""
    return set(Integration.objects.values_list("provider", flat=True).distinct())


def _changed(
    request: HttpRequest, workflow_id: UUID, sentence: str, operation: Any, *, is_opened: bool = False
) -> HttpResponse:
    workflow = access.workflow_for(request, workflow_id, with_definition=True)
    about: list[str] = []

    def apply(document: places.Document) -> places.Document:
        changed = operation(document)
        about.append(changed.step_id)
        return changed.document

    stored = page.change(request, workflow, sentence, apply)
    if stored is None:
        return back(workflow, "")
    if stored.change is not None and not is_opened:
        messages.success(request, f"{sentence}.", extra_tags=page.undo_address(workflow, stored))
    return back(workflow, about[-1])


def back(workflow: Workflow, step_id: str) -> HttpResponse:
    """Return to the editor, with a step open."""
    if step_id:
        return redirect("workflows:edit-step", workflow.pk, step_id)
    return redirect("workflows:edit", workflow.pk)
