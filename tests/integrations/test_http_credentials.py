"""Stored credentials of any web service: how each kind is sent, and that no author can send them elsewhere."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from django.urls import reverse

from integrations import oauth_flow
from integrations.connectors.http import connector
from integrations.forms import ConnectForm
from integrations.framework import PermanentError, ReconnectError, Request
from integrations.framework.client import Client
from integrations.framework.execute import prepare, test_connection
from integrations.framework.oauth import authorization_url, request_token
from tests.integrations.checks import answer_in_turn, assert_well_described, run_at

ACCOUNT = {"base_url": "https://api.example.com/v2"}
BEARER = {"auth": "bearer", "token": "bearer-for-tests"}


def call(credentials, url="/orders", **options):
    return prepare(connector, Request("GET", url, **options), credentials, ACCOUNT)


def way(key):
    return next(auth for auth in connector.auths if auth.key == key)


def test_it_describes_itself_well():
    assert_well_described(connector)


@pytest.mark.parametrize(
    ("credentials", "headers", "query"),
    [
        (BEARER, {"Authorization": "Bearer bearer-for-tests"}, []),
        ({"auth": "header", "header_name": "X-Key", "value": "v4lue"}, {"X-Key": "v4lue"}, []),
        ({"auth": "query", "parameter_name": "key", "value": "v4lue"}, {}, [("key", "v4lue")]),
        ({"auth": "basic", "username": "ada", "password": "pw"}, {"Authorization": "Basic YWRhOnB3"}, []),
        ({"auth": "client_credentials", "access_token": "t0ken"}, {"Authorization": "Bearer t0ken"}, []),
        ({"auth": "oauth2", "access_token": "t0ken"}, {"Authorization": "Bearer t0ken"}, []),
        ({"auth": "none"}, {}, []),
    ],
)
def test_each_kind_is_sent_its_own_way(credentials, headers, query):
    sent = call(credentials)
    assert (sent["url"], sent["headers"], sent["query"]) == (
        "https://api.example.com/v2/orders",
        headers,
        query,
    )


def test_a_whole_address_on_the_same_server_gets_the_credentials():
    assert call(BEARER, "https://api.example.com/v3/x")["headers"] == {
        "Authorization": "Bearer bearer-for-tests"
    }


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "https://api.example.com.evil.example/",
        "https://api.example.com@evil.example/",
        "https://evil.example/?https://api.example.com",
        "http://api.example.com/orders",
    ],
)
def test_no_other_server_and_no_open_connection_gets_them(url):
    with pytest.raises(PermanentError):
        call(BEARER, url)


def test_a_redirect_to_another_server_leaves_them_behind(httpserver):
    # The same machine under another name is another server.
    there = httpserver.url_for("/stolen").replace("localhost", "127.0.0.1")
    httpserver.expect_request("/go").respond_with_data("", 302, {"Location": there})
    httpserver.expect_request("/stolen").respond_with_json({})
    here = replace(connector, base_url=httpserver.url_for("").rstrip("/"))
    client = Client(
        allow_private=frozenset({f"{name}:{httpserver.port}" for name in ("localhost", "127.0.0.1")})
    )
    credentials = {"auth": "header", "header_name": "X-Key", "value": "v4lue"}
    asyncio.run(client_send(client, prepare(here, Request("GET", "/go"), credentials, {})))
    first, second = (request for request, _answer in httpserver.log)
    assert (first.path, first.headers.get("X-Key")) == ("/go", "v4lue")
    assert (second.path, second.headers.get("X-Key")) == ("/stolen", None)


async def client_send(client, arguments):
    try:
        return await client.send(**arguments)
    finally:
        await client.aclose()


def test_reading_and_sending(httpserver):
    arrived = answer_in_turn(httpserver, [{"id": 1}, {"id": 2}])
    assert run_at(
        httpserver, connector, "read", {"path": "/a", "query": {"x": "1"}}, credentials=BEARER
    ).output == {
        "status": 200,
        "body": {"id": 1},
    }
    run_at(
        httpserver,
        connector,
        "send",
        {"path": "/b", "data": {"y": None, "z": 1}, "query": ""},
        credentials=BEARER,
    )
    assert (arrived[0].method, arrived[0].full_path) == ("GET", "/a?x=1")
    assert (arrived[1].method, arrived[1].full_path, arrived[1].json) == ("POST", "/b?", {"z": 1})


@pytest.mark.parametrize(("status", "error"), [(401, ReconnectError), (404, PermanentError)])
def test_the_path_to_try_proves_the_credentials(httpserver, status, error):
    here = replace(connector, base_url=httpserver.url_for("").rstrip("/"))
    client = Client(allow_private=frozenset({f"{httpserver.host}:{httpserver.port}"}))
    httpserver.expect_oneshot_request("/me").respond_with_json({})
    asyncio.run(test_connection(here, BEARER, {"test_path": "/me"}, client=client))
    httpserver.expect_oneshot_request("/me").respond_with_json({}, status=status)
    with pytest.raises(error):
        asyncio.run(
            test_connection(
                here, BEARER, {"test_path": "/me"}, client=Client(allow_private=client.allow_private)
            )
        )
    assert asyncio.run(test_connection(here, BEARER, {}, client=client)).label == ""


def test_a_token_for_servers_is_asked_for_at_the_persons_own_address(httpserver):
    arrived = answer_in_turn(httpserver, [{"access_token": "t0ken", "expires_in": 60}])
    auth = replace(way("client_credentials"), token_url=httpserver.url_for("/token"))
    tokens = asyncio.run(
        request_token(
            connector,
            auth,
            credentials={"client_id": "id", "client_secret": "s3cret"},
            account={"scope": "orders.read"},
            client=Client(allow_private=frozenset({f"{httpserver.host}:{httpserver.port}"})),
        )
    )
    assert tokens.credentials["access_token"] == "t0ken"
    assert dict(arrived[0].form) == {
        "grant_type": "client_credentials", "client_id": "id", "client_secret": "s3cret", "scope": "orders.read",
    }  # fmt: skip


def test_signing_in_goes_to_the_persons_own_address_with_their_own_app():
    address = authorization_url(
        way("oauth2"),
        client_id="their-app",
        redirect_uri="https://steward.example/back",
        state="s",
        verifier="v",
        account={"authorize_url": "https://auth.example.com/authorize", "scope": "a b"},
    )
    assert address.startswith("https://auth.example.com/authorize?response_type=code&client_id=their-app&")
    assert "scope=a+b" in address
    assert oauth_flow.missing_settings(connector, way("oauth2")) == []


def test_addresses_are_kept_apart_from_secrets():
    form = ConnectForm(
        connector,
        way("oauth2"),
        {
            "base_url": "https://api.example.com",
            "client_id": "their-app",
            "client_secret": "s3cret",
            "authorize_url": "https://auth.example.com/authorize",
            "token_url": "https://auth.example.com/token",
        },
    )
    assert form.is_valid(), form.errors
    assert set(form.account) == {"base_url", "authorize_url", "token_url"}
    assert set(form.credentials) == {"client_id", "client_secret"}


@pytest.mark.parametrize(
    "address", ["http://api.example.com", "https://u:p@api.example.com", "https://a.b/?x=1", "//a.b"]
)
def test_only_a_plain_encrypted_address_is_taken(address):
    form = ConnectForm(connector, way("bearer"), {"base_url": address, "token": "t0ken"})
    assert "base_url" in form.errors


@pytest.mark.parametrize("name", ["X-Key\r\nHost: evil", "X Key", "é", ""])
def test_a_header_name_is_a_header_name(name):
    form = ConnectForm(
        connector, way("header"), {"base_url": "https://a.example", "header_name": name, "value": "v4lue"}
    )
    assert "header_name" in form.errors


@pytest.mark.parametrize("key", [auth.key for auth in connector.auths])
def test_every_way_has_a_form(client, alder, key):
    client.force_login(alder.owner)
    page = client.get(reverse("integrations:connect", args=["http"]), {"way": key})
    assert page.status_code == 200
    assert "base_url" in page.content.decode()
