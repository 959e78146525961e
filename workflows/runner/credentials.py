"""Which account a step works with: found by its id or name, opened for one call, forgotten after it."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from django.db import close_old_connections
from psycopg_pool import AsyncConnectionPool

from integrations.framework.errors import ConnectorError, PermanentError, TemporaryError
from integrations.health import Usable, acredentials_for_use, mark_broken, renew_refused
from workflows.definition.wording import gettext as _

FIND = """
SELECT id FROM integrations_integration
WHERE organization_id = %(organization)s AND (%(provider)s = '' OR provider = %(provider)s)
  AND (%(reference)s = '' OR id::text = %(reference)s OR name = %(reference)s)
ORDER BY status = 'ACTIVE' DESC, created_at LIMIT 1
"""
WORKS = "SELECT EXISTS (SELECT FROM integrations_integration WHERE id::text = ANY(%s) AND status = 'ACTIVE')"


async def open_integration(
    pool: AsyncConnectionPool[Any], organization_id: UUID, *, provider: str = "", reference: str = ""
) -> Usable:
    """Return the account that a step names by id or name; without a name, the organization's first of the provider.

    Raises PermanentError when there is none, NotUsable when a person has to act first.
    """
    parameters = {"organization": organization_id, "provider": provider.upper(), "reference": reference}
    async with pool.connection() as connection:
        cursor = await connection.execute(FIND, parameters)
        row = await cursor.fetchone()
    if row is None:
        service = provider.replace("_", " ").title() if provider else _("the service")
        raise PermanentError(
            _(
                "This step has no account to work with. Connect {service} under Integrations, "
                "and choose it in the step."
            ).format(service=service)
        )
    return await acredentials_for_use(organization_id, row[0])


async def note_broken(opened: Usable, error: ConnectorError) -> None:
    """Record that the service refuses the account, so that runs that need it are held and its owner is told.

    Tokens may end early: where a new one can be had, nothing is recorded, and the run that was to be held goes on at
    once (see works_again).
    """

    def work() -> None:
        try:
            if renew_refused(opened) is None:
                mark_broken(opened.organization_id, opened.id, error, used=opened)
        except TemporaryError as outage:
            # Held until the hourly check finds the service well again.
            mark_broken(opened.organization_id, opened.id, outage, used=opened)
        finally:
            close_old_connections()

    await asyncio.to_thread(work)


async def works_again(pool: AsyncConnectionPool[Any], integration_ids: list[str]) -> bool:
    """Return whether one of the accounts is usable now."""
    async with pool.connection() as connection:
        cursor = await connection.execute(WORKS, [integration_ids])
        row = await cursor.fetchone()
        return bool(row and row[0])
