"""A large transform does not keep other runs waiting: the event loop turns meanwhile."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from tests.workflows.engine.worlds import START
from workflows.definition.schema import parse_definition
from workflows.engine.environment import SystemEnvironment
from workflows.engine.interface import Completed, RunInput
from workflows.engine.walk import Walk
from workflows.steps import compile_workflow
from workflows.steps.transform import Transform, is_large

ROWS = 100_000
PEOPLE = [{"name": f"Person {number % 977}", "age": number % 90} for number in range(ROWS)]
CSV = "name,age,note\n" + "".join(f"Person {number},{number % 90},{'x' * 60}\n" for number in range(35_000))


class Kept:
    """A journal that keeps nothing."""

    def load(self) -> dict[str, Any]:
        return {}

    def answers(self) -> dict[str, Any]:
        return {}

    def append(self, *_arguments: Any) -> None:
        """Forget it."""

    async def commit(self, *_arguments: Any) -> None:
        """Forget it."""


@pytest.mark.parametrize(
    ("step", "given"),
    [
        ({"operation": "sort", "items": "{{ inputs.data }}", "by": "{{ item.age }}"}, PEOPLE),
        (
            {
                "operation": "filter",
                "items": "{{ inputs.data }}",
                "where": {"value": "{{ item.age }}", "is": "gt", "to": 40},
            },
            PEOPLE,
        ),
        ({"operation": "parse_csv", "value": "{{ inputs.data }}"}, CSV),
    ],
    ids=["sort", "filter", "parse_csv"],
)
def test_the_loop_turns_while_a_large_transform_works(
    step: dict[str, Any], given: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = {"id": "count", "type": "set", "values": {"n": "{{ steps.work.output | size }}"}}
    definition = parse_definition(
        {"version": 1, "steps": [{"id": "work", "type": "transform", **step}, count]}
    )
    is_working = threading.Event()
    compute = Transform.compute

    def watched(self: Transform, here: Any) -> Any:
        is_working.set()
        try:
            return compute(self, here)
        finally:
            is_working.clear()

    monkeypatch.setattr(Transform, "compute", watched)
    outcome, beats = asyncio.run(walk_with_a_heart(definition, given, is_working))
    assert isinstance(outcome, Completed), outcome
    assert beats >= 2  # none, when the loop itself does the work


async def walk_with_a_heart(definition: Any, given: Any, is_working: threading.Event) -> tuple[Any, int]:
    """Walk, and return the outcome and how often another task had its turn while the transform worked."""
    compiled = compile_workflow(definition)
    started = RunInput(
        "run", compiled, START, trigger={}, inputs={"data": given}, organization={}, workflow={}, execution={}
    )
    walk = Walk(started, Kept(), None, SystemEnvironment())  # type: ignore[arg-type]
    beats = 0

    async def heart() -> None:
        nonlocal beats
        while True:
            beats += is_working.is_set()
            await asyncio.sleep(0.002)

    beating = asyncio.create_task(heart())
    outcome = await walk.run()
    beating.cancel()
    return outcome, beats


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([], False),
        (["x"] * 100, False),
        (["x"] * 5_000, True),
        ("x" * 1_000, False),
        ("x" * 300_000, True),
        ([["x"] * 500], True),
        ({"rows": ["x"] * 3_000}, True),
        (None, False),
    ],
)
def test_what_is_large(value: Any, expected: bool) -> None:
    assert is_large(value) is expected
