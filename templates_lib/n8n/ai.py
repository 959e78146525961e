"""AI nodes of n8n as AI steps: agents and chains, extraction, classification, summaries and plain model calls."""

from __future__ import annotations

import json
from typing import Any

from django.utils.translation import gettext as _

from templates_lib.n8n.context import Conversion, Flow, Step
from templates_lib.n8n.reading import Node, dict_of

KINDS = frozenset({
    "agent", "chainLlm", "chainSummarization", "informationExtractor", "textClassifier", "sentimentAnalysis", "openAi",
    "anthropic", "googleGemini",
})  # fmt: skip
_TEXT = {"chainLlm": "text"}
SENTIMENTS = ("Positive", "Neutral", "Negative")


def convert(conversion: Conversion, node: Node, flow: Flow) -> tuple[list[Step], Flow]:
    """Return the AI step of a node, and its answer as the data."""
    parameters, report = node.parameters, conversion.reports[node.name]
    report.adapt(_("It uses your organization's AI account and default model unless you choose others."))
    options = dict_of(parameters.get("options"))
    keys: dict[str, Any] = {"prompt": _prompt(conversion, node, flow)}
    if system := _system(conversion, node, options, flow):
        keys["system"] = system
    if not keys["prompt"].strip():
        keys["prompt"] = flow.whole() or _("Write your prompt here.")
    if node.kind in {"textClassifier", "sentimentAnalysis"}:
        labels = _labels(node, options)
        step = conversion.step(node, "ai", operation="classify", labels=labels, **keys)
        return [step], flow
    if node.kind == "informationExtractor":
        step = conversion.step(node, "ai", operation="extract", schema=_extracted(conversion, node), **keys)
        return _answer(conversion, node, step, {"output": "data"})
    if node.kind == "chainSummarization":
        step = conversion.step(node, "ai", operation="summarize", **keys)
        return [step], Flow(f"steps.{step['id']}.output")
    if node.kind in {"openAi", "anthropic", "googleGemini"}:
        return _call(conversion, node, keys)
    return _agent(conversion, node, keys)


def _agent(conversion: Conversion, node: Node, keys: dict[str, Any]) -> tuple[list[Step], Flow]:
    parts = conversion.document.parts.get(node.name, [])
    report = conversion.reports[node.name]
    tools = [name for kind, name in parts if kind == "ai_tool"]
    if tools:
        report.adapt(_("Give it its tools again: {names}.").format(names=", ".join(tools)[:300]))
    if any(kind == "ai_memory" for kind, _name in parts):
        report.adapt(_("It does not remember earlier runs."))
    schema = next((_schema_of(conversion, name) for kind, name in parts if kind == "ai_outputParser"), None)
    operation = "extract" if schema else "agent" if tools and node.kind == "agent" else "generate"
    if schema:
        keys["schema"] = schema
    step = conversion.step(node, "ai", operation=operation, **keys)
    # n8n puts a parsed answer under “output” too, so what reads $json.output.x finds it.
    return _answer(
        conversion, node, step, {"output": "data"} if schema else {_TEXT.get(node.kind, "output"): "text"}
    )


def _answer(conversion: Conversion, node: Node, step: Step, names: dict[str, str]) -> tuple[list[Step], Flow]:
    """Return the AI step and one that gives its answer under the name n8n gives it. names: theirs -> ours."""
    values = {theirs: "{{ steps." + f"{step['id']}.output.{ours}" + " }}" for theirs, ours in names.items()}
    again = conversion.step(_("{name}: answer").format(name=node.name[:100]), "set", values=values)
    return [step, again], Flow(f"steps.{again['id']}.output")


def _call(conversion: Conversion, node: Node, keys: dict[str, Any]) -> tuple[list[Step], Flow]:
    resource = str(node.parameters.get("resource") or "text")
    operation = str(node.parameters.get("operation") or "message")
    if resource not in {"text", "chat", "assistant"} or operation not in {
        "message",
        "response",
        "complete",
        "create",
        "classify",
    }:
        what = f"{resource}, {operation}"[:80]
        return [
            conversion.placeholder(
                node, _("Use an operation of the connected AI service for {what}.").format(what=what)
            )
        ], Flow()
    step = conversion.step(node, "ai", operation="generate", **keys)
    text = "{{ steps." + step["id"] + ".output.text }}"
    if node.kind == "openAi":
        shape: dict[str, Any] = {"message": {"content": text}, "text": text}
    elif node.kind == "anthropic":
        shape = {"content": [{"text": text}]}
    else:
        shape = {"content": {"parts": [{"text": text}]}}
    again = conversion.step(_("{name}: answer").format(name=node.name[:100]), "set", values=shape)
    return [step, again], Flow(f"steps.{again['id']}.output")


def _prompt(conversion: Conversion, node: Node, flow: Flow) -> str:
    parameters = node.parameters
    messages = parameters.get("messages")
    rows = (messages.get("values") or messages.get("messageValues")) if isinstance(messages, dict) else None
    if node.kind in {"openAi", "anthropic", "googleGemini"} and isinstance(rows, list):
        parts = [
            conversion.text(node, row.get("content", row.get("message")), flow)
            for row in rows[:20]
            if isinstance(row, dict) and row.get("role", "user") != "system"
        ]
        return "\n\n".join(part for part in parts if part)
    raw = parameters.get("text", parameters.get("inputText", parameters.get("prompt")))
    if isinstance(raw, str) and raw.strip():
        return conversion.text(node, raw, flow)
    if node.kind in {"agent", "chainLlm"} and flow.ref and not flow.is_list:
        return "{{ " + f'{flow.ref}.chatInput | default: ""' + " }}"
    return ""


def _system(conversion: Conversion, node: Node, options: dict[str, Any], flow: Flow) -> str:
    raw = options.get("systemMessage") or options.get("systemPromptTemplate") or options.get("system")
    found = [conversion.text(node, raw, flow)] if isinstance(raw, str) else []
    messages = node.parameters.get("messages")
    rows = (messages.get("values") or messages.get("messageValues")) if isinstance(messages, dict) else None
    for row in (rows if isinstance(rows, list) else [])[:20]:
        if isinstance(row, dict) and (
            row.get("role") == "system" or (node.kind == "chainLlm" and "message" in row)
        ):
            found.append(conversion.text(node, row.get("content", row.get("message")), flow))
    return "\n\n".join(part for part in found if part)


def _labels(node: Node, options: dict[str, Any]) -> list[str]:
    if node.kind == "sentimentAnalysis":
        raw = options.get("categories")
        written = (
            [each.strip()[:200] for each in raw.split(",")] if isinstance(raw, str) and "{" not in raw else []
        )
        return [each for each in written if each][:100] or list(SENTIMENTS)
    categories = node.parameters.get("categories")
    rows = categories.get("categories") if isinstance(categories, dict) else None
    found = [
        str(row.get("category") or "")[:200]
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict)
    ]
    return list(dict.fromkeys(each for each in found if each.strip()))[:100] or [_("Other")]


def _extracted(conversion: Conversion, node: Node) -> dict[str, Any]:
    attributes = node.parameters.get("attributes")
    rows = attributes.get("attributes") if isinstance(attributes, dict) else None
    properties = {
        str(row.get("name"))[:100]: {
            "type": {"number": "number", "boolean": "boolean"}.get(str(row.get("type")), "string"),
            "description": str(row.get("description") or "")[:1000],
        }
        for row in (rows if isinstance(rows, list) else [])[:100]
        if isinstance(row, dict) and row.get("name")
    }
    if properties:
        return {"type": "object", "properties": properties}
    return _schema_in(node) or {"type": "object"}


def _schema_of(conversion: Conversion, name: str) -> dict[str, Any] | None:
    node = conversion.document.nodes[name]
    if node.kind == "outputParserAutofixing":
        inner = next(
            (each for kind, each in conversion.document.parts.get(name, []) if kind == "ai_outputParser"),
            None,
        )
        return _schema_in(conversion.document.nodes[inner]) if inner and inner != name else None
    return _schema_in(node)


def _schema_in(node: Node) -> dict[str, Any] | None:
    for key in ("inputSchema", "jsonSchema", "jsonSchemaExample"):
        raw = node.parameters.get(key)
        if not isinstance(raw, str):
            continue
        try:
            found = json.loads(raw.removeprefix("="))
        except (ValueError, RecursionError):
            continue
        if key == "jsonSchemaExample":
            return schema_like(found)
        if isinstance(found, dict):
            return found
    return None


def schema_like(example: Any, depth: int = 0) -> dict[str, Any]:
    """Return the JSON Schema of an example."""
    if depth > 12:
        return {}
    if isinstance(example, dict):
        return {
            "type": "object",
            "properties": {str(k): schema_like(v, depth + 1) for k, v in example.items()},
        }
    if isinstance(example, list):
        return {"type": "array", "items": schema_like(example[0], depth + 1) if example else {}}
    if isinstance(example, bool):
        return {"type": "boolean"}
    return {"type": "number"} if isinstance(example, int | float) else {"type": "string"}
