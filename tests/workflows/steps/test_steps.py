"""What each step type does, seen from a run."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.workflows.engine.worlds import START, World, action, output_of, permanent, values
from workflows.engine.interface import (
    Completed,
    EffectClass,
    EffectKind,
    ErrorClass,
    Failed,
    RunResult,
    StepStatus,
    Suspended,
    WakeKind,
)
from workflows.steps.moments import in_business_hours

NEVER = {"value": 1, "is": "equals", "to": 2}
ALWAYS = {"value": 1, "is": "equals", "to": 1}


# Blocks


@pytest.mark.parametrize(
    ("first", "second", "otherwise", "taken"),
    [
        (ALWAYS, ALWAYS, True, "one"),
        (NEVER, ALWAYS, True, "two"),
        (NEVER, NEVER, True, "none"),
        (NEVER, NEVER, False, None),
    ],
)
def test_a_branch_takes_the_first_way_that_holds(
    first: Any, second: Any, otherwise: bool, taken: str | None
) -> None:
    step = {
        "id": "fork",
        "type": "branch",
        "branches": [
            {"name": "one", "when": first, "steps": [values("a", way="one")]},
            {"name": "two", "when": second, "steps": [values("b", way="two")]},
        ],
    }
    if otherwise:
        step["otherwise"] = [values("c", way="none")]
    assert output_of(World([step]).finish()) == (taken and {"way": taken})


def test_parallel_branches_are_joined_by_name_and_their_steps_are_seen_afterwards() -> None:
    step = {
        "id": "p",
        "type": "parallel",
        "branches": [
            {"name": "left", "steps": [values("a", n=1)]},
            {"name": "right", "steps": [values("b", n=2)]},
        ],
    }
    world = World(
        [step, values("sum", n="{{ steps.a.output.n | plus: steps.b.output.n }}", v="{{ vars.n }}")]
    )
    assert output_of(world.finish()) == {"n": 3, "v": 2}
    assert world.newest("p").output == {"left": {"n": 1}, "right": {"n": 2}}


def test_one_branch_does_not_see_what_happens_on_another() -> None:
    step = {
        "id": "p",
        "type": "parallel",
        "branches": [
            {"name": "left", "steps": [values("a", n=1)]},
            {"name": "right", "steps": [values("b", n="{{ steps.a.output.n | default: 'unseen' }}")]},
        ],
    }
    assert output_of(World([step]).finish())["right"] == {"n": "unseen"}


@pytest.mark.parametrize("concurrency", [1, 3])
def test_a_loop_gives_one_output_per_item_in_order(concurrency: int) -> None:
    loop = {
        "id": "each",
        "type": "loop",
        "items": "{{ trigger }}",
        "as": "order",
        "concurrency": concurrency,
        "steps": [values("v", n="{{ order | times: 10 }}", i="{{ loop.index }}", last="{{ loop.last }}")],
    }
    assert output_of(World([loop], trigger=[1, 2, 3]).finish()) == [
        {"n": 10, "i": 0, "last": False},
        {"n": 20, "i": 1, "last": False},
        {"n": 30, "i": 2, "last": True},
    ]


def test_loops_inside_loops_know_the_outer_item() -> None:
    inner = {
        "id": "inner",
        "type": "loop",
        "items": [1, 2],
        "as": "b",
        "steps": [values("v", s="{{ a }}{{ b }}")],
    }
    world = World([{"id": "outer", "type": "loop", "items": ["x", "y"], "as": "a", "steps": [inner]}])
    assert output_of(world.finish()) == [[{"s": "x1"}, {"s": "x2"}], [{"s": "y1"}, {"s": "y2"}]]
    assert "outer[1].inner[0].v" in world.statuses()


def test_a_loop_never_runs_more_items_at_once_than_it_may() -> None:
    running, most = 0, 0

    def count(call: Any) -> Any:
        nonlocal most
        most = max(most, len(world.calls) - finished["n"])
        finished["n"] += 1
        return {}

    finished = {"n": 0}
    loop = {
        "id": "each",
        "type": "loop",
        "items": list(range(20)),
        "concurrency": 4,
        "steps": [action("send")],
    }
    world = World([loop]).on("send", count)
    assert len(output_of(world.finish())) == 20
    assert (running, most <= 4) == (0, True)


@pytest.mark.parametrize(
    ("items", "words"), [("text", "needs a list"), (5, "needs a list"), (list(range(10_001)), "10000")]
)
def test_a_loop_refuses_what_is_no_list_or_too_long(items: Any, words: str) -> None:
    loop = {"id": "each", "type": "loop", "items": "{{ trigger }}", "steps": []}
    assert words in World([loop], trigger=items).finish().error.message


def test_a_loop_over_nothing_gives_an_empty_list() -> None:
    loop = {"id": "each", "type": "loop", "items": "{{ trigger }}", "steps": [values("v", n=1)]}
    assert output_of(World([loop], trigger=[]).finish()) == []


@pytest.mark.parametrize(("until", "rounds"), [(2, 3), (99, 4)])
def test_repeat_goes_on_until_the_condition_holds_or_the_rounds_are_used_up(until: int, rounds: int) -> None:
    step = {
        "id": "again",
        "type": "repeat",
        "max_times": 4,
        "delay": "1h",
        "steps": [action("poll")],
        "until": {"value": "{{ steps.poll.output.n }}", "is": "gte", "to": until},
    }
    world = World({"steps": [step], "settings": {"timeout": "2d"}})
    world.on("poll", *({"n": n} for n in range(9)))
    assert output_of(world.finish()) == {"n": rounds - 1}
    assert len(world.calls) == rounds
    assert world.now == pytest.approx((rounds - 1) * 3600, abs=5)


# Time


def test_a_delay_suspends_until_its_time_and_is_not_started_again() -> None:
    world = World([{"id": "d", "type": "delay", "for": "2h"}, values("b", n=1)])
    first = world.walk_once()
    assert first.wake_at == START + timedelta(hours=2)
    world.now = 3600
    assert world.walk_once().wake_at == first.wake_at
    world.now = 7200
    assert output_of(world.walk_once()) == {"n": 1}


def test_a_short_delay_stays_in_memory() -> None:
    world = World([{"id": "d", "type": "delay", "for": "5s"}])
    assert isinstance(world.walk_once(), Completed)
    assert world.now == pytest.approx(5, abs=0.1)


@pytest.mark.parametrize(
    ("until", "zone", "wake"),
    [
        ("2026-11-24T08:00", "Europe/Paris", datetime(2026, 11, 24, 7, tzinfo=UTC)),
        ("2026-11-24T08:00Z", "Europe/Paris", datetime(2026, 11, 24, 8, tzinfo=UTC)),
        ("{{ trigger.at }}", "UTC", datetime(2026, 12, 1, tzinfo=UTC)),
    ],
)
def test_a_delay_until_a_moment_is_read_in_the_organizations_zone(
    until: str, zone: str, wake: datetime
) -> None:
    world = World(
        [{"id": "d", "type": "delay", "until": until}],
        organization={"timezone": zone},
        trigger={"at": "2026-12-01"},
    )
    assert world.walk_once().wake_at == wake


def test_a_delay_until_a_moment_that_has_passed_does_not_wait() -> None:
    assert isinstance(World([{"id": "d", "type": "delay", "until": "2020-01-01"}]).walk_once(), Completed)


def test_a_delay_that_names_no_moment_says_so() -> None:
    outcome = World([{"id": "d", "type": "delay", "until": "{{ trigger }}"}], trigger="soon").finish()
    assert "soon" in outcome.error.message


@pytest.mark.parametrize(
    ("instant", "zone", "expected"),
    [
        ("2026-11-23T10:00+00:00", "UTC", "2026-11-23T10:00+00:00"),
        ("2026-11-23T06:00+00:00", "UTC", "2026-11-23T09:00+00:00"),
        ("2026-11-23T17:00+00:00", "UTC", "2026-11-24T09:00+00:00"),
        ("2026-11-27T18:00+00:00", "UTC", "2026-11-30T09:00+00:00"),
        ("2026-11-23T09:00+00:00", "America/New_York", "2026-11-23T14:00+00:00"),
        (
            "2026-03-28T12:00+00:00",
            "Europe/Paris",
            "2026-03-30T07:00+00:00",
        ),  # over the night the clocks change
    ],
)
def test_business_hours_are_those_of_the_organization(instant: str, zone: str, expected: str) -> None:
    found = in_business_hours(datetime.fromisoformat(instant), {"timezone": zone})
    assert found == datetime.fromisoformat(expected)


def test_an_organization_may_have_hours_of_its_own() -> None:
    hours = {"days": [5], "opens": "22:00", "closes": "23:00"}
    found = in_business_hours(START, {"timezone": "UTC", "business_hours": hours})
    assert found == datetime(2026, 11, 28, 22, tzinfo=UTC)


# People and other systems


def approval(**more: Any) -> dict[str, Any]:
    return {"id": "ask", "type": "approval", "title": "Send {{ trigger }}?", **more}


def test_an_approval_asks_once_and_gives_the_decision() -> None:
    world = World([approval(assignees=[{"role": "ADMIN"}], required=2)], trigger="it")
    for _ in range(3):
        outcome = world.walk_once()
        assert [(c.kind, c.key) for c in outcome.wake_on] == [(WakeKind.APPROVAL, "run:ask")]
    assert len(world.calls) == 1
    assert world.calls[0].inputs["title"] == "Send it?"
    assert world.calls[0].inputs["required"] == 2
    world.answer(
        "ask", WakeKind.APPROVAL, {"decision": "approve", "form": {"sum": 5}, "who": ["ann@example.com"]}
    )
    assert output_of(world.finish()) == {
        "decision": "approve",
        "approved": True,
        "form": {"sum": 5},
        "who": ["ann@example.com"],
        "by_deadline": False,
    }


@pytest.mark.parametrize(
    ("on_deadline", "decision"), [("approve", "approve"), ("reject", "reject"), ("fail", None)]
)
def test_an_approval_that_nobody_decides(on_deadline: str, decision: str | None) -> None:
    world = World([approval(deadline="2d", on_deadline=on_deadline)], trigger="it")
    assert world.walk_once().wake_at == START + timedelta(days=2)
    outcome = world.finish()
    if decision is None:
        assert outcome.error.error_class is ErrorClass.TIMEOUT
    else:
        assert output_of(outcome)["decision"] == decision
        assert output_of(outcome)["by_deadline"] is True


def test_a_decision_counts_even_when_the_run_wakes_after_the_deadline() -> None:
    world = World([approval(deadline="2d")], trigger="it")
    world.walk_once()
    world.answer("ask", WakeKind.APPROVAL, {"decision": "approve"})
    world.now = 3 * 86_400
    assert output_of(world.walk_once())["approved"] is True


@pytest.mark.parametrize(
    ("on_reject", "expected"),
    [
        ("continue", Completed({"n": 1})),
        ("stop", Completed(None, RunResult.CANCELLED, "The request was rejected.")),
    ],
)
def test_a_refusal_does_what_the_step_says(on_reject: str, expected: Completed) -> None:
    world = World([approval(on_reject=on_reject), values("b", n=1)], trigger="it")
    world.answer("ask", WakeKind.APPROVAL, {"decision": "reject"})
    assert world.finish() == expected


def test_a_refusal_may_fail_the_run() -> None:
    world = World([approval(on_reject="fail")], trigger="it").answer(
        "ask", WakeKind.APPROVAL, {"decision": "reject"}
    )
    assert isinstance(world.finish(), Failed)


def test_approvals_inside_a_loop_wait_side_by_side() -> None:
    loop = {"id": "each", "type": "loop", "items": [1, 2, 3], "concurrency": 2, "steps": [approval()]}
    world = World([loop], trigger="it")
    assert [c.path for c in world.walk_once().wake_on] == ["each[0].ask", "each[1].ask"]
    world.answer("each[1].ask", WakeKind.APPROVAL, {"decision": "approve"})
    assert [c.path for c in world.walk_once().wake_on] == ["each[0].ask", "each[2].ask"]


def test_a_wait_gives_the_posted_body() -> None:
    world = World([{"id": "w", "type": "wait", "timeout": "1d"}])
    outcome = world.walk_once()
    assert (outcome.wake_on[0].kind, outcome.wake_at) == (WakeKind.WAIT, START + timedelta(days=1))
    assert world.newest("w").recorded["address"]["url"].endswith("/resume/w")
    assert world.calls[0].inputs == {"deadline_at": "2026-11-24T09:00:00+00:00"}
    world.answer("w", WakeKind.WAIT, {"paid": True})
    assert output_of(world.finish()) == {"paid": True}


@pytest.mark.parametrize("on_timeout", ["fail", "continue"])
def test_a_wait_that_nobody_ends(on_timeout: str) -> None:
    world = World([{"id": "w", "type": "wait", "timeout": "1d", "on_timeout": on_timeout}])
    outcome = world.finish()
    if on_timeout == "continue":
        assert outcome == Completed(None)
    else:
        assert (outcome.error.error_class, outcome.error.step) == (ErrorClass.TIMEOUT, "w")


CHILD = {"id": "sub", "type": "workflow", "workflow": "w-2", "input": {"n": "{{ trigger }}"}}


def test_a_child_run_is_started_once_and_gives_its_output() -> None:
    world = World([CHILD], trigger=5)
    outcome = world.walk_once()
    assert [(c.kind, c.key) for c in outcome.wake_on] == [(WakeKind.CHILD, "child-of-run:sub")]
    assert world.calls[0].inputs == {"workflow": "w-2", "input": {"n": 5}, "wait": True, "depth": 1}
    world.answer("sub", WakeKind.CHILD, {"status": "COMPLETED", "result": "SUCCESS", "output": {"m": 6}})
    assert output_of(world.finish()) == {"m": 6}
    assert len(world.calls) == 1


def test_a_child_run_that_is_not_waited_for_gives_its_id() -> None:
    assert output_of(World([{**CHILD, "wait": False}], trigger=5).finish()) == {
        "execution_id": "child-of-run:sub"
    }


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            {"status": "FAILED", "error": {"class": "temporary", "message": "Slack is down."}},
            "Slack is down.",
        ),
        ({"status": "COMPLETED", "result": "FAILURE"}, "failed"),
        ({"status": "CANCELLED"}, "cancelled"),
        ({"status": "TIMEOUT"}, "too long"),
    ],
)
def test_a_child_run_that_did_not_succeed_fails_the_step_for_its_reason(
    answer: dict[str, Any], words: str
) -> None:
    world = World([CHILD], trigger=5).answer("sub", WakeKind.CHILD, answer)
    assert words in world.finish().error.message


def test_workflows_that_start_each_other_in_a_circle_are_stopped() -> None:
    assert isinstance(World([CHILD], trigger=5, depth=9).walk_once(), Suspended)
    world = World([CHILD], trigger=5, depth=10)
    assert "circle" in world.finish().error.message
    assert world.calls == []


# Calls


@pytest.mark.parametrize(
    ("step", "effect"),
    [
        ({"method": "GET"}, EffectClass.READ),
        ({"method": "POST"}, EffectClass.UNSAFE),
        ({"method": "put"}, EffectClass.KEY_SAFE),
        ({"method": "POST", "headers": {"Idempotency-Key": "k"}}, EffectClass.KEY_SAFE),
        ({"method": "PATCH"}, EffectClass.UNSAFE),
    ],
)
def test_an_http_request_may_be_repeated_as_its_method_allows(
    step: dict[str, Any], effect: EffectClass
) -> None:
    world = World(
        [{"id": "h", "type": "http", "url": "https://example.test/{{ trigger }}", **step}], trigger="x"
    )
    world.finish()
    assert world.calls[0].effect_class is effect
    assert world.calls[0].inputs["url"] == "https://example.test/x"


def test_an_http_request_carries_what_was_written_and_nothing_else() -> None:
    world = World(
        [
            {
                "id": "h",
                "type": "http",
                "method": "POST",
                "url": "https://example.test",
                "json": {"n": "{{ trigger }}"},
            }
        ],
        trigger=3,
    )
    world.finish()
    assert world.calls[0].inputs["json"] == {"n": 3}
    assert "form" not in world.calls[0].inputs
    assert "body" not in world.calls[0].inputs


def test_a_model_is_asked_with_rendered_texts_and_its_cost_is_recorded() -> None:
    from workflows.engine.interface import EffectResult

    step = {
        "id": "a",
        "type": "ai",
        "operation": "classify",
        "prompt": "Sort: {{ trigger }}",
        "labels": ["x", "y"],
    }
    world = World([step], trigger="hello").on("a", EffectResult("x", cost={"tokens": 12}))
    assert output_of(world.finish()) == "x"
    assert world.calls[0].inputs["prompt"] == "Sort: hello"
    assert world.newest("a").cost == {"tokens": 12}
    assert world.calls[0].effect_class is EffectClass.READ


def test_respond_answers_once_with_a_checked_status() -> None:
    step = {"id": "r", "type": "respond", "status": "{{ trigger }}", "body": {"ok": True}}
    world = World([step], trigger="201")
    world.finish()
    assert (world.calls[0].kind, world.calls[0].inputs["status"]) == (EffectKind.RESPOND, 201)
    outcome = World([step], trigger="700").finish()
    assert "200 to 599" in outcome.error.message


def test_an_action_that_fails_names_the_step() -> None:
    world = World([action("send")]).on("send", permanent("No such channel."))
    outcome = world.finish()
    assert (outcome.error.message, outcome.error.step) == ("No such channel.", "send")
    assert world.newest("send").status is StepStatus.FAILED


def test_set_values_are_seen_as_vars_and_keep_their_type() -> None:
    world = World(
        [values("a", n="{{ trigger.n }}", text="n={{ trigger.n }}"), values("b", m="{{ vars.n }}")],
        trigger={"n": 3},
    )
    assert output_of(world.finish()) == {"m": 3}
    assert world.newest("a").output == {"n": 3, "text": "n=3"}
