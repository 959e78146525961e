"""A failed run may start another workflow, the one named in settings.on_failure.workflow."""

from __future__ import annotations

from uuid import UUID

from accounts.tenancy import organization_scope
from workflows.engine.limits import MAX_WORKFLOW_DEPTH
from workflows.models import Execution, Trigger, TriggerDecision, Workflow
from workflows.runner.start import start_execution
from workflows.triggers import decisions

Reason = TriggerDecision.Reason
KEY = "on_failure"


def start_handler(organization_id: str, execution_id: str) -> UUID | None:
    """Start the workflow that handles failures of this run's workflow, once per failed run; return the new run's id.

    Its inputs: the failed run's id, workflow, error and input. A handler that fails is not handled again.
    """
    with organization_scope(organization_id):
        failed = Execution.objects.select_related("workflow", "version").filter(pk=execution_id).first()
        if (
            failed is None
            or failed.mode != Execution.Mode.LIVE
            or failed.trigger_key == KEY
            or failed.version is None
        ):
            return None
        wanted = ((failed.version.definition.get("settings") or {}).get("on_failure") or {}).get("workflow")
        handler = _handler(wanted)
        if handler is None or handler.pk == failed.workflow_id:
            return None
        if TriggerDecision.objects.filter(
            workflow=handler, trigger_key=KEY, detail__failed=str(failed.pk)
        ).exists():
            return None
        detail = {"failed": str(failed.pk)}
        if failed.depth >= MAX_WORKFLOW_DEPTH:
            decisions.record(
                Reason.DEPTH_LIMIT, workflow=handler, trigger_key=KEY, kind=Trigger.Kind.API, detail=detail
            )
            return None
        started = start_execution(
            organization_id=failed.organization_id,
            workflow_id=handler.pk,
            version_id=handler.published_version_id,
            triggered_by=Execution.TriggeredBy.API,
            trigger_key=KEY,
            depth=failed.depth + 1,
            input={
                "execution_id": str(failed.pk),
                "workflow": {"id": str(failed.workflow_id), "name": failed.workflow.name},
                "status": failed.status,
                "error": failed.error,
                "input": failed.input,
            },
        )
        decisions.record(
            Reason.STARTED,
            workflow=handler,
            trigger_key=KEY,
            kind=Trigger.Kind.API,
            detail=detail,
            execution_id=started,
        )
        return started


def _handler(wanted: object) -> Workflow | None:
    try:
        identifier = UUID(str(wanted))
    except ValueError:
        return None
    return Workflow.objects.active().filter(pk=identifier, published_version__isnull=False).first()
