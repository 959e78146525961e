"""/hooks/<token>/: where other systems send what starts a run."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from workflows.triggers.webhook import Answer, Arrival, receive


@csrf_exempt
def hook(request: HttpRequest, token: str) -> HttpResponse:
    """Take one delivery; no session, no template, no scope of its own: the intake knows whose it is."""
    return as_response(receive(token, arrival_of(request)))


def arrival_of(request: HttpRequest) -> Arrival:
    """Return the request as the intake reads it; its body only when it is not too large."""
    body, size = read_body(request.META, settings.WEBHOOK_MAX_BODY_BYTES)
    return Arrival(
        method=request.method or "POST",
        path=request.path,
        url=settings.BASE_URL + request.get_full_path(),
        query=request.META.get("QUERY_STRING", ""),
        headers=dict(request.headers),
        body=body,
        size=size,
        remote_address=request.META.get("REMOTE_ADDR") or None,
    )


def read_body(environ: dict[str, Any], limit: int) -> tuple[bytes | None, int]:
    """Return (body, size); the body is None when it is larger than `limit`, and is then not read to its end.

    Chunked bodies announce no length: gunicorn marks their end.
    """
    try:
        size = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        size = 0
    if size > limit:
        return None, size
    if size:
        return environ["wsgi.input"].read(size), size
    if (
        environ.get("wsgi.input_terminated")
        and "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
    ):
        body = environ["wsgi.input"].read(limit + 1)
        return (None, 0) if len(body) > limit else (body, len(body))
    return b"", 0


def as_response(answer: Answer) -> HttpResponse:
    """Return the answer as Django sends it."""
    content, content_type = as_bytes(answer)
    response = HttpResponse(content, status=answer.status, content_type=content_type)
    for name, value in answer.headers.items():
        response.headers[name] = value
    return response


def as_bytes(answer: Answer) -> tuple[bytes, str]:
    """Return an answer's body and content type: bytes and text as they are, everything else as JSON."""
    if isinstance(answer.body, bytes):
        return answer.body, "application/octet-stream"
    if answer.body is None:
        return b"", "text/plain; charset=utf-8"
    if isinstance(answer.body, str):
        return answer.body.encode(), "text/plain; charset=utf-8"
    return json.dumps(answer.body).encode(), "application/json"
