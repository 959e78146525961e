"""A payment that is missing: how long runs go on, and what people are shown meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from accounts.models import Organization
from billing.models import Subscription

# Stripe tries the card again several times in this time; then runs are held, and nothing is lost.
GRACE = timedelta(days=10)
Status = Subscription.Status


@dataclass(frozen=True, slots=True)
class PaymentProblem:
    """What the banner on every page says. until: when runs are held, None when they are already."""

    kind: str  # PAST_DUE, STOPPED or TRIAL_OVER
    until: datetime | None
    pay_url: str


def paying(now: datetime | None = None) -> Q:
    """Return the condition of subscriptions that let runs start: paid, on trial, or overdue for less than the grace."""
    now = now or timezone.now()
    return Q(status__in=[Status.ACTIVE, Status.TRIALING]) | Q(
        Q(past_due_since__isnull=True) | Q(past_due_since__gt=now - GRACE), status=Status.PAST_DUE
    )


def problem_of(organization: Organization) -> PaymentProblem | None:
    """Return what is wrong with the payment of the organization in scope, or None. One query."""
    rows = list(Subscription.objects.filter(organization=organization).order_by("-id")[:5])
    overdue = next((row for row in rows if row.status == Status.PAST_DUE), None)
    if any(row.status in (Status.ACTIVE, Status.TRIALING) for row in rows):
        return None
    if overdue is not None:
        end = overdue.past_due_since + GRACE if overdue.past_due_since else None
        is_over = end is not None and end <= timezone.now()
        return PaymentProblem(
            "STOPPED" if is_over else "PAST_DUE", None if is_over else end, overdue.open_invoice_url
        )
    if organization.trial_ends_at is None or organization.is_on_trial:
        return None
    unpaid = next((row for row in rows if row.status == Status.UNPAID), None)
    if unpaid is not None:
        return PaymentProblem("STOPPED", None, unpaid.open_invoice_url)
    return PaymentProblem("STOPPED" if rows else "TRIAL_OVER", None, "")


def payment_problem_for(person: Any) -> PaymentProblem | None:
    """Return what the banner of a signed-in person says; in their organization's scope."""
    organization = getattr(person, "organization", None)
    return problem_of(organization) if organization is not None else None
