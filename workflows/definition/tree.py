"""Walks over the steps of a definition, and the grammar of step paths (`route.vip.notify`, `each[3].send`)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workflows.definition.problems import Location
from workflows.definition.schema import Definition
from workflows.definition.steps import Branch, BranchStep, Lane, LoopStep, ParallelStep, RepeatStep, StepBase

OTHERWISE = "otherwise"
ON_ERROR = "on_error"
RESERVED_BRANCH_NAMES = frozenset({OTHERWISE, ON_ERROR})
_INDEX = re.compile(r"\[\d*\]")


@dataclass(frozen=True, slots=True)
class Enclosing:
    """One block around a step, and which of its ways the step is on.

    branch: name of the branch or lane, "otherwise", "on_error", or "" for the body of a loop or repeat.
    """

    step: StepBase
    branch: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a step stands. path: static step path, loops written `each[]`. location: place in the JSON document."""

    path: str
    step: StepBase
    enclosing: tuple[Enclosing, ...]
    location: Location

    @property
    def depth(self) -> int:
        return len(self.enclosing) + 1


def places(definition: Definition) -> Iterator[Place]:
    """Yield every step, handlers of errors included, in reading order: a block before the steps inside it."""
    yield from _walk(definition.steps, "", (), ("steps",))


def iter_steps(definition: Definition) -> Iterator[tuple[str, StepBase, tuple[Enclosing, ...]]]:
    """Yield (path, step, enclosing blocks from the outside in) for every step, in reading order."""
    for place in places(definition):
        yield place.path, place.step, place.enclosing


def find_step(definition: Definition, path: str) -> StepBase | None:
    """Return the step at `path`, or None. Loop indexes do not matter: `each[3].send` and `each[].send` are the same."""
    wanted = static_path(path)
    return next((step for found, step, _enclosing in iter_steps(definition) if found == wanted), None)


def step_by_id(definition: Definition, step_id: str) -> StepBase | None:
    """Return the step with this id, or None."""
    return next((step for _path, step, _enclosing in iter_steps(definition) if step.id == step_id), None)


def static_path(path: str) -> str:
    """Return `path` without the numbers of its loop rounds: `each[3].send` gives `each[].send`."""
    return _INDEX.sub("[]", path)


def child_lists(step: StepBase) -> Iterator[tuple[str, str, Sequence[StepBase], Location]]:
    """Yield (branch name, what the path adds to the step's own, steps, place inside the step) per list of steps."""
    if isinstance(step, (BranchStep, ParallelStep)):
        branches: Sequence[Branch | Lane] = step.branches
        for index, branch in enumerate(branches):
            yield branch.name, f".{branch.name}", branch.steps, ("branches", index, "steps")
    if isinstance(step, BranchStep) and step.otherwise is not None:
        yield OTHERWISE, f".{OTHERWISE}", step.otherwise, ("otherwise",)
    if isinstance(step, (LoopStep, RepeatStep)):
        yield "", "[]", step.steps, ("steps",)
    if isinstance(step.on_error, list):
        yield ON_ERROR, f".{ON_ERROR}", step.on_error, ("on_error",)


def _walk(
    steps: Sequence[StepBase], prefix: str, enclosing: tuple[Enclosing, ...], location: Location
) -> Iterator[Place]:
    for index, step in enumerate(steps):
        path, here = f"{prefix}{step.id}", (*location, index)
        yield Place(path, step, enclosing, here)
        for branch, suffix, children, inside in child_lists(step):
            yield from _walk(
                children, f"{path}{suffix}.", (*enclosing, Enclosing(step, branch)), (*here, *inside)
            )
