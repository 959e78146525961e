"""How many requests an API key may make: counted in its row, so that it holds across processes and machines."""

from __future__ import annotations

import math
from dataclasses import dataclass

from django.db import connection

from accounts.models import ApiKey, Organization
from accounts.tenancy import system_scope

WINDOW_SECONDS = 60
# Requests of one key in any minute. A burst of so many at once is all right; afterwards they come back one by one.
PER_MINUTE: dict[str, int] = {
    Organization.Plan.STARTER: 120,
    Organization.Plan.PROFESSIONAL: 600,
    Organization.Plan.ENTERPRISE: 3_000,
}
# Generic cell rate: each request costs window / limit seconds, and no more than the window may be owed. One statement,
# so that of two processes the second sees what the first has taken. A crash may forget the last few: nobody waits for
# the disk.
TAKE = """
UPDATE accounts_apikey
SET paced_until = greatest(paced_until, statement_timestamp()) + make_interval(secs => %(cost)s)
WHERE id = %(key)s AND coalesce(paced_until, '-infinity')
  <= statement_timestamp() + make_interval(secs => %(window)s - %(cost)s)
RETURNING extract(epoch FROM paced_until - statement_timestamp())
"""
OWED = "SELECT extract(epoch FROM paced_until - statement_timestamp()) FROM accounts_apikey WHERE id = %s"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one request. limit: requests a minute. reset: whole seconds until all of them are back.

    retry_after: whole seconds until one is, 0 when this one may go on.
    """

    limit: int
    remaining: int
    reset: int
    retry_after: int = 0

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers that tell the caller (RateLimit header fields for HTTP)."""
        found = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
            "RateLimit-Policy": f"{self.limit};w={WINDOW_SECONDS}",
        }
        return {**found, "Retry-After": str(self.retry_after)} if self.retry_after else found


def take(key: ApiKey) -> Taken:
    """Count one request of a key. Opens a system scope of its own; key.organization must be loaded."""
    limit = PER_MINUTE[key.organization.plan]
    cost = WINDOW_SECONDS / limit
    with system_scope("count a request of an API key"), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute(TAKE, {"key": key.pk, "cost": cost, "window": WINDOW_SECONDS})
        row = cursor.fetchone()
        if row is not None:
            owed = max(0.0, float(row[0]))
            return Taken(limit, max(0, int((WINDOW_SECONDS - owed + 1e-6) / cost)), math.ceil(owed))
        cursor.execute(OWED, [key.pk])
        row = cursor.fetchone()
    owed = float(row[0]) if row and row[0] is not None else 0.0
    return Taken(limit, 0, max(1, math.ceil(owed)), max(1, math.ceil(owed + cost - WINDOW_SECONDS)))
