"""What our staff gives without payment: a plan for a time, or a longer trial."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from accounts.audit import record
from billing.models import BillingGrant, Subscription
from billing.subscriptions import change_plan


def grant(given: BillingGrant, actor: Any) -> None:
    """Put a saved grant into force and into the organization's audit trail; in a system scope.

    A granted plan is a subscription that Stripe knows nothing of; it ends by itself, see billing.reconcile.
    """
    organization, kind = given.organization, given.kind
    before = {"plan": organization.plan, "trial_ends_at": str(organization.trial_ends_at)}
    if kind == BillingGrant.Kind.TRIAL:
        organization.trial_ends_at = given.until
        organization.save(update_fields=["trial_ends_at", "updated_at"])
    else:
        Subscription.objects.create(
            organization=organization,
            plan=given.plan,
            status=Subscription.Status.ACTIVE,
            current_period_start=timezone.now(),
            current_period_end=given.until,
            cancel_at=given.until,
            cancel_at_period_end=True,
        )
    change_plan(organization, given.plan, actor=actor)
    record(
        "plan.granted",
        actor=actor,
        target=organization,
        before=before,
        after={"kind": kind, "plan": given.plan, "until": str(given.until), "reason": given.reason},
        organization_id=organization.pk,
    )
