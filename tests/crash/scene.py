"""A database, workers that are killed and replaced, and what is counted at the end."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import psycopg

from config.database import embedded
from tests import databases

# Faster than in production, so that a test need not wait 20 s for a dead worker to be noticed.
HURRY = {"STEWARD_STALE_SECONDS": "2", "STEWARD_HEARTBEAT_SECONDS": "0.5"}


class Workers:
    """Worker processes on one database."""

    def __init__(self, urls: embedded.ConnectionUrls, database: str, **environment: str) -> None:
        self.environment = databases.process_environment(urls, database) | HURRY | environment
        self.environment["LOG_LEVEL"] = "ERROR"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.kills = 0

    def start(self, *, only_runs: bool = True) -> subprocess.Popen[bytes]:
        """Start one more worker. only_runs False: with its scheduler and its background jobs."""
        command = [sys.executable, "manage.py", "worker", *(["--only-runs"] if only_runs else [])]
        process = subprocess.Popen(command, cwd=databases.ROOT, env=self.environment)
        self.processes.append(process)
        return process

    def busy(self, connection: psycopg.Connection[Any]) -> list[subprocess.Popen[bytes]]:
        """Return the workers that hold runs right now: killing the others proves nothing."""
        rows = connection.execute(
            "SELECT DISTINCT w.pid FROM workflows_execution e JOIN workflows_worker w ON w.id = e.worker_id"
            " WHERE e.status = 'RUNNING'"
        ).fetchall()
        pids = {pid for (pid,) in rows}
        return [process for process in self.processes if process.pid in pids]

    def kill(self, process: subprocess.Popen[bytes] | None = None) -> None:
        """kill -9: no goodbye."""
        process = process or random.choice(self.processes)
        process.kill()
        process.wait()
        self.processes.remove(process)
        self.kills += 1

    def freeze(self, process: subprocess.Popen[bytes]) -> None:
        os.kill(process.pid, signal.SIGSTOP)

    def thaw(self, process: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(ProcessLookupError):  # it may have been killed meanwhile
            os.kill(process.pid, signal.SIGCONT)

    def stop(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(40)
        for process in self.processes:
            process.kill()


@contextlib.contextmanager
def workers(urls: embedded.ConnectionUrls, database: str, **environment: str) -> Iterator[Workers]:
    """Yield the workers of a database, none running yet; end them all afterwards."""
    found = Workers(urls, database, **environment)
    try:
        yield found
    finally:
        found.stop()


def steps_of(port: int) -> list[dict[str, Any]]:
    """Return a workflow that reads, changes something once per key, changes something unsafely, and ends."""
    url = f"http://127.0.0.1:{port}"
    key = "{{ execution.id }}"
    return [
        {"id": "look", "type": "http", "url": f"{url}/look/{key}"},
        {"id": "note", "type": "set", "values": {"seen": "{{ steps.look.output.status }}"}},
        {
            "id": "once", "type": "http", "method": "POST", "url": f"{url}/once/{key}",
            "headers": {"Idempotency-Key": f"{key}-once"}, "json": {"run": key},
        },
        {"id": "each", "type": "http", "method": "POST", "url": f"{url}/each/{key}", "json": {"run": key}},
        {"id": "last", "type": "set", "values": {"done": True}},
    ]  # fmt: skip


def until(holds: Any, what: str, seconds: float = 120.0) -> None:
    """Return when `holds()` does. Raises AssertionError."""
    give_up = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up, f"{what} did not happen within {seconds:g} s"
        time.sleep(0.1)


def counts(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """Return status -> how many runs."""
    return dict(
        connection.execute("SELECT status, count(*) FROM workflows_execution GROUP BY status").fetchall()
    )


def twice_committed(connection: psycopg.Connection[Any]) -> int:
    """Return how many attempts were written by two workers after the first had finished them."""
    row = connection.execute(
        "SELECT count(*) FROM workflows_executionstep s JOIN workflows_executionstep t"
        " ON t.execution_id = s.execution_id AND t.path = s.path AND t.attempt > s.attempt"
        " WHERE s.status = 'COMPLETED'"
    ).fetchone()
    assert row
    return int(row[0])


def overdue(connection: psycopg.Connection[Any]) -> int:
    """Return how many runs are past their deadline and have not ended."""
    row = connection.execute(
        "SELECT count(*) FROM workflows_execution WHERE completed_at IS NULL AND deadline_at < now()"
    ).fetchone()
    assert row
    return int(row[0])
