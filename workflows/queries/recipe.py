"""A definition as people read it: a numbered list of sentences, with blocks indented below their step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from integrations.framework import registry
from workflows.definition.conditions import describe
from workflows.definition.recipe import step_line
from workflows.definition.schema import Definition
from workflows.definition.steps import BranchStep, LoopStep, ParallelStep, StepBase
from workflows.definition.tree import ON_ERROR, child_lists

LOOK: dict[str, tuple[str, str]] = {
    "action": ("plug", ""), "http": ("globe", "info"), "ai": ("sparkles", "warm"), "set": ("tag", "neutral"),
    "transform": ("shuffle", "neutral"), "code": ("code", "neutral"), "branch": ("split", "warning"),
    "parallel": ("columns-3", "warning"), "loop": ("repeat", "warning"), "repeat": ("rotate-cw", "warning"),
    "delay": ("clock", "neutral"), "approval": ("user-check", "warm"), "wait": ("hourglass", "neutral"),
    "workflow": ("workflow", "info"), "respond": ("reply", "info"), "stop": ("octagon-x", "neutral"),
}  # fmt: skip


@dataclass(slots=True)
class Block:
    """One way through a block step. path: what a step path has before the steps inside, like `route.vip`."""

    label: str
    steps: list[RecipeStep]
    path: str = ""


@dataclass(slots=True)
class RecipeStep:
    """One step. path: its static path. number: its place in its list, from 1. note: what it does, in a sentence."""

    path: str
    number: int
    id: str
    type: str
    title: str
    note: str
    icon: str
    tone: str
    disabled: bool = False
    blocks: list[Block] = field(default_factory=list)

    def walk(self) -> Iterator[RecipeStep]:
        """Yield this step and all inside it, in reading order."""
        yield self
        for block in self.blocks:
            for step in block.steps:
                yield from step.walk()


def recipe_of(definition: Definition) -> list[RecipeStep]:
    """Return the steps of a definition as a recipe."""
    return _steps(definition.steps, "")


def _steps(steps: Sequence[StepBase], prefix: str) -> list[RecipeStep]:
    return [_step(step, number, f"{prefix}{step.id}") for number, step in enumerate(steps, start=1)]


def _step(step: StepBase, number: int, path: str) -> RecipeStep:
    kind = str(getattr(step, "type", ""))
    icon, tone = LOOK.get(kind, ("zap", ""))
    sentence = step_line(step, operation_title)
    title, note = (step.name, step.note or sentence) if step.name else (sentence, step.note)
    made = RecipeStep(path, number, step.id, kind, title, note, icon, tone, step.disabled)
    for branch, suffix, children, _inside in child_lists(step):
        made.blocks.append(
            Block(_label(step, branch), _steps(children, f"{path}{suffix}."), f"{path}{suffix}")
        )
    return made


def _label(step: StepBase, branch: str) -> str:
    if branch == ON_ERROR:
        return _("If this fails")
    if isinstance(step, BranchStep):
        found = next((each for each in step.branches if each.name == branch), None)
        if found is None:
            return _("Otherwise")
        condition = _("If %(condition)s") % {"condition": describe(found.when)}
        return f"{found.title}: {condition}" if found.title else condition
    if isinstance(step, ParallelStep):
        lane = next((each for each in step.branches if each.name == branch), None)
        return (lane.title if lane else "") or branch.replace("_", " ").capitalize()
    if isinstance(step, LoopStep):
        return _("For each item")
    return _("Each round")


def operation_title(provider: str, operation: str) -> str:
    """Return "Slack: Post a message" for an operation or event of a connector, "" for an unknown one."""
    try:
        connector = registry.get(provider)
    except KeyError:
        return ""
    known = {each.key: str(each.label) for each in connector.triggers}
    known |= {each.key: str(each.label) for each in connector.actions}
    return f"{connector.name}: {known[operation]}" if operation in known else ""
