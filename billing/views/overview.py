"""What the organization has, uses and could have."""

from __future__ import annotations

import csv
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format

from accounts.models import Organization, User
from accounts.permissions import Permission, may, requires
from accounts.tenancy import organization_scope
from billing import usage
from billing.entitlements import UsageMetric, plan_of, room
from billing.models import Subscription
from billing.payment import live_subscription
from billing.plans import PLANS, Limit, Plan
from billing.prices import INTERVALS


@requires(Permission.VIEW_USAGE)
def overview(request: HttpRequest) -> HttpResponse:
    """Show the plan, this month's usage with a forecast, and the price list. Payment is the owner's alone."""
    organization = organization_of(request)
    month = usage.this_month(organization)
    runs = next(used for used in month if used.metric == UsageMetric.WORKFLOW_EXECUTIONS)
    days = usage.by_day(organization, UsageMetric.WORKFLOW_EXECUTIONS)
    live = live_subscription(organization)
    interval = request.GET.get("interval") or (live.interval if live else "month")
    context = {
        "plan": plan_of(organization),
        "offers": offers(interval, live),
        "interval": interval if interval in INTERVALS else "month",
        "live": live,
        "attempt": secrets.token_urlsafe(16),
        "month": month,
        "rooms": [
            room(organization, Limit.MONTHLY_RUNS, runs.quantity),
            room(organization, Limit.MEMBERS, User.objects.filter(is_active=True).count()),
        ],
        "labels": [date_format(day, "j M") for day, _quantity in days],
        "series": [{"name": str(UsageMetric.WORKFLOW_EXECUTIONS.label), "values": [n for _day, n in days]}],
        "subscription": live or Subscription.objects.filter(organization=organization).first(),
        "may_pay": may(request.user, Permission.MANAGE_BILLING),
        "can_charge": bool(settings.STRIPE_SECRET_KEY),
        "month_end": usage.month_of(timezone.now())[1],
    }
    return render(request, "billing/overview.html", context)


@dataclass(frozen=True, slots=True)
class Offer:
    """One card of the price list. is_larger: more than what the organization pays for now."""

    plan: Plan
    cents: int
    is_current: bool
    is_larger: bool


def offers(interval: str, live: Subscription | None) -> list[Offer]:
    """Return the price list for an interval, seen from what the organization has."""
    now = PLANS[live.plan].monthly_cents if live else 0
    return [
        Offer(
            plan,
            plan.yearly_cents if interval == "year" else plan.monthly_cents,
            live is not None and (live.plan, live.interval) == (plan.code, interval),
            plan.monthly_cents > now,
        )
        for plan in PLANS.values()
    ]


@requires(Permission.VIEW_USAGE)
def usage_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Download every usage record as CSV."""
    organization = organization_of(request)

    def lines() -> Iterator[str]:
        # A stream runs after the request's scope has closed.
        with organization_scope(organization.pk):
            for row in usage.csv_rows(organization):
                yield writer.writerow(row)

    writer: Any = csv.writer(_Echo())
    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="steward-usage.csv"'
    return response


def organization_of(request: HttpRequest) -> Organization:
    """Return the organization of the signed-in person, whom the permission check has let in."""
    organization: Organization = request.user.organization  # type: ignore[union-attr, assignment]
    return organization


class _Echo:
    """A file that hands each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line
