"""Scopes of pages that call a service: they open their own, for no network belongs in a transaction.

Their paths are in settings.SCOPELESS_PATHS.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.models import User
from accounts.tenancy import organization_scope


def in_scope(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Run a view that calls no service in one scope, as the middleware does for other pages."""

    @wraps(view)
    def scoped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with scope(request):
            response = view(request, *args, **kwargs)
            if response.status_code >= 500:
                transaction.set_rollback(True)
            return response

    return scoped


def scope(request: HttpRequest) -> Any:
    """Return the scope of the signed-in person's organization, to be entered with `with`."""
    return organization_scope(cast(UUID, person(request).organization_id))


def person(request: HttpRequest) -> User:
    """Return who is signed in; views that call this are guarded by `requires`."""
    return cast(User, request.user)


def page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """Render a page in a scope of its own: the sidebar counts rows."""
    with scope(request):
        return render(request, template, context, status=status)
