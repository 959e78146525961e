"""What a worker process runs side by side in one event loop: workflows, and Procrastinate's jobs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal

from procrastinate import PsycopgConnector
from procrastinate.contrib.django import procrastinate_app

from workflows.runner.connections import conninfo
from workflows.runner.limits import DRAIN_SECONDS
from workflows.runner.worker import Worker

log = logging.getLogger("steward.worker")

JOBS_AT_ONCE = 4
JOBS_POLL_SECONDS = 30.0  # jobs are announced; looking for them is the net below


async def serve(*, concurrency: int | None = None, only_runs: bool = False) -> None:
    """Work until SIGTERM or SIGINT."""
    worker = Worker(concurrency)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, worker.stop)
    jobs = None if only_runs else asyncio.create_task(run_jobs(), name="jobs")
    try:
        await worker.run()
    finally:
        if jobs is not None:
            jobs.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await jobs


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
