"""Publishing in the API: what is wrong with a draft, publish it, its versions, bring one back."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Path, Query, Router, Schema, Status
from pydantic import StringConstraints

from accounts import audit
from accounts.api.authentication import endpoint, set_header
from accounts.api.pages import Body, PageQuery, page_of
from accounts.api.problems import Problem
from accounts.models.api_key import Scope
from accounts.permissions import Permission
from workflows import access, draft_text, publishing
from workflows.api.shapes import (
    IF_MATCH,
    DefinitionProblem,
    VersionOut,
    VersionSummary,
    WorkflowOut,
    answered,
    require_match,
    version_fields,
)
from workflows.api.workflows import locked, plan_problem
from workflows.models import WorkflowVersion

router = Router()
Number = Path[Annotated[int, Field(ge=1, le=2**31 - 1)]]  # what PostgreSQL's integers hold
READ, WRITE = Scope.WORKFLOWS_READ, Scope.WORKFLOWS_WRITE


class VersionPage(Schema):
    """A part of the list of versions."""

    items: list[VersionSummary]
    next_cursor: str | None


class Checked(Schema):
    """What is wrong with a draft."""

    is_publishable: bool = Field(description="There is no error; saved tests may still fail.")
    problems: list[DefinitionProblem]


class Publication(Body):
    """How to publish."""

    note: Annotated[str, StringConstraints(max_length=300)] = Field("", examples=["Greets by first name"])
    despite_tests: bool = Field(
        False, description="Publish although saved tests fail; owners and admins only."
    )


@router.get("/workflows/{uuid:workflow_id}/problems", response=Checked, summary="Check a draft")
@endpoint(READ, Permission.VIEW_WORKFLOW)
def check_workflow(request: HttpRequest, workflow_id: UUID) -> Any:
    """Say what is wrong with the draft, each problem with its place, and advice."""
    found = publishing.problems_of(access.workflow_for(request, workflow_id, with_definition=True))
    return Checked(
        is_publishable=all(each.severity != "error" for each in found),
        problems=[DefinitionProblem.of(each) for each in found],
    )


@router.post("/workflows/{uuid:workflow_id}/publish", response={201: VersionOut}, summary="Publish a draft")
@endpoint(WRITE, Permission.EDIT_WORKFLOW, is_idempotent=True)
def publish_workflow(
    request: HttpRequest, workflow_id: UUID, body: Publication, if_match: str = IF_MATCH
) -> Any:
    """Make the draft what runs: a new version that never changes, and the workflow active.

    With If-Match, only the draft that you have read is published.
    """
    workflow, person = locked(request, workflow_id), access.person(request)
    require_match(workflow, if_match, is_needed=False)
    try:
        version = publishing.publish(
            workflow, person, body.note, request=request, despite_tests=body.despite_tests
        )
    except publishing.SavedTestsFailed as failed:
        raise Problem("tests_failed", str(failed), errors=_fields(failed)) from None
    except publishing.PublishRefused as refused:
        if all(each.code == "plan_limit" for each in refused.problems):
            raise plan_problem(refused) from None
        raise Problem("faulty_definition", str(refused), errors=_fields(refused)) from None
    set_header(request, "Location", f"/api/v1/workflows/{workflow_id}/versions/{version.number}")
    return Status(201, _shown(version, version.pk))


@router.get("/workflows/{uuid:workflow_id}/versions", response=VersionPage, summary="List versions")
@endpoint(READ, Permission.VIEW_WORKFLOW)
def list_versions(request: HttpRequest, workflow_id: UUID, query: Query[PageQuery]) -> Any:
    """List what was published, newest first."""
    workflow = access.workflow_for(request, workflow_id)
    rows = WorkflowVersion.objects.filter(workflow=workflow).defer("definition", "triggers", "schedule")
    found, cursor = page_of(rows, query, by=("number",))
    items = [VersionSummary(**version_fields(each, workflow.published_version_id)) for each in found]
    return VersionPage(items=items, next_cursor=cursor)


@router.get(
    "/workflows/{uuid:workflow_id}/versions/{int:number}", response=VersionOut, summary="Read a version"
)
@endpoint(READ, Permission.VIEW_WORKFLOW)
def get_version(request: HttpRequest, workflow_id: UUID, number: Number) -> Any:
    """Return one version with its steps."""
    version = _version(request, workflow_id, number)
    return _shown(version, version.workflow.published_version_id)


@router.post(
    "/workflows/{uuid:workflow_id}/versions/{int:number}/restore",
    response=WorkflowOut,
    summary="Make a version the draft",
)
@endpoint(WRITE, Permission.EDIT_WORKFLOW)
def restore_version(request: HttpRequest, workflow_id: UUID, number: Number) -> Any:
    """Make the draft what a version was. Nothing that runs changes until it is published."""
    version, person = _version(request, workflow_id, number), access.person(request)
    publishing.restore(version, person)
    after = {"version": version.number}
    audit.record("workflow.restored", actor=person, target=version.workflow, after=after, request=request)
    return answered(request, access.workflow_for(request, workflow_id, with_definition=True))


def _version(request: HttpRequest, workflow_id: UUID, number: int) -> WorkflowVersion:
    return access.version_for(request, workflow_id, number)


def _shown(version: WorkflowVersion, current: UUID | None) -> VersionOut:
    definition = draft_text.ordered(draft_text.document_of(version))
    return VersionOut(**version_fields(version, current), definition=definition)


def _fields(refused: publishing.PublishRefused) -> list[tuple[str, str]]:
    return [
        (f"definition.{each.path}" if each.path else "definition", each.message) for each in refused.problems
    ]
