"""Running a template's saved tests offline: the real engine, with connector answers that were written down.

A test is {"name", "config", "trigger", "inputs", "answers", "expect"}:
  config: answers to the configuration form that differ from the template's examples.
  trigger, inputs: what started the run. A trigger's body stands for the inputs where none are given.
  answers: step path, or step id, -> what the call gives; {"$error": "permanent" | "temporary", "message"} fails it.
    For an approval: {"decision": "approve" | "reject", "form": {...}}; for a wait: the posted body; for both,
    {"$deadline": true} lets the time run out. Without an answer the run stays WAITING.
  expect: "outcome" (COMPLETED unless said, FAILED, CANCELLED, WAITING), "calls" (paths of all outside calls, in
    order), "sent" (step path -> the part of what was sent that must be as written), "output" (the same of the output).
Time is a virtual clock that begins on a Monday morning; delays pass at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from integrations.framework import registry
from templates_lib.placeholders import example_configuration, resolve
from workflows.definition.schema import parse_definition
from workflows.engine.effects import default_class
from workflows.engine.interface import (
    Answer,
    CommittedStep,
    Completed,
    EffectCall,
    EffectClass,
    EffectError,
    EffectKind,
    EffectResult,
    ErrorClass,
    Failed,
    Outcome,
    RunInput,
    StepError,
    StepRecord,
    Suspended,
    WakeKind,
)
from workflows.engine.walk import Walk
from workflows.steps import compile_workflow

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # a Monday
MAX_WALKS = 200
DEADLINE = {"$deadline": True}
ANSWERED = frozenset({WakeKind.APPROVAL, WakeKind.WAIT, WakeKind.CHILD})


@dataclass(slots=True)
class Trial:
    """What a run against frozen answers did. calls: in order; output: of a completed run; error: of a failed one."""

    outcome: str
    calls: list[EffectCall] = field(default_factory=list)
    output: Any = None
    error: str = ""

    def sent(self, path: str) -> Any:
        """Return what was sent by the call at a path: an action's fields, or the inputs of any other call."""
        found = next((call for call in self.calls if call.path == path), None)
        if found is None:
            return None
        return found.inputs.get("with") if found.kind is EffectKind.ACTION else found.inputs


def run(definition: Mapping[str, Any], test: Mapping[str, Any]) -> Trial:
    """Run a definition whose placeholders are resolved as a saved test says. Raises DefinitionInvalid."""
    trigger = test.get("trigger") or {"type": "manual", "body": test.get("inputs") or {}}
    body = trigger.get("body") if isinstance(trigger, dict) else None
    inputs = test.get("inputs", body if isinstance(body, dict) else {})
    compiled = compile_workflow(parse_definition(definition))
    surroundings: dict[str, Any] = {
        "organization": {"name": "Alder Bakery", "timezone": "UTC"},
        "workflow": {"id": "00000000-0000-7000-8000-000000000000", "name": "Trial"},
        "execution": {
            "id": "trial",
            "started_at": START.isoformat(),
            "triggered_by": "MANUAL",
            "mode": "TEST",
        },
    }
    started = RunInput("trial", compiled, START, trigger=trigger, inputs=inputs, **surroundings)
    return asyncio.run(_finish(started, test.get("answers") or {}))


def failures(template: Mapping[str, Any], test: Mapping[str, Any]) -> list[str]:
    """Return what differs from a saved test's expectations, one sentence each; nothing when it passes."""
    configuration = {**example_configuration(template.get("configuration_schema")), **test.get("config", {})}
    expected = test.get("expect") or {}
    done = run(resolve(template["definition"], configuration), test)
    found = []
    outcome = expected.get("outcome", "COMPLETED")
    if done.outcome != outcome:
        found.append(f"the run ended as {done.outcome}, not {outcome}. {done.error}".strip())
    calls = [call.path for call in done.calls]
    if "calls" in expected and calls != expected["calls"]:
        found.append(f"it called {calls}, not {expected['calls']}")
    for path, wanted in (expected.get("sent") or {}).items():
        found += [f"{path} sent {each}" for each in differences(done.sent(path), wanted)]
    if "output" in expected:
        found += [f"the output is {each}" for each in differences(done.output, expected["output"])]
    return found


def differences(actual: Any, wanted: Any, place: str = "") -> list[str]:
    """Return where `actual` lacks what `wanted` says. {"$contains": text} asks for a part of a text only."""
    if isinstance(wanted, dict) and set(wanted) == {"$contains"}:
        if isinstance(actual, str) and wanted["$contains"] in actual:
            return []
        return [f"{place or 'it'} = {actual!r}, without {wanted['$contains']!r}"]
    if isinstance(wanted, dict) and isinstance(actual, Mapping):
        found = []
        for key, value in wanted.items():
            here = f"{place}.{key}" if place else str(key)
            found += differences(actual[key], value, here) if key in actual else [f"nothing for {here}"]
        return found
    return [] if actual == wanted else [f"{place or 'it'} = {actual!r}, not {wanted!r}"]


async def _finish(started: RunInput, answers: Mapping[str, Any]) -> Trial:
    clock, journal = _Clock(), _Journal()
    effects = _FrozenEffects(answers)
    outcome: Outcome | None = None
    for _turn in range(MAX_WALKS):
        outcome = await Walk(started, journal, effects, clock).run()
        if not isinstance(outcome, Suspended) or not _go_on(outcome, journal, clock, answers):
            break
    return _trial(outcome, effects.calls)


def _go_on(waiting: Suspended, journal: _Journal, clock: _Clock, answers: Mapping[str, Any]) -> bool:
    """Answer what the run waits for, or let time pass; return whether anything changed."""
    moved = False
    for condition in waiting.wake_on:
        answer = _frozen(answers, condition.path)
        if condition.kind not in ANSWERED or answer == DEADLINE:
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


def _trial(outcome: Outcome | None, calls: list[EffectCall]) -> Trial:
    if isinstance(outcome, Completed):
        ended = {"FAILURE": "FAILED", "CANCELLED": "CANCELLED"}.get(outcome.result, "COMPLETED")
        return Trial(ended, calls, outcome.output, outcome.message)
    if isinstance(outcome, Failed):
        return Trial("FAILED", calls, error=f"{outcome.error.step}: {outcome.error.message}")
    return Trial("WAITING" if isinstance(outcome, Suspended) else "CANCELLED", calls)


def _frozen(answers: Mapping[str, Any], path: str) -> Any:
    """Return the answer for a step path (`each[0].send`), or for its last step id."""
    return answers.get(path, answers.get(path.rsplit(".", 1)[-1]))


class _FrozenEffects:
    """The other side, as the test wrote it down."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = answers
        self.calls: list[EffectCall] = []

    def effect_class(self, kind: EffectKind, inputs: Mapping[str, Any]) -> EffectClass:
        if kind is not EffectKind.ACTION:
            return default_class(kind, inputs)
        try:
            return EffectClass(registry.get(inputs["provider"]).action(inputs["operation"]).effect)
        except KeyError:
            return EffectClass.UNSAFE

    async def perform(self, call: EffectCall) -> EffectResult:
        self.calls.append(call)
        answer = _frozen(self.answers, call.path)
        if call.kind in (EffectKind.APPROVAL, EffectKind.WAIT):
            return EffectResult({"id": call.key, "url": f"https://steward.example/resume/{call.step_id}"})
        if isinstance(answer, dict) and "$error" in answer:
            raise EffectError(
                StepError(ErrorClass(answer["$error"]), answer.get("message", "It did not work."))
            )
        if answer is None and call.kind is EffectKind.AI:
            raise EffectError(StepError(ErrorClass.PERMANENT, f"the test has no answer for {call.path}"))
        return EffectResult({} if answer is None else answer)

    async def look_up(self, call: EffectCall) -> EffectResult | None:
        return None


class _Journal:
    """A journal in memory."""

    def __init__(self) -> None:
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
        before = self.rows.get(record.path)
        if before is None or record.attempt >= before.attempt:
            self.rows[record.path] = record

    async def commit(self, record: StepRecord) -> None:
        self.append(record)

    intend = commit

    async def flush(self) -> None:
        return None


class _Clock:
    """A clock that only moves when something sleeps."""

    def __init__(self) -> None:
        self.at = START
        self.random = Random(7)  # noqa: S311 - the jitter of a retry, repeatable

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
