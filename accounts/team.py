"""Who works in an organization and as what: the rules of changing roles, leaving and handing ownership over."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.audit import record
from accounts.models import Organization, User
from accounts.sessions import end_sessions

ROLE = User.Role
ASSIGNABLE = (ROLE.ADMIN, ROLE.MEMBER, ROLE.VIEWER)


class TeamRefused(Exception):
    """The rules do not allow it; `str()` is a sentence for the person who tried."""


def may_manage(actor: User, person: User) -> bool:
    """Return whether `actor` may change the role of `person` or remove them: admins leave owners alone."""
    if actor.role == ROLE.OWNER:
        return True
    return actor.role == ROLE.ADMIN and person.role != ROLE.OWNER


def change_role(actor: User, person: User, role: str, *, request: HttpRequest | None = None) -> User:
    """Give a member another role; raises TeamRefused."""
    _lock(person)
    if not may_manage(actor, person):
        raise TeamRefused(_("Only an owner can change the role of an owner."))
    if role not in ASSIGNABLE:
        raise TeamRefused(_("An owner is made by handing ownership over, not by changing a role."))
    _keep_an_owner(person)
    before, person.role = person.role, role
    if before == role:
        return person
    person.save(update_fields=["role", "updated_at"])
    record(
        "member.role_changed",
        actor=actor,
        target=person,
        before={"role": before},
        after={"role": role},
        request=request,
    )
    return person


def remove(actor: User, person: User, *, request: HttpRequest | None = None) -> None:
    """Take a person out of the organization, or let them leave; raises TeamRefused.

    Their sessions end and their sign-in is deleted; workflows, runs and history stay.
    """
    _lock(person)
    is_leaving = actor.pk == person.pk
    if not is_leaving and not may_manage(actor, person):
        raise TeamRefused(_("Only an owner can remove an owner."))
    _keep_an_owner(person)
    end_sessions([person])
    record(
        "member.left" if is_leaving else "member.removed",
        actor=actor,
        target=person,
        before={"email": person.email, "role": person.role},
        request=request,
    )
    person.delete()


def hand_over(actor: User, heir: User, *, stays_owner: bool, request: HttpRequest | None = None) -> None:
    """Make `heir` an owner; the giver becomes an admin unless they stay an owner as well. Raises TeamRefused."""
    _lock(actor)
    if actor.role != ROLE.OWNER or actor.pk == heir.pk or not heir.is_active:
        raise TeamRefused(_("Only an owner can hand ownership over, and only to another person of the team."))
    heir.role = ROLE.OWNER
    heir.save(update_fields=["role", "updated_at"])
    if not stays_owner:
        actor.role = ROLE.ADMIN
        actor.save(update_fields=["role", "updated_at"])
    record(
        "organization.ownership_transferred",
        actor=actor,
        target=heir,
        after={"giver_role": actor.role},
        request=request,
    )


def people(**conditions: Any) -> Any:
    """Return the people of the organization in scope who can sign in, as a queryset."""
    return User.objects.filter(is_active=True, organization__isnull=False, **conditions)


def _lock(person: User) -> None:
    """Let one change of the team happen at a time: two owners who demote each other would leave none."""
    Organization.objects.select_for_update(no_key=True).get(pk=cast(UUID, person.organization_id))
    person.refresh_from_db(fields=["role", "is_active"])


def _keep_an_owner(person: User) -> None:
    if person.role == ROLE.OWNER and not people(role=ROLE.OWNER).exclude(pk=person.pk).exists():
        raise TeamRefused(_("The last owner has to stay. Hand ownership over to somebody else first."))
