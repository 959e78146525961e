"""Metering: 10,000 runs through a worker are metered exactly; what that costs, against a worker that meters nothing."""

from __future__ import annotations

import os
import statistics
from typing import Any

import psycopg

from tests.bench import stage as on
from tests.bench.companies import make_company, queue

RUNS = int(os.environ.get("BENCH_RUNS", "10000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "4"))  # of each kind, in turn

# The worker as it is, but no usage reaches its commits.
UNMETERED = """
import django; django.setup()
from workflows.runner import commit_statement
add = commit_statement._add
commit_statement._add = lambda rows, table, row: None if table == "usage" else add(rows, table, row)
from django.core.management import call_command
call_command("worker")
"""


def run() -> dict[str, Any]:
    """Return the figures. rate_per_s: metered; yardstick_per_s: unmetered; cost: the share that metering takes."""
    rates: dict[bool, list[float]] = {True: [], False: []}
    metered = 0
    with on.stage() as stage, stage.connect() as connection:
        company = make_company("Alder")
        for number in range(2 * ROUNDS):
            is_metered = number % 2 == 0
            before = _metered(connection)
            rates[is_metered].append(_drain(stage, connection, company, is_metered))
            if is_metered:
                metered += _metered(connection) - before
    fast, slow = statistics.median(rates[False]), statistics.median(rates[True])
    return on.figures(
        "metering",
        settings=f"{2 * ROUNDS} rounds of {RUNS} runs in turn with and without, medians, {on.settings_text()}",
        rate_per_s=slow,
        yardstick_per_s=fast,
        cost=1 - slow / fast,
        runs=RUNS * ROUNDS,
        metered=metered,
    )


def _drain(stage: on.Stage, connection: psycopg.Connection[Any], company: Any, is_metered: bool) -> float:
    connection.execute("TRUNCATE workflows_execution CASCADE")
    queue(company, RUNS)
    connection.execute("CHECKPOINT")
    on.say(f"{RUNS} runs, {'metered' if is_metered else 'not metered'} …")
    worker = stage.worker() if is_metered else _unmetered_worker(stage, connection)
    on.wait_until(lambda: on.unfinished(connection) == 0, "the end", 600, every=0.25)
    row = connection.execute(
        "SELECT count(*) / extract(epoch FROM max(completed_at) - min(claimed_at)) FROM workflows_execution"
    ).fetchone()
    stage.stop(worker)
    return float(row[0]) if row else 0.0


def _unmetered_worker(stage: on.Stage, connection: psycopg.Connection[Any]) -> Any:
    before = on._workers(connection)
    worker = stage.start("-c", UNMETERED)
    on.wait_until(lambda: on._workers(connection) > before or not worker.is_running(), "the worker")
    return worker


def _metered(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute(
        "SELECT coalesce(sum(quantity), 0) FROM billing_usageentry WHERE metric = 'WORKFLOW_EXECUTIONS'"
    ).fetchone()
    return int(row[0]) if row else 0
