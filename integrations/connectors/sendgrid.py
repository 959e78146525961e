"""SendGrid: send e-mail, keep marketing contacts, and start on what became of an e-mail or on one that came in."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from integrations.framework import (
    Action,
    BearerToken,
    Connector,
    ConnectorError,
    Ecdsa,
    Field,
    Inbound,
    LinkPages,
    Offers,
    OffsetPages,
    Output,
    Poll,
    RateLimit,
    Request,
    Response,
    Subscription,
    TemporaryError,
    Test,
    Trigger,
    Webhooks,
    dig,
    given,
)

PAGE_SIZE = 500
RETRY_HOURS = 24  # SendGrid offers an event again for that long


def refine(response: Response) -> ConnectorError | None:
    if response.status != 429:
        return None
    return TemporaryError(
        "SendGrid asked us to slow down. We will try again.",
        retry_after=seconds_to_reset(response),
        status=429,
    )


def pause(response: Response) -> float | None:
    return seconds_to_reset(response) if response.headers.get("x-ratelimit-remaining") == "0" else None


def seconds_to_reset(response: Response) -> float | None:
    """Return how long the rate limit lasts by SendGrid's own clock: its reset and Date headers; None without them."""
    try:
        reset = float(response.headers["x-ratelimit-reset"])
        return max(0.0, reset - parsedate_to_datetime(response.headers["date"]).timestamp())
    except (KeyError, ValueError):
        return None


def unix_time(moment: str) -> int:
    """Return an ISO time as Unix seconds; without a zone it is UTC."""
    parsed = datetime.fromisoformat(moment)
    return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp())


def people(addresses: list[str] | None) -> list[dict[str, str]] | None:
    return [{"email": address} for address in addresses] if addresses else None


def build_mail(inputs: Mapping[str, Any]) -> Request:
    content = [
        {"type": kind, "value": inputs[key]}  # plain text must come first
        for key, kind in (("text", "text/plain"), ("html", "text/html"))
        if key in inputs
    ]
    tracking = {
        name: {"enable": inputs[key]}
        for key, name in (("track_clicks", "click_tracking"), ("track_opens", "open_tracking"))
        if key in inputs
    }
    custom = {name: str(value) for name, value in inputs.get("custom_args", {}).items()}
    return Request(
        "POST",
        "/v3/mail/send",
        json={
            "personalizations": [
                given(
                    to=people(inputs["to"]),
                    cc=people(inputs.get("cc")),
                    bcc=people(inputs.get("bcc")),
                    dynamic_template_data=inputs.get("template_data"),
                    custom_args=custom or None,
                )
            ],
            "from": given(email=inputs["from_email"], name=inputs.get("from_name")),
            "reply_to": {"email": inputs["reply_to"]} if "reply_to" in inputs else None,
            "subject": inputs.get("subject"),
            "content": content or None,
            "template_id": inputs.get("template_id"),
            "attachments": [
                given(content=file["content"], filename=file["name"], type=file.get("content_type"))
                for file in inputs.get("attachments", ())
            ]
            or None,
            "categories": inputs.get("categories"),
            "send_at": unix_time(inputs["send_at"]) if "send_at" in inputs else None,
            "asm": {"group_id": inputs["unsubscribe_group"]} if "unsubscribe_group" in inputs else None,
            "mail_settings": {"sandbox_mode": {"enable": inputs["sandbox"]}} if "sandbox" in inputs else None,
            "tracking_settings": tracking or None,
        },
    )


SEND_EMAIL = Action(
    key="send_email",
    label="Send an e-mail",
    description="Give a text, HTML, or both; or a template with its values.",
    fields=(
        Field("to", label="To", kind="multi_select", required=True, example=["ada@example.com"]),
        Field(
            "from_email",
            label="From",
            kind="email",
            required=True,
            example="orders@example.com",
            help="An address or domain that is verified in SendGrid.",
        ),
        Field("from_name", label="Sender's name", example="Alder Chairs"),
        Field(
            "subject",
            label="Subject",
            example="Your order 1042",
            help="May be empty when the template has one.",
        ),
        Field("text", label="Plain text", kind="long_text", example="It is on its way."),
        Field("html", label="HTML", kind="long_text", example="<p>It is on its way.</p>"),
        Field(
            "template_id",
            label="Template",
            options="list_templates",
            example="d-c6dcf1f72bdd4beeb15a9aa6c72fcd2c",
        ),
        Field("template_data", label="Template's values", kind="object", example={"name": "Ada"}),
        Field("cc", label="Copy to", kind="multi_select", example=["office@example.com"]),
        Field("bcc", label="Blind copy to", kind="multi_select", example=["archive@example.com"]),
        Field("reply_to", label="Reply to", kind="email", example="help@example.com"),
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
        ),
        Field(
            "categories",
            label="Categories",
            kind="multi_select",
            example=["orders"],
            advanced=True,
            help="Up to ten; statistics can be split by them.",
        ),
        Field(
            "custom_args",
            label="Own values",
            kind="key_value",
            example={"order": "1042"},
            advanced=True,
            help="Come back with every event about this e-mail.",
        ),
        Field(
            "send_at",
            label="Send at",
            kind="datetime",
            example="2026-11-23T09:00:00+00:00",
            advanced=True,
            help="At most 72 hours ahead.",
        ),
        Field("unsubscribe_group", label="Unsubscribe group", kind="integer", example=99, advanced=True),
        Field("track_clicks", label="Notice clicks", kind="boolean", example=True, advanced=True),
        Field("track_opens", label="Notice opening", kind="boolean", example=True, advanced=True),
        Field("sandbox", label="Only check, do not send", kind="boolean", example=False, advanced=True),
    ),
    request=build_mail,
    output=lambda response: {"message_id": response.headers.get("x-message-id")},
    returns={"message_id": Output("", kind="text")},
    effect="unsafe",
)

LISTS = Field(
    "list_ids",
    label="Lists",
    kind="multi_select",
    options="list_contact_lists",
    example=["ca7f6b3c-9d1a-4a11-8d2b-2f4d9f0f4b11"],
)

UPSERT_CONTACTS = Action(
    key="upsert_contacts",
    label="Add or update contacts",
    description="SendGrid works through them in the background; it may take some minutes.",
    fields=(
        Field(
            "contacts",
            label="Contacts",
            kind="list",
            required=True,
            fields=(
                Field("email", label="E-mail", kind="email", required=True),
                Field("first_name", label="First name"),
                Field("last_name", label="Last name"),
                Field(
                    "custom_fields",
                    label="Own fields",
                    kind="object",
                    help="By the ids of the fields, such as w1.",
                ),
            ),
            example=[{"email": "ada@example.com", "first_name": "Ada", "last_name": "King"}],
        ),
        LISTS,
    ),
    call="PUT /v3/marketing/contacts",
    returns={"job_id": "job_id"},
    effect="key_safe",
)  # contacts are found by address and set: a repeat sets the same

CONTACT = {
    "id": "id",
    "email": "email",
    "first_name": "first_name",
    "last_name": "last_name",
    "list_ids": Output("list_ids", kind="list"),
}


def found_contacts(response: Response) -> dict[str, Any]:
    # The answer is an object by address, each with a contact or an error.
    found = [entry["contact"] for entry in dig(response.json, "result", {}).values() if "contact" in entry]
    return {"contacts": [{name: contact.get(name) for name in CONTACT} for contact in found]}


FIND_CONTACTS = Action(
    key="find_contacts_by_email",
    label="Find contacts by e-mail",
    description="Fails when none of the addresses is known.",
    fields=(
        Field("emails", label="E-mails", kind="multi_select", required=True, example=["ada@example.com"]),
    ),
    call="POST /v3/marketing/contacts/search/emails",
    output=found_contacts,
    returns={"contacts": Output("result", kind="list", of=CONTACT)},
    effect="read",
)

SEARCH_CONTACTS = Action(
    key="search_contacts",
    label="Search contacts",
    description="Gives the first 50.",
    fields=(
        Field(
            "query",
            label="Search",
            kind="long_text",
            required=True,
            example="email LIKE 'ada%'",
            help="In SendGrid's query language, such as email LIKE 'ada%'.",
        ),
    ),
    call="POST /v3/marketing/contacts/search",
    returns={
        "contacts": Output("result", kind="list", of=CONTACT),
        "count": Output("contact_count", kind="integer"),
    },
    effect="read",
)

LIST_LISTS = Action(
    key="list_contact_lists",
    label="List contact lists",
    request=lambda inputs: Request("GET", "/v3/marketing/lists", query={"page_size": PAGE_SIZE}),
    pagination=LinkPages(items="result", path="_metadata.next"),
    offers=Offers(items="lists"),
    returns={
        "lists": Output(
            "result",
            kind="list",
            of={"id": "id", "name": "name", "contacts": Output("contact_count", kind="integer")},
        )
    },
    effect="read",
)

CREATE_LIST = Action(
    key="create_contact_list",
    label="Create a contact list",
    fields=(Field("name", label="Name", required=True, example="Customers", max_length=100),),
    call="POST /v3/marketing/lists",
    returns={"id": "id", "name": "name"},
    effect="unsafe",
)

LIST_TEMPLATES = Action(
    key="list_templates",
    label="List templates",
    fields=(
        Field(
            "generations",
            label="Kind",
            kind="select",
            default="dynamic",
            advanced=True,
            choices=(("dynamic", "Dynamic"), ("legacy", "Legacy"), ("legacy,dynamic", "Both")),
        ),
    ),
    request=lambda inputs: Request(
        "GET", "/v3/templates", query={"page_size": 200, "generations": inputs["generations"]}
    ),
    pagination=LinkPages(items="result", path="_metadata.next"),
    offers=Offers(items="templates"),
    returns={
        "templates": Output(
            "result",
            kind="list",
            of={"id": "id", "name": "name", "generation": "generation", "updated_at": "updated_at"},
        )
    },
    effect="read",
)

BOUNCE = {
    "email": "email",
    "created": Output("created", kind="integer"),
    "reason": "reason",
    "status": "status",
}


def bounces(start: int | None, end: int | None = None) -> Request:
    return Request(
        "GET",
        "/v3/suppression/bounces",
        headers={"Accept": "application/json"},
        query={"start_time": start, "end_time": end, "limit": PAGE_SIZE},
    )


LIST_BOUNCES = Action(
    key="list_bounces",
    label="List bounces",
    fields=(
        Field("start", label="From", kind="datetime", example="2026-11-01T00:00:00+00:00"),
        Field("end", label="Until", kind="datetime", example="2026-11-22T00:00:00+00:00"),
    ),
    request=lambda inputs: bounces(
        *(unix_time(inputs[name]) if name in inputs else None for name in ("start", "end"))
    ),
    pagination=OffsetPages(items="", size=PAGE_SIZE),
    returns={"bounces": Output("", kind="list", of=BOUNCE)},
    effect="read",
)

ADD_UNSUBSCRIBE = Action(
    key="add_global_unsubscribe",
    label="Add to the global unsubscribes",
    description="These addresses get no more e-mail through this account.",
    fields=(
        Field(
            "recipient_emails",
            label="E-mails",
            kind="multi_select",
            required=True,
            example=["ada@example.com"],
        ),
    ),
    call="POST /v3/asm/suppressions/global",
    returns={"recipient_emails": Output("recipient_emails", kind="list")},
    effect="key_safe",
)  # an address that is on the list stays on it

GET_STATS = Action(
    key="get_stats",
    label="Get statistics",
    fields=(
        Field("start_date", label="From", kind="date", required=True, example="2026-11-01"),
        Field("end_date", label="Until", kind="date", example="2026-11-22"),
        Field(
            "aggregated_by",
            label="Summed up by",
            kind="select",
            choices=("day", "week", "month"),
            example="day",
        ),
    ),
    call="GET /v3/stats",
    returns={
        "days": Output(
            "",
            kind="list",
            of={
                "date": "date",
                **{
                    name: Output(f"stats.0.metrics.{name}", kind="integer")
                    for name in (
                        "requests",
                        "delivered",
                        "opens",
                        "unique_opens",
                        "clicks",
                        "bounces",
                        "spam_reports",
                        "unsubscribes",
                    )
                },
            },
        )
    },
    effect="read",
)

EVENTS = ("delivered", "open", "click", "bounce", "dropped", "deferred", "spam_report", "unsubscribe")

CREATE_WEBHOOK = Action(
    key="create_event_webhook",
    label="Create an event webhook",
    description="For another system. Triggers of this app make their own.",
    fields=(
        Field("url", label="Address", kind="url", required=True, example="https://example.com/sendgrid"),
        Field(
            "events",
            label="Events",
            kind="multi_select",
            required=True,
            choices=EVENTS,
            example=["delivered", "bounce"],
        ),
        Field("enabled", label="Switched on", kind="boolean", default=True, example=True),
        Field("friendly_name", label="Name", example="Orders"),
    ),
    request=lambda inputs: Request(
        "POST",
        "/v3/user/webhooks/event/settings",
        json={
            "url": inputs["url"],
            "enabled": inputs["enabled"],
            "friendly_name": inputs.get("friendly_name"),
            **dict.fromkeys(inputs["events"], True),
        },
    ),
    returns={"id": "id", "url": "url", "enabled": Output("enabled", kind="boolean")},
    effect="unsafe",
)


def event(name: str, **details: Any) -> dict[str, Any]:
    """Return a sample of one event in the shape of the Event Webhook."""
    return {
        "email": "ada@example.com",
        "timestamp": 1700000000,
        "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>",
        "event": name,
        "category": ["orders"],
        "sg_event_id": "ZyjLMj8xSkKq5r2zUuDmRw",
        "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
        **details,
    }


EVENT = {
    "email": "email",
    "event": "event",
    "timestamp": Output("timestamp", kind="integer"),
    "message_id": "sg_message_id",
    "event_id": "sg_event_id",
}


def first_message_id(inbound: Inbound, form: Any) -> str:
    # Inbound Parse numbers nothing; the e-mail's own id stays the same when it is offered again.
    match = re.search(r"^message-id:\s*(\S+)", str(dig(form, "headers") or ""), re.IGNORECASE | re.MULTILINE)
    return match[1] if match else ""


PARSE = Webhooks(
    address="trigger",
    signature=None,  # SendGrid does not sign incoming e-mail: the address is the secret
    delivery_id=first_message_id,
    subscribe=lambda subscription: Request(
        "POST",
        "/v3/user/webhooks/parse/settings",
        json={
            "hostname": subscription.config["hostname"],
            "url": subscription.address,
            "spam_check": True,
            "send_raw": False,
        },
    ),
    read=lambda response, subscription: {"id": dig(response.json, "hostname")},
    unsubscribe=lambda subscription: Request(
        "DELETE", "/v3/user/webhooks/parse/settings/{hostname}", at={"hostname": subscription.state["id"]}
    ),
    setup="Let the MX record of the domain point to mx.sendgrid.net (priority 10), and use a domain or subdomain "
    "that gets no other e-mail.",
)

TRIGGERS = (
    Trigger(
        key="email_delivered",
        label="An e-mail is delivered",
        event="delivered",
        returns={**EVENT, "response": "response"},
        sample=event("delivered", response="250 OK"),
    ),
    Trigger(
        key="email_opened",
        label="An e-mail is opened or a link is clicked",
        event=("open", "click"),
        returns={**EVENT, "url": "url", "ip": "ip"},
        sample=event("click", url="https://example.com/", ip="203.0.113.7"),
    ),
    Trigger(
        key="email_bounced",
        label="An e-mail is not delivered",
        event=("bounce", "dropped", "deferred"),
        returns={**EVENT, "reason": "reason", "status": "status", "type": "type"},
        sample=event("bounce", reason="500 unknown recipient", status="5.0.0", type="bounce"),
    ),
    Trigger(
        key="inbound_email",
        label="An e-mail comes in",
        webhooks=PARSE,
        fields=(
            Field(
                "hostname",
                label="Domain",
                required=True,
                example="in.example.com",
                help="Its MX record must point to mx.sendgrid.net.",
            ),
        ),
        returns={
            name: name
            for name in (
                "from",
                "to",
                "subject",
                "text",
                "html",
                "envelope",
                "headers",
                "spam_score",
                "attachment1",
            )
        }
        | {
            "attachments": Output("attachments", kind="integer", label="How many attachments"),
            "attachment1": Output("attachment1", kind="file", label="First attachment"),
        },
        sample={
            "from": "Ada <ada@example.com>",
            "to": "orders@in.example.com",
            "subject": "Question",
            "text": "When does it come?",
            "html": "<p>When does it come?</p>",
            "attachments": "0",
            "envelope": '{"to":["orders@in.example.com"],"from":"ada@example.com"}',
            "spam_score": "0.1",
            "headers": "Message-ID: <CAB1@mail.example.com>\nSubject: Question\n",
        },
    ),
    Trigger(
        key="new_bounce_polling",
        label="New bounce (checked every few minutes)",
        kind="polling",
        poll=Poll(
            request=lambda config, since: bounces(since),
            id=("email", "created"),
            stamp="created",
            order="unknown",
            pagination=OffsetPages(items="", size=PAGE_SIZE),
        ),
        returns=BOUNCE,
        sample={
            "created": 1700000000,
            "email": "ada@example.com",
            "reason": "550 5.1.1 no such user",
            "status": "5.1.1",
        },
    ),
)


def subscribe(subscription: Subscription) -> Request:
    return Request(
        "POST",
        "/v3/user/webhooks/event/settings",
        json={
            "enabled": True,
            "url": subscription.address,
            "friendly_name": "Steward",
            **dict.fromkeys(subscription.events, True),
        },
    )


connector = Connector(
    slug="sendgrid",
    name="SendGrid",
    category="Email",
    summary="Send e-mail and templates, keep marketing contacts, and react to bounces, clicks and incoming mail.",
    docs_url="https://www.twilio.com/docs/sendgrid/api-reference",
    base_url="https://{host}",
    auth=BearerToken(
        example="SG.",
        help="In SendGrid: Settings, API Keys, Create API Key. It begins with SG. and is shown once.",
    ),
    account=(
        Field(
            "host",
            label="Region",
            kind="select",
            required=True,
            default="api.sendgrid.com",
            example="api.sendgrid.com",
            choices=(("api.sendgrid.com", "Global"), ("api.eu.sendgrid.com", "European Union")),
            help="Keys of an EU subuser work in the European Union only.",
        ),
    ),
    test=Test(Request("GET", "/v3/scopes")),
    on_error=refine,
    rate_limit=RateLimit(calls=600, seconds=60),
    wait=pause,
    webhooks=Webhooks(
        address="trigger",
        signature=Ecdsa(tolerance_seconds=RETRY_HOURS * 3600 + 300),
        events="",
        event="event",
        delivery_id="sg_event_id",
        subscribe=subscribe,
        follow_up=lambda subscription: Request(
            "PATCH",
            "/v3/user/webhooks/event/settings/signed/{id}",
            at={"id": subscription.state["id"]},
            json={"enabled": True},
        ),
        read=lambda response, subscription: given(
            id=dig(response.json, "id"), secret=dig(response.json, "public_key")
        ),
        unsubscribe=lambda subscription: Request(
            "DELETE", "/v3/user/webhooks/event/settings/{id}", at={"id": subscription.state["id"]}
        ),
    ),
    actions=(
        SEND_EMAIL,
        UPSERT_CONTACTS,
        FIND_CONTACTS,
        SEARCH_CONTACTS,
        LIST_LISTS,
        CREATE_LIST,
        LIST_TEMPLATES,
        LIST_BOUNCES,
        ADD_UNSUBSCRIBE,
        GET_STATS,
        CREATE_WEBHOOK,
    ),
    triggers=TRIGGERS,
)
