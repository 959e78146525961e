"""What a person does with the triggers of a draft: add, switch, delete."""

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
from workflows import access
from workflows.drafting import blueprints, places, triggers
from workflows.views.editor import page
from workflows.views.editor.page import Panel
from workflows.views.editor.steps import connected


@require_safe
@vary_on_headers("HX-Request")
@requires(Permission.EDIT_WORKFLOW)
def choose(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Offer what can start the workflow."""
    workflow = access.workflow_for(request, workflow_id, with_definition=True)
    text, service = request.GET.get("q", "").strip()[:80], request.GET.get("service", "")
    context = {
        "offers": blueprints.trigger_offers(text, connected(), service),
        "text": text,
        "service": service,
        "is_trigger": True,
    }
    return page.show(request, workflow, Panel("choose", place="triggers", context=context))


@require_POST
@requires(Permission.EDIT_WORKFLOW)
def add(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Add a trigger and open it."""
    kind = request.POST.get("kind", "")
    made: list[str] = []

    def operation(document: places.Document) -> places.Document:
        document, key = triggers.add(document, blueprints.new_trigger(kind))
        made.append(key)
        return document

    return _changed(request, workflow_id, _("Trigger added"), operation, made)


@require_POST
@requires(Permission.EDIT_WORKFLOW)
def switch(request: HttpRequest, workflow_id: UUID, key: str) -> HttpResponse:
    """Switch a trigger off, or on again."""
    disabled = request.POST.get("disabled") == "1"
    words = _("Trigger switched off") if disabled else _("Trigger switched on")
    return _changed(
        request, workflow_id, words, lambda document: triggers.switch(document, key, disabled=disabled), [key]
    )


@require_POST
@requires(Permission.EDIT_WORKFLOW)
def removal(request: HttpRequest, workflow_id: UUID, key: str) -> HttpResponse:
    """Delete a trigger; a toast takes it back."""
    return _changed(
        request, workflow_id, _("Trigger deleted"), lambda document: triggers.remove(document, key), []
    )


def _changed(
    request: HttpRequest, workflow_id: UUID, sentence: str, operation: Any, opened: list[str]
) -> HttpResponse:
    workflow = access.workflow_for(request, workflow_id, with_definition=True)
    stored = page.change(request, workflow, sentence, operation)
    if stored is None:
        return redirect("workflows:edit", workflow.pk)
    if stored.change is not None:
        messages.success(request, f"{sentence}.", extra_tags=page.undo_address(workflow, stored))
    if opened:
        return redirect("workflows:edit-trigger", workflow.pk, opened[-1])
    return redirect("workflows:edit", workflow.pk)
