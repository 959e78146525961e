"""The words of the engine: states of steps and calls, classes of errors, results of runs."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = Any
"""A JSON value: dict, list, str, int, float, bool or None."""


class StepStatus(enum.StrEnum):
    """Where one attempt of one step stands; terminal unless said otherwise."""

    RUNNING = "RUNNING"  # not terminal: a block that has begun, or an effect whose intent is recorded
    WAITING = "WAITING"  # not terminal: waits for a person, a time, a child run, an integration
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"  # final, unless recorded["retry_at"] says when the next attempt is due
    SKIPPED = "SKIPPED"
    CANCELLED = "CANCELLED"


class EffectClass(enum.StrEnum):
    """Whether an outside call may be repeated (design section 8)."""

    READ = "read"  # changes nothing: repeat freely
    KEY_SAFE = "key_safe"  # the receiver honours the idempotency key: repeat with the same key
    CHECKABLE = "checkable"  # we can look up whether it happened
    UNSAFE = "unsafe"  # only a person can tell


class EffectState(enum.StrEnum):
    """What is known about an attempt's outside call."""

    NONE = "NONE"  # this step makes no outside call, or only a read
    INTENDED = "INTENDED"  # about to be sent, or sent: after a crash nobody knows
    HAPPENED = "HAPPENED"
    NOT_SENT = "NOT_SENT"  # known not to have happened (refused before it was carried out)
    UNCERTAIN = "UNCERTAIN"  # a person has been asked


class EffectKind(enum.StrEnum):
    """The kinds of outside call the engine asks for; EffectCall says what each carries."""

    HTTP = "http"
    ACTION = "action"
    AI = "ai"
    WORKFLOW = "workflow"
    APPROVAL = "approval"
    WAIT = "wait"
    RESPOND = "respond"


class ErrorClass(enum.StrEnum):
    TEMPORARY = "temporary"  # trying again can help; the only class that is retried
    PERMANENT = "permanent"  # the input or the set-up is wrong
    RECONNECT = "reconnect"  # a credential is dead: the run is held until the integration is reconnected
    PLATFORM = "platform"  # our fault
    CANCELLED = "cancelled"
    TIMEOUT = "timeout"


class RunResult(enum.StrEnum):
    SUCCESS = "SUCCESS"
    PARTIAL = "PARTIAL"  # finished, but at least one step failed and the workflow went on
    FAILURE = "FAILURE"
    CANCELLED = "CANCELLED"


class WakeKind(enum.StrEnum):
    APPROVAL = "approval"
    WAIT = "wait"
    CHILD = "child"
    HELD_INTEGRATION = "held_integration"
    UNCERTAIN_EFFECT = "uncertain_effect"
    DELAY = "delay"  # time alone: a delay step or a retry that is due later


@dataclass(slots=True, frozen=True)
class StepError:
    """Why a step failed.

    error_class: says whether trying again can help.
    message: a sentence a non-technical person can act on, without secrets.
    detail: the technical side, shown folded.
    retry_after: seconds the other side asked us to wait, or None.
    step: path of the step that failed; filled in by the engine.
    """

    error_class: ErrorClass
    message: str
    detail: str = ""
    retry_after: float | None = None
    step: str = ""

    def as_json(self) -> dict[str, Json]:
        """Return the error as stored in the journal and seen by handlers as `error`."""
        return {
            "class": str(self.error_class),
            "message": self.message,
            "detail": self.detail,
            "retry_after": self.retry_after,
            "step": self.step,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Json]) -> StepError:
        return cls(
            ErrorClass(value["class"]),
            value["message"],
            value.get("detail", ""),
            value.get("retry_after"),
            value.get("step", ""),
        )


class EffectError(Exception):
    """Raised by `Effects.perform` and `look_up` when the call did not give a result.

    error: what went wrong; its class decides about a retry.
    may_have_happened: True when the other side may have carried the call out (a time-out after sending,
      a broken connection, most 5xx answers). An unsafe call that may have happened is never sent again on
        its own:
      a person is asked instead.
    held_key: for RECONNECT, the id of the integration whose reconnection wakes the run.
    cost: what was used all the same, as in EffectResult.
    """

    def __init__(
        self,
        error: StepError,
        *,
        may_have_happened: bool = False,
        held_key: str = "",
        cost: Json = None,
    ):
        super().__init__(error.message)
        self.error = error
        self.may_have_happened = may_have_happened
        self.held_key = held_key
        self.cost = cost


class Fenced(Exception):
    """Another worker has taken the run over: this walk must stop and write nothing more."""
