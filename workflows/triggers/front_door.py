"""The short way for webhooks: requests to /hooks/ reach the intake before Django's middleware, which they do not need.

No session, no cookie, no template and no signed-in person belong to a delivery. What a request costs is then its one
database call, which lets a small machine take several times as many. Every other path goes on to the application.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import structlog
from django.conf import settings
from django.db import reset_queries

from workflows.triggers.webhook import Answer, Arrival, receive
from workflows.views.hooks import as_bytes, read_body

logger = structlog.get_logger(__name__)
PREFIX = "/hooks/"
StartResponse = Callable[..., Any]
SECURITY_HEADERS = [("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store")]
REASONS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class FrontDoor:
    """A WSGI application around another one: `application = FrontDoor(get_wsgi_application())`."""

    def __init__(self, application: Callable[[dict[str, Any], StartResponse], Iterable[bytes]]) -> None:
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ.get("PATH_INFO", "")
        token = path[len(PREFIX) :].removesuffix("/") if path.startswith(PREFIX) else ""
        if not token or "/" in token:
            return self.application(environ, start_response)
        try:
            answer = receive(token, arrival_of(environ, path))
        except Exception:
            # The last line of defence: what a bug of ours must not do is drop the connection without a word.
            logger.exception("a delivery could not be taken")
            answer = Answer(
                500, {"error": "internal", "message": "The delivery could not be taken. Send it again."}
            )
        finally:
            # With DEBUG on, Django remembers every statement, bodies and all, until a signal that is not sent here.
            reset_queries()
        content, content_type = as_bytes(answer)
        headers = {"Content-Type": content_type, **answer.headers}
        plain = [(name, value) for name, value in headers.items() if _is_plain(name) and _is_plain(value)]
        start_response(
            REASONS.get(answer.status, f"{answer.status} Answer"),
            [*plain, ("Content-Length", str(len(content))), *SECURITY_HEADERS],
        )
        return [content if environ.get("REQUEST_METHOD") != "HEAD" else b""]


def arrival_of(environ: dict[str, Any], path: str) -> Arrival:
    """Return a WSGI request as the intake reads it; its body only when it is not too large."""
    body, size = read_body(environ, settings.WEBHOOK_MAX_BODY_BYTES)
    query = environ.get("QUERY_STRING", "")
    headers = {
        key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")
    }
    if content_type := environ.get("CONTENT_TYPE"):
        headers["content-type"] = content_type
    return Arrival(
        method=environ.get("REQUEST_METHOD", "POST"),
        path=path,
        url=settings.BASE_URL + quote(path, safe="/-_") + (f"?{query}" if query else ""),
        query=query,
        headers=headers,
        body=body,
        size=size,
        remote_address=environ.get("REMOTE_ADDR") or None,
    )


def _is_plain(text: str) -> bool:
    # A respond step's headers come from a workflow; a line break in one would be another header.
    return text.isprintable() and text.isascii()
