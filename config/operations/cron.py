"""Runs one maintenance job: alone, measured, and with its result kept for staff to see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import structlog
from django.db import connection
from django.utils import timezone
from django.utils.module_loading import import_string

from config.models import CronRun
from config.operations.jobs import job_named

logger = structlog.get_logger(__name__)
LOCK_SPACE = 7_301  # first key of our advisory locks, so that nobody else's collide


def run(name: str) -> CronRun | None:
    """Run a job and return its record, or None when the same job is running elsewhere.

    A failure is recorded and logged, then raised again for the runner to see. Raises KeyError for an unknown name.
    """
    job = job_named(name)
    with _alone(name) as is_alone:
        if not is_alone:
            logger.info("cron job is running elsewhere", job=name)
            return None
        started = timezone.now()
        try:
            detail, failure = import_string(job.function)() or "", None
        except Exception as error:  # noqa: BLE001  (whatever went wrong must reach the record)
            detail, failure = f"{type(error).__name__}: {error}", error
        record = CronRun.objects.create(
            job=name,
            started_at=started,
            finished_at=timezone.now(),
            is_success=failure is None,
            detail=detail[:2000],
        )
    log = logger.info if failure is None else logger.error
    log("cron job finished", job=name, seconds=record.seconds, detail=detail)
    if failure is not None:
        raise failure
    return record


@contextmanager
def _alone(name: str) -> Iterator[bool]:
    """Yield whether this process holds the job's lock; the lock goes with the connection, whatever happens.

    It has a connection of its own, so that the job can commit its batches one by one meanwhile, and it belongs to a
    transaction, so that it holds through PgBouncer as well.
    """
    with psycopg.connect(**_login()) as lock:
        row = lock.execute(
            "SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", [LOCK_SPACE, name]
        ).fetchone()
        yield bool(row and row[0])


def _login() -> dict[str, Any]:
    parameters = connection.get_connection_params()
    return {
        name: parameters[name]
        for name in ("dbname", "user", "password", "host", "port")
        if parameters.get(name)
    }
