"""Inviting people by e-mail: the offer, its link, and how it becomes a member."""

from __future__ import annotations

import secrets
from enum import Enum

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import mail
from accounts.audit import record
from accounts.models import Invitation, User
from accounts.models.api_key import hash_secret
from accounts.models.invitation import invitation_expiry
from accounts.team import ASSIGNABLE, TeamRefused, people
from accounts.tenancy import system_scope
from billing.entitlements import Limit, claim


class Verdict(Enum):
    """What an invitation's link is good for."""

    OPEN = "open"
    UNKNOWN = "unknown"  # never was, or was replaced by a newer link
    REVOKED = "revoked"
    EXPIRED = "expired"
    USED = "used"
    ALREADY_MEMBER = "already member"
    ELSEWHERE = "elsewhere"  # the address signs in to another organization


class InvitationRefused(Exception):
    """The link cannot be accepted; `verdict` says why."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        super().__init__(verdict.value)


def invite(actor: User, email: str, role: str, *, request: HttpRequest) -> Invitation:
    """Offer a place to an address, and send the link. A second offer to an address replaces the first.

    Raises TeamRefused, and LimitReached when the plan has no place left. Whether the address has an account elsewhere
    is not told here: only who can read its mail learns that.
    """
    if role not in ASSIGNABLE:
        raise TeamRefused(_("Nobody is invited as an owner. Invite them, then hand ownership over."))
    email = User.objects.normalize_email(email.strip())
    if people(email__iexact=email).exists():
        raise TeamRefused(_("%(email)s is on your team already.") % {"email": email})
    organization_id = actor.organization_id
    claim(organization_id, Limit.MEMBERS, lambda: _places_taken(but=email))
    found = Invitation.objects.open().filter(email__iexact=email).first()
    invitation = found or Invitation(email=email, invited_by=actor)
    invitation.role = role
    _renew(invitation)
    record(
        "invitation.sent",
        actor=actor,
        target=invitation,
        after={"email": email, "role": role},
        request=request,
    )
    return invitation


def resend(actor: User, invitation: Invitation, *, request: HttpRequest) -> None:
    """Send a new link that lasts another seven days; the link sent before stops working."""
    claim(actor.organization_id, Limit.MEMBERS, lambda: _places_taken(but=invitation.email))
    _renew(invitation)
    record("invitation.resent", actor=actor, target=invitation, request=request)


def revoke(actor: User, invitation: Invitation, *, request: HttpRequest) -> None:
    """Make the link stop working."""
    invitation.revoked_at = timezone.now()
    invitation.save(update_fields=["revoked_at"])
    record("invitation.revoked", actor=actor, target=invitation, request=request)


def restore(actor: User, invitation: Invitation, *, request: HttpRequest) -> None:
    """Undo a revocation: the link that was sent works again. Raises TeamRefused and LimitReached."""
    if Invitation.objects.open().filter(email__iexact=invitation.email).exists():
        raise TeamRefused(_("%(email)s has been invited again meanwhile.") % {"email": invitation.email})
    claim(actor.organization_id, Limit.MEMBERS, lambda: _places_taken(but=invitation.email))
    invitation.revoked_at = None
    invitation.save(update_fields=["revoked_at"])
    record("invitation.restored", actor=actor, target=invitation, request=request)


def find(token: str) -> tuple[Verdict, Invitation | None]:
    """Return what a link is good for, and its invitation; opens a system scope, for its holder has no organization."""
    with system_scope("read an invitation's link"):
        invitation = (
            Invitation.objects.select_related("organization", "invited_by")
            .filter(token_hash=hash_secret(token))
            .first()
        )
        return (Verdict.UNKNOWN, None) if invitation is None else (verdict_of(invitation), invitation)


def verdict_of(invitation: Invitation) -> Verdict:
    """Return what an invitation is good for now; in a system scope."""
    if invitation.accepted_at is not None:
        return Verdict.USED
    if invitation.revoked_at is not None:
        return Verdict.REVOKED
    if invitation.is_expired:
        return Verdict.EXPIRED
    holder = User.objects.filter(email__iexact=invitation.email).first()
    if holder is None:
        return Verdict.OPEN
    is_here = holder.organization_id == invitation.organization_id
    return Verdict.ALREADY_MEMBER if is_here else Verdict.ELSEWHERE


def accept(invitation_id: object, name: str, password: str, *, request: HttpRequest) -> User:
    """Make the invited person a member and return them; the link was sent by e-mail, so the address is verified.

    Raises InvitationRefused, and LimitReached when the plan has no place left meanwhile.
    """
    try:
        with system_scope("accept an invitation"), transaction.atomic():
            # Locked: of two clicks at once, the second finds it used.
            invitation = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation_id)
            verdict = verdict_of(invitation)
            if verdict is not Verdict.OPEN:
                raise InvitationRefused(verdict)
            organization_id = invitation.organization_id
            claim(organization_id, Limit.MEMBERS, lambda: people(organization_id=organization_id).count())
            user = User.objects.create_user(
                invitation.email,
                password,
                name=name,
                organization_id=organization_id,
                role=invitation.role,
            )
            EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
            invitation.accepted_at = timezone.now()
            invitation.save(update_fields=["accepted_at"])
            record(
                "invitation.accepted",
                actor=user,
                target=invitation,
                after={"role": user.role},
                request=request,
                organization_id=organization_id,
            )
    except IntegrityError:  # the address signed up somewhere a moment ago
        raise InvitationRefused(Verdict.ELSEWHERE) from None
    return user


def _places_taken(*, but: str) -> int:
    waiting = Invitation.objects.usable().exclude(email__iexact=but)
    return int(people().count() + waiting.count())


def _renew(invitation: Invitation) -> None:
    token = secrets.token_urlsafe(32)
    invitation.token_hash = hash_secret(token)
    invitation.expires_at = invitation_expiry()
    invitation.save()
    organization, inviter = invitation.organization, invitation.invited_by
    mail.send(
        "accounts/email/invitation",
        invitation.email,
        {
            "subject": _("%(organization)s invites you to Steward") % {"organization": organization.name},
            "organization": organization,
            "inviter": inviter,
            "role": invitation.get_role_display(),
            "expires_at": invitation.expires_at,
            "action_url": settings.BASE_URL + reverse("accounts:invitation", args=[token]),
            "action_label": _("Join the team"),
        },
    )
