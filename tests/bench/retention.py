"""Retention: a month of 1,000,000 runs with their steps and log lines leaves as a whole, and its disk comes back."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from config.operations.retention import FAILED_DAYS, apply_retention
from tests.bench import stage as on
from tests.bench.companies import make_company

RUNS = int(os.environ.get("BENCH_RUNS", "1000000"))

_ID = "overlay(steward_first_uuid7(%(start)s)::text placing lpad(to_hex(n), 12, '0') from 25)::uuid"
FILL = f"""
INSERT INTO workflows_execution (id, organization_id, workflow_id, version_id, status, result, started_at,
  completed_at, duration_ms, deadline_at, input, output)
SELECT {_ID}, %(org)s, %(workflow)s, %(version)s, 'COMPLETED', 'SUCCESS', %(start)s, %(start)s, 12, %(start)s,
  jsonb_build_object('order', n, 'text', repeat('x', 200)), jsonb_build_object('order', n)
FROM generate_series(1, %(runs)s) n;
INSERT INTO workflows_executionstep (id, organization_id, execution_id, path, step_id, step_type, attempt, fence,
  status, output, started_at, finished_at)
SELECT gen_random_uuid(), %(org)s, {_ID}, 'take', 'take', 'set', 1, 1, 'COMPLETED',
  jsonb_build_object('order', n, 'text', repeat('y', 200)), %(start)s, %(start)s
FROM generate_series(1, %(runs)s) n;
INSERT INTO workflows_executionlog (id, organization_id, execution_id, level, message, timestamp)
SELECT gen_random_uuid(), %(org)s, {_ID}, 'INFO', 'Order taken', %(start)s
FROM generate_series(1, %(runs)s) n;
"""  # noqa: S608


def run() -> dict[str, Any]:
    """Return the figures. p50_ms: the drop of the month; rate_per_s: its runs over that time."""
    now = datetime.now(UTC)
    old = (now - timedelta(days=FAILED_DAYS + 62)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    with on.stage() as stage, stage.connect() as connection:
        organization, workflow, version = make_company("Alder")
        connection.execute("SELECT steward_ensure_partitions(%s, %s)", [old.date(), old.date()])
        empty = _bytes(connection)
        on.say(f"filling a month with {RUNS} runs …")
        connection.execute("SET session_replication_role = replica")
        values = {
            "org": organization.pk,
            "workflow": workflow.pk,
            "version": version.pk,
            "start": old + timedelta(days=3),
            "runs": RUNS,
        }
        for statement in FILL.strip().rstrip(";").split(";"):
            connection.execute(statement, values)  # type: ignore[arg-type]
        connection.execute("SET session_replication_role = origin")
        connection.execute("CHECKPOINT")
        full = _bytes(connection)
        began = time.perf_counter()
        said = apply_retention(now)
        seconds = time.perf_counter() - began
        after = _bytes(connection)
        left = connection.execute("SELECT count(*) FROM workflows_execution").fetchone()
    return on.figures(
        "retention",
        settings=f"{RUNS} runs, steps and log lines in one month, {on.settings_text()}",
        rate_per_s=RUNS / seconds,
        p50_ms=1000 * seconds,
        said=said,
        runs_left=left[0] if left else None,
        disk_mb={"empty": empty / 1e6, "full": full / 1e6, "after": after / 1e6},
    )


def _bytes(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    return int(row[0]) if row else 0
