"""Erasing an organization: every row of it, in every table, in one transaction."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import mail
from accounts.models import ApiKey, User
from accounts.owned import erasable_tables, loose_references_to_people
from accounts.sessions import end_sessions
from accounts.tenancy import system_scope


def begin(organization_id: UUID) -> None:
    """Close an organization at once and leave the erasing to a worker: a long history takes longer than a page may.

    From here on nobody can sign in and no key works. In the caller's transaction.
    """
    from accounts.tasks import erase_organization

    with system_scope(f"close organization {organization_id}"):
        people = User.objects.filter(organization_id=organization_id)
        end_sessions(people)
        people.update(is_active=False)
        ApiKey.objects.filter(organization_id=organization_id, revoked_at=None).update(
            revoked_at=timezone.now()
        )
        erase_organization.defer(organization_id=str(organization_id))


def erase(organization_id: UUID, *, told: bool = True) -> dict[str, int]:
    """Delete an organization with everything it owns, and return how many rows left each table.

    told: its owners get a last e-mail. All or nothing: a failure leaves every row where it was. Plain SQL, because a
    history of a million rows must not pass through this process.
    """
    with system_scope(f"erase organization {organization_id}"):
        people = list(User.objects.filter(organization_id=organization_id).select_related("organization"))
        if told:
            _say_goodbye([person for person in people if person.is_owner])
        end_sessions(people)
        with connection.cursor() as cursor:
            # The audit trail's trigger lets exactly this organization's events go.
            cursor.execute("SELECT set_config('app.erasing_organization', %s, true)", [str(organization_id)])
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            _clear_loose_references(cursor, organization_id)
            counts = {}
            for owned in erasable_tables():
                cursor.execute(f"DELETE FROM {owned.table} WHERE {owned.condition}", [organization_id])  # noqa: S608 - names of our own models
                counts[owned.table] = cursor.rowcount
            cursor.execute(
                "DELETE FROM procrastinate_jobs WHERE args->>'organization_id' = %s AND status <> 'doing'",
                [str(organization_id)],
            )
            counts["procrastinate_jobs"] = cursor.rowcount
            # A reference that was forgotten fails here, not at a commit that nobody handles.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            cursor.execute("SELECT set_config('app.erasing_organization', '', true)")
    return counts


def _clear_loose_references(cursor: Any, organization_id: UUID) -> None:
    for table, column in loose_references_to_people():
        cursor.execute(
            f"UPDATE {table} SET {column} = NULL WHERE organization_id IS NULL"  # noqa: S608 - names of our own models
            f" AND {column} IN (SELECT id FROM accounts_user WHERE organization_id = %s)",
            [organization_id],
        )


def _say_goodbye(owners: list[User]) -> None:
    for owner in owners:
        mail.send(
            "accounts/email/organization_erased",
            owner.email,
            {
                "subject": _("%(organization)s was deleted from Steward")
                % {"organization": owner.organization},
                "organization": owner.organization,
                "action_url": settings.BASE_URL,
                "action_label": _("Start again"),
            },
        )
