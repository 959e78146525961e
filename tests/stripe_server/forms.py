"""Bracketed form bodies: `items[0][price]=x` unfolded, and checked against the vendor's closed schemas."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import jsonschema

DESCRIPTION = Path(__file__).resolve().parents[3] / "shared" / "providers" / "specs" / "stripe.json"


class Invalid(Exception):
    """The request is not one that the vendor describes."""


def unfold(text: str) -> dict[str, Any]:
    """Return the nested structure of a form body or query; all leaves are texts."""
    root: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        keys = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", name)
        node: dict[str, Any] = root
        for key in keys[:-1]:
            node = node.setdefault(key or str(len(node)), {})
        last = keys[-1] or str(len(node))
        node[last] = value
    return _listed(root)


def _listed(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    children = {key: _listed(value) for key, value in node.items()}
    if children and all(key.isdigit() for key in children):
        return [children[key] for key in sorted(children, key=int)]
    return children


def check(method: str, path: str, values: dict[str, Any], place: str) -> None:
    """Raise Invalid unless the vendor describes this request. Without a description nothing is known to be wrong."""
    description = _description()
    if description is None:
        return
    operation = _operation(description, method.lower(), path)
    if operation is None:
        raise Invalid(f"{method} {path} is not described")
    schema = _schema_of(operation["operationId"], place)
    try:
        jsonschema.Draft202012Validator(schema).validate(_coerced(values, schema))
    except jsonschema.ValidationError as error:
        raise Invalid(f"{method} {path}: {error.json_path}: {error.message}") from None


@cache
def _description() -> dict[str, Any] | None:
    return json.loads(DESCRIPTION.read_text()) if DESCRIPTION.exists() else None


def _operation(description: dict[str, Any], method: str, path: str) -> dict[str, Any] | None:
    for pattern, operations in description["paths"].items():
        if method in operations and re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", pattern), path):
            # `/v1/invoices/create_preview` also fits `/v1/invoices/{invoice}`: the literal one is exact.
            exact = description["paths"].get(path, {}).get(method)
            found: dict[str, Any] = exact or operations[method]
            return found
    return None


@cache
def _schema_of(operation_id: str, place: str) -> dict[str, Any]:
    description = _description() or {}
    operation = next(
        operation
        for operations in description["paths"].values()
        for operation in operations.values()
        if operation["operationId"] == operation_id
    )
    if place == "body":
        content = operation.get("requestBody", {}).get("content", {})
        schema = content.get("application/x-www-form-urlencoded", {}).get("schema", {"type": "object"})
    else:
        queries = [each for each in operation.get("parameters", []) if each["in"] == "query"]
        schema = {
            "type": "object",
            "properties": {each["name"]: each["schema"] for each in queries},
            "required": [each["name"] for each in queries if each.get("required")],
        }
    found: dict[str, Any] = _closed(schema, description)
    return found


def _closed(schema: Any, description: dict[str, Any]) -> Any:
    """Return the schema with references followed and every object closed against unknown names."""
    if isinstance(schema, list):
        return [_closed(each, description) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _closed(description["components"]["schemas"][name], description)
    closed = {key: _closed(value, description) for key, value in schema.items() if key != "properties"}
    if "properties" in schema:
        closed["properties"] = {
            key: _closed(value, description) for key, value in schema["properties"].items()
        }
        closed.setdefault("additionalProperties", False)
    return closed


def _coerced(value: Any, schema: Any) -> Any:
    """Return the texts of a form as what the schema wants of them."""
    for option in schema.get("anyOf", []) + schema.get("oneOf", []):
        candidate = _coerced(value, option)
        if jsonschema.Draft202012Validator(option).is_valid(candidate):
            return candidate
    kind = schema.get("type")
    if isinstance(value, dict):
        properties, others = schema.get("properties", {}), schema.get("additionalProperties")
        return {
            key: _coerced(each, properties.get(key, others if isinstance(others, dict) else {}))
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [_coerced(each, schema.get("items", {})) for each in value]
    if kind == "integer" and re.fullmatch(r"-?\d+", str(value)):
        return int(value)
    if kind == "number" and re.fullmatch(r"-?\d+(\.\d+)?", str(value)):
        return float(value)
    if kind == "boolean" and value in ("true", "false"):
        return value == "true"
    return value
