"""Runs what a connector declares: checks inputs, adds host and credentials, sends, follows pages, reads the output."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlsplit

from integrations.framework.auth import expand, own_server
from integrations.framework.client import Client
from integrations.framework.definition import Action, Call, Connector, Idempotency, Transport, extract
from integrations.framework.errors import ConnectorError, PermanentError, TemporaryError
from integrations.framework.inputs import prepare_inputs
from integrations.framework.messages import Request, Response
from integrations.framework.pagination import DEFAULT_RESULTS, MAX_PAGES, MAX_RESULTS
from integrations.framework.paths import dig, put
from integrations.framework.redaction import MARK, redact, secrets_in

SECRET_KEYS = frozenset({"access_token", "refresh_token", "client_secret"})
SHORTEST_SECRET = 8  # shorter ones would hide ordinary words of an answer
KEY_SPACE = uuid.UUID("5b1e4f0a-6d53-5c0e-9b1c-6f2a1f1f7d11")  # makes a service's UUID out of our key


@dataclass(frozen=True)
class Result:
    """What a performed operation gave. output: as declared. pages: calls made for a list. meta: status and URL-free
    facts worth keeping with the step."""

    output: Any
    status: int
    pages: int = 1
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Tested:
    """A credential that works: which account it is, and the account variables learned."""

    label: str
    account: Mapping[str, Any]


async def perform(
    connector: Connector,
    action_key: str,
    inputs: Mapping[str, Any],
    credentials: Mapping[str, Any],
    account: Mapping[str, Any],
    *,
    idempotency_key: str,
    client: Client,
    pace_key: str = "",
) -> Result:
    """Run one operation. idempotency_key: the same for every try of the same step.

    pace_key: whose rate limit it counts against, normally the integration's id. Raises PermanentError for inputs
    that do not fit, and whatever the call fails with.
    """
    action = connector.action(action_key)
    values, problems = prepare_inputs(action.all_fields, inputs)
    if problems:
        raise PermanentError(" ".join(problems.values()), detail=f"invalid inputs: {', '.join(problems)}")
    send = _Sender(connector, credentials, account, client, pace_key)
    if action.run is not None:
        return await _run(action, values, account, send, idempotency_key, connector)
    request = with_key(connector.build(action, values), connector.idempotency_of(action), idempotency_key)
    if action.pagination is None:
        response = await send(request)
        return Result(_output(connector, action, response), response.status)
    return await _pages(connector, action, request, send, int(values.get("max_results", DEFAULT_RESULTS)))


async def look_up(
    connector: Connector,
    action_key: str,
    inputs: Mapping[str, Any],
    credentials: Mapping[str, Any],
    account: Mapping[str, Any],
    *,
    client: Client,
    pace_key: str = "",
) -> Any:
    """Return the output of a checkable call that may have happened, or None when it did not."""
    action = connector.action(action_key)
    if action.look_up is None:
        raise ValueError(f"{connector.slug}.{action_key} cannot be looked up")
    values, _ = prepare_inputs(action.all_fields, inputs)
    response = await _Sender(connector, credentials, account, client, pace_key)(
        action.look_up.request(values)
    )
    return action.look_up.found(response, values)


async def dynamic_options(
    connector: Connector,
    field_options: str,
    inputs: Mapping[str, Any],
    credentials: Mapping[str, Any],
    account: Mapping[str, Any],
    *,
    client: Client,
    pace_key: str = "",
) -> list[dict[str, str]]:
    """Return [{"value", "label"}] for a field whose `options` names that action. Cache it: this calls the service.

    inputs: the values of the field's `depends_on`.
    """
    action = connector.action(field_options)
    if action.offers is None:
        raise ValueError(f"{connector.slug}.{field_options} offers no choices")
    result = await perform(
        connector,
        field_options,
        {**inputs, **({"max_results": 1000} if action.pagination else {})},
        credentials,
        account,
        idempotency_key="",
        client=client,
        pace_key=pace_key,
    )
    choices = []
    for item in result.output.get(action.offers.items) or []:
        value = item if not isinstance(item, Mapping) else dig(item, action.offers.value)
        label = item if not isinstance(item, Mapping) else dig(item, action.offers.label)
        if value is not None:
            choices.append({"value": str(value), "label": str(label or value)})
    return choices


async def test_connection(
    connector: Connector,
    credentials: Mapping[str, Any],
    account: Mapping[str, Any],
    *,
    client: Client,
    pace_key: str = "",  # noqa: PT028 - not a test
) -> Tested:
    """Prove a credential with the connector's cheap call. Raises as perform() does."""
    if connector.test is None:
        return Tested("", {})
    asked = connector.test.request
    request = asked(account) if callable(asked) else asked
    if request is None:
        return Tested("", {})
    response = await _Sender(connector, credentials, account, client, pace_key)(request)
    learned = {name: dig(response.json, path) for name, path in connector.test.account.items()}
    label = dig(response.json, connector.test.label) if connector.test.label else ""
    return Tested(str(label or ""), {name: value for name, value in learned.items() if value is not None})


test_connection.__test__ = False  # type: ignore[attr-defined] # pytest would take its name for a test


async def send_request(
    connector: Connector,
    request: Request,
    credentials: Mapping[str, Any],
    account: Mapping[str, Any],
    *,
    client: Client,
    pace_key: str = "",
) -> Response:
    """Send any request of a connector with its host and credentials: subscriptions, polls, the generic HTTP step.

    Raises ConnectorError when the answer is a failure.
    """
    return await _Sender(connector, credentials, account, client, pace_key)(request)


def with_key(request: Request, place: Idempotency | None, key: str) -> Request:
    """Return the request with the idempotency key where the service takes it; GET needs none."""
    if place is None or not key or request.method == "GET":
        return request
    if place.format == "uuid":
        value = str(uuid.uuid5(KEY_SPACE, key))
    elif len(key) > place.max_length:
        value = hashlib.sha256(key.encode()).hexdigest()[: place.max_length]
    else:
        value = key
    if place.place == "header":
        return request.with_headers({place.name: value})
    if place.place == "query":
        return request.with_query(**{place.name: value})
    if place.place == "form":
        return request.with_form(**{place.name: value})
    body = json.loads(
        json.dumps(request.json or {})
    )  # put() writes into nested objects: not into the caller's
    put(body, place.name, value)
    return replace(request, json=body)


class _Sender:
    """Adds what a Request leaves out (host, credentials, version headers), paces, sends and judges."""

    def __init__(
        self,
        connector: Connector,
        credentials: Mapping[str, Any],
        account: Mapping[str, Any],
        client: Client,
        pace_key: str,
    ) -> None:
        self.connector = connector
        self.credentials = credentials
        self.account = account
        self.client = client
        self.secrets = secrets_in(credentials)
        limit = connector.rate_limit
        owner = "app" if limit and limit.per == "app" else pace_key
        self.pace_key = f"{connector.slug}:{owner}"

    async def __call__(self, request: Request) -> Response:
        transport = self.connector.transport
        prepared = {} if transport else prepare(self.connector, request, self.credentials, self.account)
        limit = self.connector.rate_limit
        await self.client.pace.take(
            self.pace_key, calls=limit.calls if limit else None, seconds=limit.seconds if limit else 1.0
        )
        if transport:
            response = await self._carry(transport, request)
        else:
            response = await self.client.send(
                **prepared, provider=self.connector.provider, secrets=self.secrets
            )
        pause = self.connector.wait(response) if self.connector.wait else None
        if pause:
            self.client.pace.pause(self.pace_key, pause)
        response = without_secrets(response, self.connector, self.credentials)
        try:
            self.connector.raise_for(response, now=self.client.now())
        except ConnectorError as error:
            self._hide(error)
            if isinstance(error, TemporaryError) and error.retry_after and error.status == 429:
                self.client.pace.pause(self.pace_key, error.retry_after)
            raise
        return response

    async def _carry(self, transport: Transport, request: Request) -> Response:
        started, status = time.monotonic(), 0
        try:
            response = await transport(request, self.credentials, self.account, self.client)
            status = response.status
            return response
        except ConnectorError as error:
            self._hide(error)
            raise
        finally:
            seconds = time.monotonic() - started
            self.client.count(self.connector.provider, request.method, self.connector.slug, status, seconds)

    def _hide(self, error: ConnectorError) -> None:
        error.message, error.detail = redact(error.message, self.secrets), redact(error.detail, self.secrets)
        error.args = (error.message,)


def prepare(
    connector: Connector,
    request: Request,
    credentials: Mapping[str, Any],
    account: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the arguments of Client.send for a connector's request.

    Credentials go to the connector's own host (and its credential_hosts) only: a page link or an upload address on
    another host is refused unless the request says authenticate=False.
    """
    if connector.transport is not None:
        raise PermanentError(
            f"{connector.name} is not reached by web addresses. Use one of its own operations.",
            detail="no HTTP",
        )
    variables = {**account, **credentials}
    absolute = request.path.startswith(("http://", "https://"))
    # One that need not be given stands in for the provider's own; one that must be is part of the address anyway.
    may_stand_in = any(entry.key == "base_url" and not entry.required for entry in connector.account)
    if may_stand_in and variables.get("base_url"):
        base = own_server(str(variables["base_url"]))
    else:
        base = expand(connector.base_url, variables) if connector.base_url else ""
    path = fill(request.path, request.at)
    url = path if absolute else base.rstrip("/") + path
    headers = {name: str(value) for name, value in connector.headers.items()} if request.authenticate else {}
    headers.update({name: str(value) for name, value in (request.headers or {}).items() if value is not None})
    query: dict[str, Any] = dict(request.query or {})
    if request.authenticate:
        if absolute and _host(url) in {_host(base), *connector.credential_hosts}:
            if urlsplit(url).scheme != "https" and base.startswith("https:"):
                raise PermanentError(
                    "The credentials are sent over an encrypted connection only. Use an address that begins with"
                    " https://.",
                    detail="credentials over http",
                )
        elif absolute:
            raise PermanentError(
                f"{connector.name} pointed to another server, which must not see the credentials.",
                detail=f"foreign host {_host(url)}",
            )
        connector.auth_for(credentials).apply(headers, query, variables)
    if request.content_type:
        headers["Content-Type"] = request.content_type
    body = request.json
    if isinstance(body, Mapping):
        body = {name: value for name, value in body.items() if value is not None}
    return {
        "method": request.method,
        "url": url,
        "headers": headers,
        "query": flat(query, repeat=True),
        "json_body": body,
        "form": None if request.form is None else flat(request.form),
        "files": request.files,
        "content": request.content,
        "timeout_seconds": request.timeout_seconds,
    }


def without_secrets(response: Response, connector: Connector, credentials: Mapping[str, Any]) -> Response:
    """Return the answer with our own secrets hidden: some services say back what they were sent.

    What a person entered as a secret counts, and tokens; a user name may be part of an honest answer.
    """
    fields = connector.auth_for(credentials).fields
    keys = {entry.key for entry in fields if entry.kind == "secret"} | SECRET_KEYS
    secrets = [
        str(credentials[key]) for key in keys if len(str(credentials.get(key) or "")) >= SHORTEST_SECRET
    ]
    names = (str(credentials.get("username") or ""), str(credentials.get("password") or ""))
    if all(names):
        secrets.append(base64.b64encode(":".join(names).encode()).decode())
    found = {secret for secret in secrets if secret.encode() in response.content}
    values = {secret for secret in secrets if any(secret in value for value in response.headers.values())}
    if not found and not values:
        return response
    content, headers = response.content, dict(response.headers)
    for secret in found | values:
        content = content.replace(secret.encode(), MARK.encode())
        headers = {name: value.replace(secret, MARK) for name, value in headers.items()}
    try:
        body = None if response.json is None else json.loads(content)
    except ValueError:
        body = None
    return replace(response, json=body, headers=headers, content=content)


def fill(path: str, at: Mapping[str, Any]) -> str:
    """Put values into the `{name}` parts of a path, quoted so that a value never becomes a further part."""
    for name, value in at.items():
        text = _text(value)
        if text in ("", ".", ".."):
            raise PermanentError(
                f"The value for {name} is empty or not usable in an address.", detail=f"path {name}"
            )
        path = path.replace(f"{{{name}}}", quote(text, safe=""))
    return path


def flat(values: Mapping[str, Any], *, repeat: bool = False) -> list[tuple[str, str]]:
    """Return (name, text) pairs; objects become brackets, lists an indexed bracket or, with repeat, the name again."""
    pairs: list[tuple[str, str]] = []

    def add(name: str, value: Any) -> None:
        if isinstance(value, Mapping):
            for key, member in value.items():
                add(f"{name}[{key}]", member)
        elif isinstance(value, list | tuple):
            for index, member in enumerate(value):
                add(name if repeat else f"{name}[{index}]", member)
        elif value is not None:
            pairs.append((name, _text(value)))

    for name, value in values.items():
        add(name, value)
    return pairs


async def _run(
    action: Action,
    values: Mapping[str, Any],
    account: Mapping[str, Any],
    send: _Sender,
    key: str,
    connector: Connector,
) -> Result:
    steps = action.run(Call(values, account))  # type: ignore[misc] # the caller checked that run is set
    place = connector.idempotency_of(action)
    response: Response | None = None
    calls = 0
    try:
        request = next(steps)
        while True:
            calls += 1
            # Each call of the operation gets a key of its own, the same at every try.
            response = await send(with_key(request, place, f"{key}:{calls}" if key else ""))
            request = steps.send(response)
    except StopIteration as stop:
        return Result(stop.value, response.status if response else 0, calls)


async def _pages(connector: Connector, action: Action, request: Request, send: _Sender, most: int) -> Result:
    pagination = action.pagination
    assert pagination is not None  # noqa: S101 - the caller checked
    most = min(most, MAX_RESULTS)
    items: list[Any] = []
    first: Response | None = None
    following: Request | None = request
    pages = 0
    while following is not None and pages < MAX_PAGES and len(items) < most:
        response = await send(following)
        first = first or response
        pages += 1
        items.extend(dig(response.json, pagination.items) or [])
        previous, following = following, pagination.next(following, response)
        if following == previous:  # a service that repeats its cursor would keep us here for ever
            break
    assert first is not None  # noqa: S101 - the loop ran at least once: most is at least 1
    whole = _with_items(first, pagination.items, items[:most])
    more = following is not None or len(items) > most
    return Result(
        _output(connector, action, whole), first.status, pages, {"items": len(items[:most]), "more": more}
    )


def _output(connector: Connector, action: Action, response: Response) -> Any:
    return action.output(response) if action.output else extract(response.json, action.returns)


def _with_items(response: Response, path: str, items: Sequence[Any]) -> Response:
    if path == "":
        return replace(response, json=list(items))
    body = json.loads(json.dumps(response.json))
    put(body, path, list(items))
    return replace(response, json=body)


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").lower()


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
