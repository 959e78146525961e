"""One worker process: claims runs into its free slots, walks them in one event loop, and keeps its heart beating."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import time
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

import psycopg
from django.conf import settings
from psycopg_pool import AsyncConnectionPool

from accounts.tenancy import uuid7
from billing.entitlements import concurrency_caps
from integrations.framework.client import Client
from workflows.runner import effects, limits, store
from workflows.runner.connections import OPTIONS, connect, conninfo, take_system_role
from workflows.runner.group_commit import Committer
from workflows.runner.journal import answer, by_run, committed_step
from workflows.runner.store import Claim
from workflows.runner.versions import Versions
from workflows.runner.wake import CANCEL_CHANNEL, RUNS_CHANNEL
from workflows.runner.walks import Running
from workflows.steps.sandbox import Sandbox

log = logging.getLogger("steward.worker")

LARGEST_CLAIM = 250
RECONNECT_SECONDS = 1.0
MOST_BACKLOG = 2_000  # ended runs that wait for the disk; beyond that nothing new is claimed


class Worker:
    """Runs workflows until stop() is called. concurrency: runs in progress at once."""

    def __init__(self, concurrency: int | None = None) -> None:
        self.id = uuid7()
        self.concurrency = concurrency or settings.WORKER_CONCURRENCY
        self.running: dict[UUID, tuple[Running, asyncio.Task[None]]] = {}
        self.finished = 0
        self.versions = Versions()
        self.committer = Committer()
        self._hands: effects.Hands | None = None
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._room = asyncio.Event()
        self._is_capped = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._caps = json.dumps(concurrency_caps())

    def stop(self) -> None:
        """Claim nothing more, finish what can be finished soon, hand back the rest, and end."""
        self._stopping.set()
        self._wake.set()
        self._room.set()

    def call_soon(self, work: Callable[[], None]) -> None:
        """Do something in the worker's event loop, from any thread."""
        assert self._loop is not None  # noqa: S101 the worker runs
        self._loop.call_soon_threadsafe(work)

    async def run(self) -> None:
        """Work until stop(). Raises psycopg.OperationalError when the database cannot be reached at the start."""
        self._loop = asyncio.get_running_loop()
        pool: AsyncConnectionPool[Any] = AsyncConnectionPool(
            conninfo(), min_size=0, max_size=8, open=False, kwargs={"autocommit": True, "options": OPTIONS},
            configure=take_system_role, max_idle=60, num_workers=1, timeout=10,
        )  # fmt: skip
        await pool.open()
        client = Client(allow_private=settings.ALLOWED_PRIVATE_HOSTS, on_call=effects.meter_call)
        self._hands = effects.Hands(pool, client, self.committer, Sandbox())
        await self.committer.start()
        async with await connect() as connection:
            await self._beat(connection)
        loops = [
            asyncio.create_task(self._keep(name, loop), name=name)
            for name, loop in (
                ("claim", self._claim_loop),
                ("tend", self._tend_loop),
                ("listen", self._listen_loop),
            )
        ]
        log.info("worker started worker=%s concurrency=%s", self.id, self.concurrency)
        try:
            await self._stopping.wait()
            loops[0].cancel()
            await self._drain()
        finally:
            for task in loops:
                task.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
            await self.committer.close()
            await self._hand_back()
            await effects.close(self._hands)
        log.info("worker stopped worker=%s finished=%s", self.id, self.finished)

    async def _keep(self, name: str, loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a loop, and again when its connection is lost."""
        while True:
            try:
                await loop()
            except (psycopg.OperationalError, psycopg.InterfaceError) as problem:
                log.warning("%s loop waits for the database: %s", name, problem)
            except Exception:
                log.exception("%s loop failed", name)
            await asyncio.sleep(RECONNECT_SECONDS)

    # Claiming

    async def _claim_loop(self) -> None:
        async with await connect() as connection:
            self._wake.set()
            after = store.NO_ORGANIZATION
            while not self._stopping.is_set():
                await self._wake.wait()
                self._wake.clear()
                slots = await self._free_slots()
                claims, more = await store.claim(
                    connection, worker=self.id, slots=slots, caps=self._caps, after=after
                )
                await self._begin(connection, claims)
                served = {claim.organization_id for claim in claims}
                if len(served) == slots:
                    # Each organization got one run, and there may be others: the next claim begins behind the last.
                    after = max(served)
                elif after != store.NO_ORGANIZATION:
                    after = store.NO_ORGANIZATION
                    self._wake.set()
                # What is left over waits for slots (claim again at once), or for runs to end (a cap is reached).
                self._is_capped = more and len(claims) < slots
                if more and len(claims) == slots:
                    self._wake.set()

    async def _free_slots(self) -> int:
        """Return how many runs to claim, once it is worth the trip: many at once, or the few after a moment."""
        worth = max(1, self.concurrency // 4)
        waited_until = time.monotonic() + 0.02
        while not self._stopping.is_set():
            free = self.concurrency - len(self.running)
            if self.committer.backlog < MOST_BACKLOG and (
                free >= worth or (free > 0 and time.monotonic() >= waited_until)
            ):
                return min(free, LARGEST_CLAIM)
            self._room.clear()
            try:
                async with asyncio.timeout(0.02 if free else None):
                    await self._room.wait()
            except TimeoutError:
                continue
        return 1

    async def _begin(self, connection: psycopg.AsyncConnection[Any], claims: list[Claim]) -> None:
        """Start walking; what cannot be started goes back into the queue."""
        begun: set[UUID] = set()
        try:
            again = [claim.id for claim in claims if claim.has_journal]
            steps: dict[UUID, Any] = {}
            answers: dict[UUID, Any] = {}
            if again:
                step_rows, answer_rows = await store.journals(connection, again)
                steps, answers = by_run(step_rows, committed_step), by_run(answer_rows, answer)
            resumed = [claim.id for claim in claims if claim.relation == "RESUME"]
            roots = await store.roots(connection, resumed) if resumed else {}
            for claim in claims:
                version = self.versions.known(claim) or await self.versions.read(connection, claim)
                assert self._hands is not None  # noqa: S101 set before the loops start
                running = Running(
                    claim, version, self.committer, self._hands, steps.get(claim.id), answers.get(claim.id),
                    roots.get(claim.id, claim.id),
                )  # fmt: skip
                task = asyncio.create_task(running.run(self.committer))
                self.running[claim.id] = (running, task)
                begun.add(claim.id)
                task.add_done_callback(lambda done, claim=claim: self._ended(claim, done))  # type: ignore[misc]
        finally:
            left = [claim.id for claim in claims if claim.id not in begun]
            if left and not connection.closed:
                await connection.execute(store.HAND_BACK, {"ids": left, "worker": self.id})

    def _ended(self, claim: Claim, task: asyncio.Task[None]) -> None:
        current = self.running.get(claim.id)
        if current is not None and current[1] is task:
            del self.running[claim.id]
        self.finished += 1
        self._room.set()
        if self._is_capped:
            self._wake.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("a walk ended with a fault execution=%s", claim.id, exc_info=task.exception())

    # Tending

    async def _tend_loop(self) -> None:
        async with await connect() as connection:
            beat_at = 0.0
            while True:
                if time.monotonic() >= beat_at:
                    await self._beat(connection)
                    await self._take_back(connection)
                    beat_at = time.monotonic() + limits.HEARTBEAT_SECONDS
                await self._look(connection)
                await asyncio.sleep(limits.POLL_SECONDS)

    async def _look(self, connection: psycopg.AsyncConnection[Any]) -> None:
        cursor = await connection.execute(store.LOOK)
        row = await cursor.fetchone()
        assert row is not None  # noqa: S101 the statement always gives one row
        pending, something_due, asked_to_cancel = row
        for identifier in asked_to_cancel:
            self._cancel(identifier)
        if something_due or asked_to_cancel:
            due, _ended = await store.end_what_must(connection, asked_to_cancel)
            pending = pending or due > 0
        if pending:
            self._wake.set()

    async def _take_back(self, connection: psycopg.AsyncConnection[Any]) -> None:
        parameters = {"stale": limits.STALE_SECONDS, "worker": self.id, "known": list(self.running)}
        cursor = await connection.execute(store.TAKE_BACK, parameters)
        taken = await cursor.fetchall()
        if taken:
            log.warning("took back %s runs of silent workers", len(taken))
            self._wake.set()

    async def _beat(self, connection: psycopg.AsyncConnection[Any]) -> None:
        await connection.execute(
            store.HEARTBEAT,
            {
                "id": self.id, "host": socket.gethostname()[:255], "pid": os.getpid(),
                "release": settings.RELEASE[:64], "queues": ["runs"], "running": len(self.running),
            },
        )  # fmt: skip

    # Listening

    async def _listen_loop(self) -> None:
        async with await connect() as connection:
            await connection.execute(f"LISTEN {RUNS_CHANNEL}")
            await connection.execute(f"LISTEN {CANCEL_CHANNEL}")
            self._wake.set()
            async for notification in connection.notifies():
                if notification.channel == CANCEL_CHANNEL:
                    self._cancel(UUID(notification.payload))
                elif notification.payload:  # woken runs are put into the queue by the tending look
                    await self._look_now()
                else:
                    self._wake.set()

    async def _look_now(self) -> None:
        assert self._hands is not None  # noqa: S101 set before the loops start
        async with self._hands.pool.connection() as connection:
            await self._look(connection)

    def _cancel(self, identifier: UUID) -> None:
        found = self.running.get(identifier)
        if found is not None:
            found[0].cancel()

    # The end

    async def _drain(self) -> None:
        """Give runs in progress time to finish; stop the others where they are, with all they have recorded."""
        tasks = [task for _running, task in self.running.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=limits.DRAIN_SECONDS)
        left = list(self.running.values())
        for _running, task in left:
            task.cancel()
        if left:
            await asyncio.wait([task for _running, task in left], timeout=limits.DRAIN_SECONDS)
        for running, _task in left:
            if running.journal.records:
                self.committer.request(running.journal)

    async def _hand_back(self) -> None:
        async with await connect() as connection:
            await connection.execute(store.HAND_BACK, {"ids": None, "worker": self.id})
            await connection.execute("DELETE FROM workflows_worker WHERE id = %s", [self.id])
            await connection.execute(store.FORGET_WORKERS)
            await connection.execute(f"NOTIFY {RUNS_CHANNEL}")
