"""The vendors' libraries behind our one door: the same addresses refused, the same limits, secrets and sentences.

The libraries bring two HTTP packages (httpx and httpx2). Both get a transport that hands each request to
integrations.framework.client, so a failing answer is already one of our errors when the library sees it.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

import httpx
import httpx2

from integrations.framework import Connector
from integrations.framework.client import Client, response_of
from integrations.framework.errors import (
    ConnectorError,
    PermanentError,
    TemporaryError,
    retry_after_seconds,
)
from integrations.framework.redaction import redact
from workflows.ai.refusals import refusal_of
from workflows.definition.wording import gettext as _

# They would log whole addresses.
for _library in ("httpx2", "httpcore2", "openai", "anthropic", "google_genai"):
    logging.getLogger(_library).setLevel(logging.WARNING)
# The door frames the request itself; a vendor's library must not say otherwise.
FRAMING = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding"})
DECODED = frozenset({"content-encoding", "content-length", "transfer-encoding"})


@dataclass(slots=True)
class Door:
    """What one call goes through. connector: words its failures. headers: added to every request."""

    client: Client
    connector: Connector
    service: str
    secrets: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    timeout_seconds: float = 120.0

    def for_httpx(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=_Httpx(self), trust_env=False, timeout=self.timeout_seconds)

    def for_httpx2(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=_Httpx2(self), trust_env=False, timeout=self.timeout_seconds)

    async def open(
        self, method: str, url: str, headers: Iterable[tuple[str, str]], content: bytes
    ) -> httpx.Response:
        """Return an answer below status 400 whose body is still to be read. Raises ConnectorError."""
        sent = [(name, value) for name, value in headers if name.lower() not in FRAMING]
        answer = await self.client.open(
            method,
            url,
            headers=[*sent, *self.headers],
            content=content,
            timeout_seconds=self.timeout_seconds,
            provider=self.connector.slug.upper(),
            secrets=self.secrets,
        )
        if answer.status_code < 300:
            return answer
        raise await self._failure(answer)

    async def _failure(self, answer: httpx.Response) -> ConnectorError:
        content = b""
        try:
            async for chunk in answer.aiter_bytes(65536):
                content += chunk
                if len(content) > 1_000_000:
                    break
        finally:
            await answer.aclose()
        response = response_of(answer, content)
        error = refusal_of(response, self.service, now=self.client.now())
        if error is None:
            try:
                self.connector.raise_for(response, now=self.client.now())
                error = PermanentError(
                    _("{service} sent us elsewhere. Check the address in the connection.").format(
                        service=self.service
                    ),
                    status=response.status,
                )
            except ConnectorError as told:
                error = told
        if isinstance(error, TemporaryError) and error.retry_after is None:
            error.retry_after = retry_after_seconds(
                response.headers.get("retry-after"), now=self.client.now()
            )
        error.message, error.detail = (
            redact(error.message, self.secrets),
            redact(error.detail, self.secrets),
        )
        error.args = (error.message,)
        return error


class _Body:
    """The answer's body, passed on piece by piece and counted."""

    def __init__(self, answer: httpx.Response, door: Door) -> None:
        self._answer, self._door = answer, door

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        try:
            async for chunk in self._answer.aiter_bytes():
                size += len(chunk)
                if size > self._door.client.max_bytes:
                    raise PermanentError(_("The model's answer is too large."), may_have_happened=True)
                yield chunk
        except httpx.HTTPError as broken:
            raise TemporaryError(
                _("{service} broke off in the middle of its answer. We will try again.").format(
                    service=self._door.service
                ),
                detail=type(broken).__name__,
                may_have_happened=True,
            ) from None

    async def aclose(self) -> None:
        await self._answer.aclose()


class _Stream(_Body, httpx.AsyncByteStream):
    """A body for httpx."""


class _Stream2(_Body, httpx2.AsyncByteStream):
    """A body for httpx2."""


class _Httpx(httpx.AsyncBaseTransport):
    def __init__(self, door: Door) -> None:
        self.door = door

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self.door.open(
            request.method, str(request.url), request.headers.multi_items(), await request.aread()
        )
        return httpx.Response(answer.status_code, headers=_kept(answer), stream=_Stream(answer, self.door))


class _Httpx2(httpx2.AsyncBaseTransport):
    def __init__(self, door: Door) -> None:
        self.door = door

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = await self.door.open(
            request.method, str(request.url), request.headers.multi_items(), await request.aread()
        )
        return httpx2.Response(answer.status_code, headers=_kept(answer), stream=_Stream2(answer, self.door))


def _kept(answer: httpx.Response) -> list[tuple[str, str]]:
    """Return the headers that are still true once the body is decoded."""
    return [(name, value) for name, value in answer.headers.multi_items() if name.lower() not in DECODED]


def found_in(error: BaseException) -> Any:
    """Return the ConnectorError that a vendor's library wrapped, or None."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        if isinstance(current, ConnectorError):
            return current
        seen.add(id(current))
        current = current.__cause__ or current.__context__
    return None
