"""Questions to people that a run waits for, and the one-time addresses that let the outside world resume it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.tenancy import (
    OrganizationManager,
    OrganizationOwned,
    OrganizationQuerySet,
    RowLevelSecurity,
    SameOrganization,
)
from workflows.models.execution import Execution


class ApprovalQuerySet(OrganizationQuerySet):
    """Approvals of the organization in scope."""

    def pending(self) -> ApprovalQuerySet:
        return self.filter(status=Approval.Status.PENDING)


class Approval(OrganizationOwned):
    """A question in the inbox. What was approved is bound by `content_hash` to what runs."""

    class Kind(models.TextChoices):
        APPROVAL = "APPROVAL", _("Approval")
        UNCERTAIN_EFFECT = "UNCERTAIN_EFFECT", _("Did this happen?")
        TOOL_CALL = "TOOL_CALL", _("An agent asks")

    class Status(models.TextChoices):
        PENDING = "PENDING", _("Waiting for an answer")
        APPROVED = "APPROVED", _("Approved")
        REJECTED = "REJECTED", _("Rejected")
        EXPIRED = "EXPIRED", _("Not answered in time")
        CANCELLED = "CANCELLED", _("No longer needed")

    execution = models.ForeignKey(
        Execution, on_delete=models.CASCADE, related_name="approvals", db_constraint=False
    )
    path = models.CharField(max_length=500)
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.APPROVAL)
    status = models.CharField(max_length=9, choices=Status, default=Status.PENDING)
    title = models.CharField(max_length=200)
    message = models.TextField(blank=True)
    form = models.JSONField(null=True, blank=True)  # JSON Schema of what the answer carries
    shown = models.JSONField(null=True, blank=True)  # the data the person decides about
    assignees = models.JSONField(default=list)  # [{"user": id} | {"role": "OWNER"}]
    required = models.PositiveSmallIntegerField(default=1)
    answer = models.JSONField(null=True, blank=True)
    content_hash = models.CharField(max_length=64, blank=True)
    deadline_at = models.DateTimeField(null=True, blank=True)
    on_deadline = models.CharField(max_length=10, default="fail")
    reminded_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = OrganizationManager.from_queryset(ApprovalQuerySet)()

    class Meta(OrganizationOwned.Meta):
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["organization", "-id"], condition=Q(status="PENDING"), name="approval_inbox"
            ),
            models.Index(fields=["organization", "-id"], name="approval_history"),
            models.Index(
                fields=["deadline_at"],
                condition=Q(status="PENDING", deadline_at__isnull=False),
                name="approval_due",
            ),
        ]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["execution", "path", "kind"], name="approval_once"),
            models.UniqueConstraint(fields=["organization", "id"], name="approval_in_organization"),
            SameOrganization(
                name="approval_execution_same_org",
                column="execution_id",
                to="workflows_execution",
                on_delete="CASCADE",
            ),
            RowLevelSecurity(name="approval_rls"),
        ]

    def __str__(self) -> str:
        return self.title


class ApprovalVote(OrganizationOwned):
    """One person's answer."""

    class Via(models.TextChoices):
        INBOX = "INBOX", _("Inbox")
        EMAIL = "EMAIL", _("E-mail link")
        API = "API", _("API")

    approval = models.ForeignKey(
        Approval, on_delete=models.CASCADE, related_name="votes", db_constraint=False
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_constraint=False
    )
    voter_label = models.CharField(max_length=254)
    is_approval = models.BooleanField()
    form = models.JSONField(null=True, blank=True)
    comment = models.TextField(blank=True)
    via = models.CharField(max_length=5, choices=Via, default=Via.INBOX)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(OrganizationOwned.Meta):
        ordering = ["id"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organization", "approval", "user"], name="vote_once"),
            SameOrganization(
                name="vote_approval_same_org",
                column="approval_id",
                to="workflows_approval",
                on_delete="CASCADE",
            ),
            SameOrganization(
                name="vote_user_same_org",
                column="user_id",
                to="accounts_user",
                on_delete="SET NULL (user_id)",
            ),
            RowLevelSecurity(name="vote_rls"),
        ]

    def __str__(self) -> str:
        return self.voter_label


class ResumeTokenQuerySet(OrganizationQuerySet):
    """Resume addresses of the organization in scope."""

    def usable(self) -> ResumeTokenQuerySet:
        return self.filter(used_at=None, expires_at__gt=timezone.now())


class ResumeToken(OrganizationOwned):
    """A one-time address for a wait step. Only the hash of the token is stored."""

    execution = models.ForeignKey(
        Execution, on_delete=models.CASCADE, related_name="resume_tokens", db_constraint=False
    )
    path = models.CharField(max_length=500)
    token_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    body = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[Any] = OrganizationManager.from_queryset(ResumeTokenQuerySet)()

    class Meta(OrganizationOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["execution", "path"], name="resume_token_once"),
            SameOrganization(
                name="resume_execution_same_org",
                column="execution_id",
                to="workflows_execution",
                on_delete="CASCADE",
            ),
            RowLevelSecurity(name="resume_rls"),
        ]

    def __str__(self) -> str:
        return self.path
