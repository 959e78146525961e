"""What the AI vendors mean by their failures, where it differs from the usual meaning of a status."""

from __future__ import annotations

from datetime import datetime

from integrations.framework.errors import (
    ConnectorError,
    PermanentError,
    ReconnectError,
    TemporaryError,
    retry_after_seconds,
    vendor_message,
)
from integrations.framework.messages import Response
from integrations.framework.paths import dig
from workflows.definition.wording import gettext as _

OVERLOADED = "overloaded"
TOO_LONG = "context_length"
NO_CREDIT = "no_credit"

TOO_LONG_WORDS = (
    "context_length_exceeded", "context length", "context window", "prompt is too long", "too many tokens",
    "maximum context", "input token count", "exceeds the maximum number of tokens", "too many input tokens",
)  # fmt: skip
NO_CREDIT_WORDS = ("insufficient_quota", "credit balance is too low", "billing_hard_limit", "no credit")
KEY_WORDS = (
    "api key not valid",
    "api_key_invalid",
    "invalid api key",
    "incorrect api key",
    "invalid x-api-key",
)


def refusal_of(response: Response, service: str, *, now: datetime) -> ConnectorError | None:
    """Return the error an AI vendor's answer stands for, or None where the connector's own rules say it.

    code of the error: "context_length", "no_credit" or "overloaded"; the last is what a fallback model helps with.
    """
    words = vendor_message(response)
    said = (
        f"{dig(response.json, 'error.code') or ''} {dig(response.json, 'error.type') or ''} {words}".lower()
    )
    status, detail = response.status, f"status={response.status} {words}"
    if status in (400, 413, 422) and any(phrase in said for phrase in TOO_LONG_WORDS):
        return PermanentError(
            _(
                "The text is too long for this model. Shorten it, summarize it first, or choose a model with more room."
            ),
            status=status,
            code=TOO_LONG,
            detail=detail,
        )
    if status in (400, 402, 403, 429) and any(phrase in said for phrase in NO_CREDIT_WORDS):
        return PermanentError(
            _("{service} says this account has no credit left. Add credit there, then run again.").format(
                service=service
            ),
            status=status,
            code=NO_CREDIT,
            detail=detail,
        )
    if status in (400, 401, 403) and any(phrase in said for phrase in KEY_WORDS):
        return ReconnectError(
            _("{service} no longer accepts this key. Reconnect with a new one.").format(service=service),
            status=status,
            detail=detail,
        )
    if status in (503, 529) or "overloaded" in said:
        return TemporaryError(
            _("{service} has too much to do right now. We will try again.").format(service=service),
            retry_after=retry_after_seconds(response.headers.get("retry-after"), now=now),
            status=status,
            code=OVERLOADED,
            detail=detail,
        )
    if status == 404 and "model" in said:
        return PermanentError(
            _("{service} does not have this model, or this key may not use it. Choose another model.").format(
                service=service
            ),
            status=status,
            detail=detail,
        )
    return None
