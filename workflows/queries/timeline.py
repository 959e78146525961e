"""A run told along its recipe: each step with its tries, loops folded to their first rounds, nothing large read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Count, Max
from django.utils.translation import gettext as _

from workflows.access import STEP_PAYLOAD
from workflows.definition.problems import DefinitionInvalid
from workflows.definition.schema import parse_definition
from workflows.models import Execution, ExecutionStep
from workflows.queries.recipe import LOOK, RecipeStep, recipe_of

ROUNDS = 50  # of a loop on one page
_FAR_ROUND = r"\[(\d{3,}|[5-9]\d)\]"  # a round after the first ROUNDS
# How many rounds each outermost loop has begun, and how many of them hold a failed step.
_LOOPS = """
SELECT split_part(path, '[', 1) AS loop,
       max(substring(path FROM '\\[(\\d+)\\]')::int) + 1,
       count(DISTINCT substring(path FROM '\\[(\\d+)\\]')) FILTER (WHERE status = 'FAILED')
FROM workflows_executionstep WHERE execution_id = %s AND path LIKE '%%[%%' GROUP BY 1
"""
Status = ExecutionStep.Status


@dataclass(slots=True)
class Round:
    """One round of a loop. number: from 1."""

    number: int
    nodes: list[Node]

    @property
    def status(self) -> str:
        return _status_of(self.nodes)


@dataclass(slots=True)
class Way:
    """One way of a branch or parallel step that was gone."""

    label: str
    nodes: list[Node]


@dataclass(slots=True)
class Node:
    """One step as it went. attempts: its tries, oldest first. rounds: of a loop. total: rounds there are in all."""

    path: str
    title: str
    note: str
    icon: str
    type: str
    attempts: list[ExecutionStep] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)
    total: int = 0
    failed: int = 0

    @property
    def last(self) -> ExecutionStep | None:
        return self.attempts[-1] if self.attempts else None

    @property
    def status(self) -> str:
        """Return the newest try's status, "" for a step that was not reached."""
        return str(self.last.status) if self.last else ""

    @property
    def key(self) -> str:
        """Return the path as an HTML id."""
        return re.sub(r"[^a-z0-9]+", "-", self.path.lower()).strip("-")

    @property
    def more_from(self) -> int:
        """Return the first round not shown, 0 when all are."""
        shown = self.rounds[-1].number if self.rounds else 0
        return (
            shown if shown and (shown < self.total or (not self.total and len(self.rounds) == ROUNDS)) else 0
        )


def timeline_of(execution: Execution) -> list[Node]:
    """Return the run's steps along its recipe, the first rounds of loops included."""
    rows = _rows(execution).exclude(path__regex=_FAR_ROUND)
    nodes = _nodes(recipe_of_run(execution), "", _by_path(rows))
    totals = _loop_totals(execution)
    for node in nodes:
        _count(node, totals)
    return nodes


def rounds_of(execution: Execution, loop: str, start: int) -> Node | None:
    """Return the loop step at a concrete path with ROUNDS rounds from `start` (from 0); None for no such loop."""
    static = re.sub(r"\[\d+\]", "[]", loop)
    recipe = next(
        (step for top in recipe_of_run(execution) for step in top.walk() if step.path == static), None
    )
    if recipe is None or not any(block.path.endswith("[]") for block in recipe.blocks):
        return None
    numbers = "|".join(str(number) for number in range(start, start + ROUNDS))
    inside = f"^{re.escape(loop)}\\[({numbers})\\]"
    rows = (
        _rows(execution)
        .filter(path__regex=inside)
        .exclude(path__regex=rf"^{re.escape(loop)}\[\d+\].*{_FAR_ROUND}")
    )
    prefix = loop.removesuffix(recipe.id)
    node = _nodes([recipe], prefix, _by_path(rows))[0]
    _count(node, _loop_totals(execution))
    return node


def step_words(execution: Execution, path: str) -> str:
    """Return a step of the run as people know it: its title, and in a loop which round it was."""
    static = re.sub(r"\[\d+\]", "[]", path)
    title = next(
        (step.title for top in recipe_of_run(execution) for step in top.walk() if step.path == static), path
    )
    rounds = re.findall(r"\[(\d+)\]", path)
    if not rounds:
        return title
    return _("%(title)s (item %(number)s)") % {"title": title, "number": int(rounds[-1]) + 1}


def fingerprint(execution: Execution) -> str:
    """Return a short text that changes whenever the timeline would: cheap to ask for while a page watches."""
    seen = ExecutionStep.objects.filter(execution=execution).aggregate(
        rows=Count("pk"), done=Count("finished_at"), newest=Max("finished_at")
    )
    newest = seen["newest"].timestamp() if seen["newest"] else 0
    return f"{execution.status}-{execution.attempt}-{seen['rows']}-{seen['done']}-{newest:.3f}"


def _rows(execution: Execution) -> Any:
    return ExecutionStep.objects.filter(execution=execution).defer(*STEP_PAYLOAD)


def _by_path(rows: Iterable[ExecutionStep]) -> dict[str, list[ExecutionStep]]:
    found: dict[str, list[ExecutionStep]] = {}
    for row in rows:
        found.setdefault(row.path, []).append(row)
    for attempts in found.values():
        attempts.sort(key=lambda row: row.attempt)
    return found


def recipe_of_run(execution: Execution) -> list[RecipeStep]:
    """Return the recipe that a run follows, of its version or the draft it tried; needs `version` loaded."""
    data = execution.version.definition if execution.version is not None else execution.draft_definition
    try:
        return recipe_of(parse_definition(data))
    except (
        DefinitionInvalid
    ):  # published under earlier rules: the journal itself tells which steps there were
        rows = _rows(execution).filter(attempt=1).exclude(path__contains="[").order_by("id")
        return [
            RecipeStep(
                row.path,
                number,
                row.step_id,
                row.step_type,
                row.step_id,
                "",
                LOOK.get(row.step_type, ("zap",))[0],
                "",
            )
            for number, row in enumerate(rows, start=1)
        ]


def _nodes(recipe: list[RecipeStep], prefix: str, rows: dict[str, list[ExecutionStep]]) -> list[Node]:
    made = []
    for step in recipe:
        path = f"{prefix}{step.id}"
        node = Node(path, step.title, step.note, step.icon, step.type, rows.get(path, []))
        for block in step.blocks:
            suffix = block.path[len(step.path) :]
            if suffix == "[]":
                node.rounds = [
                    Round(number + 1, _nodes(block.steps, f"{path}[{number}].", rows))
                    for number in _numbers(path, rows)
                ]
            elif any(each.startswith(f"{path}{suffix}.") for each in rows):
                node.ways.append(Way(block.label, _nodes(block.steps, f"{path}{suffix}.", rows)))
        made.append(node)
    return made


def _numbers(path: str, rows: dict[str, list[ExecutionStep]]) -> list[int]:
    opening = f"{path}["
    found = {each[len(opening) :].split("]", 1)[0] for each in rows if each.startswith(opening)}
    return sorted(int(number) for number in found if number.isdigit())[:ROUNDS]


def _loop_totals(execution: Execution) -> dict[str, tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(_LOOPS, [execution.pk])
        return {loop: (rounds or 0, failed) for loop, rounds, failed in cursor.fetchall()}


def _count(node: Node, totals: dict[str, tuple[int, int]]) -> None:
    node.total, node.failed = totals.get(node.path, (0, 0))
    for way in node.ways:
        for each in way.nodes:
            _count(each, totals)


def _status_of(nodes: list[Node]) -> str:
    statuses = {node.status for node in nodes} - {""}
    for status in (Status.FAILED, Status.RUNNING, Status.WAITING, Status.CANCELLED, Status.COMPLETED):
        if status in statuses:
            return str(status)
    return str(Status.SKIPPED) if statuses else ""
