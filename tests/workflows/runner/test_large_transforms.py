"""A large transform does not keep other runs waiting: the event loop turns meanwhile."""

from __future__ import annotations

import asyncio
import time
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
    outcome, pause = asyncio.run(walk_with_a_heart(definition, given))
    assert isinstance(outcome, Completed), outcome
    monkeypatch.setattr(Transform, "is_long", lambda self, here: False)
    _same, whole = asyncio.run(walk_with_a_heart(definition, given))
    # Two cores, quiet: 35 to 125 ms in the place of 200 to 330. What is left is the writing of the result as JSON.
    assert pause < 0.75 * whole


async def walk_with_a_heart(definition: Any, given: Any) -> tuple[Any, float]:
    """Walk, and return the outcome and the longest time between two beats of another task, in seconds."""
    compiled = compile_workflow(definition)
    started = RunInput(
        "run", compiled, START, trigger={}, inputs={"data": given}, organization={}, workflow={}, execution={}
    )
    walk = Walk(started, Kept(), None, SystemEnvironment())  # type: ignore[arg-type]
    worst, is_over = 0.0, False

    async def heart() -> None:
        nonlocal worst
        while not is_over:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            worst = max(worst, time.perf_counter() - before - 0.005)

    beating = asyncio.create_task(heart())
    await asyncio.sleep(0.02)
    outcome = await walk.run()
    is_over = True
    await beating
    return outcome, worst


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
