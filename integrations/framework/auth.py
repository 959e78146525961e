"""How a provider knows us: each kind says what the connect form asks and how a request carries the secret."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

from integrations.framework.errors import ReconnectError
from integrations.framework.fields import Field


class Auth(Protocol):
    """key: stored in credentials["auth"]. label: shown where a connector offers several kinds.

    fields: what the connect form asks. apply() adds the secret to the headers or query of one call.
    """

    @property
    def key(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def fields(self) -> tuple[Field, ...]: ...

    def apply(
        self, headers: dict[str, str], query: dict[str, Any], credentials: Mapping[str, Any]
    ) -> None: ...


@dataclass(frozen=True)
class NoAuth:
    """Nothing to prove: public services, or a URL that is itself the secret (then give its field)."""

    key: str = "none"
    label: str = "No sign-in"
    fields: tuple[Field, ...] = ()

    def apply(self, headers: dict[str, str], query: dict[str, Any], credentials: Mapping[str, Any]) -> None:
        return None


@dataclass(frozen=True)
class ApiKey:
    """A secret text in a header or the query. Credentials: {"api_key": ...} plus `more` fields.

    header: its name; with prefix, as in "Bearer ". query: the parameter's name, in place of a header.
    extra_headers: header name -> credential key, sent when that value was given (organization, project).
    help: where a person finds the key.
    """

    header: str = "Authorization"
    prefix: str = ""
    query: str = ""
    secret_field: str = "api_key"
    secret_label: str = "API key"
    help: str = ""
    example: str = ""
    more: tuple[Field, ...] = ()
    extra_headers: Mapping[str, str] = field(default_factory=dict)
    extra_query: Mapping[str, str] = field(default_factory=dict)
    key: str = "api_key"
    label: str = "API key"

    @property
    def fields(self) -> tuple[Field, ...]:
        asked = Field(
            self.secret_field, label=self.secret_label, help=self.help, kind="secret", required=True
        )
        return (asked, *self.more)

    def apply(self, headers: dict[str, str], query: dict[str, Any], credentials: Mapping[str, Any]) -> None:
        secret = needed(credentials, self.secret_field)
        if self.query:
            query[self.query] = secret
        else:
            headers[self.header] = f"{self.prefix}{secret}"
        for name, source in self.extra_headers.items():
            if credentials.get(source):
                headers[name] = str(credentials[source])
        for name, source in self.extra_query.items():
            if credentials.get(source):
                query[name] = str(credentials[source])


def BearerToken(**options: Any) -> ApiKey:  # noqa: N802 - reads as the kind it makes
    """An API key sent as `Authorization: Bearer ...`."""
    return ApiKey(header="Authorization", prefix="Bearer ", **options)


def BotToken(**options: Any) -> ApiKey:  # noqa: N802 - reads as the kind it makes
    """A bot's token sent as `Authorization: Bot ...`, as Discord wants. Credentials: {"bot_token": ...}."""
    settings = {
        "prefix": "Bot ",
        "secret_field": "bot_token",
        "secret_label": "Bot token",
        "key": "bot_token",
        "label": "Bot token",
        **options,
    }
    return ApiKey(**settings)


@dataclass(frozen=True)
class Basic:
    """A name and a password as HTTP Basic. username, password: credential keys; "" sends an empty part."""

    username: str = "username"
    password: str = "password"
    username_label: str = "User name"
    password_label: str = "Password"
    help: str = ""
    key: str = "basic"
    label: str = "User name and password"
    more: tuple[Field, ...] = ()

    @property
    def fields(self) -> tuple[Field, ...]:
        asked = []
        if self.username:
            asked.append(Field(self.username, label=self.username_label, required=True, help=self.help))
        if self.password:
            asked.append(Field(self.password, label=self.password_label, kind="secret", required=True))
        return (*asked, *self.more)

    def apply(self, headers: dict[str, str], query: dict[str, Any], credentials: Mapping[str, Any]) -> None:
        name = needed(credentials, self.username) if self.username else ""
        password = needed(credentials, self.password) if self.password else ""
        headers["Authorization"] = basic_header(name, password)


@dataclass(frozen=True)
class OAuth2:
    """The authorization code flow. Credentials: access_token, refresh_token, expires_at, scope, token_type.

    authorize_url, token_url, revoke_url: may hold account variables ("https://{shop}/admin/oauth/authorize").
    scopes: asked for; scope_separator and scope_param for the services that differ.
    token_auth: how our client id and secret go to token_url: "body" or "basic".
    token_body: form or json. pkce: send a code challenge (S256); keep on wherever the service does not refuse it.
    authorize_params: added to the authorize address (access_type=offline and the like).
    token_path: path of the token members in the answer when they are nested.
    account_from_token: account variable -> path in the token answer. account_from_callback: account variable ->
    query parameter of the callback. rotates_refresh_token: each refresh replaces the refresh token.
    expires_in: seconds a token lasts when the answer does not say; None means it lasts until revoked.
    grant: "authorization_code", or "client_credentials" for the person's own app (then the connect form asks
    client_id and client_secret, and refreshing means asking again).
    check: looks at a token answer below status 400 and raises when it hides a failure.
    header_prefix, header: how calls carry the token.
    check_callback: looks at (query parameters of the callback, our client secret, account variables) before the code
      is exchanged, and raises when the service did not send them.
    own_app: the person enters client_id and client_secret of an app of their own; they stay with the credentials.
    account_keys: which of the asked fields are account variables that the addresses need.
    """

    authorize_url: str = ""
    token_url: str = ""
    revoke_url: str = ""
    scopes: tuple[str, ...] = ()
    scope_separator: str = " "
    scope_param: str = "scope"
    token_auth: str = "body"
    token_body: str = "form"
    pkce: bool = True
    authorize_params: Mapping[str, str] = field(default_factory=dict)
    token_params: Mapping[str, str] = field(default_factory=dict)
    token_path: str = ""
    account_from_token: Mapping[str, str] = field(default_factory=dict)
    account_from_callback: Mapping[str, str] = field(default_factory=dict)
    rotates_refresh_token: bool = False
    expires_in: int | None = None
    grant: str = "authorization_code"
    check: Callable[[Any], None] | None = None
    check_callback: Callable[[Mapping[str, str], str, Mapping[str, Any]], None] | None = None
    header: str = "Authorization"
    header_prefix: str = "Bearer "
    more: tuple[Field, ...] = ()
    own_app: bool = False
    account_keys: tuple[str, ...] = ()
    key: str = "oauth2"
    label: str = "Sign in"

    @property
    def fields(self) -> tuple[Field, ...]:
        if self.grant == "client_credentials" or self.own_app:
            return (
                Field("client_id", label="Client ID", required=True),
                Field("client_secret", label="Client secret", kind="secret", required=True),
                *self.more,
            )
        return self.more

    def apply(self, headers: dict[str, str], query: dict[str, Any], credentials: Mapping[str, Any]) -> None:
        headers[self.header] = f"{self.header_prefix}{needed(credentials, 'access_token')}"


def needed(credentials: Mapping[str, Any], name: str) -> str:
    """Return one value of the credentials. Raises ReconnectError when it is missing: nothing else can help."""
    value = credentials.get(name)
    if not value:
        raise ReconnectError(
            "This connection is incomplete. Reconnect it.", detail=f"credentials lack {name}"
        )
    return str(value)


def basic_header(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def own_server(text: str) -> str:
    """Return the address of a server that stands in for the provider's, without a slash at its end.

    Encrypted, or inside the organization's own network: a key must not cross the internet in the clear. Whether an
    inner address may be called at all, the client decides. Raises ReconnectError for anything else.
    """
    address = text.strip().rstrip("/")
    parts = urlsplit(address)
    host = parts.hostname or ""
    is_inside = "." not in host or host.endswith((".local", ".internal")) or host.replace(".", "").isdigit()
    if (
        not host
        or parts.query
        or parts.fragment
        or "@" in parts.netloc
        or (parts.scheme != "https" and not (parts.scheme == "http" and is_inside))
    ):
        raise ReconnectError(
            "The server's address must begin with https:// and have no question mark. Reconnect with the right one.",
            detail="own server address",
        )
    return address


def expand(template: str, account: Mapping[str, Any]) -> str:
    """Fill `{name}` in an address from the account variables.

    A value that begins the address may be a whole origin (an instance URL); any other may be a host or path
    part only. Raises ReconnectError when one is missing or would change the meaning of the address.
    """
    result = template
    for name in variables(template):
        value = str(account.get(name) or "").strip().rstrip("/")
        if not value:
            raise ReconnectError(
                "This connection is incomplete. Reconnect it.", detail=f"account lacks {name}"
            )
        begins = template.startswith(f"{{{name}}}")
        if begins and not value.startswith("https://"):
            raise ReconnectError(
                "This connection's address must begin with https://. Reconnect it.", detail=name
            )
        tail = value.removeprefix("https://") if begins else value
        if any(bad in tail for bad in "@?#\\ \t\r\n") or ".." in tail or "//" in tail:
            raise ReconnectError(
                "This connection's address is not one we can use. Reconnect it.", detail=f"account {name}"
            )
        safe = tail if begins else quote(tail, safe="/:.-_~")
        result = result.replace(f"{{{name}}}", f"https://{safe}" if begins else safe)
    return result


def variables(template: str) -> tuple[str, ...]:
    """Return the names in braces, in order."""
    return tuple(part.partition("}")[0] for part in template.split("{")[1:])
