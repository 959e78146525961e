"""What tests of triggers start from: a published workflow with the triggers they are about."""

from __future__ import annotations

from typing import Any

from tests.worlds import SET_GREETING, World
from workflows import publishing
from workflows.models import Trigger, Workflow


def published(
    world: World,
    *triggers: dict[str, Any],
    definition: dict[str, Any] | None = None,
    schedule: dict[str, Any] | None = None,
    name: str = "Orders",
) -> Workflow:
    """Publish a workflow with these triggers through the front door; outside or inside the world's scope."""
    with world.scope():
        workflow = Workflow.objects.create(
            name=name,
            definition=definition or SET_GREETING,
            triggers=list(triggers),
            schedule=schedule,
            created_by=world.owner,
        )
        publishing.publish(workflow, world.owner)
        workflow.refresh_from_db()
        return workflow


def trigger_of(workflow: Workflow, world: World, key: str = "webhook") -> Trigger:
    """Return one trigger row of a workflow."""
    with world.scope():
        return Trigger.objects.get(workflow=workflow, key=key)
