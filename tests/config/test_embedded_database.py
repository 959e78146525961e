"""The private PostgreSQL of a clone: it starts anywhere, survives half-finished set-ups, and its roles are plain."""

import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from config.database import embedded
from config.database.private_files import SetupProblem
from config.database.roles import create_roles, grant_in_database


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A data folder with a short path; pytest's own are long. Its server is stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="sd-") as name:
        folder = Path(name) / "data"
        yield folder
        embedded.stop(folder)


@pytest.fixture
def running(cluster: embedded.ConnectionUrls) -> embedded.ConnectionUrls:
    return cluster


def one(url: str, query: str, **options: str) -> object:
    with psycopg.connect(url, autocommit=True, **options) as connection:  # type: ignore[arg-type]
        row = connection.execute(query).fetchone()  # type: ignore[arg-type]
    return row[0] if row else None


@pytest.mark.parametrize("part", ["with spaces in it", "far-too-long-for-a-socket-" * 5])
def test_it_starts_in_an_awkward_path_and_a_second_time(short_folder: Path, part: str) -> None:
    folder = short_folder / part
    urls = embedded.ensure_running(folder)
    assert one(urls.app, "SELECT current_user") == "steward_app"
    assert embedded.ensure_running(folder) == urls == embedded.connection_urls(folder)
    embedded.stop(folder)
    assert not embedded.is_running(folder)
    embedded.ensure_running(folder)
    assert one(urls.direct, "SELECT current_database()") == "steward"
    embedded.stop(folder)


def test_a_half_finished_set_up_and_a_stale_process_file_are_repaired(short_folder: Path) -> None:
    (short_folder / "postgres.unfinished").mkdir(parents=True)
    (short_folder / "postgres.unfinished" / "PG_VERSION").write_text("18")
    urls = embedded.ensure_running(short_folder)
    embedded.stop(short_folder)
    # Process 1 lives and is not ours: what a container finds after a crash.
    (short_folder / "postgres" / "postmaster.pid").write_text(
        f"1\n{short_folder}/postgres\n1\n5432\n\n\n1 1\nready\n"
    )
    embedded.ensure_running(short_folder)
    assert one(urls.app, "SELECT 1") == 1


def test_passwords_are_readable_by_their_owner_alone_and_a_strange_one_is_refused(short_folder: Path) -> None:
    urls = embedded.ensure_running(short_folder)
    passwords = short_folder / "database-passwords.json"
    assert stat.S_IMODE(passwords.stat().st_mode) == 0o600
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(urls.app.replace("steward_app:", "steward_app:wrong"))
    passwords.unlink()
    with pytest.raises(SetupProblem, match="put the file back"):
        embedded.ensure_running(short_folder)


def test_a_data_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupProblem, match="STEWARD_DATA"):
        embedded.ensure_running(tmp_path / "file")


@pytest.mark.parametrize("login", ["app", "direct"])
def test_no_login_of_ours_escapes_row_security(running: embedded.ConnectionUrls, login: str) -> None:
    url = getattr(running, login)
    assert one(url, "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user") is False
    assert one(running.superuser, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is True


@pytest.mark.parametrize("login", ["app", "direct"])
def test_a_login_may_become_the_system_role_but_inherits_nothing_from_it(
    running: embedded.ConnectionUrls, login: str
) -> None:
    url = getattr(running, login)
    assert one(url, "SELECT pg_has_role(current_user, 'steward_system', 'SET')") is True
    assert one(url, "SELECT pg_has_role(current_user, 'steward_system', 'USAGE')") is False


def test_tables_of_the_owner_are_usable_but_not_truncatable(running: embedded.ConnectionUrls) -> None:
    with psycopg.connect(running.direct) as connection:
        connection.execute("CREATE TABLE grants_probe (id int)")
        rights = {
            right: connection.execute(
                "SELECT has_table_privilege('steward_app', 'grants_probe', %s)", [right]
            ).fetchone()
            for right in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")
        }
        connection.rollback()
    assert rights == {
        "SELECT": (True,),
        "INSERT": (True,),
        "UPDATE": (True,),
        "DELETE": (True,),
        "TRUNCATE": (False,),
    }


def test_making_the_roles_again_needs_no_rights_and_changes_nothing(running: embedded.ConnectionUrls) -> None:
    query = (
        "SELECT md5(string_agg(r::text, ',' ORDER BY rolname)) FROM pg_roles r WHERE rolname LIKE 'steward%'"
    )
    before = one(running.superuser, query)
    with psycopg.connect(running.direct, autocommit=True) as connection:
        create_roles(connection, "steward", owner_creates_databases=True)
        grant_in_database(connection)
    assert one(running.superuser, query) == before
