"""Data in the editor: which values may be inserted where, what they become, and trying one step."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.tenancy import uuid7
from tests.worlds import World, make_execution
from workflows import step_trials
from workflows.definition.schema import parse_definition
from workflows.drafting import places, samples
from workflows.drafting.forms import STEP, TRIGGER, Subject
from workflows.models import Execution, ExecutionStep, Trigger, WebhookDelivery, Workflow

HTMX = {"HX-Request": "true"}
DRAFT: dict[str, Any] = {
    "version": 1,
    "triggers": [{"type": "webhook"}],
    "steps": [
        {"id": "fetch", "type": "http", "name": "Fetch the order", "url": "https://example.com/orders"},
        {
            "id": "route",
            "type": "branch",
            "branches": [
                {
                    "name": "big",
                    "when": {"value": "{{ steps.fetch.output.body.total }}", "is": "gt", "to": 100},
                    "steps": [{"id": "note", "type": "set", "values": {"text": "Big"}}],
                }
            ],
        },
        {
            "id": "each",
            "type": "loop",
            "items": "{{ steps.fetch.output.body.lines }}",
            "steps": [{"id": "greet", "type": "set", "values": {"text": "{{ item.name | upcase }}"}}],
        },
        {"id": "after", "type": "set", "values": {"total": "{{ steps.fetch.output.body.total }}"}},
    ],
}
BODY = {"total": 240, "password": "hunter2-9031", "lines": [{"name": "Rye {{ loaf }}"}, {"name": "Spelt"}]}


@pytest.fixture
def world(client: Client, alder: World) -> World:
    """Alder with the draft above open, and a run whose first step fetched BODY."""
    with alder.scope():
        Workflow.objects.filter(pk=alder.workflow.pk).update(
            definition={key: value for key, value in DRAFT.items() if key != "triggers"},
            triggers=DRAFT["triggers"],
        )
        alder.workflow.refresh_from_db()
        run = make_execution(alder)
        Execution.objects.filter(pk=run.pk).update(
            triggered_by="WEBHOOK", input={"type": "webhook", "body": {"order": "A-7"}}
        )
        done(alder, run, "fetch", {"status": 200, "headers": {}, "body": BODY})
    client.force_login(alder.owner)
    return alder


def done(world: World, run: Execution, step_id: str, output: Any) -> None:
    ExecutionStep.objects.create(
        organization=world.organization, execution=run, path=step_id, step_id=step_id, step_type="http",
        status="COMPLETED", output=output, started_at=timezone.now(), finished_at=timezone.now(),
    )  # fmt: skip


def sample(world: World, step_id: str) -> samples.Sample:
    with world.scope():
        return samples.sample_of(world.workflow, DRAFT, Subject(STEP, step_id))


def text(response: Any) -> str:
    return response.content.decode()


def url(name: str, world: World, *arguments: Any) -> str:
    return reverse(f"workflows:{name}", args=[world.workflow.pk, *arguments])


def test_only_steps_before_are_offered_with_their_last_values(world: World) -> None:
    found = sample(world, "after")
    assert [spot.id for spot in found.before] == ["fetch", "route", "note", "each"]
    assert found.perhaps == {"note"}
    assert found.names["steps"]["fetch"]["output"]["body"] == BODY
    assert found.sources["fetch"].kind == samples.LAST_RUN
    assert found.names["trigger"]["body"] == {"order": "A-7"}
    assert [spot.id for spot in sample(world, "fetch").before] == []


def test_inside_a_loop_the_first_entry_stands_for_each(world: World) -> None:
    found = sample(world, "greet")
    assert found.names["item"] == {"name": "Rye {{ loaf }}"}
    assert found.names["loop"]["length"] == 2
    assert "item" not in sample(world, "after").names


def test_a_trigger_sees_no_steps(world: World) -> None:
    with world.scope():
        found = samples.sample_of(world.workflow, DRAFT, Subject(TRIGGER, "webhook"))
    assert "steps" not in found.names
    assert found.names["trigger"]["body"] == {"order": "A-7"}


def test_a_dry_run_is_a_sample_only_until_there_is_a_real_one(world: World) -> None:
    with world.scope():
        dry = make_execution(world)
        Execution.objects.filter(pk=dry.pk).update(mode="DRY_RUN")
        done(world, dry, "fetch", {"status": 1, "dry_run": True})
    assert sample(world, "after").names["steps"]["fetch"]["output"]["status"] == 200


def test_what_a_test_of_one_step_was_given_is_no_sample_of_other_steps(world: World) -> None:
    with world.scope():
        trial = make_execution(world)
        Execution.objects.filter(pk=trial.pk).update(
            mode="TEST", trigger_key="step:route", input={"other": 1}
        )
        done(world, trial, "fetch", "a stand-in")
        done(world, trial, "route", "its own")
    found = sample(world, "after")
    assert found.names["steps"]["fetch"]["output"]["body"] == BODY
    assert found.names["steps"]["route"]["output"] == "its own"
    assert found.names["trigger"]["body"] == {"order": "A-7"}


def test_the_list_has_expressions_values_and_filters_but_no_secrets(client: Client, world: World) -> None:
    page = text(client.get(url("edit-values", world, "steps", "after"), headers=HTMX))
    assert "Fetch the order" in page
    assert "{{ steps.fetch.output.body.total }}" in page
    assert ">240<" in page
    assert "{{ steps.note.output.text | default: &quot;&quot; }}" in page
    assert "hunter2-9031" not in page
    assert "| upcase" in page
    assert "ADA LOVELACE" in page
    whole = text(client.get(url("edit-values", world, "steps", "after")))
    assert "<html" in whole
    assert "Back to the step" in whole
    assert client.get(url("edit-values", world, "steps", "nowhere")).status_code == 302


def test_a_field_shows_what_it_becomes_and_says_what_is_missing(client: Client, world: World) -> None:
    page = text(client.get(url("edit-step", world, "after")))
    assert "Fetch the order › total" in page
    assert ">240<" in page
    saved = client.post(
        url("edit-step", world, "after"),
        {
            "key": "after",
            "f:values:there": "1",
            "f:values:0:key": "total",
            "f:values:0:value": "{{ inputs.nosuch }}",
        },
        headers=HTMX,
    )
    assert "has no value" in text(saved)


def test_a_condition_says_whether_it_holds(client: Client, world: World) -> None:
    page = text(client.get(url("edit-step", world, "route")))
    assert "With these data it holds" in page


def test_a_step_is_tried_alone_with_what_it_reads(client: Client, world: World) -> None:
    response = client.post(url("edit-trials", world, "greet"), {"send": "0"})
    with world.scope():
        run = Execution.objects.get(trigger_key="step:greet")
        assert response["Location"] == url("edit-trial", world, "greet", run.pk)
        assert run.mode == "DRY_RUN"
        assert run.input == {"type": "webhook", "body": {"order": "A-7"}}
        definition = parse_definition(run.draft_definition)
    given = next(step for step in definition.steps if step.id == "one_entry")
    assert "{{" not in given.value  # data with braces are data
    assert json.loads(given.value) == [{"name": "Rye {{ loaf }}"}]
    waiting = text(client.get(response["Location"]))
    assert "It is running" in waiting
    with world.scope():
        done(world, run, "greet", {"text": "RYE"})
        Execution.objects.filter(pk=run.pk).update(status="COMPLETED")
    assert "RYE" in text(client.get(response["Location"], {"part": "1"}, headers=HTMX))


def test_really_running_a_step_is_a_choice_of_its_own(client: Client, world: World) -> None:
    assert "Really run it" in text(client.get(url("edit-step", world, "fetch")))
    assert "Really run it" not in text(client.get(url("edit-step", world, "after")))
    client.post(url("edit-trials", world, "fetch"), {"send": "1"})
    with world.scope():
        assert Execution.objects.get(trigger_key="step:fetch").mode == "TEST"


def test_a_step_that_is_not_filled_in_says_what_to_correct(client: Client, world: World) -> None:
    with world.scope():
        Workflow.objects.filter(pk=world.workflow.pk).update(
            definition={"version": 1, "steps": [{"id": "call", "type": "http"}]}
        )
    page = client.post(url("edit-trials", world, "call"), {"send": "0"}, follow=True)
    assert "Correct this step first" in text(page)


def test_vars_and_names_that_are_taken_do_not_meet(world: World) -> None:
    document = {
        "version": 1,
        "steps": [
            {"id": "kept_values", "type": "set", "values": {"city": "Ulm"}},
            {
                "id": "say",
                "type": "set",
                "values": {"text": "{{ vars.city }} {{ steps.kept_values.output.city }}"},
            },
        ],
    }
    with world.scope():
        found = samples.sample_of(world.workflow, document, Subject(STEP, "say"))
        made = step_trials.definition_of(places.find(document, "say"), document, found)
    ids = [step.id for step in parse_definition(made).steps]
    assert len(ids) == len(set(ids))
    assert ids[-1] == "say"


def test_a_call_is_caught_and_becomes_the_sample(client: Client, world: World) -> None:
    with world.scope():
        row = Trigger.objects.create(
            organization=world.organization,
            workflow=world.workflow,
            key="webhook",
            kind="WEBHOOK",
            token="t" * 24,
        )
    waiting = client.post(url("edit-capture", world, "webhook"), headers=HTMX)
    assert "Waiting for a call" in text(waiting)
    with world.scope():
        row.refresh_from_db()
        assert row.capture_until is not None
        WebhookDelivery.objects.create(
            id=uuid7(), organization=world.organization, workflow=world.workflow, trigger_key="webhook",
            verdict="CAPTURED", method="POST", path="/hooks/x/", content_type="application/json",
            body=b'{"order": "caught-81"}',
        )  # fmt: skip
        Trigger.objects.filter(pk=row.pk).update(capture_until=None)
    assert "caught-81" in text(client.get(url("edit-capture", world, "webhook"), headers=HTMX))
    assert "A call was received" in text(client.get(url("edit-trigger", world, "webhook")))
    assert sample(world, "fetch").names["trigger"]["body"] == {"order": "caught-81"}
