"""Members and the audit trail in the API."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Router, Schema

from accounts.api.authentication import endpoint
from accounts.api.pages import Moment, PageQuery, page_of
from accounts.audit_sentences import sentence
from accounts.models import AuditEvent, User
from accounts.models.api_key import Scope
from accounts.permissions import Permission
from accounts.tenancy import first_uuid7

router = Router()


class Member(Schema):
    """A person of the organization."""

    id: UUID
    name: str
    email: str = Field(examples=["ada@example.com"])
    role: Literal["OWNER", "ADMIN", "MEMBER", "VIEWER"]
    is_active: bool
    last_login_at: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, person: User) -> Member:
        return cls(**{name: getattr(person, name) for name in cls.model_fields})


class MemberPage(Schema):
    """A part of the list of members."""

    items: list[Member]
    next_cursor: str | None


class AuditEventOut(Schema):
    """One change: who, what, before and after. Secrets are never in it."""

    id: UUID
    at: datetime
    action: str = Field(examples=["workflow.published"])
    sentence: str = Field(description="The same in words.")
    actor_id: UUID | None
    actor_label: str
    target_type: str
    target_id: str
    target_label: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    ip_address: str | None


class AuditPage(Schema):
    """A part of the audit trail."""

    items: list[AuditEventOut]
    next_cursor: str | None


class AuditQuery(PageQuery):
    """Which events to list."""

    action: str = Field("", max_length=64, description="Exactly this action, such as workflow.published.")
    target_id: str = Field("", max_length=64, description="Changes of this object only.")
    since: Moment | None = None
    until: Moment | None = None


@router.get("/members", response=MemberPage, summary="List members")
@endpoint(Scope.ADMIN_READ, Permission.VIEW_TEAM)
def list_members(request: HttpRequest, query: Query[PageQuery]) -> Any:
    """List the people of the organization, newest first."""
    found, cursor = page_of(User.objects.all(), query)
    return MemberPage(items=[Member.of(each) for each in found], next_cursor=cursor)


@router.get("/members/{uuid:member_id}", response=Member, summary="Read a member")
@endpoint(Scope.ADMIN_READ, Permission.VIEW_TEAM)
def get_member(request: HttpRequest, member_id: UUID) -> Any:
    """Return one person of the organization."""
    return Member.of(get_object_or_404(User, pk=member_id))


@router.get("/audit-events", response=AuditPage, summary="Read the audit trail")
@endpoint(Scope.ADMIN_READ, Permission.VIEW_AUDIT)
def list_audit_events(request: HttpRequest, query: Query[AuditQuery]) -> Any:
    """List who changed what, newest first."""
    rows = AuditEvent.objects.all()
    for name in ("action", "target_id"):
        if value := getattr(query, name):
            rows = rows.filter(**{name: value})
    if query.since:
        rows = rows.filter(pk__gte=first_uuid7(query.since))
    if query.until:
        rows = rows.filter(pk__lt=first_uuid7(query.until))
    found, cursor = page_of(rows, query)
    return AuditPage(items=[_shown(each) for each in found], next_cursor=cursor)


def _shown(event: AuditEvent) -> AuditEventOut:
    names = [name for name in AuditEventOut.model_fields if name != "sentence"]
    return AuditEventOut(sentence=str(sentence(event)), **{name: getattr(event, name) for name in names})
