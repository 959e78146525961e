"""What every page's template may use."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts.permissions import Permission, may


class PermissionsOf:
    """`{% if can.EDIT_WORKFLOW %}`: what the signed-in person may do, by the names of Permission."""

    def __init__(self, user: Any) -> None:
        self._user = user

    def __getitem__(self, name: str) -> bool:
        return may(self._user, Permission[name])


def page_context(request: HttpRequest) -> dict[str, Any]:
    """Return the CSP nonce, what the person may do, and whether this is a development server."""
    return {
        "csp_nonce": getattr(request, "csp_nonce", ""),
        "can": PermissionsOf(getattr(request, "user", None)),
        "is_development": settings.DEBUG,
    }
