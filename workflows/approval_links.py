"""Addresses in e-mails that let one person decide one question without signing in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.urls import reverse

from accounts.models import User
from workflows.approvals import fingerprint
from workflows.models import Approval

LINK_SALT = "workflows.approval.link"
LINK_LASTS = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Link:
    """Who may answer what through a signed address. content_hash: of what the e-mail showed."""

    organization_id: UUID
    approval_id: UUID
    user_id: UUID
    content_hash: str


def link_for(approval: Approval, user: User) -> str:
    """Return the address in a person's e-mail: for this question and person alone, until it is decided."""
    token = signing.dumps(
        [str(approval.organization_id), str(approval.pk), str(user.pk), fingerprint(approval)],
        salt=LINK_SALT,
        compress=True,
    )
    return settings.BASE_URL + reverse("workflows:approve-link", args=[token])


def read_link(token: str) -> Link | None:
    """Return what a signed address is for; None when it was altered or is too old."""
    try:
        organization, approval, user, shown = signing.loads(token, salt=LINK_SALT, max_age=LINK_LASTS)
        return Link(UUID(organization), UUID(approval), UUID(user), str(shown))
    except (signing.BadSignature, ValueError, TypeError):
        return None
