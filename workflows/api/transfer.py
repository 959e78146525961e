"""Taking a workflow from one organization to another: a document without anything that belongs to only one of them."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Router, Status

from accounts.api.authentication import endpoint
from accounts.api.pages import Body
from accounts.models.api_key import Scope
from accounts.permissions import Permission
from workflows import access, draft_text
from workflows.api.shapes import DOCUMENT, Category, WorkflowOut
from workflows.api.workflows import Description, Name, NewWorkflow, made

router = Router()
# What names a row or an address of one organization: an account, a webhook's address, the name of a stored secret.
BOUND = {"integration", "token", "secret"}
# What steps send is theirs: a value called "token" in a form or a request's body stays.
DATA = {"values", "with", "json", "form", "body"}
PLACES = {"action", "http", "ai", "provider", "webhook"}


class Exchange(Body):
    """A workflow as a file."""

    format: Literal["steward.workflow/1"] = "steward.workflow/1"
    name: Name = Field(examples=["Welcome new customers"])
    description: Description = ""
    category: Category = "CUSTOM"
    definition: dict[str, Any] = Field(examples=[DOCUMENT])


class Export(Exchange):
    """A workflow as it was taken out."""


@router.get("/workflows/{uuid:workflow_id}/export", response=Export, summary="Export a workflow")
@endpoint(Scope.WORKFLOWS_READ, Permission.VIEW_WORKFLOW)
def export_workflow(request: HttpRequest, workflow_id: UUID) -> Any:
    """Return the draft as a document to keep or to import elsewhere, without accounts, addresses and secrets."""
    workflow = access.workflow_for(request, workflow_id, with_definition=True)
    found: dict[str, Any] = {name: getattr(workflow, name) for name in ("name", "description", "category")}
    return Export(definition=unbound(draft_text.ordered(draft_text.document_of(workflow))), **found)


@router.post("/workflows/import", response={201: WorkflowOut}, summary="Import a workflow")
@endpoint(Scope.WORKFLOWS_WRITE, Permission.CREATE_WORKFLOW, is_idempotent=True)
def import_workflow(request: HttpRequest, body: Exchange) -> Any:
    """Make a draft of an exported workflow. Its steps use the organization's own accounts."""
    new = NewWorkflow(
        name=body.name,
        description=body.description,
        category=body.category,
        definition=unbound(body.definition),
    )
    return Status(201, made(request, new))


def unbound(value: Any) -> Any:
    """Return JSON data of a definition without what belongs to one organization."""
    if isinstance(value, list):
        return [unbound(each) for each in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("type")
    is_place = (isinstance(kind, str) and kind in PLACES) or "method" in value
    kept = {
        name: each
        for name, each in value.items()
        if not (is_place and name in BOUND and isinstance(each, str))
    }
    return {
        name: each if name in ("values", "with", "json", "form", "body") else unbound(each)
        for name, each in kept.items()
    }
