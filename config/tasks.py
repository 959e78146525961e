"""The maintenance list as periodic tasks of the worker, for installations without a cron."""

from __future__ import annotations

from procrastinate.contrib.django import app

from config.operations import cron
from config.operations.jobs import JOBS, Job


def as_periodic_task(job: Job) -> None:
    """Register one job of the list under its own schedule."""

    def task(timestamp: int) -> None:
        cron.run(job.name)

    lock = f"cron.{job.name}"
    named = app.task(name=lock, queue="maintenance", queueing_lock=lock)(task)
    app.periodic(cron=job.schedule)(named)


for listed in JOBS:
    as_periodic_task(listed)
