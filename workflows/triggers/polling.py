"""Looking into services, by the clock or because a delivery says that something is new: nothing skipped or repeated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from accounts.tenancy import organization_scope, system_scope
from integrations import health
from integrations.framework import (
    Connector,
    PermanentError,
    Poll,
    ReconnectError,
    Request,
    Response,
    TemporaryError,
    registry,
)
from integrations.framework.client import Client
from integrations.framework.execute import send_request
from integrations.framework.polling import Look, look
from integrations.models import Integration
from workflows.models import Trigger, TriggerDecision
from workflows.triggers import provider, subscriptions

Reason = TriggerDecision.Reason
BATCH = 200
SHORTEST_SECONDS = 60
CURSOR = "cursor"


@dataclass(frozen=True, slots=True)
class Asked:
    """Everything a look needs besides credentials, read in a scope so that the look itself can be outside of one."""

    connector: Connector
    poll: Poll
    config: Mapping[str, Any]
    cursor: dict[str, Any] | None
    integration_id: UUID


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
            poll = declared.looks if declared else None
            seconds = max(poll.interval_seconds, SHORTEST_SECONDS) if poll else 86_400
            row.next_fire_at = now + timedelta(seconds=seconds)
            row.save(update_fields=["next_fire_at"])
        return [(str(row.organization_id), str(row.pk)) for row in rows]


def poll_once(organization_id: str, trigger_id: str, now: datetime) -> int:
    """Look once, start a run for each new item, oldest first, and keep the cursor with them; return how many runs.

    The look happens outside any transaction. When another look finished meanwhile, this one's findings are dropped.
    What fails is left to a later look, which begins at the same cursor: it is said in a decision, once an hour.
    """
    with organization_scope(organization_id):
        row = provider.active_rows().filter(pk=trigger_id).first()
        asked = _asked(row, now) if row is not None else None
    if asked is None:
        return 0
    try:
        usable = health.credentials_for_use(UUID(organization_id), asked.integration_id)
        found = health.call_with(usable, lambda account, client: _look(asked, account, client))
    except (ReconnectError, PermanentError, TemporaryError) as error:
        note_failure(organization_id, trigger_id, error.message, now)
        if isinstance(error, TemporaryError) and error.retry_after:
            _put_off(organization_id, trigger_id, now + timedelta(seconds=error.retry_after))
        return 0
    except Integration.DoesNotExist:
        return 0  # disconnected this very moment
    with organization_scope(organization_id):
        return _take(trigger_id, asked, found, usable.account, now)


def note_failure(organization_id: str, trigger_id: str, message: str, now: datetime) -> None:
    """Write down, once an hour, that a service could not be asked, and why."""
    with organization_scope(organization_id):
        row = Trigger.objects.select_related("workflow").filter(pk=trigger_id).first()
        if row is not None:
            provider.quiet(row, Reason.INTEGRATION_BROKEN, {"message": message}, now)


async def _look(asked: Asked, account: health.Usable, client: Client) -> Look:
    async def send(request: Request) -> Response:
        return await send_request(
            asked.connector,
            request,
            account.credentials,
            account.account,
            client=client,
            pace_key=str(account.id),
        )

    return await look(asked.poll, asked.config, asked.cursor, send, account=account.account)


def _asked(row: Trigger, now: datetime) -> Asked | None:
    declared = provider.declared_trigger(row)
    poll = declared.looks if declared is not None else None
    if declared is None or poll is None:
        return None
    integration = Integration.objects.filter(pk=row.integration_id).first() if row.integration_id else None
    if integration is None:
        provider.quiet(row, Reason.INTEGRATION_BROKEN, None, now)
        return None
    config = dict(provider.config_of(row))
    if declared.fetch is not None:
        state = subscriptions.state_of(row)
        if not state:
            return None  # nothing can be asked before the service knows us
        config["subscription"] = {name: value for name, value in state.items() if name != "secret"}
    return Asked(registry.get(integration.provider), poll, config, row.state.get(CURSOR), integration.pk)


def _take(trigger_id: str, asked: Asked, found: Look, account: Mapping[str, Any], now: datetime) -> int:
    row = provider.active_rows().select_for_update(of=("self",)).filter(pk=trigger_id).first()
    declared = provider.declared_trigger(row) if row is not None else None
    if row is None or declared is None or row.state.get(CURSOR) != asked.cursor:
        return 0
    started = 0
    for key, item in found.items:
        if declared.is_for(item, asked.config, account):
            outcome = provider.start_for_event(row, declared, item, key)
            if outcome.reason == Reason.BACKLOG_FULL:
                return started  # the cursor stays, so that the next look finds the rest; keys keep out what has begun
            started += outcome.execution_id is not None
    row.state = {**row.state, CURSOR: found.cursor}
    row.last_fire_at = now
    row.save(update_fields=["state", "last_fire_at"])
    if not found.items:
        provider.quiet(row, Reason.NO_NEW_ITEMS, None, now)
    return started


def _put_off(organization_id: str, trigger_id: str, until: datetime) -> None:
    with organization_scope(organization_id):
        Trigger.objects.filter(pk=trigger_id, is_active=True, next_fire_at__lt=until).update(
            next_fire_at=until
        )
