"""An offer to join an organization with a role, sent by e-mail."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.user import User
from accounts.tenancy import (
    OrganizationManager,
    OrganizationOwned,
    OrganizationQuerySet,
    RowLevelSecurity,
    SameOrganization,
)

LIFETIME = timedelta(days=7)


def invitation_expiry() -> datetime:
    """Return when an invitation made now expires."""
    return timezone.now() + LIFETIME


class InvitationQuerySet(OrganizationQuerySet):
    """Invitations of the organization in scope."""

    def open(self) -> InvitationQuerySet:
        return self.filter(accepted_at=None, revoked_at=None)

    def usable(self) -> InvitationQuerySet:
        return self.open().filter(expires_at__gt=timezone.now())


class Invitation(OrganizationOwned):
    """A link for one e-mail address and one role. Only the hash of its token is stored."""

    email = models.EmailField(_("e-mail"), max_length=254)
    role = models.CharField(_("role"), max_length=6, choices=User.Role, default=User.Role.MEMBER)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_constraint=False
    )
    expires_at = models.DateTimeField(default=invitation_expiry)
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[Any] = OrganizationManager.from_queryset(InvitationQuerySet)()

    class Meta(OrganizationOwned.Meta):
        ordering = ["-id"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                "organization",
                Lower("email"),
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="invitation_open_once_per_email",
            ),
            models.UniqueConstraint(fields=["organization", "id"], name="invitation_in_organization"),
            models.CheckConstraint(condition=~models.Q(role="OWNER"), name="invitation_never_owner"),
            SameOrganization(
                name="invitation_invited_by_same_org",
                column="invited_by_id",
                to="accounts_user",
                on_delete="SET NULL (invited_by_id)",
            ),
            RowLevelSecurity(name="invitation_rls"),
        ]

    def __str__(self) -> str:
        return f"{self.email} ({self.get_role_display()})"

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()
