"""What depends on an integration, and when it was used. Other apps say who uses it: this one does not know them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.tenancy import system_scope
from integrations.models import Integration

FLUSH_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Dependent:
    """Something that needs an integration. label, url: what a page shows. note: its state in words."""

    label: str
    url: str
    note: str = ""


@dataclass(slots=True)
class Usage:
    """Who needs an integration. held_count: runs that wait for it; held: the newest of them."""

    workflows: list[Dependent] = field(default_factory=list)
    held: list[Dependent] = field(default_factory=list)
    held_count: int = 0


_sources: list[Callable[[Integration], Usage]] = []


def register_usage(source: Callable[[Integration], Usage]) -> None:
    """Let an app say what of its own needs an integration. It is called in the organization's scope."""
    if source not in _sources:
        _sources.append(source)


def usage_of(integration: Integration) -> Usage:
    """Return everything that needs the integration, from all apps."""
    total = Usage()
    for source in _sources:
        found = source(integration)
        total.workflows += found.workflows
        total.held += found.held
        total.held_count += found.held_count
    return total


# --- When it was used: kept in memory and written together, for a busy account is used many times a second --

_used: dict[UUID, datetime] = {}
_lock = threading.Lock()
_flushed_at = time.monotonic()


def note_use(integration_id: UUID, at: datetime | None = None) -> bool:
    """Remember that an integration was used now; return whether it is time to call flush_uses()."""
    with _lock:
        _used[integration_id] = at or datetime.now(UTC)
        return time.monotonic() - _flushed_at > FLUSH_SECONDS


def flush_uses() -> int:
    """Write what was noted, in one statement; return how many integrations. Opens its own scope."""
    global _flushed_at
    with _lock:
        noted = dict(_used)
        _used.clear()
        _flushed_at = time.monotonic()
    if not noted:
        return 0
    with system_scope("write when integrations were used"), connection.cursor() as cursor:
        cursor.execute(*_update(noted.items()))
        return cursor.rowcount


def _update(noted: Iterable[tuple[UUID, datetime]]) -> tuple[str, list[Any]]:
    # In the order of the keys: two processes that write the same rows never wait for each other in a circle.
    pairs = sorted(noted)
    statement = (
        "UPDATE integrations_integration AS integration SET last_used_at = used.at"
        " FROM (SELECT * FROM unnest(%s::uuid[], %s::timestamptz[]) AS noted(id, at) ORDER BY id) AS used"
        " WHERE integration.id = used.id"
        " AND (integration.last_used_at IS NULL OR integration.last_used_at < used.at)"
    )
    return statement, [[key for key, _ in pairs], [at for _, at in pairs]]
