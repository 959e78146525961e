"""The API's OpenAPI document, arranged for people to read."""

from __future__ import annotations

import json
import re
from typing import Any

MOST_DEPTH = 8
WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "object",
    "null": "null",
}
FORMATS = {"uuid": "id", "date-time": "instant", "date": "day"}


def groups_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return [{"name", "about", "operations"}] in the order of the document's tags."""
    by_tag: dict[str, list[dict[str, Any]]] = {tag["name"]: [] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            by_tag[operation["tags"][0]].append(_operation(path, method, operation, document))
    about = {tag["name"]: tag["description"] for tag in document["tags"]}
    return [{"name": name, "about": about[name], "operations": found} for name, found in by_tag.items()]


def _operation(path: str, method: str, operation: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    schemas = document["components"]["schemas"]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    status, answer = _answer(operation)
    example = example_of(body, schemas) if body else None
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "title": operation["summary"],
        "about": _quoted(operation["description"].rsplit("\n\n", 1)[0]),
        "scope": operation["x-scope"],
        "roles": operation["x-roles"],
        "parameters": [_parameter(each) for each in operation["parameters"]],
        "fields": _fields(body, schemas) if body else [],
        "curl": _curl(path, method, operation, example),
        "status": status,
        "answer": _indented(example_of(answer, schemas)) if answer else "",
        "problems": sorted(status for status in operation["responses"] if status >= "400"),
    }


def example_of(schema: dict[str, Any], schemas: dict[str, Any], depth: int = 0) -> Any:
    """Return a value that fits a JSON Schema: its example or default, else one made up from its type."""
    for name in ("examples", "default", "const"):
        if name in schema:
            return schema[name][0] if name == "examples" else schema[name]
    if "$ref" in schema:
        return {} if depth > MOST_DEPTH else example_of(_target(schema, schemas), schemas, depth + 1)
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], schemas, depth)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            fields = schema.get("properties", {})
            return {name: example_of(each, schemas, depth + 1) for name, each in fields.items()}
        case "array":
            return [example_of(schema["items"], schemas, depth + 1)]
        case "string":
            made_up = {
                "uuid": "019a0b1c-7a3e-7c55-9d3f-2f6f0c1b8e11",
                "date-time": "2026-11-22T09:30:00Z",
                "date": "2026-11-22",
            }
            return made_up.get(schema.get("format", ""), "0" if "pattern" in schema else "…")
    return {"integer": 1, "number": 1.5, "boolean": True}.get(str(schema.get("type", "")))


def type_in_words(schema: dict[str, Any]) -> str:
    """Return what kind of value a JSON Schema takes, for people."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(type_in_words(each) for each in schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return ", ".join(str(each) or "empty" for each in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {type_in_words(schema['items'])}"
    kind = str(schema.get("type", ""))
    return FORMATS.get(str(schema.get("format", "")), WORDS.get(kind, "any JSON"))


def _target(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schemas[schema["$ref"].rsplit("/", 1)[-1]]
    return found


def _fields(schema: dict[str, Any], schemas: dict[str, Any]) -> list[dict[str, Any]]:
    shape = _target(schema, schemas) if "$ref" in schema else schema
    required = shape.get("required", [])
    return [
        {
            "name": name,
            "type": type_in_words(each),
            "about": _quoted(each.get("description", "")),
            "required": name in required,
        }
        for name, each in shape.get("properties", {}).items()
    ]


def _parameter(parameter: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": parameter["name"],
        "place": parameter["in"],
        "type": type_in_words(parameter["schema"]).removesuffix(" or null"),
        "about": _quoted(parameter.get("description", "")),
        "required": parameter["required"],
    }


def _answer(operation: dict[str, Any]) -> tuple[str, dict[str, Any] | None]:
    for status, found in operation["responses"].items():
        if status < "300":
            content = found.get("content", {}).get("application/json")
            return status, content["schema"] if content else None
    return "", None


def _curl(path: str, method: str, operation: dict[str, Any], example: Any) -> str:
    """Return a command for a shell in which $STEWARD is the address of the server and $STEWARD_KEY a key."""
    verb = "" if method == "get" else f"-X {method.upper()} "
    lines = [f'curl {verb}"$STEWARD{_address(path)}"']
    lines.append('-H "Authorization: Bearer $STEWARD_KEY"')
    if any(each["name"] == "If-Match" and each["in"] == "header" for each in operation["parameters"]):
        lines.append('-H "If-Match: $ETAG"')
    if operation.get("x-idempotent"):
        lines.append('-H "Idempotency-Key: order-4711"')
    if example is not None:
        lines += ['-H "Content-Type: application/json"', f"-d '{_one_line(example)}'"]
    return " \\\n  ".join(lines)


def _address(path: str) -> str:
    """Return a path whose placeholders are variables of a shell: {workflow_id} becomes $WORKFLOW_ID."""
    parts = path.split("/")
    return "/".join(f"${part[1:-1].upper()}" if part.startswith("{") else part for part in parts)


def _quoted(text: str) -> str:
    """Return a description in Markdown as plain text: what is code stands in quotation marks."""
    return re.sub(r"`([^`]*)`", r"“\1”", text)


def _one_line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False).replace("'", "'\\''")


def _indented(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
