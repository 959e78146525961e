"""What arrived from outside, and why it did or did not start a run."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.tenancy import OrganizationOwned, RowLevelSecurity, SameOrganization
from workflows.models.trigger import Trigger
from workflows.models.workflow import Workflow


class WebhookDelivery(OrganizationOwned):
    """One raw incoming request, on disk before it is answered. Partitioned by the month of its key."""

    class Verdict(models.TextChoices):
        ACCEPTED = "ACCEPTED", _("Started a run")
        DUPLICATE = "DUPLICATE", _("Already received")
        FILTERED = "FILTERED", _("Did not match")
        CAPTURED = "CAPTURED", _("Kept as a sample")
        REFUSED = "REFUSED", _("Refused")

    workflow = models.ForeignKey(
        Workflow, on_delete=models.CASCADE, related_name="deliveries", db_constraint=False, db_index=False
    )
    trigger_key = models.CharField(max_length=64)
    verdict = models.CharField(max_length=9, choices=Verdict)
    reason = models.CharField(max_length=200, blank=True, db_default="")
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=300)
    query = models.TextField(blank=True, db_default="")
    headers = models.JSONField(default=dict)  # secrets are replaced before they are stored
    content_type = models.CharField(max_length=120, blank=True, db_default="")
    body = models.BinaryField(default=b"")
    dedupe_key = models.CharField(max_length=200, blank=True, db_default="")
    remote_address = models.GenericIPAddressField(null=True, blank=True)
    execution_id = models.UUIDField(null=True, blank=True)
    replay_of_id = models.UUIDField(null=True, blank=True)
    received_at = models.DateTimeField(db_default=Now())

    class Meta(OrganizationOwned.Meta):
        ordering = ["-id"]
        indexes = [models.Index(fields=["workflow", "-id"], name="delivery_of_workflow")]
        constraints: ClassVar[list[Any]] = [
            SameOrganization(
                name="delivery_workflow_same_org",
                column="workflow_id",
                to="workflows_workflow",
                on_delete="CASCADE",
            ),
            RowLevelSecurity(name="delivery_rls"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {str(self.pk)[-8:]}"


class DedupeKey(OrganizationOwned):
    """A sender's delivery id that was seen: the second starts nothing. Not partitioned, so that unique means unique."""

    workflow = models.ForeignKey(
        Workflow, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    trigger_key = models.CharField(max_length=64)
    key = models.CharField(max_length=200)
    delivery_id = models.UUIDField(null=True, blank=True)
    execution_id = models.UUIDField(null=True, blank=True)
    expires_at = models.DateTimeField()

    class Meta(OrganizationOwned.Meta):
        indexes = [models.Index(fields=["expires_at"], name="dedupe_expiry")]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["organization", "workflow", "trigger_key", "key"], name="dedupe_once"
            ),
            SameOrganization(
                name="dedupe_workflow_same_org",
                column="workflow_id",
                to="workflows_workflow",
                on_delete="CASCADE",
            ),
            RowLevelSecurity(name="dedupe_rls"),
        ]

    def __str__(self) -> str:
        return self.key


class TriggerDecision(OrganizationOwned):
    """Why a trigger did or did not start a run: one row per evaluation. Partitioned by the month of its key."""

    class Reason(models.TextChoices):
        STARTED = "STARTED", _("A run was started.")
        CAPTURED = "CAPTURED", _("The request was kept as a sample for the editor.")
        DUPLICATE = "DUPLICATE", _("The same delivery had been received before.")
        FILTERED = "FILTERED", _("The data did not match the trigger's conditions.")
        BAD_SIGNATURE = "BAD_SIGNATURE", _("The signature or password was wrong.")
        BAD_BODY = "BAD_BODY", _("The request body could not be read.")
        TOO_LARGE = "TOO_LARGE", _("The request was too large.")
        RATE_LIMITED = "RATE_LIMITED", _("Too many requests came in a short time.")
        NOT_PUBLISHED = "NOT_PUBLISHED", _("The workflow has not been published.")
        PAUSED = "PAUSED", _("The workflow is paused.")
        ARCHIVED = "ARCHIVED", _("The workflow is archived.")
        PLAN_LIMIT = "PLAN_LIMIT", _("The plan's limit was reached; the run is held.")
        BACKLOG_FULL = "BACKLOG_FULL", _("Too many runs are waiting already.")
        DEPTH_LIMIT = "DEPTH_LIMIT", _("Workflows had started one another too many times.")
        MISSED_SKIPPED = "MISSED_SKIPPED", _("The planned time had passed, and missed runs are skipped.")
        MISSED_CAUGHT_UP = "MISSED_CAUGHT_UP", _("The planned time had passed; the run was made up for.")
        OVERLAP_SKIPPED = "OVERLAP_SKIPPED", _("The run before was still going, and overlaps are skipped.")
        OVERLAP_QUEUED = "OVERLAP_QUEUED", _("The run before was still going; this one waits for it.")
        PAUSE_DATE = "PAUSE_DATE", _("The day is one of the schedule's pause dates.")
        NO_NEW_ITEMS = "NO_NEW_ITEMS", _("The service had nothing new.")
        INTEGRATION_BROKEN = "INTEGRATION_BROKEN", _("The connection to the service needs attention.")
        DETAILS_AWAITED = "DETAILS_AWAITED", _("The service could not be asked for the details yet.")
        INVALID_INPUT = "INVALID_INPUT", _("The input did not fit the workflow's form.")

    workflow = models.ForeignKey(
        Workflow, on_delete=models.CASCADE, related_name="decisions", db_constraint=False, db_index=False
    )
    trigger_key = models.CharField(max_length=64)
    kind = models.CharField(max_length=8, choices=Trigger.Kind)
    reason = models.CharField(max_length=20, choices=Reason)
    detail = models.JSONField(null=True, blank=True)
    delivery_id = models.UUIDField(null=True, blank=True)
    execution_id = models.UUIDField(null=True, blank=True)
    decided_at = models.DateTimeField(db_default=Now())

    class Meta(OrganizationOwned.Meta):
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["workflow", "-id"], name="decision_of_workflow"),
            models.Index(
                fields=["workflow", "-id"], condition=~Q(reason="STARTED"), name="decision_not_started"
            ),
        ]
        constraints: ClassVar[list[Any]] = [
            SameOrganization(
                name="decision_workflow_same_org",
                column="workflow_id",
                to="workflows_workflow",
                on_delete="CASCADE",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="decision_has_reason"),
            RowLevelSecurity(name="decision_rls"),
        ]

    def __str__(self) -> str:
        return self.reason
