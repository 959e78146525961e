"""How many runs of one organization may wait in line before new ones are refused: a ceiling that protects the disk.

Counting on every request would cost more than the request. Each process counts once in a while, up to the ceiling and
no further, along an index; in between it adds what it has started itself. Several processes may together pass the
ceiling by a little, never by much: the fuller the line is, the sooner each of them counts again.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from accounts.models import Organization
from accounts.tenancy import organization_scope

MOST_WAITING = {
    Organization.Plan.STARTER: 10_000,
    Organization.Plan.PROFESSIONAL: 100_000,
    Organization.Plan.ENTERPRISE: 500_000,
}
MOST_HELD = 10_000  # runs that wait for a plan which starts runs again, whatever the plan was
COUNT_EVERY_SECONDS = 5.0
COUNT_WHEN_FULL_SECONDS = 1.0
SHARE = 16  # of the room that is left, one process may use so much before it counts again
RETRY_SECONDS = 30  # what a refused sender is told
KEPT = 10_000

COUNT = """
SELECT count(*) FROM (
  SELECT FROM workflows_execution WHERE organization_id = %s AND status = 'PENDING' LIMIT %s) AS waiting
"""
COUNT_HELD = """
SELECT count(*) FROM (
  SELECT FROM workflows_execution
  WHERE organization_id = %s AND status = 'WAITING' AND waiting_for @> '[{"kind": "plan_limit"}]' LIMIT %s) AS held
"""


@dataclass(slots=True)
class _Line:
    waiting: int
    started: int
    at: float


_lines: OrderedDict[tuple[UUID, bool], _Line] = OrderedDict()
_lock = threading.Lock()


def ceiling(plan: str, *, is_held: bool = False) -> int:
    """Return how many runs of an organization with this plan may wait. is_held: its runs wait for another plan."""
    return MOST_HELD if is_held else MOST_WAITING[Organization.Plan(plan)]


def is_full(organization_id: UUID, plan: str, *, is_held: bool = False) -> bool:
    """Return whether one more run is too many, and count it where it is not. Opens its own scope when it counts."""
    most, now, key = ceiling(plan, is_held=is_held), time.monotonic(), (organization_id, is_held)
    with _lock:
        line = _lines.get(key)
        if line is not None and not _is_stale(line, most, now):
            line.started += 1
            return line.waiting >= most
    waiting = count(organization_id, most, is_held=is_held)
    with _lock:
        _lines[key] = _Line(waiting, 1, now)
        _lines.move_to_end(key)
        while len(_lines) > KEPT:
            _lines.popitem(last=False)
    return waiting >= most


def count(organization_id: UUID, most: int, *, is_held: bool = False) -> int:
    """Return how many runs wait, `most` at the most: no more rows than that are looked at."""
    with organization_scope(organization_id), connection.cursor() as cursor:
        cursor.execute(COUNT_HELD if is_held else COUNT, [organization_id, most])
        return int(cursor.fetchone()[0])


def sentence(plan: str, *, is_held: bool = False) -> str:
    """Return what a refused sender or person is told."""
    return _(
        "%(count)s runs are waiting already, and no more are taken until some of them are done. Try again in a moment."
    ) % {"count": f"{ceiling(plan, is_held=is_held):,}"}


def forget_all() -> None:
    """Empty the memory of this process: for tests, and after a fork."""
    with _lock:
        _lines.clear()


def _is_stale(line: _Line, most: int, now: float) -> bool:
    if line.waiting >= most:
        return now - line.at >= COUNT_WHEN_FULL_SECONDS
    # At least one between two counts, but never one that would pass the ceiling as far as this process can tell.
    own_share = min(max(1, (most - line.waiting) // SHARE), most - line.waiting - 1)
    return now - line.at >= COUNT_EVERY_SECONDS or line.started > own_share
