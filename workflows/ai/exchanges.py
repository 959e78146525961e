"""The record of each question and answer: written with the settlement, and read again when a run is resumed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from psycopg.rows import dict_row
from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter, ModelResponse
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.settings import ModelSettings

from accounts.tenancy import uuid7
from integrations.framework.redaction import redact, secrets_in
from workflows.ai.budget import Reservation, settle
from workflows.ai.desk import Desk

# Differ between two tellings of the same question.
VOLATILE = frozenset({"timestamp", "run_id", "conversation_id", "metadata", "provider_url", "usage"})
TOKENS_A_MESSAGE = 32  # delimiters and roles, more than any vendor adds
MOST_TOKENS_AN_IMAGE = 20_000
BYTES_A_TOKEN = 3  # on the low side for most languages: see likely_input_tokens

FIND = """
SELECT answer, input_tokens, output_tokens, cost_micro FROM workflows_aiexchange
WHERE organization_id = %(organization)s AND key = %(key)s AND attempt = %(attempt)s AND turn = %(turn)s
  AND status = 'ANSWERED' AND request_hash = %(hash)s AND answer IS NOT NULL ORDER BY id LIMIT 1
"""
INSERT = """
INSERT INTO workflows_aiexchange (id, organization_id, execution_id, workflow_id, purpose, path, key, attempt, turn,
  request_hash, provider, model, status, request, answer, error, input_tokens, output_tokens, cost_micro, duration_ms)
VALUES (%(id)s, %(organization)s, %(execution)s, %(workflow)s, %(purpose)s, %(path)s, %(key)s, %(attempt)s, %(turn)s,
  %(hash)s, %(provider)s, %(model)s, %(status)s, %(request)s, %(answer)s, %(error)s, %(input_tokens)s,
  %(output_tokens)s, %(micro)s, %(duration)s)
"""
METER = """
INSERT INTO billing_usageentry (id, organization_id, metric, quantity, cost_usd, workflow_id, execution_id)
VALUES (%(entry)s, %(organization)s, 'AI_TOKENS_USED', %(input_tokens)s + %(output_tokens)s, %(usd)s, %(workflow)s,
  %(execution)s)
"""


@dataclass(slots=True)
class Asked:
    """A question as it is kept and compared.

    most_input_tokens: no vendor counts more (a token is at least a byte). likely_input_tokens: about what it takes.
    """

    model: str
    purpose: str
    body: dict[str, Any]
    digest: str
    most_input_tokens: int
    likely_input_tokens: int


def asked(
    desk: Desk,
    model: str,
    messages: list[ModelMessage],
    settings: ModelSettings,
    parameters: ModelRequestParameters,
    purpose: str,
) -> Asked:
    """Return the question with its size and digest; credentials are never part of it."""
    told = ModelMessagesTypeAdapter.dump_python(messages, mode="json")
    images = 0
    for message in told:
        for part in message.get("parts", ()):
            content = part.get("content")
            for entry in content if isinstance(content, list) else ():
                if isinstance(entry, dict) and entry.get("kind") == "binary":
                    images += 1
                    data = str(entry.pop("data", ""))
                    entry["sha256"] = hashlib.sha256(data.encode()).hexdigest()
    body = {
        "messages": _steady(told),
        "settings": {key: value for key, value in settings.items() if isinstance(value, int | float | str)},
        "schema": parameters.output_object.json_schema if parameters.output_object else None,
        "tools": [
            {"name": tool.name, "description": tool.description, "schema": tool.parameters_json_schema}
            for tool in (*parameters.function_tools, *parameters.output_tools)
        ],
    }
    text = json.dumps(
        {"model": model, "purpose": purpose, **body}, sort_keys=True, ensure_ascii=False, default=str
    )
    size = len(text.encode())
    extra = TOKENS_A_MESSAGE * (len(messages) + len(body["tools"]) + 1) + MOST_TOKENS_AN_IMAGE * images
    return Asked(
        model,
        purpose,
        body,
        hashlib.sha256(text.encode()).hexdigest(),
        size + extra,
        size // BYTES_A_TOKEN + extra,
    )


async def recorded(desk: Desk, question: Asked) -> tuple[ModelResponse, dict[str, Any]] | None:
    """Return the answer that this very call of this run, or of the run it resumes, was given before a crash."""
    if not desk.key:
        return None
    async with desk.connections() as connection:
        cursor = connection.cursor(row_factory=dict_row)
        await cursor.execute(FIND, _identity(desk, question))
        row = await cursor.fetchone()
    if row is None:
        return None
    (response,) = ModelMessagesTypeAdapter.validate_python([row["answer"]])
    assert isinstance(response, ModelResponse)  # noqa: S101 - only answers are kept under `answer`
    return response, row


async def keep(
    desk: Desk,
    question: Asked,
    reservation: Reservation | None,
    *,
    response: ModelResponse | None = None,
    micro: int = 0,
    error: str = "",
    seconds: float = 0.0,
) -> None:
    """Settle the call and record it, its tokens metered, in one transaction.

    response None: the call failed and cost nothing. error with a response: answered, but not as asked.
    """
    hidden = secrets_in(desk.account.credentials)
    status = "FAILED" if response is None else "REJECTED" if error else "ANSWERED"
    answer = None
    if response is not None and desk.keep_content:
        answer = ModelMessagesTypeAdapter.dump_python([response], mode="json")[0]
    parameters = {
        **_identity(desk, question),
        "id": uuid7(),
        "entry": uuid7(),
        "execution": desk.execution_id,
        "workflow": desk.workflow_id,
        "purpose": question.purpose[:40],
        "path": desk.path,
        "provider": desk.account.provider,
        "model": question.model,
        "status": status,
        "request": _json(question.body, hidden) if desk.keep_content else None,
        "answer": _json(answer, hidden) if answer is not None else None,
        "error": error,
        "input_tokens": response.usage.input_tokens if response else 0,
        "output_tokens": response.usage.output_tokens if response else 0,
        "micro": micro,
        "usd": micro / 1_000_000,
        "duration": round(seconds * 1_000),
    }
    async with desk.connections() as connection, connection.transaction():
        if reservation is not None:
            await settle(connection, reservation, micro, asked=response is not None)
        await connection.execute(INSERT, parameters)
        if response is not None and desk.is_charged:
            await connection.execute(METER, parameters)


def _identity(desk: Desk, question: Asked) -> dict[str, Any]:
    return {
        "organization": desk.organization_id,
        "key": desk.key,
        "attempt": desk.attempt,
        "turn": desk.turn,
        "hash": question.digest,
    }


def _json(value: Any, hidden: tuple[str, ...]) -> str:
    return json.dumps(_storable(value, hidden), ensure_ascii=False, default=str)


def _storable(value: Any, hidden: tuple[str, ...]) -> Any:
    """Return the value without secrets, NUL and halves of surrogate pairs: PostgreSQL takes neither of the last two."""
    if isinstance(value, dict):
        return {str(key): _storable(member, hidden) for key, member in value.items()}
    if isinstance(value, list):
        return [_storable(member, hidden) for member in value]
    if isinstance(value, str):
        whole = value.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
        return redact(whole, hidden)
    return value


def _steady(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _steady(member) for key, member in value.items() if key not in VOLATILE}
    return [_steady(member) for member in value] if isinstance(value, list) else value
