"""Waiting for a run's answer in a web process: one listening connection per process, however many requests wait."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import psycopg
from django.conf import settings
from psycopg import sql

from workflows.definition.wording import gettext as _
from workflows.runner.connections import conninfo

log = logging.getLogger("steward.responses")

LOOK_SECONDS = 2.0  # while somebody waits: the net below a lost notification
RECONNECT_SECONDS = 0.5
KEPT_ANSWERS = 1_000  # that came before anybody waited for them
READY_SECONDS = 10.0

READ = """
SELECT id, status, result, response, output, error FROM workflows_execution
WHERE id = ANY(%s) AND (response IS NOT NULL OR status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'TIMEOUT'))
"""
STATUS_OF_ENDS = {"COMPLETED": 200, "FAILED": 500, "CANCELLED": 409, "TIMEOUT": 504}


@dataclass(frozen=True, slots=True)
class Answer:
    """What to send back. body: any JSON value, or text."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


def channel() -> str:
    """Return where runs started by this process announce their answer (NewRun.reply_to), listening from now on.

    Raises psycopg.OperationalError when the database cannot be listened to.
    """
    return _listener().ready()


def wait_for(execution_id: UUID | None, timeout: float) -> Answer | None:
    """Return the answer of a run that was started with reply_to=channel(), or None after `timeout` seconds.

    A respond step answers as soon as it is reached; a run without one answers with its output when it is done.
    Call it outside of any transaction.
    """
    if execution_id is None:
        return None
    return _listener().wait(execution_id, timeout)


class _Listener:
    """The thread that listens, and the requests that wait for it."""

    def __init__(self) -> None:
        self.process_id = os.getpid()
        self.channel = f"steward_answer_{uuid4().hex[:24]}"
        self._waiting: dict[UUID, tuple[threading.Event, list[Answer]]] = {}
        self._early: OrderedDict[UUID, Answer] = OrderedDict()
        self._lock = threading.Lock()
        self._is_ready = threading.Event()
        threading.Thread(target=self._work, name="steward-answers", daemon=True).start()

    def ready(self) -> str:
        if not self._is_ready.wait(READY_SECONDS):
            raise psycopg.OperationalError("the database cannot be listened to")
        return self.channel

    def wait(self, execution_id: UUID, timeout: float) -> Answer | None:
        event: threading.Event = threading.Event()
        found: list[Answer] = []
        with self._lock:
            early = self._early.pop(execution_id, None)
            if early is not None:
                return early
            self._waiting[execution_id] = (event, found)
        event.wait(timeout)
        with self._lock:
            self._waiting.pop(execution_id, None)
        return found[0] if found else None

    def _work(self) -> None:
        while True:
            try:
                with psycopg.connect(conninfo(), autocommit=True, connect_timeout=10) as connection:
                    role = sql.Identifier(settings.SYSTEM_DATABASE_ROLE)
                    connection.execute(sql.SQL("SET ROLE {}").format(role))
                    connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self.channel)))
                    connection.prepare_threshold = 1
                    self._is_ready.set()
                    self._listen(connection)
            except psycopg.Error as problem:
                log.warning("waiting requests wait for the database: %s", problem)
                time.sleep(RECONNECT_SECONDS)

    def _listen(self, connection: psycopg.Connection[Any]) -> None:
        self._read(connection, [])
        while True:
            told = [UUID(each.payload) for each in connection.notifies(timeout=LOOK_SECONDS, stop_after=1)]
            self._read(connection, told)

    def _read(self, connection: psycopg.Connection[Any], told: list[UUID]) -> None:
        """Read the answers of the runs told of, or of all that are waited for when there was no word for a while."""
        with self._lock:
            wanted = told or list(self._waiting)
        if not wanted:
            return
        for identifier, *row in connection.execute(READ, [wanted]):
            answer = _answer(identifier, *row)
            with self._lock:
                waiting = self._waiting.pop(identifier, None)
                if waiting is None:
                    self._early[identifier] = answer
                    while len(self._early) > KEPT_ANSWERS:
                        self._early.popitem(last=False)
                    continue
            waiting[1].append(answer)
            waiting[0].set()


def _answer(identifier: UUID, status: str, result: str, response: Any, output: Any, error: Any) -> Answer:
    if response is not None:
        headers = {str(name): str(value) for name, value in (response.get("headers") or {}).items()}
        return Answer(int(response.get("status") or 200), response.get("body"), headers)
    code = STATUS_OF_ENDS[status]
    if status == "COMPLETED" and result in ("SUCCESS", "PARTIAL"):
        return Answer(code, output)
    # Why it failed is for those who may see the run, not for whoever called the webhook.
    message = _("The workflow did not finish.") if code != 200 else _("The workflow was stopped.")
    return Answer(
        code if code != 200 else 500,
        {"error": status.lower(), "message": message, "execution_id": str(identifier)},
    )


_shared: _Listener | None = None
_guard = threading.Lock()


def _listener() -> _Listener:
    """Return this process's listener; a forked process has none of its parent's threads and gets its own."""
    global _shared
    with _guard:
        if _shared is None or _shared.process_id != os.getpid():
            _shared = _Listener()
        return _shared
