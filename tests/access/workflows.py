"""Who may open the pages of the workflows app."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from tests.access import EDITORS, MANAGERS, PUBLIC, Rule
from tests.worlds import World, make_execution
from workflows.models import (
    Approval,
    BulkAction,
    DraftChange,
    Execution,
    ExecutionStep,
    SavedTest,
    Trigger,
    Workflow,
)


def workflow(world: World) -> list[Any]:
    return [world.workflow.pk]


def version(world: World) -> list[Any]:
    return [world.workflow.pk, world.version.number]


def trigger(world: World) -> list[Any]:
    made, _created = Trigger.objects.get_or_create(
        organization=world.organization, workflow=world.workflow, key="webhook", kind="WEBHOOK"
    )
    return [world.workflow.pk, made.pk]


def execution(world: World) -> list[Any]:
    return [make_execution(world).pk]


def finished(world: World) -> list[Any]:
    return [make_execution(world, status="FAILED", result="FAILURE").pk]


def looping(world: World) -> list[Any]:
    definition = {"version": 1, "steps": [{"id": "each", "type": "loop", "items": [1], "steps": []}]}
    run = Execution.objects.create(
        organization=world.organization,
        workflow=world.workflow,
        draft_definition=definition,
        mode="TEST",
        deadline_at=timezone.now() + timedelta(hours=1),
    )
    return [run.pk, "each"]


def step(world: World) -> list[Any]:
    run = make_execution(world)
    made = ExecutionStep.objects.create(
        organization=world.organization,
        execution=run,
        path="greet",
        step_id="greet",
        step_type="set",
        status="COMPLETED",
    )
    return [run.pk, made.pk]


def bulk_action(world: World) -> list[Any]:
    made = BulkAction.objects.create(
        organization=world.organization, action="RESTART", newest=world.workflow.pk, requested_by=world.owner
    )
    return [made.pk]


def forkable(world: World) -> list[Any]:
    run = make_execution(world, status="FAILED", result="FAILURE")
    ExecutionStep.objects.create(
        organization=world.organization,
        execution=run,
        path="greet",
        step_id="greet",
        step_type="set",
        status="FAILED",
        started_at=timezone.now(),
    )
    return [run.pk, "greet"]


def approval(world: World) -> list[Any]:
    made = Approval.objects.create(
        organization=world.organization,
        execution=make_execution(world),
        path="ok",
        title="Send it?",
        assignees=[{"role": "OWNER"}, {"role": "ADMIN"}, {"role": "MEMBER"}],
    )
    return [made.pk]


def saved_test(world: World) -> list[Any]:
    made = SavedTest.objects.create(
        organization=world.organization, workflow=world.workflow, name="Large order"
    )
    return [world.workflow.pk, made.pk]


def draft_step(world: World) -> list[Any]:
    return [world.workflow.pk, "greet"]


def draft_trigger(world: World) -> list[Any]:
    Workflow.objects.filter(pk=world.workflow.pk).update(triggers=[{"type": "manual"}])
    return [world.workflow.pk, "manual"]


def step_trial(world: World) -> list[Any]:
    run = make_execution(world)
    Execution.objects.filter(pk=run.pk).update(trigger_key="step:greet")
    return [world.workflow.pk, "greet", run.pk]


def webhook_trigger(world: World) -> list[Any]:
    Workflow.objects.filter(pk=world.workflow.pk).update(triggers=[{"type": "webhook"}])
    trigger(world)
    return [world.workflow.pk, "webhook"]


def draft_change(world: World) -> list[Any]:
    made = DraftChange.objects.create(
        organization=world.organization, workflow=world.workflow, sentence="Step added", before={}, after={}
    )
    return [world.workflow.pk, made.pk]


RULES: dict[str, Rule] = {
    # Known by their tokens; see tests/workflows/triggers/ and test_approvals.py.
    "hook": PUBLIC,
    "public-form": PUBLIC,
    "resume": PUBLIC,
    "approve-link": PUBLIC,
    "workflow-schema": PUBLIC,
    "dashboard": PUBLIC,  # a visitor gets the front page
    "front": PUBLIC,
    "list": Rule(),
    "create": Rule(allow=EDITORS),
    "bulk": Rule(allow=EDITORS, method="POST"),
    "detail": Rule(arguments=workflow),
    "steps": Rule(arguments=workflow),
    "triggers": Rule(arguments=workflow),
    "trigger-secret": Rule(allow=EDITORS, arguments=trigger, method="POST", data={"secret": "open sesame"}),
    "members": Rule(arguments=workflow),
    "assignments": Rule(allow=MANAGERS, arguments=workflow, method="POST"),
    "settings": Rule(allow=EDITORS, arguments=workflow),
    "copy": Rule(allow=EDITORS, arguments=workflow, method="POST"),
    "edit": Rule(allow=EDITORS, arguments=workflow),
    "edit-text": Rule(allow=EDITORS, arguments=workflow),
    "edit-settings": Rule(allow=EDITORS, arguments=workflow),
    "edit-values": Rule(
        allow=EDITORS, arguments=lambda world: [world.workflow.pk, "steps", draft_step(world)[1]]
    ),
    "edit-values-settings": Rule(allow=EDITORS, arguments=workflow),
    "edit-trials": Rule(allow=EDITORS, arguments=draft_step, method="POST", data={"send": "0"}),
    "edit-trial": Rule(allow=EDITORS, arguments=step_trial),
    "edit-capture": Rule(allow=EDITORS, arguments=webhook_trigger, method="POST"),
    "edit-choose": Rule(allow=EDITORS, arguments=workflow),
    "edit-choose-trigger": Rule(allow=EDITORS, arguments=workflow),
    "edit-add": Rule(allow=EDITORS, arguments=workflow, method="POST", data={"kind": "set"}),
    "edit-add-trigger": Rule(allow=EDITORS, arguments=workflow, method="POST", data={"kind": "manual"}),
    "edit-paste-panel": Rule(allow=EDITORS, arguments=workflow),
    "edit-paste": Rule(
        allow=EDITORS, arguments=workflow, method="POST", data={"steps": '{"type": "stop", "id": "end"}'}
    ),
    "edit-undo": Rule(allow=EDITORS, arguments=workflow, method="POST"),
    "edit-undo-one": Rule(allow=EDITORS, arguments=draft_change, method="POST"),
    "edit-redo": Rule(allow=EDITORS, arguments=workflow, method="POST"),
    "edit-step": Rule(allow=EDITORS, arguments=draft_step),
    "edit-move": Rule(allow=EDITORS, arguments=draft_step, method="POST", data={"to": "up"}),
    "edit-duplicate": Rule(allow=EDITORS, arguments=draft_step, method="POST"),
    "edit-switch": Rule(allow=EDITORS, arguments=draft_step, method="POST"),
    "edit-removal": Rule(allow=EDITORS, arguments=draft_step, method="POST"),
    "edit-branches": Rule(allow=EDITORS, arguments=draft_step, method="POST"),
    "edit-trigger": Rule(allow=EDITORS, arguments=draft_trigger),
    "edit-switch-trigger": Rule(allow=EDITORS, arguments=draft_trigger, method="POST"),
    "edit-removal-trigger": Rule(allow=EDITORS, arguments=draft_trigger, method="POST"),
    "draft": Rule(allow=EDITORS, arguments=workflow, method="POST", data={"document": "{", "revision": "1"}),
    "publication": Rule(allow=EDITORS, arguments=workflow),
    "versions": Rule(arguments=workflow),
    "version": Rule(arguments=version),
    "restoration": Rule(allow=EDITORS, arguments=version, method="POST"),
    "pause": Rule(allow=EDITORS, arguments=workflow, method="POST"),
    "activation": Rule(allow=EDITORS, arguments=workflow, method="POST"),
    "archival": Rule(allow=EDITORS, arguments=workflow, method="POST"),
    "unarchival": Rule(allow=EDITORS, arguments=workflow, method="POST"),
    "deletion": Rule(allow=MANAGERS, arguments=workflow),
    "run-now": Rule(allow=EDITORS, arguments=workflow),
    "ai-policy": Rule(allow=MANAGERS),
    "runs": Rule(),
    "runs-bulk": Rule(allow=EDITORS, method="POST"),
    "run": Rule(arguments=execution),
    "run-timeline": Rule(arguments=execution),
    "run-rounds": Rule(arguments=looping),
    "run-data": Rule(arguments=execution),
    "run-log": Rule(arguments=execution),
    "step-data": Rule(arguments=step),
    "runs-bulk-progress": Rule(allow=EDITORS, arguments=bulk_action),
    "runs-bulk-cancellation": Rule(allow=EDITORS, arguments=bulk_action, method="POST"),
    "runs-compare": Rule(),
    "run-compare": Rule(arguments=execution),
    "run-fork": Rule(allow=EDITORS, arguments=forkable),
    "cancellation": Rule(allow=EDITORS, arguments=execution, method="POST"),
    "resumption": Rule(allow=EDITORS, arguments=finished, method="POST"),
    "restart": Rule(allow=EDITORS, arguments=finished, method="POST"),
    "saved-test": Rule(allow=EDITORS, arguments=finished, method="POST"),
    "dry-run": Rule(allow=EDITORS, arguments=workflow),
    "tests": Rule(arguments=workflow),
    "tests-run": Rule(allow=EDITORS, arguments=workflow, method="POST"),
    "test": Rule(allow=EDITORS, arguments=saved_test),
    "test-run": Rule(allow=EDITORS, arguments=saved_test, method="POST"),
    "test-switch": Rule(allow=EDITORS, arguments=saved_test, method="POST"),
    "test-deletion": Rule(allow=EDITORS, arguments=saved_test, method="POST"),
    "test-restoration": Rule(allow=EDITORS, arguments=saved_test, method="POST"),
    "approvals": Rule(),
    "approval": Rule(arguments=approval),
    "decision": Rule(allow=EDITORS, arguments=approval, method="POST", data={"decision": "approve"}),
}
