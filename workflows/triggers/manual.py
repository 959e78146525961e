"""Runs that a person starts: of what is published, or of the draft to try it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import User
from workflows.definition.problems import DefinitionInvalid, Problem
from workflows.definition.schema import parse_definition
from workflows.models import Execution, Trigger, TriggerDecision, Workflow
from workflows.runner.start import InputRefused, start_execution
from workflows.schema_forms import schema_problems
from workflows.triggers import backlog, decisions, plan_hold

Reason, Mode = TriggerDecision.Reason, Execution.Mode
SOMEBODY_WAITS = -1  # lower goes first: a person looks at the page until the run is done


class NotStarted(Exception):
    """No run was started. reason: a TriggerDecision.Reason; fields: (input name, sentence) pairs for a form.

    retry_seconds: when it is worth another try (429 with Retry-After); 0 when trying again changes nothing.
    """

    def __init__(
        self, reason: TriggerDecision.Reason, message: str, fields: list[tuple[str, str]] | None = None
    ) -> None:
        super().__init__(message)
        self.reason, self.fields = reason, fields or []
        self.retry_seconds = backlog.RETRY_SECONDS if reason == Reason.BACKLOG_FULL else 0


class DraftNotRunnable(Exception):
    """The draft has faults that keep it from running at all. problems: never empty."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(" ".join(problem.message for problem in problems))
        self.problems = problems


def start_manually(workflow: Workflow, user: User, inputs: Mapping[str, Any] | None = None) -> Execution:
    """Start a run of the published version with `inputs`, which must fit the workflow's inputs. Raises NotStarted."""
    return start(
        workflow, inputs, kind=Trigger.Kind.MANUAL, triggered_by=Execution.TriggeredBy.MANUAL, user=user
    )


def start(
    workflow: Workflow,
    inputs: Mapping[str, Any] | None,
    *,
    kind: Trigger.Kind,
    triggered_by: Execution.TriggeredBy,
    user: User | None = None,
    reply_to: str = "",
) -> Execution:
    """Start a run by hand or by program, in the workflow's scope; the decision is written either way.

    A refusal is raised as NotStarted after its decision was recorded, so let the surrounding scope commit.
    """
    given = dict(inputs or {})
    refusal = _refusal(workflow, given)
    held = plan_hold.as_fields(workflow.organization)
    plan = workflow.organization.plan
    if refusal is None and backlog.is_full(workflow.organization_id, plan, is_held=bool(held)):
        refusal = NotStarted(Reason.BACKLOG_FULL, backlog.sentence(plan, is_held=bool(held)))
    if refusal is None:
        try:
            execution_id = start_execution(
                organization_id=workflow.organization_id,
                workflow_id=workflow.pk,
                version_id=workflow.published_version_id,
                triggered_by=triggered_by,
                input=given,
                trigger_key=kind.lower(),
                user_id=user.pk if user else None,
                priority=SOMEBODY_WAITS if kind == Trigger.Kind.MANUAL else 0,
                reply_to=reply_to,
                **held,
            )
        except InputRefused as error:
            refusal = NotStarted(Reason.TOO_LARGE, str(error))
    if refusal is not None:
        decisions.record(
            refusal.reason,
            workflow=workflow,
            trigger_key=kind.lower(),
            kind=kind,
            detail={"message": str(refusal)},
        )
        raise refusal
    decisions.record(
        Reason.PLAN_LIMIT if held else Reason.STARTED,
        workflow=workflow,
        trigger_key=kind.lower(),
        kind=kind,
        execution_id=execution_id,
    )
    return Execution.objects.get(pk=execution_id)


def start_test(
    workflow: Workflow,
    user: User,
    trigger: Any = None,
    *,
    dry_run: bool = False,
    definition: dict[str, Any] | None = None,
) -> Execution:
    """Run the draft as it stands: for real, or reading only and showing what it would send.

    trigger: sample trigger data (an object with `type`), or the inputs of a run by hand. definition: another draft than
    the stored one, such as a single step. Raises DraftNotRunnable and NotStarted.
    """
    draft = definition if definition is not None else workflow.definition
    try:
        parse_definition(draft)
    except DefinitionInvalid as invalid:
        raise DraftNotRunnable(invalid.problems) from None
    is_trigger = isinstance(trigger, Mapping) and trigger.get("type") in (
        "webhook",
        "schedule",
        "provider",
        "form",
    )
    by = Execution.TriggeredBy.MANUAL
    if is_trigger:
        by = (
            Execution.TriggeredBy.SCHEDULE if trigger["type"] == "schedule" else Execution.TriggeredBy.WEBHOOK
        )
    try:
        execution_id = start_execution(
            organization_id=workflow.organization_id,
            workflow_id=workflow.pk,
            version_id=None,
            triggered_by=by,
            input=trigger if trigger is not None else {},
            trigger_key="test",
            user_id=user.pk,
            mode=Mode.DRY_RUN if dry_run else Mode.TEST,
            draft_definition=draft,
            priority=SOMEBODY_WAITS,
        )
    except InputRefused as error:
        raise NotStarted(Reason.TOO_LARGE, str(error)) from None
    return Execution.objects.get(pk=execution_id)


def inputs_schema(definition: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the JSON Schema of what a run by hand is asked for; None when it asks for nothing."""
    schema = (definition or {}).get("inputs")
    return schema if isinstance(schema, dict) and schema.get("properties") else None


def _refusal(workflow: Workflow, given: dict[str, Any]) -> NotStarted | None:
    status = Workflow.Status
    if workflow.status == status.ARCHIVED:
        return NotStarted(Reason.ARCHIVED, _("The workflow is archived. Bring it back to run it."))
    if workflow.published_version_id is None or workflow.published_version is None:
        return NotStarted(
            Reason.NOT_PUBLISHED, _("The workflow is not published yet. Publish it, or test the draft.")
        )
    if workflow.status == status.PAUSED:
        return NotStarted(Reason.PAUSED, _("The workflow is paused. Resume it to run it."))
    schema = (workflow.published_version.definition or {}).get("inputs")
    problems = schema_problems(schema, given) if isinstance(schema, dict) else []
    if problems:
        return NotStarted(Reason.INVALID_INPUT, " ".join(message for _name, message in problems), problems)
    return None
