"""Fairness: one organization has queued 50,000 runs; how long does the single run of another one take?"""

from __future__ import annotations

import os
import time
from typing import Any

from tests.bench import stage as on
from tests.bench.companies import make_company, queue

FLOOD = int(os.environ.get("BENCH_RUNS", "50000"))
TRIES = 10


def run() -> dict[str, Any]:
    """Return the figures: of the single runs, from queued to done."""
    with on.stage() as stage, stage.connect() as connection:
        flood, modest = make_company("Alder"), make_company("Birch")
        on.say(f"queueing {FLOOD} runs …")
        queue(flood, FLOOD)
        stage.worker()
        on.wait_until(lambda: _status(connection, None) > 0, "the first end")
        times, left = [], FLOOD
        for _number in range(TRIES):
            started = time.monotonic()
            (identifier,) = queue(modest, 1)
            on.wait_until(
                lambda each=identifier: _status(connection, each) > 0, "the single run", every=0.005
            )
            times.append(time.monotonic() - started)
            left = on.unfinished(connection)
            time.sleep(0.1)
        return on.figures(
            "fairness",
            settings=f"{FLOOD} runs queued by one organization, {left} of them left at the end, {on.settings_text()}",
            **on.percentiles(times),
            slowest_ms=1000 * max(times),
        )


def _status(connection: Any, identifier: Any) -> int:
    if identifier is None:
        row = connection.execute(
            "SELECT count(*) FROM (SELECT FROM workflows_execution WHERE status = 'COMPLETED' LIMIT 1) found"
        ).fetchone()
    else:
        row = connection.execute(
            "SELECT count(*) FROM workflows_execution WHERE id = %s AND status = 'COMPLETED'", [identifier]
        ).fetchone()
    return int(row[0])
