"""The SQL of the hot path: claiming, committing and ending runs. Everything else uses the ORM.

Statements run in the system role on the worker's own connections (see connections.py). JSON goes over as one text
parameter per table: reading it costs PostgreSQL less than hundreds of arrays cost Python.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row, dict_row

from accounts.tenancy import uuid7
from workflows.definition.wording import gettext as _
from workflows.runner import limits

CLAIM_LOCK = 0x57E3A4D1  # advisory: one claim at a time, so that no cap is passed by two workers at once
NO_ORGANIZATION = UUID(int=0)


@dataclass(slots=True)
class Claim:
    """One run that this worker now holds, as its row says. attempt is the fencing token."""

    id: UUID
    organization_id: UUID
    workflow_id: UUID
    version_id: UUID | None
    attempt: int
    mode: str
    input: Any
    triggered_by: str
    trigger_key: str
    started_at: datetime
    deadline_at: datetime
    depth: int
    cancel_requested_at: datetime | None
    reply_to: str
    draft_definition: Any
    parent_id: UUID | None
    relation: str

    @property
    def has_journal(self) -> bool:
        return self.attempt > 1 or self.relation in ("RESUME", "FORK")


# Each queue (what one organization's one workflow has pending) is found by one index probe, so a long queue costs no
# more than a short one. Rows are then taken in turn: first by workflow inside an organization, then by organization.
CLAIM = """
WITH RECURSIVE queues AS (
  (SELECT organization_id, workflow_id FROM workflows_execution
   WHERE status = 'PENDING' AND organization_id > %(after)s
   ORDER BY organization_id, workflow_id LIMIT 1)
  UNION ALL
  SELECT following.organization_id, following.workflow_id FROM queues CROSS JOIN LATERAL (
    SELECT organization_id, workflow_id FROM workflows_execution e
    WHERE e.status = 'PENDING' AND (e.organization_id, e.workflow_id) > (queues.organization_id, queues.workflow_id)
    ORDER BY e.organization_id, e.workflow_id LIMIT 1) following
), running AS MATERIALIZED (
  SELECT organization_id, workflow_id, count(*) AS runs FROM workflows_execution
  WHERE status = 'RUNNING' GROUP BY organization_id, workflow_id
), busy AS MATERIALIZED (
  SELECT organization_id, sum(runs) AS runs FROM running GROUP BY organization_id
), room AS MATERIALIZED (
  SELECT q.organization_id, q.workflow_id,
    least(%(slots)s, coalesce(v.concurrency, 10) - coalesce(r.runs, 0)) AS of_workflow,
    coalesce((%(caps)s::jsonb ->> o.plan)::int, 10) - coalesce(b.runs, 0) AS of_organization
  FROM (SELECT * FROM queues LIMIT %(queues)s) q
  JOIN accounts_organization o ON o.id = q.organization_id
  JOIN workflows_workflow w ON w.id = q.workflow_id
  LEFT JOIN workflows_workflowversion v ON v.id = w.published_version_id
  LEFT JOIN running r ON r.organization_id = q.organization_id AND r.workflow_id = q.workflow_id
  LEFT JOIN busy b ON b.organization_id = q.organization_id
), candidates AS (
  SELECT e.id, e.priority, room.organization_id, room.of_organization,
    row_number() OVER (PARTITION BY room.organization_id, room.workflow_id ORDER BY e.priority, e.id) AS turn
  FROM room CROSS JOIN LATERAL (
    SELECT id, priority FROM workflows_execution
    WHERE status = 'PENDING' AND organization_id = room.organization_id AND workflow_id = room.workflow_id
    ORDER BY priority, id LIMIT greatest(0, least(room.of_workflow, room.of_organization))) e
), ranked AS (
  SELECT id, organization_id, of_organization,
    row_number() OVER (PARTITION BY organization_id ORDER BY priority, turn, id) AS turn
  FROM candidates
), chosen AS MATERIALIZED (
  SELECT id FROM ranked WHERE turn <= of_organization ORDER BY turn, organization_id LIMIT %(slots)s
), taken AS MATERIALIZED (
  SELECT e.id FROM chosen JOIN workflows_execution e ON e.id = chosen.id
  WHERE e.status = 'PENDING' FOR NO KEY UPDATE OF e SKIP LOCKED
)
UPDATE workflows_execution e
SET status = 'RUNNING', attempt = e.attempt + 1, worker_id = %(worker)s, claimed_at = now(), wake_at = NULL,
  waiting_for = NULL
FROM taken WHERE e.id = taken.id AND e.status = 'PENDING'
RETURNING e.id, e.organization_id, e.workflow_id, e.version_id, e.attempt, e.mode, e.input, e.triggered_by,
  e.trigger_key, e.started_at, e.deadline_at, e.depth, e.cancel_requested_at, e.reply_to, e.draft_definition,
  e.parent_id, e.relation
"""


async def claim(
    connection: AsyncConnection[Any], *, worker: UUID, slots: int, caps: str, after: UUID = NO_ORGANIZATION
) -> tuple[list[Claim], bool]:
    """Take up to `slots` pending runs, organizations in turn beginning behind `after`.

    Return them, and whether others stay pending, because of a cap or for want of slots.
    caps: JSON object, plan code -> runs of one organization at once.
    """
    parameters = {
        "worker": worker, "slots": slots, "caps": caps, "after": after, "queues": limits.MAX_QUEUES_PER_CLAIM,
    }  # fmt: skip
    async with connection.pipeline():
        await connection.execute("BEGIN")
        await connection.execute(f"SELECT pg_advisory_xact_lock({CLAIM_LOCK})")
        cursor = connection.cursor(row_factory=class_row(Claim))
        await cursor.execute(CLAIM, parameters)
        rest = await connection.execute(
            "SELECT EXISTS (SELECT FROM workflows_execution WHERE status = 'PENDING')"
        )
        await connection.execute("COMMIT")
        row = await rest.fetchone()
        return await cursor.fetchall(), bool(row and row[0])


# One cheap question while nothing happens: is there anything to claim, to put back, to end?
LOOK = """
SELECT EXISTS (SELECT FROM workflows_execution WHERE status = 'PENDING'),
  EXISTS (SELECT FROM workflows_execution WHERE status = 'WAITING' AND wake_at <= now())
    OR EXISTS (SELECT FROM workflows_execution
      WHERE status IN ('PENDING', 'RUNNING', 'WAITING') AND deadline_at <= now()),
  ARRAY(SELECT id FROM workflows_execution WHERE status = 'RUNNING' AND cancel_requested_at IS NOT NULL)
"""

# Puts waiting runs whose time has come back into the queue, and ends the overdue ones that no worker is ending.
TEND = """
WITH due AS (
  SELECT id FROM workflows_execution WHERE status = 'WAITING' AND wake_at <= now()
  ORDER BY wake_at LIMIT %(due)s FOR NO KEY UPDATE SKIP LOCKED
), overdue AS (
  SELECT id FROM workflows_execution
  WHERE status IN ('PENDING', 'RUNNING', 'WAITING')
    AND deadline_at <= now() - CASE status WHEN 'RUNNING' THEN %(deadline_grace)s ELSE 0 END * interval '1 second'
  ORDER BY deadline_at LIMIT %(due)s FOR NO KEY UPDATE SKIP LOCKED
), again AS (
  UPDATE workflows_execution e SET status = 'PENDING', wake_at = NULL, worker_id = NULL
  FROM due WHERE e.id = due.id AND e.deadline_at > now() RETURNING e.id
), ended AS (
  UPDATE workflows_execution e
  SET status = 'TIMEOUT', result = 'FAILURE', worker_id = NULL, wake_at = NULL, completed_at = now(),
    duration_ms = extract(epoch FROM now() - e.started_at) * 1000, error = %(error)s::jsonb
  FROM overdue WHERE e.id = overdue.id RETURNING e.id
)
SELECT (SELECT count(*) FROM again), ARRAY(SELECT id FROM ended)
"""

# Runs whose worker is silent, and our own that we do not know of: the answer to a claim may have been lost on the way.
TAKE_BACK = """
WITH lost AS (
  SELECT e.id FROM workflows_execution e LEFT JOIN workflows_worker w ON w.id = e.worker_id
  WHERE e.status = 'RUNNING' AND (
    w.id IS NULL OR w.heartbeat_at < now() - %(stale)s * interval '1 second'
    OR (e.worker_id = %(worker)s AND NOT e.id = ANY(%(known)s)
        AND e.claimed_at < now() - %(stale)s * interval '1 second'))
  FOR NO KEY UPDATE OF e SKIP LOCKED
)
UPDATE workflows_execution e SET status = 'PENDING', worker_id = NULL FROM lost WHERE e.id = lost.id
RETURNING e.id
"""

# Ends runs whose cancel was asked for; a live worker is given `grace` seconds to do it itself.
CANCEL = """
WITH asked AS (
  SELECT e.id FROM workflows_execution e LEFT JOIN workflows_worker w ON w.id = e.worker_id
  WHERE e.id = ANY(%(ids)s) AND e.cancel_requested_at IS NOT NULL
    AND (e.status IN ('PENDING', 'WAITING') OR (e.status = 'RUNNING' AND (
      w.id IS NULL OR w.heartbeat_at < now() - %(stale)s * interval '1 second'
      OR e.cancel_requested_at <= now() - %(grace)s * interval '1 second')))
  FOR NO KEY UPDATE OF e
)
UPDATE workflows_execution e
SET status = 'CANCELLED', result = 'CANCELLED', worker_id = NULL, wake_at = NULL, completed_at = now(),
  duration_ms = extract(epoch FROM now() - e.started_at) * 1000
FROM asked WHERE e.id = asked.id RETURNING e.id
"""
# What follows from an end that no walk brought about, in the same transaction: see also commit_statement.
AFTER_END = """
WITH ended AS MATERIALIZED (
  SELECT id, organization_id, workflow_id, parent_id, relation, reply_to, status, waiting_for, mode
  FROM workflows_execution WHERE id = ANY(%(ids)s)
), questions AS (
  UPDATE workflows_approval a SET status = 'CANCELLED', decided_at = now()
  FROM ended WHERE a.execution_id = ended.id AND a.status = 'PENDING'
), parents AS (
  UPDATE workflows_execution p SET wake_at = now()
  FROM ended WHERE p.id = ended.parent_id AND ended.relation = 'CHILD' AND p.status IN ('WAITING', 'RUNNING')
), children AS (
  UPDATE workflows_execution c SET cancel_requested_at = coalesce(c.cancel_requested_at, now())
  FROM ended WHERE c.parent_id = ended.id AND c.relation = 'CHILD' AND c.status IN ('PENDING', 'WAITING', 'RUNNING')
    AND (ended.waiting_for @> jsonb_build_array(jsonb_build_object('kind', 'child', 'key', c.id::text))
      OR EXISTS (SELECT FROM workflows_executionstep s WHERE s.execution_id = ended.id AND s.path = c.parent_path
        AND s.status = 'WAITING' AND s.recorded ->> 'key' = c.id::text))
  RETURNING c.id
), used AS (
  INSERT INTO billing_usageentry (id, organization_id, metric, quantity, workflow_id, execution_id)
  SELECT new.id, organization_id, 'WORKFLOW_EXECUTIONS', 1, workflow_id, ended.id
  FROM ended JOIN unnest(%(ids)s::uuid[], %(entry_ids)s::uuid[]) AS new(execution_id, id)
    ON new.execution_id = ended.id
), lines AS (
  INSERT INTO workflows_executionlog (id, organization_id, execution_id, level, message)
  SELECT new.id, organization_id, ended.id, CASE status WHEN 'CANCELLED' THEN 'INFO' ELSE 'ERROR' END,
    CASE status WHEN 'CANCELLED' THEN %(cancelled)s ELSE %(timed_out)s END
  FROM ended JOIN unnest(%(ids)s::uuid[], %(line_ids)s::uuid[]) AS new(execution_id, id)
    ON new.execution_id = ended.id
)
SELECT ARRAY(SELECT id FROM children),
  (SELECT count(pg_notify(reply_to, id::text)) FROM ended WHERE reply_to <> ''),
  (SELECT procrastinate_defer_jobs_v1(array_agg(ROW('default', 'workflows.tasks.run_failed', 0, NULL, NULL,
      jsonb_build_object('organization_id', organization_id, 'execution_id', id), NULL)::procrastinate_job_to_defer_v1))
    FROM ended WHERE status = 'TIMEOUT' AND mode = 'LIVE' HAVING count(*) > 0),
  (SELECT count(pg_notify('steward_runs', 'woken')) FROM (SELECT FROM ended WHERE relation = 'CHILD' LIMIT 1) any_child)
"""

JOURNAL = """
SELECT DISTINCT ON (execution_id, path) execution_id, path, status, output, error, attempt, effect_state,
  idempotency_key, started_at, finished_at, recorded, CASE WHEN status IN ('RUNNING', 'WAITING') THEN input END AS input
FROM workflows_executionstep WHERE execution_id = ANY(%s)
ORDER BY execution_id, path, attempt DESC
"""

ANSWERS = """
SELECT execution_id, path, CASE kind WHEN 'UNCERTAIN_EFFECT' THEN 'uncertain_effect' ELSE 'approval' END AS kind,
  answer AS value, decided_at AS at, coalesce((shown ->> 'attempt')::int, 0) AS attempt
FROM workflows_approval WHERE execution_id = ANY(%(ids)s) AND answer IS NOT NULL AND kind <> 'TOOL_CALL'
UNION ALL
SELECT execution_id, path, 'wait', coalesce(body, 'null'), used_at, 0
FROM workflows_resumetoken WHERE execution_id = ANY(%(ids)s) AND used_at IS NOT NULL
UNION ALL
SELECT parent_id, parent_path, 'child', jsonb_build_object(
    'status', status, 'result', result, 'output', output, 'error', error), completed_at, 0
FROM workflows_execution
WHERE parent_id = ANY(%(ids)s) AND relation = 'CHILD' AND status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'TIMEOUT')
"""

# The first run of a chain of resumed ones: its id stands in the idempotency keys of all of them.
ROOTS = """
WITH RECURSIVE up AS (
  SELECT id AS run, id, parent_id, relation, 0 AS height FROM workflows_execution WHERE id = ANY(%s)
  UNION ALL
  SELECT up.run, p.id, p.parent_id, p.relation, up.height + 1 FROM up
  JOIN workflows_execution p ON p.id = up.parent_id WHERE up.relation = 'RESUME' AND up.height < 1000
)
SELECT DISTINCT ON (run) run, id FROM up ORDER BY run, height DESC
"""

VERSION = """
SELECT v.definition, w.id AS workflow_id, w.name AS workflow_name, o.id AS organization_id, o.name AS organization_name,
  o.timezone
FROM workflows_workflow w
JOIN accounts_organization o ON o.id = w.organization_id
LEFT JOIN workflows_workflowversion v ON v.id = %s
WHERE w.id = %s
"""

HEARTBEAT = """
INSERT INTO workflows_worker (id, host, pid, release, queues, running)
VALUES (%(id)s, %(host)s, %(pid)s, %(release)s, %(queues)s, %(running)s)
ON CONFLICT (id) DO UPDATE SET heartbeat_at = now(), running = excluded.running
"""

# Rows of workers that are gone for good; their runs have been taken back long before.
FORGET_WORKERS = "DELETE FROM workflows_worker WHERE heartbeat_at < now() - interval '1 hour'"

HAND_BACK = """
UPDATE workflows_execution SET status = 'PENDING', worker_id = NULL
WHERE status = 'RUNNING' AND worker_id = %(worker)s AND (%(ids)s::uuid[] IS NULL OR id = ANY(%(ids)s))
"""


async def end_what_must(
    connection: AsyncConnection[Any], asked_to_cancel: Sequence[UUID]
) -> tuple[int, list[UUID]]:
    """Put due runs into the queue, and end overdue and cancelled ones. Return (how many were due, who was ended)."""
    async with connection.transaction():
        cursor = await connection.execute(
            TEND,
            {
                "due": limits.MAX_DUE,
                "deadline_grace": limits.DEADLINE_GRACE_SECONDS,
                "error": compact({
                    "class": "timeout", "step": "", "detail": "", "retry_after": None,
                    "message": _("The run took longer than its time limit and was ended."),
                }),
            },
        )  # fmt: skip
        row = await cursor.fetchone()
        assert row is not None  # noqa: S101 the statement always gives one row
        due, ended = row[0], list(row[1])
        if asked_to_cancel:
            ended += await cancel_now(connection, asked_to_cancel)
        if ended:
            await after_end(connection, ended)
    return due, ended


async def cancel_now(connection: AsyncConnection[Any], ids: Sequence[UUID]) -> list[UUID]:
    """End those of the runs whose cancel was asked for and which no live worker will end. Return which."""
    parameters = {"ids": list(ids), "stale": limits.STALE_SECONDS, "grace": limits.CANCEL_GRACE_SECONDS}
    cursor = await connection.execute(CANCEL, parameters)
    return [row[0] for row in await cursor.fetchall()]


async def after_end(connection: AsyncConnection[Any], ended: Sequence[UUID]) -> None:
    """Do what follows from ends that no walk brought about, down to the runs they had started."""
    waiting = list(ended)
    while waiting:
        cursor = await connection.execute(AFTER_END, after_end_parameters(waiting))
        row = await cursor.fetchone()
        assert row is not None  # noqa: S101 the statement always gives one row
        waiting = await cancel_now(connection, row[0]) if row[0] else []


def after_end_parameters(ids: Sequence[UUID]) -> dict[str, Any]:
    """Return the parameters of AFTER_END."""
    return {
        "ids": list(ids), "entry_ids": [uuid7() for _id in ids], "line_ids": [uuid7() for _id in ids],
        "cancelled": _("The run was cancelled."), "timed_out": _("The run took longer than its time limit."),
    }  # fmt: skip


async def journals(
    connection: AsyncConnection[Any], ids: Sequence[UUID]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the newest attempts of every step, and the answers that have arrived, of the given runs."""
    async with connection.pipeline():
        steps, answers = connection.cursor(row_factory=dict_row), connection.cursor(row_factory=dict_row)
        await steps.execute(JOURNAL, [list(ids)])
        await answers.execute(ANSWERS, {"ids": list(ids)})
        return await steps.fetchall(), await answers.fetchall()


async def roots(connection: AsyncConnection[Any], ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Return resumed run -> the first run of its chain."""
    cursor = await connection.execute(ROOTS, [list(ids)])
    return dict(await cursor.fetchall())


def json_rows(rows: Iterable[str]) -> str:
    """Return JSON objects, each already text, as one JSON array."""
    return f"[{','.join(rows)}]"


def compact(value: Any) -> str:
    """Return a value as JSON text; None as null."""
    return "null" if value is None else _encode(value)


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode
