"""What workflows look like in the API, and the ETag that names one state of them."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Header, Schema

from accounts.api.authentication import set_header
from accounts.api.problems import Problem
from workflows import draft_text
from workflows.definition import problems
from workflows.models import Workflow, WorkflowVersion

DOCUMENT = {
    "version": 1,
    "triggers": [{"type": "api"}],
    "inputs": {"type": "object", "properties": {"name": {"type": "string"}}},
    "steps": [{"id": "greet", "type": "set", "values": {"text": "Hello {{ inputs.name | default: 'you' }}"}}],
}
_ETAG = r'(W/)?"[!#-~]*"'
ETAGS = rf"^(\*|{_ETAG}( ?, ?{_ETAG})*)?$"
IF_MATCH = Header("", alias="If-Match", pattern=ETAGS, examples=['"4f2c0e9a"'])
IF_NONE_MATCH = Header("", alias="If-None-Match", pattern=ETAGS)
Category = Literal["MARKETING", "SALES", "OPERATIONS", "CUSTOMER_SUPPORT", "ADMIN", "CUSTOM"]
Status = Literal["ACTIVE", "PAUSED", "ARCHIVED", "DRAFT"]


class WorkflowSummary(Schema):
    """A workflow without its steps."""

    id: UUID
    name: str = Field(examples=["Welcome new customers"])
    description: str
    category: Category
    status: Status = Field(description="DRAFT until it is published; ACTIVE: its triggers start runs.")
    published_version: int | None = Field(description="Number of the version that runs.")
    revision: int = Field(description="Counts the changes of the draft.")
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, workflow: Workflow, **more: Any) -> Any:
        """Return the workflow as the API shows it; its published version must be loaded."""
        same = ("name", "description", "category", "status", "revision", "created_at", "updated_at")
        found: dict[str, Any] = {name: getattr(workflow, name) for name in same}
        published = workflow.published_version
        number = published.number if published else None
        return cls(
            id=workflow.pk, created_by=workflow.created_by_id, published_version=number, **found, **more
        )


class WorkflowOut(WorkflowSummary):
    """A workflow with the draft of its steps."""

    definition: dict[str, Any] = Field(
        description="The draft: the document that the text editor shows, with `triggers` beside `steps`. Its JSON "
        "Schema is at /schemas/workflow-v1.json.",
        examples=[DOCUMENT],
    )
    etag: str = Field(description="Names this state of it: send it as If-Match with a change.")


class VersionSummary(Schema):
    """A published version without its steps."""

    number: int
    note: str
    published_by: UUID | None
    published_at: datetime
    is_current: bool = Field(description="It is what new runs use.")


class VersionOut(VersionSummary):
    """A published version. It never changes."""

    definition: dict[str, Any]


class DefinitionProblem(Schema):
    """One thing that is wrong with a draft, or advice about it."""

    code: str = Field(examples=["unknown_step"])
    message: str
    path: str = Field(description="Where, such as `steps[2].with.channel`.")
    pointer: str = Field(description="Where, as a JSON Pointer (RFC 6901).")
    step_id: str
    suggestion: str
    severity: Literal["error", "warning"] = Field(description="An error forbids publishing.")

    @classmethod
    def of(cls, problem: problems.Problem) -> DefinitionProblem:
        found = problem.as_dict()
        return cls(**{name: found[name] for name in cls.model_fields})


def shown(workflow: Workflow) -> WorkflowOut:
    """Return a workflow with its draft and the strong ETag of both."""
    definition = draft_text.ordered(draft_text.document_of(workflow))
    found: WorkflowOut = WorkflowOut.of(workflow, definition=definition, etag="")
    digest = hashlib.sha256(found.model_dump_json().encode()).hexdigest()
    found.etag = f'"{digest[:32]}"'
    return found


def answered(request: HttpRequest, workflow: Workflow) -> WorkflowOut:
    """Return the same, and send its ETag along."""
    found = shown(workflow)
    set_header(request, "ETag", found.etag)
    return found


def version_fields(version: WorkflowVersion, current: UUID | None) -> dict[str, Any]:
    """Return the fields of VersionSummary."""
    return {
        "number": version.number,
        "note": version.note,
        "published_by": version.published_by_id,
        "published_at": version.created_at,
        "is_current": version.pk == current,
    }


def require_match(workflow: Workflow, if_match: str, *, is_needed: bool = True) -> None:
    """Raise Problem unless the If-Match header names the workflow's present state, or `*`.

    Call it with the workflow's row locked, so that nobody changes it before the caller does.
    """
    if not if_match:
        if is_needed:
            raise Problem(
                "if_match_needed",
                "Send the ETag you got with the workflow as If-Match, so that nobody's change is lost.",
            )
        return
    current = shown(workflow).etag
    if if_match.strip() != "*" and current not in [each.strip() for each in if_match.split(",")]:
        raise Problem(
            "changed",
            "Somebody changed the workflow since you read it. Read it again and repeat your change.",
            headers={"ETag": current},
        )
