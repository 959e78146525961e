"""Pages: server time and queries of what a person opens, at 1,000,000 runs of 2,000 workflows in one organization."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection as django_connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.tenancy import organization_scope, system_scope
from tests.bench import stage as on
from tests.bench.companies import make_company
from workflows.models import Execution

RUNS = int(os.environ.get("BENCH_RUNS", "1000000"))
WORKFLOWS = int(os.environ.get("BENCH_WORKFLOWS", "2000"))
DAYS = 28
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "40"))
# Statements that hold no data: they open and close the page's transaction and its scope.
FRAME = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "WITH before AS MATERIALIZED")
LISTS = {
    "runs": "/runs/",
    "runs, failed": "/runs/?status=FAILED",
    "workflows": "/workflows/",
    "workflows, active": "/workflows/?status=ACTIVE",
    "approvals": "/approvals/",
}
OTHERS = {
    "dashboard": "/",
    "templates": "/templates/",
    "integrations": "/integrations/",
    "team": "/team/",
    "billing": "/billing/",
    "settings": "/settings/",
    "help": "/help/",
}

_STAMP = "%(start)s::timestamptz + n * (%(span)s::interval / %(runs)s)"
# UUIDv7 keys carry the moment in milliseconds; the rest is the number, so that no two are equal.
_ID = f"""overlay(steward_first_uuid7({_STAMP})::text placing lpad(to_hex(n), 12, '0') from 25)::uuid"""
WORKFLOW_FILL = """
INSERT INTO workflows_workflow ({columns})
SELECT {copied} FROM workflows_workflow workflow, generate_series(2, %(workflows)s) n WHERE workflow.id = %(workflow)s
"""
RUN_FILL = f"""
INSERT INTO workflows_execution (id, organization_id, workflow_id, version_id, status, result, started_at,
  completed_at, duration_ms, deadline_at, input, output)
SELECT {_ID}, %(org)s, places[1 + n %% array_length(places, 1)], %(version)s,
  CASE WHEN n %% 50 = 0 THEN 'FAILED' ELSE 'COMPLETED' END, CASE WHEN n %% 50 = 0 THEN 'FAILURE' ELSE 'SUCCESS' END,
  {_STAMP}, {_STAMP}, 12, {_STAMP}, jsonb_build_object('order', n), jsonb_build_object('order', n)
FROM generate_series(1, %(runs)s) n, (SELECT array_agg(id) AS places FROM workflows_workflow) w
"""  # noqa: S608


def run() -> dict[str, Any]:
    """Return the figures. pages: title -> times in ms and queries. p95_ms: of the slowest list."""
    now = datetime.now(UTC)
    with on.stage() as stage:
        company = make_company("Alder")
        _fill(stage, company, now)
        client, paths = Client(), LISTS | OTHERS
        with system_scope("benchmark"):
            client.force_login(User.objects.get(email="alder@example.com"))
            newest = Execution.objects.order_by("-id").values_list("pk", flat=True)[0]
        with organization_scope(company[0].pk):
            middle = _middle(now)
        paths |= {
            "runs, far down": f"/runs/?before={middle}",
            "one run": f"/runs/{newest}/",
            "one workflow": f"/workflows/{company[1].pk}/",
        }
        client.get("/help/")  # templates of the frame are compiled once per process, not once per page
        pages = {title: _measured(client, path) for title, path in paths.items()}
    lists = [figures for title, figures in pages.items() if title in LISTS or "far down" in title]
    return on.figures(
        "pages",
        settings=f"{RUNS} runs, {WORKFLOWS} workflows, {on.settings_text()}",
        p50_ms=max(figures["p50_ms"] for figures in lists),
        p95_ms=max(figures["p95_ms"] for figures in lists),
        p99_ms=max(figures["p99_ms"] for figures in lists),
        cold_ms=max(figures["cold_ms"] for figures in pages.values()),
        list_queries=max(figures["queries"] for figures in lists),
        pages=pages,
    )


def _middle(now: datetime) -> UUID:
    halfway = now - timedelta(days=DAYS / 2)
    with django_connection.cursor() as cursor:
        cursor.execute("SELECT steward_first_uuid7(%s)", [halfway])
        row = cursor.fetchone()
    return row[0]


def _fill(stage: on.Stage, company: tuple[Any, Any, Any], now: datetime) -> None:
    organization, workflow, version = company
    start = now - timedelta(days=DAYS)
    values = {
        "org": organization.pk,
        "workflow": workflow.pk,
        "version": version.pk,
        "start": start,
        "span": timedelta(days=DAYS),
        "runs": RUNS,
        "workflows": WORKFLOWS,
    }
    began = time.perf_counter()
    with stage.connect() as connection:
        connection.execute("SELECT steward_ensure_partitions(%s, %s)", [start.date(), now.date()])
        connection.execute("SET session_replication_role = replica")
        connection.execute(_workflow_fill(connection), values)
        connection.execute(RUN_FILL, values)
        connection.execute("SET session_replication_role = origin")
        connection.execute("VACUUM ANALYZE workflows_execution")
        connection.execute("VACUUM ANALYZE workflows_workflow")
    on.say(f"{RUNS} runs of {WORKFLOWS} workflows written in {time.perf_counter() - began:.0f} s")


def _workflow_fill(connection: psycopg.Connection[Any]) -> Any:
    """Return the statement that copies the first workflow; columns that PostgreSQL computes are left to it."""
    columns = [
        name
        for (name,) in connection.execute(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_name = 'workflows_workflow' AND is_generated = 'NEVER' ORDER BY ordinal_position"
        )
    ]
    own = {"id": "gen_random_uuid()", "name": "'Work ' || n"}
    return WORKFLOW_FILL.format(
        columns=", ".join(columns), copied=", ".join(own.get(name, f"workflow.{name}") for name in columns)
    )


def _measured(client: Client, path: str) -> dict[str, Any]:
    began = time.perf_counter()
    answer = client.get(path)
    cold = time.perf_counter() - began
    assert answer.status_code == 200, f"{path} answers {answer.status_code}"
    with CaptureQueriesContext(django_connection) as asked:
        client.get(path)
    texts = [query["sql"] for query in asked.captured_queries]
    durations = []
    worked = time.process_time()
    for _round in range(ROUNDS):
        began = time.perf_counter()
        client.get(path)
        durations.append(time.perf_counter() - began)
    worked = time.process_time() - worked
    figures = {name: round(value, 1) for name, value in on.percentiles(durations).items()}
    found = figures | {
        "cold_ms": round(1000 * cold, 1),
        "cpu_ms": round(
            1000 * worked / ROUNDS, 1
        ),  # of our process alone; other work on the machine adds none
        "queries": sum(not text.startswith(FRAME) for text in texts),
        "statements": len(texts),
    }
    on.say(f"{path[:40]:40} {found}")
    if os.environ.get("BENCH_SLOW"):
        for query in sorted(asked.captured_queries, key=lambda query: -float(query["time"]))[:3]:
            on.say(f"    {query['time']} s  {query['sql'][:1500]}")
    return found
