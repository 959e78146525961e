"""Idle: what a worker costs while nothing happens."""

from __future__ import annotations

import os
import time
from typing import Any

from tests.bench import stage as on
from tests.bench.companies import make_company, queue

SECONDS = int(os.environ.get("BENCH_SECONDS", "60"))


def run() -> dict[str, Any]:
    """Return the figures. rate_per_s: statements of the worker per second."""
    with on.stage() as stage, stage.connect() as connection:
        company = make_company("Alder")
        worker = stage.worker()
        queue(company, 10)
        on.wait_until(lambda: on.unfinished(connection) == 0, "the runs")
        time.sleep(3)
        cpu, calls = on.cpu_seconds(worker), _statements(connection)
        on.say(f"watching for {SECONDS} s …")
        time.sleep(SECONDS)
        cpu, calls = on.cpu_seconds(worker) - cpu, _statements(connection) - calls
        return on.figures(
            "idle",
            settings=f"one worker, {SECONDS} s, {on.settings_text()}",
            rate_per_s=calls / SECONDS,
            cpu_s=cpu,
            rss_mb=on.rss_mb(worker),
            share_of_a_core=cpu / SECONDS,
        )


def _statements(connection: Any) -> int:
    """Return how many statements the application login has run in the bench database."""
    row = connection.execute(
        "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid"
        " JOIN pg_roles r ON r.oid = s.userid WHERE d.datname = %s AND r.rolname IN ('steward_app', 'steward_system')",
        [on.DATABASE],
    ).fetchone()
    return int(row[0])
