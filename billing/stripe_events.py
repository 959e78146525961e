"""What Stripe tells us: checked, stored once, answered at once, and worked on by the queue until it is done.

No handler believes the event's own copy of a subscription: each reads the customer's subscriptions anew, so events may
come twice, late, in any order or not at all (the nightly reconciliation finds the rest).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.tenancy import organization_scope, system_scope
from billing import notices
from billing.models import StripeEvent
from billing.payment import organization_of_customer
from billing.subscriptions import refresh

logger = structlog.get_logger(__name__)

TOLERANCE_SECONDS = 300
KEPT_DAYS = 90
# Events after which a customer's subscriptions may be others than before.
REFRESHING = (
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "customer.subscription.",
    "invoice.finalized",
    "invoice.paid",
    "invoice.payment_failed",
    "invoice.payment_action_required",
    "invoice.voided",
    "invoice.marked_uncollectible",
)
# Type -> what an owner is written to about.
TELLING = {
    "invoice.payment_failed": notices.payment_failed,
    "invoice.payment_action_required": notices.payment_needs_the_bank,
    "checkout.session.async_payment_failed": notices.payment_failed,
    "customer.subscription.trial_will_end": notices.trial_ends,
    "customer.subscription.deleted": notices.subscription_ended,
}
# Type -> why our own staff should look.
ALARMING = {
    "invoice.finalization_failed": "an invoice could not be finalised: tax or address",
    "charge.dispute.created": "a customer disputes a charge",
    "customer.deleted": "a customer was deleted at Stripe",
}


class SignatureWrong(Exception):
    """The delivery is not Stripe's, or too old."""


def verify(body: bytes, header: str) -> dict[str, Any]:
    """Return the event of a delivery. Raises SignatureWrong.

    Every secret of STRIPE_WEBHOOK_SECRET (separated by commas, for rotation) is tried.
    """
    import stripe

    for secret in filter(None, (part.strip() for part in settings.STRIPE_WEBHOOK_SECRET.split(","))):
        try:
            stripe.WebhookSignature.verify_header(body.decode(), header, secret, TOLERANCE_SECONDS)
            event: dict[str, Any] = json.loads(body)
            return event
        except stripe.SignatureVerificationError:
            continue
        except (ValueError, UnicodeDecodeError):
            break
    raise SignatureWrong


def accept(event: dict[str, Any]) -> bool:
    """Store an event and queue its work; return False when it is stored already. In one transaction."""
    from billing.tasks import handle

    with transaction.atomic():
        _row, is_new = StripeEvent.objects.get_or_create(
            stripe_id=event["id"],
            defaults={
                "type": event["type"],
                "payload": event,
                "stripe_created_at": datetime.fromtimestamp(event["created"], UTC),
            },
        )
        if is_new:
            # One customer's events one after the other: an older answer of Stripe's is never written last.
            customer = customer_of(event)
            handle.configure(lock=f"stripe.{customer}" if customer else None).defer(event_id=event["id"])
        return is_new


def work_on(event_id: str) -> None:
    """Do what an event asks for, once. Raises PaymentRefused while Stripe does not answer; the queue tries again."""
    row = StripeEvent.objects.get(pk=event_id)
    if row.processed_at is not None:
        return
    StripeEvent.objects.filter(pk=event_id).update(attempts=row.attempts + 1)
    try:
        organization_id = _read_again(row)
    except Exception as error:
        StripeEvent.objects.filter(pk=event_id).update(error=f"{type(error).__name__}: {error}"[:2000])
        raise
    with system_scope("finish an event of Stripe's"):
        # Locked, so that an event worked on twice at the same moment still writes to people once.
        locked = StripeEvent.objects.select_for_update().get(pk=event_id)
        if locked.processed_at is not None:
            return
        locked.processed_at, locked.error, locked.organization_id = timezone.now(), "", organization_id
        locked.save(update_fields=["processed_at", "error", "organization"])
        if organization_id is not None and (tell := TELLING.get(row.type)):
            with organization_scope(organization_id):
                tell(organization_id, row.payload["data"]["object"])
    if alarm := ALARMING.get(row.type):
        logger.error("stripe needs a look", reason=alarm, event_id=event_id)


def customer_of(event: dict[str, Any]) -> str | None:
    """Return the id of the customer that an event is about."""
    found = event["data"]["object"]
    customer = found.get("id") if found.get("object") == "customer" else found.get("customer")
    return customer.get("id") if isinstance(customer, dict) else customer


def replay(event_id: str) -> None:
    """Queue a stored event anew, whatever became of it. What people were told once they are not told again."""
    from billing.tasks import handle

    with transaction.atomic():
        StripeEvent.objects.filter(pk=event_id).update(processed_at=None, error="")
        handle.defer(event_id=event_id)


def retry_open() -> str:
    """Queue again what was not finished, and remove what is past its time."""
    from billing.tasks import handle

    stale = timezone.now() - timedelta(minutes=15)
    keys = list(
        StripeEvent.objects.filter(processed_at=None, received_at__lt=stale).values_list("pk", flat=True)[
            :500
        ]
    )
    for key in keys:
        handle.configure(queueing_lock=f"stripe.{key}").defer(event_id=key)
    old = StripeEvent.objects.filter(
        received_at__lt=timezone.now() - timedelta(days=KEPT_DAYS), processed_at__isnull=False
    )
    removed, _per_model = old.delete()
    return f"queued {len(keys)} events again, removed {removed}"


def _read_again(row: StripeEvent) -> UUID | None:
    customer = customer_of(row.payload)
    if not customer:
        return None
    if row.type.startswith(REFRESHING):
        return refresh(customer)
    with system_scope("find the customer of an event"):
        return organization_of_customer(customer)
