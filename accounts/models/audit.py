"""Who changed what: the append-only trail of access, credentials, plans and workflows."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from accounts.tenancy import OrganizationOwned, RowLevelSecurity


class AuditEvent(OrganizationOwned):
    """One change. A database trigger refuses to alter or remove it while its organization exists.

    The actor is kept as id and label, without a reference, so that a removed person's acts stay readable.
    """

    at = models.DateTimeField(auto_now_add=True)
    actor_id = models.UUIDField(null=True, blank=True)
    actor_label = models.CharField(max_length=254)
    action = models.CharField(max_length=64)
    target_type = models.CharField(max_length=40, blank=True)
    target_id = models.CharField(max_length=64, blank=True)
    target_label = models.CharField(max_length=254, blank=True)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    ip_address = models.GenericIPAddressField(null=True, blank=True)

    class Meta(OrganizationOwned.Meta):
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["organization", "-id"], name="audit_of_organization"),
            models.Index(fields=["organization", "action", "-id"], name="audit_by_action"),
            models.Index(fields=["organization", "target_id", "-id"], name="audit_by_target"),
        ]
        constraints: ClassVar[list[Any]] = [RowLevelSecurity(name="audit_rls")]

    def __str__(self) -> str:
        return f"{self.action} {self.target_label}"
