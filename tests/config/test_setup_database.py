"""setup_database prepares a server of one's own, twice without harm, and says what to ask for where it may not."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from config.database import embedded

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def server(cluster: embedded.ConnectionUrls) -> Iterator[dict[str, str]]:
    """The environment of an installation whose database `elsewhere` does not exist yet."""
    with psycopg.connect(cluster.superuser, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS elsewhere")
        yield os.environ | {
            "DATABASE_URL": cluster.app.replace("/steward?", "/elsewhere?"),
            "DIRECT_URL": cluster.direct.replace("/steward?", "/elsewhere?"),
            "SECRET_KEY": "x" * 60,
            "ENCRYPTION_KEY": "test:" + "A" * 43 + "=",
            "ALLOWED_HOSTS": "localhost",
            "DEBUG": "off",
        }
        connection.execute("DROP DATABASE IF EXISTS elsewhere WITH (FORCE)")


def setup_database(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "setup_database", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_it_makes_the_database_and_may_be_repeated_without_the_administrator(
    server: dict[str, str], cluster: embedded.ConnectionUrls
) -> None:
    first = setup_database(server, "--admin-url", cluster.superuser)
    assert (first.returncode, first.stderr) == (0, "")
    again = setup_database(server)
    assert (again.returncode, again.stderr, again.stdout) == (0, "", first.stdout)
    with psycopg.connect(server["DIRECT_URL"]) as connection:
        connection.execute("CREATE TABLE probe (id int)")
        row = connection.execute("SELECT has_table_privilege('steward_app', 'probe', 'INSERT')").fetchone()
        connection.rollback()
    assert row == (True,)


def test_a_host_that_forbids_it_is_answered_with_the_sql_to_run(
    server: dict[str, str], cluster: embedded.ConnectionUrls
) -> None:
    refused = setup_database(server, "--admin-url", cluster.app)
    assert refused.returncode == 1
    assert "does not let steward_app do that" in refused.stderr
    assert 'GRANT "steward_system" TO "steward_owner", "steward_app" WITH INHERIT FALSE' in refused.stderr
    assert "Traceback" not in refused.stderr


def test_one_login_for_both_purposes_is_refused(server: dict[str, str]) -> None:
    refused = setup_database(server | {"DIRECT_URL": server["DATABASE_URL"]})
    assert refused.returncode == 1
    assert "DIRECT_URL another one" in refused.stderr
