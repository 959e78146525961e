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
from workflows.triggers import account_subscriptions, details, polling, subscriptions

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
    polling.poll_once(organization_id, trigger_id, datetime.now(UTC))


def look_soon(organization_id: str, trigger_id: str) -> None:
    """Queue a look because the service said that something is new; one that waits already will find it too."""
    _once(look, f"look/{trigger_id}", organization_id=organization_id, trigger_id=trigger_id)


@app.task(name=details.TASK, queue=QUEUE, retry=details.Patience())
def fetch_details(
    organization_id: str,
    trigger_id: str,
    integration_id: str,
    source: str,
    delivery_id: str,
    position: int,
    key: str,
    execution_id: str,
) -> None:
    """Fetch what an accepted event only names, and start its run."""
    details.fetch(
        organization_id=organization_id,
        trigger_id=trigger_id,
        integration_id=integration_id,
        source=source,
        delivery_id=delivery_id,
        position=position,
        key=key,
        execution_id=execution_id,
    )


@app.task(queue=QUEUE, retry=RETRY)
def subscribe(organization_id: str, trigger_id: str, anew: bool = False) -> None:
    """Tell a service our address. What fails for good is tried again every hour, for somebody may have mended it."""
    try:
        subscriptions.subscribe(organization_id, trigger_id, anew=anew)
    except (PermanentError, ReconnectError) as error:
        polling.note_failure(organization_id, trigger_id, str(error), datetime.now(UTC))


@app.task(queue=QUEUE, retry=RETRY)
def unsubscribe(organization_id: str, trigger_id: str, **held: Any) -> None:
    """Tell a service that our address is no longer meant; one that no longer knows us needs no word."""
    try:
        subscriptions.unsubscribe(organization_id, trigger_id, **held)
    except (PermanentError, ReconnectError):
        return


@app.task(queue=QUEUE, retry=RETRY)
def settle_account(organization_id: str, integration_id: str) -> None:
    """Tell a service which events of an account are wanted, where one address takes them all."""
    try:
        account_subscriptions.settle(organization_id, integration_id)
    except (PermanentError, ReconnectError):
        return  # the account says what it lacks; it is tried again every hour


def settle(organization_id: str, integration_id: str) -> None:
    """Queue settle_account, one at a time for each account, in the transaction that changed what is wanted."""
    lock = f"settle/{integration_id}"
    try:
        with transaction.atomic():
            job = settle_account.configure(queueing_lock=lock, lock=lock)
            job.defer(organization_id=organization_id, integration_id=integration_id)
    except AlreadyEnqueued:
        return


@app.periodic(cron="17 * * * *")
@app.task(queue=QUEUE, queueing_lock="workflows.plan_renewals")
def plan_renewals(timestamp: int) -> None:
    """Queue the renewal of subscriptions that end soon, and the making of those that could not be made."""
    with system_scope("find subscriptions that end soon"):
        due = subscriptions.due_for_renewal(datetime.now(UTC))
        missing = subscriptions.missing()
        shared = account_subscriptions.unsettled()
    for organization_id, trigger_id in missing:
        _once(subscribe, f"subscribe/{trigger_id}", organization_id=organization_id, trigger_id=trigger_id)
    for organization_id, integration_id in shared:
        settle(organization_id, integration_id)
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
    """Queue a job unless the same one waits already; one that is running does not count, and is not overtaken."""
    try:
        with transaction.atomic():
            task.configure(queueing_lock=lock, lock=lock).defer(**arguments)
    except AlreadyEnqueued:
        return  # the one that waits will do
