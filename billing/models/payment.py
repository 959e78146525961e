"""What was bought, what Stripe told us, and what our staff gave."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization
from accounts.tenancy import OrganizationOwned, RowLevelSecurity


class Subscription(OrganizationOwned):
    """What an organization bought at Stripe."""

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE", _("Active")
        TRIALING = "TRIALING", _("Trial")
        PAST_DUE = "PAST_DUE", _("Payment failed")
        CANCELLED = "CANCELLED", _("Cancelled")
        UNPAID = "UNPAID", _("Unpaid")
        INCOMPLETE = "INCOMPLETE", _("Incomplete")

    class Interval(models.TextChoices):
        MONTH = "month", _("monthly")
        YEAR = "year", _("yearly")

    stripe_subscription_id = models.CharField(max_length=255, unique=True, null=True, blank=True)
    stripe_price_id = models.CharField(max_length=255, null=True, blank=True)
    stripe_item_id = models.CharField(max_length=255, blank=True, db_default="", default="")
    plan = models.CharField(max_length=12, choices=Organization.Plan)
    interval = models.CharField(max_length=5, choices=Interval, default="month", db_default="month")
    status = models.CharField(max_length=10, choices=Status)
    current_period_start = models.DateTimeField()
    current_period_end = models.DateTimeField()
    trial_end = models.DateTimeField(null=True, blank=True)
    # Since when the last payment is missing; runs go on for a while, see billing.dunning.
    past_due_since = models.DateTimeField(null=True, blank=True)
    # Where the owner pays the open invoice, at Stripe.
    open_invoice_url = models.TextField(blank=True, db_default="", default="")
    cancel_at = models.DateTimeField(null=True, blank=True)
    cancel_at_period_end = models.BooleanField(default=False)
    # When Stripe was asked for what this row says: an answer to an earlier question never overwrites it.
    stripe_updated_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(OrganizationOwned.Meta):
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["organization", "-id"], name="subscription_of_org"),
            models.Index(fields=["status"], name="subscription_by_status"),
        ]
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(
                condition=Q(
                    status__in=["ACTIVE", "TRIALING", "PAST_DUE", "CANCELLED", "UNPAID", "INCOMPLETE"]
                ),
                name="subscription_status_known",
            ),
            RowLevelSecurity(name="subscription_rls"),
        ]

    def __str__(self) -> str:
        return f"{self.get_plan_display()} ({self.get_status_display()})"


class StripeEvent(models.Model):
    """An event Stripe sent, stored once and handled until it is done. Global: it arrives before the tenant is known."""

    stripe_id = models.CharField(max_length=255, primary_key=True)
    type = models.CharField(max_length=80)
    payload = models.JSONField()
    stripe_created_at = models.DateTimeField()
    received_at = models.DateTimeField(auto_now_add=True)
    processed_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    organization = models.ForeignKey(
        Organization, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )

    class Meta:
        ordering = ["-received_at"]
        indexes = [
            models.Index(
                fields=["received_at"], condition=Q(processed_at__isnull=True), name="stripe_event_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.stripe_id}"


class BillingGrant(OrganizationOwned):
    """A plan or a longer trial that our staff gave, and why. Written once, never changed."""

    class Kind(models.TextChoices):
        TRIAL = "TRIAL", _("Longer trial")
        PLAN = "PLAN", _("Plan without payment")

    kind = models.CharField(max_length=5, choices=Kind)
    plan = models.CharField(max_length=12, choices=Organization.Plan)
    until = models.DateTimeField()
    reason = models.CharField(max_length=300)
    # A text and no reference: our staff belong to no organization, and the record outlives an account.
    granted_by = models.CharField(max_length=254)
    granted_at = models.DateTimeField(auto_now_add=True)

    class Meta(OrganizationOwned.Meta):
        ordering = ["-id"]
        indexes = [models.Index(fields=["organization", "-id"], name="grant_of_org")]
        constraints: ClassVar[list[Any]] = [RowLevelSecurity(name="grant_rls")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.plan} until {self.until:%Y-%m-%d}"


class BillingNotice(OrganizationOwned):
    """That somebody was told of something once: an allowance nearly used up, a trial that ends, a missing payment.

    kind and subject name the matter, such as ("usage", "monthly_runs:100"); period_start tells which time it was.
    """

    kind = models.CharField(max_length=20)
    subject = models.CharField(max_length=80)
    period_start = models.DateTimeField()
    sent_at = models.DateTimeField(auto_now_add=True)

    class Meta(OrganizationOwned.Meta):
        ordering = ["-id"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["organization", "kind", "subject", "period_start"], name="notice_once"
            ),
            RowLevelSecurity(name="notice_rls"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"
