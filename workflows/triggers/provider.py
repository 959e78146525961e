"""Events of connected services: which workflows one starts, whether it came by webhook or by looking."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.tenancy import uuid7
from integrations.framework import Inbound, Webhooks, registry
from integrations.framework import Trigger as DeclaredTrigger
from integrations.inbound import Event
from integrations.models import Integration
from workflows.definition.conditions import compile_condition
from workflows.definition.expressions import ExpressionError, MissingValue
from workflows.definition.problems import DefinitionInvalid
from workflows.definition.schema import parse_triggers
from workflows.models import Execution, Trigger, TriggerDecision
from workflows.runner.start import InputRefused, start_execution
from workflows.triggers import backlog, decisions, plan_hold
from workflows.triggers.intake import DEDUPE_LASTS

Reason = TriggerDecision.Reason
MAX_KEY = 200
NOTE_KEY = """
INSERT INTO workflows_dedupekey
  (id, organization_id, workflow_id, trigger_key, key, delivery_id, execution_id, expires_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (organization_id, workflow_id, trigger_key, key) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """Where an event is on disk. source: whose address it came to, "trigger" or "account". position: within it."""

    source: str
    delivery_id: UUID
    position: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one event. execution_id: the run that started, or will once the event's details are fetched."""

    reason: str
    execution_id: UUID | None = None


def integration_for(provider: str, reference: str | None) -> Integration | None:
    """Return the account a trigger names by id or name; without a name, the organization's first of that service."""
    rows = Integration.objects.filter(provider=provider.upper()).order_by("created_at")
    if not reference:
        return rows.filter(status=Integration.Status.ACTIVE).first() or rows.first()
    try:
        return rows.filter(pk=UUID(reference)).first()
    except ValueError:
        return rows.filter(name=reference).first()


def declared_trigger(row: Trigger) -> DeclaredTrigger | None:
    """Return what the connector says about this row's event; None when the connector or event is gone."""
    try:
        return registry.get(str(row.settings.get("provider", ""))).trigger(str(row.settings.get("event", "")))
    except KeyError:
        return None


def webhooks_of(row: Trigger) -> Webhooks | None:
    """Return how deliveries for this row's event work; None for events we look for, and for those that are gone."""
    declared = declared_trigger(row)
    if declared is None or declared.kind != "webhook":
        return None
    return registry.get(str(row.settings["provider"])).webhooks_of(declared)


def handle_inbound(integration: Integration | None, provider: str, events: Sequence[Event]) -> None:
    """Start what an accepted delivery to an account or to our application starts; in the organization's scope.

    Registered with integrations.inbound, which calls it once for each event and in the transaction that notes so.
    """
    if integration is None:
        return
    for row in active_rows().filter(integration_id=integration.pk):
        declared = declared_trigger(row)
        if declared is None or declared.poll is not None:
            continue
        for event in events:
            if declared.hears(event.name):
                stored = Stored("account", event.delivery_id, event.position)
                offer(row, declared, event.payload, event.key, stored, integration.settings or {})


def receive(row: Trigger, inbound: Inbound, account: Mapping[str, Any], delivery_id: UUID) -> list[Outcome]:
    """Take the events of a proved delivery to one trigger's own address; in its scope. Empty: none was meant for it."""
    declared = declared_trigger(row)
    webhooks = webhooks_of(row)
    if declared is None or webhooks is None:
        return []
    outcomes = []
    names = []
    for position, event in enumerate(webhooks.split(inbound)):
        name = webhooks.event_name(inbound, event)
        if declared.hears(name) or declared.fetch is not None:  # a notice does not say of what
            stored = Stored("trigger", delivery_id, position)
            key = webhooks.event_id(inbound, event)
            outcomes.append(offer(row, declared, event, key, stored, account))
        else:
            names.append(name[:100])
    if not outcomes:
        # One decision for the whole delivery: a batch of a thousand others must not fill the list.
        _decide(row, Reason.FILTERED, {"events": sorted(set(names))[:20]}, delivery_id=delivery_id)
    return outcomes


def offer(
    row: Trigger,
    declared: DeclaredTrigger,
    payload: Any,
    key: str,
    stored: Stored,
    account: Mapping[str, Any],
) -> Outcome:
    """Start a run for an event that the trigger hears, or queue the fetching of what the event only names.

    In the scope and transaction that store the event.
    """
    from workflows.triggers import details, jobs  # they call this module

    if declared.fetch is not None:
        jobs.look_soon(str(row.organization_id), str(row.pk))
        return Outcome(Reason.STARTED)
    if declared.follow_up is not None:
        resting = _resting(row)
        if resting is not None:
            _decide(row, resting, None, delivery_id=stored.delivery_id)
            return Outcome(resting)
        execution_id = uuid7()
        if key and not _note(row, key, execution_id, stored.delivery_id):
            _decide(row, Reason.DUPLICATE, {"key": key[:MAX_KEY]}, delivery_id=stored.delivery_id)
            return Outcome(Reason.DUPLICATE)
        details.queue(row, stored, key, execution_id)
        return Outcome(Reason.STARTED, execution_id)
    if not declared.is_for(payload, config_of(row), account):
        _decide(row, Reason.FILTERED, None, delivery_id=stored.delivery_id)
        return Outcome(Reason.FILTERED)
    outcome = start_for_event(row, declared, payload, key, delivery_id=stored.delivery_id)
    if outcome.reason != Reason.BACKLOG_FULL:
        return outcome
    # It was accepted and is on disk: a job starts it when the line is shorter.
    execution_id = uuid7()
    if key and not _note(row, key, execution_id, stored.delivery_id):
        _decide(row, Reason.DUPLICATE, {"key": key[:MAX_KEY]}, delivery_id=stored.delivery_id)
        return Outcome(Reason.DUPLICATE)
    details.queue(row, stored, key, execution_id)
    return Outcome(Reason.BACKLOG_FULL, execution_id)


def start_for_event(
    row: Trigger,
    declared: DeclaredTrigger,
    payload: Any,
    key: str,
    *,
    delivery_id: UUID | None = None,
    promised_id: UUID | None = None,
) -> Outcome:
    """Start a run for one complete event unless it was seen, does not match, or the workflow rests.

    In the organization's scope, in one transaction with whatever says that the event was taken. promised_id: the id
    under which its key was noted already, when it was accepted. The decision that is written says what happened.
    BACKLOG_FULL: too many runs wait; neither the event nor its key was taken, and the caller offers it again later.
    """
    trigger = {
        "type": "provider",
        "key": row.key,
        "provider": str(row.settings["provider"]).lower(),
        "event": row.settings["event"],
        "body": declared.output(payload),
        "received_at": datetime.now(UTC).isoformat(),
        "delivery_id": key or None,
    }
    workflow = row.workflow

    def decided(
        reason: TriggerDecision.Reason, detail: dict[str, Any] | None = None, started: UUID | None = None
    ) -> Outcome:
        _decide(row, reason, detail, started, delivery_id=delivery_id)
        return Outcome(reason, started)

    resting = _resting(row)
    if resting is not None:
        return decided(resting)
    refused = _filtered(row, trigger)
    if refused is not None:
        return decided(*refused)
    held = plan_hold.as_fields(workflow.organization)
    plan = workflow.organization.plan
    if backlog.is_full(row.organization_id, plan, is_held=bool(held)):
        limit = {"limit": backlog.ceiling(plan, is_held=bool(held))}
        quiet(row, Reason.BACKLOG_FULL, limit, datetime.now(UTC))
        return Outcome(Reason.BACKLOG_FULL)
    execution_id = promised_id or uuid7()
    if key and promised_id is None and not _note(row, key, execution_id, delivery_id):
        return decided(Reason.DUPLICATE, {"key": key[:MAX_KEY]})
    try:
        start_execution(
            id=execution_id,
            organization_id=row.organization_id,
            workflow_id=row.workflow_id,
            version_id=workflow.published_version_id,
            triggered_by=Execution.TriggeredBy.WEBHOOK,
            trigger_key=row.key,
            input=trigger,
            **held,
        )
    except InputRefused as error:
        return decided(Reason.TOO_LARGE, {"message": str(error)})
    return decided(Reason.PLAN_LIMIT if held else Reason.STARTED, None, execution_id)


def config_of(row: Trigger) -> Mapping[str, Any]:
    """Return what the author filled in for the event."""
    found = row.settings.get("with")
    return found if isinstance(found, Mapping) else {}


def quiet(row: Trigger, reason: TriggerDecision.Reason, detail: dict[str, Any] | None, now: datetime) -> None:
    """Write a decision that would repeat every few minutes, but once an hour at most. Saves the row's state."""
    locked = Trigger.objects.select_for_update(of=("self",)).filter(pk=row.pk).first()
    if locked is None:
        return
    noted = locked.state.get("quiet") or {}
    if noted.get("reason") == reason and (now - datetime.fromisoformat(noted["at"])).total_seconds() < 3_600:
        return
    row.state = locked.state = {**locked.state, "quiet": {"reason": str(reason), "at": now.isoformat()}}
    locked.save(update_fields=["state"])
    _decide(row, reason, detail)


def active_rows() -> Any:
    """Return the active rows that listen to services, a queryset in the scope that is open."""
    return Trigger.objects.select_related("workflow__organization").filter(
        kind=Trigger.Kind.PROVIDER, is_active=True
    )


def decide_filtered(row: Trigger, delivery_id: UUID) -> None:
    """Write down that a complete event did not fit what the author asked for."""
    _decide(row, Reason.FILTERED, None, delivery_id=delivery_id)


def _resting(row: Trigger) -> TriggerDecision.Reason | None:
    workflow = row.workflow
    if workflow.status == workflow.Status.PAUSED:
        return Reason.PAUSED
    if workflow.status != workflow.Status.ACTIVE or workflow.published_version_id is None:
        return Reason.NOT_PUBLISHED
    return None


def _filtered(
    row: Trigger, trigger: dict[str, Any]
) -> tuple[TriggerDecision.Reason, dict[str, Any] | None] | None:
    if not row.settings.get("filter"):
        return None
    organization = row.workflow.organization
    scope = {
        "trigger": trigger,
        "workflow": {"id": str(row.workflow_id), "name": row.workflow.name},
        "organization": {
            "id": str(organization.pk),
            "name": organization.name,
            "timezone": organization.timezone,
        },
        "now": datetime.now(UTC),
    }
    try:
        condition: Any = getattr(parse_triggers([dict(row.settings)])[0], "filter", None)
        return None if compile_condition(condition).holds(scope) else (Reason.FILTERED, None)
    except MissingValue as error:
        return Reason.FILTERED, {"message": error.message}
    except (ExpressionError, DefinitionInvalid) as error:
        return Reason.INVALID_INPUT, {"message": str(error)}


def _note(row: Trigger, key: str, execution_id: UUID, delivery_id: UUID | None) -> bool:
    short = key if len(key) <= MAX_KEY else "sha256:" + hashlib.sha256(key.encode()).hexdigest()
    expires_at = datetime.now(UTC) + DEDUPE_LASTS
    values: list[Any] = [
        uuid7(), row.organization_id, row.workflow_id, row.key, short, delivery_id, execution_id, expires_at,
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(NOTE_KEY, values)
        return cursor.rowcount == 1


def _decide(
    row: Trigger,
    reason: TriggerDecision.Reason,
    detail: dict[str, Any] | None,
    execution_id: UUID | None = None,
    delivery_id: UUID | None = None,
) -> None:
    decisions.record(
        reason,
        workflow=row.workflow,
        trigger_key=row.key,
        kind=row.kind,
        detail=detail,
        delivery_id=delivery_id,
        execution_id=execution_id,
    )
