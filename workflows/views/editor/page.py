"""The editor's page: the list of triggers and steps, a map of it, and one panel beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.permissions import Permission, requires
from workflows import access, draft_text, publishing
from workflows.definition.problems import Problem
from workflows.drafting import history, outline, places
from workflows.drafting.history import Stored
from workflows.drafting.outline import Outline
from workflows.models import Workflow
from workflows.views.parts import wants_part

PANELS = "workflows/editor/panel_{}.html"


@dataclass(slots=True)
class Panel:
    """What stands beside the list. kind: its template. selected: id of the step or key of the trigger it is about."""

    kind: str = "start"
    selected: str = ""
    selected_trigger: str = ""
    place: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft that is open in the editor."""

    workflow: Workflow
    document: places.Document
    problems: list[Problem]
    outline: Outline


@require_safe
@vary_on_headers("HX-Request")
@requires(Permission.EDIT_WORKFLOW)
def edit(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Show the draft as blocks; as text when its blocks cannot be told apart."""
    workflow = access.workflow_for(request, workflow_id, with_definition=True)
    if fault := places.fault(draft_text.document_of(workflow)):
        messages.warning(
            request, _("%(fault)s Correct it here; then the blocks can be shown.") % {"fault": fault}
        )
        return redirect("workflows:edit-text", workflow.pk)
    return show(request, workflow, Panel())


def open_draft(workflow: Workflow) -> Draft:
    """Return a draft with everything wrong with it. Raises places.Refused when it has no blocks to show."""
    document = draft_text.document_of(workflow)
    if fault := places.fault(document):
        raise places.Refused(fault)
    problems = publishing.problems_of(workflow)
    return Draft(workflow, document, problems, outline.outline_of(document, problems))


def show(
    request: HttpRequest, workflow: Workflow, panel: Panel, *, status: int = 200, draft: Draft | None = None
) -> HttpResponse:
    """Answer the whole page, or for htmx the editor alone, which then also brings the messages along."""
    draft = draft or open_draft(workflow)
    undo, redo = history.reach(workflow, access.person(request))
    errors = [problem for problem in draft.problems if problem.severity == "error"]
    context = {
        "workflow": workflow,
        "draft": draft,
        "outline": draft.outline,
        "panel": panel,
        "panel_template": PANELS.format(panel.kind),
        "undo": undo,
        "redo": redo,
        "errors": errors,
        "problems": [_linked(draft, problem) for problem in draft.problems],
        **panel.context,
    }
    if not wants_part(request):
        return render(request, "workflows/edit.html", context, status=status)
    response = render(request, "workflows/edit.html#editor", context | {"is_part": True}, status=status)
    if request.headers.get("X-Part"):
        return response  # the search takes the results out of it and leaves the rest as it is
    response.headers["HX-Retarget"], response.headers["HX-Reswap"] = "#editor", "outerHTML"
    if request.method == "GET":
        response.headers["HX-Push-Url"] = request.get_full_path()
    return response


def change(
    request: HttpRequest, workflow: Workflow, sentence: str, operation: Any, *, subject: str = ""
) -> Stored | None:
    """Change the draft for a view; None when it was refused, then a message says why."""
    try:
        stored = history.apply(
            workflow,
            access.person(request),
            sentence,
            operation,
            seen=number(request, "revision"),
            subject=subject,
        )
    except (places.NotThere, places.Refused) as error:
        messages.error(request, str(error))
        return None
    tell(request, stored)
    return stored


def tell(request: HttpRequest, stored: Stored) -> None:
    """Say what a change did to others' references, and that a colleague is at it too."""
    if stored.broken:
        names = ", ".join(dict.fromkeys(each.name or each.step_id for each in stored.broken))
        words = ngettext(
            "A step now refers to something that is not there before it: %(names)s.",
            "%(count)s steps now refer to something that is not there before them: %(names)s.",
            len({each.step_id for each in stored.broken}),
        )
        messages.warning(
            request, words % {"count": len({each.step_id for each in stored.broken}), "names": names}
        )
    if stored.others:
        messages.info(
            request, _("A colleague changed this draft meanwhile. Your change came on top of theirs.")
        )


def undo_address(workflow: Workflow, stored: Stored) -> str:
    """Return where the toast's “Undo” posts."""
    return reverse("workflows:edit-undo-one", args=[workflow.pk, stored.change.pk]) if stored.change else ""


def number(request: HttpRequest, name: str) -> int:
    """Return a whole number that a form sent, 0 for anything else."""
    text = request.POST.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _linked(draft: Draft, problem: Problem) -> dict[str, Any]:
    owner = outline.owner_of(draft.document, problem)
    url = reverse("workflows:edit", args=[draft.workflow.pk])
    if owner is not None and owner[0] == "steps":
        url = reverse("workflows:edit-step", args=[draft.workflow.pk, owner[1]])
    elif owner is not None and owner[1]:
        url = reverse("workflows:edit-trigger", args=[draft.workflow.pk, owner[1]])
    elif problem.location[:1] in (("settings",), ("output",)):
        url = reverse("workflows:edit-settings", args=[draft.workflow.pk])
    elif problem.code == "no_steps":
        url = reverse("workflows:edit-choose", args=[draft.workflow.pk])
    anchor = owner[2].replace(".", "-") if owner and owner[2] else ""
    return {"problem": problem, "url": f"{url}#f-{anchor}" if anchor else url}
