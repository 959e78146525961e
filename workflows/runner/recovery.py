"""Recovery: going on with a run that has ended, each time as a new run that is linked to it. Nothing is overwritten."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.tenancy import uuid7
from workflows.definition.problems import DefinitionInvalid
from workflows.definition.schema import Definition, parse_definition
from workflows.definition.tree import iter_steps
from workflows.models import Execution, ExecutionStep
from workflows.runner.start import start_execution

COPY = """
INSERT INTO workflows_executionstep (id, organization_id, execution_id, path, step_id, step_type, attempt, fence,
  status, input, output, error, effect, effect_state, idempotency_key, recorded, started_at, finished_at, duration_ms,
  tokens, cost_usd)
SELECT n.new_id, s.organization_id, %(run)s, s.path, s.step_id, s.step_type, s.attempt, 0,
  CASE WHEN n.is_open THEN 'RUNNING' ELSE s.status END, s.input, s.output,
  CASE WHEN n.is_open THEN NULL ELSE s.error END, s.effect, s.effect_state, s.idempotency_key, s.recorded, s.started_at,
  CASE WHEN n.is_open THEN NULL ELSE s.finished_at END, s.duration_ms, 0, 0
FROM unnest(%(old)s::uuid[], %(new)s::uuid[], %(open)s::boolean[]) AS n(old_id, new_id, is_open)
JOIN workflows_executionstep s ON s.execution_id = %(source)s AND s.id = n.old_id
"""
DONE = (ExecutionStep.Status.COMPLETED, ExecutionStep.Status.SKIPPED)
UNSETTLED = (ExecutionStep.EffectState.INTENDED, ExecutionStep.EffectState.UNCERTAIN)


class NotRecoverable(Exception):
    """The run cannot be taken up again; `str()` is a sentence for the person who tried."""


def resume(execution: Execution, user: User | None) -> Execution:
    """Start a run that goes on where this one stopped: finished steps are taken over and not repeated.

    Calls keep the idempotency keys of the first run, and one that may have happened is looked up or asked about first.
    """
    _check_ended(execution)
    if execution.status == Execution.Status.COMPLETED:
        raise NotRecoverable(_("This run is complete. Start it again from the beginning instead."))
    definition = _definition(execution)
    run = _again(execution, user, Execution.Relation.RESUME, execution.version_id)
    handled = {step.id for _path, step, _around in iter_steps(definition) if step.on_error != "fail"}
    kept: list[tuple[UUID, bool]] = []
    for step in _newest(execution):
        if step.status in DONE or (step.status == ExecutionStep.Status.FAILED and step.step_id in handled):
            kept.append((step.pk, False))
        elif step.effect_state in UNSETTLED:
            kept.append((step.pk, True))
    _copy(execution, run, kept)
    return run


def restart(execution: Execution, user: User | None, newest: bool = False) -> Execution:
    """Start a run with the same input from the beginning, on the same version, or on the newest published one."""
    _check_ended(execution)
    version_id = execution.version_id
    if newest:
        version_id = execution.workflow.published_version_id
        if version_id is None:
            raise NotRecoverable(_("The workflow has no published version. Publish it first."))
    return _again(execution, user, Execution.Relation.RESTART, version_id)


def restart_on_newest(execution: Execution, user: User | None) -> Execution:
    """Start a run with the same input from the beginning, on the newest published version."""
    return restart(execution, user, newest=True)


def fork(execution: Execution, path: str, data: Mapping[str, Any], user: User | None) -> Execution:
    """Start a run that begins at the step `path`, with everything before it taken over.

    data: step path -> output to use in place of the recorded one, for steps before `path`; "trigger" replaces the run's
    input. Raises NotRecoverable when the run never reached the step.
    """
    _check_ended(execution)
    steps = _newest(execution)
    target = next((step for step in steps if step.path == path), None)
    if target is None or target.started_at is None:
        raise NotRecoverable(_("This run never reached that step, so nothing can begin there."))
    before = steps_before(steps, target)
    unknown = set(data) - {step.path for step in before} - {"trigger"}
    if unknown:
        raise NotRecoverable(
            _("These steps do not come before it: %(steps)s.") % {"steps": ", ".join(sorted(unknown))}
        )
    run = _again(
        execution,
        user,
        Execution.Relation.FORK,
        execution.version_id,
        input=data.get("trigger", execution.input),
        parent_path=path,
    )
    _copy(execution, run, [(step.pk, False) for step in before])
    for changed, output in data.items():
        if changed != "trigger":
            ExecutionStep.objects.filter(execution=run, path=changed).update(output=output)
    return run


def steps_before(steps: Iterable[ExecutionStep], target: ExecutionStep) -> list[ExecutionStep]:
    """Return those of a run's steps that were done when `target` began: what a fork there takes over."""
    began = target.started_at
    inside = (f"{target.path}.", f"{target.path}[")
    return [
        step for step in steps
        if step.status in DONE and step.path != target.path and not step.path.startswith(inside)
        and step.finished_at is not None and began is not None and step.finished_at <= began
    ]  # fmt: skip


def restart_all(
    executions: Iterable[Execution], user: User | None, *, newest: bool = False
) -> list[Execution]:
    """Restart those of the runs that have ended; return the new ones."""
    return [restart(each, user, newest) for each in executions if each.is_finished]


def resume_all(executions: Iterable[Execution], user: User | None) -> list[Execution]:
    """Resume those of the runs that failed, were cancelled or took too long; return the new ones."""
    return [
        resume(each, user)
        for each in executions
        if each.is_finished and each.status != Execution.Status.COMPLETED
    ]


def _check_ended(execution: Execution) -> None:
    if not execution.is_finished:
        raise NotRecoverable(_("This run has not ended yet. Cancel it first, or wait for its end."))


def _again(
    execution: Execution,
    user: User | None,
    relation: Execution.Relation,
    version_id: UUID | None,
    **changed: Any,
) -> Execution:
    fields: dict[str, Any] = {
        "organization_id": execution.organization_id, "workflow_id": execution.workflow_id, "version_id": version_id,
        "triggered_by": execution.triggered_by, "trigger_key": execution.trigger_key, "input": execution.input,
        "webhook_event_id": execution.webhook_event_id, "mode": execution.mode,
        "draft_definition": execution.draft_definition if version_id is None else None,
        "user_id": user.pk if user else None, "parent": execution.pk, "relation": relation.value,
        "depth": execution.depth,
    }  # fmt: skip
    return Execution.objects.get(pk=start_execution(**fields | changed))


def _newest(execution: Execution) -> list[ExecutionStep]:
    """Return the newest attempt of every step, in the order in which they began."""
    rows = ExecutionStep.objects.filter(execution=execution).order_by("path", "-attempt").distinct("path")
    return sorted(rows, key=lambda step: step.pk)


def _copy(execution: Execution, run: Execution, kept: list[tuple[UUID, bool]]) -> None:
    """Copy journal rows into the new run; True beside an id reopens a call that may have happened."""
    if not kept:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            COPY,
            {
                "run": run.pk, "source": execution.pk, "old": [pk for pk, _open in kept],
                "new": [uuid7() for _each in kept], "open": [is_open for _pk, is_open in kept],
            },
        )  # fmt: skip


def _definition(execution: Execution) -> Definition:
    data = execution.draft_definition if execution.version_id is None else execution.version.definition  # type: ignore[union-attr]
    try:
        return parse_definition(data)
    except DefinitionInvalid as invalid:
        raise NotRecoverable(
            _("This version of the workflow can no longer be read. Restart the run on the newest version.")
        ) from invalid
