"""Sequential: 40 trivial steps in one run, alone and with 100 runs at once."""

from __future__ import annotations

import time
from typing import Any

from tests.bench import stage as on
from tests.bench.companies import make_company, queue

STEPS = 40
TOGETHER = 100
ROUNDS = 20
DEFINITION = {
    "version": 1,
    "steps": [
        {"id": f"step_{number}", "type": "set", "values": {f"value_{number}": "{{ trigger.body.name }}"}}
        for number in range(STEPS)
    ],
    "settings": {"concurrency": 500},
}


def run() -> dict[str, Any]:
    """Return the figures: per step, in milliseconds; alone from queued to on disk."""
    with on.stage() as stage, stage.connect() as connection:
        company = make_company("Alder", DEFINITION)
        worker = stage.worker()
        queue(company, 1)
        on.wait_until(lambda: on.unfinished(connection) == 0, "the first run")
        alone = []
        for _round in range(ROUNDS):
            began = time.monotonic()
            queue(company, 1)
            on.wait_until(lambda: on.unfinished(connection) == 0, "the run", every=0.002)
            alone.append(time.monotonic() - began)
        before = on.transactions(connection)
        identifiers = queue(company, TOGETHER)
        on.wait_until(lambda: on.unfinished(connection) == 0, "the runs", every=0.2)
        together = _seconds(connection, identifiers)
        after = on.transactions(connection)
        return on.figures(
            "sequential",
            settings=f"{STEPS} set steps, {ROUNDS} runs one by one, then {TOGETHER} at once, {on.settings_text()}",
            rate_per_s=TOGETHER * STEPS / together,
            **{name: value / STEPS for name, value in on.percentiles(alone).items()},
            transactions_per_run=(after - before) / TOGETHER,
            rss_mb=on.rss_mb(worker),
            alone_ms_per_step=1000 * sorted(alone)[len(alone) // 2] / STEPS,
            together_ms_per_step=1000 * together / TOGETHER / STEPS,
        )


def _seconds(connection: Any, identifiers: list[Any]) -> float:
    """Return the time from the first claim to the last end."""
    row = connection.execute(
        "SELECT extract(epoch FROM max(completed_at) - min(claimed_at)) FROM workflows_execution WHERE id = ANY(%s)",
        [identifiers],
    ).fetchone()
    return float(row[0])
