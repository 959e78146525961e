"""Sync: webhooks answered by their run, over 1 and over 10 connections."""

from __future__ import annotations

import os
from typing import Any

from tests.bench import stage as on
from tests.bench.caller import Caller
from tests.bench.web import BODY, PORT, make_hook, serve

SECONDS = float(os.environ.get("BENCH_SECONDS", "10"))
DEFINITION = {
    "version": 1,
    "steps": [
        {"id": "greet", "type": "set", "values": {"text": "Hello {{ trigger.body.name }}"}},
        {"id": "answer", "type": "respond", "status": 200, "body": {"said": "{{ steps.greet.output.text }}"}},
    ],
    "settings": {"concurrency": 500},
}


def run() -> dict[str, Any]:
    """Return the figures of one connection, with those of ten beside them; the yardstick is pgbench at one client."""
    with on.stage() as stage:
        measured = on.yardstick(stage, clients=1)
        path = make_hook("Alder", DEFINITION, respond="by_step")
        worker, _web = stage.worker(), serve(stage)
        warm = Caller(PORT, path, BODY)
        warm.call(connections=8, seconds=2)
        assert b"Hello Ada" in warm.last_body, warm.last_body
        one, ten = Caller(PORT, path, BODY), Caller(PORT, path, BODY)
        on.say("1 connection …")
        rate = one.call(connections=1, seconds=SECONDS)
        on.say("10 connections …")
        rate_of_ten = ten.call(connections=10, seconds=SECONDS)
        return on.figures(
            "sync",
            settings=f"set and respond, 1 connection for {SECONDS:g} s, gunicorn and one worker, {on.settings_text()}",
            rate_per_s=rate,
            yardstick_per_s=measured,
            **on.percentiles(one.latencies),
            cpu_s=on.cpu_seconds(worker),
            rss_mb=on.rss_mb(worker),
            statuses=dict(one.statuses + ten.statuses),
            ten_connections={"rate_per_s": round(rate_of_ten, 1), **on.percentiles(ten.latencies)},
        )
