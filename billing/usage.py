"""What an organization used: read for pages, limits and the CSV."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Max, Sum
from django.db.models.functions import TruncDay
from django.utils import timezone

from accounts.models import Organization
from billing.models import UsageEntry, UsageMetric, UsageRecord
from billing.rollup import month_of

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Usage:
    """One metric over a period. cost: US dollars. forecast: the quantity at its end if it goes on so."""

    metric: UsageMetric
    quantity: int
    cost: Decimal
    forecast: int


def used_this_month(organization: Organization, metric: UsageMetric, now: datetime | None = None) -> int:
    """Return the metered quantity of this UTC month up to now: closed days from their records, the rest counted."""
    return _totals(organization, [metric], now or timezone.now())[metric][0]


def this_month(organization: Organization, now: datetime | None = None) -> list[Usage]:
    """Return what was used this month of everything that is metered."""
    now = now or timezone.now()
    start, end = month_of(now)
    elapsed = max((now - start) / (end - start), 1 / 31)
    metered = [UsageMetric.WORKFLOW_EXECUTIONS, UsageMetric.API_CALLS_MADE, UsageMetric.AI_TOKENS_USED]
    return [
        Usage(metric, quantity, cost, round(quantity / elapsed))
        for metric, (quantity, cost) in _totals(organization, metered, now).items()
    ]


def by_day(organization: Organization, metric: UsageMetric, days: int = 30) -> list[tuple[datetime, int]]:
    """Return (day, quantity) of the last `days` days, oldest first, today included."""
    first = (
        timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        - (days - 1) * ONE_DAY
    )
    rows = (
        UsageEntry.objects.filter(organization=organization, metric=metric, at__gte=first)
        .annotate(day=TruncDay("at", tzinfo=UTC))
        .values_list("day")
        .annotate(total=Sum("quantity"))
    )
    found = dict(rows)
    return [(day, found.get(day, 0)) for day in (first + number * ONE_DAY for number in range(days))]


def by_workflow(organization: Organization, metric: UsageMetric, limit: int = 10) -> list[dict[str, Any]]:
    """Return the workflows that used most this month: [{"workflow_id", "quantity", "cost"}]."""
    start, _end = month_of(timezone.now())
    return list(
        UsageEntry.objects.filter(
            organization=organization, metric=metric, at__gte=start, workflow_id__isnull=False
        )
        .values("workflow_id")
        .annotate(quantity=Sum("quantity"), cost=Sum("cost_usd"))
        .order_by("-quantity")[:limit]
    )


def csv_rows(organization: Organization) -> Iterator[list[str]]:
    """Yield the head and the daily and monthly records, newest first."""
    yield ["metric", "period start (UTC)", "period end (UTC)", "quantity", "cost (USD)"]
    records = UsageRecord.objects.filter(organization=organization).order_by(
        "-period_start", "period_end", "metric"
    )
    for record in records.iterator(chunk_size=1000):
        moments = [moment.astimezone(UTC).isoformat() for moment in (record.period_start, record.period_end)]
        yield [
            record.metric,
            *moments,
            str(record.quantity),
            str(record.cost if record.cost is not None else ""),
        ]


def _totals(
    organization: Organization, metrics: list[UsageMetric], now: datetime
) -> dict[UsageMetric, tuple[int, Decimal]]:
    start, end = month_of(now)
    closed = UsageRecord.objects.filter(
        organization=organization, period_start__gte=start, period_end__lte=end, details__closed=True
    ).exclude(period_start=start, period_end=end)
    counted_to = closed.aggregate(newest=Max("period_end"))["newest"] or start
    totals = {metric: (0, Decimal(0)) for metric in metrics}
    since = UsageEntry.objects.filter(
        organization=organization, metric__in=metrics, at__gte=counted_to, at__lt=end
    )
    for rows, cost in ((closed.filter(metric__in=metrics), "cost"), (since, "cost_usd")):
        for metric, quantity, money in rows.values_list("metric").annotate(Sum("quantity"), Sum(cost)):
            before = totals[UsageMetric(metric)]
            totals[UsageMetric(metric)] = (before[0] + quantity, before[1] + (money or 0))
    return totals
