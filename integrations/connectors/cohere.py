"""Cohere: chat, embeddings, ranking, transcription and embed jobs."""

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
    ReconnectError,
    Request,
    Response,
    TemporaryError,
    Test,
    Trigger,
    dig,
    given,
    read_file,
)

AUDIO = {"name": "call.mp3", "content": "SUQz", "content_type": "audio/mpeg"}


def refine(response: Response) -> ConnectorError | None:
    message = str(dig(response.json, "message") or "")
    if response.status == 498:
        return ReconnectError("Cohere no longer accepts this key. Reconnect with a new one.", status=498)
    if response.status == 429 and "month" in message.lower():
        # A trial key's thousand calls a month are spent: waiting some seconds never helps.
        return PermanentError(
            "The free calls of this Cohere key are used up. Use a production key, then run again.",
            status=429,
        )
    if response.status == 499:
        return TemporaryError("Cohere did not finish in time. We will try again.", status=499)
    return None


def chat_text(response: Response) -> dict:
    """Return the answer with its text parts joined: that is what most steps want."""
    body = response.json or {}
    parts = dig(body, "message.content") or []
    return {
        "id": body.get("id"),
        "text": "".join(part.get("text") or "" for part in parts if part.get("type", "text") == "text"),
        "tool_calls": dig(body, "message.tool_calls"),
        "citations": dig(body, "message.citations"),
        "finish_reason": body.get("finish_reason"),
        "input_tokens": dig(body, "usage.tokens.input_tokens"),
        "output_tokens": dig(body, "usage.tokens.output_tokens"),
    }


def model(example: str) -> Field:
    return Field("model", label="Model", required=True, options="list_models", example=example)


def texts(values: list[dict] | None) -> list[str] | None:
    return [entry["text"] for entry in values] if values is not None else None


def text_list(key: str, label: str, *, required: bool = True, hint: str = "") -> Field:
    return Field(
        key,
        label=label,
        kind="list",
        required=required,
        fields=(Field("text", label="Text", kind="long_text", required=True, example="Garden chair"),),
        example=[{"text": "Garden chair"}],
        help=hint,
    )


INPUT_TYPE = Field(
    "input_type",
    label="What the texts are for",
    kind="select",
    required=True,
    choices=(
        ("search_document", "To be found by a search"),
        ("search_query", "A search"),
        ("classification", "Sorting into classes"),
        ("clustering", "Grouping"),
    ),
    example="search_document",
)
TRUNCATE = Field(
    "truncate",
    label="When too long",
    kind="select",
    choices=(("START", "Cut the beginning"), ("END", "Cut the end")),
    advanced=True,
    example="END",
)
TEMPERATURE = Field(
    "temperature", label="Temperature", kind="number", minimum=0, maximum=1, advanced=True, example=0.3
)

CHAT = Action(
    key="chat",
    label="Chat",
    fields=(
        model("command-a-03-2025"),
        Field(
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
                    choices=("system", "user", "assistant"),
                    example="user",
                ),
                Field("content", label="Text", kind="long_text", required=True, example="Hello"),
            ),
            example=[{"role": "user", "content": "Hello"}],
        ),
        TEMPERATURE,
        Field("max_tokens", label="Most tokens to write", kind="integer", minimum=1, example=500),
        Field(
            "response_format",
            label="Output format",
            kind="json",
            advanced=True,
            example={"type": "json_object"},
        ),
        text_list("documents", "Sources", required=False, hint="Texts the answer is based on and cites."),
        Field(
            "tools",
            label="Tools",
            kind="json",
            advanced=True,
            example=[
                {
                    "type": "function",
                    "function": {"name": "find_order", "parameters": {"type": "object", "properties": {}}},
                }
            ],
        ),
        Field(
            "safety_mode",
            label="Safety",
            kind="select",
            choices=("CONTEXTUAL", "STRICT", "OFF"),
            advanced=True,
            example="CONTEXTUAL",
        ),
        Field("stop_sequences", label="Stop at", kind="json", advanced=True, example=["END"]),
    ),
    request=lambda inputs: Request(
        "POST",
        "/v2/chat",
        # Without it the same address may stream, which no step could read.
        json={**inputs, "documents": texts(inputs.get("documents")), "stream": False},
    ),
    output=chat_text,
    returns={
        "id": "id",
        "text": "message.content.0.text",
        "tool_calls": Output("message.tool_calls", kind="json"),
        "citations": Output("message.citations", kind="json"),
        "finish_reason": "finish_reason",
        "input_tokens": Output("usage.tokens.input_tokens", kind="integer"),
        "output_tokens": Output("usage.tokens.output_tokens", kind="integer"),
    },
    effect="unsafe",  # no idempotency key is documented; a repeat is paid for twice
)

EMBED = Action(
    key="embed",
    label="Embed texts",
    fields=(
        model("embed-v4.0"),
        INPUT_TYPE,
        text_list("texts", "Texts", hint="At most 96."),
        Field(
            "output_dimension",
            label="Dimensions",
            kind="select",
            choices=(("256", "256"), ("512", "512"), ("1024", "1024"), ("1536", "1536")),
            advanced=True,
            example="1024",
        ),
        TRUNCATE,
    ),
    request=lambda inputs: Request(
        "POST",
        "/v2/embed",
        json=given(
            model=inputs["model"],
            input_type=inputs["input_type"],
            texts=texts(inputs["texts"]),
            embedding_types=["float"],
            output_dimension=int(inputs["output_dimension"]) if "output_dimension" in inputs else None,
            truncate=inputs.get("truncate"),
        ),
    ),
    returns={"id": "id", "embeddings": Output("embeddings.float", kind="json")},
    effect="read",  # computes and keeps nothing
)

RERANK = Action(
    key="rerank",
    label="Rank texts against a question",
    fields=(
        model("rerank-v3.5"),
        Field("query", label="Question", required=True, example="Which chair folds flat?"),
        text_list("documents", "Texts"),
        Field("top_n", label="How many back", kind="integer", minimum=1, example=3),
        Field(
            "max_tokens_per_doc",
            label="Most tokens a text",
            kind="integer",
            minimum=1,
            advanced=True,
            example=4096,
        ),
    ),
    request=lambda inputs: Request(
        "POST", "/v2/rerank", json={**inputs, "documents": texts(inputs["documents"])}
    ),
    returns={
        "id": "id",
        "results": Output(
            "results",
            kind="list",
            of={
                "index": Output("index", kind="integer"),
                "relevance_score": Output("relevance_score", kind="number"),
            },
        ),
        "search_units": Output("meta.billed_units.search_units", kind="number"),
    },
    effect="read",
)

TRANSCRIBE = Action(
    key="transcribe_audio",
    label="Turn speech into text",
    fields=(
        model("cohere-transcribe-03-2026"),
        Field(
            "language",
            label="Language",
            required=True,
            example="en",
            pattern="^[a-z]{2}$",
            help="Two letters.",
        ),
        Field("file", label="Recording", kind="file", required=True, example=AUDIO),
        TEMPERATURE,
    ),
    request=lambda inputs: Request(
        "POST",
        "/v2/audio/transcriptions",
        files={"file": read_file(inputs["file"])},
        form={key: inputs.get(key) for key in ("model", "language", "temperature")},
    ),
    returns={"text": "text"},
    effect="read",
)

TOKENIZE = Action(
    key="tokenize",
    label="Split text into tokens",
    fields=(
        Field(
            "text", label="Text", kind="long_text", required=True, max_length=65536, example="Garden chair"
        ),
        model("command-a-03-2025"),
    ),
    call="POST /v1/tokenize",
    returns={"tokens": Output("tokens", kind="json"), "token_strings": Output("token_strings", kind="json")},
    effect="read",
)

DETOKENIZE = Action(
    key="detokenize",
    label="Join tokens into text",
    fields=(
        Field("tokens", label="Tokens", kind="json", required=True, example=[10002, 2261]),
        model("command-a-03-2025"),
    ),
    call="POST /v1/detokenize",
    returns={"text": "text"},
    effect="read",
)

CREATE_JOB = Action(
    key="create_embed_job",
    label="Start an embed job",
    fields=(
        model("embed-v4.0"),
        Field(
            "dataset_id",
            label="Dataset",
            required=True,
            example="my-dataset-id",
            help="A validated dataset of the type embed-input.",
        ),
        INPUT_TYPE,
        Field("name", label="Name", example="Catalogue"),
        Field("embedding_types", label="Kinds", kind="json", advanced=True, example=["float"]),
        TRUNCATE,
    ),
    call="POST /v1/embed-jobs",
    returns={"job_id": "job_id"},
    effect="unsafe",
)

JOB = {
    "job_id": "job_id",
    "name": "name",
    "status": "status",
    "output_dataset_id": "output_dataset_id",
    "created_at": "created_at",
}

GET_JOB = Action(
    key="get_embed_job",
    label="Get an embed job",
    fields=(Field("id", label="Job", required=True, example="embed-job-1"),),
    call="GET /v1/embed-jobs/{id}",
    returns=JOB,
    effect="read",
)

LIST_MODELS = Action(
    key="list_models",
    label="List models",
    fields=(
        Field(
            "endpoint",
            label="For",
            kind="select",
            choices=("chat", "embed", "rerank"),
            example="chat",
        ),
        Field("default_only", label="Only the defaults", kind="boolean", advanced=True, example=False),
    ),
    request=lambda inputs: Request(
        "GET",
        "/v1/models",
        query={
            "page_size": 100,
            "endpoint": inputs.get("endpoint"),
            "default_only": inputs.get("default_only"),
        },
    ),
    pagination=CursorPages(items="models", cursor="next_page_token", into="page_token"),
    offers=Offers(items="models", value="name", label="name"),
    returns={
        "models": Output(
            "models",
            kind="list",
            of={
                "name": "name",
                "endpoints": Output("endpoints", kind="json"),
                "context_length": Output("context_length", kind="number"),
            },
        )
    },
    effect="read",
)

CHECK_KEY = Action(
    key="check_api_key",
    label="Check the key",
    call="POST /v1/check-api-key",
    returns={"valid": Output("valid", kind="boolean"), "organization_id": "organization_id"},
    effect="read",
)

TRIGGERS = (
    Trigger(
        key="embed_job_done",
        label="An embed job ends (checked every few minutes)",
        kind="polling",
        # The list has no cursor and nothing moves when a job ends: each look reads it all, and ended jobs count.
        poll=Poll(
            request=lambda config, since: Request("GET", "/v1/embed-jobs"),
            items=lambda response, config: [
                job
                for job in dig(response.json, "embed_jobs") or []
                if job.get("status") in ("complete", "cancelled", "failed")
            ],
            id=("job_id", "status"),
        ),
        returns=JOB,
        sample={
            "job_id": "embed-job-1",
            "name": "Catalogue",
            "status": "complete",
            "created_at": "2026-11-20T09:00:00Z",
            "input_dataset_id": "my-dataset-id",
            "output_dataset_id": "my-dataset-id-embedded",
            "model": "embed-v4.0",
            "truncate": "END",
        },
    ),
    Trigger(
        key="batch_done",
        label="A batch ends (checked every few minutes)",
        kind="polling",
        fields=(Field("batch_id", label="Batch", required=True, example="batch-1"),),
        poll=Poll(
            request=lambda config, since: Request("GET", "/v2/batches/{id}", at={"id": config["batch_id"]}),
            items=lambda response, config: [
                batch
                for batch in [dig(response.json, "batch") or {}]
                if batch.get("status")
                in ("BATCH_STATUS_COMPLETED", "BATCH_STATUS_FAILED", "BATCH_STATUS_CANCELED")
            ],
            id=("id", "status"),
        ),
        returns={
            "id": "id",
            "name": "name",
            "status": "status",
            "output_dataset_id": "output_dataset_id",
            "updated_at": "updated_at",
        },
        sample={
            "id": "batch-1",
            "name": "Catalogue",
            "status": "BATCH_STATUS_COMPLETED",
            "output_dataset_id": "my-dataset-id-out",
            "updated_at": "2026-11-20T09:30:00Z",
        },
    ),
)

connector = Connector(
    slug="cohere",
    name="Cohere",
    category="AI",
    summary="Chat, embed and rank texts, transcribe recordings.",
    docs_url="https://docs.cohere.com/reference/about",
    base_url="https://api.cohere.com",
    auth=BearerToken(help="In the Cohere dashboard: API keys. A trial key allows 1000 calls a month."),
    test=Test(Request("POST", "/v1/check-api-key"), account={"organization_id": "organization_id"}),
    on_error=refine,
    actions=(
        CHAT,
        EMBED,
        RERANK,
        TRANSCRIBE,
        TOKENIZE,
        DETOKENIZE,
        CREATE_JOB,
        GET_JOB,
        LIST_MODELS,
        CHECK_KEY,
    ),
    triggers=TRIGGERS,
)
