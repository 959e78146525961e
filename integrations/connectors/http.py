"""Any web service with an address of its own: stored credentials for HTTP steps, sent to that one server alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrations.framework import (
    Action,
    Basic,
    BearerToken,
    Connector,
    Field,
    NoAuth,
    OAuth2,
    Output,
    Request,
    Response,
    Test,
)
from integrations.framework.auth import needed

TOKEN_URL = Field(
    "token_url",
    label="Token address",
    kind="url",
    required=True,
    pattern="^https://",
    example="https://auth.example.com/oauth/token",
    help="Begins with https://. Where tokens are asked for.",
)
SCOPE = Field(
    "scope", label="Scope", example="orders.read", help="Only where the service wants one.", advanced=True
)


@dataclass(frozen=True)
class Named:
    """A secret under a name that the person chooses, in a header or in the query."""

    key: str
    label: str
    place: str

    @property
    def fields(self) -> tuple[Field, ...]:
        if self.place == "header":
            name = Field(
                "header_name", label="Name of the header", required=True, pattern=r"^[A-Za-z0-9_-]{1,100}$",
                example="X-Api-Key", help="Letters, digits and hyphens.",
            )  # fmt: skip
        else:
            name = Field(
                "parameter_name", label="Name of the parameter", required=True, example="api_key",
                pattern=r"^[A-Za-z0-9_.\[\]-]{1,100}$", help="What stands before the = in the address.",
            )  # fmt: skip
        return name, Field("value", label="Value", kind="secret", required=True)

    def apply(self, headers: dict[str, str], query: dict[str, Any], credentials: Mapping[str, Any]) -> None:
        if self.place == "header":
            headers[needed(credentials, "header_name")] = needed(credentials, "value")
        else:
            query[needed(credentials, "parameter_name")] = needed(credentials, "value")


def answer(response: Response) -> dict[str, Any]:
    return {"status": response.status, "body": response.text if response.json is None else response.json}


def tried(account: Mapping[str, Any]) -> Request | None:
    path = str(account.get("test_path") or "")
    return Request("GET", path) if path else None


PATH = Field(
    "path",
    label="Path",
    required=True,
    pattern="^/",
    example="/orders/1042",
    place="none",
    help="Begins with /. It is added to the address of this connection.",
)
QUERY = Field("query", label="Query", kind="key_value", example={"status": "open"}, place="none")
RETURNS = {"status": Output("status", kind="integer"), "body": Output("body", kind="json")}

connector = Connector(
    slug="http",
    name="Any web service",
    category="Developer",
    summary="Keep the credentials of a service that is not listed here, and use them in HTTP steps.",
    base_url="{base_url}",
    account=(
        Field(
            "base_url",
            label="Address of the service",
            kind="url",
            required=True,
            pattern=r"^https://[^\s?#@]+$",
            example="https://api.example.com",
            help="Begins with https://. The credentials are sent to this server and to no other.",
        ),
        Field(
            "test_path",
            label="Path to try",
            pattern="^/",
            example="/me",
            help="Begins with /. Read when you connect, and once a day, to see whether the credentials still work.",
            advanced=True,
        ),
    ),
    auth=(
        BearerToken(key="bearer", label="Bearer token", secret_field="token", secret_label="Token"),
        Named("header", "Header", "header"),
        Named("query", "Query parameter", "query"),
        Basic(),
        OAuth2(
            token_url="{token_url}",
            grant="client_credentials",
            more=(TOKEN_URL, SCOPE),
            account_keys=("token_url", "scope"),
            key="client_credentials",
            label="OAuth 2 for servers",
        ),
        OAuth2(
            authorize_url="{authorize_url}",
            token_url="{token_url}",
            own_app=True,
            more=(
                Field(
                    "authorize_url",
                    label="Sign-in address",
                    kind="url",
                    required=True,
                    pattern="^https://",
                    example="https://auth.example.com/oauth/authorize",
                    help="Begins with https://. Where people sign in and agree.",
                ),
                TOKEN_URL,
                SCOPE,
            ),
            account_keys=("authorize_url", "token_url", "scope"),
            key="oauth2",
            label="OAuth 2 with sign-in",
        ),
        NoAuth(),
    ),
    test=Test(tried),
    actions=(
        Action(
            "read",
            "Read an address",
            fields=(PATH, QUERY),
            request=lambda inputs: Request("GET", inputs["path"], query=inputs.get("query")),
            output=answer,
            returns=RETURNS,
            effect="read",
        ),
        Action(
            "send",
            "Send data",
            "For headers, files and further pages, use an HTTP step with this connection.",
            fields=(
                Field(
                    "method",
                    label="Method",
                    kind="select",
                    choices=(("POST", "POST"), ("PUT", "PUT"), ("PATCH", "PATCH"), ("DELETE", "DELETE")),
                    default="POST",
                    example="POST",
                    place="none",
                ),
                PATH,
                QUERY,
                Field("data", label="Data", kind="json", example={"status": "paid"}, place="none"),
            ),
            request=lambda inputs: Request(
                inputs["method"], inputs["path"], query=inputs.get("query"), json=inputs.get("data")
            ),
            output=answer,
            returns=RETURNS,
            effect="unsafe",
        ),
    ),
)
