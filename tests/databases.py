"""Test databases: one migrated template per state of the migrations, cloned for each test process."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from config.database import embedded, roles

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = "steward_template"
# Filled by migrations or by Django itself, and the same in every test.
KEPT_TABLES = {"django_migrations", "django_content_type", "auth_permission"}


def at(url: str, database: str) -> str:
    """Return the URL of another database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def migrations_fingerprint() -> str:
    """Return a hash of everything that decides what the migrated schema looks like."""
    digest = hashlib.sha256()
    files = [
        *sorted(ROOT.glob("*/migrations/*.py")),
        ROOT / "config/database/partitions.py",
        ROOT / "config/database/roles.py",
    ]
    for path in [*files, ROOT / "accounts/tenancy/constraints.py", ROOT / "requirements.lock"]:
        if path.exists():
            digest.update(path.read_bytes())
    return digest.hexdigest()


def ensure_template(urls: embedded.ConnectionUrls) -> None:
    """Make the template database as its owner, unless it is there and of the same migrations."""
    wanted = migrations_fingerprint()
    with _alone(), psycopg.connect(urls.superuser, autocommit=True) as connection:
        found = connection.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [TEMPLATE]
        ).fetchone()
        if found and found[0] == wanted:
            return
        drop(connection, TEMPLATE)
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(
                sql.Identifier(TEMPLATE), sql.Identifier(roles.OWNER)
            )
        )
        with psycopg.connect(at(urls.superuser, TEMPLATE), autocommit=True) as inside:
            roles.create_extensions(inside)
            roles.grant_in_database(inside)
        migrate(urls, TEMPLATE)
        connection.execute(
            sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(TEMPLATE), sql.Literal(wanted))
        )


def process_environment(urls: embedded.ConnectionUrls, database: str) -> dict[str, str]:
    """Return the environment in which a process of ours works on a test database."""
    from django.conf import settings

    return {
        **os.environ,
        "DATABASE_URL": at(urls.app, database),
        "DIRECT_URL": at(urls.direct, database),
        "DEBUG": "1",
        "SECRET_KEY": settings.SECRET_KEY,
        "ENCRYPTION_KEY": settings.ENCRYPTION_KEY,
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }


def migrate(urls: embedded.ConnectionUrls, database: str) -> None:
    """Migrate a database as its owner, in a process of its own."""
    subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"],
        check=True,
        env=process_environment(urls, database),
        cwd=ROOT,
    )


def clone(urls: embedded.ConnectionUrls, database: str) -> None:
    """Replace `database` by a fresh copy of the template."""
    with _alone(), psycopg.connect(urls.superuser, autocommit=True) as connection:
        drop(connection, database)
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                sql.Identifier(database), sql.Identifier(TEMPLATE), sql.Identifier(roles.OWNER)
            )
        )


def drop(connection: psycopg.Connection, database: str) -> None:
    """Drop a database, whoever is connected to it."""
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))


def empty(urls: embedded.ConnectionUrls, database: str) -> None:
    """Empty every table as the superuser: the application login may not TRUNCATE."""
    with psycopg.connect(at(urls.superuser, database), autocommit=True) as connection:
        rows = connection.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        ).fetchall()
        names = [sql.Identifier(name) for (name,) in rows if name not in KEPT_TABLES]
        connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(sql.SQL(", ").join(names)))


@contextmanager
def _alone() -> Iterator[None]:
    # CREATE DATABASE refuses while another session uses the template.
    with open(embedded.data_folder() / "test-template.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
