"""What a worker process runs side by side in one event loop: workflows, and Procrastinate's jobs."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

from django.db import connections
from procrastinate import PsycopgConnector
from procrastinate.contrib.django import procrastinate_app

from workflows.runner.connections import conninfo
from workflows.runner.limits import DRAIN_SECONDS
from workflows.runner.worker import Worker

log = logging.getLogger("steward.worker")

AGAIN_SECONDS = 2.0
CLOCK_SECONDS = 15.0  # a schedule published meanwhile is seen after so long
JOBS_AT_ONCE = 4
JOBS_POLL_SECONDS = 30.0  # jobs are announced; looking for them is the net below


async def serve(*, concurrency: int | None = None, only_runs: bool = False) -> None:
    """Work until SIGTERM or SIGINT."""
    worker = Worker(concurrency)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, worker.stop)
    beside = (
        []
        if only_runs
        else [asyncio.create_task(_keep(run_jobs)), asyncio.create_task(_keep(watch_the_clock))]
    )
    try:
        await worker.run()
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)


async def _keep(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Do the work, and again when it fails."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("%s failed and starts again", work.__name__)
        await asyncio.sleep(AGAIN_SECONDS)


async def watch_the_clock() -> None:
    """Fire schedules at the second they are due."""
    from workflows.triggers.firing import (
        fire_due_schedules,
    )  # triggers start runs; the runner only keeps their time

    def fire() -> datetime | None:
        try:
            return fire_due_schedules(datetime.now(UTC))
        finally:
            connections.close_all()

    while True:
        following = await asyncio.to_thread(fire)
        seconds = CLOCK_SECONDS
        if following is not None:
            seconds = min(seconds, max(0.05, (following - datetime.now(UTC)).total_seconds()))
        await asyncio.sleep(seconds)


async def run_jobs() -> None:
    """Run e-mail, token refresh, polling, deliveries and maintenance: everything that is a plain job."""
    connector = PsycopgConnector(conninfo=conninfo(), min_size=1, max_size=4)
    # Tasks keep deferring through Django's own connection and transaction; only the fetching uses this one.
    app = procrastinate_app.current_app.with_connector(connector)
    async with app.open_async():
        await app.run_worker_async(
            concurrency=JOBS_AT_ONCE,
            fetch_job_polling_interval=JOBS_POLL_SECONDS,
            abort_job_polling_interval=JOBS_POLL_SECONDS,
            shutdown_graceful_timeout=DRAIN_SECONDS,
            delete_jobs="successful",
            install_signal_handlers=False,
        )
