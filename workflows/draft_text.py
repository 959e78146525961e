"""A draft as one JSON text, the way the text editor shows it: the definition with its triggers beside the steps."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from integrations.framework.catalog import ConnectorCatalog
from workflows.definition.jsontext import read_json, with_lines
from workflows.definition.problems import DefinitionInvalid, Problem
from workflows.definition.schema import STEP_MODELS, TRIGGER_MODELS, Definition
from workflows.definition.validate import check_data
from workflows.definition.wording import gettext as _
from workflows.models import Workflow, WorkflowVersion

# Where people look first comes first; other keys follow in their own order.
MODELS: dict[str, Any] = {**STEP_MODELS, **TRIGGER_MODELS}
ORDER = ("version", "triggers", "inputs", "steps", "output", "settings")


@dataclass(frozen=True, slots=True)
class DraftText:
    """What a text says.

    document: definition with "triggers" in it, None when the text is not a JSON object: then it cannot be saved.
    definition: the parsed definition, None while it is faulty. problems: with lines, errors and warnings.
    """

    document: dict[str, Any] | None
    definition: Definition | None = None
    problems: list[Problem] = field(default_factory=list)

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == "error"]

    @property
    def warnings(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity != "error"]


def document_of(source: Workflow | WorkflowVersion) -> dict[str, Any]:
    """Return a draft or a version as one document; the schedule stands last among the triggers."""
    triggers = [
        *(source.triggers or []),
        *([{**source.schedule, "type": "schedule"}] if source.schedule else []),
    ]
    document = {**source.definition, "triggers": triggers}
    known = {name: document[name] for name in ORDER if name in document}
    return known | {name: value for name, value in document.items() if name not in known}


def ordered(value: Any) -> Any:
    """Return JSON data with the keys of steps and triggers in the order people write them; jsonb keeps none."""
    if isinstance(value, list):
        return [ordered(each) for each in value]
    if not isinstance(value, dict):
        return value
    model = MODELS.get(value["type"]) if isinstance(value.get("type"), str) else None
    names = (
        [field.alias or name for name, field in model.model_fields.items()]
        if model
        else ["name", "value", "is"]
    )
    order = {name: place for place, name in enumerate(["id", "type", *names])}
    keys = sorted(value, key=lambda name: order.get(name, len(order)))
    return {name: ordered(value[name]) for name in keys}


def text_of(source: Workflow | WorkflowVersion | dict[str, Any]) -> str:
    """Return the text of a draft, a version or a document, indented by two spaces."""
    document = source if isinstance(source, dict) else document_of(source)
    return json.dumps(ordered(document), indent=2, ensure_ascii=False)


def parts_of(document: dict[str, Any]) -> tuple[dict[str, Any], list[Any], dict[str, Any] | None]:
    """Return (definition, triggers, schedule) as a workflow keeps them: the first schedule has a column of its own."""
    definition = {name: value for name, value in document.items() if name != "triggers"}
    triggers = document.get("triggers")
    rest, schedule = [], None
    for trigger in triggers if isinstance(triggers, list) else []:
        if schedule is None and isinstance(trigger, dict) and trigger.get("type") == "schedule":
            schedule = trigger
        else:
            rest.append(trigger)
    return definition, rest, schedule


def read(text: str, workflow: Workflow | None = None) -> DraftText:
    """Return what `text` says and everything wrong with it, each problem with its line and column."""
    try:
        document = read_json(text)
    except DefinitionInvalid as error:
        return DraftText(None, problems=error.problems)
    if not isinstance(document, dict):
        message = _("A workflow is an object in braces, with “version” and “steps”.")
        return DraftText(None, problems=[Problem("wrong_type", message, line=1, column=1)])
    triggers = document.get("triggers", [])
    definition_data, _rest, _schedule = parts_of(document)
    if not isinstance(triggers, list):
        problem = Problem("wrong_type", _("Field triggers: this must be a list."), ("triggers",))
        return DraftText(document, problems=with_lines([problem], text))
    definition, problems = check_data(
        definition_data,
        triggers,
        ConnectorCatalog(),
        workflows=_callable(workflow),
        own_id=str(workflow.pk) if workflow else "",
    )
    return DraftText(
        document, definition, [each if each.line else with_lines([each], text)[0] for each in problems]
    )


def _callable(workflow: Workflow | None) -> dict[str, str] | None:
    """Return id -> name of the workflows that a step may start."""
    if workflow is None:
        return None
    rows = Workflow.objects.exclude(status=Workflow.Status.ARCHIVED).values_list("pk", "name")
    return {str(pk): name for pk, name in rows}
