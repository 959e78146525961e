"""A person who signs in: a member of one organization, or staff of ours."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.tenancy import OrganizationManager, OrganizationQuerySet, RowLevelSecurity, system_scope, uuid7


class UserQuerySet(OrganizationQuerySet):
    """People of the organization in scope."""

    def owners(self) -> UserQuerySet:
        return self.filter(role=User.Role.OWNER, is_active=True)


class UserManager(OrganizationManager.from_queryset(UserQuerySet), BaseUserManager[Any]):  # type: ignore[misc]
    """Makes users; looks one up by e-mail in a system scope, because sign-in comes before the tenant is known."""

    def get_by_natural_key(self, email: str | None) -> Any:
        with system_scope("look a user up by e-mail"):
            return self.get(email__iexact=email)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> Any:
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> Any:
        """Make a staff account, which belongs to no organization. Who may run commands here vouches for the address."""
        from allauth.account.models import EmailAddress  # its models refer to this one

        with system_scope("create a staff account"):
            user = self.create_user(email, password, is_staff=True, is_superuser=True, **fields)
            EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A person. Members have an organization and a role in it; staff of ours have neither."""

    class Role(models.TextChoices):
        OWNER = "OWNER", _("Owner")  # everything, billing included
        ADMIN = "ADMIN", _("Admin")  # everything but billing
        MEMBER = "MEMBER", _("Member")  # the workflows assigned to them
        VIEWER = "VIEWER", _("Viewer")  # reads

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(_("e-mail"), max_length=254)
    name = models.CharField(_("name"), max_length=120, blank=True)
    role = models.CharField(_("role"), max_length=6, choices=Role, default=Role.MEMBER)
    organization = models.ForeignKey(
        "accounts.Organization",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="users",
        db_index=False,
    )
    timezone = models.CharField(_("time zone"), max_length=64, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    preferences = models.JSONField(default=dict, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    last_login_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[Any] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering = ["name", "email"]
        base_manager_name = "objects"
        indexes = [models.Index(fields=["organization", "email"], name="user_of_organization")]
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                name="user_email_unique",
                violation_error_message=_("This e-mail is already in use."),
            ),
            models.UniqueConstraint(fields=["organization", "id"], name="user_in_organization"),
            models.CheckConstraint(
                condition=models.Q(organization__isnull=False, is_staff=False, is_superuser=False)
                | models.Q(organization__isnull=True, is_staff=True),
                name="user_is_member_or_staff",
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=["OWNER", "ADMIN", "MEMBER", "VIEWER"]), name="user_role_known"
            ),
            RowLevelSecurity(name="user_rls"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return (self.name or self.email).split("@")[0].split(" ")[0]

    # Django's token generator and allauth read this name; the schema's is last_login_at.
    @property
    def last_login(self) -> datetime | None:  # type: ignore[override]
        return self.last_login_at

    @property
    def is_owner(self) -> bool:
        return self.role == self.Role.OWNER
