"""ActiveCampaign: contacts, tags, lists, automations, notes and deals; start when contacts or deals change."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.framework import (
    Action,
    ApiKey,
    Connector,
    ConnectorError,
    Field,
    Inbound,
    Offers,
    OffsetPages,
    Output,
    Poll,
    RateLimit,
    ReconnectError,
    Request,
    Response,
    Subscription,
    Test,
    Trigger,
    Webhooks,
    dig,
    given,
    token_in_query,
)

PAGE_SIZE = 100
RECORD_KINDS = (
    ("Subscriber", "Contact"),
    ("Deal", "Deal"),
    ("DealTask", "Task of a deal"),
    ("CustomerAccount", "Account"),
)
DEAL_STATES = {"open": 0, "won": 1, "lost": 2}


def refine(response: Response) -> ConnectorError | None:
    if response.status == 403 and not dig(response.json, "errors"):
        # A dead key is answered 403; refusals of single things name their errors.
        return ReconnectError("ActiveCampaign no longer accepts this key. Reconnect it.", status=403)
    return None


def pages(items: str) -> OffsetPages:
    return OffsetPages(items=items, size=PAGE_SIZE, total="meta.total")


def wrapped(method: str, path: str, wrapper: str, shape: Any = None):
    """Return a request builder: the inputs, without an id that stands in the path, as one wrapped object."""

    def request(inputs: Mapping[str, Any]) -> Request:
        values = {name: value for name, value in inputs.items() if name != "id"}
        return Request(
            method,
            path,
            at={"id": inputs["id"]} if "id" in inputs else {},
            json={wrapper: given(shape(values) if shape else values)},
        )

    return request


CONTACT_NUMBER = Field(
    "contact",
    label="Contact",
    kind="integer",
    required=True,
    example=113,
    help="The contact's number, as given by an earlier step.",
)
PERSON = {
    "id": "id",
    "email": "email",
    "first_name": "firstName",
    "last_name": "lastName",
    "phone": "phone",
    "created_at": "cdate",
    "updated_at": "udate",
}
CONTACT = {name: f"contact.{path}" for name, path in PERSON.items()}
FIELD_VALUES = Output("fieldValues", kind="list", of={"field": "field", "value": "value"})


def contact_values(values: dict[str, Any]) -> dict[str, Any]:
    own = [{"field": name, "value": str(value)} for name, value in values.get("fields", {}).items()]
    return {
        "email": values["email"],
        "firstName": values.get("first_name"),
        "lastName": values.get("last_name"),
        "phone": values.get("phone"),
        "fieldValues": own or None,
    }


SYNC_CONTACT = Action(
    key="sync_contact",
    label="Create or update a contact",
    fields=(
        Field("email", label="E-mail", kind="email", required=True, example="ada@example.com"),
        Field("first_name", label="First name", example="Ada"),
        Field("last_name", label="Last name", example="King"),
        Field("phone", label="Phone", example="+441632960001"),
        Field(
            "fields",
            label="Own fields",
            kind="key_value",
            example={"1": "gold"},
            help="Numbers of the fields and their values. “List own fields” gives the numbers.",
        ),
    ),
    request=wrapped("POST", "/contact/sync", "contact", contact_values),
    returns={**CONTACT, "field_values": FIELD_VALUES},
    effect="key_safe",
)  # found by address, then set

GET_CONTACT = Action(
    key="get_contact",
    label="Get a contact",
    fields=(
        Field(
            "id", label="Contact", kind="integer", required=True, example=113, help="The contact's number."
        ),
    ),
    call="GET /contacts/{id}",
    returns={
        **CONTACT,
        "field_values": FIELD_VALUES,
        "lists": Output("contactLists", kind="list", of={"list": "list", "status": "status"}),
    },
    effect="read",
)

FIND_CONTACT = Action(
    key="find_contact",
    label="Find contacts",
    description="By the exact e-mail, or by a part of name, phone or e-mail.",
    fields=(
        Field("email", label="E-mail", kind="email", example="ada@example.com"),
        Field("search", label="Or any text", example="lovelace"),
    ),
    request=lambda inputs: Request("GET", "/contacts", query={**inputs_of(inputs), "limit": PAGE_SIZE}),
    pagination=pages("contacts"),
    returns={
        "id": Output("contacts.0.id", label="First one found"),
        "total": "meta.total",
        "contacts": Output("contacts", kind="list", of=PERSON),
    },
    effect="read",
)


def inputs_of(inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: inputs.get(name) for name in ("email", "search")}


TAG_CONTACT = Action(
    key="tag_contact",
    label="Add a tag to a contact",
    fields=(
        CONTACT_NUMBER,
        Field("tag", label="Tag", kind="integer", required=True, options="list_tags", example=20),
    ),
    request=wrapped("POST", "/contactTags", "contactTag"),
    returns={
        "id": Output("contactTag.id", label="Number of this tagging"),
        "contact": "contactTag.contact",
        "tag": "contactTag.tag",
    },
    effect="key_safe",
)  # a tag is not added twice

UNTAG_CONTACT = Action(
    key="untag_contact",
    label="Remove a tag from a contact",
    fields=(
        Field(
            "id",
            label="Tagging",
            kind="integer",
            required=True,
            example=1,
            help="The number that “Add a tag to a contact” gave; not the tag's.",
        ),
    ),
    call="DELETE /contactTags/{id}",
    effect="unsafe",
)  # a second time finds nothing


def list_status(values: dict[str, Any]) -> dict[str, Any]:
    return {
        "list": str(values["list"]),
        "contact": str(values["contact"]),
        "status": "1" if values["status"] == "subscribe" else "2",
        "sourceid": 4 if values.get("came_back") else None,
    }


SET_LIST_STATUS = Action(
    key="set_list_status",
    label="Subscribe to or unsubscribe from a list",
    fields=(
        CONTACT_NUMBER,
        Field("list", label="List", kind="integer", required=True, options="list_lists", example=2),
        Field(
            "status",
            label="What to do",
            kind="select",
            required=True,
            choices=("subscribe", "unsubscribe"),
            example="subscribe",
        ),
        Field(
            "came_back",
            label="The person left before and asked to come back",
            kind="boolean",
            example=True,
            advanced=True,
        ),
    ),
    request=wrapped("POST", "/contactLists", "contactList", list_status),
    returns={"id": "contactList.id", "status": "contactList.status"},
    effect="key_safe",
)  # the same status set twice is the same status

ADD_TO_AUTOMATION = Action(
    key="add_to_automation",
    label="Add a contact to an automation",
    fields=(
        CONTACT_NUMBER,
        Field(
            "automation",
            label="Automation",
            kind="integer",
            required=True,
            options="list_automations",
            example=3,
        ),
    ),
    request=wrapped("POST", "/contactAutomations", "contactAutomation"),
    returns={"id": "contactAutomation.id", "status": "contactAutomation.status"},
    effect="unsafe",
)  # where it may be entered again, a repeat runs it again

CREATE_NOTE = Action(
    key="create_note",
    label="Add a note",
    fields=(
        Field("note", label="Note", kind="long_text", required=True, example="Called, wants an offer."),
        Field(
            "reltype", label="On a", kind="select", required=True, choices=RECORD_KINDS, example="Subscriber"
        ),
        Field("relid", label="Record", kind="integer", required=True, example=113, help="Its number."),
    ),
    request=wrapped("POST", "/notes", "note"),
    returns={"id": "note.id", "created_at": "note.cdate"},
    effect="unsafe",
)

STATE = Field("status", label="State", kind="select", choices=tuple(DEAL_STATES), example="open")
STAGE = Field("stage", label="Stage", options="list_stages", example="1")
DEAL = {
    "id": "deal.id",
    "title": "deal.title",
    "value": "deal.value",
    "stage": "deal.stage",
    "status": "deal.status",
}


def deal_values(values: dict[str, Any]) -> dict[str, Any]:
    return {**values, "status": DEAL_STATES[values["status"]] if "status" in values else None}


CREATE_DEAL = Action(
    key="create_deal",
    label="Create a deal",
    description="Give the contact, the account, or both.",
    fields=(
        Field("title", label="Title", required=True, example="200 garden chairs"),
        Field(
            "value",
            label="Amount",
            kind="integer",
            required=True,
            example=490000,
            help="In the smallest unit: 490000 is 4900.00.",
        ),
        Field(
            "currency",
            label="Currency",
            required=True,
            example="eur",
            pattern="^[a-z]{3}$",
            help="Three lower-case letters, such as eur.",
        ),
        Field("contact", label="Contact", example="113", help="The contact's number."),
        Field("account", label="Account", example="45", help="The account's number."),
        Field(
            "group", label="Pipeline", options="list_pipelines", example="1", help="Empty takes the stage's."
        ),
        STAGE,
        Field("owner", label="Owner", example="1", help="The user's number; empty takes the pipeline's."),
        STATE,
    ),
    request=wrapped("POST", "/deals", "deal", deal_values),
    returns=DEAL,
    effect="unsafe",
)  # no keys here: a repeat makes a second deal

UPDATE_DEAL = Action(
    key="update_deal",
    label="Change or move a deal",
    fields=(
        Field("id", label="Deal", kind="integer", required=True, example=14, help="The deal's number."),
        Field("title", label="Title", example="220 garden chairs"),
        Field(
            "value",
            label="Amount",
            kind="integer",
            example=539000,
            help="In the smallest unit: 539000 is 5390.00.",
        ),
        STAGE,
        STATE,
    ),
    request=wrapped("PUT", "/deals/{id}", "deal", deal_values),
    returns=DEAL,
    effect="key_safe",
)  # the same values set twice are the same deal


def listing(key: str, label: str, path: str, items: str, shown: str) -> Action:
    return Action(
        key=key,
        label=label,
        request=lambda inputs: Request("GET", path, query={"limit": PAGE_SIZE}),
        pagination=pages(items),
        offers=Offers(items=items, value="id", label=shown),
        returns={items: Output(items, kind="list", of={"id": "id", shown: shown})},
        effect="read",
    )


LISTINGS = (
    listing("list_tags", "List tags", "/tags", "tags", "tag"),
    listing("list_lists", "List lists", "/lists", "lists", "name"),
    listing("list_automations", "List automations", "/automations", "automations", "name"),
    listing("list_fields", "List own fields", "/fields", "fields", "title"),
    listing("list_stages", "List deal stages", "/dealStages", "dealStages", "title"),
    listing("list_pipelines", "List deal pipelines", "/dealGroups", "dealGroups", "title"),
)


def event(type_: str, **details: Any) -> dict[str, Any]:
    """Return a sample delivery: the form ActiveCampaign sends, its brackets read as nesting."""
    return {
        "type": type_,
        "date_time": "2026-11-22T09:30:00-06:00",
        "initiated_by": "admin",
        "initiated_from": "admin",
        **details,
    }


ADA = {
    "id": "113",
    "email": "ada@example.com",
    "first_name": "Ada",
    "last_name": "King",
    "phone": "",
    "tags": "customer",
    "fields": {"1": "gold"},
}
JOINED = {
    "id": "contact.id",
    "email": "contact.email",
    "first_name": "contact.first_name",
    "last_name": "contact.last_name",
    "tags": "contact.tags",
    "fields": Output("contact.fields", kind="object"),
    "list": "list",
    "happened_at": "date_time",
}
ALSO_SOFTWARE = Field(
    "also_software",
    label="Also what software changes",
    kind="boolean",
    example=False,
    advanced=True,
    help="Careful: this workflow's own changes would start it again.",
)
ONLY_LIST = Field("list", label="Only this list", kind="integer", options="list_lists", example=2)


def changed_contacts(config: Mapping[str, Any], since: Any) -> Request:
    # The filter takes days, in whose time zone is not said: from the day before on, and what was seen is left out.
    day = datetime.fromisoformat(since).astimezone(UTC).date() - timedelta(days=1) if since else None
    return Request(
        "GET",
        "/contacts",
        query={
            "filters[updated_after]": day.isoformat() if day else None,
            "orders[id]": "desc",
            "limit": PAGE_SIZE,
        },
    )


TRIGGERS = (
    Trigger(
        key="contact_added",
        label="A contact is added",
        event="subscribe",
        fields=(ONLY_LIST, ALSO_SOFTWARE),
        returns=JOINED,
        sample=event("subscribe", contact=ADA, list="2"),
    ),
    Trigger(
        key="contact_updated",
        label="A contact changes",
        event="update",
        fields=(ALSO_SOFTWARE,),
        returns={**JOINED, "updated_fields": Output("updated_fields", kind="json")},
        sample=event("update", contact=ADA, updated_fields=["first_name"]),
    ),
    Trigger(
        key="tag_added",
        label="A tag is added to a contact",
        event="contact_tag_added",
        fields=(ALSO_SOFTWARE,),
        returns={**JOINED, "tag": "tag"},
        sample=event("contact_tag_added", contact=ADA, tag="customer"),
    ),
    Trigger(
        key="deal_added",
        label="A deal is added",
        event="deal_add",
        fields=(ALSO_SOFTWARE,),
        returns={
            "id": "deal.id",
            "title": "deal.title",
            "value": "deal.value",
            "stage": "deal.stageid",
            "contact": "contact.id",
            "happened_at": "date_time",
        },
        sample=event(
            "deal_add",
            deal={"id": "14", "title": "200 garden chairs", "value": "4900.00", "stageid": "1"},
            contact={"id": "113"},
        ),
    ),
    Trigger(
        key="unsubscribed",
        label="A contact unsubscribes",
        event="unsubscribe",
        fields=(ONLY_LIST, ALSO_SOFTWARE),
        returns=JOINED,
        sample=event("unsubscribe", contact=ADA, list="2"),
    ),
    Trigger(
        key="contacts_poll",
        label="New or changed contact (checked every few minutes)",
        kind="polling",
        description="ActiveCampaign never repeats a delivery that failed: this finds such changes all the same.",
        poll=Poll(
            request=changed_contacts,
            items="contacts",
            id=("id", "udate"),
            stamp="udate",
            order="unknown",
            pagination=pages("contacts"),
        ),
        returns=PERSON,
        sample={
            "id": "113",
            "email": "ada@example.com",
            "firstName": "Ada",
            "lastName": "King",
            "phone": "",
            "cdate": "2026-11-20T08:00:00-06:00",
            "udate": "2026-11-22T09:30:00-06:00",
        },
    ),
)


def subscribe(subscription: Subscription) -> Request:
    sources = ["public", "admin", "system"]  # ours is "api": without it our own changes do not come back
    if subscription.config.get("also_software"):
        sources.append("api")
    return Request(
        "POST",
        "/webhooks",
        json={
            "webhook": given(
                name="Steward",
                url=f"{subscription.address}?key={subscription.secret}",
                events=list(subscription.events),
                sources=sources,
                listid=subscription.config.get("list"),
            )
        },
    )


def delivery_id(inbound: Inbound, event: Mapping[str, Any]) -> str:
    # Nothing is numbered; this is the same when the same thing is told twice.
    which = dig(event, "deal.id") or dig(event, "contact.id")
    more = dig(event, "tag") or dig(event, "list") or ""
    return f"{dig(event, 'type')}:{which}:{more}:{dig(event, 'date_time')}"


connector = Connector(
    slug="activecampaign",
    name="ActiveCampaign",
    category="Email marketing",
    summary="Keep contacts, tags, lists and deals up to date, start automations, and react to changes.",
    docs_url="https://developers.activecampaign.com/reference/overview",
    base_url="{api_url}/api/3",
    auth=ApiKey(
        header="Api-Token", help="In ActiveCampaign: Settings, Developer. It has the rights of its user."
    ),
    account=(
        Field(
            "api_url",
            label="API address",
            kind="url",
            required=True,
            example="https://acme.api-us1.com",
            help="In ActiveCampaign: Settings, Developer, URL.",
        ),
    ),
    test=Test(Request("GET", "/users/me"), account={"user_id": "user.id"}, label="user.email"),
    on_error=refine,
    error_paths=("errors.0.title", "errors.0.detail"),
    rate_limit=RateLimit(calls=5),  # for all keys of an account together
    webhooks=Webhooks(
        address="trigger",
        signature=token_in_query("key"),  # nothing is signed: a secret in the address has to do
        event="type",
        delivery_id=delivery_id,
        subscribe=subscribe,
        read=lambda response, subscription: {
            "id": dig(response.json, "webhook.id"),
            "secret": subscription.secret,
        },
        unsubscribe=lambda subscription: Request(
            "DELETE", "/webhooks/{id}", at={"id": subscription.state["id"]}
        ),
    ),
    actions=(
        SYNC_CONTACT,
        GET_CONTACT,
        FIND_CONTACT,
        TAG_CONTACT,
        UNTAG_CONTACT,
        SET_LIST_STATUS,
        ADD_TO_AUTOMATION,
        CREATE_NOTE,
        CREATE_DEAL,
        UPDATE_DEAL,
        *LISTINGS,
    ),
    triggers=TRIGGERS,
)
