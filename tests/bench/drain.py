"""Drain: 20,000 queued runs (webhook to one set step, 1 KB), one worker."""

from __future__ import annotations

import os
import time
from typing import Any

from tests.bench import stage as on
from tests.bench.companies import make_company, queue

RUNS = int(os.environ.get("BENCH_RUNS", "20000"))


def run() -> dict[str, Any]:
    """Return the figures."""
    with on.stage() as stage, stage.connect() as connection:
        company = make_company("Alder")
        measured = on.yardstick(stage)
        on.say(f"queueing {RUNS} runs …")
        queue(company, RUNS)
        before = on.transactions(connection)
        started = time.monotonic()
        worker = stage.worker()
        # The clock starts with the first claim: starting Python is not what is measured.
        row = None
        on.wait_until(lambda: on.unfinished(connection) == 0, "the end", 600, every=0.25)
        row = connection.execute(
            "SELECT extract(epoch FROM max(completed_at) - min(claimed_at)), count(*),"
            " count(*) FILTER (WHERE status = 'COMPLETED') FROM workflows_execution"
        ).fetchone()
        assert row
        seconds, count, completed = float(row[0]), int(row[1]), int(row[2])
        on.say(f"{time.monotonic() - started:.1f} s with the start of the worker")
        after = on.transactions(connection)
        asked = int((time.monotonic() - started) / 0.25) + 10  # our own looks at the queue
        figures = on.figures(
            "drain",
            settings=f"{count} runs of one organization, one worker, {on.settings_text()}",
            rate_per_s=count / seconds,
            yardstick_per_s=measured,
            transactions_per_run=max(0, after - before - asked) / count,
            cpu_s=on.cpu_seconds(worker),
            rss_mb=on.rss_mb(worker),
            completed=completed,
        )
        stage.stop(worker)
        return figures
