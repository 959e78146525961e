"""Publishing a draft, and the versions that came of it: look, compare, bring one back."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import audit
from accounts.permissions import Permission, requires
from workflows import access, draft_text, publishing
from workflows.ai.forecast import forecast
from workflows.definition.diff import diff
from workflows.definition.problems import DefinitionInvalid
from workflows.definition.schema import parse_definition
from workflows.forms import PublicationForm
from workflows.models import SavedTest, WorkflowVersion
from workflows.queries.keyset import page_of
from workflows.queries.recipe import recipe_of
from workflows.saved_tests.checking import Checked
from workflows.views.detail import frame


@requires(Permission.EDIT_WORKFLOW)
def publication(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Show what publishing would change, then make the draft what runs."""
    workflow = access.workflow_for(request, workflow_id, with_definition=True)
    form = PublicationForm(request.POST or None)
    text = draft_text.text_of(workflow)
    problems, refused = draft_text.read(text, workflow).problems, ""
    failed: list[Checked] = []
    if request.method == "POST" and form.is_valid():
        try:
            version = publishing.publish(
                workflow,
                access.person(request),
                form.cleaned_data["note"],
                request=request,
                despite_tests="despite_tests" in request.POST,
            )
        except publishing.SavedTestsFailed as error:
            refused = _(
                "Not published: a test fails. See below what differs, then correct the draft or the test."
            )
            failed = error.checked
        except publishing.PublishRefused as error:
            refused = _("Not published. Correct what is named below, then try again.")
            problems = error.problems
        else:
            messages.success(
                request, _("Published as %(version)s. It runs from now on.") % {"version": version}
            )
            return redirect("workflows:detail", workflow.pk)
    published = workflow.published_version
    planned = [{**workflow.schedule, "type": "schedule"}] if workflow.schedule else []
    try:
        ai_cost = forecast(
            workflow,
            parse_definition(workflow.definition),
            [*workflow.triggers, *planned],
            workflow.organization.timezone,
        )
    except DefinitionInvalid:  # what is wrong is told above it
        ai_cost = None
    context = {
        "ai_cost": ai_cost,
        "workflow": workflow,
        "form": form,
        "refused": refused,
        "failed": failed,
        "tests": SavedTest.objects.enabled().filter(workflow=workflow).count(),
        "errors": [each for each in problems if each.severity == "error"],
        "warnings": [each for each in problems if each.severity != "error"],
        "changes": publishing.changes_since_published(workflow),
        "triggers_changed": published is None
        or (published.triggers, published.schedule) != (workflow.triggers, workflow.schedule),
    }
    return render(
        request, "workflows/publication.html", context, status=422 if request.method == "POST" else 200
    )


@require_safe
@requires(Permission.VIEW_WORKFLOW)
def versions(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """List what was published, newest first."""
    workflow = access.workflow_for(request, workflow_id)
    rows = WorkflowVersion.objects.filter(workflow=workflow).defer("definition", "triggers", "schedule")
    page = page_of(rows.select_related("published_by"), request, size=20)
    return render(request, "workflows/versions.html", frame(workflow, "versions", page=page))


@require_safe
@requires(Permission.VIEW_WORKFLOW)
def version(request: HttpRequest, workflow_id: UUID, number: int) -> HttpResponse:
    """Show one version: its recipe and what it changed."""
    found = access.version_for(request, workflow_id, number)
    before = (
        WorkflowVersion.objects.filter(workflow=found.workflow, number__lt=number).order_by("-number").first()
    )
    try:
        recipe = recipe_of(parse_definition(found.definition))
    except DefinitionInvalid:  # published under earlier rules: its text still tells
        recipe = None
    workflow = access.workflow_for(request, workflow_id)
    context = frame(
        workflow,
        "versions",
        version=found,
        before=before,
        changes=diff(before.definition, found.definition) if before else [],
        recipe=recipe,
        text=draft_text.text_of(found),
        is_current=workflow.published_version_id == found.pk,
    )
    return render(request, "workflows/version.html", context)


@require_POST
@requires(Permission.EDIT_WORKFLOW)
def restoration(request: HttpRequest, workflow_id: UUID, number: int) -> HttpResponse:
    """Make the draft what a version was."""
    found = access.version_for(request, workflow_id, number)
    person = access.person(request)
    publishing.restore(found, person)
    audit.record(
        "workflow.restored",
        actor=person,
        target=found.workflow,
        after={"version": found.number},
        request=request,
    )
    messages.success(
        request, _("The draft is now as in %(version)s. Publish it to let it run.") % {"version": found}
    )
    return redirect("workflows:edit", found.workflow_id)
