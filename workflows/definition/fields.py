"""Which fields of a step and of a trigger hold templates and conditions, and which names only they see."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from workflows.definition.problems import Location
from workflows.definition.shapes import Condition
from workflows.definition.steps import ApprovalStep, BranchStep, RepeatStep, StepBase, TransformStep
from workflows.definition.triggers import ProviderTrigger, TriggerBase, WebhookTrigger

# Step type -> (key in the document, attribute of the model).
TEMPLATE_FIELDS: dict[str, tuple[tuple[str, str], ...]] = {
    "action": (("with", "with_"),),
    "http": (("url", "url"), ("headers", "headers"), ("query", "query"), ("json", "json_body"), ("form", "form"),
             ("body", "body")),
    "ai": (("system", "system"), ("prompt", "prompt")),
    "set": (("values", "values"),),
    "transform": (("items", "items"), ("count", "count"), ("offset", "offset"), ("add", "add"),
                  ("subtract", "subtract"), ("replacement", "replacement")),
    "code": (("inputs", "inputs"),),
    "loop": (("items", "items"),),
    "delay": (("for", "for_"), ("until", "until")),
    "approval": (("title", "title"), ("message", "message")),
    "workflow": (("input", "input"),),
    "respond": (("status", "status"), ("headers", "headers"), ("body", "body")),
    "stop": (("message", "message"),),
}  # fmt: skip
PER_ITEM = frozenset({"filter", "map", "sort", "unique", "aggregate", "group"})  # these see `item` and `loop`


@dataclass(frozen=True, slots=True)
class TemplateField:
    """One field with templates. location: inside the step. names: what it sees beyond the step's own scope.

    after_body: it is looked at after the steps inside its own block, as `until` is.
    """

    location: Location
    value: Any = None
    condition: Condition | None = None
    names: frozenset[str] = frozenset()
    after_body: bool = False


def step_fields(step: StepBase) -> Iterator[TemplateField]:
    """Yield every field of `step` itself (not of the steps inside it) that may hold templates."""
    if step.condition is not None:
        yield TemplateField(("if",), condition=step.condition)
    for key, attribute in TEMPLATE_FIELDS.get(step.type, ()):  # type: ignore[attr-defined]  # each step type has one
        value = getattr(step, attribute)
        if value is not None:
            yield TemplateField((key,), value)
    if isinstance(step, TransformStep):
        yield from _transform_fields(step)
    elif isinstance(step, BranchStep):
        for index, branch in enumerate(step.branches):
            yield TemplateField(("branches", index, "when"), condition=branch.when)
    elif isinstance(step, RepeatStep):
        names = frozenset({"loop"})
        yield TemplateField(("until",), condition=step.until, names=names, after_body=True)
        if step.delay is not None:
            yield TemplateField(("delay",), step.delay, names=names, after_body=True)
    elif isinstance(step, ApprovalStep):
        for index, assignee in enumerate(step.assignees):
            if assignee.user is not None:
                yield TemplateField(("assignees", index, "user"), assignee.user)


def trigger_fields(trigger: TriggerBase) -> Iterator[TemplateField]:
    """Yield every field of a trigger that may hold templates."""
    if isinstance(trigger, WebhookTrigger) and trigger.dedupe_key is not None:
        yield TemplateField(("dedupe_key",), trigger.dedupe_key)
    if isinstance(trigger, (WebhookTrigger, ProviderTrigger)) and trigger.filter is not None:
        yield TemplateField(("filter",), condition=trigger.filter)


def _transform_fields(step: TransformStep) -> Iterator[TemplateField]:
    names = frozenset({"item", "loop"}) if step.operation in PER_ITEM else frozenset()
    if step.where is not None:
        yield TemplateField(("where",), condition=step.where, names=names)
    for key in ("value", "by"):
        if getattr(step, key) is not None:
            yield TemplateField((key,), getattr(step, key), names=names)
    for name, measure in step.measures.items():
        yield TemplateField(("measures", name, "value"), measure.value, names=names)
