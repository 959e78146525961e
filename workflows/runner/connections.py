"""The worker's own connections: direct, because it listens, and in the system role, because it serves everybody."""

from __future__ import annotations

from typing import Any

import psycopg
from django.conf import settings
from psycopg import sql
from psycopg.conninfo import make_conninfo

# The tables of a queue change faster than their statistics: with few rows recorded the planner would read whole
# partitions. Every statement here goes through an index, and its plan is good for any parameters.
OPTIONS = "-c enable_seqscan=off -c plan_cache_mode=force_generic_plan -c jit=off -c application_name=steward-worker"


def conninfo() -> str:
    """Return how to reach PostgreSQL directly as the application login.

    WORKER_DATABASE_URL, where DATABASE_URL goes through a pooler; else the database that Django uses.
    """
    if settings.WORKER_DATABASE_URL:
        return settings.WORKER_DATABASE_URL
    database = settings.DATABASES["default"]
    names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    found: dict[str, Any] = {name: database.get(key) or None for name, key in names.items()}
    options = {
        name: value for name, value in database.get("OPTIONS", {}).items() if isinstance(value, str | int)
    }
    return make_conninfo(**{**found, **options})


async def connect() -> psycopg.AsyncConnection[Any]:
    """Return an autocommit connection in the system role. Raises psycopg.OperationalError."""
    connection = await psycopg.AsyncConnection.connect(
        conninfo(), autocommit=True, options=OPTIONS, connect_timeout=10
    )
    await take_system_role(connection)
    return connection


async def take_system_role(connection: psycopg.AsyncConnection[Any]) -> None:
    """Let a new connection see every organization: a worker serves all of them."""
    connection.prepare_threshold = 1
    await connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(settings.SYSTEM_DATABASE_ROLE)))
