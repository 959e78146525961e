"""From a run to what a test needs: what started it, and what every call of its journal answered."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from workflows.definition.problems import DefinitionInvalid
from workflows.definition.schema import Definition, parse_definition
from workflows.definition.steps import CodeStep
from workflows.definition.tree import find_step
from workflows.models import Approval, Execution, ExecutionStep
from workflows.saved_tests.secrecy import without_secrets

CALLS = ("action", "http", "ai", "code", "approval", "wait", "workflow")
MAX_TRIES = 2_000  # rows of the journal that one test keeps
MAX_BYTES = 2 * 1024 * 1024  # of input and answers together, as JSON
Status = ExecutionStep.Status


class NotFreezable(Exception):
    """This run cannot become a test; `str()` says why and what to do."""


@dataclass(slots=True)
class Frozen:
    """A run as data. answers: step path -> what each try gave, oldest first: {"output"} | {"error"} | {"deadline"}.

    A code step's answer also has "program": the answer holds for this program and these inputs only.
    """

    input: Any
    started: dict[str, Any]
    definition: dict[str, Any]
    answers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def freeze(execution: Execution) -> Frozen:
    """Return a finished run as data without secrets; in its organization's scope. Raises NotFreezable."""
    if execution.mode == Execution.Mode.DRY_RUN:
        raise NotFreezable(_("A dry run has no real answers to keep. Save a real run or a test run instead."))
    if execution.status not in (Execution.Status.COMPLETED, Execution.Status.FAILED):
        raise NotFreezable(
            _("Only a run that completed or failed can be saved. Wait for the end of this one.")
        )
    data = execution.version.definition if execution.version is not None else execution.draft_definition
    try:
        definition = parse_definition(data)
    except DefinitionInvalid:
        raise NotFreezable(_("This version can no longer be read. Save a run of a newer version.")) from None
    started = {
        "by": execution.triggered_by,
        "at": execution.started_at.isoformat(),
        "run": str(execution.pk),
        "mode": execution.mode,
    }
    frozen = Frozen(without_secrets(execution.input), started, data or {})
    rows = ExecutionStep.objects.filter(execution=execution, step_type__in=CALLS).order_by("path", "attempt")
    found = list(rows[: MAX_TRIES + 1])
    if len(found) > MAX_TRIES:
        raise NotFreezable(_("This run made too many calls for a test. Save one with less data."))
    decided = _decisions(execution) if any(row.step_type == "approval" for row in found) else {}
    for row in found:
        answer = _answer(row, definition, decided)
        if answer is not None:
            frozen.answers.setdefault(row.path, []).append(without_secrets(answer))
    if len(json.dumps([frozen.input, frozen.answers]).encode()) > MAX_BYTES:
        raise NotFreezable(_("This run carries too much data for a test. Save one with less data."))
    return frozen


def fingerprint(language: str, source: str, inputs: Any) -> str:
    """Return what tells one program with its inputs from another."""
    text = json.dumps([language, source, inputs], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _answer(row: ExecutionStep, definition: Definition, decided: dict[str, str]) -> dict[str, Any] | None:
    if row.step_type == "approval":
        return _decision(row, decided)
    if row.status == Status.COMPLETED:
        return {"output": row.output} | _program(row, definition)
    # Without an input nothing was asked: what failed was the step's own text, and a test renders that itself.
    if row.status != Status.FAILED or (row.input is None and row.step_type != "wait"):
        return None
    error = row.error if isinstance(row.error, dict) else {}
    if row.step_type == "wait":
        return {"deadline": True}
    return {"error": {key: error.get(key) for key in ("class", "message", "detail")}} | _program(
        row, definition
    )


def _program(row: ExecutionStep, definition: Definition) -> dict[str, str]:
    step = find_step(definition, row.path) if row.step_type == "code" else None
    if not isinstance(step, CodeStep):
        return {}
    return {"program": fingerprint(step.language, step.source, row.input)}


def _decision(row: ExecutionStep, decided: dict[str, str]) -> dict[str, Any] | None:
    if row.status == Status.COMPLETED and isinstance(row.output, dict):
        if row.output.get("by_deadline"):
            return {"deadline": True}
        return {"output": {key: row.output.get(key) for key in ("decision", "form", "who")}}
    status = decided.get(row.path, "")
    if status == Approval.Status.REJECTED:
        return {"output": {"decision": "reject", "form": {}, "who": []}}
    return {"deadline": True} if status == Approval.Status.EXPIRED or row.status == Status.FAILED else None


def _decisions(execution: Execution) -> dict[str, str]:
    rows = Approval.objects.filter(execution=execution, kind=Approval.Kind.APPROVAL)
    return dict(rows.values_list("path", "status"))
