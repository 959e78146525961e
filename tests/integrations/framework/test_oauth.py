"""The OAuth2 flow against a local server that stands in for a service."""

import asyncio
import base64
import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from integrations.framework import Connector, OAuth2, PermanentError, ReconnectError, TemporaryError, oauth
from integrations.framework.client import Client
from tests.integrations.checks import answer_in_turn

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636, appendix B
AUTH = OAuth2(
    authorize_url="https://{shop}/oauth/authorize",
    scopes=("orders", "customers"),
    account_from_token={"team": "team.id"},
)


@pytest.fixture
def service(httpserver):
    auth = replace(AUTH, token_url=httpserver.url_for("/token"), revoke_url=httpserver.url_for("/revoke"))
    return Connector(slug="example", name="Example", auth=auth)


def call(function, service, **options):
    client = Client(allow_private=frozenset({"localhost"}), now=lambda: NOW)

    async def run():
        try:
            return await function(
                service,
                service.auths[0],
                client_id="our-id",
                client_secret="our-secret",
                account={"shop": "a.example"},
                client=client,
                **options,
            )
        finally:
            await client.aclose()

    return asyncio.run(run())


def exchange(service, **options):
    return call(
        oauth.exchange,
        service,
        code="the-code",
        verifier=VERIFIER,
        redirect_uri="https://steward.example/back",
        **options,
    )


def test_the_person_is_sent_away_with_state_and_challenge():
    address = urlsplit(
        oauth.authorization_url(
            AUTH,
            client_id="our-id",
            redirect_uri="https://steward.example/back",
            state="st4te",
            verifier=VERIFIER,
            account={"shop": "alder.example.com"},
        )
    )
    assert address.hostname == "alder.example.com"
    assert parse_qs(address.query) == {
        "response_type": ["code"],
        "client_id": ["our-id"],
        "redirect_uri": ["https://steward.example/back"],
        "state": ["st4te"],
        "scope": ["orders customers"],
        "code_challenge": ["E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"],
        "code_challenge_method": ["S256"],
    }


@pytest.mark.parametrize(
    "shop", ["a.example@evil.example", "a.example?x=", "a.example#", "a\\b", "", "a/../b"]
)
def test_an_account_value_cannot_change_where_the_person_is_sent(shop):
    with pytest.raises(ReconnectError):
        oauth.authorization_url(
            AUTH,
            client_id="our-id",
            redirect_uri="https://steward.example/back",
            state="s",
            verifier=VERIFIER,
            account={"shop": shop},
        )


def test_a_new_verifier_is_long_and_never_the_same():
    assert len(oauth.new_verifier()) == 43
    assert oauth.new_verifier() != oauth.new_verifier()
    expected = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
    assert oauth.challenge(VERIFIER) == expected


def test_the_code_becomes_tokens(httpserver, service):
    arrived = answer_in_turn(
        httpserver,
        [
            {
                "access_token": "at-1",
                "refresh_token": "rt-1",
                "expires_in": 3600,
                "scope": "orders",
                "team": {"id": "T1"},
            }
        ],
    )
    tokens = exchange(service)
    assert tokens.credentials == {
        "auth": "oauth2",
        "access_token": "at-1",
        "refresh_token": "rt-1",
        "token_type": "Bearer",
        "scope": "orders",
        "expires_at": "2026-11-22T13:00:00+00:00",
    }
    assert tokens.account == {"shop": "a.example", "team": "T1"}
    assert tokens.expires_at == NOW + timedelta(hours=1)
    assert arrived[0].form.to_dict() == {
        "grant_type": "authorization_code",
        "code": "the-code",
        "redirect_uri": "https://steward.example/back",
        "code_verifier": VERIFIER,
        "client_id": "our-id",
        "client_secret": "our-secret",
    }


def test_a_service_that_wants_basic_gets_the_secret_in_the_header_only(httpserver, service):
    service = replace(service, auth=replace(service.auths[0], token_auth="basic"))
    arrived = answer_in_turn(httpserver, [{"access_token": "at-1"}])
    tokens = exchange(service)
    assert "client_secret" not in arrived[0].form
    assert (
        base64.b64decode(arrived[0].headers["Authorization"].removeprefix("Basic ")) == b"our-id:our-secret"
    )
    assert tokens.expires_at is None


def test_a_refresh_keeps_the_refresh_token_when_none_is_given(httpserver, service):
    answer_in_turn(
        httpserver,
        [{"access_token": "at-2", "expires_in": "60"}, {"access_token": "at-3", "refresh_token": "rt-3"}],
    )
    old = {"auth": "oauth2", "access_token": "at-1", "refresh_token": "rt-1"}
    kept = call(oauth.refresh, service, credentials=old)
    assert (kept.credentials["access_token"], kept.credentials["refresh_token"]) == ("at-2", "rt-1")
    rotated = call(oauth.refresh, service, credentials=old)
    assert rotated.credentials["refresh_token"] == "rt-3"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"error": "invalid_grant"}, ReconnectError),
        (400, {"error": "invalid_client"}, PermanentError),
        (401, {}, ReconnectError),
        (503, {}, TemporaryError),
        (429, {}, TemporaryError),
        (200, {"error": "invalid_refresh_token"}, ReconnectError),
        (200, {"unexpected": True}, ReconnectError),
    ],
)
def test_a_failed_refresh_says_who_can_mend_it(httpserver, service, status, body, error):
    httpserver.expect_request("/token").respond_with_json(body, status=status)
    with pytest.raises(error) as caught:
        call(oauth.refresh, service, credentials={"refresh_token": "rt-canary-1"})
    assert "rt-canary-1" not in f"{caught.value.message} {caught.value.detail}"


def test_a_connection_without_refresh_token_must_be_made_again(service):
    with pytest.raises(ReconnectError):
        call(oauth.refresh, service, credentials={"access_token": "at-1"})


def test_a_person_s_own_app_asks_for_a_token_again(httpserver, service):
    service = replace(service, auth=replace(service.auths[0], grant="client_credentials", token_auth="basic"))
    arrived = answer_in_turn(httpserver, [{"access_token": "at-9", "expires_in": 10}])
    tokens = call(
        oauth.refresh, service, credentials={"client_id": "their-id", "client_secret": "their-secret"}
    )
    assert tokens.credentials["client_secret"] == "their-secret"
    assert arrived[0].form["grant_type"] == "client_credentials"
    assert (
        base64.b64decode(arrived[0].headers["Authorization"].removeprefix("Basic "))
        == b"their-id:their-secret"
    )


def test_revoking_tells_the_service(httpserver, service):
    arrived = answer_in_turn(httpserver, [{}])
    assert call(oauth.revoke, service, credentials={"access_token": "at-1", "refresh_token": "rt-1"})
    assert arrived[0].form["token"] == "rt-1"
