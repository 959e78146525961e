"""Signing in: the authentication backend, and what happens after."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth.models import update_last_login
from django.contrib.auth.signals import user_logged_in
from django.db import DEFAULT_DB_ALIAS
from django.dispatch import receiver
from django.utils import timezone

from accounts.models import User
from accounts.tenancy import NoOrganizationScope, system_scope


class EmailBackend(AuthenticationBackend):
    """allauth's backend; users are read in a system scope, because the tenant is known only afterwards."""

    def authenticate(self, request: Any, **credentials: Any) -> User | None:
        with system_scope("authenticate"):
            return super().authenticate(request, **credentials)

    def get_user(self, user_id: Any) -> User | None:
        user = self._in_scope(user_id)
        if user is None:
            with system_scope("load the signed-in user"):
                user = User.objects.select_related("organization").filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None

    def _in_scope(self, user_id: Any) -> User | None:
        """Return the person if the scope in force sees them, as the one of a page does."""
        try:
            # From the primary: what a person may do is not read from a copy that lags behind.
            people = User.objects.using(DEFAULT_DB_ALIAS)
        except NoOrganizationScope:
            return None
        return people.select_related("organization").filter(pk=user_id).first()


# Django's own receiver saves the schema-foreign field `last_login`.
user_logged_in.disconnect(update_last_login, dispatch_uid="update_last_login")


@receiver(user_logged_in, dispatch_uid="record_last_login")
def record_last_login(sender: Any, user: User, **kwargs: Any) -> None:
    """Remember when a person last signed in."""
    user.last_login_at = timezone.now()
    with system_scope("record a sign-in"):
        User.objects.filter(pk=user.pk).update(last_login_at=user.last_login_at)
