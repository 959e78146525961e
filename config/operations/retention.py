"""Keeps runs, logs and usage for as long as each organization chose, and not longer.

Whole months leave as partitions; what is left of younger months is deleted in batches. A run that has not finished is
kept whatever its age.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.models import Organization
from accounts.tenancy import first_uuid7, system_scope

LOG_DAYS = 30
COMPLETED_DAYS = 90
FAILED_DAYS = 180
USAGE_DAYS = 730
BATCH = 10_000
MAX_BATCHES = 500  # of one kind per night; the rest goes the next night


def apply_retention(now: datetime | None = None) -> str:
    """Remove what is past its time everywhere, and say how much. now: injected by tests."""
    now = now or timezone.now()
    with system_scope("drop months past retention"):
        dropped = _drop_old_months(now)
        organizations = list(Organization.objects.order_by("pk"))
    counts = {"runs": 0, "log lines": 0, "AI exchanges": 0, "usage rows": _delete_usage(now)}
    _delete_allowances(now)
    for organization in organizations:
        counts["AI exchanges"] += _delete_exchanges(organization, now)
        counts["log lines"] += _delete_logs(organization, now)
        counts["runs"] += _delete_runs(organization, now)
    removed = ", ".join(f"{count} {what}" for what, count in counts.items())
    return f"dropped {len(dropped)} partitions; removed {removed}"


def _drop_old_months(now: datetime) -> list[str]:
    """Drop months in which every organization's time is over and no run is unfinished."""
    longest = max(
        [FAILED_DAYS, COMPLETED_DAYS, LOG_DAYS]
        + [
            days
            for row in Organization.objects.values_list(
                "completed_retention_days", "failed_retention_days"
            ).distinct()
            for days in row
            if days is not None
        ]
    )
    keep_from = (now - timedelta(days=longest)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    dropped: list[str] = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT to_date(right(relname, 7), 'YYYY_MM') FROM pg_class"
            " WHERE relispartition AND relkind = 'r' AND relname ~ '^workflows_execution_[0-9]{4}_[0-9]{2}$' ORDER BY 1"
        )
        months = [month for (month,) in cursor.fetchall() if month < keep_from.date()]
        for month in months:
            start = datetime(month.year, month.month, 1, tzinfo=now.tzinfo)
            bounds = [first_uuid7(start), first_uuid7((start + timedelta(days=32)).replace(day=1))]
            cursor.execute(
                "SELECT EXISTS (SELECT 1 FROM workflows_execution WHERE id >= %s AND id < %s"
                " AND status IN ('PENDING', 'RUNNING', 'WAITING'))",
                bounds,
            )
            if cursor.fetchone()[0]:
                continue
            # Not partitioned, and pointing at runs of the month: detaching would refuse.
            for table in ("workflows_approval", "workflows_resumetoken", "workflows_aiexchange"):
                cursor.execute(f"DELETE FROM {table} WHERE execution_id >= %s AND execution_id < %s", bounds)  # noqa: S608
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # nothing deferred may hang on a table that goes
            cursor.execute("SELECT steward_drop_month(%s)", [month])
            dropped += [name for (name,) in cursor.fetchall()]
    return dropped


def _delete_logs(organization: Organization, now: datetime) -> int:
    before = first_uuid7(now - timedelta(days=organization.log_retention_days or LOG_DAYS))
    return _delete_in_batches(
        "DELETE FROM workflows_executionlog WHERE (execution_id, id) IN (SELECT execution_id, id"
        " FROM workflows_executionlog WHERE organization_id = %s AND execution_id < %s LIMIT %s)",
        [organization.pk, before],
    )


def _delete_exchanges(organization: Organization, now: datetime) -> int:
    """What models were asked and answered is kept as long as the logs: it is as personal as they are."""
    before = first_uuid7(now - timedelta(days=organization.log_retention_days or LOG_DAYS))
    return _delete_in_batches(
        "DELETE FROM workflows_aiexchange WHERE id IN (SELECT id FROM workflows_aiexchange"
        " WHERE organization_id = %s AND id < %s LIMIT %s)",
        [organization.pk, before],
    )


def _delete_allowances(now: datetime) -> None:
    """Forget what was reserved and spent under caps that no longer hold: of runs and months long over."""
    over = now - timedelta(days=USAGE_DAYS)
    for table, condition in (
        ("workflows_aireservation", "status <> 'RESERVED' AND deadline_at < %s"),
        ("workflows_aiallowance", "updated_at < %s"),
    ):
        days = LOG_DAYS if table.endswith("reservation") else USAGE_DAYS
        _delete_in_batches(
            f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE {condition} LIMIT %s)",  # noqa: S608
            [max(over, now - timedelta(days=days))],
        )


def _delete_runs(organization: Organization, now: datetime) -> int:
    removed = 0
    for statuses, days in (
        (["COMPLETED", "CANCELLED"], organization.completed_retention_days or COMPLETED_DAYS),
        (["FAILED", "TIMEOUT"], organization.failed_retention_days or FAILED_DAYS),
    ):
        removed += _delete_in_batches(
            "DELETE FROM workflows_execution WHERE id IN (SELECT id FROM workflows_execution"
            " WHERE organization_id = %s AND id < %s AND status = ANY(%s) AND completed_at < %s LIMIT %s)",
            [organization.pk, first_uuid7(now - timedelta(days=days)), statuses, now - timedelta(days=days)],
        )
    return removed


def _delete_usage(now: datetime) -> int:
    return _delete_in_batches(
        "DELETE FROM billing_usagerecord WHERE (id, period_start) IN"
        " (SELECT id, period_start FROM billing_usagerecord WHERE period_end < %s LIMIT %s)",
        [now - timedelta(days=USAGE_DAYS)],
    )


def _delete_in_batches(statement: str, parameters: list[Any]) -> int:
    """Run a DELETE with a LIMIT as its last parameter until it finds nothing more, each batch committed by itself."""
    removed = 0
    for _ in range(MAX_BATCHES):
        with system_scope("delete what is past retention"), connection.cursor() as cursor:
            cursor.execute(statement, [*parameters, BATCH])
            batch = cursor.rowcount
        removed += batch
        if batch < BATCH:
            break
    return removed
