"""Cancelling a run: in the database at once where no worker has it, else by its worker, else in spite of its worker."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from uuid import UUID

from django.db import DatabaseError, connection, transaction

from accounts.tenancy import system_scope
from workflows.runner import store
from workflows.runner.limits import CANCEL_GRACE_SECONDS, STALE_SECONDS
from workflows.runner.wake import CANCEL_CHANNEL

log = logging.getLogger("steward.cancel")

ASK = """
UPDATE workflows_execution SET cancel_requested_at = coalesce(cancel_requested_at, now())
WHERE id = %s AND status IN ('PENDING', 'RUNNING', 'WAITING') RETURNING id
"""


def request_cancel(execution_id: UUID) -> bool:
    """Ask for the end of a run, in the open scope; return False when it has ended already.

    What no worker holds is CANCELLED in this transaction. A live worker is told; when it has not obeyed within
    CANCEL_GRACE_SECONDS, this process ends the run in the database, and whatever the worker still writes is discarded.
    """
    with connection.cursor() as cursor:
        cursor.execute(ASK, [execution_id])
        if cursor.fetchone() is None:
            return False
    if end_cancelled([execution_id]):
        return True

    def tell() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [CANCEL_CHANNEL, str(execution_id)])
        _enforcer.add(execution_id)

    transaction.on_commit(tell, robust=True)
    return True


def end_cancelled(execution_ids: Sequence[UUID]) -> list[UUID]:
    """End those whose cancel was asked for and which no live worker will end; return which, with what follows done."""
    ended: list[UUID] = []
    waiting = list(execution_ids)
    with connection.cursor() as cursor:
        while waiting:
            cursor.execute(
                store.CANCEL, {"ids": waiting, "stale": STALE_SECONDS, "grace": CANCEL_GRACE_SECONDS}
            )
            now_ended = [row[0] for row in cursor.fetchall()]
            ended += now_ended
            waiting = []
            if now_ended:
                cursor.execute(store.AFTER_END, store.after_end_parameters(now_ended))
                row = cursor.fetchone()
                waiting = list(row[0]) if row else []
    return ended


class _Enforcer:
    """Ends what live workers were asked to end and did not: one thread of this process, while there is something."""

    def __init__(self) -> None:
        self._due: dict[UUID, float] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, execution_id: UUID) -> None:
        with self._lock:
            # A little after the grace time, which the database counts from the commit.
            self._due[execution_id] = time.monotonic() + CANCEL_GRACE_SECONDS + 0.2
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="steward-cancel", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        try:
            while True:
                with self._lock:
                    if not self._due:
                        self._thread = None
                        return
                    now = time.monotonic()
                    due = [identifier for identifier, at in self._due.items() if at <= now]
                    pause = 0.0 if due else min(self._due.values()) - now
                    for identifier in due:
                        del self._due[identifier]
                if pause:
                    time.sleep(pause)
                    continue
                self._end(due)
        finally:
            connection.close()

    def _end(self, due: list[UUID]) -> None:
        try:
            with system_scope("end runs whose worker did not stop them"):
                ended = end_cancelled(due)
                if ended:
                    log.warning("ended %s runs in spite of their worker", len(ended))
        except DatabaseError:
            log.exception("cancelled runs could not be ended; a worker will do it")


_enforcer = _Enforcer()
