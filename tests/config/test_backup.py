"""A backup is one file that comes back whole, or says what is wrong with it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from psycopg import sql

from accounts.tenancy import organization_scope
from config.database import embedded
from config.operations.backup import archive, keys
from config.operations.backup.archive import BackupProblem
from config.operations.backup.create import create
from config.operations.backup.nightly import back_up
from config.operations.backup.restore import restore, verify
from integrations import credentials
from integrations.models import Integration
from tests import databases
from tests.worlds import make_execution, make_world

PASSPHRASE = "correct horse battery staple"


@pytest.fixture
def stored(committed_db: str, cluster: embedded.ConnectionUrls, settings: Any) -> str:
    """A database with two organizations, runs and a credential; its URL as the owner."""
    settings.DIRECT_URL = databases.at(cluster.direct, committed_db)
    for name in ("Alder", "Birch"):
        world = make_world(name)
        with organization_scope(world.organization.pk):
            make_execution(world)
            row = Integration(organization=world.organization, provider="stripe", name="Shop")
            credentials.write(row, {"api_key": f"sk_live_{name}"})
            row.save()
    return str(settings.DIRECT_URL)


@pytest.fixture
def empty_database(cluster: embedded.ConnectionUrls) -> Iterator[str]:
    """The URL of an empty database, as the owner."""
    with psycopg.connect(cluster.superuser, autocommit=True) as connection:
        databases.drop(connection, "steward_empty")
        connection.execute(sql.SQL("CREATE DATABASE steward_empty OWNER steward_owner"))
        yield databases.at(cluster.direct, "steward_empty")
        databases.drop(connection, "steward_empty")


def rows(url: str, query: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        connection.execute("SET LOCAL ROLE steward_system")
        return connection.execute(query).fetchall()  # type: ignore[arg-type]


def test_everything_comes_back_and_tenants_stay_apart(
    stored: str, empty_database: str, tmp_path: Path
) -> None:
    made = create(tmp_path / "all.backup", PASSPHRASE)
    assert made.rows["workflows_execution"] == 2
    restored = restore(tmp_path / "all.backup", PASSPHRASE, empty_database)
    assert restored.keys["ENCRYPTION_KEY"] == django_settings.ENCRYPTION_KEY
    for query in (
        "SELECT id, organization_id, status, input FROM workflows_execution ORDER BY id",
        "SELECT id, credentials FROM integrations_integration ORDER BY id",
        "SELECT app, name FROM django_migrations ORDER BY app, name",
    ):
        found = rows(empty_database, query)
        assert found == rows(stored, query)
        assert found
    # The wall in the restored database: without an organization the owner of the tables itself sees nothing.
    with psycopg.connect(empty_database) as connection:
        assert connection.execute("SELECT count(*) FROM workflows_execution").fetchone() == (0,)


def test_verifying_opens_every_credential_and_leaves_no_database(stored: str, tmp_path: Path) -> None:
    create(tmp_path / "all.backup", PASSPHRASE)
    found = verify(tmp_path / "all.backup", PASSPHRASE)
    assert (found["credentials"], found["definitions"]) == (2, 2)
    assert found["rows"] > 10
    with psycopg.connect(stored) as connection:
        left = connection.execute("SELECT count(*) FROM pg_database WHERE datname LIKE 'steward_verify%'")
        assert left.fetchone() == (0,)


def test_verifying_finds_a_credential_that_does_not_open(
    stored: str, cluster: embedded.ConnectionUrls, committed_db: str, tmp_path: Path
) -> None:
    with psycopg.connect(databases.at(cluster.superuser, committed_db)) as connection:
        connection.execute(
            "UPDATE integrations_integration SET credentials = regexp_replace(credentials, '.$', 'x')"
            " WHERE id = (SELECT min(id::text)::uuid FROM integrations_integration)"
        )
    create(tmp_path / "all.backup", PASSPHRASE)
    with pytest.raises(BackupProblem, match=r"The credentials of integration .* do not open"):
        verify(tmp_path / "all.backup", PASSPHRASE)


def test_a_database_that_is_not_empty_is_never_overwritten(stored: str, tmp_path: Path) -> None:
    create(tmp_path / "all.backup", PASSPHRASE)
    with pytest.raises(BackupProblem, match="is not empty"):
        restore(tmp_path / "all.backup", PASSPHRASE, stored)


def test_another_passphrase_is_refused_before_anything_is_written(
    stored: str, empty_database: str, tmp_path: Path
) -> None:
    create(tmp_path / "all.backup", PASSPHRASE)
    with pytest.raises(BackupProblem, match="passphrase is not the one"):
        restore(tmp_path / "all.backup", PASSPHRASE + "!", empty_database)
    assert rows_of_public(empty_database) == 0


def rows_of_public(url: str) -> int:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        ).fetchone()
    return int(found[0]) if found else 0


def test_every_flipped_byte_is_found(tmp_path: Path) -> None:
    path = tmp_path / "small.backup"
    small_backup(path)
    archive.check(path)
    whole = path.read_bytes()
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x20]) + whole[position + 1 :])
        with pytest.raises(BackupProblem):
            archive.check(path)


def test_the_damaged_part_is_named(tmp_path: Path) -> None:
    path = tmp_path / "small.backup"
    small_backup(path)
    whole = path.read_bytes()
    place = whole.index(b"the dump itself")
    path.write_bytes(whole[:place] + b"T" + whole[place + 1 :])
    with pytest.raises(BackupProblem, match=r"database\.dump changed since the backup"):
        archive.check(path)


@pytest.mark.parametrize("content", [b"", b"PK", b"not a backup at all" * 20], ids=["empty", "cut", "other"])
def test_a_file_that_is_no_backup_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(BackupProblem, match="is not a backup of Steward"):
        archive.check(path)


def small_backup(path: Path) -> None:
    source = path.with_suffix(".part")
    with archive.writing(path) as writer:
        for name, content in ((archive.DATABASE, b"the dump itself"), (archive.KEYS, b"{}")):
            source.write_bytes(content)
            with source.open("rb") as opened:
                writer.add(name, opened)
        writer.finish(archive.Manifest(1, "2026-01-01T00:00:00+00:00", "r1", 180000, {}, {}))


def test_a_backup_that_fails_leaves_the_one_before(
    stored: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "all.backup"
    path.write_bytes(b"the one before")
    monkeypatch.setattr("config.operations.backup.programs.VARIABLES", {})  # pg_dump then has no login
    with pytest.raises(BackupProblem, match="pg_dump failed"):
        create(path, PASSPHRASE)
    assert path.read_bytes() == b"the one before"
    assert [found.name for found in tmp_path.iterdir()] == ["all.backup"]


def test_only_its_owner_may_read_it_and_no_key_is_in_it(stored: str, tmp_path: Path) -> None:
    path = tmp_path / "all.backup"
    create(path, PASSPHRASE)
    assert path.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(path) as opened:
        wrapped = opened.read(archive.KEYS)
    secret = django_settings.ENCRYPTION_KEY.partition(":")[2].encode()
    assert secret not in path.read_bytes()
    assert keys.unwrap(wrapped, PASSPHRASE)["SECRET_KEY"] == django_settings.SECRET_KEY


def test_a_short_passphrase_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackupProblem, match="at least 12 characters"):
        create(tmp_path / "all.backup", "short")


def test_the_nightly_backup_keeps_the_newest_and_says_what_it_did(
    stored: str, tmp_path: Path, settings: Any
) -> None:
    settings.BACKUP_FOLDER, settings.BACKUP_KEEP, settings.BACKUP_PASSPHRASE = tmp_path, 2, PASSPHRASE
    for number in range(3):
        (tmp_path / f"steward-2026010{number}T000000Z.backup").write_bytes(b"older")
    (tmp_path / "notes.txt").write_text("not ours")
    assert "rows" in back_up()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 3
    assert names[:2] == ["notes.txt", "steward-20260102T000000Z.backup"]
    archive.check(tmp_path / names[2])


def test_the_nightly_backup_is_off_until_it_is_configured(settings: Any) -> None:
    settings.BACKUP_FOLDER = None
    assert back_up() == "off: BACKUP_FOLDER is not set"


def test_the_commands_work_from_a_terminal(
    stored: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKUP_PASSPHRASE", PASSPHRASE)
    call_command("backup", str(tmp_path / "all.backup"))
    call_command("restore", str(tmp_path / "all.backup"), "--verify")
    monkeypatch.delenv("BACKUP_PASSPHRASE")
    with pytest.raises(CommandError, match="There is no passphrase"):
        call_command("restore", str(tmp_path / "all.backup"), "--verify")


def test_the_keys_can_be_written_to_a_file(
    stored: str, empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKUP_PASSPHRASE", PASSPHRASE)
    create(tmp_path / "all.backup", PASSPHRASE)
    target = tmp_path / "keys.env"
    call_command(
        "restore", str(tmp_path / "all.backup"), "--into", empty_database, "--keys-file", str(target)
    )
    assert f"ENCRYPTION_KEY={django_settings.ENCRYPTION_KEY}\n" in target.read_text()
    assert target.stat().st_mode & 0o777 == 0o600
