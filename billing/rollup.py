"""Adds the entries of usage up to days and months. Recomputed from the entries each time, so it may run twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import connection
from django.utils import timezone

from accounts.tenancy import system_scope

# A transaction that began just before midnight may commit its entries after it; until then a day stays open.
LATE = timedelta(hours=1)

_SUM = """
INSERT INTO billing_usagerecord AS record
  (id, organization_id, metric, quantity, cost, period_start, period_end, details, created_at)
SELECT gen_random_uuid(), organization_id, metric, sum(quantity), sum(cost_usd), %(start)s, %(end)s,
       jsonb_build_object('closed', %(closed)s::boolean), now()
FROM billing_usageentry
WHERE at >= %(start)s AND at < %(end)s
GROUP BY organization_id, metric
ON CONFLICT (organization_id, metric, period_start, period_end) DO UPDATE
SET quantity = excluded.quantity, cost = excluded.cost, details = excluded.details
WHERE (record.quantity, record.cost, record.details)
      IS DISTINCT FROM (excluded.quantity, excluded.cost, excluded.details)
"""

_OPEN_SINCE = """
SELECT coalesce(
  (SELECT max(period_end) FROM billing_usagerecord
   WHERE (details->>'closed')::boolean AND period_end - period_start = interval '1 day'),
  (SELECT min(at) FROM billing_usageentry))
"""


def roll_up(now: datetime | None = None) -> str:
    """Write the records of every day that is not closed yet, and their months. Returns what it did.

    Days close in order, however long the job was not run: what is closed has no gap.
    """
    now = (now or timezone.now()).astimezone(UTC)
    written = 0
    with system_scope("roll usage up"), connection.cursor() as cursor:
        cursor.execute(_OPEN_SINCE)
        first = cursor.fetchone()[0] or now
        for start, end in _periods(first, now):
            cursor.execute(_SUM, {"start": start, "end": end, "closed": now >= end + LATE})
            written += cursor.rowcount
    return f"wrote {written} usage records"


def _periods(first: datetime, now: datetime) -> list[tuple[datetime, datetime]]:
    """Return the days from that of `first` to that of `now`, and then their months."""
    day = first.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [(day + timedelta(days=n), day + timedelta(days=n + 1)) for n in range((now - day).days + 1)]
    return days + sorted({month_of(start) for start, _end in days})


def month_of(moment: datetime) -> tuple[datetime, datetime]:
    """Return the first instant of the UTC month of `moment`, and of the month after it."""
    start = moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return start, (start + timedelta(days=32)).replace(day=1)
