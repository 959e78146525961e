"""The workflow language, version 1: a definition and its triggers, read from JSON data with every fault explained."""

import json
from typing import Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from workflows.definition import limits
from workflows.definition.faults import problems_from
from workflows.definition.problems import DefinitionInvalid, Problem
from workflows.definition.shapes import Duration, JsonSchema, Shape, Value
from workflows.definition.steps import BLOCK_TYPES, STEP_MODELS, Step, StepBase, Steps
from workflows.definition.triggers import TRIGGER_MODELS, Trigger, TriggerBase
from workflows.definition.wording import gettext as _

__all__ = [
    "BLOCK_TYPES", "STEP_MODELS", "TRIGGER_MODELS", "Budget", "Definition", "OnFailure", "Settings", "Step", "StepBase",
    "Trigger", "TriggerBase", "parse_definition", "parse_triggers",
]  # fmt: skip


class OnFailure(Shape):
    """Whom a failed run tells: "owner", "admins", "creator" or e-mail addresses; and a workflow to start, if any."""

    notify: list[str] = Field(default_factory=lambda: ["owner"], max_length=50)
    workflow: str | None = Field(
        None, max_length=64, description="Id of a workflow that gets the failure as input."
    )


class Budget(Shape):
    """Where one run stops, whatever its steps want."""

    tokens: int | None = Field(None, ge=1, description="AI tokens of one run.")
    cost_cents: int | None = Field(None, ge=1, description="AI cost of one run, in cents.")
    steps: int | None = Field(
        None, ge=1, description="Steps that one run may execute, rounds of loops counted."
    )


class Settings(Shape):
    """What holds for the whole run."""

    timeout: Duration = Field(
        "1h", description="The run fails when it is active for longer. Waiting counts too."
    )
    concurrency: int = Field(
        10, ge=1, le=limits.MAX_RUN_CONCURRENCY, description="Runs of this workflow at once."
    )
    on_failure: OnFailure = Field(default_factory=OnFailure)
    budget: Budget | None = None


class Definition(Shape):
    """A workflow as a tree of steps."""

    version: Literal[1]
    inputs: JsonSchema | None = Field(None, description="What a manual or API run must hand in.")
    steps: Steps = Field(default_factory=list)
    output: Value = Field(None, description="The run's result; without it, the last step's output.")
    settings: Settings = Field(default_factory=Settings)


_TRIGGERS: TypeAdapter[list[Trigger]] = TypeAdapter(list[Trigger])


def parse_definition(data: Any) -> Definition:
    """Return the definition that `data` (JSON data, not text) describes.

    Checks shape and ceilings only; whether references hold is the business of `validate`.
    Raises DefinitionInvalid with every fault found.
    """
    _refuse_oversize(data)
    try:
        return Definition.model_validate(data)
    except ValidationError as error:
        raise DefinitionInvalid(problems_from(error, data)) from None


def parse_triggers(data: Any) -> list[Trigger]:
    """Return the triggers that `data`, a list of JSON objects, describes. Raises DefinitionInvalid."""
    _refuse_oversize(data)
    if isinstance(data, list) and len(data) > limits.MAX_TRIGGERS:
        message = _("A workflow may have {count} triggers at most.").format(count=limits.MAX_TRIGGERS)
        raise DefinitionInvalid([Problem("too_many_triggers", message)])
    try:
        return _TRIGGERS.validate_python(data)
    except ValidationError as error:
        raise DefinitionInvalid(problems_from(error, data)) from None


def _refuse_oversize(data: Any) -> None:
    """Raise DefinitionInvalid when the data is too deep or too large, before anything recursive looks at it."""
    level, depth, step_count = [data], 0, 0
    while level:
        depth += 1
        if depth > limits.MAX_JSON_DEPTH:
            message = _("This definition is nested too deeply.")
            raise DefinitionInvalid([Problem("too_deep", message)])
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                step_count += "type" in value and "id" in value
                below.extend(child for child in value.values() if isinstance(child, (dict, list)))
            elif isinstance(value, list):
                below.extend(child for child in value if isinstance(child, (dict, list)))
        level = below
    try:
        size = len(json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode())
    except (TypeError, ValueError, UnicodeEncodeError):
        message = _("This definition holds something that is not JSON.")
        raise DefinitionInvalid([Problem("not_json", message)]) from None
    if size > limits.MAX_DEFINITION_BYTES:
        message = _("This definition takes {size} bytes; {limit} is the most.").format(
            size=size, limit=limits.MAX_DEFINITION_BYTES
        )
        raise DefinitionInvalid([Problem("too_large", message)])
