"""Makes a backup while everything runs: one snapshot of the database, read by the role that sees every row."""

from __future__ import annotations

import io
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, cast

import psycopg
from django.conf import settings
from psycopg import sql

from config.database import roles
from config.operations.backup import archive, keys, programs
from config.operations.backup.archive import BackupProblem, Manifest

# Figures of the server itself and things that the next minute makes anew.
UNCOUNTED = frozenset({"steward_cache"})


def create(target: Path, passphrase: str) -> Manifest:
    """Write a backup of the database of DIRECT_URL to `target` and return what it holds.

    Nothing is blocked meanwhile but changes of the schema. Raises BackupProblem; `target` is then as it was.
    """
    wrapped = keys.wrap({name: getattr(settings, name) for name in keys.NAMES}, passphrase)
    version = programs.server_version(settings.DIRECT_URL)
    pg_dump = programs.program("pg_dump", version)
    with archive.writing(target) as writer, _snapshot() as (connection, snapshot):
        manifest = Manifest(
            format=archive.FORMAT,
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            release=settings.RELEASE,
            server_version=version,
            migrations=newest_migrations(connection),
            rows=rows_of_tables(connection),
        )
        _dump(pg_dump, snapshot, writer)
        writer.add(archive.KEYS, io.BytesIO(wrapped))
        writer.finish(manifest)
    return manifest


def newest_migrations(connection: psycopg.Connection) -> dict[str, str]:
    """Return app -> the name of its newest applied migration."""
    found = connection.execute(
        "SELECT app, max(name) FROM django_migrations GROUP BY app ORDER BY app"
    ).fetchall()
    return dict(found)


def rows_of_tables(connection: psycopg.Connection) -> dict[str, int]:
    """Return table -> how many rows it has. Partitioned tables are counted as a whole."""
    tables = connection.execute(
        "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace"
        " AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY c.relname"
    ).fetchall()
    counts = {}
    for (name,) in tables:
        if name not in UNCOUNTED:
            row = connection.execute(
                sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier("public", name))
            )
            counts[name] = row.fetchone()[0]  # type: ignore[index]
    return counts


@contextmanager
def _snapshot() -> Iterator[tuple[psycopg.Connection, str]]:
    """Hold one view of the database open, for pg_dump and for our own counting."""
    with psycopg.connect(settings.DIRECT_URL) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        try:
            connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(roles.BACKUP)))
        except (psycopg.errors.InvalidParameterValue, psycopg.errors.InsufficientPrivilege):
            raise BackupProblem(
                f"The login of DIRECT_URL may not become {roles.BACKUP}, the role that reads every row:"
                " run `manage.py setup_database`."
            ) from None
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
        yield connection, str(row[0] if row else "")


def _dump(pg_dump: Path, snapshot: str, writer: archive.Writer) -> None:
    command = [
        str(pg_dump),
        "--format=custom",
        f"--role={roles.BACKUP}",
        f"--snapshot={snapshot}",
        "--no-comments",  # those of extensions belong to a superuser
        "--exclude-table-data=public.steward_cache",
        "--no-password",
    ]
    with tempfile.TemporaryFile() as messages:
        process = subprocess.Popen(
            command,
            env=programs.environment(settings.DIRECT_URL),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=messages,
        )
        output = cast("IO[bytes]", process.stdout)
        try:
            writer.add(archive.DATABASE, output)
        finally:
            output.close()
            if process.wait() != 0:
                messages.seek(0)
                lines = messages.read().decode(errors="replace").strip().splitlines()
                raise BackupProblem(f"pg_dump failed: {lines[-1] if lines else 'no reason was given'}")
