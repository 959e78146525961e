"""One thing done to many runs: what was asked for, and how far it is."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.tenancy import OrganizationOwned, RowLevelSecurity, SameOrganization


class BulkAction(OrganizationOwned):
    """Ticked runs, or all that a filter finds, being resumed, repeated or cancelled in the background.

    `position` is the last run that was looked at: it moves in the transaction that acts, so a worker that dies midway
    neither leaves a run out nor takes one twice. `newest` keeps runs that came later, its own among them, out of it.
    """

    class Action(models.TextChoices):
        RESUME = "RESUME", _("Resume where it stopped")
        RESTART = "RESTART", _("Run again")
        RESTART_NEWEST = "RESTART_NEWEST", _("Run again with the newest version")
        CANCEL = "CANCEL", _("Cancel")

    class Status(models.TextChoices):
        RUNNING = "RUNNING", _("Running")
        COMPLETED = "COMPLETED", _("Done")
        CANCELLED = "CANCELLED", _("Stopped")

    action = models.CharField(max_length=14, choices=Action)
    status = models.CharField(max_length=9, choices=Status, default=Status.RUNNING)
    selected = models.JSONField(null=True, blank=True)  # ids of ticked runs; null: what `filters` finds
    filters = models.JSONField(default=dict, blank=True)  # the query of the list of runs
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(
        default=0
    )  # it did not fit them, or they were taken up again already
    failed = models.PositiveIntegerField(default=0)
    newest = models.UUIDField()
    position = models.UUIDField(null=True, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_constraint=False
    )
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta(OrganizationOwned.Meta):
        ordering = ["-id"]
        indexes = [models.Index(fields=["organization", "-id"], name="bulk_of_organization")]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organization", "id"], name="bulk_in_organization"),
            SameOrganization(
                name="bulk_user_same_org",
                column="requested_by_id",
                to="accounts_user",
                on_delete="SET NULL (requested_by_id)",
            ),
            RowLevelSecurity(name="bulk_rls"),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} ({self.total})"

    @property
    def handled(self) -> int:
        return self.done + self.skipped + self.failed

    @property
    def is_finished(self) -> bool:
        return self.status != self.Status.RUNNING
