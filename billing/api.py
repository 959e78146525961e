"""Usage in the API: what the organization used this month, and what its plan allows."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from accounts.api.authentication import endpoint
from accounts.models import User
from accounts.models.api_key import Scope
from accounts.permissions import Permission
from billing import usage
from billing.entitlements import room
from billing.models import UsageMetric
from billing.plans import Limit
from billing.views.overview import organization_of

router = Router()
Metric = Literal["WORKFLOW_EXECUTIONS", "API_CALLS_MADE", "AI_TOKENS_USED"]


class MetricUsage(Schema):
    """One thing that is counted."""

    metric: Metric
    quantity: int
    cost_usd: Decimal
    forecast: int = Field(description="The month's quantity if it goes on so.")


class PlanRoom(Schema):
    """How much of a limit of the plan is used."""

    limit: Literal["monthly_runs", "members"]
    used: int
    allowed: int | None = Field(description="null: no bound.")


class UsageOut(Schema):
    """This month's usage."""

    plan: Literal["STARTER", "PROFESSIONAL", "ENTERPRISE"]
    period_start: datetime
    period_end: datetime
    metrics: list[MetricUsage]
    limits: list[PlanRoom]


class DayUsage(Schema):
    """What was used on one day (UTC)."""

    day: date
    quantity: int


class UsageDays(Schema):
    """Usage by day."""

    metric: Metric
    days: list[DayUsage]


class DaysQuery(Schema):
    """Which days to count."""

    metric: Metric = "WORKFLOW_EXECUTIONS"
    days: int = Field(30, ge=1, le=90)


@router.get("/usage", response=UsageOut, summary="Read this month's usage")
@endpoint(Scope.ADMIN_READ, Permission.VIEW_USAGE)
def get_usage(request: HttpRequest) -> Any:
    """Return what was used this month up to now, and what the plan allows."""
    organization = organization_of(request)
    month = usage.this_month(organization)
    runs = next(used for used in month if used.metric == UsageMetric.WORKFLOW_EXECUTIONS)
    rooms = [
        room(organization, Limit.MONTHLY_RUNS, runs.quantity),
        room(organization, Limit.MEMBERS, User.objects.filter(is_active=True).count()),
    ]
    start, end = usage.month_of(timezone.now())
    metrics: list[Any] = [
        {
            "metric": each.metric.value,
            "quantity": each.quantity,
            "cost_usd": each.cost,
            "forecast": each.forecast,
        }
        for each in month
    ]
    limits: list[Any] = [
        {"limit": each.limit.value, "used": each.used, "allowed": each.allowed} for each in rooms
    ]
    plan: Any = organization.plan
    return UsageOut(plan=plan, period_start=start, period_end=end, metrics=metrics, limits=limits)


@router.get("/usage/days", response=UsageDays, summary="Read usage by day")
@endpoint(Scope.ADMIN_READ, Permission.VIEW_USAGE)
def list_usage_days(request: HttpRequest, query: Query[DaysQuery]) -> Any:
    """Return what was used on each of the last days, oldest first, today included."""
    found = usage.by_day(organization_of(request), UsageMetric(query.metric), query.days)
    return UsageDays(
        metric=query.metric, days=[DayUsage(day=day.date(), quantity=quantity) for day, quantity in found]
    )
