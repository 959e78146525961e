"""The text editor of a draft: every pause in typing checks and saves it, and two people never overwrite each other."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import Permission, requires
from workflows import access, draft_text, publishing
from workflows.draft_text import DraftText
from workflows.drafting import history
from workflows.models import Workflow
from workflows.queries.recipe import recipe_of
from workflows.views.parts import wants_part


@require_safe
@requires(Permission.EDIT_WORKFLOW)
def edit(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Show the draft as text, what is wrong with it, and its recipe."""
    workflow = access.workflow_for(request, workflow_id, with_definition=True)
    text = draft_text.text_of(workflow)
    return render(
        request, "workflows/edit_text.html", _context(workflow, text, draft_text.read(text, workflow))
    )


@require_POST
@requires(Permission.EDIT_WORKFLOW)
def draft(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Save what was typed. A text that is no JSON is not saved (422); a draft with faults is."""
    workflow = access.workflow_for(request, workflow_id, with_definition=True)
    text = request.POST.get("document", "").replace("\r\n", "\n")
    read = draft_text.read(text, workflow)
    if read.document is None:
        context = _context(workflow, text, read, state="broken", base=request.POST.get("base"))
        return _answer(request, context | {"revision": _number(request, "revision")}, 422)
    if read.document == draft_text.document_of(workflow):
        return _saved(request, _context(workflow, text, read, state="saved"))
    try:
        saved = _save(request, workflow, read.document)
    except publishing.DraftConflict as conflict:
        context = _context(conflict.workflow, text, read, state="conflict", base=request.POST.get("base"))
        return _answer(
            request,
            context | {"conflicts": conflict.conflicts, "revision": _number(request, "revision")},
            422,
        )
    if saved.merged:
        merged = draft_text.text_of(saved.workflow)
        context = _context(saved.workflow, merged, draft_text.read(merged, saved.workflow), state="merged")
        return _merged(request, context)
    return _saved(request, _context(saved.workflow, text, read, state="saved"))


def _save(request: HttpRequest, workflow: Workflow, document: dict[str, Any]) -> publishing.SavedDraft:
    definition, triggers, schedule = draft_text.parts_of(document)
    revision, base = _number(request, "revision"), _base(request)
    sent: dict[str, Any] = {"triggers": triggers, "schedule": schedule}
    if forced := _number(request, "force"):
        # The person has seen the conflict with this revision and chose their own text.
        revision, base = forced, None
    elif base is not None and revision != workflow.revision:
        base, base_triggers, base_schedule = draft_text.parts_of(base)
        if (triggers, schedule) == (base_triggers, base_schedule):
            sent = {}
        elif (workflow.triggers, workflow.schedule) != (base_triggers, base_schedule):
            raise publishing.DraftConflict(workflow)
    before, person = draft_text.document_of(workflow), access.person(request)
    saved = publishing.save_draft(workflow, definition, revision=revision, user=person, base=base, **sent)
    history.remember(saved.workflow, person, _("Text changed"), before, subject="text")
    return saved


def _context(
    workflow: Workflow, text: str, read: DraftText, *, state: str = "", base: str | None = None
) -> dict[str, Any]:
    return {
        "workflow": workflow,
        "text": text,
        "read": read,
        "recipe": recipe_of(read.definition) if read.definition else None,
        "state": state,
        "revision": workflow.revision,
        # What the person started from: lets the server tell their changes from a colleague's.
        "base": base
        if base is not None
        else json.dumps(draft_text.document_of(workflow), separators=(",", ":")),
    }


def _saved(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    if not wants_part(request):
        if context["read"].errors:
            messages.warning(request, _("Saved. Some things must be corrected before you can publish it."))
        else:
            messages.success(request, _("Draft saved."))
        return redirect("workflows:edit-text", context["workflow"].pk)
    return _answer(request, context, 200)


def _merged(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    if not wants_part(request):
        messages.success(request, _("Saved, together with what a colleague changed meanwhile."))
        return redirect("workflows:edit-text", context["workflow"].pk)
    response = render(request, "workflows/edit_text.html#editor", context)
    response.headers["HX-Retarget"] = "#editor"
    response.headers["HX-Trigger"] = "steward:saved"
    return response


def _answer(request: HttpRequest, context: dict[str, Any], status: int) -> HttpResponse:
    if not wants_part(request):
        return render(request, "workflows/edit_text.html", context, status=status)
    response = render(
        request, "workflows/edit_text.html#feedback", context | {"is_update": True}, status=status
    )
    if status == 200:
        response.headers["HX-Trigger"] = "steward:saved"
    return response


def _base(request: HttpRequest) -> dict[str, Any] | None:
    try:
        value = json.loads(request.POST.get("base", ""))
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _number(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
