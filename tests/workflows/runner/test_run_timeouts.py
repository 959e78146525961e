"""How long a run may last when its author wrote nothing: an hour, or a month where a step may wait."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from tests.workflows.runner.working import begin, published, run
from tests.worlds import World

HOUR, MONTH = 3_600, 30 * 24 * 3_600
SET: dict[str, Any] = {"id": "note", "type": "set", "values": {"done": True}}
APPROVAL = {"id": "ask", "type": "approval", "title": "Pay it?", "assignees": [{"role": "OWNER"}]}
DELAY = {"id": "rest", "type": "delay", "for": "5d"}
WAIT = {"id": "hear", "type": "wait"}


def seconds_given(world: World, *steps: dict[str, Any], **settings: Any) -> float:
    identifier = begin(world, published(world, "Timed", *steps, **settings), {})
    deadline = run(identifier).deadline_at
    assert deadline is not None
    return (deadline - timezone.now()).total_seconds()


@pytest.mark.parametrize("step", [APPROVAL, DELAY, WAIT], ids=["approval", "delay", "wait"])
@pytest.mark.parametrize("is_inside", [False, True], ids=["on top", "inside a loop"])
def test_a_run_that_may_wait_for_somebody_has_a_month(
    alder: World, step: dict[str, Any], is_inside: bool
) -> None:
    loop = {"id": "each", "type": "loop", "items": [1, 2], "steps": [step]}
    assert seconds_given(alder, loop if is_inside else step) == pytest.approx(MONTH, abs=60)


def test_a_run_without_such_a_step_ends_after_an_hour(alder: World) -> None:
    assert seconds_given(alder, SET) == pytest.approx(HOUR, abs=60)


def test_what_the_author_wrote_counts_even_where_a_step_waits(alder: World) -> None:
    assert seconds_given(alder, DELAY, timeout="2h") == pytest.approx(2 * HOUR, abs=60)
