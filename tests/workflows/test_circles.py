"""Workflows that would start one another without end: refused when published, stopped when they run all the same."""

from __future__ import annotations

from typing import Any

import pytest

from tests.worlds import SET_GREETING, World
from workflows import publishing
from workflows.definition.calls import callees_of, chain_back
from workflows.models import Workflow


def calling(*workflows: Workflow, **extra: Any) -> dict[str, Any]:
    steps = [
        {"id": f"call_{number}", "type": "workflow", "workflow": str(each.pk), **extra}
        for number, each in enumerate(workflows)
    ]
    return {"version": 1, "steps": steps}


def published(world: World, name: str, definition: dict[str, Any] = SET_GREETING) -> Workflow:
    workflow = Workflow.objects.create(name=name, definition=definition, created_by=world.owner)
    publishing.publish(workflow, world.owner)
    return workflow


def republish(world: World, workflow: Workflow, definition: dict[str, Any]) -> None:
    workflow.refresh_from_db()
    publishing.save_draft(workflow, definition, revision=workflow.revision)
    publishing.publish(workflow, world.owner)


def test_a_circle_through_several_workflows_is_refused_by_name(alder: World) -> None:
    with alder.scope():
        first = published(alder, "Orders")
        third = published(alder, "Stock", calling(first))
        second = published(alder, "Parcels", calling(third))
        with pytest.raises(
            publishing.PublishRefused, match="this workflow → “Parcels” → “Stock” → this workflow"
        ):
            republish(alder, first, calling(second))
        first.refresh_from_db()
        republish(alder, third, SET_GREETING)
        republish(alder, first, calling(second))


def test_a_call_that_is_switched_off_makes_no_circle(alder: World) -> None:
    with alder.scope():
        first = published(alder, "Orders")
        second = published(alder, "Parcels", calling(first))
        republish(alder, first, calling(second, disabled=True))


def test_a_workflow_that_starts_itself_is_refused(alder: World) -> None:
    with alder.scope():
        first = published(alder, "Orders")
        with pytest.raises(publishing.PublishRefused, match="cannot start itself"):
            republish(alder, first, calling(first))


def test_calls_are_found_inside_blocks_handlers_and_tools() -> None:
    call = {"id": "c", "type": "workflow", "workflow": "deep"}
    tool = {"id": "t", "type": "ai", "tools": [{"workflow": "tool"}, {"provider": "SLACK"}]}
    steps = [
        {"id": "p", "type": "parallel", "branches": [{"name": "a", "steps": [call]}]},
        {
            "id": "h",
            "type": "set",
            "values": {"type": "workflow"},
            "on_error": [{**call, "workflow": "handler"}],
        },
        {"id": "l", "type": "loop", "steps": [tool]},
    ]
    assert callees_of({"steps": steps}) == {"deep", "handler", "tool"}
    assert callees_of({"steps": "nonsense"}) == callees_of(None) == set()


def test_the_shortest_way_back_is_named_and_other_circles_do_not_hang_it() -> None:
    calls = {"b": {"c", "d"}, "c": {"d"}, "d": {"a", "b"}}
    assert chain_back("b", "a", calls) == ["b", "d", "a"]
    assert chain_back("b", "z", calls) is None
