"""The OAuth2 flow: the address to send a person to, the exchange of the code, refreshing and revoking tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from integrations.framework.auth import OAuth2, basic_header, expand
from integrations.framework.client import Client
from integrations.framework.definition import Connector
from integrations.framework.errors import (
    ConnectorError,
    PermanentError,
    ReconnectError,
    TemporaryError,
    vendor_message,
)
from integrations.framework.messages import Response
from integrations.framework.paths import dig
from integrations.framework.redaction import SHORTEST, redact, secrets_in

DEAD_GRANTS = frozenset(
    {"invalid_grant", "invalid_refresh_token", "token_revoked", "token_expired", "invalid_token"}
)


@dataclass(frozen=True)
class Tokens:
    """What a token endpoint gave. credentials: to encrypt and store; account: account variables learned.

    expires_at: aware UTC, None when the token lasts until it is revoked.
    """

    credentials: Mapping[str, Any] = field(repr=False)
    account: Mapping[str, Any]
    expires_at: datetime | None


def new_verifier() -> str:
    """Return a PKCE code verifier (RFC 7636): 43 characters, 256 random bits."""
    return secrets.token_urlsafe(32)


def challenge(verifier: str) -> str:
    """Return the S256 challenge of a verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def authorization_url(
    auth: OAuth2,
    *,
    client_id: str,
    redirect_uri: str,
    state: str,
    verifier: str,
    account: Mapping[str, Any],
) -> str:
    """Return where to send the person. state and verifier are kept in their session until the callback."""
    parameters = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "state": state,
        **auth.authorize_params,
    }
    if scope := _scope(auth, account):
        parameters[auth.scope_param] = scope
    if auth.pkce:
        parameters |= {"code_challenge": challenge(verifier), "code_challenge_method": "S256"}
    address = expand(auth.authorize_url, account)
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(parameters)}"


async def exchange(
    connector: Connector,
    auth: OAuth2,
    *,
    code: str,
    verifier: str,
    redirect_uri: str,
    client_id: str,
    client_secret: str,
    account: Mapping[str, Any],
    client: Client,
    callback: Mapping[str, str] | None = None,
) -> Tokens:
    """Turn the callback's code into tokens. callback: its query parameters, some services put the account there.

    Raises ReconnectError when the code is no longer good, TemporaryError when the service had a problem.
    """
    if auth.check_callback is not None:
        auth.check_callback(callback or {}, client_secret, account)
    learned = {
        name: (callback or {}).get(parameter) for name, parameter in auth.account_from_callback.items()
    }
    account = {**account, **{name: value for name, value in learned.items() if value}}
    body = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        **auth.token_params,
    }
    if auth.pkce:
        body["code_verifier"] = verifier
    tokens = await _token_call(connector, auth, body, client_id, client_secret, account, client, old={})
    return Tokens(tokens.credentials, {**account, **tokens.account}, tokens.expires_at)


def signed_callback(
    *, signature: str = "hmac", account: Mapping[str, str] | None = None
) -> Callable[[Mapping[str, str], str, Mapping[str, Any]], None]:
    """Return a check_callback for services that sign the callback's query with our client secret (Shopify).

    signature: the parameter that holds the HMAC-SHA256 in hex of the others, sorted. account: account variable ->
    parameter that must be the same, so that nobody is given a token of another account than was asked for.
    """

    def check(callback: Mapping[str, str], secret: str, ours: Mapping[str, Any]) -> None:
        refusal = PermanentError(
            "The answer of the sign-in was not the service's own. Start again.", detail="callback not proved"
        )
        given = "&".join(
            sorted(_as_signed(name, value) for name, value in callback.items() if name != signature)
        )
        expected = hmac.digest(secret.encode(), given.encode(), "sha256").hex()
        if not secret or not hmac.compare_digest(callback.get(signature, "").encode(), expected.encode()):
            raise refusal
        for variable, parameter in (account or {}).items():
            if str(ours.get(variable, "")).lower() != callback.get(parameter, "").lower():
                raise refusal

    return check


def _as_signed(name: str, value: str) -> str:
    # Delimiters inside are escaped, so that no two different queries are signed alike.
    name, value = name.replace("%", "%25").replace("=", "%3D"), value.replace("%", "%25")
    return f"{name}={value}".replace("&", "%26")


async def refresh(
    connector: Connector,
    auth: OAuth2,
    *,
    credentials: Mapping[str, Any],
    client_id: str,
    client_secret: str,
    account: Mapping[str, Any],
    client: Client,
) -> Tokens:
    """Return new tokens. Call it once, under a lock: where refresh tokens rotate, a second use kills the first.

    Raises ReconnectError when the grant is dead.
    """
    if auth.grant == "client_credentials":
        return await request_token(connector, auth, credentials=credentials, account=account, client=client)
    if not credentials.get("refresh_token"):
        raise ReconnectError(
            f"{connector.name} no longer accepts this connection. Reconnect it.", detail="no refresh token"
        )
    body = {
        "grant_type": "refresh_token",
        "refresh_token": str(credentials["refresh_token"]),
        **auth.token_params,
    }
    return await _token_call(
        connector, auth, body, client_id, client_secret, account, client, old=credentials
    )


async def request_token(
    connector: Connector,
    auth: OAuth2,
    *,
    credentials: Mapping[str, Any],
    account: Mapping[str, Any],
    client: Client,
) -> Tokens:
    """Return a token for the person's own app (client credentials grant); their id and secret stay stored."""
    body = {"grant_type": "client_credentials", **auth.token_params}
    if scope := _scope(auth, account):
        body[auth.scope_param] = scope
    return await _token_call(
        connector,
        auth,
        body,
        str(credentials.get("client_id", "")),
        str(credentials.get("client_secret", "")),
        account,
        client,
        old=credentials,
    )


async def revoke(
    connector: Connector,
    auth: OAuth2,
    *,
    credentials: Mapping[str, Any],
    client_id: str,
    client_secret: str,
    account: Mapping[str, Any],
    client: Client,
) -> bool:
    """Tell the service to forget the tokens (RFC 7009). False when it offers no way or was not reached."""
    if not auth.revoke_url:
        return False
    token = credentials.get("refresh_token") or credentials.get("access_token") or ""
    headers, form = _client_proof(auth, client_id, client_secret)
    try:
        response = await client.send(
            "POST",
            expand(auth.revoke_url, account),
            headers={
                "Accept": "application/json",
                "Authorization": f"Bearer {credentials.get('access_token', '')}",
                **headers,
            },
            form=[("token", str(token)), *form.items()],
            provider=connector.provider,
            secrets=(str(token), client_secret),
        )
    except (TemporaryError, PermanentError):
        return False
    return response.status < 400


def parse_tokens(
    auth: OAuth2,
    body: Any,
    *,
    now: datetime,
    old: Mapping[str, Any],
) -> Tokens:
    """Read a token answer. old: the credentials before a refresh, whose refresh token stays when none is given."""
    part = dig(body, auth.token_path) if auth.token_path else body
    if not isinstance(part, Mapping) or not part.get("access_token"):
        raise ReconnectError(
            "The service gave no access. Try to connect again.", detail="token answer lacks a token"
        )
    lifetime = part.get("expires_in", auth.expires_in)
    try:
        seconds = float(lifetime) if lifetime not in (None, "") else None
    except (TypeError, ValueError):
        seconds = None
    expires_at = now + timedelta(seconds=seconds) if seconds else None
    credentials = {
        **old,
        "auth": auth.key,
        "access_token": part["access_token"],
        "token_type": part.get("token_type") or "Bearer",
        "expires_at": expires_at.isoformat() if expires_at else None,
    }
    if part.get("refresh_token"):
        credentials["refresh_token"] = part["refresh_token"]
    if part.get("scope"):
        credentials["scope"] = part["scope"]
    account = {name: dig(body, path) for name, path in auth.account_from_token.items()}
    return Tokens(
        credentials, {name: value for name, value in account.items() if value is not None}, expires_at
    )


def _scope(auth: OAuth2, account: Mapping[str, Any]) -> str:
    if "scope" in auth.account_keys:
        return str(account.get("scope") or "")
    return auth.scope_separator.join(auth.scopes)


async def _token_call(
    connector: Connector,
    auth: OAuth2,
    body: dict[str, str],
    client_id: str,
    client_secret: str,
    account: Mapping[str, Any],
    client: Client,
    *,
    old: Mapping[str, Any],
) -> Tokens:
    headers, proof = _client_proof(auth, client_id, client_secret)
    fields = {**body, **proof}
    response = await client.send(
        "POST",
        expand(auth.token_url, account),
        headers={"Accept": "application/json", **headers},
        json_body=fields if auth.token_body == "json" else None,
        form=list(fields.items()) if auth.token_body == "form" else None,
        provider=connector.provider,
        secrets=tuple(
            value for value in (client_secret, body.get("code"), body.get("refresh_token")) if value
        ),
    )
    try:
        _raise_for_token(connector, auth, response, client.now())
    except ConnectorError as error:
        # What the service says about our request may hold parts of it.
        hidden = [
            value for value in (client_secret, *fields.values(), *secrets_in(old)) if len(value) >= SHORTEST
        ]
        error.message, error.detail = redact(error.message, hidden), redact(error.detail, hidden)
        error.args = (error.message,)
        raise
    return parse_tokens(auth, response.json, now=client.now(), old=old)


def _raise_for_token(connector: Connector, auth: OAuth2, response: Response, now: datetime) -> None:
    code = dig(response.json, "error")
    code = code if isinstance(code, str) else ""
    if code and not re.fullmatch(r"[A-Za-z0-9_.:-]{1,80}", code):
        code = "unknown"  # a sentence, or what was sent: neither belongs where codes are logged
    if response.status >= 500 or response.status in (408, 429):
        raise TemporaryError(
            f"{connector.name} has a problem of its own right now. We will try again.", status=response.status
        )
    if code in DEAD_GRANTS or (response.status in (400, 401) and not code):
        raise ReconnectError(
            f"{connector.name} no longer accepts this connection. Reconnect it.",
            detail=code,
            code=code,
            status=response.status,
        )
    if code == "invalid_client" and (auth.own_app or auth.grant == "client_credentials"):
        raise ReconnectError(
            f"{connector.name} does not accept this client ID and secret. Check them, and reconnect.",
            detail=code,
            code=code,
            status=response.status,
        )
    if response.status >= 400 or code:
        # A wrong client secret or redirect address is ours to mend: reconnecting would not help the person.
        raise PermanentError(
            f"{connector.name} refused to connect. Our set-up for {connector.name} needs attention.",
            detail=f"token endpoint: {code or response.status} {vendor_message(response)}",
            code=code,
            status=response.status,
        )
    if auth.check is not None:
        auth.check(response.json)
    if (
        connector.check is not None
        and urlsplit(auth.token_url).hostname == urlsplit(connector.base_url).hostname
    ):
        connector.check(response)


def _client_proof(auth: OAuth2, client_id: str, client_secret: str) -> tuple[dict[str, str], dict[str, str]]:
    if auth.token_auth == "basic":
        return {"Authorization": basic_header(client_id, client_secret)}, {}
    return {}, {"client_id": client_id, "client_secret": client_secret}
