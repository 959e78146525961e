"""What models were asked and answered, and what may still be spent on asking them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.tenancy import OrganizationOwned, RowLevelSecurity, SameOrganization
from workflows.models.execution import Execution

MICRO = 1_000_000  # millionths of a US dollar in a dollar


class AiExchange(OrganizationOwned):
    """One question to a model and its answer, with tokens and price; the same row is what a replay reads.

    request, answer: null when the organization does not keep content. key, attempt, turn say which call of which run
    it was; key is the idempotency key of the step, so a resumed run finds what its forerunner was answered.
    Kept as long as the logs: see config.operations.retention.
    """

    class Status(models.TextChoices):
        ANSWERED = "ANSWERED", _("Answered")
        REJECTED = "REJECTED", _("Answered, but not as asked")
        FAILED = "FAILED", _("Not answered")

    execution = models.ForeignKey(
        Execution,
        on_delete=models.CASCADE,
        related_name="ai_exchanges",
        db_constraint=False,
        null=True,
        blank=True,
    )
    workflow_id = models.UUIDField(null=True, blank=True)
    purpose = models.CharField(max_length=40, db_default="", blank=True)  # the operation, or what asked
    path = models.CharField(max_length=500, blank=True, db_default="")
    key = models.CharField(max_length=600, blank=True, db_default="")
    attempt = models.PositiveIntegerField(default=1)
    turn = models.PositiveIntegerField(default=1)
    request_hash = models.CharField(max_length=64)
    provider = models.CharField(max_length=40)
    model = models.CharField(max_length=200)
    status = models.CharField(max_length=8, choices=Status)
    request = models.JSONField(null=True, blank=True)  # messages and parameters, without credentials
    answer = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True, db_default="")
    input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    cost_micro = models.BigIntegerField(default=0)  # millionths of a US dollar
    duration_ms = models.PositiveIntegerField(default=0)
    at = models.DateTimeField(db_default=Now())

    class Meta(OrganizationOwned.Meta):
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["organization", "-id"], name="ai_exchange_of_org"),
            models.Index(fields=["execution", "path", "id"], name="ai_exchange_of_step"),
            models.Index(
                fields=["organization", "key", "attempt", "turn"],
                condition=Q(status="ANSWERED"),
                name="ai_exchange_replay",
            ),
        ]
        constraints: ClassVar[list[Any]] = [
            SameOrganization(
                name="ai_exchange_execution_same_org",
                column="execution_id",
                to="workflows_execution",
                on_delete="CASCADE",
            ),
            RowLevelSecurity(name="ai_exchange_rls"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.model} {self.status}"

    @property
    def cost_usd(self) -> float:
        return self.cost_micro / MICRO


class AiAllowance(OrganizationOwned):
    """How much of one cap is spent and reserved, in millionths of a US dollar; the row is the lock.

    key: the month ("2026-11"), the workflow's id and month, the run's id, or the run's id and the step's path.
    """

    class Scope(models.TextChoices):
        MONTH = "MONTH", _("All workflows in a month")
        WORKFLOW = "WORKFLOW", _("One workflow in a month")
        RUN = "RUN", _("One run")
        STEP = "STEP", _("One step of a run")

    scope = models.CharField(max_length=8, choices=Scope)
    key = models.CharField(max_length=600)
    spent = models.BigIntegerField(default=0, db_default=0)
    reserved = models.BigIntegerField(default=0, db_default=0)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta(OrganizationOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organization", "scope", "key"], name="ai_allowance_once"),
            models.CheckConstraint(
                condition=Q(spent__gte=0) & Q(reserved__gte=0), name="ai_allowance_not_negative"
            ),
            RowLevelSecurity(name="ai_allowance_rls"),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.key}"


class AiReservation(OrganizationOwned):
    """Money put aside for one call before it is made. What nobody settles by its deadline is given back."""

    class Status(models.TextChoices):
        RESERVED = "RESERVED", _("Reserved")
        SETTLED = "SETTLED", _("Settled")
        RELEASED = "RELEASED", _("Given back")

    status = models.CharField(max_length=8, choices=Status, default=Status.RESERVED, db_default="RESERVED")
    amount = models.BigIntegerField()  # millionths of a US dollar
    settled = models.BigIntegerField(default=0, db_default=0)
    allowances = models.JSONField()  # [[scope, key], ...]
    deadline_at = models.DateTimeField()
    at = models.DateTimeField(db_default=Now())

    class Meta(OrganizationOwned.Meta):
        indexes = [
            models.Index(
                fields=["organization", "deadline_at"],
                condition=Q(status="RESERVED"),
                name="ai_reservation_open",
            ),
        ]
        constraints: ClassVar[list[Any]] = [RowLevelSecurity(name="ai_reservation_rls")]

    def __str__(self) -> str:
        return f"{self.status} {self.amount}"


class AiPolicy(OrganizationOwned):
    """What an organization wants of every AI step. No row: content is kept, nothing is redacted, the plan is the cap.

    month_cents: a cap of its own below the plan's. keep_content False: questions and answers are not stored, only
    tokens and price. redact: e-mail addresses, phone and card numbers are taken out of what is sent.
    """

    keep_content = models.BooleanField(_("Keep questions and answers"), default=True, db_default=True)
    redact = models.BooleanField(
        _("Take e-mail addresses, phone and card numbers out of questions"), default=False, db_default=False
    )
    month_cents = models.PositiveIntegerField(_("Most to spend in a month, in cents"), null=True, blank=True)

    class Meta(OrganizationOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organization"], name="ai_policy_once"),
            RowLevelSecurity(name="ai_policy_rls"),
        ]

    def __str__(self) -> str:
        return "AI policy"
