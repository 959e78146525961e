"""Starting again from a step with changed data: what may be changed, as fields, and how the answers are read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from workflows.definition.problems import DefinitionInvalid
from workflows.definition.schema import parse_definition
from workflows.definition.tree import find_step
from workflows.engine.limits import MAX_STEP_OUTPUT_BYTES
from workflows.models import Execution, ExecutionStep
from workflows.queries.timeline import step_words
from workflows.runner.recovery import NotRecoverable, steps_before

TRIGGER = "trigger"
MAX_SOURCES = 40  # steps on one page; those that the step refers to come first
MAX_ENTRIES = 12  # an object with more values is edited as JSON
MAX_EDITED_CHARS = 60_000  # what is longer keeps its recorded value
LONG_TEXT = 80
_STEP = re.compile(r"\bsteps\.([A-Za-z_]\w*)")
_ROUND = re.compile(r"\[\d+\]")


@dataclass(slots=True)
class Entry:
    """One value of an object, as a field. kind: text, lines, number, truth or empty. text: what the field holds."""

    name: str
    label: str
    kind: str
    text: str
    problem: str = ""


@dataclass(slots=True)
class Source:
    """Data that the step may have used. key: a step path or "trigger". text: JSON, where there are no entries."""

    key: str
    title: str
    value: Any
    name: str
    is_used: bool = False
    is_large: bool = False
    entries: list[Entry] = field(default_factory=list)
    text: str = ""
    problem: str = ""


@dataclass(slots=True)
class ForkForm:
    """A fork that is being prepared. changed: source key -> new value, once read() said yes."""

    target: ExecutionStep
    title: str
    sources: list[Source]
    hidden: int = 0
    changed: dict[str, Any] = field(default_factory=dict)

    def read(self, data: Mapping[str, str]) -> bool:
        """Take over what was sent; return whether all of it can be used. Fields that were not sent stay as recorded."""
        self.changed = {}
        for source in self.sources:
            _read(source, data)
            if not source.problem and not any(entry.problem for entry in source.entries):
                value = _value(source)
                if json.dumps(value) != json.dumps(source.value):
                    if len(json.dumps(value).encode()) > MAX_STEP_OUTPUT_BYTES:
                        source.problem = _("This is too long. Keep it below 5 MB.")
                    else:
                        self.changed[source.key] = value
        return not any(
            source.problem or any(entry.problem for entry in source.entries) for source in self.sources
        )


def fork_form(execution: Execution, path: str, *, as_json: bool = False) -> ForkForm:
    """Return the form for starting again at the step `path` of a run that has ended. Raises NotRecoverable.

    as_json: ask for JSON also where there could be a field for each value.
    """
    if not execution.is_finished:
        raise NotRecoverable(_("This run has not ended yet. Cancel it first, or wait for its end."))
    rows = ExecutionStep.objects.filter(execution=execution).order_by("path", "-attempt").distinct("path")
    steps = sorted(rows.defer("input", "output", "recorded", "error"), key=lambda step: step.pk)
    target = next((step for step in steps if step.path == path), None)
    if target is None or target.started_at is None:
        raise NotRecoverable(_("This run never reached that step, so nothing can begin there."))
    near = [step for step in steps_before(steps, target) if _is_in_reach(step.path, path)]
    used = _used_by(execution, path)
    near.sort(key=lambda step: (step.step_id not in used, step.pk))
    shown = near[:MAX_SOURCES]
    outputs = dict(
        ExecutionStep.objects.filter(execution=execution, pk__in=[step.pk for step in shown]).values_list(
            "pk", "output"
        )
    )
    started = Execution.objects.values_list("input", flat=True).get(pk=execution.pk)
    sources = [Source(TRIGGER, _("What started the run"), started, "s0", is_used=TRIGGER in used)]
    for number, step in enumerate(shown, start=1):
        title = step_words(execution, step.path)
        sources.append(
            Source(step.path, title, outputs.get(step.pk), f"s{number}", is_used=step.step_id in used)
        )
    for source in sources:
        _fill(source, as_json)
    return ForkForm(target, step_words(execution, path), sources, hidden=len(near) - len(shown))


def _is_in_reach(source: str, target: str) -> bool:
    """Return whether a step at `target` could name the one at `source`: not from inside another round of a loop."""
    rounds = [source[: each.end()] for each in _ROUND.finditer(source)]
    return all(target.startswith(f"{inside}.") for inside in rounds)


def _used_by(execution: Execution, path: str) -> set[str]:
    """Return the ids of the steps that the step at `path` refers to, and "trigger"; none when that cannot be told."""
    data = execution.version.definition if execution.version is not None else execution.draft_definition
    try:
        step = find_step(parse_definition(data), path)
    except DefinitionInvalid:
        return set()
    text = step.model_dump_json() if step is not None else ""
    found = set(_STEP.findall(text))
    return found | {TRIGGER} if re.search(r"\b(trigger|inputs)\b", text) else found


def _fill(source: Source, as_json: bool) -> None:
    text = json.dumps(source.value, indent=2, ensure_ascii=False)
    if len(text) > MAX_EDITED_CHARS:
        source.is_large = True
    elif not as_json and _is_flat(source.value):
        source.entries = [
            Entry(f"{source.name}-{number}", str(key), _kind(value), _text(value))
            for number, (key, value) in enumerate(source.value.items())
        ]
    else:
        source.text = text


def _is_flat(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and 0 < len(value) <= MAX_ENTRIES
        and all(each is None or isinstance(each, str | int | float | bool) for each in value.values())
    )


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, int | float):
        return "number"
    if value is None:
        return "empty"
    return "lines" if len(value) > LONG_TEXT or "\n" in value else "text"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _read(source: Source, data: Mapping[str, str]) -> None:
    source.problem = ""
    if source.is_large:
        return
    if not source.entries:
        source.text = data.get(source.name, source.text)
        try:
            json.loads(source.text, parse_constant=_refuse)
        except json.JSONDecodeError as broken:
            source.problem = _("Line %(line)s, character %(column)s: this is not valid JSON.") % {
                "line": broken.lineno, "column": broken.colno,
            }  # fmt: skip
        except (ValueError, RecursionError):
            source.problem = _("This is not valid JSON.")
        return
    for entry in source.entries:
        entry.problem = ""
        # Browsers send CR LF for a line's end; what was recorded has what its sender wrote.
        sent = data.get(entry.name, entry.text)
        entry.text = sent.replace("\r\n", "\n") if "\r\n" not in entry.text else sent
        if entry.kind == "number" and _number(entry.text) is None:
            entry.problem = _("Enter a number, such as 12 or 12.5.")
        if entry.kind == "truth" and entry.text not in {"true", "false"}:
            entry.problem = _("Choose yes or no.")


def _refuse(word: str) -> Any:
    raise ValueError(word)


def _number(text: str) -> int | float | None:
    try:
        found = json.loads(text.strip(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, int | float) and not isinstance(found, bool) else None


def _value(source: Source) -> Any:
    if source.is_large:
        return source.value
    if not source.entries:
        return json.loads(source.text)
    return {key: _entry_value(entry) for key, entry in zip(source.value, source.entries, strict=True)}


def _entry_value(entry: Entry) -> Any:
    if entry.kind == "number":
        return _number(entry.text)
    if entry.kind == "truth":
        return entry.text == "true"
    if entry.kind == "empty":
        return entry.text or None
    return entry.text
