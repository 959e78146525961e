"""OpenAI: text, images, speech, embeddings, moderation, files and batches."""

import re

from integrations.framework import (
    Action,
    BearerToken,
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
    Subscription,
    TemporaryError,
    Test,
    Trigger,
    Webhooks,
    dig,
    file_value,
    given,
    read_file,
)


def refine(response: Response) -> ConnectorError | None:
    code = dig(response.json, "error.code") or ""
    if response.status == 429 and code == "insufficient_quota":
        # The same status as "slow down", but waiting never helps: the account has no credit left.
        return PermanentError(
            "OpenAI says this account has no credit left. Add credit there, then run again.",
            status=429,
            code=code,
        )
    if response.status == 429:
        return TemporaryError(
            "OpenAI asked us to slow down. We will try again.",
            status=429,
            code=code,
            retry_after=wait(response),
        )
    if response.status == 409:
        return TemporaryError(
            "OpenAI was busy with the same object. We will try again.", status=409, code=code
        )
    return None


def wait(response: Response) -> float | None:
    """Return the seconds to pause before the next call, or None: a spent budget names its reset as "6m0s"."""
    if "retry-after-ms" in response.headers:
        return float(response.headers["retry-after-ms"]) / 1000
    if response.headers.get("retry-after", "").replace(".", "", 1).isdigit():
        return float(response.headers["retry-after"])
    for kind in ("requests", "tokens"):
        if response.headers.get(f"x-ratelimit-remaining-{kind}") == "0":
            return duration_seconds(response.headers.get(f"x-ratelimit-reset-{kind}", ""))
    return None


def duration_seconds(text: str) -> float:
    """Return the seconds in a text such as "1h2m3.5s" or "250ms"; 0 when there is none."""
    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
    return sum(float(number) * units[unit] for number, unit in re.findall(r"([\d.]+)(ms|h|m|s)", text))


def response_text(response: Response) -> dict:
    """Join the text parts: plain HTTP answers lack the `output_text` the vendor's libraries compute."""
    body = response.json
    parts = [
        part.get("text", "")
        for item in body.get("output") or []
        if item.get("type") == "message"
        for part in item.get("content") or []
        if part.get("type") == "output_text"
    ]
    return {
        "id": body.get("id"),
        "status": body.get("status"),
        "text": "".join(parts),
        "output": body.get("output"),
        "input_tokens": dig(body, "usage.input_tokens"),
        "output_tokens": dig(body, "usage.output_tokens"),
        "total_tokens": dig(body, "usage.total_tokens"),
        "error": dig(body, "error.message"),
    }


def transcript(response: Response) -> dict:
    if response.json is None:  # text, srt and vtt come as they are
        return {"text": response.text, "duration": None}
    return {"text": dig(response.json, "text"), "duration": dig(response.json, "duration")}


MODEL = Field("model", label="Model", required=True, options="list_models", example="gpt-5-mini")
METADATA = Field(
    "metadata",
    label="Metadata",
    kind="key_value",
    example={"order": "1042"},
    advanced=True,
    help="Up to 16 pairs of text.",
)
TEMPERATURE = Field(
    "temperature",
    label="Temperature",
    kind="number",
    minimum=0,
    maximum=2,
    example=0.2,
    advanced=True,
    help="0 is steady, 2 is wild. Reasoning models refuse it.",
)
TOOLS = Field("tools", label="Tools", kind="json", advanced=True)
AUDIO = {"name": "call.mp3", "content": "SUQzBAAAAAAAAA==", "content_type": "audio/mpeg"}

RESPONSE = {
    "id": Output("id"),
    "status": Output("status"),
    "text": Output("output[].content[].text"),
    "output": Output("output", kind="json"),
    "input_tokens": Output("usage.input_tokens", kind="integer"),
    "output_tokens": Output("usage.output_tokens", kind="integer"),
    "total_tokens": Output("usage.total_tokens", kind="integer"),
    "error": Output("error.message"),
}

CREATE_RESPONSE = Action(
    key="create_response",
    label="Generate text",
    fields=(
        MODEL,
        Field(
            "input",
            label="Prompt",
            kind="long_text",
            required=True,
            example="Summarise this order in one line.",
        ),
        Field(
            "instructions",
            label="Instructions",
            kind="long_text",
            example="You write short, plain sentences.",
        ),
        Field("max_output_tokens", label="Most tokens to write", kind="integer", minimum=16, example=500),
        TEMPERATURE,
        Field(
            "text",
            label="Output format",
            kind="json",
            advanced=True,
            example={"format": {"type": "text"}},
            help='A "text" object, for example {"format": {"type": "json_schema", ...}}.',
        ),
        TOOLS,
        Field("previous_response_id", label="Continue from", advanced=True, example="resp_67ccd2bed1ec8190"),
        Field(
            "background",
            label="Work in the background",
            kind="boolean",
            advanced=True,
            example=False,
            help="Answers at once; use the trigger or read the response later.",
        ),
        Field("store", label="Keep at OpenAI", kind="boolean", advanced=True, example=True),
        METADATA,
    ),
    call="POST /responses",
    output=response_text,
    returns=RESPONSE,
    effect="unsafe",  # no idempotency key is documented; a repeat is paid for twice
)

GET_RESPONSE = Action(
    key="get_response",
    label="Read a response",
    fields=(Field("response_id", label="Response", required=True, example="resp_67ccd2bed1ec8190"),),
    call="GET /responses/{response_id}",
    output=response_text,
    returns=RESPONSE,
    effect="read",
)

CHAT = Action(
    key="create_chat_completion",
    label="Chat completion",
    fields=(
        MODEL,
        Field(
            "messages",
            label="Messages",
            kind="list",
            required=True,
            fields=(
                Field(
                    "role",
                    label="Role",
                    kind="select",
                    required=True,
                    choices=("developer", "system", "user", "assistant"),
                    example="user",
                ),
                Field("content", label="Text", kind="long_text", required=True, example="Hello"),
            ),
            example=[{"role": "user", "content": "Hello"}],
        ),
        Field("max_completion_tokens", label="Most tokens to write", kind="integer", minimum=1, example=500),
        TEMPERATURE,
        Field("response_format", label="Output format", kind="json", advanced=True, example={"type": "text"}),
        TOOLS,
        Field("n", label="Choices", kind="integer", minimum=1, maximum=128, advanced=True, example=1),
    ),
    call="POST /chat/completions",
    returns={
        "id": "id",
        "text": "choices.0.message.content",
        "tool_calls": Output("choices.0.message.tool_calls", kind="json"),
        "finish_reason": "choices.0.finish_reason",
        "choices": Output(
            "choices", kind="list", of={"text": "message.content", "finish_reason": "finish_reason"}
        ),
        "input_tokens": Output("usage.prompt_tokens", kind="integer"),
        "output_tokens": Output("usage.completion_tokens", kind="integer"),
        "total_tokens": Output("usage.total_tokens", kind="integer"),
        "model": "model",
    },
    effect="unsafe",
)

EMBEDDING = Action(
    key="create_embedding",
    label="Create embeddings",
    fields=(
        Field("model", label="Model", required=True, options="list_models", example="text-embedding-3-small"),
        Field(
            "input",
            label="Text",
            kind="json",
            required=True,
            example="Garden chair",
            help="One text, or a list of texts.",
        ),
        Field("dimensions", label="Dimensions", kind="integer", minimum=1, advanced=True, example=256),
        Field(
            "encoding_format",
            label="Format",
            kind="select",
            choices=("float", "base64"),
            advanced=True,
            example="float",
        ),
    ),
    call="POST /embeddings",
    returns={
        "embeddings": Output(
            "data",
            kind="list",
            of={"embedding": Output("embedding", kind="json"), "index": Output("index", kind="integer")},
        ),
        "total_tokens": Output("usage.total_tokens", kind="integer"),
    },
    effect="read",  # computes and keeps nothing
)

IMAGE = Action(
    key="generate_image",
    label="Generate an image",
    fields=(
        Field("prompt", label="What to draw", kind="long_text", required=True, example="A red garden chair"),
        Field("model", label="Model", options="list_models", example="gpt-image-1.5"),
        Field("n", label="How many", kind="integer", minimum=1, maximum=10, example=1),
        Field(
            "size",
            label="Size",
            kind="select",
            example="1024x1024",
            choices=("auto", "1024x1024", "1536x1024", "1024x1536"),
        ),
        Field(
            "quality",
            label="Quality",
            kind="select",
            choices=("auto", "low", "medium", "high"),
            example="low",
        ),
        Field(
            "output_format", label="File type", kind="select", choices=("png", "jpeg", "webp"), example="png"
        ),
        Field(
            "background",
            label="Background",
            kind="select",
            choices=("auto", "transparent", "opaque"),
            example="auto",
            advanced=True,
        ),
    ),
    call="POST /images/generations",
    returns={
        "created": Output("created", kind="integer"),
        "images": Output("data", kind="list", of={"content": "b64_json", "url": "url"}),
        "total_tokens": Output("usage.total_tokens", kind="integer"),
    },
    effect="unsafe",
)

TRANSCRIBE = Action(
    key="transcribe_audio",
    label="Turn speech into text",
    fields=(
        Field("file", label="Recording", kind="file", required=True, example=AUDIO, help="At most 25 MB."),
        Field("model", label="Model", required=True, options="list_models", example="gpt-4o-mini-transcribe"),
        Field("language", label="Language", example="en", help="Two letters; better results when given."),
        Field("prompt", label="Style hint", advanced=True, example="Names: Alder, Birch."),
        Field(
            "response_format",
            label="Format",
            kind="select",
            advanced=True,
            example="json",
            choices=("json", "text", "srt", "verbose_json", "vtt", "diarized_json"),
        ),
    ),
    request=lambda inputs: Request(
        "POST",
        "/audio/transcriptions",
        files={"file": read_file(inputs["file"])},
        form={key: inputs.get(key) for key in ("model", "language", "prompt", "response_format")},
    ),
    output=transcript,
    returns={"text": "text", "duration": Output("duration", kind="number")},
    effect="read",  # computes and keeps nothing
)

SPEECH = Action(
    key="create_speech",
    label="Turn text into speech",
    fields=(
        Field("model", label="Model", required=True, options="list_models", example="gpt-4o-mini-tts"),
        Field(
            "input",
            label="Text",
            kind="long_text",
            required=True,
            max_length=4096,
            example="Your order is ready.",
        ),
        Field("voice", label="Voice", required=True, example="coral"),
        Field("instructions", label="How to speak", example="Friendly and calm."),
        Field(
            "response_format",
            label="File type",
            kind="select",
            example="mp3",
            choices=("mp3", "opus", "aac", "flac", "wav", "pcm"),
        ),
        Field("speed", label="Speed", kind="number", minimum=0.25, maximum=4, advanced=True, example=1),
    ),
    call="POST /audio/speech",
    output=lambda response: {"file": file_value(response, name="speech")},
    returns={"file": Output("", kind="file")},
    effect="read",  # computes and keeps nothing
)

MODERATION = Action(
    key="create_moderation",
    label="Check text against policy",
    fields=(
        Field(
            "input",
            label="Text",
            kind="json",
            required=True,
            example="Hello",
            help="One text, or a list of texts.",
        ),
        Field("model", label="Model", example="omni-moderation-latest", advanced=True),
    ),
    call="POST /moderations",
    returns={
        "id": "id",
        "flagged": Output("results.0.flagged", kind="boolean"),
        "results": Output(
            "results",
            kind="list",
            of={
                "flagged": Output("flagged", kind="boolean"),
                "categories": Output("categories", kind="object"),
                "category_scores": Output("category_scores", kind="object"),
            },
        ),
    },
    effect="read",
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
            example={"name": "batch.jsonl", "content": "e30K", "content_type": "application/jsonl"},
        ),
        Field(
            "purpose",
            label="Purpose",
            kind="select",
            required=True,
            example="batch",
            choices=("batch", "user_data", "vision", "evals", "fine-tune", "assistants"),
        ),
        Field(
            "expires_after_seconds",
            label="Delete after",
            kind="integer",
            minimum=3600,
            maximum=2592000,
            example=86400,
            advanced=True,
            help="Seconds after the upload.",
        ),
    ),
    request=lambda inputs: Request(
        "POST",
        "/files",
        files={"file": read_file(inputs["file"])},
        form=given(
            purpose=inputs["purpose"],
            expires_after={"anchor": "created_at", "seconds": inputs["expires_after_seconds"]}
            if "expires_after_seconds" in inputs
            else None,
        ),
    ),
    returns={
        "id": "id",
        "filename": "filename",
        "bytes": Output("bytes", kind="integer"),
        "purpose": "purpose",
        "created_at": Output("created_at", kind="integer"),
    },
    effect="unsafe",
)

BATCH = {
    "id": "id",
    "status": "status",
    "output_file_id": "output_file_id",
    "error_file_id": "error_file_id",
    "request_counts": Output("request_counts", kind="object"),
}

CREATE_BATCH = Action(
    key="create_batch",
    label="Start a batch",
    fields=(
        Field(
            "input_file_id",
            label="Input file",
            required=True,
            example="file-abc123",
            help="Uploaded with the purpose batch.",
        ),
        Field(
            "endpoint",
            label="Endpoint",
            kind="select",
            required=True,
            example="/v1/responses",
            choices=(
                ("/v1/responses", "Responses"),
                ("/v1/chat/completions", "Chat completions"),
                ("/v1/embeddings", "Embeddings"),
            ),
        ),
        Field(
            "completion_window",
            label="Done within",
            kind="select",
            required=True,
            default="24h",
            example="24h",
            choices=(("24h", "24 hours"),),
        ),
        METADATA,
    ),
    call="POST /batches",
    returns=BATCH,
    effect="unsafe",
)

LIST_MODELS = Action(
    key="list_models",
    label="List models",
    call="GET /models",
    offers=Offers(items="models", value="id", label="id"),
    returns={
        "models": Output(
            "data",
            kind="list",
            of={"id": "id", "owned_by": "owned_by", "created": Output("created", kind="integer")},
        )
    },
    effect="read",
)


def event(type_: str, id_: str) -> dict:
    return {
        "id": "evt_685343a1381c819085d44c354e1b330e",
        "object": "event",
        "created_at": 1750287018,
        "type": type_,
        "data": {"id": id_},
    }


POINTER = {"id": "data.id", "type": "type", "created_at": Output("created_at", kind="integer")}

TRIGGERS = (
    Trigger(
        key="response_completed",
        label="A background response is finished",
        event="response.completed",
        returns=POINTER,
        sample=event("response.completed", "resp_67ccd2bed1ec8190"),
    ),
    Trigger(
        key="response_failed",
        label="A background response fails",
        event="response.failed",
        returns=POINTER,
        sample=event("response.failed", "resp_67ccd2bed1ec8190"),
    ),
    Trigger(
        key="batch_completed",
        label="A batch is finished",
        event="batch.completed",
        returns=POINTER,
        sample=event("batch.completed", "batch_abc123"),
    ),
    Trigger(
        key="batch_failed",
        label="A batch fails",
        event="batch.failed",
        returns=POINTER,
        sample=event("batch.failed", "batch_abc123"),
    ),
    Trigger(
        key="batch_polling",
        label="A batch changes its status (checked every few minutes)",
        kind="polling",
        # No stamp moves when a status changes, so the identity is (id, status) and every look reads the newest page.
        poll=Poll(
            request=lambda config, since: Request("GET", "/batches", query={"limit": 100}),
            items="data",
            id=("id", "status"),
            pagination=CursorPages(items="data", into="after", last_item="id", more="has_more"),
        ),
        returns=BATCH,
        sample={
            "id": "batch_abc123",
            "object": "batch",
            "status": "completed",
            "output_file_id": "file-cvaTdG",
            "error_file_id": None,
            "request_counts": {"total": 100, "completed": 100, "failed": 0},
        },
    ),
)


def subscribe(subscription: Subscription) -> Request:
    return Request(
        "POST",
        "/webhook_endpoints",
        json={"name": "Steward", "url": subscription.address, "event_types": list(subscription.events)},
    )


connector = Connector(
    slug="openai",
    name="OpenAI",
    category="AI",
    summary="Generate text, images and speech, transcribe recordings, run batches.",
    docs_url="https://platform.openai.com/docs/api-reference",
    base_url="https://api.openai.com/v1",
    account=(
        Field(
            "base_url",
            label="Address of another server",
            # No example: documentation and contract tests call what examples say.
            help="Only for a server that speaks OpenAI's language, like https://openrouter.ai/api/v1: Azure, "
            "OpenRouter, Ollama, vLLM.",
            advanced=True,
        ),
        Field("model", label="Model when a step names none", advanced=True, example="gpt-5-mini"),
        Field(
            "fallback_model", label="Model when that one is overloaded", advanced=True, example="gpt-4.1-mini"
        ),
        Field(
            "price_input",
            label="Dollars for a million tokens read",
            kind="number",
            minimum=0,
            help="Only for a server of your own. Empty: it costs nothing.",
            advanced=True,
            example=0.25,
        ),
        Field(
            "price_output",
            label="Dollars for a million tokens written",
            kind="number",
            minimum=0,
            advanced=True,
            example=2,
        ),
    ),
    auth=BearerToken(
        help="In the OpenAI console: your project, API keys.",
        more=(
            Field(
                "organization",
                label="Organization ID",
                help="Only when the key belongs to several.",
                advanced=True,
            ),
            Field("project", label="Project ID", advanced=True),
        ),
        extra_headers={"OpenAI-Organization": "organization", "OpenAI-Project": "project"},
    ),
    test=Test(Request("GET", "/models")),
    on_error=refine,
    wait=wait,
    webhooks=Webhooks(
        address="trigger",
        signature=StandardWebhooks(),
        secret="subscription",
        event="type",
        delivery_id="header:webhook-id",
        subscribe=subscribe,
        read=lambda response, subscription: {
            "id": response.json["id"],
            "secret": response.json["signing_secret"],
        },
        unsubscribe=lambda subscription: Request(
            "DELETE", "/webhook_endpoints/{id}", at={"id": subscription.state["id"]}
        ),
    ),
    actions=(
        CREATE_RESPONSE,
        GET_RESPONSE,
        CHAT,
        EMBEDDING,
        IMAGE,
        TRANSCRIBE,
        SPEECH,
        MODERATION,
        UPLOAD,
        CREATE_BATCH,
        LIST_MODELS,
    ),
    triggers=TRIGGERS,
)
