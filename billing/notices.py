"""What owners are written to about their money: each matter once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts import mail
from accounts.models import Organization, User
from billing.dunning import GRACE
from billing.models import BillingNotice

PAGE = "/billing/"


def once(organization_id: UUID, kind: str, subject: str, period_start: datetime) -> bool:
    """Return whether this is the first time, and remember it; in the scope of the organization or a system scope."""
    _row, is_new = BillingNotice.objects.get_or_create(
        organization_id=organization_id, kind=kind, subject=subject[:80], period_start=period_start
    )
    return bool(is_new)


def payment_failed(organization_id: UUID, invoice: dict[str, Any]) -> None:
    """Tell the owners that a payment failed, once for each try."""
    subject = f"{invoice.get('id')}:{invoice.get('attempt_count', 0)}"
    if not once(organization_id, "payment_failed", subject, _created(invoice)):
        return
    _tell(
        organization_id,
        lambda: _("Your payment for Steward failed"),
        lambda: (
            _(
                "Stripe could not take the payment for your subscription. Your workflows go on for %(days)s days;"
                " then new runs wait until it is paid. Nothing is lost. Pay the invoice, or change your card."
            )
            % {"days": GRACE.days}
        ),
        invoice.get("hosted_invoice_url") or "",
        lambda: _("Pay the invoice"),
    )


def payment_needs_the_bank(organization_id: UUID, invoice: dict[str, Any]) -> None:
    """Tell the owners that their bank wants a confirmation."""
    if once(organization_id, "needs_the_bank", str(invoice.get("id")), _created(invoice)):
        _tell(
            organization_id,
            lambda: _("Your bank asks you to confirm the payment for Steward"),
            lambda: _("Open the invoice and confirm the payment with your bank. Until then it is not paid."),
            invoice.get("hosted_invoice_url") or "",
            lambda: _("Confirm the payment"),
        )


def trial_ends(organization_id: UUID, subscription: dict[str, Any]) -> None:
    """Tell the owners when the first payment is taken."""
    end = datetime.fromtimestamp(subscription.get("trial_end") or 0, UTC)
    if once(organization_id, "trial_ends", str(subscription.get("id")), end):
        _tell(
            organization_id,
            lambda: _("Your trial of Steward ends soon"),
            lambda: (
                _("Your trial ends on %(day)s. After that your card is charged, unless you cancel before.")
                % {"day": date_format(end, "j F Y")}
            ),
        )


def free_trial_ends(organization: Organization) -> bool:
    """Tell the owners that their trial without a card ends; return whether this was the first time."""
    end = organization.trial_ends_at
    if end is None or not once(organization.pk, "trial_ends", "free", end):
        return False
    _tell(
        organization.pk,
        lambda: _("Your trial of Steward ends soon"),
        lambda: (
            _(
                "Your trial ends on %(day)s. Choose a plan before, and your workflows go on without a break."
                " Otherwise new runs wait for you, and nothing is lost."
            )
            % {"day": date_format(end, "j F Y")}
        ),
        action=lambda: _("Choose a plan"),
    )
    return True


def subscription_ended(organization_id: UUID, subscription: dict[str, Any]) -> None:
    """Tell the owners that the subscription has ended and what that means."""
    if once(organization_id, "ended", str(subscription.get("id")), _created(subscription)):
        _tell(
            organization_id,
            lambda: _("Your subscription to Steward has ended"),
            lambda: _(
                "New runs wait from now on. Your workflows, connections and history stay as they are: choose a plan,"
                " and everything goes on."
            ),
            action=lambda: _("Choose a plan"),
        )


def _tell(
    organization_id: UUID, subject: Any, text: Any, url: str = "", action: Any = lambda: _("Open billing")
) -> None:
    """Write to every owner in their own language. subject, text and action are called under it."""
    owners = User.objects.filter(organization_id=organization_id, role=User.Role.OWNER, is_active=True)
    for owner in owners:
        with translation.override(owner.language or settings.LANGUAGE_CODE):
            context = {
                "subject": subject(),
                "text": text(),
                "action_url": url or f"{settings.BASE_URL}{PAGE}",
                "action_label": action(),
            }
            mail.send("emails/billing/notice", owner.email, context)


def _created(found: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(found.get("created") or 0, UTC)
