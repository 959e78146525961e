"""The door of the staff admin: our own sign-in page, staff alone, and a second factor where the data is real."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from accounts.tenancy.admin import SystemAdminSite


class StaffAdminSite(SystemAdminSite):
    """Django admin without a password form of its own: throttling and second factors stand in one place."""

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and has_second_factor(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send a visitor to sign in, and staff without a second factor to set one up."""
        return never_cache(self._way_in)(request)

    def _way_in(self, request: HttpRequest) -> HttpResponse:
        target = request.GET.get("next") or reverse("admin:index")
        if not request.user.is_authenticated:
            return redirect(f"{reverse('account_login')}?{urlencode({'next': target})}")
        if not super().has_permission(request):
            raise PermissionDenied(_("This page is for Steward's own staff."))
        if not has_second_factor(request):
            return redirect(f"{reverse('mfa_activate_totp')}?{urlencode({'next': target})}")
        return redirect("admin:index")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect("account_logout")


def has_second_factor(request: HttpRequest) -> bool:
    """Return whether who is signed in has a second factor, or none is asked for here; read once per request."""
    if not settings.STAFF_MFA_REQUIRED:
        return True
    if not hasattr(request, "_has_second_factor"):
        request._has_second_factor = is_mfa_enabled(request.user)  # type: ignore[attr-defined]
    return bool(request._has_second_factor)  # type: ignore[attr-defined]
