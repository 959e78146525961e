"""Branches that run side by side: they go as far as each can, then meet, and one outcome stands for all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from workflows.engine.frame import Join
from workflows.engine.here import earliest
from workflows.engine.interface import Json
from workflows.engine.signals import DeadlineReached, Halted, RunCancelled, Signal, StepFailed, Stop, Suspend

_PRECEDENCE = (RunCancelled, Stop, DeadlineReached, StepFailed, Halted)  # Suspend only when nothing else is


async def side_by_side(
    count: int, width: int, branch: Callable[[int], Awaitable[Json]], join: Join
) -> list[Json]:
    """Return the outputs of branch(0) ... branch(count - 1), in order, with at most `width` running at once.

    A branch that suspends keeps its place among the `width`, so with width 1 the second never overtakes the
    first. A branch that fails, stops the run or is out of time halts the rest before their next step; what is
    in flight is finished and recorded. Raises the signal of the weightiest, then first, branch; Suspend with the
    conditions of all.
    """
    outputs: list[Json] = [None] * count
    signals: list[tuple[int, Signal]] = []
    upcoming = iter(range(count))

    async def lane() -> None:
        for index in upcoming:
            if join.halted:
                return
            try:
                outputs[index] = await branch(index)
            except Suspend as suspend:
                signals.append((index, suspend))
                return
            except Signal as signal:
                join.halted = True
                signals.append((index, signal))
                return

    if min(width, count) <= 1:
        await lane()
    else:
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(width, count)):
                    group.create_task(lane())
        except BaseExceptionGroup as fatal:
            # Not a step's failure but the journal's, or a fault of the engine: the walk ends as it would alone.
            raise fatal.exceptions[0] from None
    if signals:
        raise _weightiest(signals)
    return outputs


def _weightiest(signals: list[tuple[int, Signal]]) -> Signal:
    signals.sort(key=lambda found: found[0])
    for kind in _PRECEDENCE:
        for _index, signal in signals:
            if isinstance(signal, kind):
                return signal
    suspended = [signal for _index, signal in signals if isinstance(signal, Suspend)]
    conditions = [condition for signal in suspended for condition in signal.conditions]
    return Suspend(conditions, earliest(*(signal.wake_at for signal in suspended)))
