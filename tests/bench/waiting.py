"""Waiting: 10,000 runs wait without holding memory; 1,000 that fall due at once go on within seconds."""

from __future__ import annotations

import os
import time
from typing import Any

from tests.bench import stage as on
from tests.bench.companies import make_company, queue

WAITING = int(os.environ.get("BENCH_RUNS", "10000"))
DUE = 1_000
DEFINITION = {
    "version": 1,
    "steps": [
        {"id": "hold", "type": "wait", "timeout": "2h"},
        {"id": "after", "type": "set", "values": {"text": "{{ trigger.body.name }}"}},
    ],
    "settings": {"concurrency": 500, "timeout": "1d"},
}


def run() -> dict[str, Any]:
    """Return the figures. rate_per_s: of the runs that went on."""
    with on.stage() as stage, stage.connect() as connection:
        company = make_company("Alder", DEFINITION)
        worker = stage.worker()
        queue(company, 100)
        on.wait_until(lambda: _count(connection, "WAITING") == 100, "the first 100", 60)
        few = on.rss_mb(worker)
        on.say(f"bringing {WAITING} runs to where they wait …")
        identifiers = queue(company, WAITING - 100)
        on.wait_until(lambda: _count(connection, "WAITING") == WAITING, "all", 600, every=0.5)
        time.sleep(2)
        many = on.rss_mb(worker)
        chosen = identifiers[:DUE]
        started = time.monotonic()
        # What the address does for each: the answer and the wake-up in one transaction.
        with connection.transaction():
            connection.execute(
                "UPDATE workflows_resumetoken SET used_at = now(), body = '1' WHERE execution_id = ANY(%s)",
                [chosen],
            )
            connection.execute("UPDATE workflows_execution SET wake_at = now() WHERE id = ANY(%s)", [chosen])
            connection.execute("NOTIFY steward_runs, 'woken'")
        on.wait_until(lambda: _count(connection, "COMPLETED") == DUE, "the end", 60, every=0.05)
        seconds = time.monotonic() - started
        return on.figures(
            "waiting",
            settings=f"{WAITING} runs wait, {DUE} answered at once, {on.settings_text()}",
            rate_per_s=DUE / seconds,
            cpu_s=on.cpu_seconds(worker),
            rss_mb=many,
            seconds_to_go_on=seconds,
            rss_mb_with_100_waiting=few,
        )


def _count(connection: Any, status: str) -> int:
    row = connection.execute(
        "SELECT count(*) FROM workflows_execution WHERE status = %s", [status]
    ).fetchone()
    return int(row[0])
