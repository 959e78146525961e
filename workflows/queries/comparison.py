"""Two runs side by side: what each step did in either, and which values differ. Few queries, however long the runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from workflows.models import Execution
from workflows.queries.recipe import LOOK, RecipeStep
from workflows.queries.timeline import recipe_of_run

MAX_STEPS = 400  # outside of loops, of one run
MAX_DIFFERING = 60  # steps whose values are read and compared
MAX_PAYLOAD_BYTES = 300_000
MAX_VALUES = 40  # differing values shown of one payload
MAX_SHOWN_CHARS = 300
MAX_FLAT_VALUES = 5_000
_NOTHING = object()

# The newest try of every step outside of loops; hashes tell what differs without reading it.
_STEPS = """
SELECT DISTINCT ON (execution_id, path) execution_id, id, path, status, attempt, duration_ms, tokens, cost_usd,
  error ->> 'message', md5(input::text), md5(output::text),
  coalesce(pg_column_size(input), 0) + coalesce(pg_column_size(output), 0)
FROM workflows_executionstep WHERE execution_id = ANY(%(runs)s) AND path NOT LIKE '%%[%%'
ORDER BY execution_id, path, attempt DESC LIMIT %(most)s
"""
_LOOPS = """
SELECT execution_id, split_part(path, '[', 1), max(substring(path FROM '\\[(\\d+)\\]')::int) + 1,
  count(DISTINCT substring(path FROM '\\[(\\d+)\\]')) FILTER (WHERE status = 'FAILED')
FROM workflows_executionstep WHERE execution_id = ANY(%(runs)s) AND path LIKE '%%[%%' GROUP BY 1, 2
"""
_PAYLOADS = """
SELECT id, input, output FROM workflows_executionstep WHERE execution_id = ANY(%(runs)s) AND id = ANY(%(ids)s)
"""
_RUNS = "SELECT id, input, output FROM workflows_execution WHERE id = ANY(%(runs)s)"


@dataclass(slots=True)
class Did:
    """What a step did in one run. rounds, failed: of a loop."""

    pk: Any
    status: str
    attempt: int
    duration_ms: int | None
    tokens: int
    cost_usd: Any
    message: str
    hashes: tuple[str | None, str | None]
    size: int
    rounds: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that differs. path: like `lines[0].price`, "" for the whole. first, second: None for no value."""

    path: str
    first: str | None
    second: str | None


@dataclass(slots=True)
class Payload:
    """Input or output of a step in both runs. hidden: differing values that are not shown. note: why none are."""

    label: str
    differences: list[Difference] = field(default_factory=list)
    hidden: int = 0
    note: str = ""


@dataclass(slots=True)
class Row:
    """One step, in both runs."""

    title: str
    path: str
    icon: str
    first: Did | None
    second: Did | None
    payloads: list[Payload] = field(default_factory=list)

    @property
    def is_different(self) -> bool:
        """Return whether anything but the time it took differs."""
        if self.first is None or self.second is None:
            return self.first is not self.second
        return bool(self.payloads) or (
            (self.first.status, self.first.message, self.first.rounds, self.first.failed)
            != (self.second.status, self.second.message, self.second.rounds, self.second.failed)
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs. whole: what started them and what came out, where that differs. rows: their steps in reading order."""

    first: Execution
    second: Execution
    whole: list[Payload]
    rows: list[Row]

    @property
    def different(self) -> int:
        return sum(row.is_different for row in self.rows)


def compare(first: Execution, second: Execution) -> Comparison:
    """Compare two runs that the reader may see; both with their version."""
    runs = {"runs": [first.pk, second.pk]}
    did = _steps(runs)
    with connection.cursor() as cursor:
        cursor.execute(_LOOPS, runs)
        for run, loop, rounds, failed in cursor.fetchall():
            if step := did.get((run, loop)):
                step.rounds, step.failed = rounds or 0, failed
        cursor.execute(_RUNS, runs)
        ends = {row[0]: [_json(each) for each in row[1:]] for row in cursor.fetchall()}
    rows = [
        Row(title, path, icon, did.get((first.pk, path)), did.get((second.pk, path)))
        for path, title, icon in _places(first, second, did)
    ]
    _add_payloads([row for row in rows if _differs(row)], runs)
    whole = _payloads(
        (_("What started them"), _("What came out")), ends.get(first.pk, []), ends.get(second.pk, [])
    )
    return Comparison(first, second, whole, rows)


def differences(first: Any, second: Any) -> list[Difference]:
    """Return the values that differ between two JSON values, in reading order; [] when they are the same."""
    left, right = _flat(first), _flat(second)
    if len(left) > MAX_FLAT_VALUES or len(right) > MAX_FLAT_VALUES:
        return [Difference("", _shown(first), _shown(second))] if first != second else []
    found = []
    for path in dict.fromkeys((*left, *right)):
        before, after = left.get(path, _NOTHING), right.get(path, _NOTHING)
        if json.dumps(before, default=str) != json.dumps(after, default=str):
            found.append(Difference(path, *_both(before, after)))
    return found


def previous_good_run(execution: Execution) -> Execution | None:
    """Return the newest successful live run of the workflow before this one, without its payload."""
    rows = Execution.objects.filter(
        workflow_id=execution.workflow_id,
        status=Execution.Status.COMPLETED,
        started_at__lt=execution.started_at,
    )
    return rows.exclude(pk=execution.pk).only("id", "organization_id").order_by("-started_at").first()


def _steps(runs: dict[str, Any]) -> dict[tuple[Any, str], Did]:
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(_STEPS, runs | {"most": 2 * MAX_STEPS})
        for (
            run,
            pk,
            path,
            status,
            attempt,
            took,
            tokens,
            cost,
            message,
            given,
            gave,
            size,
        ) in cursor:
            found[run, path] = Did(
                pk, status, attempt, took, tokens, cost, message or "", (given, gave), size
            )  # fmt: skip
    return found


def _places(
    first: Execution, second: Execution, did: dict[tuple[Any, str], Did]
) -> Iterator[tuple[str, str, str]]:
    """Yield (path, title, icon) of the steps that either run did, as the second's recipe reads."""
    reached = {path for _run, path in did}
    seen: set[str] = set()
    for run in (second, first):
        for step in _walk(recipe_of_run(run)):
            if step.path in reached and step.path not in seen:
                seen.add(step.path)
                yield step.path, step.title, step.icon
    for path in sorted(reached - seen):
        yield path, path, LOOK["set"][0]


def _walk(recipe: list[RecipeStep]) -> Iterator[RecipeStep]:
    for step in recipe:
        yield from step.walk()


def _differs(row: Row) -> bool:
    return row.first is not None and row.second is not None and row.first.hashes != row.second.hashes


def _add_payloads(rows: list[Row], runs: dict[str, Any]) -> None:
    labels = (_("What it was given"), _("What it gave"))
    read = [row for row in rows if _size(row) <= MAX_PAYLOAD_BYTES][:MAX_DIFFERING]
    ids = [did.pk for row in read for did in (row.first, row.second) if did is not None]
    with connection.cursor() as cursor:
        cursor.execute(_PAYLOADS, runs | {"ids": ids})
        values = {pk: [_json(given), _json(gave)] for pk, given, gave in cursor.fetchall()}
    for row in rows:
        if row in read and row.first is not None and row.second is not None:
            row.payloads = _payloads(labels, values.get(row.first.pk, []), values.get(row.second.pk, []))
        else:
            row.payloads = [
                Payload(_("Data"), note=_("Different, and too much to compare here. Open both runs."))
            ]


def _size(row: Row) -> int:
    return max(did.size for did in (row.first, row.second) if did is not None)


def _payloads(labels: tuple[str, ...], first: list[Any], second: list[Any]) -> list[Payload]:
    made = []
    for label, before, after in zip(labels, first, second, strict=False):
        if found := differences(before, after):
            made.append(Payload(label, found[:MAX_VALUES], max(0, len(found) - MAX_VALUES)))
    return made


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    """Return path -> scalar or empty container, as the value reads."""
    if isinstance(value, dict) and value:
        found: dict[str, Any] = {}
        for key, each in value.items():
            found |= _flat(each, f"{path}.{key}" if path else str(key))
        return found
    if isinstance(value, list) and value:
        found = {}
        for number, each in enumerate(value):
            found |= _flat(each, f"{path}[{number}]")
        return found
    return {path: value}


def _both(before: Any, after: Any) -> tuple[str | None, str | None]:
    """Return both as text; long texts are cut around the place where they begin to differ."""
    if isinstance(before, str) and isinstance(after, str) and max(len(before), len(after)) > MAX_SHOWN_CHARS:
        same = next(
            (n for n, (one, other) in enumerate(zip(before, after, strict=False)) if one != other),
            min(len(before), len(after)),
        )
        start = max(0, same - 60)
        return _cut(before, start), _cut(after, start)
    return _shown(before), _shown(after)


def _cut(text: str, start: int) -> str:
    end = start + MAX_SHOWN_CHARS
    return f"{'…' if start else ''}{text[start:end]}{'…' if len(text) > end else ''}"


def _shown(value: Any) -> str | None:
    if value is _NOTHING:
        return None
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN_CHARS else f"{text[:MAX_SHOWN_CHARS]}…"
