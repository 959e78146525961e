"""Storing a delivery: one call of one SQL function, which is one round trip and one commit."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, InterfaceError, OperationalError, connection

from accounts.tenancy import organization_scope, uuid7
from workflows.models import TriggerDecision
from workflows.runner.wake import NOTIFY_WORKERS, notify_workers
from workflows.triggers.addresses import Address
from workflows.triggers.plan_hold import PATIENCE

DEDUPE_LASTS = timedelta(days=7)
RECEIVE = f"SELECT outcome, execution FROM steward_receive({', '.join(['%s'] * 28)})"  # noqa: S608 placeholders only


class Stale(Exception):
    """The trigger has changed since it was read; nothing was written. Read it again and decide anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What is stored of one request. headers: without secrets. body: as it came."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = ""
    body: bytes = b""
    remote_address: str | None = None
    replay_of: UUID | None = None
    id: UUID = field(default_factory=uuid7)


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a delivery. reason: a TriggerDecision.Reason. execution_id: of a duplicate, the first run."""

    reason: str
    execution_id: UUID | None
    delivery_id: UUID


def store(
    address: Address,
    delivery: Delivery,
    *,
    reason: str = "STARTED",
    detail: dict[str, Any] | None = None,
    trigger: dict[str, Any] | None = None,
    dedupe_key: str = "",
    depth: int = 0,
    reply_to: str = "",
) -> Stored:
    """Write the delivery, the decision about it and, when `reason` is STARTED and nothing is against it, the run.

    trigger: what the run's steps see under that name. The database may answer with another reason than the one given
    (paused, duplicate, captured ...). Returned means committed, unless a transaction is open around the call. Raises
    Stale, and psycopg's DataError for data that JSON in PostgreSQL cannot hold.
    """
    now = datetime.now(UTC)
    decision_id = uuid7()
    parameters = [
        address.organization_id, address.workflow_id, address.version_id, address.trigger_id, address.stamp,
        address.key, address.kind, reason, _json(detail),
        delivery.id, delivery.method[:8], delivery.path[:300], delivery.query, _json(delivery.headers),
        delivery.content_type[:120], delivery.body, delivery.remote_address, delivery.replay_of, dedupe_key,
        now + DEDUPE_LASTS, decision_id, uuid7(), uuid7(),
        _json(trigger), now + (PATIENCE if address.hold else address.timeout), depth, reply_to, address.hold,
    ]  # fmt: skip
    try:
        outcome, execution_id = _call(parameters)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block:
            raise
        # The server went away, before or after it had committed. The ids are ours, so asking again cannot store twice.
        connection.close()
        outcome, execution_id = _call_again(parameters, address, decision_id)
    if outcome == "STALE":
        raise Stale
    if outcome == "STARTED" and not reply_to:
        _wake_workers()
    return Stored(outcome, execution_id, delivery.id)


def _call(parameters: list[Any]) -> tuple[str, UUID | None]:
    with connection.cursor() as cursor:
        cursor.execute(RECEIVE, parameters)
        row: tuple[str, UUID | None] = cursor.fetchone()
        return row


def _call_again(parameters: list[Any], address: Address, decision_id: UUID) -> tuple[str, UUID | None]:
    try:
        return _call(parameters)
    except IntegrityError:
        with organization_scope(address.organization_id):
            decision = TriggerDecision.objects.get(pk=decision_id)
        return decision.reason, decision.execution_id


def _json(value: Any) -> str | None:
    return (
        None
        if value is None
        else json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    )


def _wake_workers() -> None:
    if connection.in_atomic_block:
        notify_workers()
    else:
        _messenger.ask()


class Messenger:
    """Tells the workers that runs were stored, from a thread of its own: one word for all that came meanwhile.

    The answer to a sender need not wait for it: what it announces is committed, and workers also look by themselves.
    """

    def __init__(self) -> None:
        self._wanted = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def ask(self) -> None:
        """Have the word sent soon."""
        if self._thread is None or not self._thread.is_alive():
            with self._lock:
                if self._thread is None or not self._thread.is_alive():  # a fork leaves its threads behind
                    self._thread = threading.Thread(target=self._work, name="steward-wake", daemon=True)
                    self._thread.start()
        self._wanted.set()

    def _work(self) -> None:
        import structlog
        from django.db import DatabaseError, InterfaceError

        log = structlog.get_logger(__name__)
        while True:
            self._wanted.wait()
            self._wanted.clear()
            try:
                with connection.cursor() as cursor:
                    cursor.execute(NOTIFY_WORKERS)
            except (DatabaseError, InterfaceError):
                log.warning("could not wake the workers; they look by themselves", exc_info=True)
                connection.close()


_messenger = Messenger()
