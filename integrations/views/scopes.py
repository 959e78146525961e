"""Scopes of these pages: they open their own, because some call a service between reading and recording."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from uuid import UUID

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.models import User
from accounts.tenancy import organization_scope
from integrations.framework import Connector, registry
from integrations.models import Integration


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


def connector_or_404(provider: str) -> Connector:
    """Return the connector of an address. Raises Http404."""
    try:
        return registry.get(provider)
    except KeyError:
        raise Http404(provider) from None


def integration_or_404(integration_id: UUID) -> Integration:
    """Return an integration of the organization in scope. Raises Http404."""
    row = Integration.objects.select_related("created_by").filter(pk=integration_id).first()
    if row is None:
        raise Http404(str(integration_id))
    return cast(Integration, row)
