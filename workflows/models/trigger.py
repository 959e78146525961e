"""What can start a run right now: one row per trigger of a published version."""

from __future__ import annotations

import secrets
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.tenancy import OrganizationOwned, RowLevelSecurity, SameOrganization
from workflows.models.workflow import Workflow


def new_token() -> str:
    """Return a fresh public token for a webhook or form address: 192 random bits."""
    return secrets.token_urlsafe(24)


class Trigger(OrganizationOwned):
    """One trigger as published. Publishing replaces a workflow's rows at once; tokens and cursors survive."""

    class Kind(models.TextChoices):
        MANUAL = "MANUAL", _("By hand")
        API = "API", _("API")
        WEBHOOK = "WEBHOOK", _("Webhook")
        SCHEDULE = "SCHEDULE", _("Schedule")
        PROVIDER = "PROVIDER", _("Event in a service")
        FORM = "FORM", _("Form")

    workflow = models.ForeignKey(
        Workflow, on_delete=models.CASCADE, related_name="published_triggers", db_constraint=False
    )
    key = models.CharField(max_length=64)
    kind = models.CharField(max_length=8, choices=Kind)
    settings = models.JSONField(default=dict)
    is_active = models.BooleanField(default=True)
    # Public address of webhooks and forms: /hooks/<token>/ and /forms/<token>/.
    token = models.CharField(max_length=64, unique=True, null=True, blank=True)
    # Schedules and polls: when it fires next; polls and subscriptions: where they stand.
    next_fire_at = models.DateTimeField(null=True, blank=True)
    last_fire_at = models.DateTimeField(null=True, blank=True)
    state = models.JSONField(default=dict, blank=True)
    # Until then the next delivery is kept as a sample and starts nothing.
    capture_until = models.DateTimeField(null=True, blank=True)
    integration_id = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(OrganizationOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organization", "workflow", "key"], name="trigger_key_once"),
            models.UniqueConstraint(fields=["organization", "id"], name="trigger_in_organization"),
            SameOrganization(
                name="trigger_workflow_same_org",
                column="workflow_id",
                to="workflows_workflow",
                on_delete="CASCADE",
            ),
            SameOrganization(
                name="trigger_integration_same_org",
                column="integration_id",
                to="integrations_integration",
                on_delete="SET NULL (integration_id)",
            ),
            RowLevelSecurity(name="trigger_rls"),
        ]
        indexes = [
            models.Index(
                fields=["next_fire_at"],
                condition=Q(is_active=True, next_fire_at__isnull=False),
                name="trigger_due",
            ),
            models.Index(fields=["organization", "integration_id"], name="trigger_of_integration"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.key}"
