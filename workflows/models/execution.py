"""One run of a version, its journal and its log. All three are partitioned by the month of the execution's key."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.tenancy import (
    OrganizationManager,
    OrganizationOwned,
    OrganizationQuerySet,
    RowLevelSecurity,
    SameOrganization,
    uuid7,
)
from workflows.models.version import WorkflowVersion
from workflows.models.workflow import Workflow


class ExecutionQuerySet(OrganizationQuerySet):
    """Runs of the organization in scope."""

    def visible_to(self, user: User) -> ExecutionQuerySet:
        """Members see the runs of workflows assigned to them."""
        if user.role != User.Role.MEMBER:
            return self
        return self.filter(workflow__in=Workflow.objects.visible_to(user).values("pk"))

    def unfinished(self) -> ExecutionQuerySet:
        return self.filter(status__in=Execution.UNFINISHED)


class Execution(OrganizationOwned):
    """One run. The row is also its queue entry: workers claim it here, so there is one state machine, not two.

    A database trigger refuses to change a terminal status. `attempt` is the fencing token: each claim raises it, and a
    journal write that carries an older one touches nothing.
    """

    class Status(models.TextChoices):
        PENDING = "PENDING", _("Queued")
        RUNNING = "RUNNING", _("Running")
        WAITING = "WAITING", _("Waiting")  # for a person, a time or an event
        COMPLETED = "COMPLETED", _("Completed")
        FAILED = "FAILED", _("Failed")
        CANCELLED = "CANCELLED", _("Cancelled")
        TIMEOUT = "TIMEOUT", _("Timed out")

    class Result(models.TextChoices):
        PENDING = "PENDING", _("Not yet known")
        SUCCESS = "SUCCESS", _("Success")
        PARTIAL = "PARTIAL", _("Partly")  # some steps failed and the author allowed it
        FAILURE = "FAILURE", _("Failure")
        CANCELLED = "CANCELLED", _("Cancelled")

    class TriggeredBy(models.TextChoices):
        MANUAL = "MANUAL", _("By hand")
        SCHEDULE = "SCHEDULE", _("Schedule")
        WEBHOOK = "WEBHOOK", _("Webhook")
        API = "API", _("API")

    class Mode(models.TextChoices):
        LIVE = "LIVE", _("Live")
        TEST = "TEST", _("Test")  # the draft, really run, from the editor
        DRY_RUN = "DRY_RUN", _("Dry run")  # reads happen, writes are only shown

    class Relation(models.TextChoices):
        CHILD = "CHILD", _("Started by a step of")
        RESUME = "RESUME", _("Resumes")
        RESTART = "RESTART", _("Repeats")
        FORK = "FORK", _("Branches off")

    UNFINISHED = (Status.PENDING, Status.RUNNING, Status.WAITING)

    workflow = models.ForeignKey(
        Workflow, on_delete=models.CASCADE, related_name="executions", db_constraint=False, db_index=False
    )
    version = models.ForeignKey(
        WorkflowVersion,
        on_delete=models.CASCADE,
        related_name="+",
        db_constraint=False,
        db_index=False,
        null=True,
    )
    # The draft that a TEST or DRY_RUN runs; LIVE runs always name a version.
    draft_definition = models.JSONField(null=True, blank=True)
    mode = models.CharField(max_length=8, choices=Mode, default=Mode.LIVE, db_default=Mode.LIVE)
    status = models.CharField(max_length=9, choices=Status, default=Status.PENDING, db_default=Status.PENDING)
    result = models.CharField(max_length=9, choices=Result, default=Result.PENDING, db_default=Result.PENDING)
    started_at = models.DateTimeField(db_default=Now())
    completed_at = models.DateTimeField(null=True, blank=True)
    duration_ms = models.BigIntegerField(null=True, blank=True)
    input = models.JSONField(null=True, blank=True)
    output = models.JSONField(null=True, blank=True)
    error = models.JSONField(null=True, blank=True)
    triggered_by = models.CharField(
        max_length=8, choices=TriggeredBy, default=TriggeredBy.MANUAL, db_default=TriggeredBy.MANUAL
    )
    triggered_by_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="executions",
        db_constraint=False,
        db_index=False,
    )
    webhook_event_id = models.UUIDField(null=True, blank=True)  # the WebhookDelivery
    trigger_key = models.CharField(max_length=64, blank=True, db_default="")
    parent_id = models.UUIDField(null=True, blank=True)
    parent_path = models.CharField(max_length=500, blank=True, db_default="")
    relation = models.CharField(max_length=7, choices=Relation, blank=True, db_default="")
    depth = models.PositiveSmallIntegerField(default=0, db_default=0)
    priority = models.SmallIntegerField(default=0, db_default=0)
    # Queue state.
    attempt = models.PositiveIntegerField(default=0, db_default=0)
    worker_id = models.UUIDField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    wake_at = models.DateTimeField(null=True, blank=True)
    waiting_for = models.JSONField(null=True, blank=True)
    deadline_at = models.DateTimeField()
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    # Who waits for the answer: the NOTIFY channel of a web process. `response` is what a respond step answered.
    reply_to = models.CharField(max_length=48, blank=True, db_default="")
    response = models.JSONField(null=True, blank=True)
    # Totals of the steps, kept here so that lists need not add them up.
    tokens = models.BigIntegerField(default=0, db_default=0)
    cost_usd = models.DecimalField(max_digits=14, decimal_places=6, default=0, db_default=0)

    objects: ClassVar[Any] = OrganizationManager.from_queryset(ExecutionQuerySet)()

    class Meta(OrganizationOwned.Meta):
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["workflow", "-started_at"], name="execution_of_workflow"),
            models.Index(fields=["organization", "-started_at"], name="execution_of_org"),
            models.Index(fields=["organization", "status", "-started_at"], name="execution_by_status"),
            models.Index(
                fields=["organization", "workflow", "priority", "id"],
                condition=Q(status="PENDING"),
                name="execution_pending",
            ),
            models.Index(
                fields=["wake_at"], condition=Q(status="WAITING", wake_at__isnull=False), name="execution_due"
            ),
            models.Index(
                fields=["organization", "workflow"],
                condition=Q(status="RUNNING"),
                name="execution_in_progress",
            ),
            models.Index(
                fields=["deadline_at"],
                condition=Q(status__in=["PENDING", "RUNNING", "WAITING"]),
                name="execution_deadline",
            ),
            models.Index(
                fields=["parent_id"], condition=Q(parent_id__isnull=False), name="execution_children"
            ),
        ]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organization", "id"], name="execution_in_organization"),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "PENDING",
                        "RUNNING",
                        "WAITING",
                        "COMPLETED",
                        "FAILED",
                        "CANCELLED",
                        "TIMEOUT",
                    ]
                ),
                name="execution_status_known",
            ),
            models.CheckConstraint(
                condition=Q(version__isnull=False) | Q(draft_definition__isnull=False),
                name="execution_has_definition",
            ),
            SameOrganization(
                name="execution_workflow_same_org",
                column="workflow_id",
                to="workflows_workflow",
                on_delete="CASCADE",
            ),
            SameOrganization(
                name="execution_version_same_org",
                column="version_id",
                to="workflows_workflowversion",
                on_delete="CASCADE",
            ),
            SameOrganization(
                name="execution_user_same_org",
                column="triggered_by_user_id",
                to="accounts_user",
                on_delete="SET NULL (triggered_by_user_id)",
            ),
            RowLevelSecurity(name="execution_rls"),
        ]

    def __str__(self) -> str:
        return f"Run {str(self.pk)[-8:]}"

    @property
    def is_finished(self) -> bool:
        return self.status not in self.UNFINISHED


class ExecutionStep(OrganizationOwned):
    """The journal: one try of one step. What is committed here never runs again."""

    class Status(models.TextChoices):
        RUNNING = "RUNNING", _("Running")  # an effect's intent, or a step that is waiting
        WAITING = "WAITING", _("Waiting")
        COMPLETED = "COMPLETED", _("Done")
        FAILED = "FAILED", _("Failed")
        SKIPPED = "SKIPPED", _("Skipped")
        CANCELLED = "CANCELLED", _("Cancelled")

    class Effect(models.TextChoices):
        NONE = "", _("None")
        READ = "read", _("Read")
        KEY_SAFE = "key_safe", _("Safe to repeat with its key")
        CHECKABLE = "checkable", _("Can be looked up")
        UNSAFE = "unsafe", _("Cannot be checked")

    class EffectState(models.TextChoices):
        NONE = "NONE", _("None")
        INTENDED = "INTENDED", _("About to happen")
        HAPPENED = "HAPPENED", _("Happened")
        NOT_SENT = "NOT_SENT", _("Did not happen")
        UNCERTAIN = "UNCERTAIN", _("May have happened")

    execution = models.ForeignKey(
        Execution, on_delete=models.CASCADE, related_name="steps", db_constraint=False, db_index=False
    )
    path = models.CharField(max_length=500)
    step_id = models.CharField(max_length=64)
    step_type = models.CharField(max_length=16)
    attempt = models.PositiveIntegerField(default=1)
    fence = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=9, choices=Status)
    input = models.JSONField(null=True, blank=True)
    output = models.JSONField(null=True, blank=True)
    error = models.JSONField(null=True, blank=True)
    effect = models.CharField(max_length=9, choices=Effect, blank=True, default="", db_default="")
    effect_state = models.CharField(
        max_length=9, choices=EffectState, default=EffectState.NONE, db_default=EffectState.NONE
    )
    idempotency_key = models.CharField(max_length=600, blank=True, default="", db_default="")
    recorded = models.JSONField(null=True, blank=True)  # time, randomness and ids, so that a replay is exact
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    duration_ms = models.BigIntegerField(null=True, blank=True)
    tokens = models.BigIntegerField(default=0, db_default=0)
    cost_usd = models.DecimalField(max_digits=14, decimal_places=6, default=0, db_default=0)

    class Meta(OrganizationOwned.Meta):
        ordering = ["id"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["execution", "path", "attempt"], name="step_attempt_once"),
            SameOrganization(
                name="step_execution_same_org",
                column="execution_id",
                to="workflows_execution",
                on_delete="CASCADE",
            ),
            RowLevelSecurity(name="step_rls"),
        ]

    def __str__(self) -> str:
        return f"{self.path} #{self.attempt}"


class ExecutionLog(OrganizationOwned):
    """One line that a run wrote for people to read."""

    class Level(models.TextChoices):
        DEBUG = "DEBUG", _("Debug")
        INFO = "INFO", _("Info")
        WARN = "WARN", _("Warning")
        ERROR = "ERROR", _("Error")
        CRITICAL = "CRITICAL", _("Critical")

    execution = models.ForeignKey(
        Execution, on_delete=models.CASCADE, related_name="logs", db_constraint=False, db_index=False
    )
    level = models.CharField(max_length=8, choices=Level, default=Level.INFO, db_default=Level.INFO)
    step_id = models.CharField(max_length=500, blank=True, db_default="")
    message = models.TextField()
    metadata = models.JSONField(null=True, blank=True)
    timestamp = models.DateTimeField(db_default=Now())

    class Meta(OrganizationOwned.Meta):
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["organization", "level", "-id"],
                condition=Q(level__in=["ERROR", "CRITICAL"]),
                name="log_errors",
            )
        ]
        constraints: ClassVar[list[Any]] = [
            SameOrganization(
                name="log_execution_same_org",
                column="execution_id",
                to="workflows_execution",
                on_delete="CASCADE",
            ),
            RowLevelSecurity(name="log_rls"),
        ]

    def __str__(self) -> str:
        return self.message[:80]


class Worker(models.Model):
    """A worker process and its heartbeat: a run whose worker is silent is taken over. Holds nothing of a customer."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    release = models.CharField(max_length=64, blank=True)
    queues = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    running = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(db_default=Now())
    heartbeat_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-heartbeat_at"]

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"
