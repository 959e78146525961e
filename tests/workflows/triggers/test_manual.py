"""Runs that a person or a program starts."""

from __future__ import annotations

import pytest

from tests.workflows.triggers.publishing import published
from tests.worlds import World
from workflows import publishing
from workflows.models import Execution, TriggerDecision
from workflows.triggers import api, manual

WITH_INPUTS = {
    "version": 1,
    "inputs": {
        "type": "object",
        "required": ["loaves"],
        "properties": {"loaves": {"type": "integer", "minimum": 1}},
    },
    "steps": [{"id": "bake", "type": "set", "values": {"n": "{{ inputs.loaves }}"}}],
}


def test_a_person_starts_a_run_with_checked_inputs(alder: World) -> None:
    workflow = published(alder, definition=WITH_INPUTS)
    with alder.scope():
        execution = manual.start_manually(workflow, alder.member, {"loaves": 3})
        reason = TriggerDecision.objects.get(workflow=workflow)
    assert (execution.input, execution.triggered_by, execution.triggered_by_user_id) == (
        {"loaves": 3},
        "MANUAL",
        alder.member.pk,
    )
    assert (reason.reason, reason.execution_id) == ("STARTED", execution.pk)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, ("loaves", "“loaves” is missing.")),
        ({"loaves": 0}, ("loaves", "“loaves” must be at least 1.")),
        ({"loaves": "three"}, ("loaves", "“loaves” must be a whole number.")),
    ],
)
def test_wrong_inputs_are_named_in_plain_words(
    alder: World, given: dict[str, object], problem: tuple[str, str]
) -> None:
    workflow = published(alder, definition=WITH_INPUTS)
    with alder.scope():
        with pytest.raises(manual.NotStarted) as refused:
            manual.start_manually(workflow, alder.owner, given)
        assert refused.value.fields == [problem]
        assert TriggerDecision.objects.get(workflow=workflow).reason == "INVALID_INPUT"
        assert not Execution.objects.filter(workflow=workflow).exists()


def test_a_program_starts_a_run_and_is_refused_while_paused(alder: World) -> None:
    workflow = published(alder)
    with alder.scope():
        assert api.start_by_api(workflow, {"a": 1}).triggered_by == "API"
        paused = publishing.pause(workflow, alder.owner)
        with pytest.raises(api.NotStarted) as refused:
            api.start_by_api(paused, {})
    assert refused.value.reason == "PAUSED"


def test_a_draft_can_be_tried_and_shown_dry_before_it_is_published(alder: World) -> None:
    from workflows.models import Workflow

    with alder.scope():
        workflow = Workflow.objects.create(name="Rough", definition=WITH_INPUTS)
        tried = manual.start_test(workflow, alder.owner, {"loaves": 1})
        shown = manual.start_test(
            workflow, alder.owner, {"type": "webhook", "body": {"loaves": 2}}, dry_run=True
        )
    assert (tried.mode, tried.version_id, tried.triggered_by) == ("TEST", None, "MANUAL")
    assert (shown.mode, shown.triggered_by, shown.draft_definition) == ("DRY_RUN", "WEBHOOK", WITH_INPUTS)


def test_a_draft_that_cannot_run_says_what_is_wrong(alder: World) -> None:
    from workflows.models import Workflow

    with alder.scope():
        workflow = Workflow.objects.create(
            name="Rough", definition={"version": 1, "steps": [{"id": "a", "type": "sing"}]}
        )
        with pytest.raises(manual.DraftNotRunnable) as refused:
            manual.start_test(workflow, alder.owner)
    assert refused.value.problems
