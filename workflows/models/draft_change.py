"""The last changes of a draft, each with what was before and after: what undo and redo work on."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from accounts.tenancy import OrganizationManager, OrganizationOwned, RowLevelSecurity, SameOrganization
from workflows.models.workflow import Workflow


class DraftChange(OrganizationOwned):
    """One change by one person. before, after: the draft as a document, triggers in it (workflows.draft_text)."""

    workflow = models.ForeignKey(
        Workflow, on_delete=models.CASCADE, related_name="draft_changes", db_constraint=False, db_index=False
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_constraint=False,
    )
    sentence = models.CharField(max_length=200)
    # The step or trigger it was about: typing on in the same form is one change, not one per pause.
    subject = models.CharField(max_length=80, blank=True)
    before = models.JSONField()
    after = models.JSONField()
    is_undone = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[Any] = OrganizationManager()

    class Meta(OrganizationOwned.Meta):
        ordering = ["-id"]
        indexes = [models.Index(fields=["organization", "workflow", "-id"], name="draft_change_of_workflow")]
        constraints: ClassVar[list[Any]] = [
            SameOrganization(
                name="draft_change_workflow_same_org",
                column="workflow_id",
                to="workflows_workflow",
                on_delete="CASCADE",
            ),
            SameOrganization(
                name="draft_change_user_same_org",
                column="user_id",
                to="accounts_user",
                on_delete="SET NULL (user_id)",
            ),
            RowLevelSecurity(name="draft_change_rls"),
        ]

    def __str__(self) -> str:
        return self.sentence
