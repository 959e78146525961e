"""Whether this installation is well, as an operator asks: each finding with what to do about it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.tenancy import system_scope
from config.models import CronRun
from config.operations.backup.nightly import kept
from config.operations.jobs import JOBS

GOOD, WARNING, BAD = "good", "warning", "bad"
LINE_SECONDS = (5, 60)  # how long the oldest run may wait to be taken: warning, bad
CONNECTION_SHARE = (0.7, 0.9)
DISK_SHARE_FREE = (0.2, 0.08)
LAG_SECONDS = (10, 60)
BACKUP_AGE = (timedelta(hours=26), timedelta(days=3))
JOB_LATE = timedelta(hours=26)  # every job runs at least daily
SLOW_MILLISECONDS = 200.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. advice: what to do, empty when nothing is to be done."""

    name: str
    status: str
    value: str
    advice: str = ""


def examine() -> list[Finding]:
    """Look at everything and return what was found, in the order of the list below."""
    found: list[Finding] = []
    with system_scope("look at the installation's health"):
        for look in (
            workers,
            line,
            overdue,
            jobs_of_the_queue,
            connections,
            replicas,
            tables,
            slow_statements,
            cron,
        ):
            found += _guarded(look)
    return found + _guarded(disk) + _guarded(backups)


def report() -> dict[str, Any]:
    """Return {"status": the worst, "findings": [...]} for machines."""
    findings = examine()
    worst = max((finding.status for finding in findings), key=(GOOD, WARNING, BAD).index)
    return {"status": worst, "findings": [asdict(finding) for finding in findings]}


def workers() -> list[Finding]:
    """Workers whose heart beats."""
    (alive,) = _row(
        "SELECT count(*) FROM workflows_worker WHERE heartbeat_at > now() - interval '30 seconds'"
    )
    if alive:
        return [Finding("workers", GOOD, f"{alive} alive")]
    return [Finding("workers", BAD, "none", "No run is worked on: start `manage.py worker`.")]


def line() -> list[Finding]:
    """Runs that wait to be taken, and for how long the oldest has."""
    waiting, seconds = _row(
        "SELECT count(*), coalesce(extract(epoch FROM now() - min(started_at)), 0) FROM ("
        " SELECT started_at FROM workflows_execution WHERE status = 'PENDING' LIMIT 100000) line"
    )
    status = _level(float(seconds), LINE_SECONDS)
    advice = (
        "Start more workers, or look for a customer's flood in the list of runs." if status != GOOD else ""
    )
    return [Finding("runs in line", status, f"{waiting}, the oldest for {float(seconds):.0f} s", advice)]


def overdue() -> list[Finding]:
    """Unfinished runs past their deadline: there must be none."""
    (count,) = _row(
        "SELECT count(*) FROM workflows_execution WHERE status IN ('PENDING', 'RUNNING', 'WAITING')"
        " AND deadline_at < now() - interval '1 minute'"
    )
    if not count:
        return [Finding("overdue runs", GOOD, "none")]
    return [
        Finding("overdue runs", BAD, str(count), "A promise is broken: see the workers' logs, and tell us.")
    ]


def jobs_of_the_queue() -> list[Finding]:
    """Background jobs that are due and not done."""
    due, failed = _row(
        "SELECT count(*) FILTER (WHERE status = 'todo'"
        " AND coalesce(scheduled_at, now()) < now() - interval '1 minute'),"
        " count(*) FILTER (WHERE status = 'failed') FROM procrastinate_jobs"
    )
    late = _level(due, (100, 10_000))
    return [
        Finding(
            "background jobs",
            WARNING if late == GOOD and failed > 100 else late,
            f"{due} late, {failed} failed",
            ""
            if late == GOOD and failed <= 100
            else "Look at the failed jobs in the admin; start more workers.",
        )
    ]


def connections() -> list[Finding]:
    """Connections in use, of those the server allows."""
    used, allowed = _row(
        "SELECT sum(numbackends)::int, current_setting('max_connections')::int FROM pg_stat_database"
    )
    status = _level(used / allowed, CONNECTION_SHARE)
    advice = "Lower DATABASE_POOL_SIZE, or put PgBouncer in front." if status != GOOD else ""
    return [Finding("connections", status, f"{used} of {allowed}", advice)]


def replicas() -> list[Finding]:
    """How far streaming replicas are behind, in seconds."""
    rows = _rows(
        "SELECT coalesce(nullif(application_name, ''), client_addr::text, 'replica'),"
        " coalesce(extract(epoch FROM replay_lag), 0) FROM pg_stat_replication"
    )
    return [
        Finding(
            f"replica {name}",
            _level(float(lag), LAG_SECONDS),
            f"{float(lag):.1f} s behind",
            "Reads may be old: look at its disk and network." if float(lag) > LAG_SECONDS[0] else "",
        )
        for name, lag in rows
    ]


def tables() -> list[Finding]:
    """The largest tables with all their partitions and indexes, and dead rows that wait for the vacuum."""
    rows = _rows(
        "SELECT coalesce(p.relname, c.relname) AS name, sum(pg_total_relation_size(c.oid)),"
        " coalesce(sum(s.n_dead_tup), 0), coalesce(sum(s.n_live_tup), 0)"
        " FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class p ON p.oid = i.inhparent"
        " LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid"
        " WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace GROUP BY 1 ORDER BY 2 DESC LIMIT 8"
    )
    found = []
    for name, size, dead, live in rows:
        megabytes = float(size) / 1e6
        is_bloated = dead > 100_000 and dead > live
        advice = (
            "More dead rows than live ones: is something holding an old transaction open?"
            if is_bloated
            else ""
        )
        found.append(
            Finding(
                f"table {name}",
                WARNING if is_bloated else GOOD,
                f"{megabytes:,.1f} MB, {dead:,} dead rows",
                advice,
            )
        )
    return found


def slow_statements() -> list[Finding]:
    """Our own statements that take longest on average, where pg_stat_statements is there."""
    if not _row("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_stat_statements')")[0]:
        return [
            Finding(
                "slow statements", WARNING, "unknown", "Add pg_stat_statements to shared_preload_libraries."
            )
        ]
    rows = _rows(
        "SELECT left(regexp_replace(query, '\\s+', ' ', 'g'), 120), mean_exec_time, calls FROM pg_stat_statements"
        " WHERE calls >= 20 AND mean_exec_time > %s"
        " AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " ORDER BY mean_exec_time DESC LIMIT 5",
        [SLOW_MILLISECONDS],
    )
    if not rows:
        return [Finding("slow statements", GOOD, f"none over {SLOW_MILLISECONDS:.0f} ms on average")]
    return [
        Finding(
            "slow statement", WARNING, f"{mean:.0f} ms × {calls}: {query}", "Tell us, with EXPLAIN (ANALYZE)."
        )
        for query, mean, calls in rows
    ]


def cron() -> list[Finding]:
    """The last result of each maintenance job."""
    found, now = [], timezone.now()
    last = {row.job: row for row in CronRun.objects.order_by("job", "-id").distinct("job")}
    for job in JOBS:
        row = last.get(job.name)
        if row is None:
            found.append(Finding(f"job {job.name}", GOOD, "has not run yet"))
        elif not row.is_success:
            found.append(
                Finding(f"job {job.name}", BAD, row.detail[:200], "It is tried again at its next time.")
            )
        elif now - row.finished_at > JOB_LATE:
            advice = "Nothing runs the maintenance list: start a worker, or `manage.py crontab add`."
            found.append(
                Finding(f"job {job.name}", WARNING, f"last ran {row.finished_at:%Y-%m-%d %H:%M}", advice)
            )
        else:
            found.append(Finding(f"job {job.name}", GOOD, f"{row.finished_at:%H:%M}: {row.detail[:120]}"))
    return found


def disk() -> list[Finding]:
    """Room where this process keeps its data."""
    usage = shutil.disk_usage(settings.DATA_FOLDER if settings.DATA_FOLDER.exists() else settings.BASE_DIR)
    share = usage.free / usage.total
    status = GOOD if share > DISK_SHARE_FREE[0] else WARNING if share > DISK_SHARE_FREE[1] else BAD
    advice = (
        "Make room before the database stops: shorten retention, or grow the disk." if status != GOOD else ""
    )
    return [Finding("disk", status, f"{usage.free / 1e9:,.1f} GB free ({share:.0%})", advice)]


def backups() -> list[Finding]:
    """The age of the newest nightly backup."""
    if settings.BACKUP_FOLDER is None:
        advice = "Set BACKUP_FOLDER and BACKUP_PASSPHRASE, unless the host backs the database up."
        return [
            Finding("backup", GOOD if settings.DEBUG else WARNING, "off", "" if settings.DEBUG else advice)
        ]
    files = kept(settings.BACKUP_FOLDER)
    if not files:
        return [Finding("backup", BAD, "none yet", "Run `manage.py backup`, and look at the job `backup`.")]
    age = datetime.now(UTC) - datetime.fromtimestamp(files[-1].stat().st_mtime, UTC)
    status = GOOD if age < BACKUP_AGE[0] else WARNING if age < BACKUP_AGE[1] else BAD
    advice = "Look at what the job `backup` says." if status != GOOD else ""
    return [Finding("backup", status, f"{files[-1].name}, {age.total_seconds() / 3600:.0f} h old", advice)]


def _guarded(look: Callable[[], list[Finding]]) -> list[Finding]:
    """Return what a look finds; one that fails is a finding itself and hides no other."""
    try:
        with transaction.atomic():
            return look()
    except (DatabaseError, OSError) as error:
        return [Finding(look.__name__.replace("_", " "), WARNING, "unknown", str(error).splitlines()[0])]


def _level(value: float, limits: tuple[float, float]) -> str:
    return GOOD if value <= limits[0] else WARNING if value <= limits[1] else BAD


def _row(statement: str, parameters: Any = None) -> Any:
    return _rows(statement, parameters)[0]


def _rows(statement: str, parameters: Any = None) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())
