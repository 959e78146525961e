"""One workflow: how it is doing, its recipe, what starts it, who works with it, its settings."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import audit
from accounts.models import User
from accounts.permissions import Permission, requires
from workflows import access, draft_text
from workflows.definition.problems import DefinitionInvalid
from workflows.definition.schema import parse_definition
from workflows.forms import AssignmentForm, WorkflowForm
from workflows.models import Execution, Trigger, TriggerDecision, Workflow, WorkflowAssignment
from workflows.queries import overview
from workflows.queries import triggers as trigger_cards
from workflows.queries.keyset import page_of
from workflows.queries.recipe import recipe_of
from workflows.triggers.decisions import why
from workflows.views.list import assign_to_maker

RECENT_RUNS = 8


def frame(workflow: Workflow, tab: str, **context: Any) -> dict[str, Any]:
    """Return the context that every tab of a workflow's page needs."""
    return {
        "workflow": workflow,
        "tab": tab,
        "is_changed": workflow.published_version_id is not None and has_unpublished_changes(workflow),
        **context,
    }


def has_unpublished_changes(workflow: Workflow) -> bool:
    """Return whether the draft differs from what runs; PostgreSQL compares, so that neither is read."""
    from django.db.models import F

    same = Workflow.objects.filter(
        pk=workflow.pk,
        definition=F("published_version__definition"),
        triggers=F("published_version__triggers"),
    )
    return not same.exists()


@require_safe
@requires(Permission.VIEW_WORKFLOW)
def detail(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Show how the workflow is doing."""
    workflow = access.workflow_for(request, workflow_id)
    runs = Execution.objects.filter(workflow=workflow).defer(*access.EXECUTION_PAYLOAD)
    triggers = Trigger.objects.filter(workflow=workflow, is_active=True, next_fire_at__isnull=False)
    context = frame(
        workflow,
        "overview",
        health=overview.health_of(workflow),
        runs=runs.select_related("triggered_by_user").order_by("-started_at")[:RECENT_RUNS],
        next_trigger=triggers.order_by("next_fire_at").first(),
    )
    return render(request, "workflows/detail.html", context)


@require_safe
@requires(Permission.VIEW_WORKFLOW)
def steps(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Show what the workflow does as a recipe: what is published, or the draft when nothing is."""
    workflow = access.workflow_for(request, workflow_id, with_definition=True)
    source = workflow.published_version or workflow
    try:
        recipe = recipe_of(parse_definition(source.definition))
    except DefinitionInvalid:
        recipe = None
    return render(
        request, "workflows/steps.html", frame(workflow, "steps", recipe=recipe, is_draft=source is workflow)
    )


@require_safe
@requires(Permission.VIEW_WORKFLOW)
def triggers(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Show what starts the workflow, and why it did or did not start lately."""
    workflow = access.workflow_for(request, workflow_id)
    decisions = TriggerDecision.objects.filter(workflow=workflow)
    only_refused = "refused" in request.GET
    if only_refused:
        decisions = decisions.exclude(reason=TriggerDecision.Reason.STARTED)
    page = page_of(decisions, request, size=20)
    for decision in page:
        decision.why = why(decision)
    cards = trigger_cards.cards_of(workflow)
    return render(
        request,
        "workflows/triggers.html",
        frame(workflow, "triggers", cards=cards, page=page, only_refused=only_refused),
    )


@requires(Permission.VIEW_WORKFLOW)
def members(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Show who may see, edit and run the workflow."""
    workflow = access.workflow_for(request, workflow_id)
    assigned = set(WorkflowAssignment.objects.filter(workflow=workflow).values_list("user_id", flat=True))
    everybody = User.objects.filter(
        role__in=[User.Role.OWNER, User.Role.ADMIN, User.Role.VIEWER], is_active=True
    )
    form = AssignmentForm(initial={"people": assigned})
    context = frame(workflow, "members", form=form, assigned=assigned, everybody=everybody[:50])
    return render(request, "workflows/members.html", context)


@require_POST
@requires(Permission.ASSIGN_WORKFLOW)
def assignments(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Replace the members who may see, edit and run the workflow."""
    workflow = access.workflow_for(request, workflow_id)
    form = AssignmentForm(request.POST)
    if not form.is_valid():
        context = frame(workflow, "members", form=form, assigned=set(), everybody=User.objects.none())
        return render(request, "workflows/members.html", context, status=422)
    wanted = {person.pk: person for person in form.cleaned_data["people"]}
    present = WorkflowAssignment.objects.filter(workflow=workflow).select_related("user")
    before = {row.user_id: row.user for row in present}
    present.filter(user__role=User.Role.MEMBER).exclude(user__in=wanted).delete()
    new = [
        WorkflowAssignment(workflow=workflow, user=person)
        for pk, person in wanted.items()
        if pk not in before
    ]
    WorkflowAssignment.objects.bulk_create(new)
    audit.record(
        "workflow.assigned",
        actor=access.person(request),
        target=workflow,
        before={"people": sorted(str(person) for person in before.values())},
        after={"people": sorted(str(person) for person in wanted.values())},
        request=request,
    )
    messages.success(request, _("Saved. The ticked members can now see, edit and run it."))
    return redirect("workflows:members", workflow.pk)


@requires(Permission.EDIT_WORKFLOW)
def workflow_settings(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Change name, description and category."""
    workflow = access.workflow_for(request, workflow_id)
    before = {"name": workflow.name, "category": workflow.category}
    form = WorkflowForm(request.POST or None, instance=workflow)
    if request.method == "POST" and form.is_valid():
        workflow.save(update_fields=[*form.Meta.fields, "updated_at"])
        after = {"name": workflow.name, "category": workflow.category}
        audit.record(
            "workflow.changed",
            actor=access.person(request),
            target=workflow,
            before=before,
            after=after,
            request=request,
        )
        messages.success(request, _("Saved."))
        return redirect("workflows:settings", workflow.pk)
    if request.method == "POST":
        workflow.name = before["name"]
    status = 422 if request.method == "POST" else 200
    return render(request, "workflows/settings.html", frame(workflow, "settings", form=form), status=status)


@require_POST
@requires(Permission.CREATE_WORKFLOW)
def copy(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Make a draft with the same steps and triggers; addresses and secrets stay with the original."""
    source = access.workflow_for(request, workflow_id, with_definition=True)
    person = access.person(request)
    document = draft_text.document_of(source)
    for trigger in document["triggers"]:
        trigger.pop("token", None)
    definition, rest, schedule = draft_text.parts_of(document)
    made = Workflow.objects.create(
        name=_free_copy_name(source.name),
        description=source.description,
        category=source.category,
        minutes_saved_per_run=source.minutes_saved_per_run,
        definition=definition,
        triggers=rest,
        schedule=schedule,
        created_by=person,
    )
    assign_to_maker(made, person)
    audit.record(
        "workflow.created", actor=person, target=made, after={"copied_from": str(source.pk)}, request=request
    )
    messages.success(request, _("This is your copy. It does nothing until you publish it."))
    return redirect("workflows:edit", made.pk)


def _free_copy_name(name: str) -> str:
    taken = set(Workflow.objects.filter(name__startswith=name[:90]).values_list("name", flat=True))
    wished = _("Copy of %(name)s") % {"name": name[:90]}
    taken |= set(Workflow.objects.filter(name__startswith=wished).values_list("name", flat=True))
    found, number = wished, 2
    while found in taken:
        found, number = f"{wished} ({number})", number + 1
    return found
