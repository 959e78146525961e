"""One thing done to many runs through the API, in the background."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, Router, Schema, Status
from pydantic import AfterValidator, BeforeValidator, ConfigDict

from accounts import audit
from accounts.api import pages
from accounts.api.authentication import endpoint, set_header
from accounts.api.problems import Problem
from accounts.models.api_key import Scope
from accounts.permissions import Permission
from workflows import access
from workflows import bulk as many
from workflows.api.runs import RunStatus, TriggeredBy
from workflows.models import BulkAction

router = Router()
MOST = 200
Day = Annotated[
    date,
    BeforeValidator(pages.written_out),
    AfterValidator(lambda day: min(max(day, pages.EARLIEST.date()), pages.LATEST.date())),
]


class RunFilters(pages.Body):
    """Which runs to act on: those that fit everything given."""

    q: str = Field("", max_length=200)
    status: RunStatus | Literal[""] = ""
    workflow: UUID | None = None
    triggered_by: TriggeredBy | Literal[""] = ""
    since: Day | None = Field(None, description="Started on that day or later.")
    until: Day | None = Field(None, description="Started on that day or before.")


class NewBulkAction(pages.Body):
    """One thing to do to many runs: those named in `executions`, or those that `filters` finds."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"action": "RESTART", "filters": {"status": "FAILED"}}]}
    )

    action: Literal["RESUME", "RESTART", "RESTART_NEWEST", "CANCEL"]
    executions: list[UUID] = Field([], max_length=MOST)
    filters: RunFilters | None = None


class BulkActionOut(Schema):
    """How far an action is."""

    id: UUID
    action: Literal["RESUME", "RESTART", "RESTART_NEWEST", "CANCEL"]
    status: Literal["RUNNING", "COMPLETED", "CANCELLED"]
    total: int
    done: int
    skipped: int = Field(description="It did not fit them, or they had been taken up already.")
    failed: int
    created_at: datetime
    finished_at: datetime | None


@router.post("/executions/bulk", response={202: BulkActionOut}, summary="Act on many runs")
@endpoint(Scope.EXECUTIONS_WRITE, Permission.RUN_WORKFLOW, is_idempotent=True)
def start_bulk_action(request: HttpRequest, body: NewBulkAction) -> Any:
    """Cancel, resume or restart many runs. A few are done when this answers, the rest in the background."""
    chosen = _chosen(body.filters)
    if bool(body.executions) == bool(chosen):
        message = "Give either executions, or filters with at least one of them filled in."
        raise Problem("invalid", message, errors=[("body.executions", message)])
    action = BulkAction.Action(body.action)
    selected = list(dict.fromkeys(body.executions)) or None
    made = many.begin(
        access.person(request), action, selected=selected, filters=chosen or None, request=request
    )
    set_header(request, "Location", f"/api/v1/executions/bulk/{made.pk}")
    return Status(202, _shown(made))


@router.get("/executions/bulk/{uuid:bulk_id}", response=BulkActionOut, summary="Follow an action")
@endpoint(Scope.EXECUTIONS_READ, Permission.RUN_WORKFLOW)
def get_bulk_action(request: HttpRequest, bulk_id: UUID) -> Any:
    """Return how far an action on many runs is."""
    return _shown(get_object_or_404(BulkAction, pk=bulk_id))


@router.post("/executions/bulk/{uuid:bulk_id}/stop", response=BulkActionOut, summary="Stop an action")
@endpoint(Scope.EXECUTIONS_WRITE, Permission.RUN_WORKFLOW)
def stop_bulk_action(request: HttpRequest, bulk_id: UUID) -> Any:
    """Leave the runs that have not been looked at as they are."""
    found = get_object_or_404(BulkAction, pk=bulk_id)
    if found.is_finished:
        raise Problem("conflict", "The action has ended already.")
    many.stop(found)
    audit.record("run.bulk_stopped", actor=access.person(request), target=found, request=request)
    found.refresh_from_db()
    return _shown(found)


def _chosen(filters: RunFilters | None) -> dict[str, str]:
    given = filters.model_dump(mode="json") if filters else {}
    given["trigger"] = given.pop("triggered_by", "")
    return {name: str(value) for name, value in given.items() if value}


def _shown(bulk: BulkAction) -> BulkActionOut:
    return BulkActionOut(**{name: getattr(bulk, name) for name in BulkActionOut.model_fields})
