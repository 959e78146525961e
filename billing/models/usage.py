"""What was used: single entries, and what they add up to."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

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
