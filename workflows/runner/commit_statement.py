"""One commit as one statement: what a batch of runs wants written, for those that still hold their fencing token."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from accounts.tenancy import uuid7
from workflows.runner import dry_run
from workflows.runner.journal import RunJournal
from workflows.runner.store import compact, json_rows
from workflows.runner.wake import NOTIFY_WOKEN


@dataclass(slots=True)
class End:
    """How a walk ended. status: terminal, or WAITING. questions: approval rows to ask people, as JSON objects.

    notice: arguments of the job that tells people about a failure, or None; notice_at: not before then.
    """

    status: str
    result: str = "PENDING"
    output_json: str = "null"
    error: Any = None
    wake_at: datetime | None = None
    waiting_for: Any = None
    questions: Sequence[Any] = ()
    notice: Any = None
    notice_at: datetime | None = None

    @property
    def is_final(self) -> bool:
        return self.status != "WAITING"


@dataclass(slots=True)
class Entry:
    """What one run wants written by the next commit."""

    journal: RunJournal
    records: dict[tuple[str, int], str] = field(default_factory=dict)
    lines: list[Any] = field(default_factory=list)
    usage: dict[str, int] = field(default_factory=dict)
    end: End | None = None
    response: str | None = None
    futures: list[asyncio.Future[None]] = field(default_factory=list)


# A run that was woken while it was walked (wake_at is set then, and only then) is due again at once.
ENDING = """ending AS (
  UPDATE workflows_execution e
  SET status = n.st, result = n.r, output = n.o, error = n.er, waiting_for = n.wf, worker_id = NULL,
    wake_at = CASE WHEN n.st <> 'WAITING' THEN NULL WHEN e.cancel_requested_at IS NOT NULL THEN now()
      ELSE least(e.wake_at, n.w) END,
    completed_at = CASE WHEN n.st <> 'WAITING' THEN now() END,
    duration_ms = CASE WHEN n.st <> 'WAITING' THEN extract(epoch FROM now() - e.started_at) * 1000 END,
    tokens = e.tokens + n.tk, cost_usd = e.cost_usd + n.c
  FROM jsonb_to_recordset(%(ends)s::jsonb) AS n(
    i uuid, f int, st text, r text, o jsonb, er jsonb, w timestamptz, wf jsonb, tk bigint, c numeric)
  WHERE e.id = n.i AND e.attempt = n.f AND e.status = 'RUNNING'
  RETURNING e.id, e.organization_id, e.workflow_id)"""

HOLDING = """holding AS MATERIALIZED (
  SELECT e.id, e.organization_id, e.workflow_id
  FROM jsonb_to_recordset(%(holds)s::jsonb) AS n(i uuid, f int)
  JOIN workflows_execution e ON e.id = n.i AND e.attempt = n.f AND e.status = 'RUNNING'
  FOR SHARE OF e)"""

STEPS = """steps AS (
  INSERT INTO workflows_executionstep (id, organization_id, execution_id, path, step_id, step_type, attempt, fence,
    status, input, output, error, effect, effect_state, idempotency_key, recorded, started_at, finished_at, duration_ms,
    tokens, cost_usd)
  SELECT n.id, v.organization_id, v.id, n.p, n.s, n.t, n.a, n.f, n.st, n.i, n.o, n.er, n.ef, n.es, n.k, n.r, n.b, n.d,
    n.m, n.tk, n.c
  FROM jsonb_to_recordset(%(steps)s::jsonb) AS n(
    e uuid, id uuid, p text, s text, t text, a int, f int, st text, i jsonb, o jsonb, er jsonb, ef text, es text,
    k text, r jsonb, b timestamptz, d timestamptz, m bigint, tk bigint, c numeric)
  JOIN valid v ON v.id = n.e
  ON CONFLICT (execution_id, path, attempt) DO UPDATE SET
    fence = excluded.fence, status = excluded.status, input = coalesce(excluded.input, workflows_executionstep.input),
    output = excluded.output, error = excluded.error, effect = excluded.effect, effect_state = excluded.effect_state,
    idempotency_key = excluded.idempotency_key, recorded = excluded.recorded, finished_at = excluded.finished_at,
    duration_ms = excluded.duration_ms, tokens = excluded.tokens, cost_usd = excluded.cost_usd)"""

LINES = """lines AS (
  INSERT INTO workflows_executionlog (id, organization_id, execution_id, level, step_id, message, metadata, timestamp)
  SELECT n.id, v.organization_id, v.id, n.l, n.s, n.m, n.d, n.at
  FROM jsonb_to_recordset(%(lines)s::jsonb) AS n(
    e uuid, id uuid, l text, s text, m text, d jsonb, at timestamptz)
  JOIN valid v ON v.id = n.e)"""

USAGE = """used AS (
  INSERT INTO billing_usageentry (id, organization_id, metric, quantity, cost_usd, workflow_id, execution_id)
  SELECT n.id, v.organization_id, n.m, n.q, n.c, v.workflow_id, v.id
  FROM jsonb_to_recordset(%(usage)s::jsonb) AS n(e uuid, id uuid, m text, q bigint, c numeric)
  JOIN valid v ON v.id = n.e)"""

QUESTIONS = """questions AS (
  INSERT INTO workflows_approval (id, organization_id, execution_id, path, kind, status, title, message, shown,
    assignees, required, content_hash, on_deadline, created_at)
  SELECT n.id, v.organization_id, v.id, n.p, 'UNCERTAIN_EFFECT', 'PENDING', n.t, n.m, n.sh, n.who, 1, '', 'fail', now()
  FROM jsonb_to_recordset(%(questions)s::jsonb) AS n(e uuid, id uuid, p text, t text, m text, sh jsonb, who jsonb)
  JOIN valid v ON v.id = n.e
  ON CONFLICT (execution_id, path, kind) DO UPDATE SET
    status = 'PENDING', answer = NULL, decided_at = NULL, title = excluded.title, message = excluded.message,
    shown = excluded.shown
  WHERE workflows_approval.shown -> 'attempt' IS DISTINCT FROM excluded.shown -> 'attempt')"""

NOTICES = """notices AS MATERIALIZED (
  SELECT procrastinate_defer_jobs_v1(array_agg(
    ROW('default', 'workflows.tasks.run_failed', 0, NULL, NULL, n.a, n.at)::procrastinate_job_to_defer_v1))
  FROM jsonb_to_recordset(%(notices)s::jsonb) AS n(e uuid, a jsonb, at timestamptz) JOIN valid v ON v.id = n.e)"""

# The first respond step wins. In the same transaction, so that whoever hears of it finds it.
RESPONSES = """
UPDATE workflows_execution e SET response = n.a
FROM jsonb_to_recordset(%(responses)s::jsonb) AS n(i uuid, f int, a jsonb)
WHERE e.id = n.i AND e.attempt = n.f AND e.status = 'RUNNING' AND e.response IS NULL
"""
# Someone who hears of nothing new looks, finds nothing new and goes on waiting: no need to check the token here.
CALLS = """
SELECT count(pg_notify(n.c, n.i)) FROM jsonb_to_recordset(%(calls)s::jsonb) AS n(c text, i text)
"""
PARENTS = """
UPDATE workflows_execution SET wake_at = now() WHERE id = ANY(%(parents)s) AND status IN ('WAITING', 'RUNNING')
"""
# Runs that this one waited for and that nobody waits for any more; one that was only started goes on.
ORPHANS = """
UPDATE workflows_execution c SET cancel_requested_at = coalesce(c.cancel_requested_at, now()),
  wake_at = CASE c.status WHEN 'WAITING' THEN now() ELSE c.wake_at END
WHERE c.parent_id = ANY(%(settled)s) AND c.relation = 'CHILD' AND c.status IN ('PENDING', 'RUNNING', 'WAITING')
  AND EXISTS (SELECT FROM workflows_executionstep s WHERE s.execution_id = c.parent_id AND s.path = c.parent_path
    AND s.status = 'WAITING' AND s.recorded ->> 'key' = c.id::text)
  AND EXISTS (SELECT FROM workflows_execution p WHERE p.id = c.parent_id AND p.completed_at IS NOT NULL)
"""
CANCELLED_QUESTIONS = """
UPDATE workflows_approval SET status = 'CANCELLED', decided_at = now()
WHERE execution_id = ANY(%(settled)s) AND status = 'PENDING'
"""


async def write(connection: psycopg.AsyncConnection[Any], batch: Sequence[Entry]) -> set[UUID]:
    """Write a batch in one transaction; return the ids of the runs whose fencing token was still good."""
    statement, parameters, before, after = _statement(batch)
    if not before and not after:
        cursor = await connection.execute(statement, parameters)
        return {row[0] for row in await cursor.fetchall()}
    async with connection.pipeline():
        await connection.execute("BEGIN")
        for text in before:
            await connection.execute(text, parameters)
        cursor = await connection.execute(statement, parameters)
        for text in after:
            await connection.execute(text, parameters)
        await connection.execute("COMMIT")
        return {row[0] for row in await cursor.fetchall()}


def _statement(batch: Sequence[Entry]) -> tuple[str, dict[str, Any], list[str], list[str]]:
    """Return (statement, parameters of all, statements to run before it, and after it)."""
    rows: dict[str, list[str]] = {}
    parents: list[UUID] = []
    settled: list[UUID] = []
    for entry in batch:
        claim, end = entry.journal.claim, entry.end
        if end is None:
            _add(rows, "holds", f'{{"i":"{claim.id}","f":{claim.attempt}}}')
        else:
            _add(rows, "ends", _end_row(entry, end))
            if end.is_final:
                if claim.mode != dry_run.MODE:
                    _add(rows, "usage", _usage_row(claim.id, "WORKFLOW_EXECUTIONS", 1))
                if claim.relation == "CHILD" and claim.parent_id:
                    parents.append(claim.parent_id)
                if claim.attempt > 1 or entry.journal.waiting:
                    settled.append(claim.id)
                if end.notice is not None:
                    told = f'"a":{compact(end.notice)},"at":{_instant(end.notice_at)}'
                    _add(rows, "notices", f'{{"e":"{claim.id}",{told}}}')
            for question in end.questions:
                _add(rows, "questions", compact({"e": claim.id, "id": uuid7(), **question}))
        if entry.records:
            rows.setdefault("steps", []).extend(entry.records.values())
        for level, path, message, metadata, at in entry.lines:
            _add(
                rows, "lines",
                f'{{"e":"{claim.id}","id":"{uuid7()}","l":"{level}","s":{compact(path)},"m":{compact(message)},'
                f'"d":{compact(metadata)},"at":"{at.isoformat()}"}}',
            )  # fmt: skip
        for metric, quantity in entry.usage.items():
            _add(rows, "usage", _usage_row(claim.id, metric, quantity))
        if entry.response is not None:
            _add(rows, "responses", f'{{"i":"{claim.id}","f":{claim.attempt},"a":{entry.response}}}')
        if claim.reply_to and (entry.response is not None or (end is not None and end.is_final)):
            _add(rows, "calls", f'{{"c":{compact(claim.reply_to)},"i":"{claim.id}"}}')
    parameters: dict[str, Any] = {name: json_rows(found) for name, found in rows.items()}
    parameters |= {"parents": parents, "settled": settled}
    return (
        _text(frozenset(rows)),
        parameters,
        [RESPONSES] if "responses" in rows else [],
        [
            text
            for text, wanted in (
                (PARENTS, parents),
                (CANCELLED_QUESTIONS, settled),
                (ORPHANS, settled),
                (CALLS, rows.get("calls")),
            )
            if wanted
        ]
        + ([NOTIFY_WOKEN] if parents else []),
    )


def _text(parts: frozenset[str]) -> str:
    tables = {"steps": STEPS, "lines": LINES, "usage": USAGE, "questions": QUESTIONS, "notices": NOTICES}
    sources = [name for name, key in (("ending", "ends"), ("holding", "holds")) if key in parts]
    clauses = [ENDING] if "ends" in parts else []
    if "holds" in parts:
        clauses.append(HOLDING)
    union = " UNION ALL ".join(f"SELECT id, organization_id, workflow_id FROM {name}" for name in sources)  # noqa: S608
    clauses.append(f"valid AS MATERIALIZED ({union})")
    clauses += [text for name, text in tables.items() if name in parts]
    # A clause that only calls a function is run because it is read here.
    told = "(SELECT count(*) FROM notices)" if "notices" in parts else "0"
    return f"WITH {', '.join(clauses)} SELECT id, {told} FROM valid"  # noqa: S608


def _instant(value: datetime | None) -> str:
    return "null" if value is None else f'"{value.isoformat()}"'


def _end_row(entry: Entry, end: End) -> str:
    journal = entry.journal
    wake = _instant(end.wake_at)
    return (
        f'{{"i":"{journal.claim.id}","f":{journal.claim.attempt},"st":"{end.status}","r":"{end.result}",'
        f'"o":{end.output_json},"er":{compact(end.error)},"w":{wake},"wf":{compact(end.waiting_for)},'
        f'"tk":{journal.tokens},"c":{journal.cost_usd}}}'
    )


def _usage_row(execution_id: UUID, metric: str, quantity: int) -> str:
    return f'{{"e":"{execution_id}","id":"{uuid7()}","m":"{metric}","q":{quantity},"c":0}}'


def _add(rows: dict[str, list[str]], name: str, row: str) -> None:
    rows.setdefault(name, []).append(row)
