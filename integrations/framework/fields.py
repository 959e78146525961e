"""Fields: what a person fills in, what comes out, and the JSON Schema both become."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SCHEMAS: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "long_text": {"type": "string"},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "select": {"type": "string"},
    "multi_select": {"type": "array", "items": {"type": "string"}},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "email": {"type": "string", "format": "email"},
    "url": {"type": "string", "format": "uri"},
    "json": {},
    "list": {"type": "array"},
    "object": {"type": "object"},
    "secret": {"type": "string"},
    "key_value": {
        "type": "object",
        "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
    },
    "file": {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "content": {"type": "string"},
            "content_type": {"type": "string"},
        },
        "required": ["content"],
    },
}


@dataclass(frozen=True)
class Field:
    """One thing a person fills in.

    key: our name for it, snake_case, stable: workflows store it. kind: one of SCHEMAS.
    choices: (value, label) pairs or plain values. options: key of the action that lists the choices live.
    depends_on: keys of fields whose values that action needs; they are passed under the same keys.
    fields: members of each element (kind list) or of the object (kind object).
    send: where the value goes when the action is declared by `call`: the wire name, dotted for nested members
      ("profile.email"); empty means the key. place: path, query, body, header, or "none" (not sent by itself);
      empty means path when the path names it, else query for GET and DELETE, else body.
    example: a realistic value; documentation and the contract tests build requests from it.
    """

    key: str
    label: str = ""
    help: str = ""
    kind: str = "text"
    required: bool = False
    default: Any = None
    example: Any = None
    choices: tuple[Any, ...] = ()
    options: str = ""
    depends_on: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    send: str = ""
    place: str = ""
    pattern: str = ""
    minimum: float | None = None
    maximum: float | None = None
    max_length: int | None = None
    advanced: bool = False

    def __post_init__(self) -> None:
        if self.kind not in SCHEMAS:
            raise ValueError(f"field {self.key}: unknown kind {self.kind!r}")
        if self.place not in ("", "path", "query", "body", "header", "none"):
            raise ValueError(f"field {self.key}: unknown place {self.place!r}")

    @property
    def title(self) -> str:
        return self.label or self.key.replace("_", " ").capitalize()

    @property
    def wire_name(self) -> str:
        return self.send or self.key

    @property
    def choice_pairs(self) -> tuple[tuple[Any, str], ...]:
        """(value, label) for each fixed choice."""
        pairs = []
        for choice in self.choices:
            if isinstance(choice, tuple):
                pairs.append((choice[0], str(choice[1])))
            else:
                pairs.append((choice, str(choice).replace("_", " ").capitalize()))
        return tuple(pairs)

    def schema(self) -> dict[str, Any]:
        """Return this field's JSON Schema; `x-ui` holds what a form needs beyond validation."""
        schema = {**SCHEMAS[self.kind], "title": self.title}
        if self.help:
            schema["description"] = self.help
        if self.default is not None:
            schema["default"] = self.default
        if self.example is not None:
            schema["examples"] = [self.example]
        if self.pattern:
            schema["pattern"] = self.pattern
        if self.max_length is not None:
            schema["maxLength"] = self.max_length
        if self.minimum is not None:
            schema["minimum"] = self.minimum
        if self.maximum is not None:
            schema["maximum"] = self.maximum
        if self.choices:
            values = [value for value, _ in self.choice_pairs]
            if self.kind == "multi_select":
                schema["items"] = {"type": "string", "enum": values}
            else:
                schema["enum"] = values
        if self.fields and self.kind == "list":
            schema["items"] = object_schema(self.fields)
        elif self.fields and self.kind == "object":
            schema.update(object_schema(self.fields))
        schema["x-ui"] = self._hints()
        return schema

    def _hints(self) -> dict[str, Any]:
        hints: dict[str, Any] = {"kind": self.kind}
        if self.choices:
            hints["choices"] = [{"value": value, "label": label} for value, label in self.choice_pairs]
        if self.options:
            hints["options"] = self.options
        if self.depends_on:
            hints["depends_on"] = list(self.depends_on)
        if self.advanced:
            hints["advanced"] = True
        return hints


@dataclass(frozen=True)
class Output:
    """One value an action or trigger gives to later steps.

    path: where it stands in the response (see paths.dig); "" is the whole body.
    of: members of each element (kind list) or of the object (kind object), paths relative to it.
    """

    path: str
    kind: str = "text"
    label: str = ""
    of: Mapping[str, Output | str] = field(default_factory=dict)
    example: Any = None

    def schema(self, key: str) -> dict[str, Any]:
        schema = {**SCHEMAS[self.kind], "title": self.label or key.replace("_", " ").capitalize()}
        schema.pop("additionalProperties", None)
        members = {name: as_output(value).schema(name) for name, value in self.of.items()}
        if members and self.kind == "list":
            schema["items"] = {"type": "object", "properties": members}
        elif members:
            schema["properties"] = members
        if "type" in schema:
            schema["type"] = [schema["type"], "null"]  # a service may leave any of its values out
        if self.example is not None:
            schema["examples"] = [self.example]
        return schema


def as_output(value: Output | str) -> Output:
    return Output(value) if isinstance(value, str) else value


def object_schema(fields: tuple[Field, ...]) -> dict[str, Any]:
    """Return the JSON Schema of an object with these fields, in their order."""
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {entry.key: entry.schema() for entry in fields},
        "additionalProperties": False,
    }
    required = [entry.key for entry in fields if entry.required]
    if required:
        schema["required"] = required
    return schema


def output_schema(returns: Mapping[str, Output | str]) -> dict[str, Any]:
    """Return the JSON Schema of what an action or trigger hands to later steps."""
    return {
        "type": "object",
        "properties": {key: as_output(value).schema(key) for key, value in returns.items()},
    }
