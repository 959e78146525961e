"""What can go wrong with a call, told so that the caller knows whether trying again can help."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from integrations.framework.messages import Response
from integrations.framework.paths import dig

MAX_VENDOR_MESSAGE = 500  # characters of a service's own words we repeat
TEMPORARY_STATUSES = frozenset({408, 423, 425, 429})


class ConnectorError(Exception):
    """A call failed. message: plain words for a person. detail: for logs, secrets already removed.

    may_have_happened: the request may have reached the service, so repeating it blindly could do it twice.
    cost: what the step has used all the same (tokens and money of a model), JSON, or None.
    """

    cost: dict[str, Any] | None = None

    def __init__(
        self,
        message: str,
        *,
        detail: str = "",
        status: int | None = None,
        code: str = "",
        may_have_happened: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.status = status
        self.code = code
        self.may_have_happened = may_have_happened


class TemporaryError(ConnectorError):
    """Trying again later can help. retry_after: seconds the service asked us to wait, or None."""

    def __init__(self, message: str, *, retry_after: float | None = None, **details: Any) -> None:
        super().__init__(message, **details)
        self.retry_after = retry_after


class PermanentError(ConnectorError):
    """The same call will fail again: the input, the permission or the object is wrong."""


class ReconnectError(ConnectorError):
    """The credential is dead: stop, and ask the owner to reconnect."""


class AddressRefused(PermanentError):
    """The address points inside our own network, or is not one we call. Nothing was sent."""


def classify(
    response: Response,
    *,
    service: str,
    now: datetime,
    message_paths: Iterable[str] = (),
) -> ConnectorError | None:
    """Return the error an answer stands for, or None when it is a success (status below 400).

    service: its name, for the sentence. now: needed to read a Retry-After date.
    message_paths: where the service puts its own words; the first text found is repeated.
    """
    if response.status < 400:
        return None
    words = vendor_message(response, message_paths)
    said = f': "{words}"' if words else "."
    detail = f"status={response.status} {words}".strip()
    status = response.status
    if status == 401:
        return ReconnectError(
            f"{service} no longer accepts this connection. Reconnect it.", detail=detail, status=status
        )
    if status == 403:
        return PermanentError(
            f"{service} refused: this connection is not allowed to do that{said}",
            detail=detail,
            status=status,
        )
    if status in (404, 410):
        return PermanentError(
            f"{service} could not find what the step refers to{said}", detail=detail, status=status
        )
    if status == 409:
        return PermanentError(
            f"{service} says this clashes with something that exists{said}", detail=detail, status=status
        )
    if status in TEMPORARY_STATUSES:
        wait = retry_after_seconds(response.headers.get("retry-after"), now=now)
        what = "asked us to slow down" if status == 429 else "was not ready"
        return TemporaryError(
            f"{service} {what}. We will try again.", retry_after=wait, detail=detail, status=status
        )
    if status >= 500:
        wait = retry_after_seconds(response.headers.get("retry-after"), now=now)
        # A gateway may fail after the service acted; only 501 and 503 say clearly that nothing was done.
        return TemporaryError(
            f"{service} has a problem of its own right now. We will try again.",
            retry_after=wait,
            detail=detail,
            status=status,
            may_have_happened=status not in (501, 503),
        )
    return PermanentError(f"{service} did not accept the request{said}", detail=detail, status=status)


def vendor_message(response: Response, paths: Iterable[str] = ()) -> str:
    """Return the service's own words about a failure, shortened; empty when there are none."""
    usual = ("error.message", "error_description", "message", "errors.0.message", "error", "detail", "title")
    for path in (*paths, *usual):
        found = dig(response.json, path)
        if isinstance(found, str) and found.strip():
            return found.strip()[:MAX_VENDOR_MESSAGE]
    return ""


def retry_after_seconds(value: str | None, *, now: datetime) -> float | None:
    """Return the wait a Retry-After header asks for, in seconds from now, never negative.

    value: seconds or an HTTP date (RFC 9110, 10.2.3). None when absent or unreadable.
    """
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, (at - now).total_seconds())
