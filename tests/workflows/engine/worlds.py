"""Small worlds for engine tests: a journal in memory, scripted effects, and a clock that jumps."""

from __future__ import annotations

import asyncio
import heapq
import json
import selectors
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from workflows.definition.schema import parse_definition
from workflows.engine.effects import default_class
from workflows.engine.interface import (
    Answer,
    Cancelled,
    CommittedStep,
    Completed,
    EffectCall,
    EffectClass,
    EffectError,
    EffectKind,
    EffectResult,
    EffectState,
    ErrorClass,
    Failed,
    Outcome,
    RunInput,
    StepError,
    StepRecord,
    StepStatus,
    Suspended,
    WakeKind,
)
from workflows.engine.walk import Walk
from workflows.steps import compile_workflow

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # a Monday


class Crash(BaseException):
    """The worker process is gone. Not an Exception, so nothing in the walk can mistake it for a failed step."""


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer whenever nothing else is left to do."""

    def __init__(self, start: float = 0.0):
        super().__init__(selectors.SelectSelector())
        self._now = start

    def time(self) -> float:
        return self._now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:
            while self._scheduled and self._scheduled[0]._cancelled:
                heapq.heappop(self._scheduled)._scheduled = False
            if self._scheduled:
                self._now = max(self._now, self._scheduled[0]._when)
        super()._run_once()


def drive(coroutine: Any, start: float = 0.0) -> tuple[Any, float]:
    """Return (result, loop time at the end) of a coroutine run on a jumping clock."""
    loop = JumpingLoop(start)
    try:
        return loop.run_until_complete(coroutine), loop.time()
    finally:
        loop.close()


class World:
    """Everything outside one run. It survives crashes of the worker.

    calls: every outside call that reached the other side, in order. rows: (path, attempt) -> durable StepRecord.
    """

    def __init__(self, steps: list[dict[str, Any]] | dict[str, Any], **run: Any):
        definition = steps if isinstance(steps, dict) else {"version": 1, "steps": steps}
        self.compiled = compile_workflow(parse_definition({"version": 1, **definition}))
        self.run = RunInput("run", self.compiled, START, **{"organization": {"timezone": "UTC"}, **run})
        self.now = 0.0
        self.rows: dict[tuple[str, int], StepRecord] = {}
        self.answers: dict[str, Answer] = {}
        self.calls: list[EffectCall] = []
        self.look_ups: list[EffectCall] = []
        self.given_up: list[str] = []
        self.happened: dict[str, EffectResult] = {}
        self.times_happened: dict[str, int] = {}
        self.script: dict[str, list[Any]] = {}
        self.classes: dict[str, EffectClass] = {}
        self.default: Callable[[EffectCall], Any] = answer_with_inputs
        self.random = Random(7)
        self.code: Any = None
        self.commits = 0
        self.events = 0
        self.crashes: list[int] = []  # at which event each of the next walks dies
        self.crash_at: int | None = None
        self.is_dead = False
        self.ran_twice: list[str] = []
        self.cancel_at_call: str | None = None
        self.walk: Walk | None = None

    # Script

    def on(self, step_id: str, *reactions: Any) -> World:
        """Say how the calls of a step go, one after the other; the last one repeats.

        A reaction is a value (the output), an exception, Takes(seconds, reaction), or a function of the call.
        """
        self.script[step_id] = list(reactions)
        return self

    def answer(self, path: str, kind: WakeKind, value: Any) -> World:
        row = self.newest(path)
        asked = row.attempt if row is not None and kind is WakeKind.UNCERTAIN_EFFECT else 0
        self.answers[path] = Answer(kind, value, self.instant(), asked)
        return self

    # Runs

    def instant(self) -> datetime:
        return START + timedelta(seconds=self.now)

    def walk_once(self) -> Outcome:
        """Walk until an outcome; raises Crash when the scripted crash comes."""
        journal = MemoryJournal(self)
        self.events, self.is_dead = 0, False
        self.crash_at = self.crashes.pop(0) if self.crashes else None

        async def go() -> Outcome:
            environment = VirtualEnvironment(self)
            self.walk = Walk(self.run, journal, ScriptedEffects(self), environment, self.code)
            return await self.walk.run()

        loop = JumpingLoop(self.now)
        try:
            outcome = loop.run_until_complete(go())
        finally:
            self.now = loop.time()
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()
        journal.write()  # the runner's one commit of what is left and the outcome
        return outcome

    def finish(self, limit: int = 500) -> Outcome:
        """Walk, sleeping through delays, until the run ends or waits for an answer that nobody scripted."""
        for _ in range(limit):
            try:
                outcome = self.walk_once()
            except Crash:
                continue
            if not isinstance(outcome, Suspended):
                return outcome
            waits = [c for c in outcome.wake_on if c.kind is WakeKind.UNCERTAIN_EFFECT]
            if waits and self.default_resolution is not None:
                for condition in waits:
                    self.answer(
                        condition.path, WakeKind.UNCERTAIN_EFFECT, self.default_resolution(condition.key)
                    )
                continue
            if outcome.wake_at is None or not any(c.wake_at for c in outcome.wake_on):
                return outcome
            self.now = max(self.now, (outcome.wake_at - START).total_seconds())
        raise AssertionError("the run never ended")

    default_resolution: Callable[[str], dict[str, Any]] | None = None

    # What is known afterwards

    def newest(self, path: str) -> StepRecord | None:
        found = [row for (at, _attempt), row in self.rows.items() if at == path]
        return max(found, key=lambda row: row.attempt, default=None)

    def attempts(self, path: str) -> list[StepRecord]:
        return sorted((row for (at, _n), row in self.rows.items() if at == path), key=lambda row: row.attempt)

    def statuses(self) -> dict[str, str]:
        return {path: str(self.newest(path).status) for path in dict.fromkeys(path for path, _ in self.rows)}

    def event(self, name: str) -> None:
        """Count a point at which the worker may die, and die if this is the one."""
        self.events += 1
        if self.is_dead or (self.crash_at is not None and self.events == self.crash_at):
            self.is_dead = True
            raise Crash(name)


@dataclass
class Takes:
    """A reaction after some seconds."""

    seconds: float
    then: Any = field(default_factory=dict)


class VirtualEnvironment:
    def __init__(self, world: World):
        self.world = world
        self.random = world.random

    def now(self) -> datetime:
        return START + timedelta(seconds=asyncio.get_running_loop().time())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class MemoryJournal:
    """Keeps order; a crash loses what was appended and not yet written. Rows go through JSON, as they would to disk."""

    def __init__(self, world: World):
        self.world = world
        self.buffer: list[StepRecord] = []

    def load(self) -> Mapping[str, CommittedStep]:
        newest: dict[str, StepRecord] = {}
        for row in self.world.rows.values():
            if row.path not in newest or row.attempt > newest[row.path].attempt:
                newest[row.path] = row
        return {
            path: CommittedStep(
                row.status,
                row.output,
                row.error,
                row.attempt,
                row.effect_state,
                row.idempotency_key,
                row.started_at,
                row.finished_at,
                row.recorded,
                row.input,
            )
            for path, row in newest.items()
        }

    def answers(self) -> Mapping[str, Answer]:
        return dict(self.world.answers)

    def append(self, record: StepRecord) -> None:
        self.buffer.append(record)

    async def commit(self, record: StepRecord) -> None:
        self.append(record)
        await self.flush()

    intend = commit

    async def flush(self) -> None:
        self.world.event("before commit")
        await asyncio.sleep(0.001)
        self.write()
        self.world.commits += 1
        self.world.event("after commit")

    def write(self) -> None:
        if self.world.is_dead:
            return
        for record in self.buffer:
            key = (record.path, record.attempt)
            before = self.world.rows.get(key)
            if before is not None and before.status in (StepStatus.COMPLETED, StepStatus.SKIPPED):
                self.world.ran_twice.append(record.path)
            self.world.rows[key] = replace(
                record,
                output=json.loads(json.dumps(record.output)),
                input=json.loads(json.dumps(record.input)),
                recorded=json.loads(json.dumps(dict(record.recorded))),
                error=json.loads(json.dumps(record.error)),
            )
        self.buffer.clear()


class ScriptedEffects:
    """The other side: carries a call out, remembers that it happened, and reacts as the script says."""

    def __init__(self, world: World):
        self.world = world

    def effect_class(self, kind: EffectKind, inputs: Mapping[str, Any]) -> EffectClass:
        if kind is EffectKind.ACTION:
            return EffectClass(inputs["operation"])
        return default_class(kind, inputs)

    async def perform(self, call: EffectCall) -> EffectResult:
        world = self.world
        world.event("before call")
        if world.cancel_at_call == call.step_id:
            asyncio.get_running_loop().call_soon(world.walk.cancel)
            await asyncio.sleep(3600)
        world.calls.append(call)
        reactions = world.script.get(call.step_id)
        reaction = (
            world.default(call) if not reactions else reactions.pop(0) if len(reactions) > 1 else reactions[0]
        )
        if isinstance(reaction, Takes):
            await asyncio.sleep(reaction.seconds)
            reaction = reaction.then
        if callable(reaction) and not isinstance(reaction, BaseException):
            reaction = reaction(call)
        if isinstance(reaction, EffectError) and not reaction.may_have_happened:
            raise reaction
        result = reaction if isinstance(reaction, EffectResult) else EffectResult(reaction)
        # The other side honours the idempotency key of what is key_safe, and of our own database.
        known = call.effect_class is EffectClass.KEY_SAFE and call.key in world.happened
        if not known:
            if not isinstance(reaction, EffectError):
                world.happened[call.key] = result
            world.times_happened[call.key] = world.times_happened.get(call.key, 0) + 1
        if isinstance(reaction, EffectError):
            raise reaction
        world.event("after call")
        return world.happened[call.key]

    async def give_up(self, path: str) -> None:
        self.world.event("give up")
        self.world.given_up.append(path)

    async def look_up(self, call: EffectCall) -> EffectResult | None:
        self.world.event("before look-up")
        self.world.look_ups.append(call)
        return self.world.happened.get(call.key)


def answer_with_inputs(call: EffectCall) -> Any:
    """The usual reaction: an id where the run will wait, else what was sent."""
    match call.kind:
        case EffectKind.APPROVAL | EffectKind.WAIT:
            return {"id": call.key, "url": f"https://example.test/resume/{call.step_id}"}
        case EffectKind.WORKFLOW:
            return {"execution_id": f"child-of-{call.key}"}
        case EffectKind.ACTION:
            return dict(call.inputs["with"])
    return {"sent": dict(call.inputs)}


def temporary(message: str = "try again", **options: Any) -> EffectError:
    retry_after = options.pop("retry_after", None)
    return EffectError(StepError(ErrorClass.TEMPORARY, message, retry_after=retry_after), **options)


def permanent(message: str = "wrong input", **options: Any) -> EffectError:
    return EffectError(StepError(ErrorClass.PERMANENT, message), **options)


def reconnect(key: str = "integration-1") -> EffectError:
    return EffectError(StepError(ErrorClass.RECONNECT, "Reconnect it."), held_key=key)


def action(
    step_id: str, effect: str = "read", with_: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """An action whose operation names its own effect class."""
    return {
        "id": step_id,
        "type": "action",
        "provider": "test",
        "operation": effect,
        "with": with_ or {},
        **more,
    }


def values(step_id: str, **found: Any) -> dict[str, Any]:
    return {"id": step_id, "type": "set", "values": found}


def output_of(outcome: Outcome) -> Any:
    assert isinstance(outcome, Completed), outcome
    return outcome.output


__all__ = [
    "START", "Cancelled", "Completed", "Crash", "EffectState", "Failed", "Suspended", "Takes", "World", "action",
    "drive", "output_of", "permanent", "reconnect", "temporary", "values",
]  # fmt: skip
