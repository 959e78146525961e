"""Keys for the API."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import api_keys
from accounts.forms import ApiKeyForm
from accounts.models import ApiKey
from accounts.permissions import Permission, requires
from accounts.views.team import signed_in


@require_safe
@requires(Permission.MANAGE_API_KEYS)
def keys(request: HttpRequest) -> HttpResponse:
    """Show the keys of the organization, those that no longer work last."""
    rows = ApiKey.objects.select_related("created_by").order_by("-id")[:200]
    listed = [(key, _state(key)) for key in rows]
    listed.sort(key=lambda pair: pair[1] != "ACTIVE")
    return render(request, "accounts/keys.html", {"keys": listed, "tab": "keys"})


@never_cache
@requires(Permission.MANAGE_API_KEYS)
def create_key(request: HttpRequest) -> HttpResponse:
    """Make a key, and show its secret this once."""
    form = ApiKeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        key, secret = api_keys.issue(
            signed_in(request), chosen["name"], chosen["scopes"], form.expires_at(), request=request
        )
        # Not after a redirect: that would have to keep the secret somewhere in between.
        return render(request, "accounts/key_made.html", {"key": key, "secret": secret, "tab": "keys"})
    status = 422 if request.method == "POST" else 200
    return render(request, "accounts/key_new.html", {"form": form, "tab": "keys"}, status=status)


@require_POST
@requires(Permission.MANAGE_API_KEYS)
def revoke_key(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """Make a key stop working."""
    key = get_object_or_404(ApiKey.objects.select_for_update(of=("self",)), pk=key_id)
    api_keys.revoke(signed_in(request), key, request=request)
    messages.success(request, _("“%(name)s” no longer works.") % {"name": key.name})
    return redirect("accounts:keys")


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "REVOKED"
    return "EXPIRED" if key.expires_at is not None and key.expires_at <= timezone.now() else "ACTIVE"
