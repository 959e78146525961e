"""The credentials of an integration, opened for one call and forgotten after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from integrations.framework.crypto import DecryptionFailed, KeyRing, row_binding
from integrations.framework.errors import PermanentError, ReconnectError
from workflows.definition.wording import gettext as _

FIND = """
SELECT id, provider, name, credentials, settings, status FROM integrations_integration
WHERE organization_id = %(organization)s AND (%(provider)s = '' OR provider = %(provider)s)
  AND (%(reference)s = '' OR id::text = %(reference)s OR name = %(reference)s)
ORDER BY status = 'ACTIVE' DESC, created_at LIMIT 1
"""
USED = "UPDATE integrations_integration SET last_used_at = now() WHERE id = %s AND last_used_at IS DISTINCT FROM now()"
EXPIRED = """
UPDATE integrations_integration SET status = 'EXPIRED', status_reason = %(reason)s, status_changed_at = now()
WHERE id = %(id)s AND status = 'ACTIVE' RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Opened:
    """An integration ready for a call. account: what the connector's addresses need.

    credentials never leave the worker: they are in no log, page, journal or error.
    """

    id: UUID
    provider: str
    account: Mapping[str, Any]
    credentials: Mapping[str, Any] = field(repr=False)


@cache
def key_ring() -> KeyRing:
    return KeyRing.from_setting(settings.ENCRYPTION_KEY)


async def open_integration(
    pool: AsyncConnectionPool[Any], organization_id: UUID, *, provider: str = "", reference: str = ""
) -> Opened:
    """Return the integration that a step names by id or name; without one, the organization's first of the provider.

    Raises PermanentError when there is none, HeldIntegration when it needs reconnecting.
    """
    parameters = {"organization": organization_id, "provider": provider.upper(), "reference": reference or ""}
    async with pool.connection() as connection:
        cursor = connection.cursor(row_factory=dict_row)
        await cursor.execute(FIND, parameters)
        row = await cursor.fetchone()
    if row is None:
        raise PermanentError(
            _("This step has no account to work with. Connect {service} under Integrations, and choose it in the step.")
            .format(service=(provider or _("the service")).replace("_", " ").title())
        )  # fmt: skip
    if row["status"] != "ACTIVE":
        raise HeldIntegration(
            _("The connection “{name}” no longer works. Reconnect it, and the run goes on by itself.").format(
                name=row["name"]
            ),
            integration_id=str(row["id"]),
        )
    credentials: Mapping[str, Any] = {}
    if row["credentials"]:
        try:
            credentials = key_ring().decrypt_json(
                row["credentials"], bound_to=row_binding(organization_id, row["id"])
            )
        except DecryptionFailed as failed:
            raise PermanentError(
                _("The stored credentials of “{name}” cannot be read. Reconnect it.").format(
                    name=row["name"]
                ),
                detail=str(failed),
            ) from None
    return Opened(row["id"], row["provider"], row["settings"] or {}, credentials)


class HeldIntegration(ReconnectError):
    """The integration is known to be dead: runs that need it wait until it is reconnected."""

    def __init__(self, message: str, *, integration_id: str) -> None:
        super().__init__(message)
        self.integration_id = integration_id


async def mark_expired(pool: AsyncConnectionPool[Any], opened: Opened, reason: str) -> bool:
    """Note that the service no longer accepts the credentials; return whether that is news."""
    async with pool.connection() as connection:
        cursor = await connection.execute(EXPIRED, {"id": opened.id, "reason": reason[:300]})
        return await cursor.fetchone() is not None
