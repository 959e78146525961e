"""Money put aside before a model is asked and settled after, so that parallel runs never pass a cap together.

A cap is a row of workflows_aiallowance; reserving locks the rows of one call for the length of one statement, always in
the same order, and never a row of another organization. Amounts are whole millionths of a US dollar.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from accounts.tenancy import uuid7
from billing.entitlements import PLANS
from integrations.framework.errors import PermanentError
from workflows.definition.wording import gettext as _

MICRO = 1_000_000
MICRO_PER_CENT = 10_000
CODE = "ai_budget"

Connections = Callable[[], AbstractAsyncContextManager[AsyncConnection[Any]]]
"""Gives an autocommit connection in the system role: a worker's pool, or one of one's own."""


@dataclass(frozen=True, slots=True)
class Cap:
    """What may be spent in one scope: MONTH, WORKFLOW, RUN or STEP. limit: millionths of a dollar."""

    scope: str
    key: str
    limit: int | None


@dataclass(frozen=True, slots=True)
class Reservation:
    """Money put aside for one call."""

    id: UUID
    organization_id: UUID
    amount: int


class OverBudget(PermanentError):
    """The call could cost more than is left; nothing was asked. The message says whose cap, and what to do."""


# The organization's own cap and its plan's; what was forgotten in a crash goes back first.
MONTH_CAP = """
SELECT least(p.month_cents, (%(plans)s::jsonb ->> o.plan)::bigint) FROM accounts_organization o
LEFT JOIN workflows_aipolicy p ON p.organization_id = o.id WHERE o.id = %(organization)s
"""
OVERDUE = """
SELECT EXISTS (SELECT FROM workflows_aireservation
  WHERE organization_id = %(organization)s AND status = 'RESERVED' AND deadline_at < now())
"""
RELEASE_OVERDUE = """
WITH late AS (
  UPDATE workflows_aireservation SET status = 'RELEASED' WHERE id IN (
    SELECT id FROM workflows_aireservation WHERE organization_id = %(organization)s AND status = 'RESERVED'
      AND deadline_at < now() ORDER BY id LIMIT 100 FOR UPDATE SKIP LOCKED)
  RETURNING amount, allowances
), given AS (
  SELECT a ->> 0 AS scope, a ->> 1 AS key, sum(amount) AS amount
  FROM late CROSS JOIN jsonb_array_elements(allowances) a GROUP BY 1, 2
), locked AS MATERIALIZED (
  SELECT w.id, given.amount FROM given JOIN workflows_aiallowance w
    ON w.organization_id = %(organization)s AND w.scope = given.scope AND w.key = given.key
  ORDER BY w.scope, w.key FOR UPDATE OF w
)
UPDATE workflows_aiallowance w SET reserved = w.reserved - locked.amount, updated_at = now()
FROM locked WHERE w.id = locked.id
"""
# A row that has no room is not updated, and then the whole reservation is undone: all caps hold, or none is touched.
RESERVE = """
INSERT INTO workflows_aiallowance AS w (id, organization_id, scope, key, reserved)
SELECT n.id, %(organization)s, n.scope, n.key, %(amount)s
FROM jsonb_to_recordset(%(caps)s::jsonb) AS n(id uuid, scope text, key text, cap bigint)
WHERE n.cap IS NULL OR n.cap >= %(amount)s ORDER BY n.scope, n.key
ON CONFLICT (organization_id, scope, key) DO UPDATE SET reserved = w.reserved + excluded.reserved, updated_at = now()
WHERE (SELECT n.cap FROM jsonb_to_recordset(%(caps)s::jsonb) AS n(scope text, key text, cap bigint)
  WHERE n.scope = w.scope AND n.key = w.key) IS NULL
  OR w.spent + w.reserved + excluded.reserved <= (
    SELECT n.cap FROM jsonb_to_recordset(%(caps)s::jsonb) AS n(scope text, key text, cap bigint)
    WHERE n.scope = w.scope AND n.key = w.key)
RETURNING w.scope, w.key
"""
KEEP = """
INSERT INTO workflows_aireservation (id, organization_id, amount, allowances, deadline_at)
VALUES (%(id)s, %(organization)s, %(amount)s, %(allowances)s, now() + %(seconds)s * interval '1 second')
"""
USED = """
SELECT scope, key, spent, reserved FROM workflows_aiallowance
WHERE organization_id = %s AND (scope, key) IN (
  SELECT n.scope, n.key FROM jsonb_to_recordset(%s::jsonb) AS n(scope text, key text))
"""
# Reservation, allowances, and what was recorded with them, in one statement. A reservation that was given back because
# nobody settled it in time is charged all the same: the vendor was asked.
SETTLE = """
WITH before AS MATERIALIZED (
  SELECT id, status, amount, allowances FROM workflows_aireservation
  WHERE id = %(id)s AND organization_id = %(organization)s AND status <> 'SETTLED' FOR UPDATE
), settled AS (
  UPDATE workflows_aireservation r SET status = %(status)s, settled = %(actual)s FROM before WHERE r.id = before.id
), locked AS MATERIALIZED (
  SELECT w.id, CASE before.status WHEN 'RESERVED' THEN before.amount ELSE 0 END AS amount
  FROM before CROSS JOIN jsonb_array_elements(before.allowances) a JOIN workflows_aiallowance w
    ON w.organization_id = %(organization)s AND w.scope = a ->> 0 AND w.key = a ->> 1
  ORDER BY w.scope, w.key FOR UPDATE OF w
)
UPDATE workflows_aiallowance w SET reserved = w.reserved - locked.amount, spent = w.spent + %(actual)s,
  updated_at = now()
FROM locked WHERE w.id = locked.id
"""


def month_key(now: datetime | None = None) -> str:
    """Return the key of the calendar month, UTC, like "2026-11"."""
    return f"{(now or datetime.now(UTC)).astimezone(UTC):%Y-%m}"


def cents(amount: int | None) -> int | None:
    """Return a limit given in cents in millionths of a dollar."""
    return None if amount is None else amount * MICRO_PER_CENT


async def month_cap(connection: AsyncConnection[Any], organization_id: UUID) -> Cap:
    """Return the cap of the organization's month: its plan's, or its own where that is lower."""
    plans = json.dumps({code: plan.monthly_ai_cents for code, plan in PLANS.items()})
    cursor = await connection.execute(MONTH_CAP, {"plans": plans, "organization": organization_id})
    row = await cursor.fetchone()
    return Cap("MONTH", month_key(), cents(row[0] if row else None))


async def reserve(
    connections: Connections, organization_id: UUID, amount: int, caps: Sequence[Cap], *, seconds: float
) -> Reservation:
    """Put `amount` aside under every cap and the month's. Raises OverBudget when one of them has no room.

    seconds: a reservation that nobody settled by then is given back with the next one of the organization.
    """
    async with connections() as connection:
        of_month = await month_cap(connection, organization_id)
        wanted = sorted([of_month, *caps], key=lambda cap: (cap.scope, cap.key))
        rows = [{"id": str(uuid7()), "scope": cap.scope, "key": cap.key, "cap": cap.limit} for cap in wanted]
        reservation = Reservation(uuid7(), organization_id, amount)
        parameters = {
            "organization": organization_id,
            "amount": amount,
            "caps": json.dumps(rows),
            "id": reservation.id,
            "allowances": json.dumps([[cap.scope, cap.key] for cap in wanted]),
            "seconds": seconds,
        }
        overdue = await (await connection.execute(OVERDUE, parameters)).fetchone()
        if overdue and overdue[0]:
            await connection.execute(RELEASE_OVERDUE, parameters)
        try:
            async with connection.transaction():
                got = {tuple(row) for row in await (await connection.execute(RESERVE, parameters)).fetchall()}
                if len(got) < len(wanted):
                    raise _NoRoomError
                await connection.execute(KEEP, parameters)
        except _NoRoomError:
            refused = next(cap for cap in wanted if (cap.scope, cap.key) not in got)
            cursor = await connection.execute(
                USED, [organization_id, json.dumps([{"scope": refused.scope, "key": refused.key}])]
            )
            row = await cursor.fetchone()
            raise _over(refused, (row[2] + row[3]) if row else 0, amount) from None
    return reservation


async def settle(
    connection: AsyncConnection[Any], reservation: Reservation, actual: int, *, asked: bool = True
) -> None:
    """Replace what was put aside by what it cost. asked False: nothing reached the vendor, all goes back."""
    await connection.execute(
        SETTLE,
        {
            "id": reservation.id,
            "organization": reservation.organization_id,
            "actual": actual,
            "status": "SETTLED" if asked else "RELEASED",
        },
    )


class _NoRoomError(Exception):
    pass


def _over(cap: Cap, used: int, amount: int) -> OverBudget:
    words = {
        "MONTH": _(
            "This would pass the month's AI budget of {limit}: {used} is spent or reserved, and this call may cost "
            "{amount}. Raise it under Billing, or wait for next month."
        ),
        "WORKFLOW": _(
            "This would pass the workflow's AI budget for the month, {limit}: {used} is spent or reserved, and this "
            "call may cost {amount}. Raise it in the workflow's settings."
        ),
        "RUN": _(
            "This would pass the AI budget of one run, {limit}: {used} is spent or reserved, and this call may cost "
            "{amount}. Raise it in the workflow's settings, or ask for shorter answers."
        ),
        "STEP": _(
            "This would pass the step's AI budget of {limit}: {used} is spent or reserved, and this call may cost "
            "{amount}. Raise the budget in the step, or ask for a shorter answer."
        ),
    }
    message = words[cap.scope].format(limit=money(cap.limit or 0), used=money(used), amount=money(amount))
    return OverBudget(message, code=CODE)


def money(micro: int) -> str:
    """Return an amount as people read it: "$0.30", or "$0.0042" below a cent."""
    return f"${micro / MICRO:.2f}" if micro >= MICRO_PER_CENT or micro == 0 else f"${micro / MICRO:.4f}"
