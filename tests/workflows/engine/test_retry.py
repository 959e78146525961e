"""When a failed step is tried again, and when it is not."""

from random import Random

import pytest

from tests.workflows.engine.worlds import World, action, permanent, reconnect, temporary
from workflows.engine.interface import (
    Completed,
    EffectState,
    ErrorClass,
    Failed,
    StepError,
    StepStatus,
    Suspended,
    WakeKind,
)
from workflows.engine.retry import next_attempt_in, retry_delay

RETRY = {"retry": {"attempts": 3, "backoff": "2s"}}


@pytest.mark.parametrize(("attempt", "ceiling"), [(1, 4), (2, 8), (5, 64), (12, 900), (5000, 900)])
def test_the_wait_is_spread_between_nothing_and_a_growing_ceiling(attempt: int, ceiling: float) -> None:
    waits = [retry_delay(attempt, rng=Random(seed)) for seed in range(200)]
    assert 0 <= min(waits) < ceiling * 0.1
    assert ceiling * 0.9 < max(waits) <= ceiling


def test_attempts_count_from_one() -> None:
    with pytest.raises(ValueError, match="counts from 1"):
        retry_delay(0, rng=Random(1))


@pytest.mark.parametrize(
    ("error_class", "again"),
    [
        (ErrorClass.TEMPORARY, True),
        (ErrorClass.PERMANENT, False),
        (ErrorClass.RECONNECT, False),
        (ErrorClass.PLATFORM, False),
        (ErrorClass.CANCELLED, False),
        (ErrorClass.TIMEOUT, False),
    ],
)
def test_only_a_temporary_error_is_worth_another_try(error_class: ErrorClass, again: bool) -> None:
    assert (next_attempt_in(StepError(error_class, ""), 1, 3, 5.0) is not None) is again


@pytest.mark.parametrize(("retry_after", "wait"), [(None, 5.0), (1.0, 5.0), (60.0, 60.0), (10**9, 86_400)])
def test_the_other_side_may_ask_for_a_longer_wait_up_to_a_day(retry_after: float | None, wait: float) -> None:
    assert next_attempt_in(StepError(ErrorClass.TEMPORARY, "", retry_after=retry_after), 1, 3, 5.0) == wait


def test_a_step_that_recovers_leaves_a_row_for_every_attempt() -> None:
    world = World([action("send", **RETRY)]).on("send", temporary(), temporary(), {"ok": 1})
    assert world.finish() == Completed({"ok": 1})
    rows = world.attempts("send")
    assert [row.status for row in rows] == ["FAILED", "FAILED", "COMPLETED"]
    assert rows[0].error["message"] == "try again"
    assert {call.key for call in world.calls} == {"run:send"}


def test_a_step_that_never_recovers_fails_after_its_last_attempt() -> None:
    world = World([action("send", **RETRY)]).on("send", temporary())
    outcome = world.finish()
    assert isinstance(outcome, Failed)
    assert (outcome.error.error_class, outcome.error.step) == (ErrorClass.TEMPORARY, "send")
    assert len(world.calls) == 3


def test_a_permanent_error_is_not_tried_again() -> None:
    world = World([action("send", **RETRY)]).on("send", permanent("No such channel."))
    assert world.finish().error.message == "No such channel."
    assert len(world.calls) == 1


def test_without_a_retry_rule_there_is_one_attempt() -> None:
    world = World([action("send")]).on("send", temporary())
    assert isinstance(world.finish(), Failed)
    assert len(world.calls) == 1


def test_a_short_wait_stays_in_memory_and_a_long_one_suspends_the_run() -> None:
    world = World([action("send", **RETRY)]).on("send", temporary(), {"ok": 1})
    assert isinstance(world.walk_once(), Completed)
    world = World([action("send", **RETRY)]).on("send", temporary(retry_after=120), {"ok": 1})
    outcome = world.walk_once()
    assert isinstance(outcome, Suspended)
    assert outcome.wake_on[0].kind is WakeKind.DELAY
    assert (outcome.wake_at - world.instant()).total_seconds() == pytest.approx(120, abs=1)
    assert isinstance(world.walk_once(), Suspended), "woken too early, it waits on"
    assert len(world.calls) == 1
    assert world.finish() == Completed({"ok": 1})


def test_an_unsafe_call_that_may_have_happened_is_not_retried_but_asked_about() -> None:
    world = World([action("send", "unsafe", **RETRY)]).on(
        "send", temporary(may_have_happened=True), {"ok": 1}
    )
    outcome = world.walk_once()
    assert [(c.kind, c.path) for c in outcome.wake_on] == [(WakeKind.UNCERTAIN_EFFECT, "send")]
    assert world.newest("send").effect_state is EffectState.UNCERTAIN
    assert len(world.calls) == 1


def test_an_unsafe_call_that_was_refused_is_retried() -> None:
    world = World([action("send", "unsafe", **RETRY)]).on("send", temporary(), {"ok": 1})
    assert world.finish() == Completed({"ok": 1})
    assert world.times_happened == {"run:send": 1}


def test_an_unsafe_call_that_may_have_happened_and_has_no_retry_fails_and_says_so_in_the_journal() -> None:
    world = World([action("send", "unsafe")]).on("send", temporary(may_have_happened=True))
    assert isinstance(world.finish(), Failed)
    assert world.newest("send").effect_state is EffectState.UNCERTAIN


def test_a_checkable_call_is_looked_up_before_it_is_sent_again() -> None:
    def happens_but_the_answer_is_lost(call):
        world.happened[call.key] = {"ok": 1}
        from workflows.engine.interface import EffectResult

        world.happened[call.key] = EffectResult({"id": 9})
        return temporary(may_have_happened=True)

    world = World([action("send", "checkable", **RETRY)])
    world.on("send", happens_but_the_answer_is_lost, {"sent": "twice"})
    assert world.finish() == Completed({"id": 9})
    assert len(world.calls) == 1


def test_a_checkable_call_without_retries_is_looked_up_before_it_is_called_failed() -> None:
    world = World([action("send", "checkable")]).on("send", temporary(may_have_happened=True))
    assert isinstance(world.finish(), Failed)
    assert len(world.look_ups) == 1
    assert world.newest("send").effect_state is EffectState.NOT_SENT


def test_a_dead_credential_holds_the_run_until_it_is_reconnected() -> None:
    world = World([action("send", "unsafe")]).on(
        "send", reconnect("slack-1"), reconnect("slack-1"), {"ok": 1}
    )
    for _ in range(2):
        outcome = world.walk_once()
        assert [(c.kind, c.key) for c in outcome.wake_on] == [(WakeKind.HELD_INTEGRATION, "slack-1")]
    row = world.newest("send")
    assert (row.status, row.effect_state) == (StepStatus.WAITING, EffectState.NOT_SENT)
    assert world.finish() == Completed({"ok": 1})


def test_a_fault_in_our_own_code_fails_the_step_as_ours() -> None:
    world = World([action("send")]).on("send", ZeroDivisionError("oops"))
    world.default = None
    outcome = World([action("send")]).on("send", lambda call: 1 / 0).finish()
    assert outcome.error.error_class is ErrorClass.PLATFORM
    assert "ZeroDivisionError" in outcome.error.detail
    assert "ZeroDivisionError" not in outcome.error.message
