"""What Stripe says an organization has bought, written into our rows: the only place that does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog
from django.utils import timezone

from accounts.audit import record
from accounts.models import Organization
from accounts.tenancy import system_scope
from billing.models import Subscription
from billing.prices import plan_of_price
from billing.stripe_client import client, in_plain_words

logger = structlog.get_logger(__name__)
Status = Subscription.Status

# https://docs.stripe.com/api/subscriptions/object#subscription_object-status
STATUS_OF = {
    "active": Status.ACTIVE,
    "trialing": Status.TRIALING,
    "past_due": Status.PAST_DUE,
    "canceled": Status.CANCELLED,
    "incomplete_expired": Status.CANCELLED,
    "unpaid": Status.UNPAID,
    "paused": Status.UNPAID,
    "incomplete": Status.INCOMPLETE,
}
# Of several, the one that decides the plan: the first of these that there is.
DECIDING = (Status.ACTIVE, Status.TRIALING, Status.PAST_DUE)
COMPARED = ("plan", "interval", "status", "cancel_at_period_end", "current_period_end")


def fetch(customer_id: str) -> list[dict[str, Any]]:
    """Return every subscription of a customer as Stripe has it now, ended ones included. Raises PaymentRefused."""
    parameters: Any = {
        "customer": customer_id,
        "status": "all",
        "limit": 100,
        "expand": ["data.latest_invoice"],
    }
    with in_plain_words():
        page = client().v1.subscriptions.list(parameters)
        return [subscription.to_dict() for subscription in page.auto_paging_iter()]


def refresh(customer_id: str, *, actor: Any = None) -> UUID | None:
    """Read a customer's subscriptions at Stripe and write them down; return its organization, None for a stranger.

    Calls Stripe, so it belongs in no scope. Raises PaymentRefused.
    """
    asked_at = timezone.now()
    return apply(customer_id, fetch(customer_id), asked_at, actor=actor)


def apply(
    customer_id: str, subscriptions: list[dict[str, Any]], asked_at: datetime, *, actor: Any = None
) -> UUID | None:
    """Write down what Stripe answered at `asked_at`; an answer older than what a row says changes nothing.

    Returns the customer's organization, None when there is none. In one transaction.
    """
    with system_scope("write down what Stripe says"):
        organization = (
            Organization.objects.select_for_update(no_key=True).filter(stripe_customer_id=customer_id).first()
        )
        if organization is None:
            return None
        for subscription in subscriptions:
            _write(organization, subscription, asked_at, actor)
        _decide_plan(organization, actor)
        return organization.pk


def fields_of(subscription: dict[str, Any]) -> dict[str, Any] | None:
    """Return our columns for a subscription of Stripe's, None when none of our plans is in it."""
    item = next(
        (each for each in subscription["items"]["data"] if plan_of_price(each["price"]) is not None), None
    )
    if item is None:
        return None
    price, invoice = item["price"], subscription.get("latest_invoice")
    is_open = isinstance(invoice, dict) and invoice.get("status") == "open"
    return {
        "stripe_price_id": price["id"],
        "stripe_item_id": item["id"],
        "plan": plan_of_price(price),
        "interval": (price.get("recurring") or {}).get("interval") or "month",
        "status": STATUS_OF[subscription["status"]],
        # Periods belong to the items since API version 2025-03-31.
        "current_period_start": _moment(item["current_period_start"]),
        "current_period_end": _moment(item["current_period_end"]),
        "trial_end": _moment(subscription.get("trial_end")),
        "cancel_at": _moment(subscription.get("cancel_at")),
        "cancel_at_period_end": bool(subscription.get("cancel_at_period_end")),
        "open_invoice_url": (invoice.get("hosted_invoice_url") or "") if is_open else "",  # type: ignore[union-attr]
    }


def _write(organization: Organization, subscription: dict[str, Any], asked_at: datetime, actor: Any) -> None:
    fields = fields_of(subscription)
    if fields is None:
        logger.warning("a subscription has none of our prices", subscription=subscription["id"])
        return
    row = Subscription.objects.filter(stripe_subscription_id=subscription["id"]).first()
    if row is not None and row.organization_id != organization.pk:
        logger.error("a subscription belongs to another customer", subscription=subscription["id"])
        return
    if row is not None and row.stripe_updated_at and row.stripe_updated_at > asked_at:
        return
    before = {name: str(getattr(row, name)) for name in COMPARED} if row else None
    if row is None:
        row = Subscription(organization=organization, stripe_subscription_id=subscription["id"])
    for name, value in fields.items():
        setattr(row, name, value)
    if row.status != Status.PAST_DUE:
        row.past_due_since = None
    elif row.past_due_since is None:
        row.past_due_since = asked_at
    row.stripe_updated_at = asked_at
    row.save()
    after = {name: str(getattr(row, name)) for name in COMPARED}
    if before != after:
        changed = [name for name in COMPARED if before is None or before[name] != after[name]]
        record(
            "subscription.started" if before is None else "subscription.changed",
            actor=actor,
            target=row,
            before={name: before[name] for name in changed} if before else None,
            after={name: after[name] for name in changed},
            organization_id=organization.pk,
        )


def _decide_plan(organization: Organization, actor: Any) -> None:
    """Give the organization the plan of what it pays for. Without anything it keeps its plan, and its runs wait."""
    rows = list(Subscription.objects.filter(organization=organization, status__in=DECIDING).order_by("-id"))
    rows.sort(key=lambda row: DECIDING.index(row.status))
    if rows:
        change_plan(organization, rows[0].plan, actor=actor)


def change_plan(organization: Organization, plan: str, *, actor: Any) -> None:
    """Set the plan and write it into the audit trail, unless it is the plan already; in a system scope."""
    if organization.plan == plan:
        return
    before, organization.plan = organization.plan, plan
    organization.save(update_fields=["plan", "updated_at"])
    record(
        "plan.changed",
        actor=actor,
        target=organization,
        before={"plan": before},
        after={"plan": plan},
        organization_id=organization.pk,
    )


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
