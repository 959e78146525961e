"""Mailchimp: subscribers, tags, notes, events and campaigns of an audience; start when somebody joins or leaves."""

import hashlib
from collections.abc import Mapping
from typing import Any

from integrations.framework import (
    Action,
    Basic,
    Connector,
    ConnectorError,
    Field,
    Inbound,
    OAuth2,
    Offers,
    OffsetPages,
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
    answer_methods,
    dig,
    given,
)

PAGE_SIZE = 500  # 1,000 is the most; large audiences answer slowly then
STATUSES = (
    ("subscribed", "Subscribed"),
    ("pending", "Asked to confirm"),
    ("unsubscribed", "Unsubscribed"),
    ("cleaned", "Cleaned (bounced)"),
    ("transactional", "Transactional only"),
)


def refine(response: Response) -> ConnectorError | None:
    title = str(dig(response.json, "title") or "")
    if response.status == 403 and response.json is None:
        # Under heavy load the edge answers without the usual body.
        return TemporaryError("Mailchimp asked us to slow down. We will try again.", status=403)
    if title == "Member Exists":
        return PermanentError(
            "This address is in the audience already. “Add or update a subscriber” changes it.",
            status=400,
            code=title,
        )
    if title == "Forgotten Email Not Subscribed":
        return PermanentError(
            "This address was deleted for good. Only the person can join again, through a sign-up form.",
            status=400,
            code=title,
        )
    if title == "Member In Compliance State":
        return PermanentError(
            "This person left or bounced. Set the status to “Asked to confirm”, so that they can agree again.",
            status=400,
            code=title,
        )
    return None


def subscriber_hash(email: str) -> str:
    """Return how Mailchimp names a subscriber: the MD5 of the address in small letters."""
    return hashlib.md5(email.strip().lower().encode(), usedforsecurity=False).hexdigest()


def of_member(method: str, tail: str = "", **options: Any):
    """Return a request builder for a call about one subscriber. options: `json`, `query`: functions of the inputs."""
    return lambda inputs: Request(
        method,
        f"/lists/{{list_id}}/members/{{subscriber_hash}}{tail}",
        at={"list_id": inputs["list_id"], "subscriber_hash": subscriber_hash(inputs["email"])},
        **{name: build(inputs) for name, build in options.items()},
    )


AUDIENCE = Field("list_id", label="Audience", required=True, options="list_audiences", example="57afe96172")
EMAIL = Field("email", label="E-mail", kind="email", required=True, example="ada@example.com")
MERGE_FIELDS = Field(
    "merge_fields",
    label="Details",
    kind="key_value",
    example={"FNAME": "Ada", "LNAME": "King"},
    help="The tags of the audience's fields, such as FNAME, and their values.",
)
CAMPAIGN = Field(
    "campaign_id",
    label="Campaign",
    required=True,
    example="42694e9e57",
    help="The id, as given by the step that created it.",
)
INTERESTS = Field(
    "interests",
    label="Groups",
    kind="json",
    example={"9143cf3bd1": True},
    advanced=True,
    help="Ids of groups, each true or false.",
)
MEMBER = {
    "id": "id",
    "contact_id": "contact_id",
    "unique_email_id": "unique_email_id",
    "email": "email_address",
    "status": "status",
    "merge_fields": Output("merge_fields", kind="object"),
    "tags": Output("tags", kind="list", of={"id": "id", "name": "name"}),
    "last_changed": "last_changed",
    "list_id": "list_id",
}

UPSERT_MEMBER = Action(
    key="upsert_member",
    label="Add or update a subscriber",
    fields=(
        AUDIENCE,
        EMAIL,
        Field(
            "status_if_new",
            label="Status when new",
            kind="select",
            required=True,
            choices=STATUSES,
            example="subscribed",
            help="“Asked to confirm” sends the double opt-in mail.",
        ),
        Field(
            "status",
            label="Status when there already",
            kind="select",
            choices=STATUSES,
            example="subscribed",
            help="Empty leaves it as it is.",
        ),
        MERGE_FIELDS,
        INTERESTS,
        Field("language", label="Language", example="en", advanced=True),
        Field("vip", label="VIP", kind="boolean", example=False, advanced=True),
        Field(
            "skip_merge_validation",
            label="Allow missing required details",
            kind="boolean",
            example=True,
            advanced=True,
        ),
    ),
    request=of_member(
        "PUT",
        query=lambda inputs: {"skip_merge_validation": inputs.get("skip_merge_validation")},
        json=lambda inputs: {
            "email_address": inputs["email"],
            **{
                name: inputs.get(name)
                for name in ("status_if_new", "status", "merge_fields", "interests", "language", "vip")
            },
        },
    ),
    returns=MEMBER,
    effect="key_safe",
)  # PUT of a named subscriber: a repeat sets the same values

CREATE_MEMBER = Action(
    key="create_member",
    label="Add a new subscriber",
    description="Fails when the address is in the audience already.",
    fields=(
        AUDIENCE,
        EMAIL,
        Field("status", label="Status", kind="select", required=True, choices=STATUSES, example="subscribed"),
        MERGE_FIELDS,
        Field("tags", label="Tags", kind="multi_select", example=["customer"]),
    ),
    request=lambda inputs: Request(
        "POST",
        "/lists/{list_id}/members",
        at={"list_id": inputs["list_id"]},
        json={
            "email_address": inputs["email"],
            "status": inputs["status"],
            "merge_fields": inputs.get("merge_fields"),
            "tags": inputs.get("tags"),
        },
    ),
    returns=MEMBER,
    effect="unsafe",
)

GET_MEMBER = Action(
    key="get_member",
    label="Find a subscriber",
    fields=(AUDIENCE, EMAIL),
    request=of_member("GET"),
    returns={
        **MEMBER,
        "open_rate": Output("stats.avg_open_rate", kind="number"),
        "click_rate": Output("stats.avg_click_rate", kind="number"),
    },
    effect="read",
)

UPDATE_MEMBER = Action(
    key="update_member",
    label="Change or unsubscribe a subscriber",
    fields=(
        AUDIENCE,
        EMAIL,
        Field("status", label="Status", kind="select", choices=STATUSES[:4], example="unsubscribed"),
        MERGE_FIELDS,
        Field("new_email", label="New e-mail", kind="email", example="ada.king@example.com"),
    ),
    request=of_member(
        "PATCH",
        json=lambda inputs: {
            "status": inputs.get("status"),
            "merge_fields": inputs.get("merge_fields"),
            "email_address": inputs.get("new_email"),
        },
    ),
    returns=MEMBER,
    effect="unsafe",
)  # after a change of address the old one finds nobody

TAG_MEMBER = Action(
    key="tag_member",
    label="Add or remove tags",
    fields=(
        AUDIENCE,
        EMAIL,
        Field("add", label="Tags to add", kind="multi_select", example=["customer"]),
        Field("remove", label="Tags to remove", kind="multi_select", example=["lead"]),
        Field("is_syncing", label="Start no automations", kind="boolean", example=False, advanced=True),
    ),
    request=of_member(
        "POST",
        "/tags",
        json=lambda inputs: {
            "tags": [{"name": name, "status": "active"} for name in inputs.get("add", ())]
            + [{"name": name, "status": "inactive"} for name in inputs.get("remove", ())],
            "is_syncing": inputs.get("is_syncing"),
        },
    ),
    effect="key_safe",
)  # a tag that is there is not added again

ADD_NOTE = Action(
    key="add_note",
    label="Add a note to a subscriber",
    fields=(
        AUDIENCE,
        EMAIL,
        Field(
            "note",
            label="Note",
            kind="long_text",
            required=True,
            max_length=1000,
            example="Called, wants an offer.",
        ),
    ),
    request=of_member("POST", "/notes", json=lambda inputs: {"note": inputs["note"]}),
    returns={"id": Output("id", kind="integer"), "note": "note", "created_at": "created_at"},
    effect="unsafe",
)

ADD_EVENT = Action(
    key="add_event",
    label="Record an event of a subscriber",
    description="Events can start automations in Mailchimp.",
    fields=(
        AUDIENCE,
        EMAIL,
        Field(
            "name",
            label="Event",
            required=True,
            example="order_shipped",
            pattern="^.{2,30}$",
            help="Two to thirty characters.",
        ),
        Field("properties", label="Details", kind="key_value", example={"order": "1042"}),
        Field("occurred_at", label="When", kind="datetime", example="2026-11-22T09:30:00+00:00"),
        Field("is_syncing", label="Start no automations", kind="boolean", example=False, advanced=True),
    ),
    request=of_member(
        "POST",
        "/events",
        json=lambda inputs: {
            "name": inputs["name"],
            "occurred_at": inputs.get("occurred_at"),
            "is_syncing": inputs.get("is_syncing"),
            "properties": {name: str(value) for name, value in inputs["properties"].items()}
            if "properties" in inputs
            else None,
        },
    ),
    effect="unsafe",
)

ARCHIVE_MEMBER = Action(
    key="archive_member",
    label="Archive a subscriber",
    description="Takes the person out of the audience; they can be added again.",
    fields=(AUDIENCE, EMAIL),
    request=of_member("DELETE"),
    effect="unsafe",
)  # a second time finds nobody

CREATE_CAMPAIGN = Action(
    key="create_campaign",
    label="Create a campaign draft",
    fields=(
        Field(
            "type",
            label="Kind",
            kind="select",
            required=True,
            choices=("regular", "plaintext"),
            example="regular",
        ),
        Field("list_id", label="Audience", options="list_audiences", example="57afe96172"),
        Field(
            "segment_id",
            label="Only this segment",
            kind="integer",
            example=1017,
            advanced=True,
            help="The number of a saved segment or tag.",
        ),
        Field("subject", label="Subject", example="Orders of the week"),
        Field("preview_text", label="Preview text", example="What is new"),
        Field("title", label="Name in Mailchimp", example="Week 47"),
        Field("from_name", label="Sender's name", example="Ada"),
        Field("reply_to", label="Reply address", kind="email", example="ada@example.com"),
    ),
    request=lambda inputs: Request(
        "POST",
        "/campaigns",
        json={
            "type": inputs["type"],
            "recipients": given(
                list_id=inputs["list_id"],
                segment_opts={"saved_segment_id": inputs["segment_id"]} if "segment_id" in inputs else None,
            )
            if "list_id" in inputs
            else None,
            "settings": given(
                subject_line=inputs.get("subject"),
                **{name: inputs.get(name) for name in ("preview_text", "title", "from_name", "reply_to")},
            )
            or None,
        },
    ),
    returns={
        "id": "id",
        "web_id": Output("web_id", kind="integer"),
        "status": "status",
        "archive_url": "archive_url",
    },
    effect="unsafe",
)

SET_CONTENT = Action(
    key="set_campaign_content",
    label="Set a campaign's content",
    fields=(
        CAMPAIGN,
        Field("html", label="HTML", kind="long_text", example="<h1>News</h1>"),
        Field("plain_text", label="Plain text", kind="long_text", example="News"),
        Field(
            "template_id",
            label="Template",
            kind="integer",
            example=500,
            advanced=True,
            help="Its number, in place of HTML.",
        ),
        Field(
            "sections", label="Template's sections", kind="key_value", example={"body": "News"}, advanced=True
        ),
    ),
    request=lambda inputs: Request(
        "PUT",
        "/campaigns/{campaign_id}/content",
        at={"campaign_id": inputs["campaign_id"]},
        json={
            "html": inputs.get("html"),
            "plain_text": inputs.get("plain_text"),
            "template": given(id=inputs["template_id"], sections=inputs.get("sections"))
            if "template_id" in inputs
            else None,
        },
    ),
    returns={"html": "html", "plain_text": "plain_text"},
    effect="key_safe",
)  # the same content set twice is the same content

SEND_CAMPAIGN = Action(
    key="send_campaign",
    label="Send a campaign",
    fields=(CAMPAIGN,),
    description="Goes to the whole audience at once and cannot be taken back.",
    call="POST /campaigns/{campaign_id}/actions/send",
    effect="unsafe",
)

LIST_AUDIENCES = Action(
    key="list_audiences",
    label="List audiences",
    request=lambda inputs: Request("GET", "/lists", query={"count": PAGE_SIZE}),
    pagination=OffsetPages(items="lists", size=PAGE_SIZE, size_into="count", total="total_items"),
    offers=Offers(items="audiences"),
    returns={
        "audiences": Output(
            "lists",
            kind="list",
            of={"id": "id", "name": "name", "members": Output("stats.member_count", kind="integer")},
        )
    },
    effect="read",
)

LIST_MERGE_FIELDS = Action(
    key="list_merge_fields",
    label="List an audience's fields",
    fields=(AUDIENCE,),
    request=lambda inputs: Request(
        "GET", "/lists/{list_id}/merge-fields", at={"list_id": inputs["list_id"]}, query={"count": PAGE_SIZE}
    ),
    pagination=OffsetPages(items="merge_fields", size=PAGE_SIZE, size_into="count", total="total_items"),
    offers=Offers(items="fields", value="tag"),
    returns={
        "fields": Output(
            "merge_fields",
            kind="list",
            of={"tag": "tag", "name": "name", "type": "type", "required": Output("required", kind="boolean")},
        )
    },
    effect="read",
)


def event(type_: str, **data: Any) -> dict[str, Any]:
    """Return a sample delivery: the form Mailchimp sends, its brackets read as nesting."""
    return {
        "type": type_,
        "fired_at": "2026-11-22 09:30:00",
        "data": {
            "id": "8a25ff1d98",
            "list_id": "57afe96172",
            "email": "ada@example.com",
            "email_type": "html",
            "merges": {"EMAIL": "ada@example.com", "FNAME": "Ada", "LNAME": "King"},
            **data,
        },
    }


PERSON = {
    "id": "data.id",
    "email": "data.email",
    "list_id": "data.list_id",
    "first_name": "data.merges.FNAME",
    "last_name": "data.merges.LNAME",
    "merge_fields": Output("data.merges", kind="object"),
    "fired_at": "fired_at",
}
CHANGED_MEMBER = {
    "id": "8a25ff1d98",
    "contact_id": "5bca3b8f16",
    "email_address": "ada@example.com",
    "status": "subscribed",
    "merge_fields": {"FNAME": "Ada", "LNAME": "King"},
    "tags": [{"id": 1, "name": "customer"}],
    "last_changed": "2026-11-22T09:30:00+00:00",
    "list_id": "57afe96172",
}

TRIGGERS = (
    Trigger(
        key="subscribed",
        label="Somebody subscribes",
        event="subscribe",
        fields=(AUDIENCE,),
        returns=PERSON,
        sample=event("subscribe"),
    ),
    Trigger(
        key="unsubscribed",
        label="Somebody unsubscribes",
        event="unsubscribe",
        fields=(AUDIENCE,),
        returns={**PERSON, "reason": "data.reason", "action": "data.action"},
        sample=event("unsubscribe", action="unsub", reason="manual"),
    ),
    Trigger(
        key="profile_updated",
        label="A subscriber's details change",
        event="profile",
        fields=(AUDIENCE,),
        returns=PERSON,
        sample=event("profile"),
    ),
    Trigger(
        key="email_changed",
        label="A subscriber's address changes",
        event="upemail",
        fields=(AUDIENCE,),
        returns={
            "new_id": "data.new_id",
            "new_email": "data.new_email",
            "old_email": "data.old_email",
            "list_id": "data.list_id",
            "fired_at": "fired_at",
        },
        sample={
            "type": "upemail",
            "fired_at": "2026-11-22 09:30:00",
            "data": {
                "list_id": "57afe96172",
                "new_id": "51da8c3259",
                "new_email": "ada.king@example.com",
                "old_email": "ada@example.com",
            },
        },
    ),
    Trigger(
        key="members_poll",
        label="New or changed subscriber (checked every few minutes)",
        kind="polling",
        fields=(AUDIENCE,),
        poll=Poll(
            request=lambda config, since: Request(
                "GET",
                "/lists/{list_id}/members",
                at={"list_id": config["list_id"]},
                query={
                    "since_last_changed": since,
                    "sort_field": "last_changed",
                    "sort_dir": "DESC",
                    "count": PAGE_SIZE,
                },
            ),
            items="members",
            id=("id", "last_changed"),
            stamp="last_changed",
            pagination=OffsetPages(items="members", size=PAGE_SIZE, size_into="count", total="total_items"),
        ),
        returns=MEMBER,
        sample=CHANGED_MEMBER,
    ),
)


def subscribe(subscription: Subscription) -> Request:
    # All three sources are told: what is left out keeps a default. Our own changes (api) would start us again.
    return Request(
        "POST",
        "/lists/{list_id}/webhooks",
        at={"list_id": subscription.config["list_id"]},
        json={
            "url": subscription.address,
            "events": dict.fromkeys(subscription.events, True),
            "sources": {"user": True, "admin": True, "api": False},
        },
    )


def subscribed(response: Response, subscription: Subscription) -> dict[str, Any]:
    # The secret is told only now.
    return {
        "id": dig(response.json, "id"),
        "secret": dig(response.json, "signing_secret"),
        "list_id": subscription.config["list_id"],
    }


def delivery_id(inbound: Inbound, event: Mapping[str, Any]) -> str:
    # Mailchimp numbers nothing; this stays the same when a delivery is sent again.
    who = dig(event, "data.id") or dig(event, "data.new_id") or dig(event, "data.email")
    return f"{dig(event, 'type')}:{who}:{dig(event, 'fired_at')}"


connector = Connector(
    slug="mailchimp",
    name="Mailchimp",
    category="Email marketing",
    summary="Add and tag subscribers, send campaigns, and react when people join or leave.",
    docs_url="https://mailchimp.com/developer/marketing/api/",
    base_url="https://{dc}.api.mailchimp.com/3.0",
    auth=(
        Basic(username="", password="api_key", password_label="API key", label="API key", key="api_key"),
        OAuth2(
            authorize_url="https://login.mailchimp.com/oauth2/authorize",
            token_url="https://login.mailchimp.com/oauth2/token",
            pkce=False,
        ),
    ),
    account=(
        Field(
            "dc",
            label="Data centre",
            required=True,
            example="us19",
            pattern="^[a-z]{2,3}[0-9]{1,3}$",
            help="The end of the API key after the dash, also the beginning of the address after signing in to "
            "Mailchimp: us19.admin.mailchimp.com.",
        ),
    ),
    test=Test(
        Request("GET", "/", query={"fields": "account_id,account_name"}),
        account={"account_id": "account_id"},
        label="account_name",
    ),
    on_error=refine,
    error_paths=("errors.0.message", "detail"),
    rate_limit=RateLimit(calls=8),  # ten connections at once are allowed to all apps of an account together
    webhooks=Webhooks(
        address="trigger",
        signature=TimestampedHmac("X-Mailchimp-Signature"),
        event="type",
        delivery_id=delivery_id,
        handshake=answer_methods("GET", "HEAD"),
        subscribe=subscribe,
        read=subscribed,
        unsubscribe=lambda subscription: Request(
            "DELETE",
            "/lists/{list_id}/webhooks/{webhook_id}",
            at={
                "list_id": subscription.state.get("list_id") or subscription.config["list_id"],
                "webhook_id": subscription.state["id"],
            },
        ),
    ),
    actions=(
        UPSERT_MEMBER,
        CREATE_MEMBER,
        GET_MEMBER,
        UPDATE_MEMBER,
        TAG_MEMBER,
        ADD_NOTE,
        ADD_EVENT,
        ARCHIVE_MEMBER,
        CREATE_CAMPAIGN,
        SET_CONTENT,
        SEND_CAMPAIGN,
        LIST_AUDIENCES,
        LIST_MERGE_FIELDS,
    ),
    triggers=TRIGGERS,
)
