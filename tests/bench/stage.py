"""What every benchmark stands on: a fresh database, our processes, the yardstick, and how figures are told."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg
from django.conf import settings
from django.db import connections

from config.database import cluster, embedded
from tests import databases

DATABASE = "steward_bench"
YARDSTICK_SECONDS = 5
READY_SECONDS = 60


def say(text: str) -> None:
    """Tell how far the benchmark is, on standard error: standard output ends with the figures."""
    sys.stderr.write(text + "\n")


@dataclass
class Stage:
    """A fresh database and the processes that work on it."""

    urls: embedded.ConnectionUrls
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def superuser(self) -> str:
        return databases.at(self.urls.superuser, DATABASE)

    def connect(self) -> psycopg.Connection[Any]:
        """Return an autocommit connection that sees everything."""
        return psycopg.connect(self.superuser, autocommit=True)

    def start(self, *command: str, **environment: str) -> psutil.Process:
        """Start one of our programs on the bench database."""
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=databases.ROOT,
            env=databases.process_environment(self.urls, DATABASE)
            | {
                "LOG_LEVEL": "WARNING",
                "DEBUG": "0",
                "ALLOWED_HOSTS": "*",
                "STEWARD_BASE_URL": "http://localhost:8106",
            }
            | environment,
        )
        self.processes.append(process)
        return psutil.Process(process.pid)

    def worker(self, *arguments: str, **environment: str) -> psutil.Process:
        """Start a worker and return it when its heart beats."""
        with self.connect() as connection:
            before = _workers(connection)
            process = self.start("manage.py", "worker", *arguments, **environment)
            wait_until(lambda: _workers(connection) > before or not process.is_running(), "the worker")
        return process

    def stop(self, process: psutil.Process) -> None:
        """End a process and wait for it."""
        for found in self.processes:
            if found.pid == process.pid:
                found.send_signal(signal.SIGTERM)
                found.wait(60)
                self.processes.remove(found)


@contextlib.contextmanager
def stage() -> Iterator[Stage]:
    """Make the bench database from the migrated template, use it for Django, and end all processes afterwards."""
    urls = embedded.ensure_running(embedded.data_folder())
    databases.ensure_template(urls)
    databases.clone(urls, DATABASE)
    connection = connections["default"]
    connection.close()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = DATABASE
    found = Stage(urls)
    try:
        yield found
    finally:
        for process in found.processes:
            process.terminate()
        for process in found.processes:
            process.wait(60)
        for each in connections.all(initialized_only=True):
            each.close()


def yardstick(on: Stage, clients: int = 8) -> float:
    """Return how many one-row inserts this cluster commits per second: pgbench, a 1 KB row per transaction."""
    say(f"pgbench for {YARDSTICK_SECONDS} s …")
    with on.connect() as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS yardstick (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text)"
        )
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write("INSERT INTO yardstick (body) VALUES (repeat('x', 1000));\n")
        script.flush()
        result = subprocess.run(
            [
                str(Path(cluster.binaries()) / "pgbench"), "--no-vacuum", f"--client={clients}",
                f"--jobs={min(2, clients)}",
                f"--time={YARDSTICK_SECONDS}", f"--file={script.name}", on.superuser,
            ],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    found = re.search(r"tps = ([0-9.]+)", result.stdout)
    assert found, result.stdout
    return float(found[1])


def figures(name: str, **given: Any) -> dict[str, Any]:
    """Return the figures with every key that a benchmark has, null where one means nothing."""
    keys = (
        "name", "settings", "rate_per_s", "yardstick_per_s", "ratio", "p50_ms", "p95_ms", "p99_ms",
        "transactions_per_run", "cpu_s", "rss_mb",
    )  # fmt: skip
    if given.get("rate_per_s") and given.get("yardstick_per_s"):
        given["ratio"] = given["rate_per_s"] / given["yardstick_per_s"]
    rounded = {key: round(value, 4) if isinstance(value, float) else value for key, value in given.items()}
    return {"name": name, **{key: rounded.get(key) for key in keys[1:]}, **{
        key: value for key, value in rounded.items() if key not in keys
    }}  # fmt: skip


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Return p50_ms, p95_ms and p99_ms of durations in seconds."""
    ordered = sorted(seconds)
    return {
        f"p{share}_ms": 1000 * ordered[min(len(ordered) - 1, len(ordered) * share // 100)]
        for share in (50, 95, 99)
    }


def transactions(connection: psycopg.Connection[Any]) -> int:
    """Return how many transactions the bench database has committed so far."""
    connection.execute("SELECT pg_stat_force_next_flush()")
    row = connection.execute(
        "SELECT xact_commit FROM pg_stat_database WHERE datname = %s", [DATABASE]
    ).fetchone()
    assert row
    return int(row[0])


def cpu_seconds(process: psutil.Process) -> float:
    """Return the processor time a process and its children have used."""
    total = 0.0
    for each in [process, *process.children(recursive=True)]:
        times = each.cpu_times()
        total += times.user + times.system
    return total


def rss_mb(process: psutil.Process) -> float:
    """Return the memory a process holds, in MB."""
    return process.memory_info().rss / 1e6


def wait_until(holds: Any, what: str, seconds: float = READY_SECONDS, every: float = 0.05) -> None:
    """Return when `holds()` does. Raises TimeoutError."""
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            raise TimeoutError(f"{what} did not come within {seconds} s")
        time.sleep(every)


def unfinished(connection: psycopg.Connection[Any]) -> int:
    """Return how many runs have not reached their end."""
    row = connection.execute(
        "SELECT count(*) FROM workflows_execution WHERE status IN ('PENDING', 'RUNNING', 'WAITING')"
    ).fetchone()
    assert row
    return int(row[0])


def _workers(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("SELECT count(*) FROM workflows_worker").fetchone()
    assert row
    return int(row[0])


def settings_text() -> str:
    """Return under what conditions the figures were taken."""
    return f"{os.cpu_count()} cores, fsync and synchronous_commit on"
