"""One attempt of one step: where it stands in the walk, and what it may ask of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from workflows.engine import effects
from workflows.engine.frame import Frame
from workflows.engine.interface import (
    Answer,
    CommittedStep,
    EffectKind,
    EffectResult,
    EffectState,
    Json,
    RunInput,
    StepRecord,
    StepStatus,
    WakeCondition,
    WakeKind,
)
from workflows.engine.limits import DEFAULT_CALL_SECONDS
from workflows.engine.signals import DeadlineReached, Suspend

if TYPE_CHECKING:
    from workflows.engine.compile import Node, Nodes
    from workflows.engine.walk import Walk


class Here:
    """What a step kind gets.

    committed: the unfinished record of this very attempt when a walk resumes inside it, else None.
    previous: the failed record of the attempt before, or None. started_at: the recorded start; expressions
    see it as `now`, so that a replay renders the same. input, cost, effect_state, key and recorded end up in
    the record; durable asks for a commit instead of an append. frame is bounded by the step's own timeout,
    outer is not.
    """

    __slots__ = (
        "attempt",
        "committed",
        "cost",
        "durable",
        "effect_state",
        "frame",
        "input",
        "key",
        "node",
        "outer",
        "path",
        "previous",
        "recorded",
        "started_at",
        "walk",
    )

    def __init__(
        self,
        walk: Walk,
        node: Node,
        path: str,
        frame: Frame,
        attempt: int,
        started_at: datetime,
        committed: CommittedStep | None = None,
        previous: CommittedStep | None = None,
    ):
        self.walk = walk
        self.node = node
        self.path = path
        self.attempt = attempt
        self.started_at = started_at
        self.committed = committed
        self.previous = previous
        self.outer = frame
        if node.timeout is not None:
            frame = frame.bounded(started_at + timedelta(seconds=node.timeout), path)
        self.frame = frame
        self.input: Json = None
        self.cost: Json = None
        self.effect_state = EffectState.NONE
        self.key: str | None = None
        self.durable = False
        self.recorded: Mapping[str, Json] = {}

    # What the step sees

    @property
    def run(self) -> RunInput:
        return self.walk.input

    @property
    def waiting(self) -> Mapping[str, Json] | None:
        """What was recorded when this attempt began to wait, or None."""
        if self.committed is not None and self.committed.status is StepStatus.WAITING:
            return self.committed.recorded
        return None

    def render(self, template: Callable[[dict[str, Any]], Json]) -> Json:
        """Return a compiled value, or the truth of a compiled condition. Raises ExpressionError."""
        scope = self.frame.scope
        scope["now"] = self.started_at
        return template(scope)

    def now(self) -> datetime:
        """Return the current instant, for comparing with deadlines; never for rendering."""
        return self.walk.environment.now()

    def answer(self, kind: WakeKind) -> Answer | None:
        """Return what arrived for this step, or None."""
        answer = self.walk.answers.get(self.path)
        return answer if answer is not None and answer.kind is kind else None

    # What the step may do

    async def perform(self, kind: EffectKind, inputs: Mapping[str, Json]) -> EffectResult:
        """Return the result of an outside call, made at most as often as its effect class allows."""
        return await effects.perform(self, kind, inputs)

    async def block(self, nodes: Nodes, prefix: str, frame: Frame | None = None) -> Json:
        """Return the output of the last step of an inner block."""
        return await self.walk.block(nodes, prefix, frame or self.frame)

    def begin(self, **recorded: Json) -> None:
        """Record that this block has begun, so that a replay sees the same time and takes the same way."""
        self.recorded = recorded
        if self.committed is None or (recorded and dict(self.committed.recorded) != recorded):
            self.walk.journal.append(self.record(StepStatus.RUNNING, recorded=recorded))

    def suspend(
        self,
        kind: WakeKind,
        key: str,
        wake_at: datetime | None = None,
        *,
        recorded: Mapping[str, Json] | None = None,
        detail: Json = None,
        own_timeout: bool = True,
    ) -> Suspend:
        """Record that the step waits, and return the signal to raise.

        own_timeout: whether the step's own timeout counts while waiting. Raises DeadlineReached when time is up.
        """
        frame = self.frame if own_timeout else self.outer
        deadline = frame.deadline
        if deadline is not None and self.now() >= deadline:
            raise DeadlineReached(frame.owner)
        kept = {**(recorded or {}), "kind": str(kind), "key": key}
        if wake_at is not None:
            kept["wake_at"] = wake_at.isoformat()
        if self.waiting is None or dict(self.waiting) != kept:
            self.walk.journal.append(self.record(StepStatus.WAITING, recorded=kept))
        condition = WakeCondition(kind, self.path, key, wake_at, detail)
        return Suspend([condition], earliest(wake_at, deadline))

    async def outside(self, awaitable: Any, seconds: float) -> Any:
        """Return what `awaitable` gives within `seconds`. Raises TimeoutError, RunCancelled."""
        return await self.walk.outside(awaitable, seconds)

    def call_seconds(self, default: float = DEFAULT_CALL_SECONDS) -> float:
        """Return how long a call may take now: the step's timeout, cut by the bounds around it."""
        seconds = default if self.node.timeout is None else self.node.timeout
        deadline = self.outer.deadline
        if deadline is None:
            return seconds
        left = (deadline - self.now()).total_seconds()
        if left <= 0:
            raise DeadlineReached(self.outer.owner)
        return min(seconds, left)

    def record(self, status: StepStatus, **values: Any) -> StepRecord:
        """Return this attempt's row of the journal."""
        node = self.node
        values.setdefault("effect_state", self.effect_state)
        return StepRecord(
            self.path,
            node.id,
            node.type,
            self.attempt,
            status,
            self.started_at,
            input=self.input,
            idempotency_key=self.key,
            cost=self.cost,
            **values,
        )


def earliest(*instants: datetime | None) -> datetime | None:
    """Return the first of the instants that are known, or None."""
    return min((instant for instant in instants if instant is not None), default=None)
