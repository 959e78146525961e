"""Loop: 1,000 items with a trivial body in one run."""

from __future__ import annotations

import time
from typing import Any

from tests.bench import stage as on
from tests.bench.companies import make_company, queue

ITEMS = 1_000
ROUNDS = 10
DEFINITION = {
    "version": 1,
    "steps": [
        {
            "id": "each",
            "type": "loop",
            "items": "{{ trigger.body.numbers }}",
            "steps": [{"id": "double", "type": "set", "values": {"value": "{{ item | times: 2 }}"}}],
        }
    ],
}


def run() -> dict[str, Any]:
    """Return the figures: per run, from queued to on disk, in milliseconds."""
    with on.stage() as stage, stage.connect() as connection:
        company = make_company("Alder", DEFINITION)
        worker = stage.worker()
        times = []
        given = {"body": {"numbers": list(range(ITEMS))}}
        for number in range(ROUNDS + 1):
            began = time.monotonic()
            (identifier,) = queue(company, 1, input=given)
            on.wait_until(lambda: on.unfinished(connection) == 0, "the run", every=0.005)
            seconds = time.monotonic() - began
            row = connection.execute(
                "SELECT count(*) FROM workflows_executionstep WHERE execution_id = %s AND status = 'COMPLETED'",
                [identifier],
            ).fetchone()
            assert row
            assert row[0] == ITEMS + 1, row
            if number:  # the first one compiles
                times.append(seconds)
        return on.figures(
            "loop",
            settings=f"{ITEMS} items, one set step each, {ROUNDS} runs one by one, {on.settings_text()}",
            rate_per_s=ITEMS * len(times) / sum(times),
            **on.percentiles(times),
            cpu_s=on.cpu_seconds(worker),
            rss_mb=on.rss_mb(worker),
        )
