"""Changes of how a person signs in: written to the audit trail, and other sessions ended after a new password."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import email_changed, password_changed, password_reset, password_set
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from allauth.socialaccount.signals import social_account_added, social_account_removed
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.audit import record
from accounts.models import User
from accounts.sessions import end_sessions
from accounts.tenancy import organization_scope


@receiver([password_changed, password_set, password_reset], dispatch_uid="password_changed")
def after_new_password(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    """End the person's sessions on other devices: who knew the old password is out."""
    end_sessions([user], but=request.session.session_key if request.user.is_authenticated else None)
    _record("security.password_changed", request, user)


@receiver(email_changed, dispatch_uid="email_changed")
def after_new_email(
    sender: Any,
    request: HttpRequest,
    user: User,
    from_email_address: Any,
    to_email_address: Any,
    **kwargs: Any,
) -> None:
    before = {"email": from_email_address.email if from_email_address else ""}
    _record("security.email_changed", request, user, before=before, after={"email": to_email_address.email})


@receiver(authenticator_added, dispatch_uid="factor_added")
def after_factor_added(
    sender: Any, request: HttpRequest, user: User, authenticator: Any, **kwargs: Any
) -> None:
    _record("security.factor_added", request, user, after={"kind": _kind(authenticator)})


@receiver(authenticator_removed, dispatch_uid="factor_removed")
def after_factor_removed(
    sender: Any, request: HttpRequest, user: User, authenticator: Any, **kwargs: Any
) -> None:
    _record("security.factor_removed", request, user, before={"kind": _kind(authenticator)})


@receiver(authenticator_reset, dispatch_uid="factor_reset")
def after_factor_reset(
    sender: Any, request: HttpRequest, user: User, authenticator: Any, **kwargs: Any
) -> None:
    _record("security.factor_reset", request, user, after={"kind": _kind(authenticator)})


@receiver(social_account_added, dispatch_uid="account_connected")
def after_account_connected(sender: Any, request: HttpRequest, sociallogin: Any, **kwargs: Any) -> None:
    provider = sociallogin.account.provider.capitalize()
    _record("security.account_connected", request, sociallogin.user, after={"provider": provider})


@receiver(social_account_removed, dispatch_uid="account_disconnected")
def after_account_disconnected(sender: Any, request: HttpRequest, socialaccount: Any, **kwargs: Any) -> None:
    provider = socialaccount.provider.capitalize()
    _record("security.account_disconnected", request, socialaccount.user, before={"provider": provider})


def _record(action: str, request: HttpRequest, user: User, **values: Any) -> None:
    """Write an event of a member; staff of ours have no organization whose trail it would belong to.

    In a scope of its own: allauth tells some of it only after its page's transaction.
    """
    if user.organization_id is None:
        return
    with organization_scope(user.organization_id):
        record(action, actor=user, target=user, request=request, **values)


def _kind(authenticator: Any) -> str:
    return str(authenticator.get_type_display())
