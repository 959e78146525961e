"""Group commit: everything that wants to be on disk while the previous commit is in flight goes there in the next one.

One task of the worker owns one connection. A commit is one statement in one round trip: it checks the fencing token of
every run it writes for, and writes only for those that still hold theirs.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg

from workflows.engine.interface import Fenced
from workflows.runner import limits
from workflows.runner.commit_statement import End, Entry, write
from workflows.runner.connections import connect
from workflows.runner.journal import RunJournal

log = logging.getLogger("steward.commit")

FIRST_RETRY_SECONDS = 0.05
LONGEST_RETRY_SECONDS = 5.0
LOOK_SECONDS = 0.1  # how often to look for appended records that have waited long enough


class Committer:
    """Writes for all runs of one worker. Start it with `await start()`, end it with `await close()`.

    on_fenced: told about each journal whose run another worker has taken over.
    """

    def __init__(self, on_fenced: Callable[[RunJournal], None] = lambda journal: None) -> None:
        self._wanted: dict[UUID, Entry] = {}
        self._appended: dict[RunJournal, float] = {}
        self._in_flight: set[RunJournal] = set()
        self._something = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self._on_fenced = on_fenced
        self.commits = 0

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="committer")

    async def close(self) -> None:
        """Write what is wanted and end."""
        self._closing = True
        self._something.set()
        if self._task is not None:
            await self._task

    @property
    def backlog(self) -> int:
        return len(self._wanted)

    def appended(self, journal: RunJournal) -> None:
        """Note that a journal has records nobody waits for yet."""
        if not self._appended:
            self._something.set()  # the task may be asleep without a limit
        self._appended.setdefault(journal, time.monotonic())

    def request(
        self, journal: RunJournal, end: End | None = None, response: str | None = None
    ) -> asyncio.Future[None]:
        """Return a future that is done when everything the journal holds, and the end given, is on disk.

        It raises Fenced when the run is no longer ours. response: JSON text that answers the waiting webhook.
        """
        entry = self._wanted.get(journal.claim.id)
        if entry is None:
            entry = self._wanted[journal.claim.id] = Entry(journal)
        if journal.records:
            for key, row in journal.records.items():
                entry.records[key] = row
            journal.records = {}
            self._appended.pop(journal, None)
        if journal.lines:
            entry.lines += journal.lines
            journal.lines = []
        if journal.usage:
            for metric, quantity in journal.usage.items():
                entry.usage[metric] = entry.usage.get(metric, 0) + quantity
            journal.usage = {}
        if end is not None:
            entry.end = end
        if response is not None:
            entry.response = response
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.add_done_callback(_seen)
        entry.futures.append(future)
        self._something.set()
        return future

    def has_more(self, journal: RunJournal) -> bool:
        """Return whether records of this journal are on their way to disk but not known to be there."""
        return journal in self._in_flight or journal.claim.id in self._wanted

    # The task

    async def _run(self) -> None:
        connection: psycopg.AsyncConnection[Any] | None = None
        try:
            while True:
                await self._until_something()
                if not self._wanted:
                    if self._closing:
                        return
                    continue
                batch = self._take()
                self._in_flight = {entry.journal for entry in batch}
                connection = await self._write_until_done(batch, connection)
                self._in_flight = set()
        finally:
            if connection is not None:
                await connection.close()

    async def _until_something(self) -> None:
        while not self._something.is_set():
            if not self._appended:
                await self._something.wait()
                break
            oldest = next(iter(self._appended.values()))
            waited = time.monotonic() - oldest
            if waited < limits.APPENDED_SECONDS:
                try:
                    async with asyncio.timeout(max(LOOK_SECONDS, limits.APPENDED_SECONDS - waited)):
                        await self._something.wait()
                except TimeoutError:
                    continue
                break
            for journal, since in list(self._appended.items()):
                if time.monotonic() - since >= limits.APPENDED_SECONDS:
                    self._appended.pop(journal, None)
                    if journal.records:
                        self.request(journal)
        self._something.clear()

    def _take(self) -> list[Entry]:
        batch: list[Entry] = []
        records = size = 0
        for identifier in list(self._wanted):
            entry = self._wanted.pop(identifier)
            batch.append(entry)
            records += len(entry.records) + 1
            size += sum(map(len, entry.records.values()))
            if records >= limits.COMMIT_RECORDS or size >= limits.COMMIT_BYTES:
                break
        if self._wanted:
            self._something.set()
        return batch

    async def _write_until_done(
        self, batch: list[Entry], connection: psycopg.AsyncConnection[Any] | None
    ) -> psycopg.AsyncConnection[Any]:
        """Write the batch, however often the server goes away meanwhile. A batch that PostgreSQL refuses is halved."""
        delay = FIRST_RETRY_SECONDS
        while True:
            try:
                if connection is None or connection.closed:
                    connection = await connect()
                valid = await write(connection, batch)
            except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure):
                log.info("commit is tried again after a conflict")
                continue
            except (psycopg.OperationalError, psycopg.InterfaceError) as problem:
                log.warning("commit waits for the database: %s", problem)
                await asyncio.sleep(delay)
                delay = min(LONGEST_RETRY_SECONDS, delay * 2)
                continue
            except psycopg.Error as refused:
                await self._halve(batch, refused, connection)
                return connection  # type: ignore[return-value]
            self.commits += 1
            self._tell(batch, valid)
            return connection

    async def _halve(
        self, batch: list[Entry], refused: psycopg.Error, connection: psycopg.AsyncConnection[Any] | None
    ) -> None:
        """Find the run whose data PostgreSQL refuses, so that it fails alone."""
        if len(batch) > 1:
            middle = len(batch) // 2
            for half in (batch[:middle], batch[middle:]):
                await self._write_until_done(half, connection)
            return
        entry = batch[0]
        log.error("PostgreSQL refuses a run's records execution=%s: %s", entry.journal.claim.id, refused)
        for future in entry.futures:
            if not future.done():
                future.set_exception(refused)

    def _tell(self, batch: list[Entry], valid: set[UUID]) -> None:
        for entry in batch:
            journal = entry.journal
            if journal.claim.id in valid:
                for future in entry.futures:
                    if not future.done():
                        future.set_result(None)
                continue
            log.warning(
                "late write discarded execution=%s attempt=%s", journal.claim.id, journal.claim.attempt
            )
            journal.fenced = True
            self._on_fenced(journal)
            for future in entry.futures:
                if not future.done():
                    future.set_exception(Fenced())


def _seen(future: asyncio.Future[None]) -> None:
    """Mark a failure as looked at: nobody waits for records that were only appended."""
    if not future.cancelled():
        future.exception()
