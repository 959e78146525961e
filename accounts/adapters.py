"""How allauth makes our users: with an organization of their own, or the one that invited them."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.http import HttpRequest

from accounts.models import Organization, User


class AccountAdapter(DefaultAccountAdapter):
    """Sign-up by e-mail makes an organization on trial and its owner in one transaction."""

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        user = super().save_user(request, user, form, commit=False)
        user.name = form.cleaned_data.get("name", "")
        found_organization(user, form.cleaned_data.get("organization_name", ""))
        if commit:
            user.save()
        return user


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """Sign-up through Google or Microsoft makes an organization in the same way."""

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        data = form.cleaned_data if form is not None else {}
        user = sociallogin.user
        user.name = data.get("name") or " ".join(
            filter(None, [user.__dict__.get("first_name"), user.__dict__.get("last_name")])
        )
        found_organization(user, data.get("organization_name", ""))
        return super().save_user(request, sociallogin, form)


def found_organization(user: User, name: str) -> None:
    """Make `user` the owner of a new organization, unless they belong to one already."""
    if user.organization_id is None:
        user.organization = Organization.objects.create(name=name or user.name or user.email.split("@")[0])
        user.role = User.Role.OWNER
