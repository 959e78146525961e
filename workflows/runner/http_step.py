"""The http step: one request of the author's own making, with credentials and further pages where asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from integrations.framework import registry
from integrations.framework.client import Client
from integrations.framework.errors import PermanentError, classify
from integrations.framework.execute import flat, prepare, without_secrets
from integrations.framework.messages import Request, Response
from integrations.framework.paths import dig
from integrations.framework.redaction import redact, secrets_in
from integrations.health import Usable
from workflows.definition.wording import gettext as _
from workflows.engine.interface import EffectCall, EffectResult

DEPTH_HEADER = "Steward-Depth"
HIDDEN_HEADERS = frozenset({"set-cookie", "set-cookie2"})


async def send(client: Client, call: EffectCall, opened: Usable | None, *, depth: int = 0) -> EffectResult:
    """Return {"status", "headers", "body"}: the body is JSON where it is, else text. Raises ConnectorError.

    depth: how many workflows have started one another up to this run.
    """
    inputs = call.inputs
    request = _request(inputs, depth)
    pages = inputs.get("pagination")
    response = await _exchange(client, call, opened, request)
    if not pages or response.status >= 400:
        return EffectResult(_output(response, response.json if response.json is not None else response.text))
    items, number = _items(response, pages), 1
    offset = int(pages["start"])
    query = dict(request.query or {})
    while number < int(pages["max_pages"]):
        following = _following(request, response, pages, query, offset, number)
        if following is None:
            break
        response = await _exchange(client, call, opened, following)
        if response.status >= 400:
            break
        found = _items(response, pages)
        if not found:
            break
        items += found
        number += 1
    return EffectResult(_output(response, items))


def _request(inputs: Mapping[str, Any], depth: int) -> Request:
    headers = {
        str(name): str(value) for name, value in (inputs.get("headers") or {}).items() if value is not None
    }
    # A workflow that calls its own webhook is stopped there; whoever else is called may ignore it.
    headers[DEPTH_HEADER] = str(depth + 1)
    body = inputs.get("body")
    form = inputs.get("form")
    content = None if body is None else (body if isinstance(body, str) else str(body)).encode()
    return Request(
        str(inputs.get("method") or "GET").upper(),
        str(inputs["url"]).strip(),
        headers=headers,
        query=dict(inputs.get("query") or {}),
        json=inputs.get("json"),
        form=None if form is None else dict(form),
        content=content,
    )


async def _exchange(client: Client, call: EffectCall, opened: Usable | None, request: Request) -> Response:
    secrets = secrets_in(opened.credentials) if opened else ()
    if opened is None:
        provider = "HTTP"
        arguments: dict[str, Any] = {
            "method": request.method, "url": request.path, "headers": dict(request.headers or {}),
            "query": flat(request.query or {}, repeat=True), "json_body": request.json,
            "form": None if request.form is None else flat(request.form), "content": request.content,
        }  # fmt: skip
    else:
        provider = opened.provider
        try:
            connector = registry.get(provider)
        except KeyError:
            raise PermanentError(_("This account cannot be used in an HTTP step.")) from None
        arguments = prepare(connector, request, opened.credentials, opened.account)
    arguments["timeout_seconds"] = call.timeout
    response = await client.send(**arguments, provider=provider, secrets=secrets)
    if opened is not None:
        response = without_secrets(response, connector, opened.credentials)
    if not call.inputs.get("allow_errors"):
        error = classify(response, service=urlsplit(request.path).hostname or provider, now=client.now())
        if error is not None:
            error.message, error.detail = redact(error.message, secrets), redact(error.detail, secrets)
            raise error
    return response


def _output(response: Response, body: Any) -> dict[str, Any]:
    headers = {name: value for name, value in response.headers.items() if name not in HIDDEN_HEADERS}
    return {"status": response.status, "headers": headers, "body": body}


def _items(response: Response, pages: Mapping[str, Any]) -> list[Any]:
    found = dig(response.json, pages["items"]) if pages["items"] else response.json
    return list(found) if isinstance(found, list) else []


def _following(
    request: Request,
    response: Response,
    pages: Mapping[str, Any],
    query: dict[str, Any],
    offset: int,
    number: int,
) -> Request | None:
    """Return the request for the page after `number`, or None at the end."""
    mode, parameter = pages["mode"], pages["parameter"]
    if mode == "link":
        url = _next_link(response.headers.get("link", ""))
        return None if not url else Request(request.method, url, headers=request.headers)
    if mode == "cursor":
        cursor = dig(response.json, pages["cursor"]) if pages["cursor"] else None
        if cursor in (None, ""):
            return None
        if isinstance(cursor, str) and cursor.startswith(("http://", "https://")) and not parameter:
            return Request(request.method, cursor, headers=request.headers)
        query = query | {parameter or "cursor": cursor}
    elif mode == "page":
        query = query | {parameter or "page": offset + number}
    else:
        query = query | {parameter or "offset": offset + number * int(pages["page_size"])}
    return Request(
        request.method, request.path, headers=request.headers, query=query, json=request.json, form=request.form,
        content=request.content,
    )  # fmt: skip


def _next_link(header: str) -> str:
    """Return the rel="next" target of a Link header (RFC 8288), or ""."""
    for part in header.split(","):
        target, _separator, parameters = part.partition(";")
        if 'rel="next"' in parameters.replace(" ", "") or "rel=next" in parameters.replace(" ", ""):
            return target.strip().strip("<>")
    return ""
