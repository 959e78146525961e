"""How allauth makes our users: with an organization of their own, or the one that invited them."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as allauth_context
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from accounts import mail
from accounts.audit import record
from accounts.models import Organization, User


class AccountAdapter(DefaultAccountAdapter):
    """Sign-up by e-mail makes an organization on trial and its owner in one transaction."""

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        user = super().save_user(request, user, form, commit=False)
        user.name = form.cleaned_data.get("name") or user.name
        found_organization(user, form.cleaned_data.get("organization_name", ""), request=request)
        if commit:
            user.save()
        return user

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        request = allauth_context.request
        values = {"request": request, "email": email, "base_url": settings.BASE_URL, **context}
        mail.send_message(self.render_mail(template_prefix, email, values))

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        user = request.user
        if user.is_authenticated and user.is_staff:
            return reverse("admin:index")
        return super().get_login_redirect_url(request)


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """Sign-up through Google or Microsoft makes an organization in the same way."""

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> User:
        user: User = super().populate_user(request, sociallogin, data)
        parts = [data.get("first_name"), data.get("last_name")]
        user.name = (data.get("name") or " ".join(filter(None, parts)))[:120]
        return user

    def get_signup_form_initial_data(self, sociallogin: Any) -> dict[str, Any]:
        return {**super().get_signup_form_initial_data(sociallogin), "name": sociallogin.user.name}

    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Ask for the name of the business instead of inventing one."""
        return False

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        # Before the first save: a member without an organization is refused by PostgreSQL.
        name = form.cleaned_data.get("organization_name", "") if form is not None else ""
        found_organization(sociallogin.user, name, request=request)
        return super().save_user(request, sociallogin, form)


def found_organization(user: User, name: str, *, request: HttpRequest) -> None:
    """Make `user` the owner of a new organization on trial, unless they belong to one already."""
    if user.organization_id is not None:
        return
    user.organization = Organization.objects.create(name=name or user.name or user.email.split("@")[0])
    user.role = User.Role.OWNER
    record(
        "organization.created",
        actor=user,
        target=user.organization,
        after={"name": user.organization.name},
        request=request,
        organization_id=user.organization.pk,
    )
