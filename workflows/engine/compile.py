"""A definition made ready to walk: every template parsed, every duration in seconds, once per version."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workflows.definition.conditions import compile_condition
from workflows.definition.durations import parse_duration
from workflows.definition.expressions import compile_value
from workflows.definition.tree import iter_steps
from workflows.definition.waiting import addresses_used
from workflows.engine.limits import DEFAULT_RUN_SECONDS, MAX_RUN_STEPS, WAITING_RUN_SECONDS

if TYPE_CHECKING:
    from workflows.definition.schema import Definition
    from workflows.definition.steps import StepBase
    from workflows.engine.frame import Frame
    from workflows.engine.here import Here
    from workflows.engine.interface import CommittedStep, Json

WAITING_TYPES = frozenset({"approval", "delay", "wait", "workflow"})
Nodes = tuple["Node", ...]
Template = Callable[[dict[str, Any]], Any]
"""Renders a value, or tells whether a condition holds, in a scope. Raises ExpressionError."""


class StepKind:
    """One step type; an instance is one step of a definition, made ready.

    A subclass sets `pure` and writes `compute`, or writes `run`. It keeps nothing between calls: one instance
    serves all runs of the version at once.
    """

    pure = False  # compute() gives the output at once, from the scope alone
    is_block = False  # holds steps; its failures are theirs, so it is not retried
    waits_for_runs = False  # whether a run that it started ends with its own time
    ends_run = False
    remembers = False  # overrides remember()

    def __init__(self, step: Any, compiler: Compiler):
        raise NotImplementedError

    def is_long(self, here: Here) -> bool:
        """Return whether compute() may take longer than other runs should wait; itself quick."""
        return False

    def compute(self, here: Here) -> Json:
        """Return the step's output. Raises StepFailed."""
        raise NotImplementedError

    async def run(self, here: Here) -> Json:
        """Return the step's output. Raises StepFailed, Suspend, Stop."""
        raise NotImplementedError

    def visible(self, path: str, committed: CommittedStep) -> Iterable[tuple[Nodes, str]]:
        """Return (steps, path prefix) of the inner steps that later steps may refer to, in order."""
        return ()

    def remember(self, frame: Frame, output: Json) -> None:
        """Put into the scope what a finished step leaves there besides its output; also when it is replayed."""


@dataclass(slots=True, frozen=True)
class Node:
    """One step of a compiled definition.

    condition: the step's `if`, or None. attempts: tries in all.
    retry_base, retry_cap, timeout: seconds; timeout None means none of its own.
    on_error: "fail", "continue" or "handler"; handler: the steps that run then.
    """

    id: str
    type: str
    kind: StepKind
    condition: Any = None
    disabled: bool = False
    attempts: int = 1
    retry_base: float = 2.0
    retry_cap: float = 900.0
    timeout: float | None = None
    on_error: str = "fail"
    handler: Nodes = ()


@dataclass(slots=True, frozen=True)
class CompiledWorkflow:
    """output: the compiled output, or None to take the last step's. timeout: seconds. max_steps: paths per run.

    addresses: wait step -> its path, where other steps hand its address out.
    """

    steps: Nodes
    output: Any = None
    timeout: float = DEFAULT_RUN_SECONDS
    max_steps: int = MAX_RUN_STEPS
    addresses: Mapping[str, str] = field(default_factory=dict)


class Compiler:
    """Turns the steps of one definition into nodes. kinds: step type -> StepKind subclass."""

    def __init__(self, kinds: Mapping[str, type[StepKind]]):
        self.kinds = kinds

    def nodes(self, steps: Iterable[StepBase]) -> Nodes:
        return tuple(self.node(step) for step in steps)

    def node(self, step: StepBase) -> Node:
        kind = self.kinds[step.type](step, self)  # type: ignore[attr-defined]
        retry = step.retry
        on_error = step.on_error
        return Node(
            id=step.id,
            type=step.type,  # type: ignore[attr-defined]
            kind=kind,
            condition=None if step.condition is None else self.condition(step.condition),
            disabled=step.disabled,
            attempts=retry.attempts if retry else 1,
            retry_base=seconds(retry.backoff) if retry else 2.0,
            retry_cap=seconds(retry.max_delay) if retry else 900.0,
            timeout=None if step.timeout is None else seconds(step.timeout),
            on_error=on_error if isinstance(on_error, str) else "handler",
            handler=() if isinstance(on_error, str) else self.nodes(on_error),
        )

    def value(self, value: Json) -> Template:
        """Return a function of the scope that renders `value`."""
        return compile_value(value).render

    def condition(self, condition: Any) -> Template:
        """Return a function of the scope that tells whether `condition` holds."""
        return compile_condition(condition).holds


def compile_definition(definition: Definition, kinds: Mapping[str, type[StepKind]]) -> CompiledWorkflow:
    """Return the definition ready to walk; immutable, so one serves every run of a version."""
    compiler = Compiler(kinds)
    settings = definition.settings
    budget = settings.budget.steps if settings.budget else None
    return CompiledWorkflow(
        steps=compiler.nodes(definition.steps),
        output=None if definition.output is None else compiler.value(definition.output),
        timeout=run_seconds(definition),
        max_steps=min(MAX_RUN_STEPS, budget or MAX_RUN_STEPS),
        addresses=addresses_used(definition),
    )


def run_seconds(definition: Definition) -> float:
    """Return how long a run may last: as written, else an hour, or a month where a step may wait for somebody."""
    written = seconds(definition.settings.timeout)
    if "timeout" in definition.settings.model_fields_set:
        return written
    waits = any(step.type in WAITING_TYPES for _path, step, _enclosing in iter_steps(definition))  # type: ignore[attr-defined]
    return WAITING_RUN_SECONDS if waits else written


def seconds(duration: str) -> float:
    """Return a duration of the definition language in seconds."""
    return parse_duration(duration).total_seconds()
