"""The same request sent again is done once: its first answer is kept for a day with the Idempotency-Key."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Status
from pydantic import BaseModel

from accounts.api.problems import Problem
from accounts.models import ApiKey, IdempotentAnswer

HEADER = "Idempotency-Key"
MAX_LENGTH = 200
KEPT = timedelta(days=1)


def once(request: HttpRequest, api_key: ApiKey, act: Callable[[], Any]) -> Any:
    """Return what `act` answers, or what it answered to the same request before; in the scope of the change.

    Of two requests at the same moment the second waits for the first one's commit. A request that fails is forgotten,
    so that it can be sent again. Raises Problem for a key that another request has used.
    """
    given = request.headers.get(HEADER, "")
    if not given:
        return act()
    if len(given) > MAX_LENGTH or not (given.isascii() and given.isprintable()):
        message = f"Send at most {MAX_LENGTH} printable ASCII characters."
        raise Problem("invalid", "The Idempotency-Key is wrong.", errors=[(f"header.{HEADER}", message)])
    fingerprint = _fingerprint(request)
    now = timezone.now()
    IdempotentAnswer.objects.filter(api_key=api_key, key=given, expires_at__lte=now).delete()
    fresh = IdempotentAnswer(
        organization_id=api_key.organization_id, api_key=api_key, key=given, fingerprint=fingerprint,
        expires_at=now + KEPT,
    )  # fmt: skip
    IdempotentAnswer.objects.bulk_create([fresh], ignore_conflicts=True)
    kept = IdempotentAnswer.objects.get(api_key=api_key, key=given)
    if kept.pk != fresh.pk:
        return _again(request, kept, fingerprint)
    try:
        result = act()
    except Problem:
        IdempotentAnswer.objects.filter(pk=fresh.pk).delete()
        raise
    status, body = (result.status_code, result.value) if isinstance(result, Status) else (200, result)
    data = body.model_dump(mode="json", by_alias=True) if isinstance(body, BaseModel) else body
    headers = request.__dict__.get("api_headers", {})
    kept.answer = {"status": status, "body": data, "headers": headers}
    kept.save(update_fields=["answer"])
    return result


def _again(request: HttpRequest, kept: IdempotentAnswer, fingerprint: str) -> Any:
    if kept.fingerprint != fingerprint:
        raise Problem("key_reused", "Another request was sent with this Idempotency-Key. Use a new one.")
    headers = {**kept.answer["headers"], "Idempotent-Replayed": "true"}
    request.__dict__.setdefault("api_headers", {}).update(headers)
    return Status(kept.answer["status"], kept.answer["body"])


def _fingerprint(request: HttpRequest) -> str:
    text = f"{request.method} {request.get_full_path()}\n".encode() + request.body
    return hashlib.sha256(text).hexdigest()
