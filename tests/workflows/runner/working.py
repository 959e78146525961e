"""A worker inside the test process, and short definitions for it to run."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.tenancy import organization_scope, system_scope
from tests.worlds import World, make_workflow
from workflows.models import Execution, ExecutionStep
from workflows.runner.start import start_execution
from workflows.runner.worker import Worker

PATIENCE_SECONDS = 20.0


@contextmanager
def working(concurrency: int = 50) -> Iterator[Worker]:
    """Run a worker in a thread of its own, and stop it afterwards as SIGTERM does."""
    found: list[Worker] = []
    begun = threading.Event()

    async def serve() -> None:
        worker = Worker(concurrency)
        found.append(worker)
        begun.set()
        await worker.run()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="worker of a test")
    thread.start()
    assert begun.wait(PATIENCE_SECONDS)
    try:
        yield found[0]
    finally:
        found[0].call_soon(found[0].stop)
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()


def until(holds: Callable[[], Any], what: str = "it") -> Any:
    """Return what `holds()` gives as soon as it is true."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = holds()
        if found:
            return found
        if time.monotonic() > give_up:
            raise AssertionError(f"{what} did not happen within {PATIENCE_SECONDS:g} s")
        time.sleep(0.02)


def published(world: World, name: str, *steps: dict[str, Any], **settings: Any) -> tuple[Any, Any]:
    """Publish a workflow of these steps; return (workflow, version)."""
    definition = {"version": 1, "steps": list(steps), "settings": settings}
    with world.scope():
        return make_workflow(world.organization, world.owner, name=name, definition=definition)


def begin(world: World, made: tuple[Any, Any], data: Any = None, **fields: Any) -> UUID:
    """Start a run of a published workflow by hand."""
    with world.scope():
        return start_execution(
            organization_id=world.organization.pk, workflow_id=made[0].pk, version_id=made[1].pk,
            input=data, **{"triggered_by": "MANUAL"} | fields,
        )  # fmt: skip


def run(identifier: UUID) -> Execution:
    """Return a run as it stands."""
    with system_scope("test"):
        return Execution.objects.get(pk=identifier)


def ended(identifier: UUID) -> Execution:
    """Return a run when it has ended."""
    return until(lambda: (found := run(identifier)).is_finished and found, "the end of the run")


def reaches(identifier: UUID, status: str) -> Execution:
    """Return a run when it stands at `status`."""
    return until(lambda: (found := run(identifier)).status == status and found, f"status {status}")


def journal(identifier: UUID) -> dict[str, ExecutionStep]:
    """Return path -> newest attempt."""
    with system_scope("test"):
        return {
            step.path: step for step in ExecutionStep.objects.filter(execution=identifier).order_by("attempt")
        }


def as_system(statement: str, *parameters: Any) -> list[Any]:
    """Run a statement that sees everything; return its rows."""
    with system_scope("test"), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


__all__ = [
    "as_system", "begin", "ended", "journal", "organization_scope", "published", "reaches", "run", "until", "working",
]  # fmt: skip
