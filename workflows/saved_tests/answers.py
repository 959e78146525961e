"""The other side of a saved test: what the calls of the recorded run answered, given again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from workflows import trial
from workflows.engine.interface import (
    EffectCall,
    EffectError,
    EffectKind,
    EffectResult,
    ErrorClass,
    Json,
    StepError,
    WakeKind,
)
from workflows.queries.recipe import operation_title
from workflows.saved_tests.freeze import fingerprint
from workflows.steps.sandbox import Sandbox

_ROUND = re.compile(r"\[(\d+)\]")
WAITS = {EffectKind.APPROVAL, EffectKind.WAIT}


class RecordedAnswers:
    """Answers by step path and try. unanswered: (step id, what was asked of whom) for which there were none.

    A step that was moved keeps its answers: they are found by its id and its loop rounds.
    """

    def __init__(self, answers: Mapping[str, list[dict[str, Any]]]) -> None:
        self.answers = answers
        self.unanswered: list[tuple[str, str]] = []
        self._by_step = {(_step_of(path), *_ROUND.findall(path)): path for path in answers}

    def call(self, call: EffectCall) -> EffectResult:
        if call.kind is EffectKind.RESPOND:
            return EffectResult(None)
        if call.kind in WAITS or (call.kind is EffectKind.WORKFLOW and call.inputs.get("wait")):
            return EffectResult(
                {"id": call.key, "execution_id": call.key, "url": "https://example.com/resume/"}
            )
        found = self.of(call.path, call.attempt)
        if found is None:
            self.unanswered.append((call.step_id, asked(call)))
            raise EffectError(StepError(ErrorClass.PERMANENT, _("The test has no answer for this step.")))
        if "error" in found:
            raise EffectError(error_of(found["error"]))
        return EffectResult(found.get("output"))

    def waiting(self, kind: WakeKind, path: str) -> Json:
        found = self.of(path, 1)
        if found is None:
            self.unanswered.append((_step_of(path), _waited(kind)))
            return None
        if "deadline" in found:
            return trial.DEADLINE
        if kind is not WakeKind.CHILD:
            return found.get("output") if found.get("output") is not None else {}
        if "error" in found:
            return {"status": "FAILED", "result": "FAILURE", "error": error_of(found["error"]).as_json()}
        return {"status": "COMPLETED", "result": "SUCCESS", "output": found.get("output")}

    def of(self, path: str, attempt: int) -> dict[str, Any] | None:
        """Return what a try of the step gave; a try that never was repeats the last one."""
        tries = self.answers.get(path)
        if tries is None:
            moved = self._by_step.get((_step_of(path), *_ROUND.findall(path)))
            tries = self.answers.get(moved or "")
        return tries[min(attempt, len(tries)) - 1] if tries else None


class RecordedPrograms:
    """CodeRunner of a saved test: an unchanged program with unchanged inputs gives what it gave; any other really runs.

    Programs have no way out of their sandbox, so running one changes nothing outside.
    """

    def __init__(self, answers: RecordedAnswers) -> None:
        self.answers = answers
        self._sandbox: Sandbox | None = None

    async def run(
        self,
        language: str,
        source: str,
        inputs: Mapping[str, Json],
        *,
        timeout: float,
        now: datetime,
        seed: str,
    ) -> Json:
        found = self.answers.of(seed.partition(":")[2], 1)
        if found is not None and found.get("program") == fingerprint(language, source, inputs):
            if "error" in found:
                raise EffectError(error_of(found["error"]))
            return found.get("output")
        if self._sandbox is None:
            self._sandbox = Sandbox(max_processes=1)
        return await self._sandbox.run(language, source, inputs, timeout=timeout, now=now, seed=seed)

    async def close(self) -> None:
        """End the sandbox's processes, if there are any."""
        if self._sandbox is not None:
            await self._sandbox.close()


def error_of(data: Mapping[str, Any]) -> StepError:
    """Return a frozen error. A connection that had to be renewed then counts as a plain failure now."""
    kind = str(data.get("class") or "")
    known = kind in set(ErrorClass) and kind != ErrorClass.RECONNECT
    return StepError(
        ErrorClass(kind) if known else ErrorClass.PERMANENT,
        str(data.get("message") or ""),
        str(data.get("detail") or ""),
    )


def asked(call: EffectCall) -> str:
    """Return whom a call asks, in words: a service's operation, a web address, a model, a workflow."""
    if call.kind is EffectKind.ACTION:
        provider, operation = str(call.inputs.get("provider")), str(call.inputs.get("operation"))
        return operation_title(provider, operation) or f"{provider.title()}: {operation}"
    if call.kind is EffectKind.HTTP:
        return urlsplit(str(call.inputs.get("url"))).netloc or str(call.inputs.get("url"))[:80]
    if call.kind is EffectKind.AI:
        return _("an AI model")
    return _("another workflow")


def _waited(kind: WakeKind) -> str:
    if kind is WakeKind.APPROVAL:
        return _("a person")
    return _("another workflow") if kind is WakeKind.CHILD else _("another system")


def _step_of(path: str) -> str:
    return path.rsplit(".", 1)[-1]
