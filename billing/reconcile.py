"""Every night: what Stripe has against what we have; differences are repaired and told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db.models import Q
from django.utils import timezone

from accounts.models import Organization
from accounts.tenancy import system_scope
from billing import notices, stripe_events
from billing.models import Subscription
from billing.stripe_client import client, in_plain_words, is_configured
from billing.subscriptions import apply, fields_of

logger = structlog.get_logger(__name__)
REMIND_BEFORE = timedelta(days=3)


def reconcile() -> str:
    """Compare every subscription with Stripe's and repair ours; return what was found. Raises PaymentRefused."""
    if not is_configured():
        return "off: STRIPE_SECRET_KEY is not set"
    asked_at = timezone.now()
    at_stripe: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for subscription in _all_subscriptions():
        at_stripe[str(subscription["customer"])].append(subscription)
    with system_scope("reconcile with Stripe"):
        found = Organization.objects.exclude(stripe_customer_id=None)
        ours = {str(customer): key for customer, key in found.values_list("stripe_customer_id", "pk")}
    drifted = []
    for customer, organization_id in ours.items():
        differences = _differences(organization_id, at_stripe[customer])
        apply(customer, at_stripe[customer], asked_at)
        if differences:
            drifted.append(organization_id)
            logger.warning("stripe knew more", organization=str(organization_id), differences=differences)
    strangers = sorted(customer for customer in at_stripe if customer not in ours)
    if strangers:
        logger.warning("customers at stripe without an organization", customers=strangers[:20])
    return (
        f"{len(ours)} customers, {len(drifted)} differed and were repaired"
        f" ({', '.join(map(str, drifted[:20])) or 'none'}), {len(strangers)} are not ours;"
        f" {stripe_events.retry_open()}"
    )


def look_at_dates() -> str:
    """Remind of trials that end, and end what our staff granted for a time."""
    now = timezone.now()
    with system_scope("look at the dates of plans"):
        ending = Organization.objects.filter(trial_ends_at__range=(now, now + REMIND_BEFORE))
        paying = Q(status__in=[Subscription.Status.ACTIVE, Subscription.Status.TRIALING])
        busy = set(Subscription.objects.filter(paying).values_list("organization_id", flat=True))
        reminded = sum(
            notices.free_trial_ends(organization) for organization in ending if organization.pk not in busy
        )
        ended = Subscription.objects.filter(
            paying, stripe_subscription_id=None, current_period_end__lt=now
        ).update(status=Subscription.Status.CANCELLED)
    return f"reminded {reminded} of their trial, ended {ended} granted plans"


def _all_subscriptions() -> Iterator[dict[str, Any]]:
    parameters: Any = {"status": "all", "limit": 100, "expand": ["data.latest_invoice"]}
    with in_plain_words():
        for subscription in client().v1.subscriptions.list(parameters).auto_paging_iter():
            yield subscription.to_dict()


def _differences(organization_id: UUID, subscriptions: list[dict[str, Any]]) -> list[str]:
    """Return `subscription: field` for everything that Stripe has otherwise."""
    found = []
    with system_scope("compare with Stripe"):
        rows = {
            row.stripe_subscription_id: row
            for row in Subscription.objects.filter(organization_id=organization_id)
        }
    for subscription in subscriptions:
        fields, row = fields_of(subscription), rows.get(subscription["id"])
        if fields is None:
            continue
        if row is None:
            found.append(f"{subscription['id']}: unknown to us")
            continue
        found += [
            f"{subscription['id']}: {name}" for name, value in fields.items() if getattr(row, name) != value
        ]
    return found
