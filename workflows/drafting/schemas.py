"""JSON Schemas as rows of a form, for people who define what a form asks or an AI answers; richer ones as JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from workflows.definition.jsontext import read_json
from workflows.definition.parts import same_json
from workflows.definition.problems import DefinitionInvalid
from workflows.drafting.values import ABSENT, shown

TYPES: dict[str, tuple[Any, dict[str, Any]]] = {
    "text": (gettext_lazy("Text"), {"type": "string"}),
    "long": (gettext_lazy("Long text"), {"type": "string", "format": "multiline"}),
    "number": (gettext_lazy("Number"), {"type": "number"}),
    "integer": (gettext_lazy("Whole number"), {"type": "integer"}),
    "yesno": (gettext_lazy("Yes or no"), {"type": "boolean"}),
    "date": (gettext_lazy("Date"), {"type": "string", "format": "date"}),
    "email": (gettext_lazy("E-mail address"), {"type": "string", "format": "email"}),
    "choice": (gettext_lazy("One of several"), {"type": "string"}),
    "list": (gettext_lazy("List of texts"), {"type": "array", "items": {"type": "string"}}),
}
CHOICES = [(name, words) for name, (words, _schema) in TYPES.items()]


@dataclass(frozen=True, slots=True)
class Shown:
    """A schema for the form. text: its JSON when rows cannot hold it. rows: the last one is empty."""

    rows: list[dict[str, Any]]
    text: str = ""
    types: Any = None


def show(value: Any) -> Shown:
    """Return a schema ready for the form."""
    rows = _rows(value)
    empty = {"key": "", "title": "", "type": "text", "required": False, "choices": ""}
    if rows is None:
        return Shown([empty], shown(value), CHOICES)
    return Shown([*rows, empty], "", CHOICES)


def read(name: str, sent: Mapping[str, Any], old: Any) -> Any:
    """Return the schema that was sent under `name`, ABSENT for none, `old` when nothing was. Raises ValueError."""
    if f"{name}:text" in sent:
        text = str(sent[f"{name}:text"]).strip()
        if not text:
            return ABSENT
        try:
            value = read_json(text)
        except DefinitionInvalid as error:
            raise ValueError(error.problems[0].message) from None
        if not isinstance(value, dict):
            raise ValueError(_("A JSON Schema is an object in braces."))
        return value
    if f"{name}:there" not in sent:
        return old
    start, required = f"{name}:", []
    properties: dict[str, Any] = {}
    numbers = {key[len(start) :].split(":")[0] for key in sent if key.startswith(start)}
    for number in sorted(int(each) for each in numbers if each.isdigit() and len(each) < 5):
        title = str(sent.get(f"{start}{number}:title", "")).strip()
        if not title:
            continue
        key = str(sent.get(f"{start}{number}:key", "")) or _key(title, properties)
        properties[key] = _part(f"{start}{number}", sent, title)
        if f"{start}{number}:required" in sent:
            required.append(key)
    if not properties:
        return ABSENT
    made: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        made["required"] = required
    return old if isinstance(old, dict) and same_json(_plain(old), _plain(made)) else made


def _part(name: str, sent: Mapping[str, Any], title: str) -> dict[str, Any]:
    kind = str(sent.get(f"{name}:type", "text"))
    part = {**TYPES.get(kind, TYPES["text"])[1], "title": title}
    choices = [
        each.strip() for each in re.split(r"[,\n]", str(sent.get(f"{name}:choices", ""))) if each.strip()
    ]
    if kind == "choice" and choices:
        part["enum"] = list(dict.fromkeys(choices))
    return part


def _rows(value: Any) -> list[dict[str, Any]] | None:
    if value is ABSENT or value is None:
        return []
    if not isinstance(value, dict) or not set(value) <= {"type", "properties", "required"}:
        return None
    properties, required = value.get("properties", {}), value.get("required", [])
    if (
        value.get("type", "object") != "object"
        or not isinstance(properties, dict)
        or not isinstance(required, list)
    ):
        return None
    rows = []
    for key, part in properties.items():
        kind = _kind(part)
        if kind is None:
            return None
        rows.append(
            {
                "key": key,
                "title": part.get("title") or key.replace("_", " ").capitalize(),
                "type": kind,
                "required": key in required,
                "choices": ", ".join(str(each) for each in part.get("enum", ())),
            }
        )
    return rows


def _kind(part: Any) -> str | None:
    if not isinstance(part, dict):
        return None
    bare = {key: value for key, value in part.items() if key != "title"}
    if isinstance(bare.get("enum"), list):
        fits = all(isinstance(each, str) and "," not in each for each in bare["enum"])
        return "choice" if fits and set(bare) <= {"type", "enum"} and bare.get("type") == "string" else None
    return next((name for name, (_words, schema) in TYPES.items() if schema == bare), None)


def _plain(schema: Mapping[str, Any]) -> Any:
    """Return what rows show of a schema, so that one that was only looked at stays as it was written."""
    return _rows(schema)


def _key(title: str, taken: Mapping[str, Any]) -> str:
    base = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_") or "field"
    base = base if base[0].isalpha() else f"field_{base}"
    key, number = base[:60], 2
    while key in taken:
        key, number = f"{base[:56]}_{number}", number + 1
    return key
