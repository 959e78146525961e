"""A run as the worker leaves it behind: an order is read, sorted, told to Slack and approved."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from django.utils import timezone

from tests.worlds import World, make_execution, make_workflow
from workflows.models import Execution, ExecutionStep, SavedTest, Workflow
from workflows.saved_tests.saving import save_run

ORDER = {
    "version": 1,
    "steps": [
        {
            "id": "order",
            "name": "Read the order",
            "type": "http",
            "url": "https://shop.example/orders/{{ inputs.number }}",
        },
        {
            "id": "route",
            "type": "branch",
            "branches": [
                {
                    "name": "large",
                    "when": {"value": "{{ steps.order.output.body.total }}", "is": "gt", "to": 100},
                    "steps": [
                        {
                            "id": "tell",
                            "name": "Tell the team",
                            "type": "action",
                            "provider": "SLACK",
                            "operation": "send_message",
                            "with": {"channel": "#orders", "text": "{{ steps.order.output.body.name }} ordered"},
                        }
                    ],
                }
            ],
            "otherwise": [
                {
                    "id": "file",
                    "name": "File it",
                    "type": "http",
                    "method": "POST",
                    "url": "https://archive.example/",
                    "json": {"number": "{{ inputs.number }}"},
                }
            ],
        },
        {"id": "sum", "type": "set", "values": {"total": "{{ steps.order.output.body.total }}", "ok": True}},
    ],
}  # fmt: skip
ANSWERS: dict[str, tuple[Any, Any]] = {
    "order": (
        {"method": "GET", "url": "https://shop.example/orders/7"},
        {
            "status": 200,
            "headers": {"set-cookie": "id=hush-cookie"},
            "body": {"name": "Ann", "total": 250, "api_key": "hush-key", "note": "Bearer hush-hush-hush"},
        },
    ),
    "route.large.tell": (
        {"provider": "SLACK", "with": {"channel": "#orders", "text": "Ann ordered"}},
        {"ts": "1.2"},
    ),
}


def draft_of(world: World, definition: dict[str, Any] = ORDER, name: str = "Orders") -> Workflow:
    """Make a published workflow whose draft is `definition`; in the world's scope."""
    return make_workflow(world.organization, world.owner, name=name, definition=deepcopy(definition))[0]


def record(
    world: World, workflow: Workflow, answers: dict[str, tuple[Any, Any]] = ANSWERS, **fields: Any
) -> Execution:
    """Make a finished run whose calls were given (input, output); in the world's scope."""
    values = {"status": "COMPLETED", "result": "SUCCESS", "input": {"number": 7}} | fields
    run = make_execution(world, **values)
    Execution.objects.filter(pk=run.pk).update(workflow=workflow, version=workflow.published_version)
    definition = workflow.published_version.definition  # type: ignore[union-attr]
    for path, (given, output) in answers.items():
        keep(world, run, path, kind_of(definition, path), input=given, output=output)
    return Execution.objects.get(pk=run.pk)


def keep(world: World, run: Execution, path: str, kind: str, **fields: Any) -> ExecutionStep:
    """Write one try of a step into the run's journal."""
    now = timezone.now()
    return ExecutionStep.objects.create(
        organization=world.organization, execution=run, path=path, step_id=path.rsplit(".", 1)[-1], step_type=kind,
        **{"status": "COMPLETED", "started_at": now, "finished_at": now} | fields,
    )  # fmt: skip


def kind_of(definition: dict[str, Any], path: str) -> str:
    """Return the type of the step at a path."""
    from workflows.definition.schema import parse_definition
    from workflows.definition.tree import find_step

    found = find_step(parse_definition(definition), path)
    assert found is not None, path
    return str(getattr(found, "type", ""))


def saved(world: World, definition: dict[str, Any] = ORDER, **fields: Any) -> SavedTest:
    """Save a recorded run as a test; in the world's scope."""
    workflow = draft_of(world, definition)
    return save_run(record(world, workflow, **fields), world.owner)
