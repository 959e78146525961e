"""HubSpot: contacts, companies, deals, notes and tasks; start on new and changed records."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from integrations.framework import (
    Action,
    BearerToken,
    Connector,
    ConnectorError,
    CursorPages,
    Field,
    FollowUp,
    Hmac,
    Inbound,
    OAuth2,
    Offers,
    Output,
    PermanentError,
    Poll,
    RateLimit,
    Request,
    Response,
    TemporaryError,
    Test,
    Trigger,
    Webhooks,
    dig,
)
from integrations.framework.signatures import hubspot_v3

VERSION = "2026-03"  # HubSpot names its versions by date and supports each for 18 months
OBJECTS = f"/crm/objects/{VERSION}"
DEALS = f"{OBJECTS}/0-3"  # the id of the object type "deal"
PAGE_SIZE = 100

# HubSpot's own ids of "belongs to", by (from, to).
ASSOCIATIONS = {
    ("note", "contact"): 202,
    ("note", "company"): 190,
    ("note", "deal"): 214,
    ("task", "contact"): 204,
    ("task", "company"): 192,
    ("task", "deal"): 216,
    ("deal", "contact"): 3,
    ("deal", "company"): 341,
    ("contact", "company"): 279,
}


def refine(response: Response) -> ConnectorError | None:
    if response.status == 429:
        policy = str(dig(response.json, "policyName") or "")
        if policy == "DAILY":
            return PermanentError(
                "HubSpot's daily number of calls is used up. It starts again at midnight.",
                status=429,
                code=policy,
            )
        # No Retry-After here; the short window is ten seconds.
        return TemporaryError(
            "HubSpot asked us to slow down. We will try again.", retry_after=10, status=429, code=policy
        )
    if response.status == 423:
        return TemporaryError(
            "The HubSpot record is being changed by something else. We will try again.",
            retry_after=2,
            status=423,
        )
    if response.status == 477:
        wait = response.headers.get("retry-after", "")
        return TemporaryError(
            "HubSpot is moving this account to another place. We will try again.",
            retry_after=float(wait) if wait.isdigit() else 3600,
            status=477,
        )
    return None


def check_batch(response: Response) -> None:
    # A batch call answers 207 and success for the rest when single records were refused.
    message = dig(response.json, "errors.0.message") if response.status == 207 else None
    if message:
        raise PermanentError(f'HubSpot did not accept the record: "{message}"', status=207)


def pause(response: Response) -> float | None:
    if response.headers.get("x-hubspot-ratelimit-remaining") != "0":
        return None
    interval = response.headers.get("x-hubspot-ratelimit-interval-milliseconds", "")
    return int(interval) / 1000 if interval.isdigit() else None


def as_text(value: Any) -> str:
    """Return a property value as HubSpot takes it: always text, null as the empty text that clears."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def properties(inputs: Mapping[str, Any], **named: str) -> dict[str, str]:
    """Return the properties of a record. named: input -> HubSpot's name; further ones come from `properties`."""
    given = {wire: as_text(inputs[key]) for key, wire in named.items() if key in inputs}
    return {**given, **{name: as_text(value) for name, value in inputs.get("properties", {}).items()}}


def associations(kind: str, inputs: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the links of a new record to the contact, company and deal given."""
    return [
        {
            "to": {"id": inputs[other]},
            "types": [
                {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": ASSOCIATIONS[kind, other]}
            ],
        }
        for other in ("contact", "company", "deal")
        if (kind, other) in ASSOCIATIONS and other in inputs
    ]


def creation(path: str, kind: str, **named: str):
    return lambda inputs: Request(
        "POST",
        path,
        json={"properties": properties(inputs, **named), "associations": associations(kind, inputs)},
    )


CONTACT_ID = Field(
    "contact_id",
    label="Contact",
    required=True,
    send="contactId",
    example="512",
    help="The contact's number, or a value of the property chosen under “Find by”.",
)
ID_PROPERTY = Field(
    "id_property",
    label="Find by",
    send="idProperty",
    place="query",
    example="email",
    advanced=True,
    help="A unique property such as email, when the contact is not given by its number.",
)
OWNER = Field("owner", label="Owner", options="list_owners", example="41629779")
MORE = Field(
    "properties",
    label="More properties",
    kind="key_value",
    example={"jobtitle": "Engineer"},
    advanced=True,
    help="HubSpot's internal names and their values.",
)
RETURNED = Field(
    "properties",
    label="Properties to read",
    kind="multi_select",
    options="list_contact_properties",
    example=["email", "firstname", "lastname"],
    help="Empty gives HubSpot's usual few.",
)
PERSON = (
    Field("email", label="E-mail", kind="email", example="ada@example.com"),
    Field("first_name", label="First name", example="Ada"),
    Field("last_name", label="Last name", example="Lovelace"),
    Field("phone", label="Phone", example="+441632960001"),
    Field("company_name", label="Company name", example="Analytical Engines"),
    Field("website", label="Website", kind="url", example="https://example.com"),
    Field(
        "lifecycle_stage",
        label="Lifecycle stage",
        example="lead",
        help="HubSpot's internal name, such as lead or customer.",
    ),
    OWNER,
    MORE,
)
PERSON_NAMES = {
    "email": "email",
    "first_name": "firstname",
    "last_name": "lastname",
    "phone": "phone",
    "company_name": "company",
    "website": "website",
    "lifecycle_stage": "lifecyclestage",
    "owner": "hubspot_owner_id",
}
LINKS = (
    Field("contact", label="Contact", example="512", help="The contact's number."),
    Field("company", label="Company", example="2044", help="The company's number."),
    Field("deal", label="Deal", example="9001", help="The deal's number."),
)
RECORD = {
    "id": "id",
    "properties": Output("properties", kind="object"),
    "created_at": "createdAt",
    "updated_at": "updatedAt",
    "archived": Output("archived", kind="boolean"),
    "url": "url",
}
CONTACT = {
    **RECORD,
    "email": "properties.email",
    "first_name": "properties.firstname",
    "last_name": "properties.lastname",
}

CREATE_CONTACT = Action(
    key="create_contact",
    label="Create a contact",
    description="Fails when the e-mail address is there already: “Create or update” does not.",
    fields=(*PERSON, LINKS[1]),
    request=creation(f"{OBJECTS}/contacts", "contact", **PERSON_NAMES),
    returns=CONTACT,
    effect="unsafe",
)

UPDATE_CONTACT = Action(
    key="update_contact",
    label="Change a contact",
    fields=(CONTACT_ID, ID_PROPERTY, *PERSON),
    request=lambda inputs: Request(
        "PATCH",
        f"{OBJECTS}/contacts/{{contactId}}",
        at={"contactId": inputs["contact_id"]},
        query={"idProperty": inputs.get("id_property")},
        json={"properties": properties(inputs, **PERSON_NAMES)},
    ),
    returns=CONTACT,
    effect="key_safe",  # the same values set twice are the same contact
)

UPSERT_CONTACT = Action(
    key="upsert_contact",
    label="Create or update a contact by e-mail",
    fields=(
        Field("email", label="E-mail", kind="email", required=True, example="ada@example.com"),
        *PERSON[1:],
    ),
    request=lambda inputs: Request(
        "POST",
        f"{OBJECTS}/contacts/batch/upsert",
        json={
            "inputs": [
                {
                    "id": inputs["email"],
                    "idProperty": "email",
                    "properties": properties(inputs, **PERSON_NAMES),
                }
            ]
        },
    ),
    returns={
        "id": "results.0.id",
        "is_new": Output("results.0.new", kind="boolean"),
        "properties": Output("results.0.properties", kind="object"),
        "status": "status",
    },
    effect="key_safe",  # found by e-mail, then set: a repeat finds the first one's contact
)

GET_CONTACT = Action(
    key="get_contact",
    label="Get a contact",
    fields=(
        CONTACT_ID,
        ID_PROPERTY,
        RETURNED,
        Field(
            "associations",
            label="Linked records to name",
            kind="multi_select",
            advanced=True,
            choices=("companies", "deals", "tickets"),
            example=["companies"],
        ),
        Field("archived", label="Look among deleted contacts", kind="boolean", example=False, advanced=True),
    ),
    request=lambda inputs: Request(
        "GET",
        f"{OBJECTS}/contacts/{{contactId}}",
        at={"contactId": inputs["contact_id"]},
        query={
            "idProperty": inputs.get("id_property"),
            "archived": inputs.get("archived"),
            "properties": ",".join(inputs["properties"]) if "properties" in inputs else None,
            "associations": ",".join(inputs["associations"]) if "associations" in inputs else None,
        },
    ),
    returns={**CONTACT, "associations": Output("associations", kind="object")},
    effect="read",
)

OPERATORS = (
    ("EQ", "is"),
    ("NEQ", "is not"),
    ("CONTAINS_TOKEN", "contains the word"),
    ("GT", "is greater than"),
    ("GTE", "is at least"),
    ("LT", "is less than"),
    ("LTE", "is at most"),
    ("HAS_PROPERTY", "is known"),
    ("NOT_HAS_PROPERTY", "is unknown"),
)

SEARCH_CONTACTS = Action(
    key="search_contacts",
    label="Search contacts",
    description="A contact that was just changed may be missing for some seconds. At most 10,000 are found.",
    fields=(
        Field(
            "query",
            label="Words",
            example="ada",
            max_length=3000,
            help="Looked for in names, e-mail addresses and phone numbers.",
        ),
        Field(
            "filters",
            label="Conditions",
            kind="list",
            fields=(
                Field(
                    "property",
                    label="Property",
                    required=True,
                    options="list_contact_properties",
                    example="email",
                ),
                Field("operator", label="Condition", kind="select", choices=OPERATORS, default="EQ"),
                Field("value", label="Value", example="ada@example.com"),
            ),
            example=[{"property": "email", "operator": "EQ", "value": "ada@example.com"}],
            help="All of them must hold; six at most.",
        ),
        Field("sort_by", label="Sort by", options="list_contact_properties", example="lastmodifieddate"),
        Field("newest_first", label="Largest or newest first", kind="boolean", example=True),
        RETURNED,
    ),
    request=lambda inputs: search(
        filters=[
            {
                "propertyName": entry["property"],
                "operator": entry["operator"],
                **({"value": entry["value"]} if "value" in entry else {}),
            }
            for entry in inputs.get("filters", ())
        ],
        sort_by=inputs.get("sort_by"),
        descending=inputs.get("newest_first", False),
        names=inputs.get("properties", []),
        query=inputs.get("query"),
    ),
    pagination=CursorPages(items="results", into="after", cursor="paging.next.after", place="json"),
    returns={
        "total": Output("total", kind="integer"),
        "contacts": Output("results", kind="list", of=CONTACT),
    },
    effect="read",
)


def search(
    *,
    filters: list[dict[str, Any]],
    sort_by: str | None,
    descending: bool,
    names: list[str],
    query: str | None = None,
) -> Request:
    return Request(
        "POST",
        f"{OBJECTS}/contacts/search",
        json={
            "filterGroups": [{"filters": filters}] if filters else [],
            "sorts": [{"propertyName": sort_by, "direction": "DESCENDING" if descending else "ASCENDING"}]
            if sort_by
            else [],
            "properties": names,
            "limit": PAGE_SIZE,
            "after": "0",
            "query": query,
        },
    )


CREATE_COMPANY = Action(
    key="create_company",
    label="Create a company",
    fields=(
        Field("name", label="Name", required=True, example="Analytical Engines"),
        Field(
            "domain",
            label="Web domain",
            example="example.com",
            help="HubSpot tells companies apart by it, and fills in more.",
        ),
        Field("phone", label="Phone", example="+441632960001"),
        Field("city", label="City", example="London"),
        Field("industry", label="Industry", example="COMPUTER_SOFTWARE", help="HubSpot's internal name."),
        OWNER,
        Field(
            "properties",
            label="More properties",
            kind="key_value",
            example={"country": "GB"},
            advanced=True,
            help="HubSpot's internal names and their values.",
        ),
    ),
    request=creation(
        f"{OBJECTS}/companies",
        "company",
        name="name",
        domain="domain",
        phone="phone",
        city="city",
        industry="industry",
        owner="hubspot_owner_id",
    ),
    returns={**RECORD, "name": "properties.name", "domain": "properties.domain"},
    effect="unsafe",
)

DEAL_FIELDS = (
    Field("pipeline", label="Pipeline", options="list_pipelines", example="default"),
    Field("stage", label="Stage", options="list_deal_stages", example="appointmentscheduled"),
    Field(
        "amount",
        label="Amount",
        kind="number",
        example=4900,
        help="In the account's currency, such as 4900.50.",
    ),
    Field("close_date", label="Expected close", kind="date", example="2026-12-24"),
    OWNER,
    Field(
        "properties",
        label="More properties",
        kind="key_value",
        example={"dealtype": "newbusiness"},
        advanced=True,
        help="HubSpot's internal names and their values.",
    ),
)
DEAL_NAMES = {
    "name": "dealname",
    "pipeline": "pipeline",
    "stage": "dealstage",
    "amount": "amount",
    "close_date": "closedate",
    "owner": "hubspot_owner_id",
}
DEAL = {
    **RECORD,
    "name": "properties.dealname",
    "stage": "properties.dealstage",
    "amount": "properties.amount",
}

CREATE_DEAL = Action(
    key="create_deal",
    label="Create a deal",
    fields=(
        Field("name", label="Name", required=True, example="200 garden chairs"),
        *DEAL_FIELDS,
        *LINKS[:2],
    ),
    request=creation(DEALS, "deal", **DEAL_NAMES),
    returns=DEAL,
    effect="unsafe",
)

UPDATE_DEAL = Action(
    key="update_deal",
    label="Change or move a deal",
    fields=(
        Field("deal_id", label="Deal", required=True, example="9001", help="The deal's number."),
        Field("name", label="Name", example="220 garden chairs"),
        *DEAL_FIELDS,
    ),
    request=lambda inputs: Request(
        "PATCH",
        f"{DEALS}/{{dealId}}",
        at={"dealId": inputs["deal_id"]},
        json={"properties": properties(inputs, **DEAL_NAMES)},
    ),
    returns=DEAL,
    effect="key_safe",  # the same values set twice are the same deal
)

CREATE_NOTE = Action(
    key="create_note",
    label="Add a note to a record",
    fields=(
        Field(
            "body",
            label="Note",
            kind="long_text",
            required=True,
            example="Called, wants an offer.",
            help="Simple HTML is shown as such.",
        ),
        Field(
            "when",
            label="Date and time",
            kind="datetime",
            required=True,
            example="2026-11-22T09:30:00+00:00",
            help="Where the note stands on the timeline.",
        ),
        *LINKS,
        OWNER,
    ),
    request=creation(
        f"{OBJECTS}/notes", "note", body="hs_note_body", when="hs_timestamp", owner="hubspot_owner_id"
    ),
    returns={"id": "id", "body": "properties.hs_note_body", "created_at": "createdAt"},
    effect="unsafe",
)

CREATE_TASK = Action(
    key="create_task",
    label="Create a task",
    fields=(
        Field("subject", label="Task", required=True, example="Send the offer"),
        Field("due", label="Due", kind="datetime", required=True, example="2026-11-24T09:00:00+00:00"),
        Field("body", label="Details", kind="long_text", example="200 chairs, delivered"),
        Field(
            "status",
            label="Status",
            kind="select",
            example="NOT_STARTED",
            choices=("NOT_STARTED", "IN_PROGRESS", "WAITING", "COMPLETED", "DEFERRED"),
        ),
        Field("priority", label="Priority", kind="select", choices=("LOW", "MEDIUM", "HIGH"), example="HIGH"),
        OWNER,
        *LINKS,
    ),
    request=creation(
        f"{OBJECTS}/tasks",
        "task",
        subject="hs_task_subject",
        body="hs_task_body",
        due="hs_timestamp",
        status="hs_task_status",
        priority="hs_task_priority",
        owner="hubspot_owner_id",
    ),
    returns={"id": "id", "subject": "properties.hs_task_subject", "created_at": "createdAt"},
    effect="unsafe",
)

KINDS = ("contacts", "companies", "deals", "tickets", "notes", "tasks")

ASSOCIATE = Action(
    key="associate_records",
    label="Link two records",
    fields=(
        Field(
            "from_type",
            label="Kind of the first record",
            kind="select",
            required=True,
            choices=KINDS,
            example="contacts",
            send="fromObjectType",
        ),
        Field("from_id", label="First record", required=True, example="512", send="fromObjectId"),
        Field(
            "to_type",
            label="Kind of the second record",
            kind="select",
            required=True,
            choices=KINDS,
            example="deals",
            send="toObjectType",
        ),
        Field("to_id", label="Second record", required=True, example="9001", send="toObjectId"),
    ),
    call=f"PUT {OBJECTS}/{{fromObjectType}}/{{fromObjectId}}/associations/default/{{toObjectType}}/{{toObjectId}}",
    returns={
        "status": "status",
        "results": Output("results", kind="list", of={"from": "from.id", "to": "to.id"}),
    },
    effect="key_safe",  # a link that exists stays as it is
)

LIST_OWNERS = Action(
    key="list_owners",
    label="List owners",
    request=lambda inputs: Request("GET", f"/crm/owners/{VERSION}", query={"limit": PAGE_SIZE}),
    pagination=CursorPages(items="results", into="after", cursor="paging.next.after"),
    offers=Offers(items="owners", value="id", label="email"),
    returns={
        "owners": Output(
            "results",
            kind="list",
            of={"id": "id", "email": "email", "first_name": "firstName", "last_name": "lastName"},
        )
    },
    effect="read",
)

LIST_PIPELINES = Action(
    key="list_pipelines",
    label="List deal pipelines",
    call=f"GET /crm/pipelines/{VERSION}/deals",
    offers=Offers(items="pipelines", value="id", label="label"),
    returns={"pipelines": Output("results", kind="list", of={"id": "id", "label": "label"})},
    effect="read",
)

LIST_STAGES = Action(
    key="list_deal_stages",
    label="List deal stages",
    call=f"GET /crm/pipelines/{VERSION}/deals",
    output=lambda response: {
        "stages": [
            {"id": stage["id"], "label": f"{pipeline['label']}: {stage['label']}"}
            for pipeline in dig(response.json, "results", [])
            for stage in pipeline.get("stages", ())
        ]
    },
    offers=Offers(items="stages", value="id", label="label"),
    returns={"stages": Output("results[].stages", kind="list", of={"id": "id", "label": "label"})},
    effect="read",
)

LIST_PROPERTIES = Action(
    key="list_contact_properties",
    label="List contact properties",
    call=f"GET /crm/properties/{VERSION}/contacts",
    offers=Offers(items="properties", value="name", label="label"),
    returns={
        "properties": Output(
            "results",
            kind="list",
            of={"name": "name", "label": "label", "type": "type", "field_type": "fieldType"},
        )
    },
    effect="read",
)


def event(type_: str, **details) -> dict:
    """Return a sample of one event in the shape of HubSpot's deliveries."""
    return {
        "eventId": 3816279340,
        "subscriptionId": 25,
        "portalId": 33,
        "appId": 1160452,
        "occurredAt": 1700000000000,
        "subscriptionType": type_,
        "attemptNumber": 0,
        "objectId": 512,
        "changeSource": "CRM_UI",
        **details,
    }


def is_wanted_property(event: dict, config: dict, account: dict) -> bool:
    return not config.get("property") or event.get("propertyName") == config["property"]


def is_wanted_stage(event: dict, config: dict, account: dict) -> bool:
    if event.get("propertyName") != "dealstage":
        return False
    return not config.get("stage") or event.get("propertyValue") == config["stage"]


def in_milliseconds(moment: str) -> str:
    """Return an ISO time as the epoch milliseconds that search filters compare with."""
    return str(int(datetime.fromisoformat(moment).timestamp() * 1000))


def changed_contacts(config: Mapping[str, Any], since: Any) -> Request:
    newer = (
        [{"propertyName": "lastmodifieddate", "operator": "GTE", "value": in_milliseconds(since)}]
        if since
        else []
    )
    return search(
        filters=newer,
        sort_by="lastmodifieddate",
        descending=True,
        names=["email", "firstname", "lastname", "lastmodifieddate", *config.get("properties", ())],
    )


HAPPENED = {
    "object_id": Output("objectId", kind="integer"),
    "portal_id": Output("portalId", kind="integer"),
    "occurred_at": Output("occurredAt", kind="integer", label="Happened at (Unix milliseconds)"),
}
NEW_RECORD = {
    "properties": Output("record.properties", kind="object"),
    "created_at": "record.createdAt",
    "url": "record.url",
}
CHANGED = {**HAPPENED, "property": "propertyName", "value": "propertyValue"}


def read_created(path: str) -> Callable[[Any, Mapping[str, Any]], Request | None]:
    """Return what fetches a new record: its event brings nothing but the number."""

    def request(event: Any, account: Mapping[str, Any]) -> Request | None:
        number = dig(event, "objectId")
        return Request("GET", path, at={"id": number}) if number else None

    return request


TRIGGERS = (
    Trigger(
        key="contact_created",
        label="New contact",
        event="contact.creation",
        follow_up=FollowUp(request=read_created(f"{OBJECTS}/contacts/{{id}}"), into="record"),
        returns={**HAPPENED, **NEW_RECORD, "email": "record.properties.email"},
        sample=event("contact.creation"),
    ),
    Trigger(
        key="contact_property_changed",
        label="A contact's property changes",
        event="contact.propertyChange",
        accepts=is_wanted_property,
        returns=CHANGED,
        fields=(
            Field(
                "property",
                label="Only this property",
                options="list_contact_properties",
                example="lifecyclestage",
            ),
        ),
        sample=event("contact.propertyChange", propertyName="lifecyclestage", propertyValue="customer"),
    ),
    Trigger(
        key="deal_created",
        label="New deal",
        event="deal.creation",
        follow_up=FollowUp(request=read_created(f"{DEALS}/{{id}}"), into="record"),
        returns={**HAPPENED, **NEW_RECORD, "name": "record.properties.dealname"},
        sample=event("deal.creation", objectId=9001),
    ),
    Trigger(
        key="deal_stage_changed",
        label="A deal moves to another stage",
        event="deal.propertyChange",
        accepts=is_wanted_stage,
        returns={**HAPPENED, "stage": "propertyValue"},
        fields=(
            Field("stage", label="Only into this stage", options="list_deal_stages", example="closedwon"),
        ),
        sample=event(
            "deal.propertyChange", objectId=9001, propertyName="dealstage", propertyValue="closedwon"
        ),
    ),
    Trigger(
        key="contact_updated_poll",
        label="New or changed contact (checked every few minutes)",
        kind="polling",
        description="Works with a private app's token too.",
        fields=(RETURNED,),
        poll=Poll(
            request=changed_contacts,
            items="results",
            id=("id", "properties.lastmodifieddate"),
            stamp="properties.lastmodifieddate",
            pagination=CursorPages(items="results", into="after", cursor="paging.next.after", place="json"),
        ),
        returns=CONTACT,
        sample={
            "id": "512",
            "createdAt": "2026-11-20T08:00:00.000Z",
            "updatedAt": "2026-11-22T09:30:00.123Z",
            "archived": False,
            "properties": {
                "email": "ada@example.com",
                "firstname": "Ada",
                "lastname": "Lovelace",
                "lastmodifieddate": "2026-11-22T09:30:00.123Z",
            },
        },
    ),
)


def delivery_id(inbound: Inbound, event: Any) -> str:
    # Two subscriptions of one app report the same event with the same event id.
    return f"{dig(event, 'eventId')}:{dig(event, 'subscriptionId')}"


connector = Connector(
    slug="hubspot",
    name="HubSpot",
    category="CRM and sales",
    summary="Keep contacts, companies and deals up to date, and react to what changes in your CRM.",
    docs_url="https://developers.hubspot.com/docs/api-reference/overview",
    base_url="https://api.hubapi.com",
    auth=(
        OAuth2(
            authorize_url="https://app.hubspot.com/oauth/authorize",
            token_url=f"https://api.hubapi.com/oauth/{VERSION}/token",
            revoke_url=f"https://api.hubapi.com/oauth/{VERSION}/token/revoke",
            scopes=(
                "oauth",
                "crm.objects.contacts.read",
                "crm.objects.contacts.write",
                "crm.objects.companies.read",
                "crm.objects.companies.write",
                "crm.objects.deals.read",
                "crm.objects.deals.write",
                "crm.objects.owners.read",
                "crm.schemas.contacts.read",
                "crm.schemas.deals.read",
            ),
            account_from_token={"hub_id": "hub_id"},
        ),
        BearerToken(
            label="Private app token",
            secret_label="Access token",
            example="pat-eu1-",
            help="In HubSpot: Settings, Integrations, Private apps. It begins with pat-. Webhooks need signing in.",
        ),
    ),
    test=Test(
        Request("GET", f"/account-info/{VERSION}/details"),
        label="portalId",
        account={"hub_id": "portalId", "ui_domain": "uiDomain"},
    ),
    check=check_batch,
    on_error=refine,
    rate_limit=RateLimit(calls=100, seconds=10),
    wait=pause,
    webhooks=Webhooks(
        address="app",  # one target URL for all accounts that installed the app
        signature=Hmac(
            header="X-HubSpot-Signature-v3",
            encoding="base64",
            signed=hubspot_v3,
            timestamp_header="X-HubSpot-Request-Timestamp",
            timestamp_unit=1000,
        ),
        secret="app",
        secret_name="client_secret",
        events="",
        event="subscriptionType",
        delivery_id=delivery_id,
        account="portalId",
        account_key="hub_id",
        setup="Events arrive by themselves once the account is connected by signing in. A private app's token gets "
        "none: use the trigger that checks every few minutes.",
    ),
    actions=(
        CREATE_CONTACT,
        UPDATE_CONTACT,
        UPSERT_CONTACT,
        GET_CONTACT,
        SEARCH_CONTACTS,
        CREATE_COMPANY,
        CREATE_DEAL,
        UPDATE_DEAL,
        CREATE_NOTE,
        CREATE_TASK,
        ASSOCIATE,
        LIST_OWNERS,
        LIST_PIPELINES,
        LIST_STAGES,
        LIST_PROPERTIES,
    ),
    triggers=TRIGGERS,
)
