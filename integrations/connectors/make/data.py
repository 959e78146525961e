"""Hand data to webhooks and data stores."""

from collections.abc import Generator
from typing import Any
from urllib.parse import urlsplit

from integrations.framework import Action, Call, Field, Output, PermanentError, Request, Response, dig


def send_to_webhook(call: Call) -> Generator[Request, Response, dict[str, Any]]:
    """Ask Make for the webhook's address, which is a secret and so stands in no workflow, and post to it."""
    hook = yield Request("GET", "/hooks/{hookId}", at={"hookId": call.inputs["hook_id"]})
    address = str(dig(hook.json, "hook.url") or "")
    parts = urlsplit(address)
    if parts.scheme != "https" or parts.hostname != f"hook.{call.account['zone']}":
        raise PermanentError("Make gave no address for this webhook. Choose a custom webhook.")
    answer = yield Request("POST", address, json=call.inputs["data"], authenticate=False)
    return {"answer": answer.json if answer.json is not None else answer.text}


SEND_TO_WEBHOOK = Action(
    key="send_to_webhook",
    label="Send data to a webhook",
    description="To a custom webhook that is not protected by a key of its own. The first data teaches Make its form.",
    fields=(
        Field(
            "hook_id",
            label="Webhook",
            kind="integer",
            required=True,
            options="list_hooks",
            example=58,
        ),
        Field(
            "data",
            label="Data",
            kind="object",
            required=True,
            example={"name": "Ada Lovelace", "email": "ada@example.com"},
            help="Names and values, at most 5 MB.",
        ),
    ),
    run=send_to_webhook,
    returns={"answer": Output("answer", kind="json", label="What the scenario answered")},
    effect="unsafe",
)

CREATE_HOOK = Action(
    key="create_hook",
    label="Create a custom webhook",
    description="A scenario must use it within five days, or Make switches it off.",
    fields=(
        Field("name", label="Name", required=True, example="New orders"),
        Field(
            "team_id",
            label="Team",
            kind="integer",
            required=True,
            options="list_teams",
            send="teamId",
            example=4,
        ),
        Field(
            "headers", label="Pass headers on", kind="boolean", default=False, example=False, advanced=True
        ),
        Field(
            "method", label="Pass the method on", kind="boolean", default=False, example=False, advanced=True
        ),
        Field(
            "stringify",
            label="Pass JSON on as text",
            kind="boolean",
            default=False,
            example=False,
            advanced=True,
        ),
    ),
    request=lambda inputs: Request(
        "POST",
        "/hooks",
        json={
            "name": inputs["name"],
            "teamId": inputs["team_id"],
            "typeName": "gateway-webhook",
            **{name: inputs[name] for name in ("headers", "method", "stringify")},
        },
    ),
    returns={
        "id": Output("hook.id", kind="integer"),
        "name": "hook.name",
        "url": "hook.url",
        "udid": "hook.udid",
        "enabled": Output("hook.enabled", kind="boolean"),
    },
    effect="unsafe",
)

CREATE_RECORD = Action(
    key="create_record",
    label="Add a record to a data store",
    fields=(
        Field(
            "data_store_id",
            label="Data store",
            kind="integer",
            required=True,
            options="list_data_stores",
            send="dataStoreId",
            example=137,
        ),
        Field("data", label="Fields", kind="object", required=True, example={"name": "Alice Brown"}),
        Field(
            "key",
            label="Key",
            example="customer-1042",
            help="Empty lets Make choose one. One that exists is refused.",
        ),
    ),
    call="POST /data-stores/{dataStoreId}/data",
    returns={"key": "key", "data": Output("data", kind="object")},
    effect="unsafe",
)
