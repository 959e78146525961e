"""Runs in the API: start one, find them, and look at their steps and logs."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Router, Schema, Status

from accounts.api.authentication import endpoint, set_header
from accounts.api.pages import Body, Moment, PageQuery, page_of
from accounts.api.problems import Problem
from accounts.models.api_key import Scope
from accounts.permissions import Permission
from workflows import access
from workflows.models import Execution, ExecutionLog, ExecutionStep, TriggerDecision
from workflows.queries import run_search
from workflows.triggers import manual
from workflows.triggers.api import start_by_api

router = Router()
READ, WRITE = Scope.EXECUTIONS_READ, Scope.EXECUTIONS_WRITE
Reason = TriggerDecision.Reason

RunStatus = Literal["PENDING", "RUNNING", "WAITING", "COMPLETED", "FAILED", "CANCELLED", "TIMEOUT"]
RunResult = Literal["PENDING", "SUCCESS", "PARTIAL", "FAILURE", "CANCELLED"]
TriggeredBy = Literal["MANUAL", "SCHEDULE", "WEBHOOK", "API"]
Mode = Literal["LIVE", "TEST", "DRY_RUN"]
SUMMARY = (
    "id", "organization_id", "workflow_id", "mode", "status", "result", "triggered_by", "triggered_by_user_id",
    "parent_id", "relation", "started_at", "completed_at", "duration_ms", "tokens", "cost_usd", "version__number",
    "version__organization_id",
)  # fmt: skip


class ExecutionSummary(Schema):
    """A run without its data."""

    id: UUID
    workflow_id: UUID
    version: int | None = Field(description="Number of the version it runs; null for a run of the draft.")
    mode: Mode
    status: RunStatus
    result: RunResult
    triggered_by: TriggeredBy
    triggered_by_user_id: UUID | None
    parent_id: UUID | None = Field(description="The run it belongs to; see `relation`.")
    relation: Literal["", "CHILD", "RESUME", "RESTART", "FORK"]
    started_at: datetime
    completed_at: datetime | None
    duration_ms: int | None
    tokens: int = Field(description="AI tokens used.")
    cost_usd: Decimal = Field(description="Cost of the AI used, in US dollars.")

    @classmethod
    def of(cls, run: Execution, **more: Any) -> Any:
        """Return a run as the API shows it; its version's number must be loaded."""
        names = [name for name in ExecutionSummary.model_fields if name != "version"]
        found = {name: getattr(run, name) for name in names}
        return cls(**found, version=run.version.number if run.version else None, **more)


class ExecutionOut(ExecutionSummary):
    """A run with what it was given and what came of it."""

    input: Any = Field(description="What started it.")
    output: Any
    error: Any = Field(description="Why it failed: `code`, `message`, `step_id`; null when it did not.")
    waiting_for: Any = Field(description="What a WAITING run waits for.")
    deadline_at: datetime


class ExecutionPage(Schema):
    """A part of the list of runs."""

    items: list[ExecutionSummary]
    next_cursor: str | None


class StepOut(Schema):
    """One try of one step."""

    id: UUID
    path: str = Field(description="Where it stands, such as `each[2].send`.")
    step_id: str
    step_type: str
    attempt: int
    status: Literal["RUNNING", "WAITING", "COMPLETED", "FAILED", "SKIPPED", "CANCELLED"]
    input: Any
    output: Any
    error: Any
    started_at: datetime | None
    finished_at: datetime | None
    duration_ms: int | None
    tokens: int
    cost_usd: Decimal


class StepPage(Schema):
    """A part of a run's steps."""

    items: list[StepOut]
    next_cursor: str | None


class LogLine(Schema):
    """One line of a run's log."""

    id: UUID
    level: Literal["DEBUG", "INFO", "WARN", "ERROR", "CRITICAL"]
    step_id: str
    message: str
    metadata: Any
    timestamp: datetime


class LogPage(Schema):
    """A part of a run's log."""

    items: list[LogLine]
    next_cursor: str | None


class ExecutionQuery(PageQuery):
    """Which runs to list."""

    workflow: UUID | None = Field(None, description="Runs of this workflow only.")
    status: RunStatus | Literal[""] = ""
    triggered_by: TriggeredBy | Literal[""] = ""
    since: Moment | None = Field(None, description="Started then or later.")
    until: Moment | None = Field(None, description="Started before.")
    q: str = Field("", max_length=200, description="A value it was given or gave, such as an order number.")


class NewExecution(Body):
    """A run to start."""

    workflow: UUID
    input: dict[str, Any] = Field({}, description="What steps see as `inputs`.", examples=[{"name": "Ada"}])
    mode: Mode = Field("LIVE", description="TEST runs the draft; DRY_RUN does so and sends nothing.")


@router.post("/executions", response={201: ExecutionOut}, summary="Start a run")
@endpoint(WRITE, Permission.RUN_WORKFLOW, is_idempotent=True)
def start_execution(request: HttpRequest, body: NewExecution) -> Any:
    """Start a run of the published version. It is saved when this answers, and begins at once.

    Send an Idempotency-Key: the same request sent again then starts no second run.
    """
    workflow = access.workflow_for(request, body.workflow, with_definition=True)
    person = access.person(request)
    try:
        if body.mode == "LIVE":
            run = start_by_api(workflow, body.input, user=person)
        else:
            run = manual.start_test(workflow, person, body.input, dry_run=body.mode == "DRY_RUN")
    except manual.NotStarted as refused:
        raise _not_started(refused) from None
    except manual.DraftNotRunnable as refused:
        found = [(f"definition.{each.path}", each.message) for each in refused.problems]
        raise Problem("faulty_definition", str(refused), errors=found) from None
    set_header(request, "Location", f"/api/v1/executions/{run.pk}")
    return Status(201, shown(run))


@router.get("/executions", response=ExecutionPage, summary="List runs")
@endpoint(READ, Permission.VIEW_WORKFLOW)
def list_executions(request: HttpRequest, query: Query[ExecutionQuery]) -> Any:
    """List the runs that the key's maker may see, newest first."""
    rows = Execution.objects.visible_to(access.person(request)).select_related("version").only(*SUMMARY)
    for name, value in (("status", query.status), ("triggered_by", query.triggered_by)):
        rows = rows.filter(**{name: value}) if value else rows
    if query.workflow:
        rows = rows.filter(workflow_id=query.workflow)
    if query.since:
        rows = rows.filter(started_at__gte=query.since)
    if query.until:
        rows = rows.filter(started_at__lt=query.until)
    if query.q.strip():
        rows = rows.filter(pk__in=run_search.matches(query.q.strip()))
    found, cursor = page_of(rows, query, by=("started_at", "id"))
    return ExecutionPage(items=[ExecutionSummary.of(each) for each in found], next_cursor=cursor)


@router.get("/executions/{uuid:execution_id}", response=ExecutionOut, summary="Read a run")
@endpoint(READ, Permission.VIEW_WORKFLOW)
def get_execution(request: HttpRequest, execution_id: UUID) -> Any:
    """Return a run with its input, output and error. Steps and log have addresses of their own."""
    rows = Execution.objects.visible_to(access.person(request)).defer("draft_definition")
    return shown(get_object_or_404(rows.select_related("version"), pk=execution_id))


@router.get("/executions/{uuid:execution_id}/steps", response=StepPage, summary="List a run's steps")
@endpoint(READ, Permission.VIEW_WORKFLOW)
def list_steps(request: HttpRequest, execution_id: UUID, query: Query[PageQuery]) -> Any:
    """List every try of every step, in the order in which they began."""
    run = access.execution_for(request, execution_id)
    rows = ExecutionStep.objects.filter(execution=run).defer("recorded")
    found, cursor = page_of(rows, query, rising=True)
    items = [StepOut(**{name: getattr(each, name) for name in StepOut.model_fields}) for each in found]
    return StepPage(items=items, next_cursor=cursor)


@router.get("/executions/{uuid:execution_id}/logs", response=LogPage, summary="Read a run's log")
@endpoint(READ, Permission.VIEW_WORKFLOW)
def list_logs(request: HttpRequest, execution_id: UUID, query: Query[PageQuery]) -> Any:
    """List what the run wrote for people to read, oldest first."""
    run = access.execution_for(request, execution_id)
    found, cursor = page_of(ExecutionLog.objects.filter(execution=run), query, rising=True)
    items = [LogLine(**{name: getattr(each, name) for name in LogLine.model_fields}) for each in found]
    return LogPage(items=items, next_cursor=cursor)


def shown(run: Execution) -> ExecutionOut:
    """Return a run with its data."""
    names = ("input", "output", "error", "waiting_for", "deadline_at")
    found: ExecutionOut = ExecutionOut.of(run, **{name: getattr(run, name) for name in names})
    return found


def _not_started(refused: manual.NotStarted) -> Problem:
    """Return why no run was started; that it was not is already written down, and stays."""
    fields = [(f"body.input.{name}" if name else "body.input", text) for name, text in refused.fields]
    code = {
        Reason.INVALID_INPUT: "invalid",
        Reason.TOO_LARGE: "too_large",
        Reason.BACKLOG_FULL: "backlog_full",
    }
    headers = {"Retry-After": str(refused.retry_seconds)} if refused.retry_seconds else {}
    return Problem(
        code.get(refused.reason, "conflict"), str(refused), errors=fields, headers=headers, keeps=True
    )
