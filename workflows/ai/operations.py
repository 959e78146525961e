"""What an ai step offers: generate, extract, classify, summarize and transcribe."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pydantic_ai.messages import ModelMessage

from integrations.framework.errors import PermanentError
from workflows.ai.desk import Desk
from workflows.ai.marking import Marker
from workflows.ai.model import MALFORMED, Exchange, NotAsAsked, Question, ask
from workflows.ai.transcription import transcribe
from workflows.definition.wording import gettext as _
from workflows.schema_problems import schema_problems

PART_CHARACTERS = (
    48_000  # of a long text: some 12,000 tokens, which every current model takes with room to spare
)
MOST_PARTS = 60
MOST_IMAGE_BYTES = 10 * 1024 * 1024
IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})

Output = dict[str, Any]


async def run(desk: Desk, inputs: Mapping[str, Any]) -> Output:
    """Return the step's output: {"text", "usage"}, and "data", "label", "confidence" where the operation has them.

    inputs: as workflows.engine.interface.EffectCall says for ai. Raises ConnectorError.
    """
    operation = str(inputs.get("operation") or "generate")
    output = await _OPERATIONS.get(operation, _generate)(desk, inputs)
    return {**output, "usage": usage_of(desk)}


def usage_of(desk: Desk) -> dict[str, Any]:
    """Return what the step used so far, as its output tells it: frozen answers of saved tests keep it too."""
    cost = desk.spent.as_cost()
    return {
        "prompt_tokens": cost["input_tokens"],
        "completion_tokens": cost["output_tokens"],
        "total_tokens": cost["tokens"],
        "cost_usd": cost["usd"],
        "calls": cost["calls"],
    }


def marked(text: str, spans: Any, marker: Marker) -> str:
    """Return the text with the given parts between the marker's delimiters.

    spans: [[start, end], ...] in characters, in order: what came from outside.
    """
    pieces, at = [], 0
    for start, end in spans or ():
        if not at <= start <= end <= len(text):
            continue
        pieces += [text[at:start], marker.data(text[start:end])]
        at = end
    return "".join([*pieces, text[at:]])


async def _generate(desk: Desk, inputs: Mapping[str, Any]) -> Output:
    schema = inputs.get("schema")
    if schema is not None:
        return await _bound(desk, inputs, schema, str(inputs.get("system") or ""))
    exchange = await ask(desk, _question(desk, inputs, str(inputs.get("system") or "")))
    if not exchange.text:
        raise PermanentError(_("The model gave no text. Try another model or a shorter prompt."))
    return {"text": exchange.text, "model": exchange.model}


async def _extract(desk: Desk, inputs: Mapping[str, Any]) -> Output:
    system = str(inputs.get("system") or "") or (
        "Take the wanted values out of the text. Do not invent any: leave out what the text does not say."
    )
    return await _bound(desk, inputs, inputs.get("schema") or {"type": "object"}, system)


async def _classify(desk: Desk, inputs: Mapping[str, Any]) -> Output:
    labels = [str(label) for label in inputs.get("labels") or []]
    schema = {
        "type": "object",
        "properties": {
            "label": {"type": "string", "enum": labels},
            "confidence": {
                "type": "number",
                "description": "How sure you are, from 0 (a guess) to 1 (certain).",
            },
        },
        "required": ["label"],
        "additionalProperties": False,
    }
    own = str(inputs.get("system") or "")
    told = "Choose the one label that fits best, and say how sure you are.\nLabels: "
    system = f"{own}\n{told}{json.dumps(labels, ensure_ascii=False)}"

    def normal(found: Any) -> Any:
        known = {label.casefold(): label for label in labels}
        if isinstance(found, str):  # a small model that says the label and nothing else
            return {"label": known.get(found.strip().strip('".').casefold())}
        if not isinstance(found, dict):
            return found
        label = known.get(str(found.get("label") or "").strip().strip('".').casefold(), found.get("label"))
        sure = found.get("confidence")
        if isinstance(sure, int | float) and not isinstance(sure, bool):
            sure = max(0.0, min(1.0, sure / 100 if 1 < sure <= 100 else float(sure)))
        return {"label": label, **({"confidence": sure} if sure is not None else {})}

    found = await _bound(desk, inputs, schema, system.strip(), normal)
    data = found.pop("data")
    return {**found, "text": data["label"], "label": data["label"], "confidence": data.get("confidence")}


async def _summarize(desk: Desk, inputs: Mapping[str, Any]) -> Output:
    system = str(inputs.get("system") or "") or "Summarize the text in a few plain sentences."
    text, spans = str(inputs.get("prompt") or ""), inputs.get("marked")
    if len(text) <= PART_CHARACTERS:
        exchange = await ask(desk, _question(desk, inputs, system))
        return {"text": exchange.text, "model": exchange.model, "parts": 1}
    parts = parts_of(text)
    if len(parts) > MOST_PARTS:
        raise PermanentError(
            _("The text is too long to summarize: {limit} characters are the most.").format(
                limit=f"{MOST_PARTS * PART_CHARACTERS:,}"
            )
        )
    marker = desk.marker
    summaries = []
    for number, part in enumerate(parts, 1):
        told = (
            f"This is part {number} of {len(parts)} of a long text. Keep every fact that a summary may need."
        )
        # A long text is data as a whole: which sentences were the author's cannot be told once it is cut.
        prompt = marker.data(part) if spans else part
        exchange = await ask(desk, _question(desk, inputs, f"{system}\n{told}", prompt))
        summaries.append(exchange.text)
    together = "\n\n".join(summaries)
    told = "These are summaries of the parts of one long text, in order. Make one summary of them."
    last = await ask(
        desk, _question(desk, inputs, f"{system}\n{told}", marker.data(together) if spans else together)
    )
    return {"text": last.text, "model": last.model, "parts": len(parts)}


def parts_of(text: str, size: int = PART_CHARACTERS) -> list[str]:
    """Return the text in pieces of at most `size` characters, cut at paragraphs, lines or words where it can be."""
    parts = []
    while len(text) > size:
        cut = max(
            (text.rfind(separator, size // 2, size) for separator in ("\n\n", "\n", ". ", " ")),
            key=lambda found: found >= 0 and found,
        )
        cut = cut + 1 if cut > 0 else size
        parts.append(text[:cut])
        text = text[cut:]
    return [*parts, text] if text.strip() else parts


async def _bound(
    desk: Desk,
    inputs: Mapping[str, Any],
    schema: dict[str, Any],
    system: str,
    normal: Callable[[Any], Any] = lambda found: found,
) -> Output:
    """Return {"text", "data"} that fits the schema, after one repair at most. Every exchange is kept."""
    wrapped = schema if schema.get("type") == "object" or "properties" in schema else _in_object(schema)
    told = "Answer with a JSON object that fits this JSON Schema, and with nothing else:\n" + json.dumps(
        wrapped, ensure_ascii=False
    )
    question = _question(desk, inputs, f"{system}\n\n{told}".strip(), schema=wrapped)
    history: list[ModelMessage] = []
    problem = ""
    for _attempt in range(2):
        exchange: Exchange
        try:
            exchange = await ask(desk, question)
            data = normal(exchange.data)
            faults = schema_problems(wrapped, data)
            if not faults:
                return {
                    "text": exchange.text or json.dumps(data, ensure_ascii=False),
                    "data": data if wrapped is schema else data["value"],
                    "model": exchange.model,
                }
            problem = "; ".join(f"{place or 'the answer'}: {message}" for place, message in faults[:5])
        except NotAsAsked as unusable:
            exchange, problem = unusable.exchange, _("It is not a JSON object.")
            data = normal(exchange.text)
            if isinstance(data, dict) and not schema_problems(wrapped, data):
                return {"text": exchange.text, "data": data, "model": exchange.model}
        history = _answered(exchange)
        question = Question(
            prompt=f"Your answer does not fit the schema. {problem}\nAnswer again with the corrected JSON object only.",
            schema=wrapped,
            model=question.model,
            max_tokens=question.max_tokens,
            temperature=question.temperature,
            history=history,
            purpose="repair",
        )
    raise PermanentError(
        _(
            "The model's answer did not have the shape that was asked for, also when asked again: {problem} "
            "Both answers are shown with this step. Make the schema simpler, or choose a stronger model."
        ).format(problem=problem),
        code=MALFORMED,
        detail=exchange.text[:1_000],
    )


def _answered(exchange: Exchange) -> list[ModelMessage]:
    """Return the conversation so far, a call of the answer tool told as text: it has no result to give back."""
    from pydantic_ai.messages import ModelResponse, TextPart

    calls = exchange.response.tool_calls
    if not calls:
        return exchange.messages
    said = calls[0].args if isinstance(calls[0].args, str) else json.dumps(calls[0].args, ensure_ascii=False)
    return [*exchange.messages[:-1], ModelResponse([TextPart(said or "{}")])]


def _in_object(schema: dict[str, Any]) -> dict[str, Any]:
    """Return an object schema around a list or a text: no vendor binds an answer to anything else."""
    return {
        "type": "object",
        "properties": {"value": schema},
        "required": ["value"],
        "additionalProperties": False,
    }


def _question(
    desk: Desk,
    inputs: Mapping[str, Any],
    system: str,
    prompt: str | None = None,
    schema: dict[str, Any] | None = None,
) -> Question:
    marker, spans = desk.marker, inputs.get("marked")
    if prompt is None:
        prompt = marked(str(inputs.get("prompt") or ""), spans, marker)
    if spans:
        system = f"{system}\n\n{marker.instruction}".strip()
    return Question(
        prompt=prompt,
        system=system,
        schema=schema,
        model=inputs.get("model"),
        max_tokens=inputs.get("max_tokens"),
        temperature=inputs.get("temperature"),
        images=_images(inputs.get("images")),
        purpose=str(inputs.get("operation") or "generate"),
    )


def _images(values: Any) -> list[tuple[bytes, str]]:
    """Return the images of a step. values: one or a list of files {"name", "content" (base64), "content_type"}."""
    found = []
    for value in values if isinstance(values, list) else [values] if values else []:
        kind = str(value.get("content_type") or "") if isinstance(value, Mapping) else ""
        if kind not in IMAGE_TYPES:
            raise PermanentError(_("An image for a model must be a PNG, JPEG, WebP or GIF file."))
        try:
            data = base64.b64decode(str(value.get("content") or ""), validate=True)
        except ValueError:
            raise PermanentError(_("An image for a model could not be read: it is not a file.")) from None
        if len(data) > MOST_IMAGE_BYTES:
            raise PermanentError(_("An image for a model may have 10 MB at most."))
        found.append((data, kind))
    return found


_OPERATIONS: dict[str, Callable[[Desk, Mapping[str, Any]], Awaitable[Output]]] = {
    "generate": _generate,
    "extract": _extract,
    "classify": _classify,
    "summarize": _summarize,
    "transcribe": transcribe,
}
