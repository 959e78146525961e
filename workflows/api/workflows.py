"""Workflows in the API: list, make, read, change, switch on and off, delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Router, Schema, Status
from pydantic import StringConstraints

from accounts import audit
from accounts.api.authentication import endpoint, set_header
from accounts.api.pages import Body, PageQuery, page_of
from accounts.api.problems import Problem
from accounts.models.api_key import Scope
from accounts.permissions import Permission
from workflows import access, publishing
from workflows.api.drafts import parts_of, save_named
from workflows.api.shapes import (
    DOCUMENT,
    IF_MATCH,
    IF_NONE_MATCH,
    Category,
    WorkflowOut,
    WorkflowSummary,
    answered,
    require_match,
)
from workflows.api.shapes import Status as WorkflowStatus
from workflows.models import Workflow
from workflows.views.list import assign_to_maker

router = Router()
READ, WRITE = Scope.WORKFLOWS_READ, Scope.WORKFLOWS_WRITE

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Description = Annotated[str, StringConstraints(max_length=2000)]


class WorkflowPage(Schema):
    """A part of the list of workflows."""

    items: list[WorkflowSummary]
    next_cursor: str | None


class WorkflowQuery(PageQuery):
    """Which workflows to list."""

    status: WorkflowStatus | Literal[""] = Field("", description="Empty: all that are not archived.")
    category: Category | Literal[""] = ""
    q: str = Field("", max_length=200, description="Words of name or description.")


class NewWorkflow(Body):
    """A workflow to make."""

    name: Name = Field(examples=["Welcome new customers"])
    description: Description = ""
    category: Category = "CUSTOM"
    definition: dict[str, Any] = Field({"version": 1, "steps": []}, examples=[DOCUMENT])


class WorkflowChange(Body):
    """What to change; what is left out stays as it is."""

    name: Name | None = None
    description: Description | None = None
    category: Category | None = None
    definition: dict[str, Any] | None = Field(None, description="The whole draft.", examples=[DOCUMENT])


@router.get("/workflows", response=WorkflowPage, summary="List workflows")
@endpoint(READ, Permission.VIEW_WORKFLOW)
def list_workflows(request: HttpRequest, query: Query[WorkflowQuery]) -> Any:
    """List the workflows that the key's maker may see, newest first."""
    rows = Workflow.objects.visible_to(access.person(request)).select_related("published_version")
    rows = rows.defer(
        *access.WORKFLOW_PAYLOAD,
        *(f"published_version__{name}" for name in ("definition", "triggers", "schedule")),
    )
    rows = rows.filter(status=query.status) if query.status else rows.exclude(status="ARCHIVED")
    if query.category:
        rows = rows.filter(category=query.category)
    if query.q:
        rows = rows.filter(pk__in=Workflow.objects.search(query.q).order_by().values("pk"))
    found, cursor = page_of(rows, query)
    return WorkflowPage(items=[WorkflowSummary.of(each) for each in found], next_cursor=cursor)


@router.post("/workflows", response={201: WorkflowOut}, summary="Make a workflow")
@endpoint(WRITE, Permission.CREATE_WORKFLOW, is_idempotent=True)
def create_workflow(request: HttpRequest, body: NewWorkflow) -> Any:
    """Make a draft. It runs once it is published."""
    return Status(201, made(request, body))


def made(request: HttpRequest, body: NewWorkflow) -> WorkflowOut:
    """Make the draft that `body` describes and return it, with the headers of the answer set."""
    person = access.person(request)
    definition, triggers, schedule = parts_of(body.definition)
    workflow = Workflow(
        name=body.name,
        description=body.description,
        category=body.category,
        created_by=person,
    )
    save_named(workflow)
    assign_to_maker(workflow, person)
    saved = publishing.save_draft(
        workflow, definition, triggers=triggers, schedule=schedule, revision=workflow.revision, user=person
    )
    audit.record(
        "workflow.created", actor=person, target=workflow, after={"name": workflow.name}, request=request
    )
    set_header(request, "Location", f"/api/v1/workflows/{workflow.pk}")
    return answered(request, saved.workflow)


@router.get(
    "/workflows/{uuid:workflow_id}", response={200: WorkflowOut, 304: None}, summary="Read a workflow"
)
@endpoint(READ, Permission.VIEW_WORKFLOW)
def get_workflow(request: HttpRequest, workflow_id: UUID, if_none_match: str = IF_NONE_MATCH) -> Any:
    """Return a workflow with its draft. Its ETag is what a change sends back as If-Match."""
    found = answered(request, access.workflow_for(request, workflow_id, with_definition=True))
    if if_none_match and found.etag in [each.strip() for each in if_none_match.split(",")]:
        return Status(304, None)
    return found


@router.patch("/workflows/{uuid:workflow_id}", response=WorkflowOut, summary="Change a workflow")
@endpoint(WRITE, Permission.EDIT_WORKFLOW)
def update_workflow(
    request: HttpRequest,
    workflow_id: UUID,
    body: WorkflowChange,
    if_match: str = IF_MATCH,
) -> Any:
    """Change name, description, category or the draft. What runs stays the published version."""
    workflow, person = locked(request, workflow_id), access.person(request)
    require_match(workflow, if_match)
    given = {name: value for name, value in body.model_dump(exclude_unset=True).items() if value is not None}
    document = given.pop("definition", None)
    changed = {name: value for name, value in given.items() if getattr(workflow, name) != value}
    before = {name: getattr(workflow, name) for name in changed}
    if changed:
        for name, value in changed.items():
            setattr(workflow, name, value)
        save_named(workflow, update_fields=[*changed, "updated_at"])
    if document is not None:
        definition, triggers, schedule = parts_of(document)
        before["revision"] = workflow.revision
        workflow = publishing.save_draft(
            workflow,
            definition,
            triggers=triggers,
            schedule=schedule,
            revision=workflow.revision,
            user=person,
        ).workflow
        changed["revision"] = workflow.revision
    if changed:
        audit.record(
            "workflow.changed", actor=person, target=workflow, before=before, after=changed, request=request
        )
    return answered(request, workflow)


@router.delete("/workflows/{uuid:workflow_id}", response={204: None}, summary="Delete a workflow")
@endpoint(WRITE, Permission.DELETE_WORKFLOW)
def delete_workflow(request: HttpRequest, workflow_id: UUID, if_match: str = IF_MATCH) -> Any:
    """Delete a workflow with all its versions and runs. To keep its history, archive it instead."""
    workflow = locked(request, workflow_id)
    require_match(workflow, if_match)
    before = {"name": workflow.name}
    audit.record(
        "workflow.deleted", actor=access.person(request), target=workflow, before=before, request=request
    )
    # PostgreSQL's own cascades take versions, runs and journal along without reading millions of rows into memory.
    Workflow.objects.filter(pk=workflow.pk)._raw_delete("default")
    return HttpResponse(status=204)


@router.post("/workflows/{uuid:workflow_id}/pause", response=WorkflowOut, summary="Pause a workflow")
@endpoint(WRITE, Permission.EDIT_WORKFLOW)
def pause_workflow(request: HttpRequest, workflow_id: UUID) -> Any:
    """Start no more runs; those that have begun go on. What is not active stays as it is."""
    return _switched(request, workflow_id, publishing.pause)


@router.post("/workflows/{uuid:workflow_id}/resume", response=WorkflowOut, summary="Resume a workflow")
@endpoint(WRITE, Permission.EDIT_WORKFLOW)
def resume_workflow(request: HttpRequest, workflow_id: UUID) -> Any:
    """Let a paused workflow start runs again."""
    return _switched(request, workflow_id, publishing.resume)


@router.post("/workflows/{uuid:workflow_id}/archive", response=WorkflowOut, summary="Archive a workflow")
@endpoint(WRITE, Permission.EDIT_WORKFLOW)
def archive_workflow(request: HttpRequest, workflow_id: UUID) -> Any:
    """Take a workflow out of use and keep its history."""
    return _switched(request, workflow_id, publishing.archive)


@router.post("/workflows/{uuid:workflow_id}/unarchive", response=WorkflowOut, summary="Bring a workflow back")
@endpoint(WRITE, Permission.EDIT_WORKFLOW)
def unarchive_workflow(request: HttpRequest, workflow_id: UUID) -> Any:
    """Bring an archived workflow back: paused when it was published, else as a draft."""
    return _switched(request, workflow_id, publishing.unarchive)


def locked(request: HttpRequest, workflow_id: UUID) -> Workflow:
    """Return a workflow the person may see, locked until the end of the request; 404 otherwise."""
    visible = Workflow.objects.visible_to(access.person(request)).filter(pk=workflow_id).values("pk")
    rows = Workflow.objects.select_for_update(of=("self",)).filter(pk__in=visible)
    found: Workflow = get_object_or_404(rows.select_related("published_version", "organization"))
    return found


def plan_problem(refused: publishing.PublishRefused) -> Problem:
    """Return the problem of a workflow that may not become active."""
    return Problem("plan_limit", str(refused))


def _switched(request: HttpRequest, workflow_id: UUID, act: Callable[..., Workflow]) -> WorkflowOut:
    workflow = access.workflow_for(request, workflow_id)
    try:
        act(workflow, access.person(request), request=request)
    except publishing.PublishRefused as refused:
        raise plan_problem(refused) from None
    return answered(request, access.workflow_for(request, workflow_id, with_definition=True))
