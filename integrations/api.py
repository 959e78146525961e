"""Integrations in the API: list the connected accounts, and try one. Credentials are shown to nobody."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Router, Schema

from accounts import audit
from accounts.api.authentication import endpoint
from accounts.api.pages import PageQuery, page_of
from accounts.models.api_key import Scope
from accounts.permissions import Permission
from accounts.tenancy import organization_scope
from integrations import health
from integrations.framework import ConnectorError
from integrations.models import Integration

router = Router()
SHOWN = (
    "id", "provider", "name", "account_label", "status", "status_reason", "last_used_at", "checked_at", "created_at",
)  # fmt: skip


class IntegrationOut(Schema):
    """An account at a service."""

    id: UUID
    provider: str = Field(examples=["SLACK"])
    name: str
    account_label: str = Field(description="What the service itself calls the account.")
    status: Literal["ACTIVE", "EXPIRED", "ERROR", "DISABLED"] = Field(
        description="EXPIRED: a person must reconnect it."
    )
    status_reason: str
    last_used_at: datetime | None
    checked_at: datetime | None
    created_at: datetime


class IntegrationPage(Schema):
    """A part of the list of integrations."""

    items: list[IntegrationOut]
    next_cursor: str | None


class IntegrationQuery(PageQuery):
    """Which integrations to list."""

    provider: str = Field("", max_length=32, description="Of this service only, such as SLACK.")
    status: Literal["", "ACTIVE", "EXPIRED", "ERROR", "DISABLED"] = ""


class IntegrationTest(Schema):
    """What came of trying an account."""

    works: bool
    message: str = Field(description="What the service said, or what to do.")
    integration: IntegrationOut


@router.get("/integrations", response=IntegrationPage, summary="List integrations")
@endpoint(Scope.INTEGRATIONS_READ, Permission.VIEW_INTEGRATIONS)
def list_integrations(request: HttpRequest, query: Query[IntegrationQuery]) -> Any:
    """List the connected accounts, newest first."""
    rows = Integration.objects.only(*SHOWN, "organization_id")
    if query.provider:
        rows = rows.filter(provider=query.provider.upper())
    if query.status:
        rows = rows.filter(status=query.status)
    found, cursor = page_of(rows, query)
    return IntegrationPage(items=[_shown(each) for each in found], next_cursor=cursor)


@router.get("/integrations/{uuid:integration_id}", response=IntegrationOut, summary="Read an integration")
@endpoint(Scope.INTEGRATIONS_READ, Permission.VIEW_INTEGRATIONS)
def get_integration(request: HttpRequest, integration_id: UUID) -> Any:
    """Return a connected account and how it is."""
    return _shown(get_object_or_404(Integration, pk=integration_id))


@router.post(
    "/integrations/{uuid:integration_id}/test", response=IntegrationTest, summary="Test an integration"
)
@endpoint(Scope.INTEGRATIONS_WRITE, Permission.MANAGE_INTEGRATIONS, in_scope=False)
def test_integration(request: HttpRequest, integration_id: UUID) -> Any:
    """Call the service now, with a cheap request that changes nothing, and say whether it answers."""
    person: Any = request.user
    with organization_scope(person.organization_id):
        row = get_object_or_404(Integration, pk=integration_id)
    # The service is called between two scopes: a scope is a transaction.
    try:
        works, message = True, health.check(row.organization_id, row.pk).label
    except ConnectorError as error:
        works, message = False, error.message
    with organization_scope(person.organization_id):
        row = get_object_or_404(Integration, pk=integration_id)
        after = {"works": works, "status": row.status}
        audit.record("integration.tested", actor=person, target=row, after=after, request=request)
        return IntegrationTest(works=works, message=message, integration=_shown(row))


def _shown(row: Integration) -> IntegrationOut:
    return IntegrationOut(**{name: getattr(row, name) for name in SHOWN})
