"""Anthropic: messages to Claude, token counts, batches and files."""

import json

from integrations.framework import (
    Action,
    ApiKey,
    Connector,
    ConnectorError,
    CursorPages,
    Field,
    Offers,
    Output,
    PermanentError,
    Poll,
    Request,
    Response,
    StandardWebhooks,
    TemporaryError,
    Test,
    Trigger,
    Webhooks,
    dig,
    read_file,
)

API_VERSION = "2026-10-21"  # refuses temperature, top_p and top_k, so no such fields here


def refine(response: Response) -> ConnectorError | None:
    kind = dig(response.json, "error.type") or ""
    if kind == "billing_error" or response.status == 402:
        return PermanentError(
            "Anthropic says this account has no credit left. Add credit there, then run again.",
            status=response.status,
            code=kind,
        )
    if response.status in (408, 409, 529):
        # 529 means that everyone waits, 409 that the same object is in use: neither is the person's fault.
        return TemporaryError(
            "Anthropic is busy just now. We will try again.", status=response.status, code=kind
        )
    if response.status == 413:
        return PermanentError(
            "This is more than Anthropic accepts in one call. Send less text or a smaller file.",
            status=413,
            code=kind,
        )
    return None


def message_text(response: Response) -> dict:
    """Return a message with its text blocks joined: that is what most steps want."""
    body = response.json or {}
    content = body.get("content") or []
    return {
        "id": body.get("id"),
        "text": "".join(block.get("text") or "" for block in content if block.get("type") == "text"),
        "content": content,
        "stop_reason": body.get("stop_reason"),
        "input_tokens": dig(body, "usage.input_tokens"),
        "output_tokens": dig(body, "usage.output_tokens"),
        "model": body.get("model"),
    }


def batch_results(response: Response) -> dict:
    """Return the lines of a results file: each line is one JSON object, in no order."""
    results = []
    for line in response.content.decode("utf-8").splitlines():
        if not line.strip():
            continue
        entry = json.loads(line)
        content = dig(entry, "result.message.content") or []
        results.append(
            {
                "custom_id": entry.get("custom_id"),
                "type": dig(entry, "result.type"),
                "text": "".join(block.get("text") or "" for block in content),
                "error": dig(entry, "result.error.error.message"),
            }
        )
    return {"results": results}


MODEL = Field(
    "model",
    label="Model",
    required=True,
    options="list_models",
    example="claude-haiku-5-5",
    help="Larger models answer better and cost more.",
)
MESSAGES = Field(
    "messages",
    label="Messages",
    kind="list",
    required=True,
    fields=(
        Field(
            "role",
            label="Who speaks",
            kind="select",
            required=True,
            choices=(("user", "You"), ("assistant", "Claude")),
            example="user",
        ),
        Field("content", label="Text", kind="json", required=True, example="Sum up this order."),
    ),
    example=[{"role": "user", "content": "Sum up this order."}],
    help="The last message is usually yours.",
)
SYSTEM = Field(
    "system",
    label="Instructions",
    kind="long_text",
    example="Answer in one friendly sentence.",
    help="How Claude should behave in the whole conversation.",
)
TOOLS = Field(
    "tools",
    label="Tools",
    kind="json",
    advanced=True,
    example=[{"name": "find_order", "input_schema": {"type": "object", "properties": {}}}],
    help="Tool definitions as Anthropic documents them.",
)
BATCH_ID = Field(
    "message_batch_id",
    label="Batch",
    required=True,
    options="list_message_batches",
    example="msgbatch_013Zva2CMHLNnXjNJJKqJ2EF",
    help="Begins with msgbatch_.",
)
BATCH = {
    "id": "id",
    "processing_status": "processing_status",
    "succeeded": Output("request_counts.succeeded", kind="integer"),
    "errored": Output("request_counts.errored", kind="integer"),
    "created_at": "created_at",
    "ended_at": "ended_at",
    "expires_at": "expires_at",
    "results_url": "results_url",
}

CREATE_MESSAGE = Action(
    key="create_message",
    label="Send a message to Claude",
    fields=(
        MODEL,
        Field(
            "max_tokens",
            label="Most tokens to write",
            kind="integer",
            required=True,
            default=1024,
            minimum=1,
            example=1024,
            help="About four letters make one token.",
        ),
        MESSAGES,
        SYSTEM,
        Field(
            "stop_sequences",
            label="Stop at",
            kind="json",
            advanced=True,
            example=["END"],
            help="A list of texts that end the answer.",
        ),
        TOOLS,
        Field("tool_choice", label="Tool choice", kind="json", advanced=True, example={"type": "auto"}),
        Field(
            "thinking",
            label="Thinking",
            kind="json",
            advanced=True,
            example={"type": "enabled", "budget_tokens": 1024},
        ),
        Field(
            "user_id",
            label="End user",
            send="metadata.user_id",
            advanced=True,
            example="customer-1042",
            help="An id of your own, never a name or an e-mail address.",
        ),
        Field(
            "service_tier",
            label="Service tier",
            kind="select",
            choices=("auto", "standard_only"),
            advanced=True,
            example="auto",
        ),
    ),
    call="POST /v1/messages",
    output=message_text,
    returns={
        "id": "id",
        "text": "content.0.text",
        "content": Output("content", kind="json"),
        "stop_reason": "stop_reason",
        "input_tokens": Output("usage.input_tokens", kind="integer"),
        "output_tokens": Output("usage.output_tokens", kind="integer"),
        "model": "model",
    },
    effect="unsafe",  # no idempotency key is documented; a repeat is paid for twice
)

COUNT_TOKENS = Action(
    key="count_tokens",
    label="Count tokens",
    description="Tells how long a message is before it is paid for.",
    fields=(MODEL, MESSAGES, SYSTEM, TOOLS),
    call="POST /v1/messages/count_tokens",
    returns={"input_tokens": Output("input_tokens", kind="integer")},
    effect="read",
)

CREATE_BATCH = Action(
    key="create_message_batch",
    label="Start a message batch",
    description="Many messages at half the price, answered within a day.",
    fields=(
        Field(
            "requests",
            label="Requests",
            kind="list",
            required=True,
            fields=(
                Field("custom_id", label="Your id", required=True, example="order-1042"),
                Field("params", label="Message", kind="json", required=True, example={}),
            ),
            example=[
                {
                    "custom_id": "order-1042",
                    "params": {
                        "model": "claude-haiku-5-5",
                        "max_tokens": 100,
                        "messages": [{"role": "user", "content": "Hello"}],
                    },
                }
            ],
            help="Each message has a model, max_tokens and messages, as in Send a message.",
        ),
    ),
    call="POST /v1/messages/batches",
    returns=BATCH,
    effect="unsafe",
)

GET_BATCH = Action(
    key="get_message_batch",
    label="Get the status of a batch",
    fields=(BATCH_ID,),
    call="GET /v1/messages/batches/{message_batch_id}",
    returns=BATCH,
    effect="read",
)

GET_RESULTS = Action(
    key="get_message_batch_results",
    label="Read the results of a batch",
    fields=(BATCH_ID,),
    call="GET /v1/messages/batches/{message_batch_id}/results",
    output=batch_results,
    returns={
        "results": Output(
            "results",
            kind="list",
            of={"custom_id": "custom_id", "type": "type", "text": "text", "error": "error"},
        )
    },
    effect="read",
)

LIST_BATCHES = Action(
    key="list_message_batches",
    label="List batches",
    request=lambda inputs: Request("GET", "/v1/messages/batches", query={"limit": 100}),
    pagination=CursorPages(items="data", into="after_id", cursor="last_id", more="has_more"),
    offers=Offers(items="batches", value="id", label="id"),
    returns={"batches": Output("data", kind="list", of=BATCH)},
    effect="read",
)

CANCEL_BATCH = Action(
    key="cancel_message_batch",
    label="Cancel a batch",
    fields=(BATCH_ID,),
    call="POST /v1/messages/batches/{message_batch_id}/cancel",
    returns=BATCH,
    effect="key_safe",  # a batch that is being cancelled stays so
)

UPLOAD = Action(
    key="upload_file",
    label="Upload a file",
    fields=(
        Field(
            "file",
            label="File",
            kind="file",
            required=True,
            example={"name": "price-list.txt", "content": "Q2hhaXI=", "content_type": "text/plain"},
            help="At most 500 MB.",
        ),
    ),
    request=lambda inputs: Request("POST", "/v1/files", files={"file": read_file(inputs["file"])}),
    returns={
        "id": "id",
        "filename": "filename",
        "mime_type": "mime_type",
        "size_bytes": Output("size_bytes", kind="integer"),
    },
    effect="unsafe",
)

LIST_MODELS = Action(
    key="list_models",
    label="List models",
    request=lambda inputs: Request("GET", "/v1/models", query={"limit": 1000}),
    pagination=CursorPages(items="data", into="after_id", cursor="last_id", more="has_more"),
    offers=Offers(items="models", value="id", label="display_name"),
    returns={
        "models": Output(
            "data",
            kind="list",
            of={"id": "id", "display_name": "display_name", "created_at": "created_at"},
        )
    },
    effect="read",
)

GET_MODEL = Action(
    key="get_model",
    label="Get a model",
    fields=(
        Field("model_id", label="Model", required=True, options="list_models", example="claude-haiku-5-5"),
    ),
    call="GET /v1/models/{model_id}",
    returns={"id": "id", "display_name": "display_name", "created_at": "created_at"},
    effect="read",
)


def event(type_: str) -> dict:
    """Return a sample delivery: it names the object, and the object is fetched by its id."""
    return {
        "type": "event",
        "id": "wevt_011CZkZaBcDeFgHiJkLmNoPq",
        "created_at": "2026-11-20T09:30:00Z",
        "data": {
            "type": type_,
            "id": "sesn_011CZkZAtmR3yMPDzynEDxu7",
            "organization_id": "8c4c8a1e-2c3f-4c55-9e0f-0a1b2c3d4e5f",
            "workspace_id": "wrkspc_011CZkZ1X2Y3",
        },
    }


SESSION = {
    "id": "data.id",
    "type": "data.type",
    "workspace_id": "data.workspace_id",
    "created_at": "created_at",
}

TRIGGERS = (
    Trigger(
        key="message_batch_ended",
        label="A message batch has ended (checked every few minutes)",
        kind="polling",
        # The end moves no place in the list, so every look reads it all and only ended batches count.
        poll=Poll(
            request=lambda config, since: Request("GET", "/v1/messages/batches", query={"limit": 100}),
            items=lambda response, config: [
                batch
                for batch in dig(response.json, "data") or []
                if batch.get("processing_status") == "ended"
            ],
            id="id",
            pagination=CursorPages(items="data", into="after_id", cursor="last_id", more="has_more"),
        ),
        returns=BATCH,
        sample={
            "id": "msgbatch_013Zva2CMHLNnXjNJJKqJ2EF",
            "type": "message_batch",
            "processing_status": "ended",
            "request_counts": {
                "processing": 0,
                "succeeded": 98,
                "errored": 2,
                "canceled": 0,
                "expired": 0,
            },
            "created_at": "2026-11-20T09:00:00Z",
            "ended_at": "2026-11-20T09:30:00Z",
            "expires_at": "2026-11-21T09:00:00Z",
            "results_url": "https://api.anthropic.com/v1/messages/batches/msgbatch_013/results",
        },
    ),
    Trigger(
        key="session_idled",
        label="An agent session waits for input",
        event="session.status_idled",
        returns=SESSION,
        sample=event("session.status_idled"),
    ),
    Trigger(
        key="session_terminated",
        label="An agent session has ended",
        event="session.status_terminated",
        returns=SESSION,
        sample=event("session.status_terminated"),
    ),
)

connector = Connector(
    slug="anthropic",
    name="Anthropic Claude",
    category="AI",
    summary="Ask Claude, count tokens, run batches of messages.",
    docs_url="https://platform.claude.com/docs/en/api/overview",
    base_url="https://api.anthropic.com",
    auth=ApiKey(
        header="x-api-key",
        help="In the Claude Console: Settings, API keys.",
        more=(
            Field(
                "signing_secret",
                label="Signing secret",
                kind="secret",
                advanced=True,
                help="Begins with whsec_. Only needed to start workflows from agent sessions.",
            ),
        ),
    ),
    headers={"anthropic-version": API_VERSION},
    test=Test(Request("GET", "/v1/models", query={"limit": 1})),
    on_error=refine,
    webhooks=Webhooks(
        address="integration",
        signature=StandardWebhooks(),
        secret="credentials",
        secret_name="signing_secret",
        event="data.type",
        delivery_id="header:webhook-id",
        setup="In the Claude Console open Webhooks, add this address, choose the session events, and paste the "
        "signing secret (whsec_...) here. It is shown only once.",
    ),
    actions=(
        CREATE_MESSAGE,
        COUNT_TOKENS,
        CREATE_BATCH,
        GET_BATCH,
        GET_RESULTS,
        LIST_BATCHES,
        CANCEL_BATCH,
        UPLOAD,
        LIST_MODELS,
        GET_MODEL,
    ),
    triggers=TRIGGERS,
)
