"""Ingest: webhooks accepted and committed over 1 and 50 connections, runs included."""

from __future__ import annotations

import os
from typing import Any

from tests.bench import stage as on
from tests.bench.caller import Caller
from tests.bench.web import BODY, PORT, make_hook, serve

SECONDS = float(os.environ.get("BENCH_SECONDS", "15"))


def run() -> dict[str, Any]:
    """Return the figures of 50 connections, with those of one beside them."""
    with on.stage() as stage, stage.connect() as connection:
        path = make_hook("Alder")
        measured = on.yardstick(stage)
        worker, web = stage.worker(), serve(stage)
        Caller(PORT, path, BODY).call(connections=8, seconds=2)
        one = Caller(PORT, path, BODY)
        on.say("1 connection …")
        rate_of_one = one.call(connections=1, seconds=SECONDS / 2)
        on.wait_until(lambda: on.unfinished(connection) == 0, "the runs")
        before, runs_before, cpu = on.transactions(connection), _runs(connection), on.cpu_seconds(worker)
        many = Caller(PORT, path, BODY)
        on.say("50 connections …")
        rate = many.call(connections=50, seconds=SECONDS)
        on.wait_until(lambda: on.unfinished(connection) == 0, "the runs", 120)
        runs = _runs(connection) - runs_before
        accepted = many.statuses[202]
        return on.figures(
            "ingest",
            settings=f"1 KB over 50 connections for {SECONDS:g} s, gunicorn and one worker, {on.settings_text()}",
            rate_per_s=rate * accepted / max(1, sum(many.statuses.values())),
            yardstick_per_s=measured,
            **on.percentiles(many.latencies),
            transactions_per_run=(on.transactions(connection) - before) / max(1, runs),
            cpu_s=on.cpu_seconds(worker) - cpu,
            rss_mb=on.rss_mb(worker),
            lost=accepted - runs,
            statuses=dict(many.statuses),
            one_connection={"rate_per_s": round(rate_of_one, 1), **on.percentiles(one.latencies)},
            web_cpu_s=on.cpu_seconds(web),
        )


def _runs(connection: Any) -> int:
    return int(
        connection.execute("SELECT count(*) FROM workflows_execution WHERE status = 'COMPLETED'").fetchone()[
            0
        ]
    )
