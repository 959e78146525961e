"""Workflows through the API, with the client that customers download."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from accounts.models import AuditEvent
from tests.worlds import World
from workflows.models import Workflow

GREETING = {
    "version": 1,
    "triggers": [{"type": "api"}],
    "steps": [{"id": "greet", "type": "set", "values": {"text": "Hello"}}],
}
FAULTY = {
    "version": 1,
    "steps": [{"id": "greet", "type": "set", "values": {"text": "{{ steps.nobody.output }}"}}],
}


def actions(world: World) -> list[str]:
    with world.scope():
        return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


def test_a_workflow_is_made_changed_published_and_deleted(steward: Any, alder: World) -> None:
    made = steward.create_workflow({"name": "Greet", "definition": GREETING})
    assert (made["status"], made["definition"]["triggers"]) == ("DRAFT", [{"type": "api"}])
    changed = steward.update_workflow(made["id"], {"name": "Greet all"}, if_match=made["etag"])
    assert changed["name"] == "Greet all"
    version = steward.publish_workflow(made["id"], {"note": "First"}, if_match=changed["etag"])
    assert (version["number"], version["is_current"], version["note"]) == (1, True, "First")
    now = steward.get_workflow(made["id"])
    assert (now["status"], now["published_version"]) == ("ACTIVE", 1)
    steward.delete_workflow(made["id"], if_match=now["etag"])
    assert [each["name"] for each in steward.iterate_workflows()] == [alder.workflow.name]
    assert actions(alder) == [
        "workflow.created",
        "workflow.changed",
        "workflow.published",
        "workflow.deleted",
    ]


def test_the_trail_names_the_person_and_the_key(steward: Any, alder: World) -> None:
    steward.create_workflow({"name": "Greet"})
    with alder.scope():
        event = AuditEvent.objects.get()
    assert event.actor_id == alder.owner.pk
    assert event.actor_label == f"{alder.owner.name} <{alder.owner.email}> (A program)"


def test_a_change_without_if_match_is_refused(steward: Any, alder: World, steward_client: ModuleType) -> None:
    with pytest.raises(steward_client.StewardProblem) as refused:
        steward.update_workflow(str(alder.workflow.pk), {"name": "Other"})
    assert (refused.value.status, refused.value.code) == (428, "if_match_needed")


def test_a_change_of_what_somebody_changed_meanwhile_is_refused(
    steward: Any, alder: World, steward_client: ModuleType
) -> None:
    read = steward.get_workflow(str(alder.workflow.pk))
    steward.update_workflow(read["id"], {"definition": GREETING}, if_match=read["etag"])
    for act in (
        lambda: steward.update_workflow(read["id"], {"name": "Mine"}, if_match=read["etag"]),
        lambda: steward.publish_workflow(read["id"], {}, if_match=read["etag"]),
        lambda: steward.delete_workflow(read["id"], if_match=read["etag"]),
    ):
        with pytest.raises(steward_client.StewardProblem) as refused:
            act()
        assert (refused.value.status, refused.value.code) == (412, "changed")
    assert steward.get_workflow(read["id"])["name"] == alder.workflow.name


def test_a_workflow_that_was_not_changed_is_not_sent_again(steward: Any, alder: World) -> None:
    read = steward.get_workflow(str(alder.workflow.pk))
    assert steward.get_workflow(read["id"], if_none_match=read["etag"]) is None


def test_a_faulty_draft_is_kept_but_not_published(
    steward: Any, alder: World, steward_client: ModuleType
) -> None:
    made = steward.create_workflow({"name": "Greet", "definition": FAULTY})
    checked = steward.check_workflow(made["id"])
    assert not checked["is_publishable"]
    assert checked["problems"][0]["path"] == "steps[0].values.text"
    with pytest.raises(steward_client.StewardProblem) as refused:
        steward.publish_workflow(made["id"], {})
    assert (refused.value.status, refused.value.code) == (422, "faulty_definition")
    assert refused.value.errors[0]["field"] == "definition.steps[0].values.text"


@pytest.mark.parametrize(
    "trigger",
    [{"type": "webhook", "id": "x" * 100}, {"type": "webhook", "auth": "none"}, {"type": "magic"}, 7],
)
def test_a_trigger_that_could_have_no_address_is_refused(
    steward: Any, steward_client: ModuleType, trigger: Any
) -> None:
    with pytest.raises(steward_client.StewardProblem) as refused:
        steward.create_workflow({"name": "Greet", "definition": {"steps": [], "triggers": [trigger]}})
    assert refused.value.status == 422


def test_a_name_that_is_taken_is_a_conflict(steward: Any, alder: World, steward_client: ModuleType) -> None:
    with pytest.raises(steward_client.StewardProblem) as refused:
        steward.create_workflow({"name": alder.workflow.name})
    assert (refused.value.status, refused.value.errors[0]["field"]) == (409, "body.name")


def test_a_misspelt_name_is_refused(steward: Any, steward_client: ModuleType) -> None:
    with pytest.raises(steward_client.StewardProblem) as refused:
        steward.create_workflow({"name": "Greet", "defintion": GREETING})
    assert refused.value.errors[0]["field"] == "body.defintion"


def test_it_is_switched_off_and_on_and_out_of_use(steward: Any, alder: World) -> None:
    identifier = str(alder.workflow.pk)
    assert steward.pause_workflow(identifier)["status"] == "PAUSED"
    assert steward.resume_workflow(identifier)["status"] == "ACTIVE"
    assert steward.archive_workflow(identifier)["status"] == "ARCHIVED"
    assert list(steward.iterate_workflows()) == []
    assert [each["id"] for each in steward.iterate_workflows(status="ARCHIVED")] == [identifier]
    assert steward.unarchive_workflow(identifier)["status"] == "PAUSED"


def test_versions_are_listed_read_and_restored(steward: Any, alder: World) -> None:
    identifier = str(alder.workflow.pk)
    steward.update_workflow(identifier, {"definition": GREETING}, if_match="*")
    assert steward.publish_workflow(identifier, {})["number"] == 2
    assert [(each["number"], each["is_current"]) for each in steward.iterate_versions(identifier)] == [
        (2, True),
        (1, False),
    ]
    first = steward.get_version(identifier, 1)["definition"]
    assert steward.restore_version(identifier, 1)["definition"] == first != GREETING


def test_pages_follow_one_another(steward: Any, alder: World) -> None:
    names = [steward.create_workflow({"name": f"Number {number}"})["name"] for number in range(5)]
    page = steward.list_workflows(limit=2)
    assert [each["name"] for each in page["items"]] == names[:-3:-1]
    assert len(list(steward.iterate_workflows(limit=2))) == 6


def test_words_find_a_workflow(steward: Any, alder: World) -> None:
    steward.create_workflow({"name": "Invoices", "description": "Reminds of what is overdue"})
    assert [each["name"] for each in steward.iterate_workflows(q="overdue")] == ["Invoices"]


def test_an_export_leaves_behind_what_is_bound_and_imports_elsewhere(
    steward: Any, client_for: Any, birch: World
) -> None:
    step = {"id": "post", "type": "action", "provider": "slack", "operation": "post_message"}
    bound = {"integration": "0190a0a0-0000-7000-8000-000000000001", "with": {"token": "theirs"}}
    hook = {"type": "webhook", "token": "abcdefghijklmnopqrstuvwx"}
    document = {"version": 1, "steps": [{**step, **bound}], "triggers": [hook]}
    made = steward.create_workflow({"name": "Post", "definition": document})
    exported = steward.export_workflow(made["id"])
    assert "integration" not in exported["definition"]["steps"][0]
    assert exported["definition"]["steps"][0]["with"] == {"token": "theirs"}
    assert exported["definition"]["triggers"] == [{"type": "webhook"}]
    assert client_for(birch.owner).import_workflow(exported)["name"] == "Post"
    with birch.scope():
        assert Workflow.objects.filter(name="Post").exists()


def test_saved_tests_are_listed_and_run(steward: Any, alder: World) -> None:
    from workflows.models import SavedTest

    with alder.scope():
        SavedTest.objects.create(
            workflow=alder.workflow,
            name="Greets",
            input={},
            started={"by": "API"},
            assertions=[{"check": "status", "is": "COMPLETED"}],
        )
    identifier = str(alder.workflow.pk)
    assert [each["name"] for each in steward.iterate_tests(identifier)] == ["Greets"]
    report = steward.run_tests(identifier)
    assert report["results"][0]["name"] == "Greets"
    assert report["passed"] == report["results"][0]["passed"]
    assert steward.list_tests(identifier)["items"][0]["last_result"] in ("PASSED", "FAILED")
