"""What may be repeated: an outside call is made so that a crash at any point cannot make it happen twice silently.

Before any call that is more than a read, an intent is durable. When a walk finds an intent without a result it
repeats the call with the same key (read, key_safe), looks it up (checkable), or asks a person (unsafe).
Calls that end in our own database (approvals, child runs, resume addresses, webhook answers) are idempotent by
their key there, so what came before is made durable and no intent is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from workflows.definition.wording import gettext as _
from workflows.engine.interface import (
    EffectCall,
    EffectClass,
    EffectError,
    EffectKind,
    EffectResult,
    EffectState,
    ErrorClass,
    Json,
    RunResult,
    StepError,
    StepStatus,
    WakeKind,
)
from workflows.engine.payload import check_input
from workflows.engine.signals import DeadlineReached, RunCancelled, Signal, StepFailed, Stop

if TYPE_CHECKING:
    from workflows.engine.here import Here

_MAYBE_SENT = (EffectState.INTENDED, EffectState.UNCERTAIN)
IN_OUR_DATABASE = frozenset({EffectKind.WORKFLOW, EffectKind.APPROVAL, EffectKind.WAIT, EffectKind.RESPOND})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})  # RFC 9110, 9.2.1
IDEMPOTENT_METHODS = frozenset(
    {"PUT", "DELETE"}
)  # RFC 9110, 9.2.2: the same request twice has the same effect


def default_class(kind: EffectKind, inputs: Mapping[str, Json]) -> EffectClass:
    """Return whether a call may be repeated, for every kind but ACTION, which its connector declares.

    An HTTP request that its author gave an Idempotency-Key is repeated with it. A model's answer changes nothing
    outside; an agent with tools might.
    """
    if kind in IN_OUR_DATABASE:
        return EffectClass.KEY_SAFE
    if kind is EffectKind.HTTP:
        method = str(inputs.get("method") or "GET").upper()
        if method in SAFE_METHODS:
            return EffectClass.READ
        headers = inputs.get("headers") or {}
        if method in IDEMPOTENT_METHODS or any(str(name).lower() == "idempotency-key" for name in headers):
            return EffectClass.KEY_SAFE
        return EffectClass.UNSAFE
    if kind is EffectKind.AI and not (inputs.get("operation") == "agent" and inputs.get("tools")):
        return EffectClass.READ
    return EffectClass.UNSAFE


async def perform(here: Here, kind: EffectKind, inputs: Mapping[str, Json]) -> EffectResult:
    """Return the result of one outside call.

    inputs: rendered now; an intent found in the journal wins over them, because it may have been sent.
    Raises StepFailed, Suspend (a person is asked, or an integration is held), RunCancelled, DeadlineReached.
    """
    walk = here.walk
    here.key = walk.key_of(here.path)
    here.durable = True
    committed = here.committed
    interrupted = committed is not None and committed.effect_state in _MAYBE_SENT
    if committed is not None and interrupted and committed.input is not None:
        inputs = committed.input
    here.input = inputs = check_input(inputs)
    effect_class = walk.effects.effect_class(kind, inputs)
    call = EffectCall(kind, here.path, here.node.id, here.attempt, here.key, effect_class, inputs, 0.0)

    uncertain_before = here.previous is not None and here.previous.effect_state is EffectState.UNCERTAIN
    if interrupted and effect_class is EffectClass.UNSAFE:
        settled = await _ask(here, call)
        if settled is not None:
            return _happened(here, settled)
    if effect_class is EffectClass.CHECKABLE and (interrupted or uncertain_before):
        here.effect_state = EffectState.UNCERTAIN
        found = await _guarded(here, call, look_up=True)
        if found is not None:
            return _happened(here, found)

    if effect_class is EffectClass.READ:
        here.effect_state = EffectState.NONE
    elif kind in IN_OUR_DATABASE:
        here.effect_state = EffectState.NONE
        await walk.journal.flush()
    elif not interrupted or effect_class is EffectClass.UNSAFE:
        here.effect_state = EffectState.INTENDED
        await walk.journal.intend(here.record(StepStatus.RUNNING))
        here.committed = None  # replaced by the intent: whatever follows is recorded anew
        # Somebody may have pressed cancel while the intent was on its way to disk; nothing is sent yet.
        if walk.cancelled:
            here.effect_state = EffectState.NOT_SENT
            walk.journal.append(here.record(StepStatus.CANCELLED, finished_at=here.now()))
            raise RunCancelled
    else:
        here.effect_state = EffectState.INTENDED
    call.attempt = here.attempt
    result = await _guarded(here, call, look_up=False)
    return _happened(here, result or EffectResult())


def _happened(here: Here, result: EffectResult) -> EffectResult:
    if here.effect_state is not EffectState.NONE:
        here.effect_state = EffectState.HAPPENED
    here.cost = result.cost
    return result


async def _guarded(here: Here, call: EffectCall, *, look_up: bool) -> EffectResult | None:
    """Make the call within its time and turn every way it can fail into what the engine understands."""
    walk = here.walk
    sent_before = here.effect_state
    try:
        call.timeout = here.call_seconds()
        awaitable = walk.effects.look_up(call) if look_up else walk.effects.perform(call)
        return await walk.outside(awaitable, call.timeout)
    except TimeoutError:
        if here.effect_state is EffectState.INTENDED:
            here.effect_state = EffectState.UNCERTAIN
        deadline = here.outer.deadline
        if deadline is not None and here.now() >= deadline:
            walk.journal.append(
                here.record(
                    StepStatus.CANCELLED,
                    finished_at=here.now(),
                    error=_error(
                        ErrorClass.TIMEOUT, _("Time was up while this step was waiting for an answer.")
                    ).as_json(),
                )
            )
            raise DeadlineReached(here.outer.owner) from None
        problem = EffectError(
            _error(
                ErrorClass.TEMPORARY,
                _("There was no answer within {seconds} seconds.").format(seconds=f"{call.timeout:g}"),
            ),
            may_have_happened=True,
        )
    except RunCancelled:
        if here.effect_state is EffectState.INTENDED:
            here.effect_state = EffectState.UNCERTAIN
        walk.journal.append(here.record(StepStatus.CANCELLED, finished_at=here.now()))
        raise
    except EffectError as refused:
        problem = refused
    except Signal:
        raise
    except Exception as fault:  # noqa: BLE001 - whatever a connector throws is one failed step, not a lost run
        problem = EffectError(
            _error(
                ErrorClass.PLATFORM,
                _("Something went wrong on our side. The step can be tried again."),
                f"{type(fault).__name__}: {fault}",
            ),
            may_have_happened=True,
        )
    if look_up:
        # Not knowing is not "it did not happen": the state stays as uncertain as it was.
        here.effect_state = sent_before
        if problem.error.error_class is ErrorClass.RECONNECT:
            raise _held(here, problem)
        raise StepFailed(problem.error)
    return await _failed(here, call, problem)


async def _failed(here: Here, call: EffectCall, problem: EffectError) -> EffectResult:
    """Decide what a failed call means; returns a result only when a look-up finds that it happened after all."""
    error = problem.error
    here.cost = problem.cost or here.cost
    if error.error_class is ErrorClass.RECONNECT and not problem.may_have_happened:
        if here.effect_state is EffectState.INTENDED:
            here.effect_state = EffectState.NOT_SENT
        raise _held(here, problem)
    if here.effect_state in (EffectState.INTENDED, EffectState.UNCERTAIN):
        here.effect_state = EffectState.UNCERTAIN if problem.may_have_happened else EffectState.NOT_SENT
    if here.effect_state is EffectState.UNCERTAIN:
        would_repeat = error.error_class is ErrorClass.TEMPORARY and here.attempt < here.node.attempts
        if call.effect_class is EffectClass.UNSAFE and would_repeat:
            raise _question(here, call)
        if call.effect_class is EffectClass.CHECKABLE and not would_repeat:
            found = await _guarded(here, call, look_up=True)
            if found is not None:
                return found
            here.effect_state = EffectState.NOT_SENT
    raise StepFailed(error)


async def _ask(here: Here, call: EffectCall) -> EffectResult | None:
    """Return what a person says the interrupted call gave, or None when it may be sent again."""
    answer = here.answer(WakeKind.UNCERTAIN_EFFECT)
    if answer is None or answer.attempt != here.attempt:
        raise _question(here, call)
    resolution = answer.value.get("resolution")
    here.effect_state = EffectState.UNCERTAIN
    if resolution == "happened":
        return EffectResult(answer.value.get("output"))
    if resolution == "stop":
        raise Stop(
            RunResult.CANCELLED,
            _("Stopped by a person, because nobody could tell whether the step happened."),
        )
    # Known not to have happened: this attempt is closed, so that an answer about it is never used for the next.
    here.effect_state = EffectState.NOT_SENT
    here.walk.journal.append(
        here.record(
            StepStatus.FAILED,
            finished_at=here.now(),
            recorded={"retry_at": here.now().isoformat()},
            error=_error(ErrorClass.TEMPORARY, _("The step was interrupted before it happened.")).as_json(),
        )
    )
    here.attempt += 1
    here.started_at = here.now()
    here.committed = None
    return None


def _question(here: Here, call: EffectCall) -> Signal:
    here.effect_state = EffectState.UNCERTAIN
    return here.suspend(
        WakeKind.UNCERTAIN_EFFECT, here.key or "", detail=dict(call.inputs), own_timeout=False
    )


def _held(here: Here, problem: EffectError) -> Signal:
    key = problem.held_key or here.key or ""
    return here.suspend(WakeKind.HELD_INTEGRATION, key, detail=problem.error.as_json(), own_timeout=False)


def _error(error_class: ErrorClass, message: str, detail: str = "") -> StepError:
    return StepError(error_class, message, detail)
