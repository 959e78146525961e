"""What an owner does with money: buy, change, cancel, go on, look at invoices. Every call to Stripe may be repeated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Organization, User
from accounts.tenancy import organization_scope
from billing.models import Subscription
from billing.plans import Plan
from billing.prices import price_id
from billing.stripe_client import PaymentRefused, client, idempotent, in_plain_words
from billing.subscriptions import refresh

Status = Subscription.Status
LIVE = (Status.ACTIVE, Status.TRIALING, Status.PAST_DUE, Status.UNPAID)
SHORTEST_TRIAL = timedelta(hours=49)  # Stripe takes an end of trial that is at least 48 hours away


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change costs, before it is confirmed.

    due_cents: charged at once; negative: credit for later invoices. lines: (text, cents). prorated_at: the moment the
    figures are of; the change is made as of then, so that what was shown is what is charged.
    """

    due_cents: int
    lines: list[tuple[str, int]]
    prorated_at: datetime


@dataclass(frozen=True, slots=True)
class Invoice:
    """One invoice as the owner sees it. cents: its total."""

    number: str
    created: datetime
    status: str
    cents: int
    page_url: str
    pdf_url: str


def live_subscription(organization: Organization) -> Subscription | None:
    """Return what the organization in scope has at Stripe and has not ended, the newest first."""
    rows = Subscription.objects.filter(organization=organization, status__in=LIVE)
    found: Subscription | None = rows.exclude(stripe_subscription_id=None).order_by("-id").first()
    return found


def customer_of(organization: Organization, owner: User) -> str:
    """Return the organization's customer id at Stripe, made when there is none. Calls Stripe: not in a scope."""
    if organization.stripe_customer_id:
        return organization.stripe_customer_id
    parameters: Any = {
        "name": organization.name,
        "email": owner.email,
        "metadata": {"organization_id": str(organization.pk)},
    }
    with in_plain_words():
        made = client().v1.customers.create(parameters, idempotent(f"customer:{organization.pk}", parameters))
    with organization_scope(organization.pk):
        rows = Organization.objects.filter(pk=organization.pk, stripe_customer_id=None)
        rows.update(stripe_customer_id=made.id)
        organization.refresh_from_db(fields=["stripe_customer_id"])
    return str(organization.stripe_customer_id)


def start_checkout(organization: Organization, owner: User, plan: Plan, interval: str, attempt: str) -> str:
    """Return the address of Stripe's page where the plan is bought.

    attempt: a random text per shown form, so that a double click opens one page. What is left of a trial stays free.
    Raises PaymentRefused, also when there is a subscription that can be changed instead.
    """
    with organization_scope(organization.pk):
        if live_subscription(organization) is not None:
            raise PaymentRefused(_("You have a subscription already: change its plan instead."))
    customer = customer_of(organization, owner)
    about: dict[str, Any] = {"metadata": {"organization_id": str(organization.pk)}}
    if organization.trial_ends_at and organization.trial_ends_at > timezone.now() + SHORTEST_TRIAL:
        about["trial_end"] = int(organization.trial_ends_at.timestamp())
    parameters: Any = {
        "mode": "subscription",
        "customer": customer,
        "client_reference_id": str(organization.pk),
        "line_items": [{"price": price_id(plan, interval), "quantity": 1}],
        "subscription_data": about,
        "allow_promotion_codes": True,
        "success_url": f"{settings.BASE_URL}/billing/payment/done/?session={{CHECKOUT_SESSION_ID}}",
        "cancel_url": f"{settings.BASE_URL}/billing/",
    }
    if settings.STRIPE_AUTOMATIC_TAX:
        parameters["automatic_tax"] = {"enabled": True}
        parameters["customer_update"] = {"address": "auto", "name": "auto"}
        parameters["tax_id_collection"] = {"enabled": True}
    with in_plain_words():
        options = idempotent(f"checkout:{organization.pk}:{attempt}", parameters)
        session = client().v1.checkout.sessions.create(parameters, options)
    if not session.url:
        raise PaymentRefused(_("Stripe did not open its page. Try again in a minute."))
    return str(session.url)


def finish_checkout(organization: Organization, session_id: str) -> bool:
    """Return whether the organization has its subscription now, asking Stripe and believing nothing else.

    Raises PaymentRefused when the session is somebody else's.
    """
    with in_plain_words():
        session = client().v1.checkout.sessions.retrieve(session_id)
    if session.client_reference_id != str(organization.pk):
        raise PaymentRefused(_("This is not a payment of yours."))
    if session.status != "complete" or not organization.stripe_customer_id:
        return False
    refresh(organization.stripe_customer_id)
    with organization_scope(organization.pk):
        return live_subscription(organization) is not None


def portal(organization: Organization, owner: User) -> str:
    """Return the address of Stripe's page for cards, addresses, tax numbers and invoices."""
    parameters: Any = {
        "customer": customer_of(organization, owner),
        "return_url": f"{settings.BASE_URL}/billing/",
    }
    if settings.STRIPE_PORTAL_CONFIGURATION:
        parameters["configuration"] = settings.STRIPE_PORTAL_CONFIGURATION
    with in_plain_words():
        return str(client().v1.billing_portal.sessions.create(parameters).url)


def preview_change(subscription: Subscription, customer_id: str, plan: Plan, interval: str) -> Preview:
    """Return what changing the plan now would cost. Raises PaymentRefused."""
    prorated_at = timezone.now().replace(microsecond=0)
    parameters: Any = {
        "customer": customer_id,
        "subscription": subscription.stripe_subscription_id,
        "subscription_details": {
            "items": [{"id": subscription.stripe_item_id, "price": price_id(plan, interval)}],
            "proration_behavior": "always_invoice",
            "proration_date": int(prorated_at.timestamp()),
        },
    }
    with in_plain_words():
        invoice = client().v1.invoices.create_preview(parameters).to_dict()
    lines = [(str(line.get("description") or ""), int(line["amount"])) for line in invoice["lines"]["data"]]
    return Preview(int(invoice["total"]), lines, prorated_at)


def change(
    subscription: Subscription,
    customer_id: str,
    plan: Plan,
    interval: str,
    prorated_at: datetime,
    actor: User,
) -> None:
    """Change plan or interval at once, charging or crediting the difference. Raises PaymentRefused.

    Until the difference is paid the old plan stays.
    """
    parameters: Any = {
        "items": [{"id": subscription.stripe_item_id, "price": price_id(plan, interval)}],
        "proration_behavior": "always_invoice",
        "proration_date": int(prorated_at.timestamp()),
        "payment_behavior": "pending_if_incomplete",
    }
    _update(subscription, f"change:{int(prorated_at.timestamp())}", parameters)
    refresh(customer_id, actor=actor)


def set_cancelled(subscription: Subscription, customer_id: str, is_cancelled: bool, actor: User) -> None:
    """End the subscription with the paid period, or take that back. Raises PaymentRefused."""
    # The state it leaves is part of the key: cancelling, going on and cancelling again are three effects.
    effect = f"cancel:{is_cancelled}:{subscription.updated_at.timestamp()}"
    _update(subscription, effect, {"cancel_at_period_end": is_cancelled})
    refresh(customer_id, actor=actor)


def invoices(customer_id: str, limit: int = 12) -> list[Invoice]:
    """Return the newest invoices. Raises PaymentRefused."""
    with in_plain_words():
        page = client().v1.invoices.list({"customer": customer_id, "limit": limit})
    return [
        Invoice(
            number=str(found.number or ""),
            created=datetime.fromtimestamp(found.created, UTC),
            status=str(found.status),
            cents=int(found.total),
            page_url=str(found.hosted_invoice_url or ""),
            pdf_url=str(found.invoice_pdf or ""),
        )
        for found in page.data
        if found.status != "draft"
    ]


def organization_of_customer(customer_id: str) -> UUID | None:
    """Return the organization of a customer; in a system scope."""
    found: UUID | None = (
        Organization.objects.filter(stripe_customer_id=customer_id).values_list("pk", flat=True).first()
    )
    return found


def _update(subscription: Subscription, effect: str, parameters: Any) -> None:
    key = str(subscription.stripe_subscription_id)
    with in_plain_words():
        client().v1.subscriptions.update(key, parameters, idempotent(f"{key}:{effect}", parameters))
