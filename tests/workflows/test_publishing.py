"""From draft to what runs, through the functions that pages, API and templates call."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import AuditEvent, Organization
from tests.workflows.triggers.publishing import published, trigger_of
from tests.worlds import SET_GREETING, World
from workflows import publishing
from workflows.models import Trigger, Workflow, WorkflowVersion

WEBHOOK = {"type": "webhook"}


def step(step_id: str, **values: Any) -> dict[str, Any]:
    return {"id": step_id, "type": "set", "values": values or {"text": step_id}}


def definition(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"version": 1, "steps": list(steps)}


def test_publishing_makes_a_version_and_activates(alder: World) -> None:
    with alder.scope():
        workflow = Workflow.objects.create(name="Invoices", definition=SET_GREETING, created_by=alder.owner)
        version = publishing.publish(workflow, alder.admin, "first")
        workflow.refresh_from_db()
        event = AuditEvent.objects.get(action="workflow.published", target_id=str(workflow.pk))
    assert (workflow.status, workflow.published_version_id, version.number) == ("ACTIVE", version.pk, 1)
    assert event.actor_id == alder.admin.pk


def test_a_faulty_draft_is_refused_and_changes_nothing(alder: World) -> None:
    with alder.scope():
        faulty = definition(step("one", text="{{ steps.nowhere.output }}"))
        workflow = Workflow.objects.create(
            name="Invoices", definition=faulty, triggers=[{"type": "carrier pigeon"}]
        )
        with pytest.raises(publishing.PublishRefused) as refused:
            publishing.publish(workflow, alder.owner)
        workflow.refresh_from_db()
        assert workflow.status == "DRAFT"
        assert not WorkflowVersion.objects.filter(workflow=workflow).exists()
    places = {problem.location[0] for problem in refused.value.problems}
    assert places == {"steps", "triggers"}


def test_tokens_survive_publishing_by_key_and_go_with_their_trigger(alder: World) -> None:
    workflow = published(alder, {**WEBHOOK, "id": "orders"}, {**WEBHOOK, "id": "refunds"})
    orders = trigger_of(workflow, alder, "orders")
    with alder.scope():
        saved = publishing.save_draft(
            workflow,
            workflow.definition,
            triggers=[{**WEBHOOK, "id": "orders", "methods": ["PUT"]}],
            revision=1,
        )
        publishing.publish(saved.workflow, alder.owner)
        (kept,) = Trigger.objects.filter(workflow=workflow)
    assert (kept.pk, kept.token, kept.settings["methods"]) == (orders.pk, orders.token, ["PUT"])


def test_a_copy_does_not_take_over_an_address(alder: World, birch: World) -> None:
    wished = {**WEBHOOK, "token": "orders-of-the-bakery"}
    first = published(alder, wished)
    second = published(birch, wished)
    assert trigger_of(first, alder).token == "orders-of-the-bakery"
    assert trigger_of(second, birch).token != "orders-of-the-bakery"


def test_the_plan_bounds_active_workflows(alder: World) -> None:
    alder.organization.plan = Organization.Plan.STARTER
    with alder.scope():
        alder.organization.save(update_fields=["plan"])
    for number in range(4):
        published(alder, name=f"Number {number}")
    with pytest.raises(publishing.PublishRefused, match="allows 5 active workflows"):
        published(alder, name="One too many")
    with alder.scope():
        publishing.pause(alder.workflow, alder.owner)
    published(alder, name="In its place")
    with alder.scope(), pytest.raises(publishing.PublishRefused):
        publishing.resume(alder.workflow, alder.owner)


def test_two_people_who_change_different_steps_both_keep_their_work(alder: World) -> None:
    base = definition(step("one"), step("two"))
    with alder.scope():
        workflow = Workflow.objects.create(name="Shared", definition=base)
        publishing.save_draft(workflow, definition(step("one", text="mine"), step("two")), revision=1)
        saved = publishing.save_draft(
            workflow, definition(step("one"), step("two", text="theirs")), revision=1, base=base
        )
    assert saved.merged
    assert [each["values"]["text"] for each in saved.workflow.definition["steps"]] == ["mine", "theirs"]


def test_a_stale_save_is_a_conflict_not_an_overwrite(alder: World) -> None:
    base = definition(step("one"))
    with alder.scope():
        workflow = Workflow.objects.create(name="Shared", definition=base)
        publishing.save_draft(workflow, definition(step("one", text="mine")), revision=1)
        with pytest.raises(publishing.DraftConflict):
            publishing.save_draft(workflow, definition(step("one", text="theirs")), revision=1)
        with pytest.raises(publishing.DraftConflict) as conflict:
            publishing.save_draft(workflow, definition(step("one", text="theirs")), revision=1, base=base)
        workflow.refresh_from_db()
    assert conflict.value.conflicts[0].step_id == "one"
    assert workflow.definition["steps"][0]["values"]["text"] == "mine"


def test_restoring_changes_the_draft_and_not_what_runs(alder: World) -> None:
    with alder.scope():
        workflow = Workflow.objects.create(name="Shared", definition=definition(step("old")))
        first = publishing.publish(workflow, alder.owner)
        publishing.save_draft(workflow, definition(step("new")), revision=1)
        second = publishing.publish(workflow, alder.owner)
        restored = publishing.restore(first, alder.owner)
        changes = publishing.changes_since_published(restored)
        restored.refresh_from_db()
    assert restored.definition["steps"][0]["id"] == "old"
    assert restored.published_version_id == second.pk
    assert {(change.kind, change.step_id) for change in changes} == {("added", "old"), ("removed", "new")}


def test_archiving_frees_the_name_and_coming_back_finds_another(alder: World) -> None:
    workflow = published(alder, WEBHOOK, name="Orders")
    with alder.scope():
        publishing.archive(workflow, alder.owner)
    published(alder, name="Orders")
    with alder.scope():
        back = publishing.unarchive(workflow, alder.owner)
    assert (back.name, back.status) == ("Orders (2)", "PAUSED")
    assert not trigger_of(workflow, alder).is_active


def test_a_faulty_draft_may_be_saved(alder: World) -> None:
    with alder.scope():
        workflow = Workflow.objects.create(name="Rough")
        saved = publishing.save_draft(workflow, {"steps": "?"}, triggers=[{"no": "type"}, 7], revision=1)  # type: ignore[list-item]
    assert saved.workflow.revision == 2
