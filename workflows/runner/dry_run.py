"""What a dry run gives in place of a call that would change something: what it would send, and an example of an answer.

Later steps read the answer, so it has the shape that the real one has, filled with examples.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.framework import registry
from workflows.engine.interface import EffectCall, EffectKind, EffectResult

MODE = "DRY_RUN"
EXAMPLES = {"string": "example", "integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}
MAX_DEPTH = 6


def shown(call: EffectCall) -> EffectResult:
    """Return what the step gets; {"dry_run": true, "would_send": the rendered call} is always in it."""
    told = {"dry_run": True, "would_send": dict(call.inputs)}
    if call.kind is EffectKind.HTTP:
        return EffectResult({"status": 200, "headers": {}, "body": None, **told})
    if call.kind is EffectKind.ACTION:
        return EffectResult(_example_answer(call) | told)
    if call.kind is EffectKind.AI:
        return EffectResult({"text": "", "usage": {}, **told})
    if call.kind is EffectKind.APPROVAL:
        form = example_of(call.inputs.get("form") or {"type": "object"})
        return EffectResult(told, settled={"decision": "approve", "form": form, "who": []})
    if call.kind is EffectKind.WAIT:
        return EffectResult(told, settled=told)
    return EffectResult(told)


def example_of(schema: Any, depth: int = 0) -> Any:
    """Return a value that fits a JSON Schema of the simple kind: its default, its example, or one of its type."""
    if not isinstance(schema, Mapping) or depth > MAX_DEPTH:
        return None
    for key in ("default", "const"):
        if key in schema:
            return schema[key]
    for key in ("examples", "enum"):
        if isinstance(schema.get(key), list) and schema[key]:
            return schema[key][0]
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), None)
    if kind == "object" or "properties" in schema:
        properties = schema.get("properties")
        found = properties if isinstance(properties, Mapping) else {}
        return {name: example_of(member, depth + 1) for name, member in found.items()}
    if kind == "array" and "items" in schema:
        return [example_of(schema["items"], depth + 1)]
    return EXAMPLES.get(str(kind))


def _example_answer(call: EffectCall) -> dict[str, Any]:
    try:
        action = registry.get(str(call.inputs["provider"])).action(str(call.inputs["operation"]))
    except KeyError:
        return {}
    answer = example_of(action.returns_schema)
    return answer if isinstance(answer, dict) else {}
