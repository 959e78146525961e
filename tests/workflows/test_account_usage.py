"""Who needs a connected account: by a step, by a trigger, by a run that waits."""

from __future__ import annotations

from typing import Any

from accounts.tenancy import system_scope
from integrations.models import Integration
from tests.worlds import World, make_execution, make_workflow
from workflows.models import Trigger, Workflow
from workflows.queries.account_usage import usage_of


def workflow(world: World, name: str, **step: Any) -> Workflow:
    inner = {
        "id": "send",
        "type": "action",
        "provider": "slack",
        "operation": "send_message",
        "with": {},
        **step,
    }
    nested = {"id": "each", "type": "loop", "items": [1], "steps": [inner]}
    made, _version = make_workflow(
        world.organization, world.owner, name=name, definition={"version": 1, "steps": [nested]}
    )
    return made


def used(integration: Integration) -> list[str]:
    return [entry.label for entry in usage_of(integration).workflows]


def test_steps_need_the_account_they_name_and_else_the_first_of_its_service(
    alder: World, birch: World
) -> None:
    with birch.scope():
        Integration.objects.create(provider="SLACK", name="Second")
        workflow(birch, "of birch", integration="Second")
    with alder.scope():
        first = Integration.objects.create(provider="SLACK", name="First")
        second = Integration.objects.create(provider="SLACK", name="Second")
        workflow(alder, "by id", integration=str(second.pk))
        workflow(alder, "by name", integration="Second")
        workflow(alder, "unnamed")
        workflow(alder, "other service", provider="stripe")
        assert used(second) == ["by id", "by name"]
        assert used(first) == ["unnamed"]


def test_a_trigger_needs_its_account(alder: World) -> None:
    with alder.scope():
        row = Integration.objects.create(provider="SLACK", name="Team")
        Trigger.objects.create(
            organization=alder.organization, workflow=alder.workflow, key="message", kind="PROVIDER",
            settings={"provider": "slack", "event": "new_message"}, integration_id=row.pk,
        )  # fmt: skip
        assert used(row) == [alder.workflow.name]


def test_runs_that_wait_for_the_account_are_counted(alder: World) -> None:
    with system_scope("make runs"):
        row = Integration.objects.create(organization=alder.organization, provider="SLACK", name="Team")
        waits = [{"kind": "held_integration", "key": str(row.pk)}]
        for _number in range(12):
            make_execution(alder, status="WAITING", waiting_for=waits)
        make_execution(alder, status="WAITING", waiting_for=[{"kind": "time", "key": "x"}])
    with alder.scope():
        found = usage_of(row)
        assert (found.held_count, len(found.held)) == (12, 10)
