"""What was used, what was bought, and what Stripe told us."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization
from accounts.tenancy import OrganizationOwned, RowLevelSecurity


class UsageMetric(models.TextChoices):
    """What is counted."""

    WORKFLOW_EXECUTIONS = "WORKFLOW_EXECUTIONS", _("Runs")
    AI_TOKENS_USED = "AI_TOKENS_USED", _("AI tokens")
    API_CALLS_MADE = "API_CALLS_MADE", _("Calls to services")
    STORAGE_GB = "STORAGE_GB", _("Storage (GB)")
    ACTIVE_USERS = "ACTIVE_USERS", _("Active people")
    ACTIVE_WORKFLOWS = "ACTIVE_WORKFLOWS", _("Active workflows")


class UsageEntry(OrganizationOwned):
    """One thing used, written in the transaction that used it; the source that UsageRecord is rolled up from.

    Append-only rows never make two runs of one organization wait for each other, as a counter would.
    Partitioned by the month of its key.
    """

    metric = models.CharField(max_length=20, choices=UsageMetric)
    quantity = models.BigIntegerField()
    cost_usd = models.DecimalField(max_digits=14, decimal_places=6, default=0, db_default=0)
    workflow_id = models.UUIDField(null=True, blank=True)
    execution_id = models.UUIDField(null=True, blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta(OrganizationOwned.Meta):
        indexes = [models.Index(fields=["organization", "metric", "at"], name="usage_entry_of_org")]
        constraints: ClassVar[list[Any]] = [RowLevelSecurity(name="usage_entry_rls")]

    def __str__(self) -> str:
        return f"{self.metric} {self.quantity}"


class UsageRecord(OrganizationOwned):
    """How much of one metric was used in one period (a day or a month). Partitioned by the month of the period."""

    metric = models.CharField(max_length=20, choices=UsageMetric)
    quantity = models.BigIntegerField()
    cost = models.DecimalField(max_digits=14, decimal_places=6, null=True, blank=True)  # US dollars
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    details = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(OrganizationOwned.Meta):
        ordering = ["-period_start"]
        indexes = [
            models.Index(
                fields=["organization", "-period_start", "-period_end"], name="usage_of_org_by_period"
            )
        ]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["organization", "metric", "period_start", "period_end"], name="usage_once"
            ),
            models.CheckConstraint(
                condition=Q(period_end__gt=models.F("period_start")), name="usage_period_order"
            ),
            RowLevelSecurity(name="usage_rls"),
        ]

    def __str__(self) -> str:
        return f"{self.metric} {self.quantity}"


class Subscription(OrganizationOwned):
    """What an organization bought at Stripe."""

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE", _("Active")
        TRIALING = "TRIALING", _("Trial")
        PAST_DUE = "PAST_DUE", _("Payment failed")
        CANCELLED = "CANCELLED", _("Cancelled")
        UNPAID = "UNPAID", _("Unpaid")
        INCOMPLETE = "INCOMPLETE", _("Incomplete")

    stripe_subscription_id = models.CharField(max_length=255, unique=True, null=True, blank=True)
    stripe_price_id = models.CharField(max_length=255, null=True, blank=True)
    plan = models.CharField(max_length=12, choices=Organization.Plan)
    status = models.CharField(max_length=10, choices=Status)
    current_period_start = models.DateTimeField()
    current_period_end = models.DateTimeField()
    cancel_at = models.DateTimeField(null=True, blank=True)
    cancel_at_period_end = models.BooleanField(default=False)
    # The newest Stripe object this row was written from: an older one never overwrites it.
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
