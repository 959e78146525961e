"""The list of workflows: find one, switch it, change many at once, make a new one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts import audit
from accounts.models import User
from accounts.permissions import Permission, requires
from workflows import access, publishing
from workflows.forms import ListFilter, NewWorkflowForm
from workflows.models import Workflow, WorkflowAssignment
from workflows.queries import overview
from workflows.queries.keyset import Page, page_of
from workflows.views.parts import wants_part

BEST_MATCHES = 50
BULK_ACTIONS = {"pause": publishing.pause, "resume": publishing.resume, "archive": publishing.archive}


@require_safe
@vary_on_headers("HX-Request")
@requires(Permission.VIEW_WORKFLOW)
def workflow_list(request: HttpRequest) -> HttpResponse:
    """Show the workflows the person may see, newest first, or the best matches of a search."""
    person, chosen = access.person(request), ListFilter(request.GET)
    text, status, category = chosen.chosen("q"), chosen.chosen("status"), chosen.chosen("category")
    rows = overview.workflows_for(person, status=status, category=category, text=text)
    page = Page(list(rows[:BEST_MATCHES])) if text else page_of(rows, request)
    counts = overview.status_counts(person)
    context = {
        "page": page,
        "workflows": overview.with_last_runs(page.rows),
        "filter": chosen,
        "text": text,
        "status": status,
        "category": category,
        "is_filtered": bool(text or status or category),
        "statuses": [("", _("In use"), counts[""])]
        + [(value, label, counts.get(value, 0)) for value, label in Workflow.Status.choices],
    }
    return render(
        request, "workflows/list.html#results" if wants_part(request) else "workflows/list.html", context
    )


@requires(Permission.CREATE_WORKFLOW)
def create(request: HttpRequest) -> HttpResponse:
    """Make a draft and open it in the editor."""
    form = NewWorkflowForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        person = access.person(request)
        form.instance.created_by = person
        workflow = form.save()
        assign_to_maker(workflow, person)
        audit.record(
            "workflow.created", actor=person, target=workflow, after={"name": workflow.name}, request=request
        )
        return redirect("workflows:edit", workflow.pk)
    return render(
        request, "workflows/create.html", {"form": form}, status=422 if request.method == "POST" else 200
    )


@require_POST
@requires(Permission.EDIT_WORKFLOW)
def bulk(request: HttpRequest) -> HttpResponse:
    """Pause, resume or archive the ticked workflows; those it does not fit stay as they are."""
    person, act = access.person(request), BULK_ACTIONS.get(request.POST.get("action", ""))
    identifiers = access.identifiers(request.POST.getlist("workflow"))
    if act is None or not identifiers:
        messages.warning(request, _("Tick at least one workflow, then choose what to do with it."))
        return redirect("workflows:list")
    rows = Workflow.objects.visible_to(person).filter(pk__in=identifiers).defer(*access.WORKFLOW_PAYLOAD)
    changed = 0
    for workflow in rows:
        try:
            changed += act(workflow, person, request=request).status != workflow.status
        except publishing.PublishRefused as refused:
            messages.error(request, str(refused))
            break
    words = ngettext("%(count)s workflow was changed.", "%(count)s workflows were changed.", changed)
    messages.success(request, words % {"count": changed})
    return redirect("workflows:list")


def assign_to_maker(workflow: Workflow, person: User) -> None:
    """Let the member who made a workflow see it."""
    if person.role == User.Role.MEMBER:
        WorkflowAssignment.objects.create(workflow=workflow, user=person)
