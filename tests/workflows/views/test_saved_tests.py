"""The tests of a workflow in the browser: saved from a run, run, edited, deleted, and asked before publishing."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import AuditEvent, User
from tests.workflows.saved_tests.recorded import ORDER, draft_of, record
from tests.worlds import World
from workflows import publishing
from workflows.models import SavedTest, Workflow, WorkflowAssignment
from workflows.saved_tests.saving import save_run

HTMX = {"HTTP_HX_REQUEST": "true"}


def saved(world: World, **fields: Any) -> SavedTest:
    """Save a recorded run of a new workflow, which the world's member works with."""
    with world.scope():
        workflow = draft_of(world)
        WorkflowAssignment.objects.create(workflow=workflow, user=world.member)
        test = save_run(record(world, workflow), world.owner)
        SavedTest.objects.filter(pk=test.pk).update(name="A large order", **fields)
        return SavedTest.objects.select_related("workflow").get(pk=test.pk)


def break_draft(world: World, test: SavedTest) -> None:
    """Let the draft tell another channel."""
    definition: Any = deepcopy(ORDER)
    definition["steps"][1]["branches"][0]["steps"][0]["with"]["channel"] = "#random"
    with world.scope():
        Workflow.objects.filter(pk=test.workflow_id).update(definition=definition)


def page(client: Client, user: User, test: SavedTest, name: str = "test") -> str:
    client.force_login(user)
    arguments = (
        [test.workflow_id] if name in ("tests", "tests-run", "publication") else [test.workflow_id, test.pk]
    )
    return reverse(f"workflows:{name}", args=arguments)


def test_a_run_is_saved_as_a_test_from_its_page(client: Client, alder: World) -> None:
    with alder.scope():
        run = record(alder, draft_of(alder))
    client.force_login(alder.owner)
    address = reverse("workflows:saved-test", args=[run.pk])
    assert address in client.get(reverse("workflows:run", args=[run.pk])).content.decode()
    response = client.post(address, follow=True)
    html = response.content.decode()
    assert "“Tell the team” happens once" in html
    assert "Passed" in html
    with alder.scope():
        assert AuditEvent.objects.filter(action="workflow.test_saved").exists()


def test_a_run_that_cannot_be_saved_says_why(client: Client, alder: World) -> None:
    with alder.scope():
        run = record(alder, draft_of(alder), status="WAITING", result="PENDING")
    client.force_login(alder.owner)
    response = client.post(reverse("workflows:saved-test", args=[run.pk]), follow=True)
    assert "Only a run that completed or failed can be saved" in response.content.decode()


def test_running_all_shows_what_differs(client: Client, alder: World) -> None:
    test = saved(alder)
    break_draft(alder, test)
    address = page(client, alder.member, test, "tests-run")
    html = client.post(address, follow=True).content.decode()
    assert "1 of 1 test failed." in html
    assert "“Tell the team” is done with channel that is “#orders”" in html
    assert "“#random”" in html
    part = client.post(address, **HTMX)
    assert part.content.decode().strip().startswith('<div class="stack" id="saved-tests"')
    assert "danger" in part.headers["HX-Trigger"]


def test_one_test_runs_alone(client: Client, alder: World) -> None:
    test = saved(alder, last_result="FAILED")
    html = client.post(page(client, alder.owner, test, "test-run"), follow=True).content.decode()
    assert "The test passed." in html


def form_data(client: Client, address: str) -> dict[str, Any]:
    """Return what the page's form would send as it stands."""
    context = client.get(address).context
    data = {name: context["form"][name].value() for name in ("name", "is_enabled")}
    data["input"] = '{"number": 7}'
    formset = context["checks"]
    data |= {f"checks-{name}": value for name, value in formset.management_form.initial.items()}
    for form in formset.forms:
        data |= {form.add_prefix(name): form[name].value() or "" for name in form.fields if name != "remove"}
    return {name: value for name, value in data.items() if value is not None}


def test_editing_without_a_change_keeps_every_check(client: Client, alder: World) -> None:
    test = saved(alder)
    address = page(client, alder.member, test)
    response = client.post(address, form_data(client, address), follow=True)
    assert "Saved. It passes." in response.content.decode()
    with alder.scope():
        assert SavedTest.objects.get(pk=test.pk).assertions == test.assertions


def test_a_check_is_added_and_one_removed(client: Client, alder: World) -> None:
    test = saved(alder)
    address = page(client, alder.owner, test)
    data = form_data(client, address)
    last = len(test.assertions)
    data |= {
        "name": "Large orders",
        "checks-0-remove": "on",
        f"checks-{last}-subject": "step:order",
        f"checks-{last}-field": "body.total",
        f"checks-{last}-relation": "lt",
        f"checks-{last}-value": "100",
    }
    html = client.post(address, data, follow=True).content.decode()
    assert "Saved. It does not pass with the present draft." in html
    assert "Body → total in the result of “Read the order” is less than 100" in html
    with alder.scope():
        changed = SavedTest.objects.get(pk=test.pk)
    assert (changed.name, len(changed.assertions), changed.last_result) == ("Large orders", last, "FAILED")
    assert changed.assertions[-1]["condition"]["to"] == 100


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ({"subject": "calls:tell", "relation": "contains"}, "Say how often"),
        ({"subject": "status", "relation": "equals"}, "Choose one of the endings"),
        ({"subject": "output", "relation": "once"}, "Choose a comparison"),
        ({"subject": "condition", "value": "no json"}, "Write the condition as JSON"),
        (
            {"subject": "condition", "value": '{"value": "{{ x", "is": "true"}'},
            "This condition cannot be read",
        ),
    ],
)
def test_a_check_that_makes_no_sense_is_explained(
    client: Client, alder: World, line: dict[str, str], why: str
) -> None:
    test = saved(alder)
    address = page(client, alder.owner, test)
    data = form_data(client, address) | {
        f"checks-{len(test.assertions)}-{key}": text for key, text in line.items()
    }
    response = client.post(address, data)
    assert response.status_code == 422
    assert why in response.content.decode()


def test_a_condition_of_the_language_keeps_its_shape(client: Client, alder: World) -> None:
    condition = {"any": [{"value": "{{ status }}", "is": "equals", "to": "COMPLETED"}]}
    wanted = [{"about": "value", "condition": condition}]
    test = saved(alder, assertions=wanted)
    address = page(client, alder.owner, test)
    client.post(address, form_data(client, address))
    with alder.scope():
        assert SavedTest.objects.get(pk=test.pk).assertions == wanted


def test_a_secret_typed_into_the_input_is_not_kept(client: Client, alder: World) -> None:
    test = saved(alder)
    address = page(client, alder.owner, test)
    client.post(address, form_data(client, address) | {"input": '{"number": 7, "password": "hush-hush"}'})
    with alder.scope():
        assert SavedTest.objects.get(pk=test.pk).input == {"number": 7, "password": "[hidden]"}


def test_a_deleted_test_comes_back(client: Client, alder: World) -> None:
    test = saved(alder)
    gone = client.post(page(client, alder.member, test, "test-deletion"), follow=True).content.decode()
    undo = reverse("workflows:test-restoration", args=[test.workflow_id, test.pk])
    assert undo in gone
    assert client.get(page(client, alder.member, test)).status_code == 404
    assert "A large order" in client.post(undo, follow=True).content.decode()
    part = client.post(page(client, alder.member, test, "test-deletion"), **HTMX)
    assert undo in part.headers["HX-Trigger"]


def test_publishing_is_refused_with_test_check_expected_and_found(client: Client, alder: World) -> None:
    test = saved(alder)
    break_draft(alder, test)
    address = page(client, alder.member, test, "publication")
    assert "1 saved test" in client.get(address).content.decode()
    response = client.post(address, {"note": "", "despite_tests": "1"})
    html = response.content.decode()
    assert response.status_code == 422
    for words in (
        "A large order",
        "is done with channel that is",
        "“#orders”",
        "“#random”",
        "An owner or admin can",
    ):
        assert words in html
    with alder.scope():
        assert Workflow.objects.get(pk=test.workflow_id).published_version.number == 1


def test_an_owner_may_publish_anyway_and_the_audit_trail_says_so(client: Client, alder: World) -> None:
    test = saved(alder)
    break_draft(alder, test)
    address = page(client, alder.owner, test, "publication")
    assert "Publish anyway" in client.post(address, {"note": ""}).content.decode()
    client.post(address, {"note": "", "despite_tests": "1"})
    with alder.scope():
        event = AuditEvent.objects.get(action="workflow.published_anyway")
        assert Workflow.objects.get(pk=test.workflow_id).published_version.number == 2
    assert (event.actor_id, event.after["failed_tests"]) == (alder.owner.pk, ["A large order"])


def test_programs_that_publish_get_the_refusal_as_its_own_type(alder: World) -> None:
    test = saved(alder)
    break_draft(alder, test)
    with alder.scope():
        workflow = Workflow.objects.get(pk=test.workflow_id)
        with pytest.raises(publishing.SavedTestsFailed) as refused:
            publishing.publish(workflow, None, despite_tests=True)
    assert isinstance(refused.value, publishing.PublishRefused)
    (problem,) = refused.value.problems
    assert problem.code == "saved_test_failed"
    assert problem.message.startswith("Test “A large order”: “Tell the team” is done with channel")


def test_a_test_that_is_switched_off_does_not_hold_publishing_up(client: Client, alder: World) -> None:
    test = saved(alder)
    break_draft(alder, test)
    client.post(page(client, alder.owner, test, "test-switch"), {"on": "0"})
    client.post(page(client, alder.owner, test, "publication"), {"note": ""})
    with alder.scope():
        assert Workflow.objects.get(pk=test.workflow_id).published_version.number == 2


def test_the_list_asks_as_often_for_many_tests_as_for_one(client: Client, alder: World) -> None:
    test = saved(alder)
    address = page(client, alder.owner, test, "tests")
    client.get(address)
    with CaptureQueriesContext(
        connection,
    ) as one:
        client.get(address)
    with alder.scope():
        for number in range(15):
            SavedTest.objects.create(
                workflow_id=test.workflow_id, name=f"T{number}", report=test.report, created_by=alder.owner
            )
    with CaptureQueriesContext(connection) as many:
        client.get(address)
    assert len(many) == len(one)


def test_a_viewer_reads_results_but_gets_no_buttons(client: Client, alder: World) -> None:
    test = saved(alder)
    html = client.get(page(client, alder.viewer, test, "tests")).content.decode()
    assert "A large order" in html
    assert "Run all tests" not in html
