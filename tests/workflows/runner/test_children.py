"""A run and those that it started: whoever waits for another run takes it along when it ends."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests.workflows.runner.working import as_system, begin, ended, published, reaches, run, until, working
from tests.worlds import World, make_world
from workflows.runner.cancel import request_cancel

pytestmark = pytest.mark.usefixtures("committed_db")
LONG = {"id": "rest", "type": "delay", "for": "2h"}
GREET = {"id": "greet", "type": "set", "values": {"text": "Hello"}}


@pytest.fixture
def alder(committed_db: str) -> World:
    return make_world("Alder")


def call(**extra: Any) -> dict[str, Any]:
    return {"id": "call", "type": "workflow", "workflow": "Child", **extra}


def child_of(identifier: UUID) -> UUID:
    def found() -> UUID | None:
        rows = as_system(
            "SELECT id FROM workflows_execution WHERE parent_id = %s AND status = 'WAITING'", identifier
        )
        return rows[0][0] if rows else None

    return until(found, "a child that waits")


@pytest.fixture
def parent(alder: World) -> UUID:
    published(alder, "Grandchild", LONG, timeout="1d")
    published(alder, "Child", {**call(), "workflow": "Grandchild"}, timeout="1d")
    return begin(alder, published(alder, "Parent", call(), timeout="1d"), {})


def test_cancelling_a_run_cancels_those_it_waits_for(alder: World, parent: UUID) -> None:
    with working():
        child = child_of(parent)
        grandchild = child_of(child)
        reaches(parent, "WAITING")
        with alder.scope():
            request_cancel(parent)
        assert [ended(each).status for each in (parent, child, grandchild)] == ["CANCELLED"] * 3


def test_a_run_whose_time_is_up_cancels_those_it_waits_for(parent: UUID) -> None:
    with working():
        child = child_of(parent)
        grandchild = child_of(child)
        reaches(parent, "WAITING")
        as_system("UPDATE workflows_execution SET deadline_at = now() WHERE id = %s", parent)
        assert [ended(each).status for each in (parent, child, grandchild)] == [
            "TIMEOUT",
            "CANCELLED",
            "CANCELLED",
        ]


def test_a_run_that_fails_beside_a_waiting_branch_cancels_what_it_waits_for(alder: World) -> None:
    published(alder, "Child", LONG, timeout="1d")
    fails = [
        {"id": "first", "type": "delay", "for": "1s"},
        {"id": "bad", "type": "set", "values": {"x": "{{ inputs.none }}"}},
    ]
    ways = {
        "id": "ways",
        "type": "parallel",
        "branches": [{"name": "a", "steps": [call()]}, {"name": "b", "steps": fails}],
    }
    identifier = begin(alder, published(alder, "Parent", ways, timeout="1d"), {})
    with working():
        child = child_of(identifier)
        assert ended(identifier).status == "FAILED"
        assert ended(child).status == "CANCELLED"


@pytest.mark.parametrize("inside", [False, True])
def test_a_step_whose_own_time_is_up_cancels_the_run_it_waits_for(alder: World, inside: bool) -> None:
    published(alder, "Child", LONG, timeout="1d")
    limits = {"timeout": "1h", "on_error": "continue"}
    step = call(**limits)
    if inside:
        branches = [{"name": "a", "steps": [call()]}, {"name": "b", "steps": [GREET]}]
        step = {"id": "ways", "type": "parallel", "branches": branches, **limits}
    identifier = begin(alder, published(alder, "Parent", step, LONG, timeout="1d"), {})
    with working():
        child = child_of(identifier)
        reaches(identifier, "WAITING")
        as_system(
            "UPDATE workflows_executionstep SET started_at = started_at - interval '2 hours' WHERE execution_id = %s",
            identifier,
        )
        as_system("UPDATE workflows_execution SET wake_at = now() WHERE id = %s", identifier)
        assert ended(child).status == "CANCELLED"
        until(lambda: (run(identifier).waiting_for or [{}])[0].get("kind") == "delay", "the step after it")


def test_a_run_that_was_only_started_goes_on_without_its_parent(alder: World) -> None:
    published(alder, "Child", LONG, timeout="1d")
    identifier = begin(alder, published(alder, "Parent", call(wait=False), LONG, timeout="1d"), {})
    with working():
        child = child_of(identifier)
        reaches(identifier, "WAITING")
        with alder.scope():
            request_cancel(identifier)
        ended(identifier)
        assert run(child).status == "WAITING"
        assert run(child).cancel_requested_at is None


def test_a_workflow_that_starts_itself_is_stopped_by_depth(alder: World) -> None:
    identifier = begin(alder, published(alder, "Child", call(), GREET), {})
    with working():
        assert ended(identifier).status == "FAILED"
    depths = as_system(
        "SELECT max(depth), count(*) FROM workflows_execution WHERE workflow_id = %s",
        run(identifier).workflow_id,
    )
    assert depths == [(10, 11)]
    ((message,),) = as_system("SELECT error ->> 'message' FROM workflows_execution WHERE depth = 10")
    assert "circle" in message
