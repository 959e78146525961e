"""Zapier: hand data to a Zap, take data from one, and read Zaps and their runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrations.framework import (
    Action,
    Connector,
    ConnectorError,
    Field,
    Inbound,
    LinkPages,
    NoAuth,
    OAuth2,
    Offers,
    Output,
    PermanentError,
    RateLimit,
    Request,
    Response,
    Trigger,
    Webhooks,
    dig,
    token_in_header,
)

WORKFLOW_API = "https://api.zapier.com"
TOKEN_HEADER = "X-Webhook-Token"
RUN_STATES = (
    "success",
    "error",
    "error_handled",
    "halted",
    "held",
    "filtered",
    "skipped",
    "throttled",
    "delayed",
    "scheduled",
    "pending",
)

ASKED = (
    Field(
        "hook_url",
        label="Address of the Zap",
        kind="secret",
        required=True,
        pattern=r"^https://hooks\.zapier\.com/hooks/catch/[A-Za-z0-9]+/[A-Za-z0-9]+/?$",
        example="https://hooks.zapier.com/hooks/catch/1234567/abc12de/",
        help="In Zapier: a Zap that starts with “Webhooks by Zapier”, Catch Hook, shows it. It begins with "
        "https://hooks.zapier.com/hooks/catch/. Who knows it can start the Zap.",
    ),
    Field(
        "inbound_token",
        label="Token for data from Zapier",
        kind="secret",
        pattern="^[ -~]{16,200}$",
        help="Only to start workflows from a Zap: any text of at least 16 characters that you choose. Enter it in "
        f"the Zap too, as the header {TOKEN_HEADER}.",
    ),
)


@dataclass(frozen=True)
class HookAddress(NoAuth):
    """The address is the secret and stands in the base URL; it opens nothing else."""

    key: str = "catch_hook"
    label: str = "Address of one Zap"
    fields: tuple[Field, ...] = ASKED

    def apply(self, headers: dict[str, str], query: dict[str, Any], credentials: Mapping[str, Any]) -> None:
        raise PermanentError(
            "This connection holds the address of one Zap and cannot read others. Add a connection by signing in "
            "to Zapier."
        )


def check_caught(response: Response) -> None:
    status = dig(response.json, "status") if isinstance(response.json, dict) else None
    if status not in (None, "success"):
        raise PermanentError(f"Zapier did not take the data: {status}", status=response.status)


def failure(response: Response) -> ConnectorError | None:
    if response.status == 413:
        return PermanentError("This is more than Zapier takes at once: at most 10 MB.", status=413)
    if response.status in (404, 410) and not response.url.startswith(WORKFLOW_API):
        return PermanentError(
            "This address no longer belongs to a Zap. Copy the Zap's present address and reconnect: it changes when "
            "the Zap gets another owner.",
            status=response.status,
        )
    return None


DATA = Field(
    "data",
    label="Data",
    kind="object",
    required=True,
    example={"name": "Ada Lovelace", "email": "ada@example.com", "total": 49},
    help="Names and values. Plain values work best; lists become line items. Zapier keeps them in the Zap's history.",
)


def send(path: str):
    return lambda inputs: Request("POST", path, json=inputs["data"], authenticate=False)


SEND = Action(
    key="send_to_catch_hook",
    label="Send data to a Zap",
    description="Zapier says yes also when the Zap is switched off.",
    fields=(DATA,),
    request=send("/"),
    returns={"status": "status", "id": "id", "request_id": "request_id", "attempt": "attempt"},
    effect="unsafe",
)

SEND_SILENTLY = Action(
    key="send_to_catch_hook_silent",
    label="Send data to a Zap without an answer",
    description="For Zaps whose hook is in silent mode.",
    fields=(DATA,),
    request=send("/silent/"),
    returns={},
    effect="unsafe",
)

LIST_ZAPS = Action(
    key="list_zaps",
    label="List Zaps",
    description="Needs a connection made by signing in to Zapier.",
    request=lambda inputs: Request("GET", f"{WORKFLOW_API}/v2/zaps", query={"limit": 100}),
    pagination=LinkPages(items="data", path="links.next"),
    offers=Offers(items="zaps", label="title"),
    returns={
        "zaps": Output(
            "data",
            kind="list",
            of={"id": "id", "title": "title", "is_enabled": Output("is_enabled", kind="boolean")},
        )
    },
    effect="read",
)

LIST_ZAP_RUNS = Action(
    key="list_zap_runs",
    label="List runs of Zaps",
    description="Needs a connection made by signing in to Zapier.",
    fields=(
        Field("zap_id", label="Only of this Zap", kind="integer", options="list_zaps", example=104445735),
        Field("from_date", label="From", kind="datetime", example="2026-11-01T00:00:00+00:00"),
        Field("to_date", label="Until", kind="datetime", example="2026-11-22T00:00:00+00:00"),
        Field(
            "statuses",
            label="Only in these states",
            kind="multi_select",
            choices=RUN_STATES,
            example=["error"],
        ),
    ),
    request=lambda inputs: Request(
        "GET",
        f"{WORKFLOW_API}/v2/zap-runs",
        query={
            "zap_id": inputs.get("zap_id"),
            "from_date": inputs.get("from_date"),
            "to_date": inputs.get("to_date"),
            "statuses": ",".join(inputs["statuses"]) if "statuses" in inputs else None,
            "limit": 100,
        },
    ),
    pagination=LinkPages(items="data", path="links.next"),
    returns={"runs": Output("data", kind="list", of={"id": "id", "status": "status"})},
    effect="read",
)


def each(inbound: Inbound) -> list[Any]:
    """Return what one delivery brings: a Zap sends one object, or a list of them."""
    return inbound.payload if isinstance(inbound.payload, list) else [inbound.payload]


RECEIVED = Trigger(
    key="received_from_zap",
    label="A Zap sends data",
    description="The connection's page shows the address to enter in the Zap.",
    sample={"name": "Ada Lovelace", "email": "ada@example.com"},
)

connector = Connector(
    slug="zapier",
    name="Zapier",
    category="Automation",
    summary="Hand data to your Zaps, and start workflows from them.",
    docs_url="https://help.zapier.com/hc/en-us/articles/8496288690317",
    base_url="{hook_url}",
    credential_hosts=("api.zapier.com",),
    auth=(
        HookAddress(),
        OAuth2(
            authorize_url="https://zapier.com/oauth/authorize/",
            token_url="https://zapier.com/oauth/token/",
            scopes=("profile", "zap", "zap:runs"),
            pkce=False,
            more=ASKED,
        ),
    ),
    check=check_caught,
    on_error=failure,
    error_paths=("errors.0.detail", "errors.0.title"),
    rate_limit=RateLimit(calls=30),
    webhooks=Webhooks(
        address="integration",
        signature=token_in_header(TOKEN_HEADER),
        secret="credentials",
        secret_name="inbound_token",
        events=each,
        setup="In the Zap add “Webhooks by Zapier”, POST, with this address. Under Headers enter "
        f"{TOKEN_HEADER} and the token you chose when connecting.",
    ),
    actions=(SEND, SEND_SILENTLY, LIST_ZAPS, LIST_ZAP_RUNS),
    triggers=(RECEIVED,),
)
