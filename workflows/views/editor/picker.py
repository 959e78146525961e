"""The values that a step, a trigger or the settings may use: a list beside the form, a page without JavaScript."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.permissions import Permission, requires
from workflows import access
from workflows.drafting import forms, picker, places, samples
from workflows.drafting.forms import SETTINGS, STEP, TRIGGER, Subject
from workflows.views.editor import page
from workflows.views.editor.page import Panel
from workflows.views.parts import wants_part

PART = "workflows/editor/values.html"


@require_safe
@vary_on_headers("HX-Request")
@requires(Permission.EDIT_WORKFLOW)
def values(request: HttpRequest, workflow_id: UUID, kind: str, key: str = "") -> HttpResponse:
    """Show what may be inserted at one place, each value with what it was last."""
    workflow = access.workflow_for(request, workflow_id, with_definition=True)
    subject = Subject(kind if kind in (STEP, TRIGGER) else SETTINGS, key)
    try:
        draft = page.open_draft(workflow)
        forms.own_of(draft.document, subject)
        sample = samples.sample_of(workflow, draft.document, subject)
    except places.NotThere as gone:
        messages.error(request, str(gone))
        return redirect("workflows:edit", workflow.pk)
    except places.Refused:
        return redirect("workflows:edit-text", workflow.pk)
    context = {
        "subject": subject,
        "groups": picker.groups_of(sample, draft.outline),
        "filters": picker.filters(),
        "values_title": _("Values you can use here"),
    }
    if wants_part(request):
        return render(request, PART, context | {"workflow": workflow})
    selected, trigger = (key, "") if kind == STEP else ("", key)
    panel = Panel("values", selected=selected, selected_trigger=trigger, context=context)
    return page.show(request, workflow, panel, draft=draft)
