"""Effects that end in our own database: questions, one-time addresses, child runs, answers. Each may be repeated."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from accounts.tenancy import uuid7
from integrations.framework.errors import PermanentError
from workflows.definition.wording import gettext as _
from workflows.engine.interface import EffectCall, EffectKind, EffectResult
from workflows.runner.start import INSERT, NewRun, definition_timeout
from workflows.runner.store import Claim, after_end, cancel_now, compact
from workflows.runner.wake import CANCEL_CHANNEL, NOTIFY_WORKERS

if TYPE_CHECKING:
    from workflows.runner.effects import Hands
    from workflows.runner.journal import RunJournal

DEFER = """
SELECT procrastinate_defer_jobs_v1(ARRAY[ROW('default', %(task)s, 0, NULL, NULL, %(arguments)s::jsonb,
  %(at)s::timestamptz)::procrastinate_job_to_defer_v1])
"""
NEW_APPROVAL = """
INSERT INTO workflows_approval (id, organization_id, execution_id, path, kind, status, title, message, form, shown,
  assignees, required, content_hash, deadline_at, on_deadline, created_at)
VALUES (%(id)s, %(organization)s, %(execution)s, %(path)s, 'APPROVAL', 'PENDING', %(title)s, %(message)s,
  %(form)s::jsonb, NULL, %(assignees)s::jsonb, %(required)s, %(hash)s, %(deadline)s, %(on_deadline)s, now())
ON CONFLICT (execution_id, path, kind) DO NOTHING RETURNING id
"""
APPROVAL = "SELECT id FROM workflows_approval WHERE execution_id = %s AND path = %s AND kind = 'APPROVAL'"
NEW_ADDRESS = """
INSERT INTO workflows_resumetoken (id, organization_id, execution_id, path, token_hash, expires_at, created_at)
VALUES (%(id)s, %(organization)s, %(execution)s, %(path)s, %(hash)s, %(expires)s, now())
ON CONFLICT (execution_id, path) DO UPDATE SET expires_at = excluded.expires_at
"""
OPEN_ADDRESS = NEW_ADDRESS.replace("DO UPDATE SET expires_at = excluded.expires_at", "DO NOTHING")
CHILD = """
SELECT id FROM workflows_execution WHERE parent_id = %s AND parent_path = %s AND relation = 'CHILD'
"""
# Not those that were only started: no step waits for them.
GIVE_UP = """
UPDATE workflows_execution c SET cancel_requested_at = coalesce(c.cancel_requested_at, now())
WHERE c.parent_id = %(run)s AND c.relation = 'CHILD' AND c.status IN ('PENDING', 'WAITING', 'RUNNING')
  AND (c.parent_path = %(path)s OR starts_with(c.parent_path, %(path)s || '.')
    OR starts_with(c.parent_path, %(path)s || '['))
  AND EXISTS (SELECT FROM workflows_executionstep s WHERE s.execution_id = c.parent_id AND s.path = c.parent_path
    AND s.status = 'WAITING' AND s.recorded ->> 'key' = c.id::text)
RETURNING c.id
"""
CALLED_WORKFLOW = """
SELECT w.id, w.status, v.id, v.definition FROM workflows_workflow w
LEFT JOIN workflows_workflowversion v ON v.id = w.published_version_id
WHERE w.organization_id = %(organization)s AND (w.id::text = %(reference)s OR w.name = %(reference)s)
ORDER BY w.status = 'ARCHIVED' LIMIT 1
"""


async def perform(hands: Hands, claim: Claim, journal: RunJournal, call: EffectCall) -> EffectResult:
    """Carry out an effect of our own. Raises ConnectorError where the step asks for what is not there."""
    if call.kind is EffectKind.RESPOND:
        answer = {key: call.inputs.get(key) for key in ("status", "headers", "body")}
        await hands.committer.request(journal, response=compact(answer))
        return EffectResult(None)
    if call.kind is EffectKind.APPROVAL:
        return await _ask(hands.pool, claim, call)
    if call.kind is EffectKind.WAIT:
        return await _address(hands.pool, claim, call)
    return await _child(hands.pool, claim, call)


async def _ask(pool: AsyncConnectionPool[Any], claim: Claim, call: EffectCall) -> EffectResult:
    inputs = call.inputs
    question = {key: inputs.get(key) for key in ("title", "message", "form", "assignees", "required")}
    async with pool.connection() as connection, connection.transaction():
        cursor = await connection.execute(
            NEW_APPROVAL,
            {
                "id": uuid7(), "organization": claim.organization_id, "execution": claim.id, "path": call.path,
                "title": str(inputs.get("title") or "")[:200], "message": str(inputs.get("message") or ""),
                "form": None if inputs.get("form") is None else compact(inputs["form"]),
                "assignees": compact(inputs.get("assignees") or []), "required": int(inputs.get("required") or 1),
                "hash": content_hash(claim, call.path, question), "deadline": inputs.get("deadline_at"),
                "on_deadline": str(inputs.get("on_deadline") or "fail"),
            },
        )  # fmt: skip
        row = await cursor.fetchone()
        if row is None:
            cursor = await connection.execute(APPROVAL, [claim.id, call.path])
            row = await cursor.fetchone()
        else:
            arguments = {"organization_id": str(claim.organization_id), "approval_id": str(row[0])}
            await defer(connection, "workflows.tasks.approval_requested", arguments)
            if inputs.get("remind_seconds"):
                at = datetime.now(UTC) + timedelta(seconds=float(inputs["remind_seconds"]))
                await defer(connection, "workflows.tasks.approval_reminder", arguments, at)
    assert row is not None  # noqa: S101 inserted above or there before
    return EffectResult({"id": str(row[0])})


def content_hash(claim: Claim, path: str, question: Any) -> str:
    """Return what binds a decision to what was asked: SHA-256 over the run, the step and the question."""
    text = json.dumps([str(claim.id), path, question], sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def addresses(claim: Claim, waiting: Mapping[str, str]) -> dict[str, str]:
    """Return wait step -> the address that lets it go on, for steps that hand it out."""
    return {step_id: _url(claim, path) for step_id, path in waiting.items()}


async def open_addresses(pool: AsyncConnectionPool[Any], claim: Claim, waiting: Mapping[str, str]) -> None:
    """Take answers from now on, as long as the run may last: somebody may be faster than the wait step."""
    rows = [
        {
            "id": uuid7(), "organization": claim.organization_id, "execution": claim.id, "path": path,
            "hash": token_hash(resume_token(f"{claim.id}:{path}")), "expires": claim.deadline_at,
        }
        for path in waiting.values()
    ]  # fmt: skip
    async with pool.connection() as connection, connection.cursor() as cursor:
        await cursor.executemany(OPEN_ADDRESS, rows)


async def _address(pool: AsyncConnectionPool[Any], claim: Claim, call: EffectCall) -> EffectResult:
    token = resume_token(f"{claim.id}:{call.path}")
    async with pool.connection() as connection:
        await connection.execute(
            NEW_ADDRESS,
            {
                "id": uuid7(), "organization": claim.organization_id, "execution": claim.id, "path": call.path,
                "hash": token_hash(token), "expires": call.inputs.get("deadline_at") or claim.deadline_at,
            },
        )  # fmt: skip
    return EffectResult({"url": _url(claim, call.path)})


def _url(claim: Claim, path: str) -> str:
    return f"{settings.BASE_URL}/resume/{resume_token(f'{claim.id}:{path}')}/"


def resume_token(key: str) -> str:
    """Return the one-time token of a wait step: the same at every repeat, unguessable without our secret key."""
    digest = hmac.new(settings.SECRET_KEY.encode(), f"resume:{key}".encode(), hashlib.sha256).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")


def token_hash(token: str) -> str:
    """Return what is stored of a resume token."""
    return hashlib.sha256(token.encode()).hexdigest()


async def _child(pool: AsyncConnectionPool[Any], claim: Claim, call: EffectCall) -> EffectResult:
    inputs = call.inputs
    async with pool.connection() as connection, connection.transaction():
        cursor = await connection.execute(CHILD, [claim.id, call.path])
        row = await cursor.fetchone()
        if row is not None:
            return EffectResult({"execution_id": str(row[0])})
        cursor = await connection.execute(
            CALLED_WORKFLOW, {"organization": claim.organization_id, "reference": str(inputs["workflow"])}
        )
        found = await cursor.fetchone()
        if found is None or found[2] is None or found[1] == "ARCHIVED":
            raise PermanentError(
                _(
                    "The workflow that this step starts is not there or was never published. Choose another one."
                )
            )
        deadline = datetime.now(UTC) + definition_timeout(found[3])
        run = NewRun(
            organization_id=claim.organization_id, workflow_id=found[0], version_id=found[2], triggered_by="API",
            input=inputs.get("input"), mode=claim.mode, parent=claim.id, parent_path=call.path, relation="CHILD",
            depth=int(inputs.get("depth") or claim.depth + 1),
            deadline=min(deadline, claim.deadline_at) if inputs.get("wait") else deadline,
        )  # fmt: skip
        await connection.execute(INSERT, run.parameters())
        await connection.execute(NOTIFY_WORKERS)
    return EffectResult({"execution_id": str(run.id)})


async def give_up(pool: AsyncConnectionPool[Any], claim: Claim, path: str) -> None:
    """Cancel the runs that the step at `path`, or one inside it, waits for."""
    async with pool.connection() as connection, connection.transaction():
        cursor = await connection.execute(GIVE_UP, {"run": claim.id, "path": path})
        children = [row[0] for row in await cursor.fetchall()]
        if not children:
            return
        ended = await cancel_now(connection, children)
        await after_end(connection, ended)
        for child in set(children) - set(ended):
            await connection.execute("SELECT pg_notify(%s, %s)", [CANCEL_CHANNEL, str(child)])


async def defer(
    connection: AsyncConnection[Any], task: str, arguments: dict[str, Any], at: datetime | None = None
) -> None:
    """Queue a job in the connection's transaction."""
    await connection.execute(DEFER, {"task": task, "arguments": compact(arguments), "at": at})
