"""A server or worker does not start on a database login that sees every tenant."""

from __future__ import annotations

import subprocess
import sys

import pytest

from config.database import embedded
from tests.databases import ROOT, at, process_environment

SERVER = ["-c", "import config.wsgi; print('started')"]
WORKER = ["manage.py", "worker"]


def start(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("command", [SERVER, WORKER], ids=["server", "worker"])
def test_a_superuser_login_is_refused(
    db: None, cluster: embedded.ConnectionUrls, database_name: str, command: list[str]
) -> None:
    environment = process_environment(cluster, database_name)
    refused = start(command, environment | {"DATABASE_URL": at(cluster.superuser, database_name)})
    assert refused.returncode != 0
    assert "which row security does not bind" in refused.stderr
    assert "setup_database" in refused.stderr


def test_the_plain_login_is_accepted(db: None, cluster: embedded.ConnectionUrls, database_name: str) -> None:
    accepted = start(SERVER, process_environment(cluster, database_name))
    assert accepted.stdout.strip().endswith("started"), accepted.stderr


def test_a_database_that_does_not_answer_yet_does_not_stop_the_start(
    db: None, cluster: embedded.ConnectionUrls, database_name: str
) -> None:
    environment = process_environment(cluster, database_name)
    accepted = start(SERVER, environment | {"DATABASE_URL": "postgresql://steward_app@127.0.0.1:1/steward"})
    assert accepted.stdout.strip().endswith("started"), accepted.stderr
