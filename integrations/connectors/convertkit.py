"""Kit (formerly ConvertKit): subscribers, tags, forms, sequences and broadcasts; start when people join or leave."""

from collections.abc import Mapping
from typing import Any

from integrations.framework import (
    Action,
    ApiKey,
    Connector,
    ConnectorError,
    CursorPages,
    Field,
    OAuth2,
    Offers,
    Output,
    PermanentError,
    Poll,
    RateLimit,
    Request,
    Response,
    Subscription,
    TemporaryError,
    Test,
    TimestampedHmac,
    Trigger,
    Webhooks,
    dig,
)

PAGE_SIZE = 500


def refine(response: Response) -> ConnectorError | None:
    if response.status == 429:
        # "Retry later" and no header: the window is a minute.
        return TemporaryError("Kit asked us to slow down. We will try again.", retry_after=60, status=429)
    if response.status == 413:
        return TemporaryError(
            "Kit is still busy with earlier work of this account. We will try again.",
            retry_after=300,
            status=413,
        )
    message = str(dig(response.json, "errors.0") or "")
    if response.status == 401 and ("plan" in message.lower() or "oauth" in message.lower()):
        # Also said for a plan without the API, and for calls that need signing in: a new key would not help.
        return PermanentError(f'Kit refused: "{message}"', status=401)
    return None


def pages(items: str) -> CursorPages:
    return CursorPages(
        items=items, into="after", cursor="pagination.end_cursor", more="pagination.has_next_page"
    )


def texts(values: Mapping[str, Any] | None) -> dict[str, str] | None:
    return {name: "" if value is None else str(value) for name, value in values.items()} if values else None


EMAIL = Field("email_address", label="E-mail", kind="email", required=True, example="ada@example.com")
EXISTING = Field(
    "email_address",
    label="Subscriber's e-mail",
    kind="email",
    required=True,
    example="ada@example.com",
    help="The subscriber must exist: “Create or update a subscriber” comes first.",
)
FIRST_NAME = Field("first_name", label="First name", example="Ada")
FIELDS = Field(
    "fields",
    label="Own fields",
    kind="key_value",
    example={"last_name": "King"},
    help="The keys of the account's own fields, such as last_name, and their values.",
)
SUBSCRIBER_ID = Field(
    "id",
    label="Subscriber",
    kind="integer",
    required=True,
    example=2819,
    help="The number, as given by an earlier step.",
)
TAG = Field("tag_id", label="Tag", kind="integer", required=True, options="list_tags", example=11)
STATES = ("active", "inactive", "bounced", "complained", "cancelled")
PERSON = {
    "id": Output("id", kind="integer"),
    "email_address": "email_address",
    "first_name": "first_name",
    "state": "state",
    "created_at": "created_at",
    "fields": Output("fields", kind="object"),
}
SUBSCRIBER = {
    name: Output(f"subscriber.{name}", kind=output.kind if isinstance(output, Output) else "text")
    for name, output in PERSON.items()
}

UPSERT_SUBSCRIBER = Action(
    key="upsert_subscriber",
    label="Create or update a subscriber",
    fields=(
        EMAIL,
        FIRST_NAME,
        Field(
            "state", label="State when new", kind="select", choices=("active", "inactive"), example="active"
        ),
        FIELDS,
    ),
    request=lambda inputs: Request(
        "POST", "/v4/subscribers", json={**inputs, "fields": texts(inputs.get("fields"))}
    ),
    returns=SUBSCRIBER,
    effect="key_safe",
)  # found by address, then set

FIND_SUBSCRIBER = Action(
    key="find_subscriber",
    label="Find a subscriber by e-mail",
    fields=(
        EMAIL,
        Field(
            "status",
            label="State",
            kind="select",
            choices=(("all", "Any"), *STATES),
            default="all",
            example="all",
        ),
    ),
    request=lambda inputs: Request(
        "GET",
        "/v4/subscribers",
        query={"email_address": inputs["email_address"], "status": inputs["status"], "include": "tags"},
    ),
    returns={
        "id": Output("subscribers.0.id", kind="integer", label="First one found"),
        "subscribers": Output("subscribers", kind="list", of={**PERSON, "tags": Output("tags", kind="list")}),
    },
    effect="read",
)

UPDATE_SUBSCRIBER = Action(
    key="update_subscriber",
    label="Change a subscriber",
    fields=(SUBSCRIBER_ID, EMAIL, FIRST_NAME, FIELDS),
    request=lambda inputs: Request(
        "PUT",
        "/v4/subscribers/{id}",
        at={"id": inputs["id"]},
        json={
            "email_address": inputs["email_address"],
            "first_name": inputs.get("first_name"),
            "fields": texts(inputs.get("fields")),
        },
    ),
    returns=SUBSCRIBER,
    effect="key_safe",
)  # PUT of a named subscriber

UNSUBSCRIBE = Action(
    key="unsubscribe",
    label="Unsubscribe",
    description="The person gets no more e-mail of this account.",
    fields=(SUBSCRIBER_ID,),
    call="POST /v4/subscribers/{id}/unsubscribe",
    effect="key_safe",
)  # who has left stays so

TAGGED = {
    "id": Output("subscriber.id", kind="integer"),
    "email_address": "subscriber.email_address",
    "tagged_at": "subscriber.tagged_at",
}

TAG_BY_EMAIL = Action(
    key="tag_by_email",
    label="Tag a subscriber by e-mail",
    fields=(TAG, EXISTING),
    call="POST /v4/tags/{tag_id}/subscribers",
    returns=TAGGED,
    effect="key_safe",
)  # a tag is not added twice

TAG_SUBSCRIBER = Action(
    key="tag_subscriber",
    label="Tag a subscriber",
    fields=(TAG, SUBSCRIBER_ID),
    call="POST /v4/tags/{tag_id}/subscribers/{id}",
    returns=TAGGED,
    effect="key_safe",
)  # a tag is not added twice

UNTAG_SUBSCRIBER = Action(
    key="untag_subscriber",
    label="Remove a tag",
    fields=(TAG, SUBSCRIBER_ID),
    call="DELETE /v4/tags/{tag_id}/subscribers/{id}",
    effect="unsafe",
)  # a second time finds nothing

CREATE_TAG = Action(
    key="create_tag",
    label="Create a tag",
    description="Gives the existing one when the name is taken.",
    fields=(Field("name", label="Name", required=True, example="Customer"),),
    call="POST /v4/tags",
    returns={"id": Output("tag.id", kind="integer"), "name": "tag.name"},
    effect="key_safe",
)

ADDED = {
    "id": Output("subscriber.id", kind="integer"),
    "email_address": "subscriber.email_address",
    "added_at": "subscriber.added_at",
}

ADD_TO_FORM = Action(
    key="add_to_form",
    label="Add a subscriber to a form",
    fields=(
        Field("form_id", label="Form", kind="integer", required=True, options="list_forms", example=53),
        EXISTING,
        Field(
            "referrer",
            label="Came from",
            kind="url",
            example="https://example.com/?utm_source=fair",
            advanced=True,
            help="A web address; its utm values are kept.",
        ),
    ),
    call="POST /v4/forms/{form_id}/subscribers",
    returns=ADDED,
    effect="key_safe",
)  # who is on the form already stays on it

ADD_TO_SEQUENCE = Action(
    key="add_to_sequence",
    label="Add a subscriber to a sequence",
    fields=(
        Field(
            "sequence_id",
            label="Sequence",
            kind="integer",
            required=True,
            options="list_sequences",
            example=4,
        ),
        EXISTING,
    ),
    call="POST /v4/sequences/{sequence_id}/subscribers",
    returns=ADDED,
    effect="unsafe",
)  # where repeating is on, a second time starts it again


def audience(inputs: Mapping[str, Any]) -> list[dict[str, Any]]:
    tags = (
        [{"type": "tag", "ids": [int(tag) for tag in inputs["only_tags"]]}] if "only_tags" in inputs else []
    )
    return [{"all": tags, "any": [], "none": []}] if tags else []


CREATE_BROADCAST = Action(
    key="create_broadcast",
    label="Create a broadcast",
    description="Stays a draft unless a time to send is given.",
    fields=(
        Field("subject", label="Subject", required=True, example="News of the week"),
        Field(
            "content", label="Content", kind="long_text", required=True, example="<p>Hello</p>", help="HTML."
        ),
        Field("preview_text", label="Preview text", required=True, example="What is new"),
        Field("description", label="Name in Kit", required=True, example="Week 47"),
        Field(
            "published_at",
            label="Date shown on the web",
            kind="datetime",
            required=True,
            example="2026-11-22T09:00:00+00:00",
        ),
        Field("public", label="Also publish on the web", kind="boolean", default=False, example=False),
        Field("send_at", label="Send at", kind="datetime", example="2026-11-23T09:00:00+00:00"),
        Field(
            "only_tags",
            label="Only to people with these tags",
            kind="multi_select",
            options="list_tags",
            example=["11"],
            help="Empty sends to everyone.",
        ),
        Field("email_template_id", label="Template", kind="integer", example=7, advanced=True),
        Field("email_address", label="Sender", kind="email", example="news@example.com", advanced=True),
    ),
    request=lambda inputs: Request(
        "POST",
        "/v4/broadcasts",
        json={
            **{name: value for name, value in inputs.items() if name != "only_tags"},
            "subscriber_filter": audience(inputs),
        },
    ),
    returns={
        "id": Output("broadcast.id", kind="integer"),
        "subject": "broadcast.subject",
        "send_at": "broadcast.send_at",
        "public_url": "broadcast.public_url",
    },
    effect="unsafe",
)


def listing(key: str, label: str, path: str, items: str, *, value: str = "id", shown: str = "name") -> Action:
    kind = "integer" if value == "id" else "text"
    return Action(
        key=key,
        label=label,
        request=lambda inputs: Request("GET", path, query={"per_page": PAGE_SIZE}),
        pagination=pages(items),
        offers=Offers(items=items, value=value, label=shown),
        returns={items: Output(items, kind="list", of={value: Output(value, kind=kind), shown: shown})},
        effect="read",
    )


LIST_TAGS = listing("list_tags", "List tags", "/v4/tags", "tags")
LIST_FORMS = listing("list_forms", "List forms", "/v4/forms", "forms")
LIST_SEQUENCES = listing("list_sequences", "List sequences", "/v4/sequences", "sequences")
LIST_FIELDS = listing(
    "list_custom_fields", "List own fields", "/v4/custom_fields", "custom_fields", value="key", shown="label"
)


def event(type_: str, **data: Any) -> dict[str, Any]:
    """Return a sample of one event of a delivery."""
    return {
        "id": "0193a1b2-7c44-7d10-9a55-3f0c1de2ab01",
        "type": type_,
        "created": "2026-11-22T09:30:00Z",
        "data": {
            "subscriber": {
                "id": 2819,
                "first_name": "Ada",
                "email_address": "ada@example.com",
                "state": "active",
                "created_at": "2026-11-22T09:29:59Z",
                "fields": {"last_name": "King"},
            },
            **data,
        },
    }


JOINED = {
    **{
        name: Output(f"data.subscriber.{name}", kind=output.kind if isinstance(output, Output) else "text")
        for name, output in PERSON.items()
    },
    "happened_at": "created",
}


def is_wanted_tag(event: dict, config: dict, account: dict) -> bool:
    wanted = config.get("tag_id")
    return not wanted or str(dig(event, "data.tag.id")) == str(wanted)


TRIGGERS = (
    Trigger(
        key="subscriber_created",
        label="New subscriber",
        event="subscriber.created",
        returns=JOINED,
        sample=event("subscriber.created"),
    ),
    Trigger(
        key="subscriber_activated",
        label="A subscriber confirms",
        event="subscriber.activated",
        returns=JOINED,
        sample=event("subscriber.activated"),
    ),
    Trigger(
        key="tag_added",
        label="A tag is added to a subscriber",
        event="subscriber.tag_added",
        accepts=is_wanted_tag,
        fields=(Field("tag_id", label="Only this tag", kind="integer", options="list_tags", example=11),),
        returns={**JOINED, "tag_id": Output("data.tag.id", kind="integer"), "tag": "data.tag.name"},
        sample=event("subscriber.tag_added", tag={"id": 11, "name": "Customer"}),
    ),
    Trigger(
        key="unsubscribed",
        label="Somebody unsubscribes",
        event="subscriber.unsubscribed",
        returns=JOINED,
        sample=event("subscriber.unsubscribed"),
    ),
    Trigger(
        key="subscribers_poll",
        label="New subscriber (checked every few minutes)",
        kind="polling",
        poll=Poll(
            request=lambda config, since: Request(
                "GET",
                "/v4/subscribers",
                query={
                    "created_after": since,
                    "sort_field": "created_at",
                    "sort_order": "desc",
                    "status": "all",
                    "per_page": PAGE_SIZE,
                },
            ),
            items="subscribers",
            id="id",
            stamp="created_at",
            pagination=pages("subscribers"),
        ),
        returns=PERSON,
        sample={
            "id": 2819,
            "first_name": "Ada",
            "email_address": "ada@example.com",
            "state": "active",
            "created_at": "2026-11-22T09:29:59Z",
            "fields": {"last_name": "King"},
        },
    ),
)


def subscribe(subscription: Subscription) -> Request:
    return Request(
        "POST",
        "/v4/webhook_endpoints",
        json={"url": subscription.address, "events": list(subscription.events), "name": "Steward"},
    )


connector = Connector(
    slug="convertkit",
    name="Kit (ConvertKit)",
    category="Email marketing",
    summary="Add and tag subscribers, fill forms and sequences, and react when people join or leave.",
    docs_url="https://developers.kit.com/api-reference/overview",
    base_url="https://api.kit.com",
    auth=(
        OAuth2(
            authorize_url="https://app.kit.com/oauth/authorize",
            token_url="https://api.kit.com/oauth/token",
            revoke_url="https://api.kit.com/oauth/revoke",
            scopes=("public",),
            token_body="json",
            rotates_refresh_token=True,
        ),
        ApiKey(
            header="X-Kit-Api-Key",
            secret_label="API key",
            label="API key",
            help="In Kit: Settings, Developer, V4 Keys. It is shown once.",
        ),
    ),
    test=Test(Request("GET", "/v4/account"), account={"account_id": "account.id"}, label="account.name"),
    on_error=refine,
    error_paths=("errors.0",),
    rate_limit=RateLimit(calls=120, seconds=60),  # an API key's pace; five times that when signed in
    webhooks=Webhooks(
        address="trigger",
        signature=TimestampedHmac("X-Kit-Signature"),
        events="events",
        event="type",
        delivery_id="id",
        subscribe=subscribe,
        read=lambda response, subscription: {
            "id": dig(response.json, "webhook_endpoint.id"),
            "secret": dig(response.json, "webhook_endpoint.secret"),
        },
        unsubscribe=lambda subscription: Request(
            "DELETE", "/v4/webhook_endpoints/{id}", at={"id": subscription.state["id"]}
        ),
    ),
    actions=(
        UPSERT_SUBSCRIBER,
        FIND_SUBSCRIBER,
        UPDATE_SUBSCRIBER,
        UNSUBSCRIBE,
        TAG_BY_EMAIL,
        TAG_SUBSCRIBER,
        UNTAG_SUBSCRIBER,
        CREATE_TAG,
        ADD_TO_FORM,
        ADD_TO_SEQUENCE,
        CREATE_BROADCAST,
        LIST_TAGS,
        LIST_FORMS,
        LIST_SEQUENCES,
        LIST_FIELDS,
    ),
    triggers=TRIGGERS,
)
