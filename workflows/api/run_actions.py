"""What can be done about a run through the API: stop it, go on with it, run it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, Router, Status

from accounts import audit
from accounts.api.authentication import endpoint, set_header
from accounts.api.pages import Body
from accounts.api.problems import Problem
from accounts.models.api_key import Scope
from accounts.permissions import Permission
from workflows import access
from workflows.api.runs import ExecutionOut, shown
from workflows.models import Execution
from workflows.runner import recovery
from workflows.runner.cancel import request_cancel
from workflows.runner.start import InputRefused

router = Router()
WRITE = Scope.EXECUTIONS_WRITE


class Restart(Body):
    """How to run again."""

    newest: bool = Field(False, description="With the newest published version instead of the same one.")


@router.post("/executions/{uuid:execution_id}/cancel", response={202: ExecutionOut}, summary="Cancel a run")
@endpoint(WRITE, Permission.RUN_WORKFLOW)
def cancel_execution(request: HttpRequest, execution_id: UUID) -> Any:
    """Stop a run. It ends as soon as the step it is at allows; one that nobody works on ends now."""
    run = access.execution_for(request, execution_id)
    if not request_cancel(run.pk):
        raise Problem("conflict", "The run has ended already.")
    audit.record("run.cancelled", actor=access.person(request), target=run, request=request)
    return Status(202, shown(Execution.objects.select_related("version").get(pk=run.pk)))


@router.post("/executions/{uuid:execution_id}/resume", response={201: ExecutionOut}, summary="Resume a run")
@endpoint(WRITE, Permission.RUN_WORKFLOW, is_idempotent=True)
def resume_execution(request: HttpRequest, execution_id: UUID) -> Any:
    """Go on with a failed run at the step where it stopped, as a new run. Finished steps are not repeated."""
    return _again(request, execution_id, recovery.resume, "run.resumed")


@router.post("/executions/{uuid:execution_id}/restart", response={201: ExecutionOut}, summary="Restart a run")
@endpoint(WRITE, Permission.RUN_WORKFLOW, is_idempotent=True)
def restart_execution(request: HttpRequest, execution_id: UUID, body: Restart) -> Any:
    """Run the same input again from the beginning, as a new run."""
    act = recovery.restart_on_newest if body.newest else recovery.restart
    return _again(request, execution_id, act, "run.restarted")


def _again(
    request: HttpRequest, execution_id: UUID, act: Callable[[Execution, Any], Execution], action: str
) -> Any:
    person = access.person(request)
    rows = Execution.objects.visible_to(person).select_related("workflow", "version")
    execution = get_object_or_404(rows, pk=execution_id)
    try:
        run = act(execution, person)
    except recovery.NotRecoverable as refused:
        raise Problem("conflict", str(refused)) from None
    except InputRefused as refused:
        raise Problem("too_large", str(refused)) from None
    audit.record(action, actor=person, target=run, after={"from": str(execution.pk)}, request=request)
    set_header(request, "Location", f"/api/v1/executions/{run.pk}")
    return Status(201, shown(run))
