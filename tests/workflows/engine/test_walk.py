"""The rules of the walk: conditions, errors, handlers, limits, time, cancel, suspension, stop."""

from datetime import timedelta
from typing import Any

import pytest

from tests.workflows.engine.worlds import (
    START,
    Takes,
    World,
    action,
    output_of,
    permanent,
    temporary,
    values,
)
from workflows.engine.interface import (
    Cancelled,
    Completed,
    EffectState,
    ErrorClass,
    Failed,
    RunResult,
    StepStatus,
    Suspended,
    WakeKind,
)

NEVER = {"value": 1, "is": "equals", "to": 2}


def test_an_empty_workflow_completes_with_nothing() -> None:
    assert World([]).finish() == Completed(None)


def test_the_last_step_is_the_output_unless_the_workflow_names_another() -> None:
    steps = [values("a", n=1), values("b", n=2)]
    assert output_of(World(steps).finish()) == {"n": 2}
    assert output_of(World({"steps": steps, "output": "{{ steps.a.output.n }}"}).finish()) == 1


def test_a_run_of_trivial_steps_needs_no_commit_of_its_own() -> None:
    world = World([values(f"s{n}", n=n) for n in range(10)])
    world.finish()
    assert (world.commits, len(world.rows)) == (0, 10)


@pytest.mark.parametrize("extra", [{"if": NEVER}, {"disabled": True}])
def test_a_step_that_is_passed_over_is_recorded_and_leaves_the_output_alone(extra: dict[str, Any]) -> None:
    world = World(
        [
            values("a", n=1),
            {**values("b", n=2), **extra},
            values("c", was="{{ steps.b.status }}", got="{{ steps.b.output }}"),
        ]
    )
    assert output_of(world.finish()) == {"was": "SKIPPED", "got": None}
    assert world.newest("b").status is StepStatus.SKIPPED
    assert output_of(World([values("a", n=1), {**values("b", n=2), **extra}]).finish()) == {"n": 1}


def test_a_missing_value_fails_the_step_and_names_it() -> None:
    outcome = World([values("a", n="{{ trigger.body.nmae }}")], trigger={"body": {"name": "x"}}).finish()
    assert outcome.error.error_class is ErrorClass.PERMANENT
    assert "nmae" in outcome.error.message
    assert outcome.error.step == "a"


def test_a_broken_condition_fails_the_step_and_obeys_on_error() -> None:
    broken = {"if": {"value": "{{ trigger.missing }}", "is": "equals", "to": 1}}
    assert isinstance(World([{**values("a", n=1), **broken}], trigger={}).finish(), Failed)
    outcome = World([{**values("a", n=1), **broken, "on_error": "continue"}], trigger={}).finish()
    assert outcome == Completed(None, RunResult.PARTIAL)


def test_continue_goes_on_and_the_result_is_partial() -> None:
    world = World(
        [
            {**action("bad"), "on_error": "continue"},
            values("b", status="{{ steps.bad.status }}", why="{{ steps.bad.error.message }}"),
        ]
    )
    world.on("bad", permanent("No such channel."))
    assert world.finish() == Completed({"status": "FAILED", "why": "No such channel."}, RunResult.PARTIAL)


def test_a_handler_sees_the_error_and_gives_the_output() -> None:
    handler = [values("tell", text="{{ error.message }} ({{ error.class }})")]
    world = World([{**action("bad"), "on_error": handler}]).on("bad", permanent("No."))
    assert world.finish() == Completed({"text": "No. (permanent)"}, RunResult.PARTIAL)
    assert "bad.on_error.tell" in world.statuses()


def test_a_handler_that_fails_fails_the_run() -> None:
    world = World([{**action("bad"), "on_error": [action("worse")]}])
    world.on("bad", permanent("No.")).on("worse", permanent("Worse."))
    assert world.finish().error.message == "Worse."


def test_a_block_answers_for_the_steps_inside_it() -> None:
    loop = {"id": "each", "type": "loop", "items": [1, 2], "steps": [action("bad")], "on_error": "continue"}
    world = World([loop, values("after", ok=True)]).on("bad", permanent("No."))
    assert world.finish() == Completed({"ok": True}, RunResult.PARTIAL)
    assert world.newest("each").error["step"] == "each[0].bad"
    assert len(world.calls) == 1, "the second round never started"


def test_a_call_that_takes_too_long_fails_and_may_be_tried_again() -> None:
    world = World([action("slow", timeout="5s", retry={"attempts": 2})]).on("slow", Takes(60), {"ok": 1})
    assert output_of(world.finish()) == {"ok": 1}
    outcome = World([action("slow", timeout="5s")]).on("slow", Takes(60)).finish()
    assert "5 seconds" in outcome.error.message


def test_a_block_that_takes_too_long_fails_as_a_timeout_and_its_on_error_counts() -> None:
    block = {"id": "each", "type": "loop", "items": [1, 2, 3], "steps": [action("slow")], "timeout": "100s"}
    world = World([block]).on("slow", Takes(60))
    outcome = world.finish()
    assert (outcome.error.error_class, outcome.error.step) == (ErrorClass.TIMEOUT, "each")
    assert len(world.calls) == 2
    world = World([{**block, "on_error": "continue"}, values("b", ok=1)]).on("slow", Takes(60))
    assert world.finish() == Completed({"ok": 1}, RunResult.PARTIAL)


def test_the_run_ends_at_its_deadline_whatever_on_error_says() -> None:
    steps = [{**action("slow"), "on_error": "continue", "timeout": "1h"}, values("b", ok=1)]
    world = World({"steps": steps, "settings": {"timeout": "90s"}}).on("slow", Takes(3000))
    outcome = world.finish()
    assert (outcome.error.error_class, outcome.error.step) == (ErrorClass.TIMEOUT, "")
    assert world.now == pytest.approx(90, abs=1)


def test_a_run_that_waits_for_people_may_last_longer_than_an_hour() -> None:
    world = World([{"id": "ok", "type": "approval", "title": "Go?"}])
    outcome = world.walk_once()
    assert outcome.wake_at - START == timedelta(days=30)
    world.now = 31 * 86_400
    assert world.walk_once().error.error_class is ErrorClass.TIMEOUT


def test_cancel_gives_up_the_call_in_flight_and_starts_nothing_more() -> None:
    world = World([values("a", n=1), action("slow", "unsafe"), values("b", n=2)])
    world.cancel_at_call = "slow"
    assert world.finish() == Cancelled()
    row = world.newest("slow")
    assert (row.status, row.effect_state) == (StepStatus.CANCELLED, EffectState.UNCERTAIN)
    assert "b" not in world.statuses()


def test_cancel_reaches_calls_inside_branches() -> None:
    lanes = [{"name": n, "steps": [action(n)]} for n in ("left", "right")]
    world = World([{"id": "p", "type": "parallel", "branches": lanes}]).on("left", Takes(600))
    world.cancel_at_call = "right"
    assert world.finish() == Cancelled()
    assert world.now < 1


def test_a_run_cancelled_while_it_waited_ends_at_once() -> None:
    world = World([{"id": "d", "type": "delay", "for": "1d"}])
    world.walk_once()
    world.run.cancel_requested = True
    assert world.walk_once() == Cancelled()


def test_a_worker_that_shuts_down_leaves_the_run_as_it_was() -> None:
    import asyncio

    world = World([action("slow", "key_safe")])
    world.on("slow", lambda call: (_ for _ in ()).throw(asyncio.CancelledError()), {"ok": 1})
    with pytest.raises(asyncio.CancelledError):
        world.walk_once()
    assert world.newest("slow").status is StepStatus.RUNNING
    assert world.finish() == Completed({"ok": 1})


def test_branches_go_as_far_as_they_can_and_the_run_waits_for_all_of_them() -> None:
    lanes = [
        {"name": "left", "steps": [{"id": "ask", "type": "approval", "title": "Go?"}, values("l", n=1)]},
        {
            "name": "right",
            "steps": [action("send"), {"id": "d", "type": "delay", "for": "1h"}, values("r", n=2)],
        },
    ]
    world = World([{"id": "p", "type": "parallel", "branches": lanes}])
    outcome = world.walk_once()
    assert [(c.kind, c.path) for c in outcome.wake_on] == [
        (WakeKind.APPROVAL, "p.left.ask"),
        (WakeKind.DELAY, "p.right.d"),
    ]
    assert outcome.wake_at - START == pytest.approx(timedelta(hours=1), abs=timedelta(seconds=1))
    world.answer("p.left.ask", WakeKind.APPROVAL, {"decision": "approve"})
    outcome = world.walk_once()
    assert [c.path for c in outcome.wake_on] == ["p.right.d"]
    assert output_of(world.finish()) == {"left": {"n": 1}, "right": {"n": 2}}
    assert [call.step_id for call in world.calls].count("send") == 1


def test_a_failure_beside_others_lets_calls_in_flight_finish_and_starts_no_more() -> None:
    lanes = [
        {"name": "left", "steps": [action("bad")]},
        {"name": "right", "steps": [action("slow", "unsafe"), action("never")]},
    ]
    world = World([{"id": "p", "type": "parallel", "branches": lanes}])
    world.on("bad", permanent("No.")).on("slow", Takes(5, {"ok": 1}))
    assert world.finish().error.message == "No."
    assert world.newest("p.right.slow").status is StepStatus.COMPLETED
    assert [call.step_id for call in world.calls] == ["bad", "slow"]


@pytest.mark.parametrize(
    ("outcome", "result"),
    [("success", RunResult.SUCCESS), ("failure", RunResult.FAILURE), ("cancelled", RunResult.CANCELLED)],
)
def test_stop_ends_the_whole_run_from_inside_loops_and_branches(outcome: str, result: RunResult) -> None:
    stop = {"id": "end", "type": "stop", "outcome": outcome, "message": "Enough after {{ item }}"}
    fork = {
        "id": "fork",
        "type": "branch",
        "otherwise": [stop],
        "branches": [{"name": "no", "when": NEVER, "steps": []}],
    }
    world = World([{"id": "each", "type": "loop", "items": [5, 6], "steps": [fork]}, values("never", n=1)])
    found = world.finish()
    assert found == Completed(None, result, "Enough after 5")
    assert world.walk_once() == found, "a second walk over the same journal ends the same"
    assert "never" not in world.statuses()


def test_an_output_that_is_too_large_fails_the_step_clearly() -> None:
    outcome = World([action("big")]).on("big", "x" * (6 * 1024 * 1024)).finish()
    assert "too large" in outcome.error.message
    assert "6.0 MB of at most 5.0 MB" in outcome.error.message


def test_an_output_that_is_no_data_fails_the_step() -> None:
    assert "no plain data" in World([action("odd")]).on("odd", {"a": {1, 2}}).finish().error.message


def test_characters_that_no_database_keeps_are_replaced() -> None:
    world = World([action("odd")]).on("odd", {"a": "x\x00y", "b": "\ud800z", "c": "\\u0000"})
    assert output_of(world.finish()) == {"a": "x\ufffdy", "b": "?z", "c": "\\u0000"}


def test_a_run_has_a_ceiling_of_steps() -> None:
    loop = {"id": "each", "type": "loop", "items": list(range(50)), "steps": [values("s", n=1)]}
    world = World({"steps": [loop], "settings": {"budget": {"steps": 20}}})
    assert "limit of 20 steps" in world.finish().error.message


def test_what_was_answered_before_the_crash_of_a_waiting_run_is_used() -> None:
    world = World([{"id": "ask", "type": "approval", "title": "Go?"}])
    world.answer("ask", WakeKind.APPROVAL, {"decision": "approve", "who": ["ann"]})
    assert output_of(world.finish())["who"] == ["ann"]


def test_a_retry_inside_a_loop_suspends_only_its_own_round() -> None:
    loop = {
        "id": "each",
        "type": "loop",
        "items": [1, 2, 3],
        "concurrency": 2,
        "steps": [action("send", with_={"n": "{{ item }}"}, retry={"attempts": 2})],
    }
    world = World([loop])
    world.on("send", temporary(retry_after=60), {"ok": 1})
    outcome = world.walk_once()
    assert isinstance(outcome, Suspended)
    assert [c.path for c in outcome.wake_on] == ["each[0].send"]
    assert world.statuses()["each[2].send"] == "COMPLETED"
    assert output_of(world.finish()) == [{"ok": 1}] * 3
