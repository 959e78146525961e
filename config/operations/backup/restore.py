"""Brings a backup back: into an empty database for real, or into a scratch one to prove that it can be."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.conf import settings
from psycopg import sql

from config.database import roles
from config.operations.backup import archive, keys, programs
from config.operations.backup.archive import BackupProblem, Manifest
from config.operations.backup.create import rows_of_tables

OWN_TABLES = """
SELECT count(*) FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
"""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored. keys: SECRET_KEY and ENCRYPTION_KEY of the installation that made the backup."""

    manifest: Manifest
    keys: dict[str, str]


def restore(source: Path, passphrase: str, url: str) -> Restored:
    """Restore a checked backup into the empty database of `url`, whose login becomes the owner of everything.

    Raises BackupProblem: damaged file, other passphrase, database not empty, or what pg_restore said.
    """
    manifest, opened = open_backup(source, passphrase)
    version = programs.server_version(url)
    if version // 10_000 < manifest.server_version // 10_000:
        raise BackupProblem(
            f"The backup is of PostgreSQL {manifest.server_version // 10_000}, this server is {version // 10_000}:"
            " restore it on the same release or a newer one."
        )
    with psycopg.connect(url) as connection:
        if connection.execute(OWN_TABLES).fetchone() != (0,):
            raise BackupProblem(
                f"The database {connection.info.dbname} is not empty. Make an empty one and name it with --into:"
                " nothing is ever overwritten."
            )
    pg_restore = programs.program("pg_restore", manifest.server_version)
    with _extracted(source) as (dump, folder):
        _make_extensions(pg_restore, dump, url)
        _restore(pg_restore, dump, folder, url)
    _compare(manifest, url)
    return Restored(manifest, opened)


def verify(source: Path, passphrase: str) -> dict[str, Any]:
    """Restore into a scratch database that is dropped afterwards, and return what the data check found there.

    Shape: {"rows": n, "credentials": n, "definitions": n, "drafts_with_problems": n, ...}. Raises BackupProblem.
    """
    name = f"steward_verify_{secrets.token_hex(4)}"
    with psycopg.connect(settings.DIRECT_URL, autocommit=True) as connection:
        try:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        except psycopg.errors.InsufficientPrivilege:
            raise BackupProblem(
                "The login of DIRECT_URL may not make the scratch database: let it"
                " (ALTER ROLE ... CREATEDB), or restore with --into an empty database."
            ) from None
        try:
            scratch = urlunsplit(urlsplit(settings.DIRECT_URL)._replace(path=f"/{name}"))
            restored = restore(source, passphrase, scratch)
            return {"rows": sum(restored.manifest.rows.values())} | _checked(scratch, restored.keys)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def open_backup(source: Path, passphrase: str) -> tuple[Manifest, dict[str, str]]:
    """Return the manifest and the keys of a backup after checking every byte. Raises BackupProblem."""
    manifest = archive.check(source)
    with archive.part(source, archive.KEYS) as wrapped:
        return manifest, keys.unwrap(wrapped.read(), passphrase)


@contextmanager
def _extracted(source: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the dump as a file of its own: pg_restore works on several tables at once only where it can seek."""
    with tempfile.TemporaryDirectory(prefix="steward-restore-", dir=source.parent) as folder:
        dump = Path(folder) / archive.DATABASE
        with archive.part(source, archive.DATABASE) as opened, dump.open("wb") as file:
            while chunk := opened.read(archive.CHUNK):
                file.write(chunk)
        yield dump, Path(folder)


def _make_extensions(pg_restore: Path, dump: Path, url: str) -> None:
    """Make the extensions that the backup uses, where they are not there already."""
    names = [line.split()[-1] for line in _contents(pg_restore, dump) if " EXTENSION - " in line]
    with psycopg.connect(url, autocommit=True) as connection:
        for name in names:
            statement = sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(name))
            try:
                connection.execute(statement)
            except psycopg.Error as error:
                raise BackupProblem(
                    f"The database needs the extension {name}, and this login cannot make it"
                    f" ({str(error).splitlines()[0]}): run `manage.py setup_database` for that database first."
                ) from None


def _restore(pg_restore: Path, dump: Path, folder: Path, url: str) -> None:
    """Restore in two rounds: the check of a foreign key is refused where row security is on already."""
    lines = [line for line in _contents(pg_restore, dump) if " EXTENSION - " not in line]
    walls = [line for line in lines if re.match(r"\d+; \d+ \d+ (ROW SECURITY|POLICY) ", line)]
    rest = [line for line in lines if line not in set(walls)]
    for number, wanted in enumerate((rest, walls)):
        chosen = folder / f"contents-{number}.txt"
        chosen.write_text("\n".join(wanted) + "\n")
        command = [
            str(pg_restore),
            f"--dbname={psycopg.conninfo.conninfo_to_dict(url)['dbname']}",
            "--no-owner",
            "--exit-on-error",
            f"--use-list={chosen}",
            f"--jobs={os.cpu_count() or 1}",
            "--no-password",
            str(dump),
        ]
        result = subprocess.run(
            command, env=programs.environment(url), capture_output=True, text=True, check=False
        )
        if result.returncode != 0:
            told = [line for line in result.stderr.splitlines() if "error:" in line and "worker" not in line]
            raise BackupProblem(f"pg_restore failed: {' '.join(told[:2]) or 'no reason was given'}")


def _contents(pg_restore: Path, dump: Path) -> list[str]:
    result = subprocess.run(
        [str(pg_restore), "--list", str(dump)], capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise BackupProblem(f"The dump cannot be read: {result.stderr.strip()}")
    return [line for line in result.stdout.splitlines() if line and not line.startswith(";")]


def _compare(manifest: Manifest, url: str) -> None:
    """Raise BackupProblem unless every table has as many rows as the backup says."""
    with psycopg.connect(url) as connection:
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(roles.BACKUP)))
        found = rows_of_tables(connection)
    wrong = [
        f"{table} has {found.get(table, 0)} rows instead of {rows}"
        for table, rows in manifest.rows.items()
        if found.get(table, 0) != rows
    ]
    if wrong:
        raise BackupProblem(f"The restored database is not what was backed up: {', '.join(wrong)}.")


def _checked(url: str, opened: dict[str, str]) -> dict[str, Any]:
    """Return what `manage.py check_data` says of another database, asked in a process with that one's keys."""
    environment = os.environ | {
        "DATABASE_URL": url,
        "DIRECT_URL": url,
        "STEWARD_DATABASE_LOGIN": "owner",
        "ALLOWED_HOSTS": ",".join(settings.ALLOWED_HOSTS),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        **opened,
    }
    environment.pop("REPLICA_DATABASE_URL", None)
    result = subprocess.run(
        [sys.executable, str(settings.BASE_DIR / "manage.py"), "check_data", "--json"],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        found: dict[str, Any] = json.loads(result.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError):
        messages = result.stderr.strip().splitlines()
        raise BackupProblem(
            f"The restored data could not be checked: {messages[-1] if messages else ''}"
        ) from None
    if found["problems"]:
        raise BackupProblem(f"The restored data is not whole: {' '.join(found['problems'])}")
    return found
