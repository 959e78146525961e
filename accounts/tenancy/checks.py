"""Refuses to start on a database login that row security does not bind."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections


@register(Tags.database)
def application_login_is_bound_by_row_security(databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Return an error when the application login is a superuser or has BYPASSRLS."""
    if not databases or "default" not in databases:
        return []
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT current_user, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )
        login, is_superuser, bypasses = cursor.fetchone()
    if not (is_superuser or bypasses):
        return []
    return [
        Error(
            f"The application connects to PostgreSQL as {login!r}, which row security does not bind.",
            hint="Use a plain login in DATABASE_URL; `manage.py setup_database` makes one.",
            id="tenancy.E001",
        )
    ]
