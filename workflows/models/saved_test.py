"""A run frozen as a test: what started it, what every outside call answered, and what must still come out."""

from __future__ import annotations

from datetime import timedelta
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
from workflows.models.workflow import Workflow

UNDO_TIME = timedelta(days=1)  # how long a deleted test can be brought back


class SavedTestQuerySet(OrganizationQuerySet):
    """Saved tests of the organization in scope."""

    def present(self) -> SavedTestQuerySet:
        return self.filter(deleted_at=None)

    def enabled(self) -> SavedTestQuerySet:
        """Those that must pass before the workflow is published."""
        return self.present().filter(is_enabled=True)


class SavedTest(OrganizationOwned):
    """One test of a workflow's draft.

    started: {"by", "at", "run", "mode"} of the run it was made from; input: what started that run. answers: step path
    -> what each try of the call gave, oldest first. assertions: see workflows.saved_tests.assertions. report: the
    findings of the last time it was run. Nothing in it is a secret.
    """

    class Result(models.TextChoices):
        NONE = "", _("Not run yet")
        PASSED = "PASSED", _("Passed")
        FAILED = "FAILED", _("Failed")

    workflow = models.ForeignKey(
        Workflow, on_delete=models.CASCADE, related_name="saved_tests", db_constraint=False
    )
    name = models.CharField(_("name"), max_length=120)
    input = models.JSONField(null=True, blank=True)
    started = models.JSONField(default=dict)
    answers = models.JSONField(default=dict)
    assertions = models.JSONField(default=list)
    is_enabled = models.BooleanField(default=True, db_default=True)
    from_execution_id = models.UUIDField(null=True, blank=True)  # may be past its time and gone
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_constraint=False
    )
    last_result = models.CharField(max_length=6, choices=Result, blank=True, default="", db_default="")
    report = models.JSONField(default=list, blank=True)
    last_run_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[Any] = OrganizationManager.from_queryset(SavedTestQuerySet)()

    class Meta(OrganizationOwned.Meta):
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["organization", "workflow", "-id"],
                condition=Q(deleted_at=None),
                name="saved_test_of_workflow",
            ),
        ]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organization", "id"], name="saved_test_in_organization"),
            models.CheckConstraint(
                condition=Q(last_result__in=["", "PASSED", "FAILED"]), name="saved_test_result_known"
            ),
            SameOrganization(
                name="saved_test_workflow_same_org",
                column="workflow_id",
                to="workflows_workflow",
                on_delete="CASCADE",
            ),
            SameOrganization(
                name="saved_test_created_by_same_org",
                column="created_by_id",
                to="accounts_user",
                on_delete="SET NULL (created_by_id)",
            ),
            RowLevelSecurity(name="saved_test_rls"),
        ]

    def __str__(self) -> str:
        return self.name

    def delete_softly(self) -> None:
        """Take the test away; for a day it can be brought back."""
        self.deleted_at = timezone.now()
        self.save(update_fields=["deleted_at", "updated_at"])
        old = SavedTest.objects.filter(
            workflow_id=self.workflow_id, deleted_at__lt=self.deleted_at - UNDO_TIME
        )
        old.delete()

    def bring_back(self) -> None:
        """Undo the deletion."""
        self.deleted_at = None
        self.save(update_fields=["deleted_at", "updated_at"])

    def switch(self, *, on: bool) -> None:
        """Say whether publishing asks this test."""
        self.is_enabled = on
        self.save(update_fields=["is_enabled", "updated_at"])

    def keep_result(self, result: str, report: list[dict[str, Any]]) -> None:
        """Remember how the test went."""
        self.last_result, self.report, self.last_run_at = result, report, timezone.now()
        self.save(update_fields=["last_result", "report", "last_run_at"])
