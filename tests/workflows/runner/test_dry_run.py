"""A dry run reads, shows what it would send, waits for nobody, and costs nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workflows.runner.working import as_system, begin, ended, journal, published, working
from tests.worlds import World, make_world
from workflows.models import Approval, Execution

pytestmark = pytest.mark.usefixtures("committed_db")
TELL = {
    "id": "tell",
    "type": "action",
    "provider": "SLACK",
    "operation": "send_message",
    "with": {"channel": "#orders", "text": "Hello {{ inputs.name }}"},
}


@pytest.fixture
def alder(committed_db: str) -> World:
    return make_world("Alder")


def dry(world: World, *steps: dict[str, Any], name: str = "Dry") -> Execution:
    """Run the steps dry, to the end."""
    identifier = begin(world, published(world, name, *steps), {"name": "Ann"}, mode="DRY_RUN")
    with working():
        return ended(identifier)


def test_later_steps_find_an_answer_of_the_right_shape(alder: World) -> None:
    read = {"id": "after", "type": "set", "values": {"sent": "{{ steps.tell.output.ts }}"}}
    run = dry(alder, TELL, read)
    row = journal(run.pk)["tell"]
    assert (run.status, row.output["would_send"]["with"]["text"]) == ("COMPLETED", "Hello Ann")
    assert (row.effect, row.effect_state) == ("unsafe", "NONE")


def test_nobody_is_asked_and_nothing_is_waited_for(alder: World) -> None:
    form = {"type": "object", "properties": {"amount": {"type": "integer", "default": 5}}}
    ask = {"id": "ok", "type": "approval", "title": "Send?", "assignees": [{"role": "OWNER"}], "form": form}
    run = dry(
        alder,
        ask,
        {"id": "pause", "type": "delay", "for": "3d"},
        {"id": "call", "type": "wait"},
        {"id": "end", "type": "set", "values": {"amount": "{{ steps.ok.output.form.amount }}"}},
    )
    with alder.scope():
        assert not Approval.objects.exists()
    assert (run.status, run.output) == ("COMPLETED", {"amount": 5})
    assert journal(run.pk)["ok"].output["approved"] is True


def test_a_workflow_it_starts_is_a_dry_run_as_well(alder: World) -> None:
    child, _version = published(alder, "Child", TELL)
    run = dry(alder, {"id": "call", "type": "workflow", "workflow": str(child.pk), "input": {"name": "Bo"}})
    modes = as_system("SELECT mode, status FROM workflows_execution WHERE parent_id = %s", run.pk)
    assert (run.status, modes) == ("COMPLETED", [("DRY_RUN", "COMPLETED")])


def test_it_is_not_counted_as_use(alder: World) -> None:
    run = dry(alder, TELL)
    assert as_system("SELECT metric FROM billing_usageentry WHERE execution_id = %s", run.pk) == []


def test_a_live_run_is_counted(alder: World) -> None:
    identifier = begin(alder, published(alder, "Live", {"id": "a", "type": "set", "values": {"b": 1}}), {})
    with working():
        ended(identifier)
    used = as_system("SELECT metric FROM billing_usageentry WHERE execution_id = %s", identifier)
    assert used == [("WORKFLOW_EXECUTIONS",)]
