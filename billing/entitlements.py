"""May this organization do that? The one question that other apps ask of billing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Organization
from billing.dunning import paying, payment_problem_for
from billing.models import Subscription, UsageMetric
from billing.plans import PLANS, Limit, Plan, plan_of
from billing.usage import used_this_month

__all__ = [
    "PLANS",
    "Limit",
    "LimitReached",
    "Plan",
    "Room",
    "UsageMetric",
    "claim",
    "concurrency_caps",
    "is_charged",
    "may_start_runs",
    "payment_problem_for",
    "plan_of",
    "room",
    "used_this_month",
]

CHARGED = (Subscription.Status.ACTIVE, Subscription.Status.TRIALING, Subscription.Status.PAST_DUE)


class LimitReached(Exception):
    """The plan does not allow one more; `str()` is a sentence for the person who tried."""

    def __init__(self, limit: Limit, allowed: int, plan: Plan) -> None:
        self.limit, self.allowed, self.plan = limit, allowed, plan
        super().__init__(
            _("The %(plan)s plan allows %(allowed)s %(noun)s. Pause or remove one, or choose a larger plan.")
            % {"plan": plan.name, "allowed": allowed, "noun": limit.noun}
        )


@dataclass(frozen=True, slots=True)
class Room:
    """How much of a limit is used. allowed None: no bound."""

    limit: Limit
    used: int
    allowed: int | None

    @property
    def is_full(self) -> bool:
        return self.allowed is not None and self.used >= self.allowed

    @property
    def left(self) -> int | None:
        return None if self.allowed is None else max(0, self.allowed - self.used)

    @property
    def percent(self) -> int:
        """Whole percent used, at most 100; 0 where there is no bound."""
        return 0 if not self.allowed else min(100, round(100 * self.used / self.allowed))


def room(organization: Organization, limit: Limit, used: int) -> Room:
    """Return how much room there is, for pages that tell before one tries."""
    return Room(limit, used, plan_of(organization).allows(limit))


def claim(organization_id: Any, limit: Limit, count: Callable[[], int]) -> None:
    """Make sure that one more fits, in the transaction that adds it; raises LimitReached.

    count: counts what is there; called while the organization's row is locked, so that of two parallel requests the
    second counts what the first added. Call it inside the scope, before the write.
    """
    # NO KEY UPDATE: rows of runs that refer to the organization are not held up.
    organization = Organization.objects.select_for_update(no_key=True).get(pk=organization_id)
    plan = plan_of(organization)
    allowed = plan.allows(limit)
    if allowed is not None and count() >= allowed:
        raise LimitReached(limit, allowed, plan)


def may_start_runs(organization: Organization) -> bool:
    """Return whether runs start now: on trial, paid for, or a few days overdue. Else they are held, never dropped."""
    if organization.trial_ends_at is None or organization.is_on_trial:
        return True
    return Subscription.objects.filter(paying(), organization=organization).exists()


def concurrency_caps() -> dict[str, int]:
    """Return plan code -> how many runs of one organization may be in progress at once."""
    return {code: plan.concurrent_runs for code, plan in PLANS.items()}


def is_charged(organization: Organization) -> bool:
    """Return whether Stripe goes on charging: a paid subscription that nobody has cancelled."""
    rows = Subscription.objects.filter(
        organization=organization, status__in=CHARGED, cancel_at_period_end=False
    )
    return rows.exclude(stripe_subscription_id=None).exists()
