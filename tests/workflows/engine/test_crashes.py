"""Kills the walk at any commit or outside call, again and again, and counts what happened outside."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workflows.engine.worlds import Takes, World, action, temporary, values
from workflows.engine.interface import Completed, EffectClass, StepStatus, WakeKind

EFFECTS = ["read", "key_safe", "checkable", "unsafe"]


@st.composite
def definitions(draw: st.DrawFn, depth: int = 2, prefix: str = "s") -> list[dict[str, Any]]:
    """Steps of every shape; each output depends on what came before it in its block."""
    steps: list[dict[str, Any]] = []
    before = "start"
    for index in range(draw(st.integers(1, 3))):
        name = f"{prefix}{index}"
        kinds = ["set", "action", "action", "delay", "handled"] + (
            ["branch", "parallel", "loop", "repeat"] if depth else []
        )
        kind = draw(st.sampled_from(kinds))

        def inside(lane: str, name: str = name) -> Any:
            return draw(definitions(depth=depth - 1, prefix=f"{name}{lane}"))

        if kind == "set":
            steps.append(values(name, seen=before))
        elif kind == "action":
            retry = {"retry": {"attempts": 3}} if draw(st.booleans()) else {}
            steps.append(action(name, draw(st.sampled_from(EFFECTS)), {"seen": before}, **retry))
        elif kind == "handled":
            handler = [action(f"{name}h", draw(st.sampled_from(EFFECTS)), {"why": "{{ error.message }}"})]
            steps.append({**action(name + "bad", "read", {"seen": before}), "on_error": handler})
            name += "bad"
            before = f"{{{{ steps.{name}.status }}}}"
            continue
        elif kind == "delay":
            # Followed by a value, because a delay's own output is an instant, which a crash may well move.
            steps.append({"id": name, "type": "delay", "for": draw(st.sampled_from(["2s", "10m"]))})
            name += "after"
            steps.append(values(name, seen=before))
        elif kind == "branch":
            flag = draw(st.sampled_from(["yes", "no"]))
            steps.append(
                {
                    "id": name,
                    "type": "branch",
                    "otherwise": inside("o"),
                    "branches": [
                        {
                            "name": "first",
                            "when": {"value": flag, "is": "equals", "to": "yes"},
                            "steps": inside("f"),
                        }
                    ],
                }
            )
        elif kind == "parallel":
            steps.append(
                {
                    "id": name,
                    "type": "parallel",
                    "branches": [
                        {"name": "left", "steps": inside("l")},
                        {"name": "right", "steps": inside("r")},
                    ],
                }
            )
        elif kind == "loop":
            steps.append(
                {
                    "id": name,
                    "type": "loop",
                    "items": [1, 2, 3],
                    "steps": inside("e"),
                    "concurrency": draw(st.sampled_from([1, 2])),
                }
            )
        else:
            steps.append(
                {
                    "id": name,
                    "type": "repeat",
                    "steps": inside("p"),
                    "max_times": 3,
                    "until": {"value": "{{ loop.index }}", "is": "gte", "to": 1},
                }
            )
        before = f"{{{{ steps.{name}.output | json }}}}"
    return steps


def world_of(steps: list[dict[str, Any]]) -> World:
    world = World({"steps": steps, "settings": {"timeout": "300d"}})

    def react(call: Any) -> Any:
        if call.step_id.endswith("bad"):
            raise temporary("no luck")
        return {"got": call.inputs["with"], "by": call.path}

    world.default = react
    # A person who looks at the other side before answering.
    world.default_resolution = lambda key: (
        {"resolution": "happened", "output": world.happened[key].output}
        if key in world.happened
        else {"resolution": "not_happened"}
    )
    return world


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=definitions(), crashes=st.lists(st.integers(1, 30), min_size=1, max_size=8))
def test_a_run_that_is_killed_anywhere_ends_like_one_that_was_not(steps: Any, crashes: list[int]) -> None:
    calm, rough = world_of(steps), world_of(steps)
    expected = calm.finish()
    rough.crashes = list(crashes)
    found = rough.finish()

    assert isinstance(expected, Completed)
    assert found == expected
    assert rough.ran_twice == [], "a committed step ran again"
    for key, times in rough.times_happened.items():
        calls = [call for call in rough.calls if call.key == key]
        if calls[0].effect_class is not EffectClass.READ:
            assert times == 1, f"{calls[0].effect_class} happened {times} times"
        assert all(call.inputs == calls[0].inputs for call in calls), "a repeated call differed"
    assert set(rough.times_happened) == set(calm.times_happened)
    assert rough.statuses() == calm.statuses()


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize("crash", range(1, 8))
def test_each_effect_class_keeps_its_promise_at_every_point(effect: str, crash: int) -> None:
    world = world_of(
        [values("a", n=1), action("send", effect, {"n": "{{ vars.n }}"}), values("b", done=True)]
    )
    world.crashes = [crash, crash, crash]
    assert isinstance(world.finish(), Completed)
    assert world.times_happened["run:send"] == 1 or effect == "read"
    assert world.ran_twice == []


def test_an_unsafe_call_that_was_interrupted_is_never_sent_again_without_a_person() -> None:
    world = World([action("send", "unsafe")])
    world.crashes = [4]  # after the other side did it, before we knew
    with pytest.raises(BaseException, match="after call"):
        world.walk_once()
    for _ in range(3):
        outcome = world.walk_once()
        assert [condition.kind for condition in outcome.wake_on] == [WakeKind.UNCERTAIN_EFFECT]
    assert len(world.calls) == 1
    world.answer("send", WakeKind.UNCERTAIN_EFFECT, {"resolution": "happened", "output": {"id": 7}})
    assert world.finish() == Completed({"id": 7})
    assert len(world.calls) == 1


def test_an_unsafe_call_that_did_not_happen_is_sent_once_more_and_asked_about_again() -> None:
    world = World([action("send", "unsafe")])
    world.crashes = [3]  # before the call
    with pytest.raises(BaseException, match="before call"):
        world.walk_once()
    world.walk_once()
    world.answer("send", WakeKind.UNCERTAIN_EFFECT, {"resolution": "not_happened"})
    world.crashes = [4]  # the second sending is interrupted too, after it happened
    with pytest.raises(BaseException, match="after call"):
        world.walk_once()
    assert world.walk_once().wake_on[0].kind is WakeKind.UNCERTAIN_EFFECT
    assert len(world.calls) == 1
    assert [row.attempt for row in world.attempts("send")] == [1, 2]


def test_the_way_taken_at_a_fork_on_the_clock_is_kept_after_a_crash() -> None:
    early = {"value": "{{ now }}", "is": "before", "to": "2026-11-23T09:00:30Z"}
    steps = [
        {
            "id": "fork",
            "type": "branch",
            "branches": [
                {
                    "name": "early",
                    "when": early,
                    "steps": [action("first", "key_safe"), action("second", "key_safe")],
                }
            ],
            "otherwise": [action("late", "key_safe")],
        }
    ]
    world = World(steps)
    world.crashes = [7]
    with pytest.raises(BaseException, match=r"call|commit"):
        world.walk_once()
    world.now += 3600 - 1
    world.run.deadline = None
    assert isinstance(world.finish(), Completed)
    assert [call.step_id for call in world.calls if call.step_id == "late"] == []


def test_two_walks_over_a_finished_journal_give_the_same_and_call_nothing() -> None:
    steps = [
        values("a", n=2),
        action("x", "unsafe"),
        {
            "id": "each",
            "type": "loop",
            "items": [1, 2],
            "steps": [values("inner", total="{{ vars.total | default: 0 | plus: item }}")],
        },
        {**action("bad"), "on_error": "continue"},
        values("end", total="{{ vars.total }}", status="{{ steps.bad.status }}"),
    ]
    world = World(steps).on("bad", temporary())
    first = world.finish()
    calls, rows = len(world.calls), dict(world.rows)
    assert world.walk_once() == first
    assert first.output == {"total": 3, "status": "FAILED"}
    assert len(world.calls) == calls
    assert world.rows == rows


def test_what_finished_blocks_left_in_scope_is_there_again_after_a_wait() -> None:
    total = {
        "id": "each",
        "type": "loop",
        "items": [1, 2],
        "steps": [values("inner", total="{{ vars.total | default: 0 | plus: item }}")],
    }
    fork = {"id": "fork", "type": "branch", "branches": [], "otherwise": [values("deep", n=5)]}
    fork["branches"] = [{"name": "no", "when": {"value": 1, "is": "equals", "to": 2}, "steps": []}]
    handled = {**action("bad"), "on_error": [values("told", n=6)]}
    world = World(
        [
            {
                "id": "p",
                "type": "parallel",
                "branches": [{"name": "left", "steps": [total]}, {"name": "right", "steps": [fork, handled]}],
            },
            {
                "id": "r",
                "type": "repeat",
                "max_times": 2,
                "steps": [values("round", n="{{ loop.index }}")],
                "until": {"value": 1, "is": "equals", "to": 2},
            },
            {"id": "d", "type": "delay", "for": "1h"},
            values(
                "end",
                total="{{ vars.total }}",
                deep="{{ steps.deep.output.n }}",
                told="{{ steps.told.output.n }}",
                round="{{ steps.round.output.n }}",
            ),
        ]
    ).on("bad", temporary())
    assert isinstance(world.finish(), Completed)
    assert world.newest("end").output == {"total": 3, "deep": 5, "told": 6, "round": 1}


def test_an_interrupted_call_is_repeated_with_the_inputs_that_may_have_been_sent() -> None:
    world = World([action("send", "key_safe", {"at": "{{ now }}"})])
    world.crashes = [4]
    with pytest.raises(BaseException, match="after call"):
        world.walk_once()
    world.now += 100
    assert isinstance(world.finish(), Completed)
    assert world.calls[0].inputs == world.calls[1].inputs


@pytest.mark.parametrize("effect", ["key_safe", "checkable", "unsafe", "respond"])
def test_what_came_before_is_on_disk_when_anything_becomes_visible_outside(effect: str) -> None:
    step = {"id": "out", "type": "respond"} if effect == "respond" else action("out", effect)
    world = World([values("before", n=1), step])
    on_disk: list[str] = []
    world.on("out", lambda call: on_disk.extend(world.statuses()))
    world.finish()
    assert "before" in on_disk


def test_the_result_of_a_call_is_on_disk_before_the_next_step_starts() -> None:
    world = World([action("first", "key_safe"), action("second", "read")])
    on_disk: list[str] = []
    world.on("second", lambda call: on_disk.append(world.statuses()["first"]))
    world.finish()
    assert on_disk == ["COMPLETED"]


def test_a_slow_answer_is_waited_for_once() -> None:
    world = World([action("slow", "unsafe")]).on("slow", Takes(60, {"ok": True}))
    assert world.finish() == Completed({"ok": True})
    assert world.newest("slow").status is StepStatus.COMPLETED
