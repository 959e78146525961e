"""How a step leaves its place in the walk other than by giving an output."""

from collections.abc import Sequence
from datetime import datetime

from workflows.engine.interface import ErrorClass, Json, RunResult, StepError, WakeCondition


class Signal(Exception):
    """Base of everything that unwinds the walk on purpose."""


class StepFailed(Signal):
    """The step gives no result; retry and on_error decide what follows."""

    def __init__(self, error: StepError):
        super().__init__(error.message)
        self.error = error


def failure(message: str, *, detail: str = "", error_class: ErrorClass = ErrorClass.PERMANENT) -> StepFailed:
    """Return the signal for a step that cannot go on; message: a sentence a person can act on."""
    return StepFailed(StepError(error_class, message, detail))


class Suspend(Signal):
    """The walk cannot pass here now. wake_at: a further instant to look again (the timeout of a block)."""

    def __init__(self, conditions: Sequence[WakeCondition], wake_at: datetime | None = None):
        super().__init__("suspended")
        self.conditions = list(conditions)
        self.wake_at = wake_at


class Stop(Signal):
    """A stop step ends the whole run, from however deep."""

    def __init__(self, result: RunResult, message: str, output: Json = None):
        super().__init__(message)
        self.result = result
        self.message = message
        self.output = output


class DeadlineReached(Signal):
    """Time is up for the block at `owner`, or for the run when owner is empty."""

    def __init__(self, owner: str):
        super().__init__(owner)
        self.owner = owner


class RunCancelled(Signal):
    """Cancel was asked for."""


class Halted(Signal):
    """A sibling branch failed or stopped the run, so this one starts nothing more."""
