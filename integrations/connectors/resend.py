"""Resend: send e-mail and broadcasts, keep contacts, and start on what became of an e-mail or on one that came in."""

from collections.abc import Mapping
from typing import Any

from integrations.framework import (
    Action,
    BearerToken,
    Connector,
    ConnectorError,
    CursorPages,
    Field,
    FollowUp,
    Idempotency,
    Offers,
    Output,
    PermanentError,
    RateLimit,
    ReconnectError,
    Request,
    Response,
    StandardWebhooks,
    Subscription,
    Test,
    Trigger,
    Webhooks,
    dig,
    given,
)

PAGE_SIZE = 100
PAGES = CursorPages(items="data", into="after", last_item="id", more="has_more")


def refine(response: Response) -> ConnectorError | None:
    name = str(dig(response.json, "name") or "")
    if name in ("daily_quota_exceeded", "monthly_quota_exceeded"):
        period = "day" if name.startswith("daily") else "month"
        return PermanentError(
            f"This Resend account has sent all e-mail its plan allows this {period}.",
            status=response.status,
            code=name,
        )
    if name == "restricted_api_key":
        return PermanentError(
            "This Resend key may only send. Connect with a key of full access.",
            status=response.status,
            code=name,
        )
    if name == "invalid_api_key":
        return ReconnectError(
            "Resend no longer accepts this key. Reconnect with a new one.", status=response.status, code=name
        )
    return None


def mail(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of one e-mail."""
    body = {
        name: inputs.get(name)
        for name in (
            "to",
            "subject",
            "html",
            "text",
            "cc",
            "bcc",
            "reply_to",
            "headers",
            "scheduled_at",
            "topic_id",
        )
    }
    body["from"] = inputs["sender"]
    if "template_id" in inputs:
        body["template"] = given(id=inputs["template_id"], variables=inputs.get("template_variables"))
    body["tags"] = [
        {"name": name, "value": str(value)} for name, value in inputs.get("tags", {}).items()
    ] or None
    body["attachments"] = [
        given(filename=file["name"], content=file["content"], content_type=file.get("content_type"))
        for file in inputs.get("attachments", ())
    ] or None
    return given(body)


SENDER = Field(
    "sender",
    label="From",
    required=True,
    example="Alder Chairs <orders@example.com>",
    help="An address of a domain that is verified in Resend.",
)
TO = Field(
    "to", label="To", kind="multi_select", required=True, example=["ada@example.com"], help="At most 50."
)
SUBJECT = Field("subject", label="Subject", required=True, example="Your order 1042")
HTML = Field("html", label="HTML", kind="long_text", example="<p>It is on its way.</p>")
TEXT = Field("text", label="Plain text", kind="long_text", example="It is on its way.")
SCHEDULED = Field("scheduled_at", label="Send at", kind="datetime", example="2026-11-23T09:00:00+00:00")
TAGS = Field(
    "tags",
    label="Tags",
    kind="key_value",
    example={"order": "1042"},
    advanced=True,
    help="Come back with every event about this e-mail.",
)
EMAIL_ID = Field(
    "email_id",
    label="E-mail",
    required=True,
    example="49a3999c-0ce1-4ea6-ab68-afcd6dc2e794",
    help="The id, as given by the step that sent it.",
)
CONTACT_ID = Field(
    "id", label="Contact", required=True, example="ada@example.com", help="The e-mail address or id."
)
SEGMENT = Field(
    "segment_id",
    label="Segment",
    required=True,
    options="list_segments",
    example="78261eea-8f8b-4381-83c6-79fa7120f1cf",
)
NAMES = (
    Field("first_name", label="First name", example="Ada"),
    Field("last_name", label="Last name", example="King"),
    Field("unsubscribed", label="Gets no broadcasts", kind="boolean", example=False),
    Field("properties", label="Own values", kind="key_value", example={"plan": "gold"}),
)
SENT = {
    "id": "id",
    "last_event": "last_event",
    "subject": "subject",
    "from": "from",
    "to": Output("to", kind="list"),
    "created_at": "created_at",
}

SEND_EMAIL = Action(
    key="send_email",
    label="Send an e-mail",
    description="Give a text, HTML, or both; or a template with its values.",
    fields=(
        SENDER,
        TO,
        SUBJECT,
        TEXT,
        HTML,
        Field(
            "template_id",
            label="Template",
            options="list_templates",
            example="f3b9756c-f4f4-44da-bc00-9f7903c8a83f",
        ),
        Field("template_variables", label="Template's values", kind="key_value", example={"NAME": "Ada"}),
        Field("cc", label="Copy to", kind="multi_select", example=["office@example.com"]),
        Field("bcc", label="Blind copy to", kind="multi_select", example=["archive@example.com"]),
        Field("reply_to", label="Reply to", kind="multi_select", example=["help@example.com"]),
        Field(
            "attachments",
            label="Attachments",
            kind="list",
            fields=(
                Field("name", label="File name", required=True),
                Field("content", label="Content", required=True, help="As base64 text."),
                Field("content_type", label="Type"),
            ),
            example=[{"name": "a.csv", "content": "YSxi", "content_type": "text/csv"}],
            help="40 MB in all.",
        ),
        SCHEDULED,
        TAGS,
        Field("headers", label="More headers", kind="key_value", example={"X-Order": "1042"}, advanced=True),
        Field("topic_id", label="Topic", example="b6d24b8e-af0b-4c3c-be0c-359bbd97381e", advanced=True),
    ),
    request=lambda inputs: Request("POST", "/emails", json=mail(inputs)),
    returns={"id": "id"},
    effect="key_safe",
)

SEND_BATCH = Action(
    key="send_batch",
    label="Send up to 100 e-mails",
    fields=(
        Field(
            "emails",
            label="E-mails",
            kind="list",
            required=True,
            fields=(SENDER, TO, SUBJECT, TEXT, HTML, TAGS),
            example=[
                {"sender": "orders@example.com", "to": ["ada@example.com"], "subject": "Hello", "text": "Hi"}
            ],
        ),
    ),
    request=lambda inputs: Request("POST", "/emails/batch", json=[mail(entry) for entry in inputs["emails"]]),
    returns={"emails": Output("data", kind="list", of={"id": "id"})},
    effect="key_safe",
)

GET_EMAIL = Action(
    key="get_email",
    label="Get a sent e-mail",
    fields=(EMAIL_ID,),
    call="GET /emails/{email_id}",
    returns=SENT,
    effect="read",
)

LIST_EMAILS = Action(
    key="list_emails",
    label="List sent e-mails",
    request=lambda inputs: Request("GET", "/emails", query={"limit": PAGE_SIZE}),
    pagination=PAGES,
    returns={"emails": Output("data", kind="list", of=SENT)},
    effect="read",
)

CANCEL_EMAIL = Action(
    key="cancel_email",
    label="Cancel a scheduled e-mail",
    fields=(EMAIL_ID,),
    call="POST /emails/{email_id}/cancel",
    returns={"id": "id"},
    effect="unsafe",
)  # a second time it is refused

GET_RECEIVED = Action(
    key="get_received_email",
    label="Read a received e-mail",
    fields=(
        Field(
            "email_id",
            label="E-mail",
            required=True,
            example="4ef9a417-02e9-4d39-ad75-9611e0fcc33c",
            help="The id, as given by the trigger.",
        ),
    ),
    call="GET /emails/receiving/{email_id}",
    returns={
        "id": "id",
        "from": "from",
        "to": Output("to", kind="list"),
        "subject": "subject",
        "text": "text",
        "html": "html",
        "headers": Output("headers", kind="object"),
        "message_id": "message_id",
        "attachments": Output(
            "attachments",
            kind="list",
            of={
                "id": "id",
                "filename": "filename",
                "content_type": "content_type",
                "size": Output("size", kind="integer"),
            },
        ),
    },
    effect="read",
)

CREATE_CONTACT = Action(
    key="create_contact",
    label="Create a contact",
    fields=(
        Field("email", label="E-mail", kind="email", required=True, example="ada@example.com"),
        *NAMES,
        Field(
            "segments",
            label="Segments",
            kind="multi_select",
            options="list_segments",
            example=["78261eea-8f8b-4381-83c6-79fa7120f1cf"],
        ),
        Field(
            "topics",
            label="Topics",
            kind="list",
            advanced=True,
            fields=(
                Field("id", label="Topic", required=True),
                Field(
                    "subscription",
                    label="Wanted",
                    kind="select",
                    choices=("opt_in", "opt_out"),
                    default="opt_in",
                ),
            ),
            example=[{"id": "b6d24b8e-af0b-4c3c-be0c-359bbd97381e", "subscription": "opt_in"}],
        ),
    ),
    call="POST /contacts",
    returns={"id": "id"},
    effect="unsafe",
)

UPDATE_CONTACT = Action(
    key="update_contact",
    label="Change a contact",
    fields=(CONTACT_ID, *NAMES),
    call="PATCH /contacts/{id}",
    returns={"id": "id"},
    effect="key_safe",
)  # the same values set twice are the same contact

LIST_CONTACTS = Action(
    key="list_contacts",
    label="List contacts",
    fields=(
        Field(
            "segment_id",
            label="Only of this segment",
            options="list_segments",
            example="78261eea-8f8b-4381-83c6-79fa7120f1cf",
        ),
    ),
    request=lambda inputs: Request(
        "GET", "/contacts", query={"segment_id": inputs.get("segment_id"), "limit": PAGE_SIZE}
    ),
    pagination=PAGES,
    returns={
        "contacts": Output(
            "data",
            kind="list",
            of={
                "id": "id",
                "email": "email",
                "first_name": "first_name",
                "last_name": "last_name",
                "unsubscribed": Output("unsubscribed", kind="boolean"),
                "created_at": "created_at",
            },
        )
    },
    effect="read",
)

ADD_TO_SEGMENT = Action(
    key="add_contact_to_segment",
    label="Add a contact to a segment",
    fields=(
        Field(
            "contact_id",
            label="Contact",
            required=True,
            example="ada@example.com",
            help="The e-mail address or id.",
        ),
        SEGMENT,
    ),
    call="POST /contacts/{contact_id}/segments/{segment_id}",
    returns={"contact_id": "contact_id", "segment_id": "segment_id"},
    effect="key_safe",
)  # a contact is in a segment or not: a repeat changes nothing

CREATE_BROADCAST = Action(
    key="create_broadcast",
    label="Create a broadcast",
    fields=(
        SEGMENT,
        SENDER,
        SUBJECT,
        Field(
            "html",
            label="HTML",
            kind="long_text",
            example='<a href="{{{RESEND_UNSUBSCRIBE_URL}}}">Leave</a>',
            help="Should hold {{{RESEND_UNSUBSCRIBE_URL}}}, the link by which people leave.",
        ),
        TEXT,
        Field("name", label="Name in Resend", example="Week 47"),
        Field("send", label="Send it now", kind="boolean", example=False, help="Otherwise it stays a draft."),
        SCHEDULED,
    ),
    request=lambda inputs: Request(
        "POST",
        "/broadcasts",
        json={
            "from": inputs["sender"],
            **{name: value for name, value in inputs.items() if name != "sender"},
        },
    ),
    returns={"id": "id"},
    effect="unsafe",
)  # keys are kept for e-mails only

SEND_BROADCAST = Action(
    key="send_broadcast",
    label="Send a broadcast",
    fields=(
        Field(
            "id",
            label="Broadcast",
            required=True,
            example="559ac32e-9ef5-46fb-82a1-b76b840c0f7b",
            help="The id, as given by the step that created it.",
        ),
        SCHEDULED,
    ),
    call="POST /broadcasts/{id}/send",
    returns={"id": "id"},
    effect="unsafe",
)

LIST_DOMAINS = Action(
    key="list_domains",
    label="List domains",
    request=lambda inputs: Request("GET", "/domains", query={"limit": PAGE_SIZE}),
    pagination=PAGES,
    returns={"domains": Output("data", kind="list", of={"id": "id", "name": "name", "status": "status"})},
    effect="read",
)

EVENTS = (
    "email.sent",
    "email.delivered",
    "email.bounced",
    "email.complained",
    "email.opened",
    "email.clicked",
    "email.received",
    "contact.created",
    "contact.updated",
    "contact.deleted",
)

CREATE_WEBHOOK = Action(
    key="create_webhook",
    label="Create a webhook",
    description="For another system. Triggers of this app make their own.",
    fields=(
        Field("endpoint", label="Address", kind="url", required=True, example="https://example.com/resend"),
        Field(
            "events",
            label="Events",
            kind="multi_select",
            required=True,
            choices=tuple((name, name) for name in EVENTS),
            example=["email.bounced"],
        ),
    ),
    call="POST /webhooks",
    returns={"id": "id"},
    effect="unsafe",
)  # its secret stays out of the run's record

LIST_SEGMENTS = Action(
    key="list_segments",
    label="List segments",
    request=lambda inputs: Request("GET", "/segments", query={"limit": PAGE_SIZE}),
    pagination=PAGES,
    offers=Offers(items="segments"),
    returns={"segments": Output("data", kind="list", of={"id": "id", "name": "name"})},
    effect="read",
)

LIST_TEMPLATES = Action(
    key="list_templates",
    label="List templates",
    request=lambda inputs: Request("GET", "/templates", query={"limit": PAGE_SIZE}),
    pagination=PAGES,
    offers=Offers(items="templates"),
    returns={"templates": Output("data", kind="list", of={"id": "id", "name": "name", "status": "status"})},
    effect="read",
)


def event(type_: str, **data: Any) -> dict[str, Any]:
    """Return a sample delivery in the shape of Resend's events."""
    return {
        "type": type_,
        "created_at": "2026-11-22T09:30:00.000Z",
        "data": {
            "created_at": "2026-11-22T09:29:58.000Z",
            "email_id": "56761188-7520-42d8-8898-ff6fc54ce618",
            "from": "Alder Chairs <orders@example.com>",
            "to": ["ada@example.com"],
            "subject": "Your order 1042",
            **data,
        },
    }


MAIL = {
    "type": "type",
    "email_id": "data.email_id",
    "from": "data.from",
    "to": Output("data.to", kind="list"),
    "subject": "data.subject",
    "tags": Output("data.tags", kind="json"),
    "created_at": "created_at",
}


def read_received(event: Mapping[str, Any], account: Mapping[str, Any]) -> Request | None:
    # The event tells who, whom and the subject; the text has to be fetched.
    email_id = dig(event, "data.email_id")
    return Request("GET", "/emails/receiving/{email_id}", at={"email_id": email_id}) if email_id else None


TRIGGERS = (
    Trigger(
        key="email_delivered",
        label="An e-mail is delivered",
        event="email.delivered",
        returns=MAIL,
        sample=event("email.delivered", tags={"order": "1042"}),
    ),
    Trigger(
        key="email_bounced",
        label="An e-mail bounces or is marked as spam",
        event=("email.bounced", "email.complained"),
        returns={**MAIL, "reason": "data.bounce.message", "bounce_type": "data.bounce.type"},
        sample=event("email.bounced", bounce={"message": "No such mailbox", "type": "Permanent"}),
    ),
    Trigger(
        key="email_opened",
        label="An e-mail is opened or a link is clicked",
        event=("email.opened", "email.clicked"),
        returns={**MAIL, "link": "data.click.link"},
        description="Needs tracking to be switched on for the domain.",
        sample=event("email.clicked", click={"link": "https://example.com/", "ipAddress": "203.0.113.7"}),
    ),
    Trigger(
        key="email_received",
        label="An e-mail comes in",
        event="email.received",
        returns={
            **MAIL,
            "message_id": "data.message_id",
            "text": "received.text",
            "html": "received.html",
            "attachments": Output("data.attachments", kind="list"),
        },
        follow_up=FollowUp(request=read_received, into="received"),
        sample=event("email.received", message_id="<CAB1@mail.example.com>", attachments=[]),
    ),
    Trigger(
        key="contact_created",
        label="A contact is created",
        event="contact.created",
        returns={
            "id": "data.id",
            "email": "data.email",
            "first_name": "data.first_name",
            "last_name": "data.last_name",
            "created_at": "created_at",
        },
        sample={
            "type": "contact.created",
            "created_at": "2026-11-22T09:30:00.000Z",
            "data": {
                "id": "e169aa45-1ecf-4183-9955-b1499d5701d3",
                "email": "ada@example.com",
                "first_name": "Ada",
                "last_name": "King",
                "unsubscribed": False,
            },
        },
    ),
)


def subscribe(subscription: Subscription) -> Request:
    return Request(
        "POST", "/webhooks", json={"endpoint": subscription.address, "events": list(subscription.events)}
    )


connector = Connector(
    slug="resend",
    name="Resend",
    category="Email",
    summary="Send e-mail and broadcasts, keep contacts, and react to bounces, clicks and incoming mail.",
    docs_url="https://resend.com/docs/api-reference/introduction",
    base_url="https://api.resend.com",
    auth=BearerToken(
        example="re_", help="In Resend: API Keys, Create API Key, with full access. It begins with re_."
    ),
    headers={"User-Agent": "Steward"},  # calls without one are refused
    idempotency=Idempotency("Idempotency-Key", max_length=256),  # kept for a day
    test=Test(Request("GET", "/domains"), label="data.0.name"),
    on_error=refine,
    rate_limit=RateLimit(calls=2),  # newer pages say 5 a second for a team, older ones 2
    webhooks=Webhooks(
        address="trigger",
        signature=StandardWebhooks(prefix="svix"),
        event="type",
        delivery_id="header:svix-id",
        subscribe=subscribe,
        read=lambda response, subscription: {
            "id": dig(response.json, "id"),
            "secret": dig(response.json, "signing_secret"),
        },
        unsubscribe=lambda subscription: Request(
            "DELETE", "/webhooks/{webhook_id}", at={"webhook_id": subscription.state["id"]}
        ),
    ),
    actions=(
        SEND_EMAIL,
        SEND_BATCH,
        GET_EMAIL,
        LIST_EMAILS,
        CANCEL_EMAIL,
        GET_RECEIVED,
        CREATE_CONTACT,
        UPDATE_CONTACT,
        LIST_CONTACTS,
        ADD_TO_SEGMENT,
        CREATE_BROADCAST,
        SEND_BROADCAST,
        LIST_DOMAINS,
        CREATE_WEBHOOK,
        LIST_SEGMENTS,
        LIST_TEMPLATES,
    ),
    triggers=TRIGGERS,
)
