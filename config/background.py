"""Background work: what the queue knows besides the apps' own tasks, added when Django is ready."""

from __future__ import annotations

import logging

import procrastinate

logger = logging.getLogger(__name__)

STALLED_SECONDS = 30  # a worker's heart beats every 10 s
MAX_RESCUES = 5  # a job that has ended its worker this often is not tried again


def configure(app: procrastinate.App) -> None:
    """Called by procrastinate with the application's queue once Django is ready."""

    @app.periodic(cron="* * * * *")
    @app.task(name="config.background.rescue_stalled_jobs", queueing_lock="rescue_stalled_jobs")
    async def rescue_stalled_jobs(timestamp: int) -> None:
        """Give the jobs of workers that have died to the others."""
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
            if job.attempts >= MAX_RESCUES:
                await app.job_manager.finish_job(job, procrastinate.jobs.Status.FAILED, delete_job=False)
            else:
                await app.job_manager.retry_job(job)
            logger.warning(
                "a job of a dead worker was found task=%s attempts=%s", job.task_name, job.attempts
            )
