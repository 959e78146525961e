"""The engine run offline: the real walk over a journal in memory, a virtual clock, and answers written down before.

Nothing here touches the database or the network. Who holds the answers (a saved test, a template's test) implements
`FrozenAnswers`; the rest is the same for all of them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, Protocol

from integrations.framework import registry
from workflows.definition.wording import gettext as _
from workflows.engine.effects import default_class
from workflows.engine.interface import (
    Answer,
    CodeRunner,
    CommittedStep,
    Completed,
    EffectCall,
    EffectClass,
    EffectKind,
    EffectResult,
    Failed,
    Json,
    Outcome,
    RunInput,
    StepError,
    StepRecord,
    StepStatus,
    Suspended,
    WakeKind,
)
from workflows.engine.walk import Walk

MAX_WALKS = 5_000  # a run that waits more often than this is taken for one that never ends
ANSWERED = frozenset({WakeKind.APPROVAL, WakeKind.WAIT, WakeKind.CHILD})
DEADLINE = object()
"""What a frozen answer may be for a step that waits: nobody answers and its time runs out."""


class OutOfTime(Exception):
    """The trial took longer than it was given."""


class FrozenAnswers(Protocol):
    """The other side, as it was written down."""

    def call(self, call: EffectCall) -> EffectResult:
        """Return what the call gives. Raises EffectError."""

    def waiting(self, kind: WakeKind, path: str) -> Json:
        """Return what arrives for a step that waits (engine.interface.Answer.value), DEADLINE, or None: no answer."""


@dataclass(slots=True)
class Trial:
    """What a run against frozen answers did.

    outcome: COMPLETED, FAILED, CANCELLED or WAITING. calls: in order, each as often as it was tried. output: of a
    completed run. error: of a failed one, else None. message: why it ended, in words. records: step path -> newest try.
    waits: paths of the steps that nobody answered.
    """

    outcome: str
    calls: list[EffectCall] = field(default_factory=list)
    output: Any = None
    error: StepError | None = None
    message: str = ""
    records: dict[str, StepRecord] = field(default_factory=dict)
    waits: list[str] = field(default_factory=list)

    def sent(self, path: str) -> Any:
        """Return what was sent by the call at a path, None when there was none."""
        found = next((call for call in self.calls if call.path == path), None)
        return None if found is None else sent_by(found)

    def steps(self) -> dict[str, dict[str, Any]]:
        """Return step id -> {"output", "status", "error"} as expressions see it; of loop rounds, the last."""
        return {
            record.step_id: {
                "output": record.output if record.status is StepStatus.COMPLETED else None,
                "status": str(record.status),
                "error": record.error,
            }
            for record in self.records.values()
        }


def sent_by(call: EffectCall) -> Any:
    """Return what a call sends: an action's fields, or the inputs of any other call."""
    return call.inputs.get("with") if call.kind is EffectKind.ACTION else dict(call.inputs)


def run(
    started: RunInput, answers: FrozenAnswers, *, seconds: float, code: CodeRunner | None = None
) -> Trial:
    """Run a definition to its end, or to a question that nobody answers. Raises OutOfTime after `seconds`."""
    return asyncio.run(run_in_loop(started, answers, seconds=seconds, code=code))


async def run_in_loop(
    started: RunInput, answers: FrozenAnswers, *, seconds: float, code: CodeRunner | None = None
) -> Trial:
    """As run(), inside an event loop."""
    ends = time.monotonic() + seconds
    clock, journal = _Clock(started.started_at), _Journal(ends)
    effects = _FrozenEffects(answers)
    outcome: Outcome | None = None
    try:
        async with asyncio.timeout(seconds):
            for _turn in range(MAX_WALKS):
                outcome = await Walk(started, journal, effects, clock, code).run()
                if not isinstance(outcome, Suspended) or not _go_on(outcome, journal, clock, answers):
                    break
    except TimeoutError:
        raise OutOfTime from None
    return _trial(outcome, effects.calls, journal)


def _go_on(waiting: Suspended, journal: _Journal, clock: _Clock, answers: FrozenAnswers) -> bool:
    """Answer what the run waits for, or let time pass; return whether anything changed."""
    moved = False
    for condition in waiting.wake_on:
        if condition.kind not in ANSWERED:
            continue
        answer = answers.waiting(condition.kind, condition.path)
        if answer is DEADLINE:
            continue
        if answer is None:
            return False  # nobody answers, and the clock is not moved to the deadline by accident
        if condition.path not in journal.given:
            journal.given[condition.path] = Answer(condition.kind, answer, clock.now())
            moved = True
    if not moved and waiting.wake_at is not None and waiting.wake_at > clock.now():
        clock.at = waiting.wake_at
        moved = True
    return moved


def _trial(outcome: Outcome | None, calls: list[EffectCall], journal: _Journal) -> Trial:
    if isinstance(outcome, Completed):
        ended = {"FAILURE": "FAILED", "CANCELLED": "CANCELLED"}.get(outcome.result, "COMPLETED")
        return Trial(ended, calls, outcome.output, None, outcome.message, journal.rows)
    if isinstance(outcome, Failed):
        return Trial("FAILED", calls, None, outcome.error, outcome.error.message, journal.rows)
    if isinstance(outcome, Suspended):
        waits = [condition.path for condition in outcome.wake_on if condition.kind in ANSWERED]
        return Trial("WAITING", calls, None, None, _("It waits for an answer."), journal.rows, waits)
    return Trial("CANCELLED", calls, records=journal.rows)


class _FrozenEffects:
    """Effects whose results were written down before; see workflows.engine.interface.Effects."""

    def __init__(self, answers: FrozenAnswers) -> None:
        self.answers = answers
        self.calls: list[EffectCall] = []

    def effect_class(self, kind: EffectKind, inputs: Mapping[str, Any]) -> EffectClass:
        return class_of(kind, inputs)

    async def perform(self, call: EffectCall) -> EffectResult:
        self.calls.append(call)
        return self.answers.call(call)

    async def give_up(self, path: str) -> None:
        """Nothing was started here, so nothing is to be cancelled."""

    async def look_up(self, call: EffectCall) -> EffectResult | None:
        return None


def class_of(kind: EffectKind, inputs: Mapping[str, Any]) -> EffectClass:
    """Return whether a call changes anything outside, and whether it may be repeated."""
    if kind is not EffectKind.ACTION:
        return default_class(kind, inputs)
    try:
        return EffectClass(registry.get(str(inputs["provider"])).action(str(inputs["operation"])).effect)
    except KeyError:
        return EffectClass.UNSAFE


class _Journal:
    """A journal in memory. Raises OutOfTime at the first step after `ends` (monotonic seconds)."""

    def __init__(self, ends: float) -> None:
        self.ends = ends
        self.rows: dict[str, StepRecord] = {}
        self.given: dict[str, Answer] = {}

    def load(self) -> Mapping[str, CommittedStep]:
        return {
            path: CommittedStep(
                status=row.status, output=row.output, error=row.error, attempt=row.attempt,
                effect_state=row.effect_state, idempotency_key=row.idempotency_key, started_at=row.started_at,
                finished_at=row.finished_at, recorded=row.recorded, input=row.input,
            )
            for path, row in self.rows.items()
        }  # fmt: skip

    def answers(self) -> Mapping[str, Answer]:
        return dict(self.given)

    def append(self, record: StepRecord) -> None:
        if time.monotonic() > self.ends:
            raise OutOfTime
        before = self.rows.get(record.path)
        if before is None or record.attempt >= before.attempt:
            self.rows[record.path] = record

    async def commit(self, record: StepRecord) -> None:
        self.append(record)

    intend = commit

    async def flush(self) -> None:
        return None


class _Clock:
    """A clock that only moves when something sleeps or waits."""

    def __init__(self, start: datetime) -> None:
        self.at = start
        self.random = Random(7)  # noqa: S311 - the jitter of a retry, repeatable

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
