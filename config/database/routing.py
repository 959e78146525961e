"""Which server a query goes to: writes to the primary, reads of a page to the replica where there is one."""

from __future__ import annotations

from typing import Any

from django.db import DEFAULT_DB_ALIAS

from accounts.tenancy.scope import read_own_writes, reads_from


class ScopeRouter:
    """Follows the scope: a page that only reads may use the replica, and stops doing so once it writes."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return reads_from()

    def db_for_write(self, model: Any, **hints: Any) -> str:
        read_own_writes()
        return DEFAULT_DB_ALIAS

    def allow_relation(self, first: Any, second: Any, **hints: Any) -> bool:
        return True  # the same rows, seen from two servers

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == DEFAULT_DB_ALIAS
