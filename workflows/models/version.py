"""An immutable published snapshot of a workflow."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce

from accounts.tenancy import OrganizationOwned, RowLevelSecurity, SameOrganization
from workflows.models.workflow import Workflow

DEFAULT_CONCURRENCY = 10  # as in workflows.definition.schema.Settings


class WorkflowVersion(OrganizationOwned):
    """What was published: definition, triggers and schedule. A database trigger refuses to change it."""

    workflow = models.ForeignKey(
        Workflow, on_delete=models.CASCADE, related_name="versions", db_constraint=False
    )
    number = models.PositiveIntegerField()
    definition = models.JSONField()
    triggers = models.JSONField(default=list)
    schedule = models.JSONField(null=True, blank=True)
    # How many runs of the workflow may be in progress at once: here so that claiming runs reads no definition.
    concurrency = models.GeneratedField(
        expression=Coalesce(
            Cast(KT("definition__settings__concurrency"), models.IntegerField()),
            models.Value(DEFAULT_CONCURRENCY),
        ),
        output_field=models.IntegerField(),
        db_persist=True,
    )
    note = models.CharField(max_length=300, blank=True)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_constraint=False
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(OrganizationOwned.Meta):
        ordering = ["-number"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["organization", "workflow", "number"], name="version_number_once"
            ),
            models.UniqueConstraint(fields=["organization", "id"], name="version_in_organization"),
            SameOrganization(
                name="version_workflow_same_org",
                column="workflow_id",
                to="workflows_workflow",
                on_delete="CASCADE",
            ),
            SameOrganization(
                name="version_published_by_same_org",
                column="published_by_id",
                to="accounts_user",
                on_delete="SET NULL (published_by_id)",
            ),
            RowLevelSecurity(name="version_rls"),
        ]

    def __str__(self) -> str:
        return f"v{self.number}"
