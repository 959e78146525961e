"""The scope of database work: one organization, or the whole system for a stated reason."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

logger = logging.getLogger(__name__)

ORGANIZATION_SETTING = "app.organization_id"


class NoOrganizationScope(RuntimeError):
    """Raised when owned rows are asked for outside organization_scope() and system_scope()."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What the current code may see. organization_id is None in a system scope."""

    organization_id: UUID | None
    reason: str = ""


_scope: ContextVar[Scope | None] = ContextVar("steward_scope", default=None)


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
def organization_scope(organization_id: UUID | str) -> Iterator[None]:
    """Open a transaction that sees one organization: the managers filter, and PostgreSQL filters again.

    A scope is a transaction, so no network call belongs inside it.
    """
    identifier = UUID(str(organization_id))
    with _scope_transaction(Scope(identifier), {ORGANIZATION_SETTING: str(identifier), "role": "none"}):
        yield


@contextmanager
def system_scope(reason: str) -> Iterator[None]:
    """Open a transaction that sees every organization, for the reason given (it is logged)."""
    logger.debug("system scope: %s", reason)
    with _scope_transaction(
        Scope(None, reason), {ORGANIZATION_SETTING: "", "role": settings.SYSTEM_DATABASE_ROLE}
    ):
        yield


@contextmanager
def _scope_transaction(scope: Scope, wanted: dict[str, str]) -> Iterator[None]:
    with transaction.atomic():
        previous = {name: _swap(name, value) for name, value in wanted.items()}
        token = _scope.set(scope)
        try:
            yield
        finally:
            # Before the commit: on_commit callbacks then raise instead of quietly seeing nothing.
            _scope.reset(token)
        # Success only: a savepoint that is rolled back undoes SET LOCAL by itself.
        if not connection.needs_rollback:
            for name, value in previous.items():
                _swap(name, value)


def _swap(name: str, value: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH before AS MATERIALIZED (SELECT current_setting(%s, true) AS value)"
            " SELECT value, set_config(%s, %s, true) FROM before",
            [name, name, value],
        )
        row = cursor.fetchone()
    return (row[0] if row else "") or ("none" if name == "role" else "")
