"""What the pages of integrations have in common; their scopes are those of accounts.scopes."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.http import Http404

from accounts.scopes import in_scope, page, person, scope
from integrations.framework import Connector, registry
from integrations.models import Integration

__all__ = ["connector_or_404", "in_scope", "integration_or_404", "page", "person", "scope"]


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
