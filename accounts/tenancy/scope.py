"""The scope of database work: one organization, or the whole system for a stated reason."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections, transaction

logger = logging.getLogger(__name__)

ORGANIZATION_SETTING = "app.organization_id"
REPLICA_DB_ALIAS = "replica"
_HELD = "steward_settings"  # on a connection: what the innermost scope set, so that an equal one inside asks nothing


class NoOrganizationScope(RuntimeError):
    """Raised when owned rows are asked for outside organization_scope() and system_scope()."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What the current code may see. organization_id is None in a system scope."""

    organization_id: UUID | None
    reason: str = ""


_scope: ContextVar[Scope | None] = ContextVar("steward_scope", default=None)
_reads_from: ContextVar[str] = ContextVar("steward_reads_from", default=DEFAULT_DB_ALIAS)


def current_scope() -> Scope:
    """Return the scope in force; raises NoOrganizationScope outside of one."""
    scope = _scope.get()
    if scope is None:
        raise NoOrganizationScope(
            "Rows of an organization were asked for outside a scope: wrap the code in organization_scope(id) "
            "or, for system work, in system_scope(reason)."
        )
    return scope


@contextmanager
def organization_scope(organization_id: UUID | str, *, may_read_replica: bool = False) -> Iterator[None]:
    """Open a transaction that sees one organization: the managers filter, and PostgreSQL filters again.

    A scope is a transaction, so no network call belongs inside it.
    may_read_replica: reads go to the replica, where there is one, until the scope writes; see config.database.routing.
    """
    identifier = UUID(str(organization_id))
    wanted = {ORGANIZATION_SETTING: str(identifier), "role": "none"}
    with ExitStack() as stack:
        if may_read_replica and REPLICA_DB_ALIAS in connections.settings:
            stack.enter_context(_settings_of(connections[REPLICA_DB_ALIAS], wanted))
            previous = _reads_from.set(REPLICA_DB_ALIAS)
            stack.callback(_reads_from.reset, previous)
        stack.enter_context(_scope_transaction(Scope(identifier), wanted))
        yield


def within(organization_id: UUID | str) -> AbstractContextManager[None]:
    """Return the scope of an organization for a read: the one in force if it is that organization's, else a new one.

    Unlike organization_scope() it costs no savepoint; so what fails inside fails the whole scope.
    """
    identifier = UUID(str(organization_id))
    held = getattr(connections[DEFAULT_DB_ALIAS], _HELD, None) or {}
    if _scope.get() == Scope(identifier) and held.get(ORGANIZATION_SETTING) == str(identifier):
        return nullcontext()
    return organization_scope(organization_id)


@contextmanager
def system_scope(reason: str) -> Iterator[None]:
    """Open a transaction that sees every organization, for the reason given (it is logged)."""
    logger.debug("system scope: %s", reason)
    wanted = {ORGANIZATION_SETTING: "", "role": settings.SYSTEM_DATABASE_ROLE}
    previous = _reads_from.set(DEFAULT_DB_ALIAS)
    try:
        with _scope_transaction(Scope(None, reason), wanted):
            yield
    finally:
        _reads_from.reset(previous)


def reads_from() -> str:
    """Return the database alias that reads of the scope in force go to."""
    return _reads_from.get()


def read_own_writes() -> None:
    """Send the rest of the scope's reads to the primary: the replica may not have its write yet."""
    _reads_from.set(DEFAULT_DB_ALIAS)


@contextmanager
def _scope_transaction(scope: Scope, wanted: dict[str, str]) -> Iterator[None]:
    with _settings_of(connections[DEFAULT_DB_ALIAS], wanted):
        token = _scope.set(scope)
        try:
            yield
        finally:
            # Before the commit: on_commit callbacks then raise instead of quietly seeing nothing.
            _scope.reset(token)


@contextmanager
def _settings_of(connection: Any, wanted: dict[str, str]) -> Iterator[None]:
    """Hold transaction-local settings for the length of a transaction or savepoint, and give back what was before."""
    is_nested = connection.in_atomic_block
    held = getattr(connection, _HELD, None) if is_nested else None
    with transaction.atomic(using=connection.alias):
        previous = {} if held == wanted else _swap(connection, wanted)
        setattr(connection, _HELD, wanted)
        try:
            yield
        finally:
            setattr(connection, _HELD, held)
        # The end of the transaction forgets them by itself, and so does a savepoint that is rolled back.
        if previous and is_nested and not connection.needs_rollback:
            _swap(connection, previous)


def _swap(connection: Any, wanted: dict[str, str]) -> dict[str, str]:
    """Set all in one round trip; return what was there before."""
    read = ", ".join(f"current_setting(%s, true) AS was{place}" for place in range(len(wanted)))
    write = ", ".join(f"was{place}, set_config(%s, %s, true)" for place in range(len(wanted)))
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH before AS MATERIALIZED (SELECT {read}) SELECT {write} FROM before",  # noqa: S608
            [*wanted, *(part for pair in wanted.items() for part in pair)],
        )
        row = cursor.fetchone() or ("",) * 2 * len(wanted)
    before = zip(wanted, row[::2], strict=True)
    return {name: value or ("none" if name == "role" else "") for name, value in before}
