"""A run saved as a test: what is kept, what is demanded, and what a changed draft is told."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from django.utils import timezone

from tests.workflows.saved_tests.recorded import ANSWERS, ORDER, draft_of, keep, record, saved
from tests.worlds import World
from workflows.models import Approval, Execution, SavedTest
from workflows.saved_tests import checking
from workflows.saved_tests.checking import Checked, check_all
from workflows.saved_tests.freeze import NotFreezable, freeze
from workflows.saved_tests.saving import save_run
from workflows.saved_tests.secrecy import without_secrets


def again(test: SavedTest, definition: dict[str, Any] | None = None, **options: Any) -> Checked:
    """Run the test against its workflow's draft, changed to `definition`."""
    if definition is not None:
        test.workflow.definition = definition
    return check_all(test.workflow, [test], **options)[0]


def changed(*keys: Any, to: Any) -> dict[str, Any]:
    """Return ORDER with the value at `keys` replaced."""
    copy: Any = deepcopy(ORDER)
    place = copy
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = to
    return copy


TELL = ("steps", 1, "branches", 0, "steps", 0)


def test_a_saved_run_demands_what_it_did_and_passes(alder: World) -> None:
    with alder.scope():
        test = saved(alder)
    wanted: list[dict[str, Any]] = [
        {"about": "status", "is": "COMPLETED"},
        {"about": "value", "condition": {"value": "{{ output.total }}", "is": "equals", "to": 250}},
        {"about": "value", "condition": {"value": "{{ output.ok }}", "is": "equals", "to": True}},
        {"about": "calls", "step": "tell", "times": 1},
        {"about": "sent", "step": "tell", "field": "channel", "is": "equals", "to": "#orders"},
        {"about": "sent", "step": "tell", "field": "text", "is": "equals", "to": "Ann ordered"},
        {"about": "calls", "step": "file", "times": 0},
    ]
    assert sorted(test.assertions, key=str) == sorted(wanted, key=str)
    assert (test.last_result, len(test.report)) == ("PASSED", 7)


def test_no_secret_is_kept(alder: World) -> None:
    with alder.scope():
        test = saved(alder)
        text = json.dumps(list(SavedTest.objects.filter(pk=test.pk).values("input", "answers", "assertions")))
    assert "hush" not in text
    assert "250" in text


@pytest.mark.parametrize(
    ("name", "hidden"),
    [("password", True), ("apiKey", True), ("X-Api-Key", True), ("token", True), ("next_page_token", False)],
)
def test_values_are_hidden_by_the_name_of_their_field(name: str, hidden: bool) -> None:
    assert (without_secrets({name: "abc"})[name] != "abc") is hidden


def test_a_changed_effect_is_told_with_expected_and_actual(alder: World) -> None:
    with alder.scope():
        done = again(saved(alder), changed(*TELL, "with", "channel", to="#random"))
    (finding,) = done.failures
    assert finding.title == "“Tell the team” is done with channel that is “#orders”"
    assert (finding.expected, finding.actual, finding.step) == ("is “#orders”", "“#random”", "tell")


def test_an_effect_that_is_gone_and_one_that_is_new_are_told(alder: World) -> None:
    condition = {"value": "{{ steps.order.output.body.total }}", "is": "gt", "to": 1000}
    with alder.scope():
        test = saved(alder)
        test.answers["route.otherwise.file"] = [{"output": {"status": 200, "headers": {}, "body": None}}]
        done = again(test, changed("steps", 1, "branches", 0, "when", to=condition))
    said = {finding.title: finding.actual for finding in done.failures}
    assert said["“Tell the team” happens once"] == "not at all"
    assert said["“File it” happens not at all"] == "once"


def test_a_step_without_an_answer_fails_the_test_with_a_sentence(alder: World) -> None:
    new = {
        "id": "more",
        "name": "Ask again",
        "type": "http",
        "url": "https://other.example/x",
        "on_error": "continue",
    }
    with alder.scope():
        done = again(saved(alder), changed("steps", to=[*ORDER["steps"], new]))  # type: ignore[misc]
    (finding,) = done.failures
    assert finding.actual == (
        "Step “Ask again” asked other.example something this test has no answer for: record it again from a run."
    )


def test_a_step_that_moved_keeps_its_answer(alder: World) -> None:
    with alder.scope():
        moved = changed(
            "steps", to=[ORDER["steps"][0], deepcopy(ORDER["steps"][1]["branches"][0]["steps"][0])]
        )  # type: ignore[index]
        moved["output"] = {"total": "{{ steps.order.output.body.total }}", "ok": True}
        assert again(saved(alder), moved).passed


def test_a_failure_names_the_step_and_its_reason(alder: World) -> None:
    with alder.scope():
        done = again(saved(alder), changed(*TELL, "with", "text", to="{{ steps.order.output.body.nobody }}"))
    finding = next(each for each in done.failures if each.title.startswith("The run ends"))
    assert finding.expected == "Completed"
    assert finding.actual.startswith("Failed. Tell the team:")
    assert finding.step == "tell"


def test_a_draft_that_cannot_be_read_fails_with_its_fault(alder: World) -> None:
    with alder.scope():
        done = again(saved(alder), {"version": 1, "steps": [{"id": "x"}]})
    assert not done.passed
    assert done.findings[0].actual


def test_each_try_gets_its_own_answer(alder: World) -> None:
    definition = changed("steps", 0, "retry", to={"attempts": 3})
    with alder.scope():
        workflow = draft_of(alder, definition)
        run = record(alder, workflow)
        run.steps.filter(path="order").update(attempt=2)
        error = {"class": "temporary", "message": "Too busy."}
        keep(alder, run, "order", "http", attempt=1, status="FAILED", input=ANSWERS["order"][0], error=error)
        test = save_run(run, alder.owner)
        assert [list(each) for each in test.answers["order"]] == [["error"], ["output"]]
        assert test.last_result == "PASSED"
        del definition["steps"][0]["retry"]
        done = again(test, definition)
    assert "Too busy." in done.failures[0].actual


def test_a_person_who_approved_approves_again(alder: World) -> None:
    ask = {"id": "ok", "type": "approval", "title": "Send?", "assignees": [{"role": "OWNER"}]}
    after = {"id": "end", "type": "set", "values": {"who": "{{ steps.ok.output.decision }}"}}
    with alder.scope():
        workflow = draft_of(alder, {"version": 1, "steps": [ask, after]})
        run = record(alder, workflow, {})
        keep(alder, run, "ok", "approval", output={"decision": "approve", "form": {}, "who": ["a@b"]})
        test = save_run(run, alder.owner)
        assert test.last_result == "PASSED"
        test.answers = {}
        assert "asked a person" in again(test).failures[0].actual


def test_a_rejection_is_taken_from_the_inbox(alder: World) -> None:
    ask = {
        "id": "ok",
        "type": "approval",
        "title": "Send?",
        "assignees": [{"role": "OWNER"}],
        "on_reject": "stop",
    }
    with alder.scope():
        workflow = draft_of(alder, {"version": 1, "steps": [ask]})
        run = record(alder, workflow, {})
        keep(alder, run, "ok", "approval", status="CANCELLED")
        Approval.objects.create(execution=run, path="ok", title="Send?", status="REJECTED")
        assert save_run(run, alder.owner).assertions == [{"about": "status", "is": "CANCELLED"}]


def test_an_unchanged_program_gives_what_it_gave_and_a_changed_one_really_runs(alder: World) -> None:
    program = {"id": "add", "type": "code", "language": "python", "source": "n + 1", "inputs": {"n": 1}}
    with alder.scope():
        workflow = draft_of(alder, {"version": 1, "steps": [program]})
        test = save_run(record(alder, workflow, {"add": ({"n": 1}, 99)}), alder.owner)
        assert (test.last_result, test.assertions[1]["condition"]["to"]) == ("PASSED", 99)
        done = again(test, {"version": 1, "steps": [{**program, "source": "n + 2"}]})
    assert done.failures[0].actual == "3"


def test_long_waits_pass_at_once(alder: World) -> None:
    with alder.scope():
        wait = {"id": "wait", "type": "delay", "for": "3d"}
        done = again(saved(alder), changed("steps", to=[wait, *ORDER["steps"]]))  # type: ignore[misc]
    assert done.passed


def test_tests_that_take_too_long_fail_with_that_reason(
    alder: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = [{"id": "a", "type": "set", "values": {"n": "{{ item }}"}}]
    endless = {"id": "each", "type": "loop", "items": list(range(2_000)), "steps": body}
    with alder.scope():
        test = saved(alder)
        done = again(test, changed("steps", to=[endless]), seconds=0.001)
        late = again(test, seconds=-1.0)
    assert [each.failures[0].actual.startswith("It took too long") for each in (done, late)] == [
        True,
        True,
    ], done.failures


@pytest.mark.parametrize(
    ("fields", "why"),
    [({"mode": "DRY_RUN"}, "dry run"), ({"status": "WAITING"}, "completed or failed")],
)
def test_runs_that_say_nothing_are_not_saved(alder: World, fields: dict[str, Any], why: str) -> None:
    with alder.scope():
        run = record(alder, draft_of(alder), **fields)
        with pytest.raises(NotFreezable, match=why):
            freeze(run)


def test_a_run_with_too_many_calls_is_not_saved(alder: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows.saved_tests.freeze.MAX_TRIES", 1)
    with alder.scope(), pytest.raises(NotFreezable, match="too many calls"):
        freeze(record(alder, draft_of(alder)))


def test_conditions_of_the_language_can_be_demanded(alder: World) -> None:
    condition = {
        "any": [
            {"value": "{{ steps.order.output.body.total }}", "is": "lt", "to": 5},
            {"value": "{{ status }}", "is": "equals", "to": "FAILED"},
        ]
    }
    with alder.scope():
        test = saved(alder)
        test.assertions = [{"about": "value", "condition": condition}]
        done = again(test)
    assert (done.findings[0].passed, done.findings[0].actual) == (False, "it is not so")


def test_checking_reads_and_writes_only_its_result(alder: World, django_assert_num_queries: Any) -> None:
    with alder.scope():
        test = saved(alder)
        runs = Execution.objects.count()
        test.workflow.organization.name  # noqa: B018 - read before counting
        with django_assert_num_queries(1):  # the result
            again(test)
        assert Execution.objects.count() == runs
    assert test.last_run_at is not None
    assert test.last_run_at <= timezone.now()
    assert checking.SECONDS == 10
