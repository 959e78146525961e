"""Waking: tell the workers that there is something to do, once it is committed."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import connection, transaction

# A notification inside the transaction would hold PostgreSQL's global notification lock through the commit's write to
# disk: measured 3,700 one-row commits/s at 8 and at 32 clients, against 8,400 when it is sent after the commit, 13,000
# without any, and 1,200 for a queued job with a queueing lock (which also fails when two clients meet). A process that
# dies between the two delays the run by RUNNER_POLL_SECONDS at most: workers also look by themselves.
RUNS_CHANNEL = "steward_runs"
CANCEL_CHANNEL = "steward_cancel"
NOTIFY_WORKERS = f"NOTIFY {RUNS_CHANNEL}"
NOTIFY_WOKEN = f"NOTIFY {RUNS_CHANNEL}, 'woken'"

WAKE = """
UPDATE workflows_execution SET wake_at = now()
WHERE id = ANY(%s) AND status IN ('WAITING', 'RUNNING')
"""
RECONNECTED = """
UPDATE workflows_execution SET wake_at = now()
WHERE status = 'WAITING' AND organization_id = %s
  AND waiting_for @> jsonb_build_array(jsonb_build_object('kind', 'held_integration', 'key', %s::text))
"""


def wake(execution_ids: Iterable[UUID | str]) -> int:
    """Let waiting runs go on, as soon as the transaction that stored their answers is committed; return how many.

    Call it in the scope and transaction that stored the answers. A run that is being walked right now is taken up
    again when this walk ends, because it may have looked for answers before this one came.
    """
    with connection.cursor() as cursor:
        cursor.execute(WAKE, [[str(each) for each in execution_ids]])
        woken = cursor.rowcount
    if woken:
        notify_workers(woken=True)
    return woken


def integration_reconnected(organization_id: UUID, integration_id: UUID) -> int:
    """Let the runs that were held for an integration go on; return how many. Call it in a scope."""
    with connection.cursor() as cursor:
        cursor.execute(RECONNECTED, [organization_id, str(integration_id)])
        woken = cursor.rowcount
    if woken:
        notify_workers(woken=True)
    return woken


def notify_workers(*, woken: bool = False) -> None:
    """Tell the workers that there may be something to claim, after the commit of the transaction in progress.

    woken: waiting runs have become due, so that one of the workers must put them into the queue first.
    """
    transaction.on_commit(_notify_woken if woken else _notify, robust=True)


def _notify() -> None:
    with connection.cursor() as cursor:
        cursor.execute(NOTIFY_WORKERS)


def _notify_woken() -> None:
    with connection.cursor() as cursor:
        cursor.execute(NOTIFY_WOKEN)
