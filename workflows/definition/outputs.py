"""What each step hands to later steps, as JSON Schema, where that is known before anything runs."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from workflows.definition.schema import Definition
from workflows.definition.shapes import is_template
from workflows.definition.steps import (
    ActionStep,
    AiStep,
    ApprovalStep,
    BranchStep,
    DelayStep,
    HttpStep,
    LoopStep,
    ParallelStep,
    RespondStep,
    SetStep,
    StepBase,
    StopStep,
    TransformStep,
    WorkflowStep,
)

Schema = Mapping[str, Any]
UNKNOWN: Schema = {}
STATUSES = ("COMPLETED", "FAILED", "SKIPPED", "CANCELLED")
ERROR: Schema = {
    "type": "object",
    "properties": {"message": {"type": "string"}, "class": {"type": "string"}, "detail": {"type": "string"}},
    "additionalProperties": True,
}
HTTP: Schema = {
    "type": "object",
    "properties": {"status": {"type": "integer"}, "headers": {"type": "object"}, "body": {}},
    "additionalProperties": True,
}
USAGE: Schema = {"type": "object", "additionalProperties": True}


class OperationCatalog(Protocol):
    """What validation asks about connectors. Names of providers and keys as in a step; unknown ones raise KeyError."""

    def providers(self) -> Sequence[str]: ...
    def operations(self, provider: str) -> Sequence[str]: ...
    def triggers(self, provider: str) -> Sequence[str]: ...
    def input_schema(self, provider: str, operation: str) -> Schema: ...
    def output_schema(self, provider: str, operation: str) -> Schema: ...
    def trigger_schema(self, provider: str, trigger: str) -> Schema: ...


def provider_name(catalog: OperationCatalog, written: str) -> str | None:
    """Return the catalog's own spelling of a provider, whatever the case it was written in, or None."""
    return next((name for name in catalog.providers() if name.casefold() == written.casefold()), None)


def output_schema(step: StepBase, catalog: OperationCatalog | None = None) -> Schema:
    """Return the JSON Schema of `steps.<id>.output`. UNKNOWN ({}) allows anything."""
    if isinstance(step, ActionStep):
        return _action(step, catalog)
    if isinstance(step, HttpStep):
        return HTTP if step.pagination is None else {**HTTP, "description": "body: the items of all pages"}
    if isinstance(step, AiStep):
        return _ai(step)
    if isinstance(step, SetStep):
        return {"type": "object", "properties": {k: value_schema(v) for k, v in step.values.items()}}
    if isinstance(step, TransformStep):
        return _transform(step)
    if isinstance(step, ParallelStep):
        return {
            "type": "object",
            "properties": {lane.name: _last(lane.steps, catalog) for lane in step.branches},
        }
    if isinstance(step, LoopStep):
        return {"type": "array", "items": _last(step.steps, catalog)}
    if isinstance(step, BranchStep):
        return UNKNOWN
    if isinstance(step, ApprovalStep):
        form = step.form or {"type": "object", "additionalProperties": True}
        known = {"decision": {"enum": ["approve", "reject"]}, "approved": {"type": "boolean"}, "form": form}
        return {"type": "object", "properties": known, "additionalProperties": True}
    if isinstance(step, WorkflowStep) and not step.wait:
        return {"type": "object", "properties": {"execution_id": {"type": "string"}}}
    return {"type": "null"} if isinstance(step, (DelayStep, RespondStep, StopStep)) else UNKNOWN


def step_schema(step: StepBase, catalog: OperationCatalog | None = None) -> Schema:
    """Return the JSON Schema of `steps.<id>`: output, status and error."""
    status = {"enum": list(STATUSES)}
    known = {"output": output_schema(step, catalog), "status": status, "error": ERROR}
    return {"type": "object", "properties": known}


def definition_output_schema(definition: Definition, catalog: OperationCatalog | None = None) -> Schema:
    """Return the JSON Schema of what a run hands back."""
    return (
        value_schema(definition.output) if definition.output is not None else _last(definition.steps, catalog)
    )


def value_schema(value: Any) -> Schema:
    """Return the JSON Schema of a value of the definition; what a template gives is not known."""
    if is_template(value):
        text = value.strip()
        single = text.startswith("{{") and text.endswith("}}") and text.count("{{") == 1
        return UNKNOWN if single else {"type": "string"}
    if isinstance(value, dict):
        return {"type": "object", "properties": {key: value_schema(child) for key, child in value.items()}}
    if isinstance(value, list):
        return {"type": "array"}
    names = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
    return {"type": names[type(value)]}


def follow(schema: Schema, keys: Sequence[str | int | None]) -> tuple[Schema, int | None]:
    """Walk `keys` down a schema; return (schema there, None), or (last schema reached, index of the unknown key).

    An object with properties knows all its keys unless additionalProperties says otherwise.
    """
    for index, key in enumerate(keys):
        if not schema or key is None or any(word in schema for word in ("anyOf", "oneOf", "allOf", "$ref")):
            return UNKNOWN, None
        kind = schema.get("type")
        if isinstance(kind, list):  # ["integer", "null"], as connectors declare what may be missing
            named = [each for each in kind if each != "null"]
            kind = named[0] if len(named) == 1 else None
        if kind == "array":
            if not isinstance(key, int) and key not in {"first", "last", "size"} and not str(key).isdecimal():
                return schema, index
            schema = {"type": "integer"} if key == "size" else schema.get("items") or UNKNOWN
        elif kind == "object":
            known = schema.get("properties") or {}
            if key in known:
                schema = known[key]
            elif not known or schema.get("additionalProperties") or schema.get("patternProperties"):
                return UNKNOWN, None
            elif key == "size":
                schema = {"type": "integer"}
            else:
                return schema, index
        elif kind in {"string", "integer", "number", "boolean", "null"}:
            return (UNKNOWN, None) if key == "size" and kind == "string" else (schema, index)
        else:
            return UNKNOWN, None
    return schema, None


def _last(steps: Sequence[StepBase], catalog: OperationCatalog | None) -> Schema:
    active = [step for step in steps if not step.disabled]
    if not active or active[-1].condition is not None or active[-1].on_error != "fail":
        return UNKNOWN
    return output_schema(active[-1], catalog)


def _action(step: ActionStep, catalog: OperationCatalog | None) -> Schema:
    provider = provider_name(catalog, step.provider) if catalog is not None else None
    if catalog is None or provider is None:
        return UNKNOWN
    try:
        return catalog.output_schema(provider, step.operation) or UNKNOWN
    except LookupError:
        return UNKNOWN


def _ai(step: AiStep) -> Schema:
    known: dict[str, Any] = {"text": {"type": "string"}, "usage": USAGE}
    if step.operation == "classify":
        known["label"] = {"type": "string", "enum": step.labels} if step.labels else {"type": "string"}
        known["confidence"] = {"type": ["number", "null"]}
    if step.output_schema:
        known["data"] = step.output_schema
    return {"type": "object", "properties": known, "additionalProperties": True}


def _transform(step: TransformStep) -> Schema:
    text = {"type": "string"}
    if step.operation in {"join", "to_csv", "to_json", "date"}:
        return text
    if step.operation == "text":
        return {"type": "array", "items": text} if step.function == "lines" else text
    if step.operation == "split":
        return {"type": "array", "items": text}
    if step.operation == "aggregate" and step.measures:
        return {"type": "object", "properties": dict.fromkeys(step.measures, UNKNOWN)}
    if step.operation == "parse_csv":
        return {"type": "array", "items": UNKNOWN}
    if step.operation in {"parse_json", "aggregate"}:
        return UNKNOWN
    return {"type": "array"}
