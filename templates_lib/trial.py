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

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from templates_lib.placeholders import example_configuration, resolve
from workflows import trial
from workflows.definition import waiting
from workflows.definition.schema import parse_definition
from workflows.engine.interface import (
    EffectCall,
    EffectError,
    EffectKind,
    EffectResult,
    ErrorClass,
    RunInput,
    StepError,
    WakeKind,
)
from workflows.steps import compile_workflow
from workflows.trial import Trial

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # a Monday
SECONDS = 30.0
DEADLINE = {"$deadline": True}


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
            waiting.NAME: waiting.example_addresses(compiled.addresses),
        },
    }
    started = RunInput("trial", compiled, START, trigger=trigger, inputs=inputs, **surroundings)
    return trial.run(started, _WrittenAnswers(test.get("answers") or {}), seconds=SECONDS)


def failures(template: Mapping[str, Any], test: Mapping[str, Any]) -> list[str]:
    """Return what differs from a saved test's expectations, one sentence each; nothing when it passes."""
    configuration = {**example_configuration(template.get("configuration_schema")), **test.get("config", {})}
    expected = test.get("expect") or {}
    done = run(resolve(template["definition"], configuration), test)
    found = []
    outcome = expected.get("outcome", "COMPLETED")
    if done.outcome != outcome:
        why = f"{done.error.step}: {done.error.message}" if done.error else done.message
        found.append(f"the run ended as {done.outcome}, not {outcome}. {why}".strip())
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


class _WrittenAnswers:
    """The other side, as the template's test wrote it down: by step path (`each[0].send`), or by the last step id."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = answers

    def call(self, call: EffectCall) -> EffectResult:
        answer = self._of(call.path)
        if call.kind in (EffectKind.APPROVAL, EffectKind.WAIT):
            return EffectResult({"id": call.key, "url": f"https://steward.example/resume/{call.step_id}"})
        if isinstance(answer, dict) and "$error" in answer:
            raise EffectError(
                StepError(ErrorClass(answer["$error"]), answer.get("message", "It did not work."))
            )
        if answer is None and call.kind is EffectKind.AI:
            raise EffectError(StepError(ErrorClass.PERMANENT, f"the test has no answer for {call.path}"))
        return EffectResult({} if answer is None else answer)

    def waiting(self, kind: WakeKind, path: str) -> Any:
        answer = self._of(path)
        return trial.DEADLINE if answer == DEADLINE else answer

    def _of(self, path: str) -> Any:
        return self.answers.get(path, self.answers.get(path.rsplit(".", 1)[-1]))
