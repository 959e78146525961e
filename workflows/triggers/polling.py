"""Looking into services that do not call us: when, and what a look found, neither skipped nor repeated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from accounts.tenancy import organization_scope, system_scope
from integrations import credentials
from integrations.calls import call
from integrations.framework import Connector, Poll, ReconnectError, registry
from integrations.framework.client import Client
from integrations.framework.crypto import DecryptionFailed
from integrations.framework.execute import send_request
from integrations.framework.polling import Look, look
from integrations.models import Integration
from workflows.models import Trigger, TriggerDecision
from workflows.triggers import provider

logger = structlog.get_logger(__name__)
Reason = TriggerDecision.Reason
BATCH = 200
SHORTEST_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """Everything a look needs, read in a scope so that the look itself can be outside of one."""

    connector: Connector
    poll: Poll
    config: Mapping[str, Any]
    cursor: dict[str, Any] | None
    account: Mapping[str, Any]
    integration_id: str
    credentials: Mapping[str, Any] = field(repr=False, default_factory=dict)


def due_polls(now: datetime) -> list[tuple[str, str]]:
    """Claim the rows whose look is due and plan their next one; return (organization id, trigger id) pairs.

    Any number of processes may call it at once: a row is claimed by one.
    """
    with system_scope("plan looks into services"):
        rows = list(
            Trigger.objects.select_for_update(of=("self",), skip_locked=True)
            .filter(kind=Trigger.Kind.PROVIDER, is_active=True, next_fire_at__lte=now)
            .order_by("next_fire_at")[:BATCH]
        )
        for row in rows:
            declared = provider.declared_trigger(row)
            seconds = (
                max(declared.poll.interval_seconds, SHORTEST_SECONDS)
                if declared and declared.poll
                else 86_400
            )
            row.next_fire_at = now + timedelta(seconds=seconds)
            row.save(update_fields=["next_fire_at"])
        return [(str(row.organization_id), str(row.pk)) for row in rows]


def poll_once(organization_id: str, trigger_id: str, now: datetime) -> int:
    """Look once, start a run for each new item, oldest first, and keep the cursor with them; return how many runs.

    The look happens outside any transaction. When another look finished meanwhile, this one's findings are dropped.
    Raises integrations.framework.ConnectorError for failures that a later look may not have.
    """
    with organization_scope(organization_id):
        row = provider.active_rows().filter(pk=trigger_id).first()
        asked = _asked(row, now) if row is not None else None
    if asked is None:
        return 0
    try:
        found = call(lambda client: _look(asked, client))
    except ReconnectError as error:
        note_failure(organization_id, trigger_id, str(error), now)
        return 0
    with organization_scope(organization_id):
        return _take(trigger_id, asked, found, now)


async def _look(asked: Asked, client: Client) -> Look:
    async def send(request: Any) -> Any:
        return await send_request(
            asked.connector,
            request,
            asked.credentials,
            asked.account,
            client=client,
            pace_key=asked.integration_id,
        )

    return await look(asked.poll, asked.config, asked.cursor, send, account=asked.account)


def _asked(row: Trigger, now: datetime) -> Asked | None:
    declared = provider.declared_trigger(row)
    if declared is None or declared.poll is None:
        return None
    integration = Integration.objects.filter(pk=row.integration_id).first() if row.integration_id else None
    if integration is None or not integration.is_usable:
        provider.quiet(
            row, Reason.INTEGRATION_BROKEN, {"message": integration.status_reason if integration else ""}, now
        )
        row.save(update_fields=["state"])
        return None
    try:
        secrets = credentials.read(integration)
    except DecryptionFailed:
        provider.quiet(row, Reason.INTEGRATION_BROKEN, None, now)
        row.save(update_fields=["state"])
        return None
    return Asked(
        connector=registry.get(integration.provider),
        poll=declared.poll,
        config=dict(provider.config_of(row)),
        cursor=row.state.get("cursor"),
        account=integration.settings or {},
        integration_id=str(integration.pk),
        credentials=secrets,
    )


def _take(trigger_id: str, asked: Asked, found: Look, now: datetime) -> int:
    row = (
        Trigger.objects.select_for_update(of=("self",))
        .select_related("workflow__organization")
        .filter(pk=trigger_id, is_active=True)
        .first()
    )
    declared = provider.declared_trigger(row) if row is not None else None
    if row is None or declared is None or row.state.get("cursor") != asked.cursor:
        return 0
    started: list[UUID] = []
    for key, item in found.items:
        if declared.accepts is not None and not declared.accepts(item, asked.config, asked.account):
            continue
        execution_id = provider.start_for_event(row, declared, item, key)
        if execution_id is not None:
            started.append(execution_id)
    row.state = {**row.state, "cursor": found.cursor}
    row.last_fire_at = now
    if not found.items:
        provider.quiet(row, Reason.NO_NEW_ITEMS, None, now)
    row.save(update_fields=["state", "last_fire_at"])
    return len(started)


def note_failure(organization_id: str, trigger_id: str, message: str, now: datetime) -> None:
    """Write down, once an hour, that a service could not be asked, and why."""
    with organization_scope(organization_id):
        row = Trigger.objects.select_related("workflow").filter(pk=trigger_id).first()
        if row is not None:
            provider.quiet(row, Reason.INTEGRATION_BROKEN, {"message": message}, now)
            row.save(update_fields=["state"])
