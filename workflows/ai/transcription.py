"""Speech turned into text, by the vendors that listen."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import time
from collections.abc import Mapping
from typing import Any

from pydantic_ai.messages import ModelResponse, TextPart
from pydantic_ai.usage import RequestUsage

from integrations.framework import registry
from integrations.framework.errors import ConnectorError, PermanentError
from integrations.framework.execute import perform
from workflows.ai import budget
from workflows.ai.desk import Desk
from workflows.ai.exchanges import Asked, keep, recorded
from workflows.ai.model import SETTLE_SECONDS, Question, ask
from workflows.ai.prices import TRANSCRIPTION_MICRO_PER_MINUTE
from workflows.ai.providers import settings_of
from workflows.definition.wording import gettext as _

MODELS = {"OPENAI": "gpt-4o-mini-transcribe", "COHERE": "cohere-transcribe-03-2026"}
MOST_BYTES = 25 * 1024 * 1024  # https://developers.openai.com/api/docs/guides/speech-to-text
FEWEST_BYTES_A_MINUTE = 45_000  # speech at 6 kbit/s, the least that codecs in use give


async def transcribe(desk: Desk, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return {"text", "model"}. inputs["file"]: {"name", "content" (base64), "content_type"}. Raises ConnectorError."""
    file, provider = inputs.get("file"), desk.account.provider
    if not isinstance(file, Mapping) or not file.get("content"):
        raise PermanentError(_("There is no recording to listen to: choose a file in the step."))
    try:
        data = base64.b64decode(str(file["content"]), validate=True)
    except ValueError:
        raise PermanentError(_("The recording could not be read: it is not a file.")) from None
    if len(data) > MOST_BYTES:
        raise PermanentError(_("A recording may have 25 MB at most. Cut it into pieces first."))
    if provider == "GOOGLE_GEMINI":
        kind = str(file.get("content_type") or "audio/mpeg")
        heard = await ask(desk, Question(
            prompt="Write down word for word what is said.", images=[(data, kind)], model=inputs.get("model"),
            max_tokens=inputs.get("max_tokens"), purpose="transcribe",
        ))  # fmt: skip
        return {"text": heard.text, "model": heard.model}
    if provider not in MODELS:
        raise PermanentError(
            _("{service} does not turn speech into text. Choose OpenAI, Google Gemini or Cohere.").format(
                service=registry.get(provider).name
            )
        )
    return await _through_connector(desk, inputs, data)


async def _through_connector(desk: Desk, inputs: Mapping[str, Any], data: bytes) -> dict[str, Any]:
    account = desk.account
    model = str(inputs.get("model") or MODELS[account.provider])
    body = {
        "file": inputs["file"].get("name") or "file",
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "language": inputs.get("language"),
    }
    digest = hashlib.sha256(json.dumps([model, body], sort_keys=True).encode()).hexdigest()
    desk.turn += 1
    question = Asked(model, "transcribe", body, digest, 0, 0)
    found = await recorded(desk, question)
    if found is not None:
        response, row = found
        desk.spent.micro += row["cost_micro"]
        return {"text": response.text or "", "model": model}
    is_own = bool(settings_of(account).get("base_url"))
    # What it costs goes by the length, which only the answer tells, if at all; so the most that the size allows.
    minutes = math.ceil(len(data) / FEWEST_BYTES_A_MINUTE)
    amount = 0 if is_own else minutes * TRANSCRIPTION_MICRO_PER_MINUTE
    reservation = None
    if desk.is_charged:
        reservation = await budget.reserve(
            desk.connections, desk.organization_id, amount, desk.caps, seconds=desk.timeout_seconds + SETTLE_SECONDS
        )  # fmt: skip
    started = time.monotonic()
    wanted = {"file": inputs["file"], "model": model, "language": inputs.get("language") or None}
    try:
        result = await perform(
            registry.get(account.provider), "transcribe_audio", {k: v for k, v in wanted.items() if v},
            account.credentials, account.account, idempotency_key=desk.key, client=desk.client,
            pace_key=str(account.id),
        )  # fmt: skip
    except ConnectorError as error:
        await keep(desk, question, reservation, error=error.message, seconds=time.monotonic() - started)
        raise
    output = result.output if isinstance(result.output, Mapping) else {}
    text, seconds = str(output.get("text") or ""), output.get("duration")
    if isinstance(seconds, int | float) and not is_own:
        amount = min(amount, math.ceil(seconds / 60 * TRANSCRIPTION_MICRO_PER_MINUTE))
    response = ModelResponse([TextPart(text)], usage=RequestUsage(), model_name=model)
    await keep(
        desk, question, reservation, response=response, micro=amount, seconds=time.monotonic() - started
    )
    desk.spent.micro += amount
    desk.spent.calls += 1
    return {"text": text, "model": model}
