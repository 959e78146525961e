"""The ai step, through any service that speaks OpenAI's chat completions."""

from __future__ import annotations

import json
from typing import Any

from integrations.framework.client import Client
from integrations.framework.errors import PermanentError, classify
from integrations.framework.paths import dig
from integrations.framework.redaction import redact, secrets_in
from integrations.health import Usable
from workflows.definition.wording import gettext as _
from workflows.engine.interface import EffectCall, EffectResult

BASE_URL = "https://api.openai.com/v1"
DEFAULT_MODEL = "gpt-5-mini"


async def generate(client: Client, call: EffectCall, opened: Usable) -> EffectResult:
    """Return {"text", "usage"}, and {"data"} for a schema or {"label"} for classify. Raises ConnectorError.

    The integration's settings may name base_url (a model server of one's own) and model.
    """
    inputs, secrets = call.inputs, secrets_in(opened.credentials)
    base = str(opened.account.get("base_url") or BASE_URL).rstrip("/")
    body: dict[str, Any] = {
        "model": inputs.get("model") or opened.account.get("model") or DEFAULT_MODEL,
        "messages": _messages(inputs),
    }
    for source, target in (("temperature", "temperature"), ("max_tokens", "max_completion_tokens")):
        if inputs.get(source) is not None:
            body[target] = inputs[source]
    schema = _schema(inputs)
    if schema is not None:
        body["response_format"] = {
            "type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": False},
        }  # fmt: skip
    key = str(opened.credentials.get("api_key") or "")
    response = await client.send(
        "POST", f"{base}/chat/completions", headers={"Authorization": f"Bearer {key}"} if key else {}, json_body=body,
        timeout_seconds=call.timeout, provider=opened.provider, secrets=secrets,
    )  # fmt: skip
    error = classify(response, service=opened.provider.title(), now=client.now())
    if error is not None:
        error.message, error.detail = redact(error.message, secrets), redact(error.detail, secrets)
        raise error
    text = dig(response.json, "choices.0.message.content")
    if not isinstance(text, str):
        raise PermanentError(_("The model gave no text. Try another model or a shorter prompt."))
    return EffectResult(_output(inputs, text, schema, response.json), _cost(response.json))


def _messages(inputs: Any) -> list[dict[str, str]]:
    system = str(inputs.get("system") or "")
    if inputs.get("operation") == "classify":
        labels = ", ".join(inputs.get("labels") or [])
        system = f"{system}\nAnswer with exactly one of these labels and nothing else: {labels}".strip()
    elif inputs.get("operation") == "summarize":
        system = system or "Summarize the text in a few plain sentences."
    return [
        *([{"role": "system", "content": system}] if system else []),
        {"role": "user", "content": str(inputs.get("prompt") or "")},
    ]


def _schema(inputs: Any) -> dict[str, Any] | None:
    return inputs.get("schema") if inputs.get("operation") in ("extract", "generate", "agent") else None


def _output(inputs: Any, text: str, schema: Any, answer: Any) -> dict[str, Any]:
    output: dict[str, Any] = {"text": text, "usage": dig(answer, "usage") or {}}
    if schema is not None:
        try:
            output["data"] = json.loads(text.strip().removeprefix("```json").removesuffix("```"))
        except ValueError:
            raise PermanentError(
                _("The model's answer did not have the shape that was asked for."), detail=text[:500]
            ) from None
    if inputs.get("operation") == "classify":
        wanted = {str(label).casefold(): label for label in inputs.get("labels") or []}
        label = wanted.get(text.strip().strip('".').casefold())
        if label is None:
            raise PermanentError(_("The model answered with none of the labels."), detail=text[:500])
        output["label"] = label
    return output


def _cost(answer: Any) -> dict[str, Any]:
    into, out = dig(answer, "usage.prompt_tokens") or 0, dig(answer, "usage.completion_tokens") or 0
    total = dig(answer, "usage.total_tokens") or (into + out)
    return {"tokens": total, "input_tokens": into, "output_tokens": out}
