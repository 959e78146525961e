"""The staff admin: every view runs in a system scope, opened after the permission check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from unfold.sites import UnfoldAdminSite

from accounts.tenancy.scope import system_scope


class SystemAdminSite(UnfoldAdminSite):
    """Django admin over all organizations, for staff who passed the permission check."""

    site_header = "Steward staff"
    site_title = "Steward staff"
    index_title = "Everything, for support"

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        guarded = super().admin_view(view, cacheable)

        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if not self.has_permission(request):
                return guarded(request, *args, **kwargs)
            with system_scope(f"admin {request.method} {request.path}"):
                response = guarded(request, *args, **kwargs)
                if hasattr(response, "render"):
                    response.render()
                return response

        return inner
