"""Keys for the API: shown once, stored as a hash."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.tenancy import (
    OrganizationManager,
    OrganizationOwned,
    OrganizationQuerySet,
    RowLevelSecurity,
    SameOrganization,
)

KEY_PREFIX = "stw_"
SHOWN_CHARACTERS = 12


class Scope(models.TextChoices):
    """What a key may do."""

    WORKFLOWS_READ = "workflows:read", _("Read workflows")
    WORKFLOWS_WRITE = "workflows:write", _("Change and publish workflows")
    EXECUTIONS_READ = "executions:read", _("Read runs")
    EXECUTIONS_WRITE = "executions:write", _("Start, cancel and restart runs")
    APPROVALS_READ = "approvals:read", _("Read approvals")
    APPROVALS_WRITE = "approvals:write", _("Answer approvals")
    INTEGRATIONS_READ = "integrations:read", _("List integrations")
    INTEGRATIONS_WRITE = "integrations:write", _("Test integrations")
    ADMIN_READ = "admin:read", _("Read members, usage and the audit trail")


class ApiKeyQuerySet(OrganizationQuerySet):
    """Keys of the organization in scope."""

    def usable(self) -> ApiKeyQuerySet:
        return self.filter(revoked_at=None).exclude(expires_at__lte=timezone.now())


class ApiKey(OrganizationOwned):
    """A secret that lets a program act for the organization within its scopes."""

    name = models.CharField(_("name"), max_length=80)
    prefix = models.CharField(max_length=16, editable=False)
    secret_hash = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=32, choices=Scope.choices), default=list)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_constraint=False
    )
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    # The requests made so far are paid for up to then; see accounts.api.pace.
    paced_until = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[Any] = OrganizationManager.from_queryset(ApiKeyQuerySet)()

    class Meta(OrganizationOwned.Meta):
        ordering = ["-id"]
        indexes = [models.Index(fields=["organization", "-id"], name="api_key_of_organization")]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organization", "id"], name="api_key_in_organization"),
            SameOrganization(
                name="api_key_created_by_same_org",
                column="created_by_id",
                to="accounts_user",
                on_delete="SET NULL (created_by_id)",
            ),
            RowLevelSecurity(name="api_key_rls"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @classmethod
    def issue(cls, **fields: Any) -> tuple[ApiKey, str]:
        """Store a new key and return it with its secret, which cannot be had again."""
        secret = KEY_PREFIX + secrets.token_urlsafe(32)
        key = cls(prefix=secret[:SHOWN_CHARACTERS], secret_hash=hash_secret(secret), **fields)
        key.save()
        return key, secret


def hash_secret(secret: str) -> str:
    """Return the hash under which a random 256-bit secret is stored; its entropy makes a slow hash needless."""
    return hashlib.sha256(secret.encode()).hexdigest()
