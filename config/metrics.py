"""Figures for Prometheus, read from the database when asked: the same whichever process answers, and after a restart.

Counts are of the last five minutes (`_5m`), because runs leave with their month: no counter could only grow.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric

from accounts.tenancy import first_uuid7, system_scope

WINDOW = timedelta(minutes=5)
# name -> (help, label names, SQL that yields (label values..., figure); %(since)s and %(first)s bound it)
QUERIES: dict[str, tuple[str, tuple[str, ...], str]] = {
    "steward_runs": (
        "Unfinished runs by status",
        ("status",),
        "SELECT status, count(*) FROM workflows_execution WHERE status IN ('PENDING', 'RUNNING', 'WAITING') GROUP BY 1",
    ),
    "steward_queue_age_seconds": (
        "How long the oldest run has waited to be taken",
        (),
        (
            "SELECT coalesce(extract(epoch FROM now() - min(started_at)), 0) FROM workflows_execution"
            " WHERE status = 'PENDING' AND wake_at IS NULL"
        ),
    ),
    "steward_runs_overdue": (
        "Unfinished runs more than a minute past their deadline",
        (),
        (
            "SELECT count(*) FROM workflows_execution WHERE status IN ('PENDING', 'RUNNING', 'WAITING')"
            " AND deadline_at < now() - interval '1 minute'"
        ),
    ),
    "steward_runs_finished_5m": (
        "Runs of the last five minutes that have ended, by result",
        ("result",),
        (
            "SELECT result, count(*) FROM workflows_execution"
            " WHERE id >= %(first)s AND completed_at IS NOT NULL GROUP BY 1"
        ),
    ),
    "steward_wait_seconds_5m": (
        "From accepted to taken, of the runs of the last five minutes",
        ("quantile",),
        (
            "SELECT q::text, coalesce(percentile_cont(q) WITHIN GROUP"
            " (ORDER BY greatest(0, extract(epoch FROM claimed_at - started_at))), 0)"
            " FROM workflows_execution, unnest(ARRAY[0.5, 0.95, 0.99]) q"
            " WHERE id >= %(first)s AND claimed_at IS NOT NULL AND attempt = 1 GROUP BY q"
        ),
    ),
    "steward_work_seconds_5m": (
        "From taken to finished, of the runs of the last five minutes",
        ("quantile",),
        (
            "SELECT q::text, coalesce(percentile_cont(q) WITHIN GROUP"
            " (ORDER BY greatest(0, extract(epoch FROM completed_at - claimed_at))), 0)"
            " FROM workflows_execution, unnest(ARRAY[0.5, 0.95, 0.99]) q"
            " WHERE id >= %(first)s AND completed_at IS NOT NULL AND claimed_at IS NOT NULL GROUP BY q"
        ),
    ),
    "steward_failures_5m": (
        "Failed runs of the last five minutes by class of error",
        ("class",),
        (
            "SELECT coalesce(error->>'class', 'unknown'), count(*) FROM workflows_execution"
            " WHERE id >= %(first)s AND result = 'FAILURE' GROUP BY 1"
        ),
    ),
    "steward_webhooks_5m": (
        "Deliveries of the last five minutes by verdict",
        ("verdict",),
        "SELECT verdict, count(*) FROM workflows_webhookdelivery WHERE id >= %(first)s GROUP BY 1",
    ),
    "steward_usage_5m": (
        "What was metered in the last five minutes",
        ("metric",),
        "SELECT metric, sum(quantity) FROM billing_usageentry WHERE id >= %(first)s GROUP BY 1",
    ),
    "steward_ai_cost_usd_5m": (
        "What AI cost in the last five minutes",
        (),
        "SELECT coalesce(sum(cost_usd), 0) FROM billing_usageentry WHERE id >= %(first)s",
    ),
    "steward_workers": (
        "Workers whose heart beats",
        (),
        "SELECT count(*) FROM workflows_worker WHERE heartbeat_at > now() - interval '30 seconds'",
    ),
    "steward_jobs": (
        "Background jobs by status",
        ("status",),
        "SELECT status::text, count(*) FROM procrastinate_jobs WHERE status <> 'succeeded' GROUP BY 1",
    ),
    "steward_approvals_open": (
        "Questions that wait for a person",
        (),
        "SELECT count(*) FROM workflows_approval WHERE status = 'PENDING'",
    ),
    "steward_database_connections": (
        "Connections to the PostgreSQL server",
        (),
        "SELECT sum(numbackends) FROM pg_stat_database",
    ),
    "steward_database_bytes": ("Size of the database", (), "SELECT pg_database_size(current_database())"),
    "steward_replication_lag_seconds": (
        "How far the slowest replica is behind",
        (),
        "SELECT coalesce(max(extract(epoch FROM replay_lag)), 0) FROM pg_stat_replication",
    ),
    "steward_job_last_success_timestamp": (
        "When each maintenance job last succeeded, Unix seconds",
        ("job",),
        "SELECT job, extract(epoch FROM max(finished_at)) FROM config_cronrun WHERE is_success GROUP BY 1",
    ),
}


class DatabaseCollector:
    """What prometheus-client asks for the figures; each query reads its own short range."""

    def collect(self) -> Iterator[Metric]:
        since = timezone.now() - WINDOW
        bounds: dict[str, Any] = {"since": since, "first": first_uuid7(since)}
        with system_scope("read the metrics"), connection.cursor() as cursor:
            for name, (documentation, labels, statement) in QUERIES.items():
                cursor.execute(statement, bounds)
                yield _gauge(name, documentation, labels, cursor.fetchall())


def _gauge(name: str, documentation: str, labels: tuple[str, ...], rows: list[Any]) -> Metric:
    gauge = GaugeMetricFamily(name, documentation, labels=list(labels))
    for *values, figure in rows:
        gauge.add_metric([str(value) for value in values], float(figure))
    return gauge
