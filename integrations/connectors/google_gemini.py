"""Google Gemini: text, images, token counts, embeddings and batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
    ReconnectError,
    Request,
    Response,
    StandardWebhooks,
    Subscription,
    TemporaryError,
    Test,
    Trigger,
    Webhooks,
    dig,
    given,
)


def refine(response: Response) -> ConnectorError | None:
    details = dig(response.json, "error.details")
    details = details if isinstance(details, list) else []
    if any(detail.get("reason") == "API_KEY_INVALID" for detail in details):
        # A wrong key answers 400, not 401.
        return ReconnectError("Google no longer accepts this key. Reconnect with a new one.", status=400)
    if response.status == 429:
        delays = [detail["retryDelay"] for detail in details if detail.get("retryDelay")]
        seconds = delays[0].removesuffix("s") if delays else ""
        return TemporaryError(
            "Google asked us to slow down. We will try again.",
            status=429,
            retry_after=float(seconds) if seconds.replace(".", "", 1).isdigit() else None,
        )
    return None


def check(response: Response) -> None:
    """Raise when the prompt was blocked: Google answers 200 then, with a reason and no candidates."""
    reason = dig(response.json, "promptFeedback.blockReason")
    if reason:
        raise PermanentError(
            "Google's safety rules refused this prompt. Word it differently and run again.", code=reason
        )


def parts_of(response: Response) -> list[dict]:
    return dig(response.json, "candidates.0.content.parts") or []


def generated(response: Response) -> dict:
    """Return the answer with its texts joined, thoughts left out."""
    body = response.json or {}
    return {
        "id": body.get("responseId"),
        "text": "".join(part.get("text") or "" for part in parts_of(response) if not part.get("thought")),
        "parts": parts_of(response),
        "finish_reason": dig(body, "candidates.0.finishReason"),
        "input_tokens": dig(body, "usageMetadata.promptTokenCount"),
        "output_tokens": dig(body, "usageMetadata.candidatesTokenCount"),
        "total_tokens": dig(body, "usageMetadata.totalTokenCount"),
        "model": body.get("modelVersion"),
    }


def picture(response: Response) -> dict:
    """Return the first image as a file for later steps. Raises PermanentError when there is none."""
    for part in parts_of(response):
        data = part.get("inlineData")
        if data:
            kind = data.get("mimeType") or "image/png"
            name = f"image.{kind.rpartition('/')[2]}"
            return {"file": {"name": name, "content": data.get("data"), "content_type": kind}}
    raise PermanentError("Google answered without an image. Choose an image model or another prompt.")


def says(text: str) -> dict[str, Any]:
    return {"parts": [{"text": text}]}


def asks(prompt: str) -> list[dict[str, Any]]:
    return [{"role": "user", **says(prompt)}]


def at(inputs: Mapping[str, Any]) -> dict[str, str]:
    """Return the model for the path; lists name it with "models/" before it."""
    return {"model": inputs["model"].removeprefix("models/")}


def model(example: str) -> Field:
    return Field("model", label="Model", required=True, options="list_models", example=example)


PROMPT = Field("prompt", label="Prompt", kind="long_text", required=True, example="Sum up this order.")
TASK = Field(
    "task_type",
    label="What the text is for",
    kind="select",
    choices=(
        ("RETRIEVAL_QUERY", "A search"),
        ("RETRIEVAL_DOCUMENT", "To be found by a search"),
        ("CLASSIFICATION", "Sorting into classes"),
        ("CLUSTERING", "Grouping"),
    ),
    example="RETRIEVAL_DOCUMENT",
)
DIMENSIONS = Field("dimensions", label="Dimensions", kind="integer", minimum=1, advanced=True, example=768)

GENERATE = Action(
    key="generate_content",
    label="Generate text",
    fields=(
        model("gemini-2.5-flash"),
        PROMPT,
        Field("system", label="Instructions", kind="long_text", example="Answer in one friendly sentence."),
        Field("max_tokens", label="Most tokens to write", kind="integer", minimum=1, example=1000),
        Field(
            "temperature", label="Temperature", kind="number", minimum=0, maximum=2, advanced=True, example=1
        ),
        Field(
            "response_schema",
            label="Shape of the answer",
            kind="json",
            advanced=True,
            example={"type": "OBJECT", "properties": {"city": {"type": "STRING"}}},
            help="A schema; the answer is then JSON.",
        ),
    ),
    request=lambda inputs: Request(
        "POST",
        "/v1beta/models/{model}:generateContent",
        at=at(inputs),
        json={
            "contents": asks(inputs["prompt"]),
            "systemInstruction": says(inputs["system"]) if "system" in inputs else None,
            "generationConfig": given(
                maxOutputTokens=inputs.get("max_tokens"),
                temperature=inputs.get("temperature"),
                responseMimeType="application/json" if "response_schema" in inputs else None,
                responseSchema=inputs.get("response_schema"),
            )
            or None,
        },
    ),
    output=generated,
    returns={
        "id": "responseId",
        "text": "candidates.0.content.parts.0.text",
        "parts": Output("candidates.0.content.parts", kind="json"),
        "finish_reason": "candidates.0.finishReason",
        "input_tokens": Output("usageMetadata.promptTokenCount", kind="integer"),
        "output_tokens": Output("usageMetadata.candidatesTokenCount", kind="integer"),
        "total_tokens": Output("usageMetadata.totalTokenCount", kind="integer"),
        "model": "modelVersion",
    },
    effect="unsafe",  # no idempotency key is documented; a repeat is paid for twice
)

IMAGE = Action(
    key="generate_image",
    label="Generate an image",
    fields=(
        model("gemini-2.5-flash-image"),
        Field("prompt", label="What to draw", kind="long_text", required=True, example="A red garden chair"),
        Field(
            "aspect_ratio",
            label="Shape",
            kind="select",
            choices=(("1:1", "Square"), ("16:9", "Wide"), ("9:16", "Tall"), ("4:3", "Photo")),
            example="1:1",
        ),
    ),
    request=lambda inputs: Request(
        "POST",
        "/v1beta/models/{model}:generateContent",
        at=at(inputs),
        json={
            "contents": asks(inputs["prompt"]),
            "generationConfig": given(
                responseModalities=["TEXT", "IMAGE"],
                imageConfig={"aspectRatio": inputs["aspect_ratio"]} if "aspect_ratio" in inputs else None,
            ),
        },
    ),
    output=picture,
    returns={"file": Output("candidates.0.content.parts.0.inlineData", kind="file")},
    effect="unsafe",
)

COUNT = Action(
    key="count_tokens",
    label="Count tokens",
    fields=(model("gemini-2.5-flash"), PROMPT),
    request=lambda inputs: Request(
        "POST",
        "/v1beta/models/{model}:countTokens",
        at=at(inputs),
        json={"contents": asks(inputs["prompt"])},
    ),
    returns={"total_tokens": Output("totalTokens", kind="integer")},
    effect="read",
)

EMBED = Action(
    key="embed_content",
    label="Embed a text",
    fields=(
        model("gemini-embedding-001"),
        Field("text", label="Text", kind="long_text", required=True, example="Garden chair"),
        TASK,
        DIMENSIONS,
    ),
    request=lambda inputs: Request(
        "POST",
        "/v1beta/models/{model}:embedContent",
        at=at(inputs),
        json={
            "content": says(inputs["text"]),
            "taskType": inputs.get("task_type"),
            "outputDimensionality": inputs.get("dimensions"),
        },
    ),
    returns={"embedding": Output("embedding.values", kind="json")},
    effect="read",  # computes and keeps nothing
)

EMBED_SEVERAL = Action(
    key="batch_embed_contents",
    label="Embed several texts",
    fields=(
        model("gemini-embedding-001"),
        Field(
            "texts",
            label="Texts",
            kind="list",
            required=True,
            fields=(Field("text", label="Text", kind="long_text", required=True, example="Garden chair"),),
            example=[{"text": "Garden chair"}],
        ),
        TASK,
        DIMENSIONS,
    ),
    request=lambda inputs: Request(
        "POST",
        "/v1beta/models/{model}:batchEmbedContents",
        at=at(inputs),
        json={
            "requests": [
                given(
                    model=f"models/{at(inputs)['model']}",
                    content=says(entry["text"]),
                    taskType=inputs.get("task_type"),
                    outputDimensionality=inputs.get("dimensions"),
                )
                for entry in inputs["texts"]
            ]
        },
    ),
    returns={"embeddings": Output("embeddings", kind="list", of={"values": Output("values", kind="json")})},
    effect="read",
)

BATCH = {"name": "name", "done": Output("done", kind="boolean"), "state": "metadata.state"}

CREATE_BATCH = Action(
    key="create_batch",
    label="Start a batch",
    description="Many prompts at a lower price, answered within a day.",
    fields=(
        model("gemini-2.5-flash"),
        Field("name", label="Name", required=True, example="Orders of November"),
        Field(
            "prompts",
            label="Prompts",
            kind="list",
            required=True,
            fields=(Field("text", label="Prompt", kind="long_text", required=True, example="Hello"),),
            example=[{"text": "Hello"}],
        ),
    ),
    request=lambda inputs: Request(
        "POST",
        "/v1beta/models/{model}:batchGenerateContent",
        at=at(inputs),
        json={
            "batch": {
                "displayName": inputs["name"],
                "inputConfig": {
                    "requests": {
                        "requests": [
                            {"request": {"contents": asks(entry["text"])}} for entry in inputs["prompts"]
                        ]
                    }
                },
            }
        },
    ),
    returns=BATCH,
    effect="unsafe",
)

GET_BATCH = Action(
    key="get_batch",
    label="Get the status of a batch",
    fields=(Field("batch", label="Batch", required=True, example="batches/abc123"),),
    request=lambda inputs: Request(
        "GET", "/v1beta/batches/{batch}", at={"batch": inputs["batch"].removeprefix("batches/")}
    ),
    returns={**BATCH, "response": Output("response", kind="json"), "error": "error.message"},
    effect="read",
)

LIST_FILES = Action(
    key="list_files",
    label="List uploaded files",
    request=lambda inputs: Request("GET", "/v1beta/files", query={"pageSize": 100}),
    pagination=CursorPages(items="files", cursor="nextPageToken", into="pageToken"),
    returns={
        "files": Output(
            "files",
            kind="list",
            of={"name": "name", "uri": "uri", "mime_type": "mimeType", "state": "state"},
        )
    },
    effect="read",
)

MODEL = {
    "name": "name",
    "display_name": "displayName",
    "input_token_limit": Output("inputTokenLimit", kind="integer"),
}

LIST_MODELS = Action(
    key="list_models",
    label="List models",
    request=lambda inputs: Request("GET", "/v1beta/models", query={"pageSize": 1000}),
    pagination=CursorPages(items="models", cursor="nextPageToken", into="pageToken"),
    offers=Offers(items="models", value="name", label="display_name"),
    returns={"models": Output("models", kind="list", of=MODEL)},
    effect="read",
)

GET_MODEL = Action(
    key="get_model",
    label="Get a model",
    fields=(model("gemini-2.5-flash"),),
    request=lambda inputs: Request("GET", "/v1beta/models/{model}", at=at(inputs)),
    returns={**MODEL, "output_token_limit": Output("outputTokenLimit", kind="integer")},
    effect="read",
)


def event(type_: str) -> dict:
    return {
        "type": type_,
        "version": "v1",
        "timestamp": "2026-11-20T09:30:00Z",
        "data": {"id": "batches/abc123"},
    }


POINTER = {"type": "type", "id": "data.id"}

TRIGGERS = (
    Trigger(
        key="batch_succeeded",
        label="A batch succeeds",
        event="batch.succeeded",
        returns=POINTER,
        sample=event("batch.succeeded"),
    ),
    Trigger(
        key="batch_failed",
        label="A batch fails or expires",
        event=("batch.failed", "batch.expired"),
        returns=POINTER,
        sample=event("batch.failed"),
    ),
    Trigger(
        key="video_generated",
        label="A video is ready",
        event="video.generated",
        returns=POINTER,
        sample=event("video.generated"),
    ),
    Trigger(
        key="batch_polling",
        label="A batch changes its status (checked every few minutes)",
        kind="polling",
        # Nothing moves when a status changes, so name and state together tell what is new.
        poll=Poll(
            request=lambda config, since: Request("GET", "/v1beta/batches", query={"pageSize": 100}),
            items="operations",
            id=("name", "metadata.state"),
            pagination=CursorPages(items="operations", cursor="nextPageToken", into="pageToken"),
        ),
        returns=BATCH,
        sample={"name": "batches/abc123", "done": True, "metadata": {"state": "BATCH_STATE_SUCCEEDED"}},
    ),
)


def subscribe(subscription: Subscription) -> Request:
    return Request(
        "POST",
        "/v1beta/webhooks",
        json={"uri": subscription.address, "subscribed_events": list(subscription.events)},
    )


connector = Connector(
    slug="google_gemini",
    name="Google Gemini",
    category="AI",
    summary="Generate text and images, embed texts, run batches.",
    docs_url="https://ai.google.dev/api",
    base_url="https://generativelanguage.googleapis.com",
    auth=ApiKey(header="x-goog-api-key", help="In Google AI Studio: Get API key."),
    test=Test(Request("GET", "/v1beta/models", query={"pageSize": 1})),
    check=check,
    on_error=refine,
    webhooks=Webhooks(
        address="trigger",
        signature=StandardWebhooks(),
        secret="subscription",
        event="type",
        delivery_id="header:webhook-id",
        subscribe=subscribe,
        read=lambda response, subscription: {
            "id": (dig(response.json, "name") or dig(response.json, "id") or "").removeprefix("webhooks/"),
            "secret": dig(response.json, "new_signing_secret"),
        },
        unsubscribe=lambda subscription: Request(
            "DELETE", "/v1beta/webhooks/{id}", at={"id": subscription.state["id"]}
        ),
    ),
    actions=(
        GENERATE,
        IMAGE,
        COUNT,
        EMBED,
        EMBED_SEVERAL,
        CREATE_BATCH,
        GET_BATCH,
        LIST_FILES,
        LIST_MODELS,
        GET_MODEL,
    ),
    triggers=TRIGGERS,
)
