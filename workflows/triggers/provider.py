"""Events of connected services: which workflows one starts, whether it came by webhook or by looking."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import connection

from accounts.tenancy import uuid7
from integrations.framework import Inbound, registry
from integrations.framework import Trigger as DeclaredTrigger
from integrations.inbound import Event
from integrations.models import Integration
from workflows.definition.conditions import compile_condition
from workflows.definition.expressions import ExpressionError, MissingValue
from workflows.definition.problems import DefinitionInvalid
from workflows.definition.schema import parse_triggers
from workflows.models import Execution, Trigger, TriggerDecision
from workflows.runner.start import InputRefused, start_execution
from workflows.triggers import decisions, plan_hold
from workflows.triggers.intake import DEDUPE_LASTS

logger = structlog.get_logger(__name__)
Reason = TriggerDecision.Reason
MAX_KEY = 200
NOTE_KEY = """
INSERT INTO workflows_dedupekey
  (id, organization_id, workflow_id, trigger_key, key, delivery_id, execution_id, expires_at)
VALUES (%s, %s, %s, %s, %s, NULL, %s, %s)
ON CONFLICT (organization_id, workflow_id, trigger_key, key) DO NOTHING
"""


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


def handle_inbound(integration: Integration | None, provider: str, events: Sequence[Event]) -> None:
    """Start what an accepted delivery to an account or to our application starts; in the organization's scope.

    Registered with integrations.inbound, which calls it once for each event and in the transaction that notes so.
    """
    if integration is None:
        return
    rows = Trigger.objects.select_related("workflow__organization").filter(
        kind=Trigger.Kind.PROVIDER, is_active=True, integration_id=integration.pk
    )
    for row in rows:
        declared = declared_trigger(row)
        if declared is None or declared.poll is not None:
            continue
        for event in events:
            if declared.wants(event.name, event.payload, config_of(row), integration.settings or {}):
                start_for_event(row, declared, event.payload, event.key)


def receive(row: Trigger, inbound: Inbound, account: Mapping[str, Any]) -> int:
    """Start what a proved delivery to one trigger's own address starts; return how many runs. In its scope."""
    declared = declared_trigger(row)
    if declared is None:
        return 0
    webhooks = registry.get(row.settings["provider"]).webhooks_of(declared)
    if webhooks is None:
        return 0
    started = 0
    for event in webhooks.split(inbound):
        name = webhooks.event_name(inbound, event)
        if declared.wants(name, event, config_of(row), account):
            started += start_for_event(row, declared, event, webhooks.event_id(inbound, event)) is not None
        else:
            _decide(row, Reason.FILTERED, {"event": name[:100]})
    return started


def start_for_event(row: Trigger, declared: DeclaredTrigger, payload: Any, key: str) -> UUID | None:
    """Start a run for one event unless it was seen, does not match, or the workflow rests; the decision says which.

    In the organization's scope, in one transaction with whatever says that the event was taken.
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
    if workflow.status != workflow.Status.ACTIVE or workflow.published_version_id is None:
        _decide(
            row, Reason.PAUSED if workflow.status == workflow.Status.PAUSED else Reason.NOT_PUBLISHED, None
        )
        return None
    refused = _filtered(row, trigger)
    if refused is not None:
        _decide(row, *refused)
        return None
    held = plan_hold.as_fields(workflow.organization)
    execution_id = uuid7()
    if key and not _note(row, key, execution_id):
        _decide(row, Reason.DUPLICATE, {"key": key[:MAX_KEY]})
        return None
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
        _decide(row, Reason.TOO_LARGE, {"message": str(error)})
        return None
    _decide(row, Reason.PLAN_LIMIT if held else Reason.STARTED, None, execution_id)
    return execution_id


def config_of(row: Trigger) -> Mapping[str, Any]:
    """Return what the author filled in for the event."""
    found = row.settings.get("with")
    return found if isinstance(found, Mapping) else {}


def quiet(row: Trigger, reason: TriggerDecision.Reason, detail: dict[str, Any] | None, now: datetime) -> None:
    """Write a decision that would repeat every few minutes, but once an hour at most."""
    noted = row.state.get("quiet") or {}
    if noted.get("reason") == reason and (now - datetime.fromisoformat(noted["at"])).total_seconds() < 3_600:
        return
    row.state = {**row.state, "quiet": {"reason": str(reason), "at": now.isoformat()}}
    _decide(row, reason, detail)


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


def _note(row: Trigger, key: str, execution_id: UUID) -> bool:
    short = key if len(key) <= MAX_KEY else "sha256:" + hashlib.sha256(key.encode()).hexdigest()
    expires_at = datetime.now(UTC) + DEDUPE_LASTS
    with connection.cursor() as cursor:
        cursor.execute(
            NOTE_KEY,
            [uuid7(), row.organization_id, row.workflow_id, row.key, short, execution_id, expires_at],
        )
        return cursor.rowcount == 1


def _decide(
    row: Trigger,
    reason: TriggerDecision.Reason,
    detail: dict[str, Any] | None,
    execution_id: UUID | None = None,
) -> None:
    decisions.record(
        reason,
        workflow=row.workflow,
        trigger_key=row.key,
        kind=row.kind,
        detail=detail,
        execution_id=execution_id,
    )


def active_rows() -> Any:
    """Return the active rows that listen to services, a queryset in the scope that is open."""
    return Trigger.objects.select_related("workflow__organization").filter(
        kind=Trigger.Kind.PROVIDER, is_active=True
    )
