"""The one door to other services: every outbound HTTP call of connectors and of the HTTP step goes through here."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import httpcore
import httpx

from integrations.framework.addresses import (
    GuardedBackend,
    Resolver,
    checked_host,
    checked_url,
    refused,
    resolved,
    system_resolver,
)
from integrations.framework.errors import ConnectorError, PermanentError, TemporaryError
from integrations.framework.messages import File, Response
from integrations.framework.pace import Pace
from integrations.framework.redaction import redact

CONNECT_SECONDS = 10.0
TOTAL_SECONDS = 60.0
MAX_RESPONSE_BYTES = 10 * 1024 * 1024
MAX_REDIRECTS = 5
KEPT_ACROSS_ORIGINS = frozenset({"accept", "accept-language", "content-type", "user-agent"})
USER_AGENT = "Steward/1.0"

log = logging.getLogger("integrations.http")
# The libraries below would log whole addresses and headers, secrets included.
for _library in ("httpx", "httpcore"):
    logging.getLogger(_library).setLevel(logging.WARNING)


class Client:
    """Sends one call and returns the answer, whatever its status. Safe to share; one connection pool per event loop.

    allow_private: "host" or "host:port" entries that may be inside our network (a self-hosted model server).
    on_call: told (provider, status or 0, seconds) once per call, for metering; a failure of it is not swallowed.
    """

    def __init__(
        self,
        *,
        allow_private: frozenset[str] = frozenset(),
        max_bytes: int = MAX_RESPONSE_BYTES,
        on_call: Callable[[str, int, float], None] | None = None,
        resolve: Resolver = system_resolver,
        pace: Pace | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.allow_private = allow_private
        self.pace = pace or Pace()
        self.now = now
        self.max_bytes = max_bytes
        self._on_call = on_call
        self._resolve = resolve
        self._pools: weakref.WeakKeyDictionary[Any, httpx.AsyncClient] = weakref.WeakKeyDictionary()

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        query: Sequence[tuple[str, str]] = (),
        json_body: Any = None,
        form: Sequence[tuple[str, str]] | None = None,
        files: Mapping[str, File] | None = None,
        content: bytes | None = None,
        timeout_seconds: float | None = None,
        provider: str = "HTTP",
        secrets: Sequence[str] = (),
    ) -> Response:
        """Return the answer. Give at most one body; form and files go together.

        secrets: texts to hide in errors and logs. Raises AddressRefused, TemporaryError (may_have_happened says
        whether the request may have reached the service) or PermanentError (too large, too many redirects).
        """
        started = time.monotonic()
        status = 0
        sent = _Sent()
        try:
            async with asyncio.timeout(timeout_seconds or TOTAL_SECONDS):
                response = await self._follow(
                    sent,
                    method,
                    url,
                    headers=dict(headers or {}),
                    query=query,
                    body=_body(json_body, form, files, content),
                )
            status = response.status
            return response
        except ConnectorError as error:
            error.message, error.detail = redact(error.message, secrets), redact(error.detail, secrets)
            error.args = (error.message,)
            raise
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ssl.SSLError) as error:
            raise transport_error(error, provider=provider, sent=sent.sent, secrets=secrets) from None
        finally:
            # Path and query may hold secrets; the host says enough.
            self.count(provider, method, _host(url), status, time.monotonic() - started)

    async def open(
        self,
        method: str,
        url: str,
        *,
        headers: Sequence[tuple[str, str]],
        content: bytes,
        timeout_seconds: float,
        provider: str,
        secrets: Sequence[str] = (),
    ) -> httpx.Response:
        """Return an answer whose body is still to be read, for answers that arrive in pieces; the caller closes it.

        timeout_seconds: for each wait, not for the whole body. Redirects are not followed. Raises as send() does.
        """
        started, status, sent = time.monotonic(), 0, _Sent()
        try:
            target = checked_url(url, allow_private=self.allow_private)
            client = self._client()
            request = client.build_request(
                method, target, headers=headers, content=content, extensions={"trace": sent.trace}
            )
            timeout = httpx.Timeout(timeout_seconds, connect=CONNECT_SECONDS)
            request.extensions["timeout"] = timeout.as_dict()
            answer = await client.send(request, stream=True)
            status = answer.status_code
            return answer
        except ConnectorError as error:
            error.message, error.detail = redact(error.message, secrets), redact(error.detail, secrets)
            error.args = (error.message,)
            raise
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ssl.SSLError) as error:
            raise transport_error(error, provider=provider, sent=sent.sent, secrets=secrets) from None
        finally:
            self.count(provider, method, _host(url), status, time.monotonic() - started)

    def count(self, provider: str, method: str, host: str, status: int, seconds: float) -> None:
        """Log and meter one call; also for services that are not reached by HTTP."""
        log.info(
            "call provider=%s method=%s host=%s status=%s seconds=%.3f",
            provider,
            method,
            host,
            status,
            seconds,
        )
        if self._on_call is not None:
            self._on_call(provider, status, seconds)

    async def addresses(self, host: str, port: int) -> tuple[str, list[str]]:
        """Return a server's name in normal form and the checked addresses to connect to, for other protocols.

        Raises AddressRefused, or TemporaryError when the name is not found.
        """
        name = checked_host(host, port, allow_private=self.allow_private)
        found = await resolved(name, port, allow_private=self.allow_private, resolve=self._resolve)
        return name, found

    def send_sync(self, method: str, url: str, **options: Any) -> Response:
        """The same for code outside an event loop; opens and closes its own connections."""

        async def call() -> Response:
            try:
                return await self.send(method, url, **options)
            finally:
                await self.aclose()

        return asyncio.run(call())

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        pool = self._pools.pop(asyncio.get_running_loop(), None)
        if pool is not None:
            await pool.aclose()

    async def _follow(
        self,
        sent: _Sent,
        method: str,
        url: str,
        *,
        headers: dict[str, str],
        query: Sequence[tuple[str, str]],
        body: dict[str, Any],
    ) -> Response:
        target = checked_url(url, allow_private=self.allow_private)
        if query:
            target = target.copy_merge_params(list(query))
        for _ in range(MAX_REDIRECTS + 1):
            response = await self._exchange(sent, method, target, headers, body)
            if response.status not in (301, 302, 303, 307, 308) or "location" not in response.headers:
                return response
            try:
                joined = str(target.join(response.headers["location"]))
            except (httpx.InvalidURL, ValueError):
                raise refused("a redirect led to an invalid address") from None
            following = checked_url(joined, allow_private=self.allow_private)  # each hop is checked again
            if target.scheme == "https" and following.scheme == "http":
                raise refused("a redirect left the encrypted connection")
            crosses = _origin(target) != _origin(following)
            if response.status == 303 or (response.status in (301, 302) and method == "POST"):
                method, body = "GET", {}
                headers = {name: value for name, value in headers.items() if name.lower() != "content-type"}
            elif crosses and body:
                raise refused("a redirect would send the data to another server")
            if crosses:  # credentials belong to the first server alone
                headers = {
                    name: value for name, value in headers.items() if name.lower() in KEPT_ACROSS_ORIGINS
                }
            target = following
        raise PermanentError(
            "The service redirected us too often.", detail=f"more than {MAX_REDIRECTS} redirects"
        )

    async def _exchange(
        self,
        sent: _Sent,
        method: str,
        url: httpx.URL,
        headers: dict[str, str],
        body: dict[str, Any],
    ) -> Response:
        client = self._client()
        request = client.build_request(
            method,
            url,
            headers={"User-Agent": USER_AGENT, **headers},
            extensions={"trace": sent.trace},
            **body,
        )
        request.extensions["timeout"] = httpx.Timeout(TOTAL_SECONDS, connect=CONNECT_SECONDS).as_dict()
        answer = await client.send(request, stream=True)
        try:
            declared = answer.headers.get("content-length", "")
            if declared.isdigit() and int(declared) > self.max_bytes:
                raise self._too_large()
            chunks, size = [], 0
            async for chunk in answer.aiter_bytes(65536):
                size += len(chunk)
                if size > self.max_bytes:  # counted after decompression
                    raise self._too_large()
                chunks.append(chunk)
        finally:
            await answer.aclose()
        content = b"".join(chunks)
        return Response(
            answer.status_code,
            _parse(content, answer.headers.get("content-type", "")),
            dict(answer.headers),
            content,
            str(url),
        )

    def _too_large(self) -> PermanentError:
        return PermanentError(
            f"The answer is larger than {self.max_bytes // (1024 * 1024)} MB.",
            detail="response too large",
            may_have_happened=True,
        )

    def _client(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        client = self._pools.get(loop)
        if client is None:
            client = httpx.AsyncClient(
                transport=_GuardedTransport(self.allow_private, self._resolve),
                follow_redirects=False,
                trust_env=False,
            )
            self._pools[loop] = client
        # Nothing is remembered between calls: tenants share this pool.
        client.cookies.clear()
        return client


class _GuardedTransport(httpx.AsyncHTTPTransport):
    """httpx's own transport over a pool whose sockets go through GuardedBackend."""

    def __init__(self, allow_private: frozenset[str], resolve: Resolver) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=_ssl_context(),
            max_connections=1000,
            max_keepalive_connections=100,
            keepalive_expiry=30,
            http1=True,
            http2=False,
            network_backend=GuardedBackend(allow_private, resolve),
        )


class _Sent:
    """Notes whether any byte of a request was written, which decides what a failure may have done."""

    def __init__(self) -> None:
        self.sent = False

    async def trace(self, name: str, info: Any) -> None:
        if name.endswith("send_request_headers.started"):
            self.sent = True


@cache
def public_certificates() -> ssl.SSLContext:
    """Return the TLS settings for other protocols: the public authorities, and nothing of the environment."""
    return httpx.create_ssl_context(trust_env=False)


@cache
def _ssl_context() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


def transport_error(
    error: Exception,
    *,
    provider: str,
    sent: bool,
    secrets: Sequence[str] = (),
) -> TemporaryError:
    """Return what a broken call means. sent: whether any part of the request left us."""
    late = isinstance(error, httpx.TimeoutException | TimeoutError)
    service = provider.replace("_", " ").title() if provider != "HTTP" else "The service"
    message = f"{service} did not answer in time." if late else f"{service} could not be reached."
    return TemporaryError(
        f"{message} We will try again." if not sent else message,
        detail=redact(f"{type(error).__name__}: {error}", secrets),
        may_have_happened=sent,
    )


def _body(
    json_body: Any,
    form: Sequence[tuple[str, str]] | None,
    files: Mapping[str, File] | None,
    content: bytes | None,
) -> dict[str, Any]:
    if files:
        fields: dict[str, Any] = {}
        for name, value in form or ():
            fields.setdefault(name, []).append(value)
        return {
            "data": fields,
            "files": {name: (file.name, file.content, file.content_type) for name, file in files.items()},
        }
    if form is not None:
        fields = {}
        for name, value in form:
            fields.setdefault(name, []).append(value)
        return {"data": fields}
    if json_body is not None:
        return {"json": json_body}
    return {"content": content} if content is not None else {}


def response_of(answer: httpx.Response, content: bytes) -> Response:
    """Return an answer whose body was read by its caller as the value that connectors judge."""
    parsed = _parse(content, answer.headers.get("content-type", ""))
    return Response(answer.status_code, parsed, dict(answer.headers), content, str(answer.request.url))


def _parse(content: bytes, content_type: str) -> Any:
    if not content or ("json" not in content_type and content[:1] not in (b"{", b"[")):
        return None
    try:
        return json.loads(content)
    except ValueError:
        return None


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}[url.scheme]


def _host(url: str) -> str:
    try:
        return httpx.URL(url).host
    except (httpx.InvalidURL, ValueError):
        return "invalid"
