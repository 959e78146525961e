"""What every connector's test asks: the request exactly as sent, the outcome of answers, pages, signatures."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request as Arrived
from werkzeug import Response as Answer

from integrations.framework import Connector, Inbound, NoAuth, Output, Response
from integrations.framework.client import Client
from integrations.framework.execute import Result, perform, prepare, with_key
from integrations.framework.inputs import prepare_inputs

NOW = 1_700_000_000.0  # Unix seconds every signature test takes for now
KEY = "run-1:step"  # the idempotency key of every request built here


def credentials_for(connector: Connector) -> dict[str, Any]:
    """Return believable credentials of the connector's first auth kind that proves something."""
    auth = next((kind for kind in connector.auths if not isinstance(kind, NoAuth)), connector.auths[0])
    values = {entry.key: entry.example or f"{entry.key}-for-tests" for entry in auth.fields if entry.required}
    return {"auth": auth.key, "access_token": "access-token-for-tests", **values}


def account_for(connector: Connector) -> dict[str, Any]:
    """Return the examples of the connector's account variables."""
    return {entry.key: entry.example for entry in connector.account if entry.example is not None}


def sent(
    connector: Connector,
    key: str,
    inputs: Mapping[str, Any],
    *,
    account: Mapping[str, Any] | None = None,
    credentials: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the call one operation makes: method, url, headers, query, json_body, form, files, content."""
    action = connector.action(key)
    values, problems = prepare_inputs(action.all_fields, inputs)
    assert not problems, problems
    request = with_key(connector.build(action, values), connector.idempotency_of(action), KEY)
    return prepare(
        connector,
        request,
        credentials_for(connector) if credentials is None else credentials,
        account_for(connector) if account is None else account,
    )


def run_at(
    server: HTTPServer,
    connector: Connector,
    key: str,
    inputs: Mapping[str, Any],
    *,
    account: Mapping[str, Any] | None = None,
    credentials: Mapping[str, Any] | None = None,
) -> Result:
    """Run an operation against a local server that stands in for the service."""
    here = replace(connector, base_url=server.url_for("").rstrip("/"))
    client = Client(allow_private=frozenset({f"{server.host}:{server.port}"}))

    async def call() -> Result:
        try:
            return await perform(
                here,
                key,
                inputs,
                credentials_for(connector) if credentials is None else credentials,
                account_for(connector) if account is None else account,
                idempotency_key=KEY,
                client=client,
            )
        finally:
            await client.aclose()

    return asyncio.run(call())


def answer_in_turn(
    server: HTTPServer,
    answers: Sequence[Any],
    *,
    headers: Sequence[Mapping[str, str]] = (),
) -> list[Arrived]:
    """Let the server give these JSON bodies one after the other; returns the list its requests are noted in."""
    arrived: list[Arrived] = []

    def handle(request: Arrived) -> Answer:
        request.get_data()  # read the body while the connection is open
        arrived.append(request)
        number = len(arrived) - 1
        assert number < len(answers), "more calls than expected"
        return Answer(
            json.dumps(answers[number]),
            content_type="application/json",
            headers=dict(headers[number]) if number < len(headers) else None,
        )

    import re

    server.expect_request(re.compile(".*")).respond_with_handler(handle)
    return arrived


def answer(status: int, body: Any = None, headers: Mapping[str, str] | None = None) -> Response:
    return Response(status, body, headers or {}, json.dumps(body).encode())


def delivery(
    body: Any,
    headers: Mapping[str, str] | None = None,
    *,
    url: str = "https://steward.example/hooks/abc",
    method: str = "POST",
) -> Inbound:
    """Return an inbound request. body: bytes, or a value that is sent as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Inbound(method, url, headers or {}, raw, NOW)


def empty_optionals(connector: Connector, key: str) -> dict[str, Any]:
    """Return inputs where every required field has its example and every optional one is empty text."""
    action = connector.action(key)
    return {entry.key: entry.example if entry.required else "" for entry in action.fields}


def assert_well_described(connector: Connector) -> None:
    """Fail when an operation or trigger lacks what the editor, the help and the contract tests need."""
    for action in connector.actions:
        assert action.label, f"{action.key} has no label"
        for entry in action.fields:
            assert (
                not entry.required
                or entry.example is not None
                or entry.key in action.example
                or entry.default is not None
            ), f"{action.key}.{entry.key} is required and has no example"
            if entry.options:
                offering = connector.action(entry.options)
                assert offering.offers, f"{entry.options} feeds {action.key}.{entry.key} and offers nothing"
                needs = {need.key for need in offering.fields if need.required}
                assert needs <= set(entry.depends_on), f"{action.key}.{entry.key} must depend on {needs}"
                assert offering.offers.items in offering.returns, f"{entry.options} returns no such list"
        for complete in (True, False):
            values, problems = prepare_inputs(action.all_fields, action.example_inputs(complete=complete))
            assert not problems, f"{action.key}: its examples do not fit: {problems}"
            connector.build(action, values)
    for trigger in connector.triggers:
        assert trigger.sample is not None, f"{trigger.key} has no sample"
        output = trigger.output(trigger.sample)
        for name, declared in trigger.returns.items():
            path = declared.path if isinstance(declared, Output) else declared
            assert path == "" or name in output
        if trigger.kind == "webhook":
            assert connector.webhooks_of(trigger), f"{trigger.key} has no webhooks"
