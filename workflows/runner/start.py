"""Starting a run: one row in the execution table, which is the queue, and a wake-up after the commit."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.tenancy import uuid7
from workflows.definition.problems import DefinitionInvalid
from workflows.definition.schema import parse_definition
from workflows.engine.compile import run_seconds
from workflows.engine.limits import DEFAULT_RUN_SECONDS, MAX_STEP_INPUT_BYTES
from workflows.engine.payload import storable
from workflows.engine.signals import StepFailed
from workflows.runner.wake import notify_workers

COLUMNS = (
    "id", "organization_id", "workflow_id", "version_id", "draft_definition", "mode", "status", "input",
    "triggered_by", "triggered_by_user_id", "webhook_event_id", "trigger_key", "parent_id", "parent_path", "relation",
    "depth", "priority", "wake_at", "waiting_for", "deadline_at", "reply_to",
)  # fmt: skip
_JSON = {"draft_definition", "input", "waiting_for"}
_PLACES = ", ".join(f"%({name})s::jsonb" if name in _JSON else f"%({name})s" for name in COLUMNS)
INSERT = f"INSERT INTO workflows_execution ({', '.join(COLUMNS)}) VALUES ({_PLACES})"  # noqa: S608 names of our own
"""Inserts one run; its parameters are NewRun.parameters(). Usable inside WITH, next to the rows that belong to it."""

KEPT_TIMEOUTS = 10_000


class InputRefused(ValueError):
    """The input is too large or no JSON; `str()` is a sentence for the person who sent it."""


@dataclass(slots=True, kw_only=True)
class NewRun:
    """What is fixed about a run before it starts.

    input: JSON. triggered_by WEBHOOK or SCHEDULE: what steps see as `trigger`; MANUAL or API: what they see as
      `inputs`, and as `trigger.body`.
    mode: LIVE, TEST or DRY_RUN; the last two run draft_definition when version_id is None.
    deadline: aware UTC; None is now plus the definition's own timeout.
    parent, parent_path, relation: the run this one belongs to, and how (CHILD, RESUME, RESTART, FORK).
    held_for: a word that says what the run waits for before it may start ("plan_limit", "overlap"); wake() frees it.
    not_before: the instant at which it frees itself.
    reply_to: channel of the web process that waits for the answer, from responses.channel().
    """

    organization_id: UUID
    workflow_id: UUID
    version_id: UUID | None
    triggered_by: str
    input: Any = None
    trigger_key: str = ""
    user_id: UUID | None = None
    webhook_event_id: UUID | None = None
    mode: str = "LIVE"
    draft_definition: Any = None
    parent: UUID | None = None
    parent_path: str = ""
    relation: str = ""
    depth: int = 0
    priority: int = 0
    held_for: str = ""
    not_before: datetime | None = None
    reply_to: str = ""
    deadline: datetime | None = None
    id: UUID = field(default_factory=uuid7)

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of INSERT. Asks the database for the timeout of a version it has not seen before.

        Raises InputRefused.
        """
        try:
            text = storable(self.input, limit=MAX_STEP_INPUT_BYTES, what="input")[1]
        except StepFailed as refused:
            raise InputRefused(refused.error.message) from None
        held = bool(self.held_for or self.not_before)
        return {
            "id": self.id, "organization_id": self.organization_id, "workflow_id": self.workflow_id,
            "version_id": self.version_id, "mode": self.mode, "status": "WAITING" if held else "PENDING",
            "draft_definition": None if self.draft_definition is None else json.dumps(self.draft_definition),
            "input": text, "triggered_by": self.triggered_by, "triggered_by_user_id": self.user_id,
            "webhook_event_id": self.webhook_event_id, "trigger_key": self.trigger_key, "parent_id": self.parent,
            "parent_path": self.parent_path, "relation": self.relation, "depth": self.depth,
            "priority": self.priority, "wake_at": self.not_before, "reply_to": self.reply_to,
            "waiting_for": json.dumps([{"kind": self.held_for or "start"}]) if held else None,
            "deadline_at": self.deadline or self._deadline(),
        }  # fmt: skip

    def _deadline(self) -> datetime:
        begins = max(self.not_before or datetime.now(UTC), datetime.now(UTC))
        if self.version_id is None:
            return begins + definition_timeout(self.draft_definition)
        return begins + version_timeout(self.version_id)


def start_execution(
    *,
    organization_id: UUID,
    workflow_id: UUID,
    version_id: UUID | None,
    triggered_by: str,
    input: Any = None,  # noqa: A002 the column's name
    **fields: Any,
) -> UUID:
    """Insert one run in the open scope and transaction, wake a worker after its commit, and return the run's id.

    Other fields are those of NewRun. Raises InputRefused.
    """
    run = NewRun(
        organization_id=organization_id, workflow_id=workflow_id, version_id=version_id, triggered_by=triggered_by,
        input=input, **fields,
    )  # fmt: skip
    start_executions([run])
    return run.id


def start_executions(runs: Sequence[NewRun] | Iterable[NewRun]) -> list[UUID]:
    """Insert several runs in one statement each way; return their ids in order. All of the organization in scope."""
    runs = list(runs)
    if not runs:
        return []
    with connection.cursor() as cursor:
        cursor.executemany(INSERT, [run.parameters() for run in runs])
    if any(not run.held_for for run in runs):
        notify_workers()
    return [run.id for run in runs]


_timeouts: OrderedDict[UUID, timedelta] = OrderedDict()


def version_timeout(version_id: UUID) -> timedelta:
    """Return how long a run of this version may take. Versions never change, so each is asked for once a process."""
    found = _timeouts.get(version_id)
    if found is None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT definition::text FROM workflows_workflowversion WHERE id = %s", [version_id]
            )
            row = cursor.fetchone()
        if row is None:  # another organization's: PostgreSQL refuses the run as well
            return timedelta(seconds=DEFAULT_RUN_SECONDS)
        found = _timeouts[version_id] = definition_timeout(json.loads(row[0]))
        while len(_timeouts) > KEPT_TIMEOUTS:
            _timeouts.popitem(last=False)
    return found


def definition_timeout(definition: Any) -> timedelta:
    """Return how long a run of this definition (JSON data) may take; one that cannot be read fails at its start."""
    try:
        return timedelta(seconds=run_seconds(parse_definition(definition)))
    except DefinitionInvalid:
        return timedelta(seconds=DEFAULT_RUN_SECONDS)
