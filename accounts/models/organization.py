"""The tenant: who pays, and whose data is kept apart from everybody else's."""

from __future__ import annotations

import zoneinfo
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.tenancy import RowLevelSecurity, uuid7

TRIAL = timedelta(days=14)


def trial_end() -> datetime:
    """Return the end of a trial that starts now."""
    return timezone.now() + TRIAL


def validate_timezone(name: str) -> None:
    """Raise ValidationError unless `name` is a time zone of the IANA database."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(_("“%(name)s” is not a known time zone."), params={"name": name})


class Organization(models.Model):
    """One customer. Everything that belongs to a customer points here."""

    class Plan(models.TextChoices):
        STARTER = "STARTER", _("Starter")
        PROFESSIONAL = "PROFESSIONAL", _("Professional")
        ENTERPRISE = "ENTERPRISE", _("Enterprise")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(_("name"), max_length=120)
    plan = models.CharField(_("plan"), max_length=12, choices=Plan, default=Plan.STARTER)
    stripe_customer_id = models.CharField(max_length=255, unique=True, null=True, blank=True)
    trial_ends_at = models.DateTimeField(null=True, blank=True, default=trial_end)
    timezone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[validate_timezone])
    # Within what the plan allows; see billing.entitlements. Null means the plan's own figure.
    log_retention_days = models.PositiveSmallIntegerField(null=True, blank=True)
    completed_retention_days = models.PositiveSmallIntegerField(null=True, blank=True)
    failed_retention_days = models.PositiveSmallIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        indexes = [
            models.Index(fields=["plan"], name="organization_plan"),
            models.Index(fields=["stripe_customer_id"], name="organization_stripe_customer"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(plan__in=["STARTER", "PROFESSIONAL", "ENTERPRISE"]),
                name="organization_plan_known",
            ),
            RowLevelSecurity(name="organization_rls", column="id"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_on_trial(self) -> bool:
        return self.trial_ends_at is not None and self.trial_ends_at > timezone.now()
