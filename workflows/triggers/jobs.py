"""Background jobs of triggers: looks into services, and subscriptions at them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from accounts.tenancy import system_scope
from integrations.framework import PermanentError, ReconnectError, TemporaryError
from workflows.triggers import polling, subscriptions

QUEUE = "triggers"
RETRY = RetryStrategy(max_attempts=8, exponential_wait=5, retry_exceptions=[TemporaryError])


@app.periodic(cron="* * * * *")
@app.task(queue=QUEUE, queueing_lock="workflows.plan_looks")
def plan_looks(timestamp: int) -> None:
    """Queue the looks into services that are due."""
    for organization_id, trigger_id in polling.due_polls(datetime.now(UTC)):
        _once(look, f"look/{trigger_id}", organization_id=organization_id, trigger_id=trigger_id)


@app.task(queue=QUEUE)
def look(organization_id: str, trigger_id: str) -> None:
    """Look for new items; a failure is left to the next look, which comes anyway."""
    try:
        polling.poll_once(organization_id, trigger_id, datetime.now(UTC))
    except (TemporaryError, PermanentError) as error:
        polling.note_failure(organization_id, trigger_id, str(error), datetime.now(UTC))


@app.task(queue=QUEUE, retry=RETRY)
def subscribe(organization_id: str, trigger_id: str) -> None:
    """Tell a service our address."""
    try:
        subscriptions.subscribe(organization_id, trigger_id)
    except (PermanentError, ReconnectError) as error:
        polling.note_failure(organization_id, trigger_id, str(error), datetime.now(UTC))


@app.task(queue=QUEUE, retry=RETRY)
def unsubscribe(organization_id: str, trigger_id: str, **held: Any) -> None:
    """Tell a service that our address is no longer meant; one that no longer knows us needs no word."""
    try:
        subscriptions.unsubscribe(organization_id, trigger_id, **held)
    except (PermanentError, ReconnectError):
        return


@app.periodic(cron="17 * * * *")
@app.task(queue=QUEUE, queueing_lock="workflows.plan_renewals")
def plan_renewals(timestamp: int) -> None:
    """Queue the renewal of subscriptions that end soon."""
    with system_scope("find subscriptions that end soon"):
        due = subscriptions.due_for_renewal(datetime.now(UTC))
    for organization_id, trigger_id in due:
        _once(renew, f"renew/{trigger_id}", organization_id=organization_id, trigger_id=trigger_id)


@app.task(queue=QUEUE, retry=RETRY)
def renew(organization_id: str, trigger_id: str) -> None:
    """Prolong one subscription."""
    try:
        subscriptions.renew(organization_id, trigger_id)
    except (PermanentError, ReconnectError) as error:
        polling.note_failure(organization_id, trigger_id, str(error), datetime.now(UTC))


def _once(task: Any, lock: str, **arguments: str) -> None:
    try:
        with transaction.atomic():
            task.configure(queueing_lock=lock).defer(**arguments)
    except AlreadyEnqueued:
        return  # the one that waits will do
