"""A recipe an organization automates, and who of its members may see and run it."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector, SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.tenancy import (
    OrganizationManager,
    OrganizationOwned,
    OrganizationQuerySet,
    RowLevelSecurity,
    SameOrganization,
)


class WorkflowCategory(models.TextChoices):
    """What a workflow or template is about."""

    MARKETING = "MARKETING", _("Marketing")
    SALES = "SALES", _("Sales")
    OPERATIONS = "OPERATIONS", _("Operations")
    CUSTOMER_SUPPORT = "CUSTOMER_SUPPORT", _("Customer support")
    ADMIN = "ADMIN", _("Administration")
    CUSTOM = "CUSTOM", _("Custom")


def empty_definition() -> dict[str, Any]:
    """Return the definition a new workflow starts from."""
    return {"version": 1, "steps": []}


class WorkflowQuerySet(OrganizationQuerySet):
    """Workflows of the organization in scope."""

    def active(self) -> WorkflowQuerySet:
        return self.filter(status=Workflow.Status.ACTIVE)

    def visible_to(self, user: User) -> WorkflowQuerySet:
        """Members see what is assigned to them; every other role sees all."""
        if user.role != User.Role.MEMBER:
            return self
        return self.filter(Q(assignments__user=user))

    def search(self, text: str) -> WorkflowQuerySet:
        """Full-text search over name and description, best first; the beginning of a word is enough."""
        words = re.findall(r"\w+", text)
        if not words:
            return self.none()
        query = SearchQuery(" & ".join(f"{word}:*" for word in words), search_type="raw", config="english")
        found = self.filter(search_vector=query)
        return found.annotate(rank=SearchRank(F("search_vector"), query)).order_by("-rank", "-id")


class Workflow(OrganizationOwned):
    """A recipe: triggers and the steps that follow. `definition` is the draft; runs use published versions."""

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE", _("Active")  # enabled and running
        PAUSED = "PAUSED", _("Paused")  # temporarily disabled
        ARCHIVED = "ARCHIVED", _("Archived")  # not in use, kept for history
        DRAFT = "DRAFT", _("Draft")  # still being built

    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("description"), blank=True, max_length=2000)
    category = models.CharField(
        _("category"), max_length=16, choices=WorkflowCategory, default=WorkflowCategory.CUSTOM
    )
    definition = models.JSONField(default=empty_definition)
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.DRAFT)
    is_template = models.BooleanField(default=False)
    # The schedule trigger, and every other trigger, of the draft.
    schedule = models.JSONField(null=True, blank=True)
    triggers = models.JSONField(default=list, blank=True)
    # Counts saves of the draft: a save that names an older revision is a conflict, not an overwrite.
    revision = models.PositiveIntegerField(default=1)
    minutes_saved_per_run = models.PositiveSmallIntegerField(default=0)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="created_workflows",
        db_constraint=False,
    )
    published_version = models.ForeignKey(
        "workflows.WorkflowVersion",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_constraint=False,
    )
    assigned_users: Any = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="workflows.WorkflowAssignment", related_name="assigned_workflows"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    search_vector = models.GeneratedField(
        expression=SearchVector("name", "description", config="english"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects: ClassVar[Any] = OrganizationManager.from_queryset(WorkflowQuerySet)()

    class Meta(OrganizationOwned.Meta):
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["organization", "status"], condition=Q(status="ACTIVE"), name="workflow_active_of_org"
            ),
            models.Index(fields=["organization", "-id"], name="workflow_of_org"),
            models.Index(fields=["organization", "status", "-id"], name="workflow_by_status"),
            models.Index(fields=["organization", "category", "-id"], name="workflow_by_category"),
            GinIndex(fields=["search_vector"], name="workflow_search"),
        ]
        constraints: ClassVar[list[Any]] = [
            # Unique per organization: a global rule would reveal other tenants' names.
            models.UniqueConstraint(
                fields=["organization", "name"],
                condition=~Q(status="ARCHIVED"),
                name="workflow_name_per_org",
                violation_error_message=_("Another workflow already has this name."),
            ),
            models.UniqueConstraint(fields=["organization", "id"], name="workflow_in_organization"),
            models.CheckConstraint(
                condition=Q(status__in=["ACTIVE", "PAUSED", "ARCHIVED", "DRAFT"]),
                name="workflow_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status="DRAFT") | Q(status="ARCHIVED") | Q(published_version__isnull=False),
                name="workflow_runs_a_version",
            ),
            SameOrganization(
                name="workflow_created_by_same_org",
                column="created_by_id",
                to="accounts_user",
                on_delete="SET NULL (created_by_id)",
            ),
            SameOrganization(
                name="workflow_version_same_org",
                column="published_version_id",
                to="workflows_workflowversion",
                on_delete="SET NULL (published_version_id)",
            ),
            RowLevelSecurity(name="workflow_rls"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_running(self) -> bool:
        return self.status == self.Status.ACTIVE


class WorkflowAssignment(OrganizationOwned):
    """Lets one member see, edit and run one workflow."""

    workflow = models.ForeignKey(
        Workflow, on_delete=models.CASCADE, related_name="assignments", db_constraint=False
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="workflow_assignments",
        db_constraint=False,
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(OrganizationOwned.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organization", "workflow", "user"], name="assignment_once"),
            SameOrganization(
                name="assignment_workflow_same_org",
                column="workflow_id",
                to="workflows_workflow",
                on_delete="CASCADE",
            ),
            SameOrganization(
                name="assignment_user_same_org", column="user_id", to="accounts_user", on_delete="CASCADE"
            ),
            RowLevelSecurity(name="assignment_rls"),
        ]
        indexes = [models.Index(fields=["organization", "user"], name="assignment_of_user")]

    def __str__(self) -> str:
        return f"{self.user_id} → {self.workflow_id}"
