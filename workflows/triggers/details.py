"""Events that start a run later: their details are fetched first, or the line was full when they came.

A job does it, after the event is on disk. Its dedupe key and the id of its run are fixed when the event is accepted.
However often the job is tried, there is one run; and it is tried for days, because the service, the connection or the
line may need that long.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import connection
from django.utils.translation import gettext as _
from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.jobs import Job

from accounts.tenancy import organization_scope
from integrations import health, inbound
from integrations.framework import Inbound, PermanentError, ReconnectError, Request, Response, registry
from integrations.framework.client import Client
from integrations.framework.execute import send_request
from integrations.framework.polling import complete
from integrations.models import InboundDelivery, Integration
from workflows.models import Execution, Trigger, TriggerDecision, WebhookDelivery
from workflows.triggers import backlog, provider

logger = structlog.get_logger(__name__)
Reason = TriggerDecision.Reason
TASK = "workflows.fetch_details"
FIRST_WAIT = 5.0  # seconds; doubled with each try
LONGEST_WAIT = 3_600.0
MOST_TRIES = (
    130  # five days: services are repaired and connections renewed within that, deliveries are kept for seven
)
HASTEN = (
    "UPDATE procrastinate_jobs SET scheduled_at = now()"
    " WHERE status = 'todo' AND task_name = %s AND args->>'integration_id' = %s"
)


class LineFull(Exception):
    """Too many runs of the organization wait already; the event is offered again after `retry_after` seconds."""

    retry_after = backlog.RETRY_SECONDS


class Patience(BaseRetryStrategy):
    """Try again for days: soon at first, then every hour, and not before the service wants to be asked."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if job.attempts >= MOST_TRIES:
            return None
        wait = min(FIRST_WAIT * 2.0 ** min(job.attempts, 12), LONGEST_WAIT)
        if isinstance(exception, ReconnectError):
            wait = LONGEST_WAIT  # until somebody reconnects it, which hastens the job
        wait = max(wait, float(getattr(exception, "retry_after", None) or 0))
        return RetryDecision(retry_in={"seconds": int(wait)})


def queue(row: Trigger, stored: provider.Stored, key: str, execution_id: UUID) -> None:
    """Queue the fetching for one stored event, in the transaction that stores it."""
    from workflows.triggers import jobs

    jobs.fetch_details.defer(
        organization_id=str(row.organization_id),
        trigger_id=str(row.pk),
        integration_id=str(row.integration_id or ""),
        source=stored.source,
        delivery_id=str(stored.delivery_id),
        position=stored.position,
        key=key,
        execution_id=str(execution_id),
    )


def hasten(integration_id: UUID) -> int:
    """Let what waits for an account be fetched now; return how much. In the transaction that heals the account."""
    with connection.cursor() as cursor:
        cursor.execute(HASTEN, [TASK, str(integration_id)])
        return cursor.rowcount


def fetch(
    *,
    organization_id: str,
    trigger_id: str,
    integration_id: str,
    source: str,
    delivery_id: str,
    position: int,
    key: str,
    execution_id: str,
) -> bool:
    """Fetch what a stored event names and start its run; return whether one was started.

    A second call for the same event does nothing. A failure is written down, once an hour, and raised: ConnectorError,
    or LineFull.
    """
    with organization_scope(organization_id):
        row = provider.active_rows().filter(pk=trigger_id).first()
        if row is None or Execution.objects.filter(pk=execution_id).exists():
            return False
        event = _event(row, source, delivery_id, position)
        integration = Integration.objects.filter(pk=integration_id).first() if integration_id else None
    declared = provider.declared_trigger(row)
    if event is None or declared is None:
        logger.warning("an event is gone before its details were fetched", trigger=trigger_id)
        return False
    whole, account = event, (integration.settings if integration else None) or {}
    if declared.follow_up is not None:
        whole, account = _whole(row, declared.follow_up, event, organization_id, integration_id)
    with organization_scope(organization_id):
        locked = provider.active_rows().select_for_update(of=("self",)).filter(pk=trigger_id).first()
        if locked is None or Execution.objects.filter(pk=execution_id).exists():
            return False
        if not declared.is_for(whole, provider.config_of(locked), account):
            provider.decide_filtered(locked, UUID(delivery_id))
            return False
        outcome = provider.start_for_event(
            locked, declared, whole, key, delivery_id=UUID(delivery_id), promised_id=UUID(execution_id)
        )
    if outcome.reason == Reason.BACKLOG_FULL:
        raise LineFull
    return outcome.execution_id is not None


def _whole(
    row: Trigger, follow_up: Any, event: Any, organization_id: str, integration_id: str
) -> tuple[Any, Mapping[str, Any]]:
    """Return the event with its details, and the account that was asked. Raises ConnectorError, written down."""
    connector = registry.get(str(row.settings["provider"]))

    async def ask(account: health.Usable, client: Client) -> Any:
        async def send(request: Request) -> Response:
            return await send_request(
                connector,
                request,
                account.credentials,
                account.account,
                client=client,
                pace_key=str(account.id),
            )

        return await complete(follow_up, event, account.account, send)

    try:
        if not integration_id:
            raise PermanentError(_("The connection that received this event was removed."))
        usable = health.credentials_for_use(UUID(organization_id), UUID(integration_id))
        return health.call_with(usable, ask), usable.account
    except health.ConnectorError as error:
        _note_failure(organization_id, str(row.pk), error)
        raise


def _event(row: Trigger, source: str, delivery_id: str, position: int) -> Any:
    if source == "account":
        delivery = InboundDelivery.objects.select_related("integration").filter(pk=delivery_id).first()
        events = inbound.events_of(delivery, everything=True) if delivery is not None else []
        return next((event.payload for event in events if event.position == position), None)
    stored = WebhookDelivery.objects.filter(pk=delivery_id).first()
    webhooks = provider.webhooks_of(row)
    if stored is None or webhooks is None:
        return None
    headers = {**stored.headers, "content-type": stored.content_type}
    at = stored.received_at.timestamp()
    found = webhooks.split(Inbound(stored.method, stored.path, headers, bytes(stored.body), at))
    return found[position] if position < len(found) else None


def _note_failure(organization_id: str, trigger_id: str, error: health.ConnectorError) -> None:
    is_broken = isinstance(error, ReconnectError)
    with organization_scope(organization_id):
        row = provider.active_rows().filter(pk=trigger_id).first()
        if row is not None:
            reason = Reason.INTEGRATION_BROKEN if is_broken else Reason.DETAILS_AWAITED
            provider.quiet(row, reason, {"message": error.message}, datetime.now(UTC))
