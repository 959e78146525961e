"""Salesforce: records of any object, SOQL and text search, tasks and campaigns; start on new and changed records."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

from integrations.framework import (
    Action,
    Connector,
    ConnectorError,
    Field,
    Inbound,
    LinkPages,
    OAuth2,
    Offers,
    Output,
    PermanentError,
    Poll,
    RateLimit,
    Reply,
    Request,
    Response,
    TemporaryError,
    Test,
    Trigger,
    Webhooks,
    dig,
)

VERSION = "v66.0"
DATA = f"/services/data/{VERSION}"
NAME = r"^[A-Za-z][A-Za-z0-9_]*$"
PATH = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*")
SHORTEST_SESSION = 900  # seconds; token answers do not say, and 15 minutes is the least an org can set
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
OUTBOUND = "{http://soap.sforce.com/2005/09/outbound}"
MOST_NOTIFICATIONS = 100  # what Salesforce puts into one message
ACKNOWLEDGED = (
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    b'<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack>'
    b"</notificationsResponse></soapenv:Body></soapenv:Envelope>"
)


def check_unambiguous(response: Response) -> None:
    if response.status == 300:
        raise PermanentError(
            "Several Salesforce records have this external id. Make it unique, then try again.", status=300
        )


def refine(response: Response) -> ConnectorError | None:
    code = str(dig(response.json, "0.errorCode") or "")
    if code == "REQUEST_LIMIT_EXCEEDED":
        # The allowance is counted over the last 24 hours, so it comes back little by little.
        return TemporaryError(
            "This Salesforce organization has used up its calls for now. We will try again.",
            retry_after=900,
            status=response.status,
            code=code,
        )
    if code in ("UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE"):
        return TemporaryError(
            "The Salesforce record was being changed by something else. We will try again.",
            status=response.status,
            code=code,
        )
    if code == "DUPLICATES_DETECTED":
        return PermanentError(
            "Salesforce thinks that this record is there already. Change it instead, or allow "
            "duplicates in the step.",
            status=response.status,
            code=code,
        )
    return None


OBJECT = Field(
    "sobject",
    label="Object",
    required=True,
    options="list_objects",
    example="Contact",
    pattern=NAME,
    help="Its API name, such as Lead or Contact; your own end in __c.",
)
RECORD_ID = Field(
    "id",
    label="Record",
    required=True,
    example="0035g00000ABCDEAA4",
    help="The record's id of 15 or 18 characters.",
    pattern="^[A-Za-z0-9]{15}([A-Za-z0-9]{3})?$",
)
VALUES = Field(
    "fields",
    label="Fields",
    kind="object",
    required=True,
    example={"LastName": "Lovelace", "Email": "ada@example.com"},
    help="API names of the fields and their values.",
)
CREATED = {"id": "id", "success": Output("success", kind="boolean")}


def on_object(method: str, tail: str, *names: str, **options: Callable[[Mapping[str, Any]], Any]):
    """Return a request builder for a call on one object. names: inputs the tail names; options: as for Request."""
    return lambda inputs: Request(
        method,
        f"{DATA}/sobjects/{{sobject}}{tail}",
        at={name: inputs[name] for name in ("sobject", *names)},
        **{name: build(inputs) for name, build in options.items()},
    )


def values(inputs: Mapping[str, Any]) -> dict[str, Any]:
    return dict(inputs["fields"])


CREATE_RECORD = Action(
    key="create_record",
    label="Create a record",
    fields=(
        OBJECT,
        VALUES,
        Field(
            "allow_duplicates",
            label="Create it even if it looks like a duplicate",
            kind="boolean",
            example=True,
            advanced=True,
        ),
    ),
    request=on_object(
        "POST",
        "",
        json=values,
        headers=lambda inputs: {
            "Sforce-Duplicate-Rule-Header": "allowSave=true" if inputs.get("allow_duplicates") else None
        },
    ),
    returns=CREATED,
    effect="unsafe",
)

UPDATE_RECORD = Action(
    key="update_record",
    label="Change a record",
    fields=(OBJECT, RECORD_ID, VALUES),
    request=on_object("PATCH", "/{id}", "id", json=values),
    effect="key_safe",
)  # the same values set twice are the same record

UPSERT_RECORD = Action(
    key="upsert_record",
    label="Create or update a record by external id",
    fields=(
        OBJECT,
        Field(
            "external_id_field",
            label="External id field",
            required=True,
            example="Order_Number__c",
            pattern=NAME,
            options="list_fields",
            depends_on=("sobject",),
            help="A field marked as External ID.",
        ),
        Field("value", label="External id", required=True, example="1042"),
        VALUES,
        Field("update_only", label="Only change, never create", kind="boolean", example=False, advanced=True),
    ),
    request=lambda inputs: Request(
        "PATCH",
        f"{DATA}/sobjects/{{sobject}}/{{externalIdField}}/{{value}}",
        at={
            "sobject": inputs["sobject"],
            "externalIdField": inputs["external_id_field"],
            "value": inputs["value"],
        },
        query={"updateOnly": inputs.get("update_only")},
        # The external id stands in the address; in the body it is refused.
        json={name: value for name, value in inputs["fields"].items() if name != inputs["external_id_field"]},
    ),
    returns={**CREATED, "created": Output("created", kind="boolean")},
    effect="key_safe",
)  # found by the external id, then set

GET_RECORD = Action(
    key="get_record",
    label="Get a record",
    fields=(
        OBJECT,
        RECORD_ID,
        Field(
            "fields",
            label="Fields to read",
            kind="multi_select",
            options="list_fields",
            depends_on=("sobject",),
            example=["Name", "Email"],
            help="Empty reads all.",
        ),
    ),
    request=on_object(
        "GET",
        "/{id}",
        "id",
        query=lambda inputs: {"fields": ",".join(inputs["fields"]) if "fields" in inputs else None},
    ),
    returns={"id": "Id", "type": "attributes.type", "record": Output("", kind="object")},
    effect="read",
)

DELETE_RECORD = Action(
    key="delete_record",
    label="Delete a record",
    description="It stays in Salesforce's recycle bin for 15 days.",
    fields=(OBJECT, RECORD_ID),
    request=on_object("DELETE", "/{id}", "id"),
    effect="unsafe",
)  # a second time finds nothing

QUERY_RECORDS = Action(
    key="query_records",
    label="Find records (SOQL)",
    fields=(
        Field(
            "q",
            label="Query",
            kind="long_text",
            required=True,
            example="SELECT Id, Email FROM Contact WHERE Email = 'ada@example.com'",
            help="In Salesforce's query language. Put a backslash before ' and \\ inside values.",
        ),
    ),
    call=f"GET {DATA}/query",
    pagination=LinkPages(items="records", path="nextRecordsUrl"),
    returns={"records": Output("records", kind="list"), "total": Output("totalSize", kind="integer")},
    effect="read",
)

SEARCH_RECORDS = Action(
    key="search_records",
    label="Search records (text)",
    fields=(
        Field("q", label="Words", required=True, example="Lovelace"),
        Field("sobject", label="Only this object", options="list_objects", example="Contact", pattern=NAME),
        Field(
            "fields",
            label="Fields to read",
            kind="multi_select",
            options="list_fields",
            depends_on=("sobject",),
            example=["Id", "Name"],
            help="Needs an object.",
        ),
        Field("limit", label="Most results", kind="integer", example=20, minimum=1, maximum=2000),
    ),
    request=lambda inputs: Request(
        "GET",
        f"{DATA}/parameterizedSearch",
        query={
            "q": inputs["q"],
            "sobject": inputs.get("sobject"),
            "overallLimit": inputs.get("limit"),
            "fields": ",".join(inputs["fields"]) if "fields" in inputs else None,
        },
    ),
    returns={"records": Output("searchRecords", kind="list")},
    effect="read",
)


def creating(sobject: str, **named: str):
    return lambda inputs: Request(
        "POST",
        f"{DATA}/sobjects/{{sobject}}",
        at={"sobject": sobject},
        json={wire: inputs[name] for name, wire in named.items() if name in inputs},
    )


ADD_TASK = Action(
    key="add_task",
    label="Create a task on a record",
    fields=(
        Field("subject", label="Subject", required=True, example="Call about the offer"),
        Field("who_id", label="Lead or contact", example="0035g00000ABCDEAA4"),
        Field("what_id", label="Account, opportunity or case", example="0065g00000ABCDEAA4"),
        Field("due_date", label="Due", kind="date", example="2026-11-24"),
        Field("status", label="Status", example="Not Started", help="As your organization names it."),
        Field("description", label="Details", kind="long_text", example="Has a question about delivery."),
    ),
    request=creating(
        "Task",
        subject="Subject",
        who_id="WhoId",
        what_id="WhatId",
        due_date="ActivityDate",
        status="Status",
        description="Description",
    ),
    returns=CREATED,
    effect="unsafe",
)

ADD_TO_CAMPAIGN = Action(
    key="add_to_campaign",
    label="Add a lead or contact to a campaign",
    description="Give the lead or the contact.",
    fields=(
        Field("campaign_id", label="Campaign", required=True, example="7015g00000ABCDEAA4"),
        Field("lead_id", label="Lead", example="00Q5g00000ABCDEEA4"),
        Field("contact_id", label="Contact", example="0035g00000ABCDEAA4"),
        Field("status", label="Status", example="Sent", help="One of the campaign's own."),
    ),
    request=creating(
        "CampaignMember", campaign_id="CampaignId", lead_id="LeadId", contact_id="ContactId", status="Status"
    ),
    returns=CREATED,
    effect="unsafe",
)  # a member that is there already is refused

LIST_OBJECTS = Action(
    key="list_objects",
    label="List objects",
    call=f"GET {DATA}/sobjects",
    output=lambda response: {
        "objects": [
            {"name": entry["name"], "label": entry["label"]}
            for entry in dig(response.json, "sobjects", [])
            if entry.get("queryable") and not entry.get("deprecatedAndHidden")
        ]
    },
    offers=Offers(items="objects", value="name", label="label"),
    returns={"objects": Output("sobjects", kind="list", of={"name": "name", "label": "label"})},
    effect="read",
)

LIST_FIELDS = Action(
    key="list_fields",
    label="List an object's fields",
    fields=(OBJECT,),
    request=on_object("GET", "/describe"),
    offers=Offers(items="fields", value="name", label="label"),
    returns={
        "fields": Output(
            "fields",
            kind="list",
            of={
                "name": "name",
                "label": "label",
                "type": "type",
                "can_set": Output("createable", kind="boolean"),
                "is_external_id": Output("externalId", kind="boolean"),
            },
        )
    },
    effect="read",
)


def soql_time(moment: str) -> str:
    """Return an instant as SOQL writes it: unquoted, with Z. Salesforce's own answers end in +0000."""
    return datetime.fromisoformat(moment).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def newest(stamp: str, *, of: str = "query", condition: str = ""):
    """Return a poll's request builder: records by `stamp`, newest first, from the last one seen on."""

    def request(config: Mapping[str, Any], since: Any) -> Request:
        names = list(dict.fromkeys(["Id", stamp, *config.get("fields", ())]))
        for name in (config["sobject"], *names):
            if not PATH.fullmatch(name):  # the only things of a person that stand in the query
                raise PermanentError(f"“{name}” is not the API name of an object or field.")
        conditions = [condition] if condition else []
        if since:
            conditions.append(f"{stamp} >= {soql_time(since)}")
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        first = "" if since else " LIMIT 200"
        return Request(
            "GET",
            f"{DATA}/{of}",
            query={
                "q": f"SELECT {', '.join(names)} FROM {config['sobject']}{where} "  # noqa: S608 - names were checked
                f"ORDER BY {stamp} DESC, Id DESC{first}"
            },
        )

    return request


def polling(key: str, label: str, stamp: str, identity: str | tuple[str, ...], **options: Any) -> Trigger:
    more = (
        Field(
            "fields",
            label="Fields to read",
            kind="multi_select",
            options="list_fields",
            depends_on=("sobject",),
            example=["Name", "Email"],
        ),
    )
    return Trigger(
        key=key,
        label=label,
        kind="polling",
        fields=(OBJECT, *(() if options else more)),
        poll=Poll(
            request=newest(stamp, **options),
            items="records",
            id=identity,
            stamp=stamp,
            pagination=LinkPages(items="records", path="nextRecordsUrl"),
        ),
        returns={"id": "Id", "type": "attributes.type", "at": stamp, "record": Output("", kind="object")},
        sample={
            "attributes": {"type": "Contact", "url": f"{DATA}/sobjects/Contact/0035g00000ABCDEAA4"},
            "Id": "0035g00000ABCDEAA4",
            stamp: "2026-11-22T09:30:00.000+0000",
            "Name": "Ada Lovelace",
            "Email": "ada@example.com",
        },
    )


def read_notifications(inbound: Inbound) -> list[dict[str, Any]]:
    """Return [{id, organization_id, type, record}] of an outbound message; empty if it is none."""
    body = inbound.body
    if b"<!" in body:  # neither DTDs nor entities belong in SOAP; both can be used against the reader
        return []
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - see above
    except ElementTree.ParseError:
        return []
    message = root.find(f"{SOAP}Body/{OUTBOUND}notifications")
    if message is None:
        return []
    organization = message.findtext(f"{OUTBOUND}OrganizationId") or ""
    entries = message.findall(f"{OUTBOUND}Notification")[:MOST_NOTIFICATIONS]
    return [notification(entry, organization) for entry in entries]


def notification(entry: ElementTree.Element, organization: str) -> dict[str, Any]:
    record = entry.find(f"{OUTBOUND}sObject")
    kind, members = "", {}
    if record is not None:
        kind = record.get("{http://www.w3.org/2001/XMLSchema-instance}type", "").rpartition(":")[2]
        members = {member.tag.rpartition("}")[2]: member.text for member in record}
    return {
        "id": entry.findtext(f"{OUTBOUND}Id") or "",
        "organization_id": organization,
        "type": kind,
        "record": members,
    }


def of_our_organization(event: dict, config: dict, account: dict) -> bool:
    # Nothing is signed: besides the secret address, the organization must be the connected one.
    ours = str(account.get("organization_id") or "")[:15]
    return not ours or str(event.get("organization_id") or "")[:15] == ours


OUTBOUND_MESSAGE = Trigger(
    key="outbound_message",
    label="An outbound message arrives",
    accepts=of_our_organization,
    webhooks=Webhooks(
        address="trigger",
        signature=None,
        events=read_notifications,
        delivery_id="id",
        answer=Reply(200, ACKNOWLEDGED, content_type="text/xml"),
        setup="In Salesforce: Setup, Outbound Messages, New. Choose the object and its fields, and enter this address "
        "as the endpoint. Then let a flow or workflow rule send the message.",
    ),
    returns={
        "id": "record.Id",
        "type": "type",
        "notification_id": "id",
        "organization_id": "organization_id",
        "record": Output("record", kind="object"),
    },
    sample={
        "id": "04l5g00000ABCDEAA4",
        "organization_id": "00D5g00000ABCDEEA4",
        "type": "Contact",
        "record": {"Id": "0035g00000ABCDEAA4", "Email": "ada@example.com"},
    },
)

TRIGGERS = (
    polling("record_created_poll", "New record (checked every few minutes)", "CreatedDate", "Id"),
    polling(
        "record_updated_poll",
        "New or changed record (checked every few minutes)",
        "SystemModstamp",
        ("Id", "SystemModstamp"),
    ),
    polling(
        "record_deleted_poll",
        "Deleted record (checked every few minutes)",
        "SystemModstamp",
        "Id",
        of="queryAll",
        condition="IsDeleted = TRUE",
    ),
    OUTBOUND_MESSAGE,
)

LEARNED = {"instance_url": "instance_url", "identity": "id"}

connector = Connector(
    slug="salesforce",
    name="Salesforce",
    category="CRM and sales",
    summary="Create, change and find records of any object, and react to new and changed ones.",
    docs_url="https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/",
    base_url="{instance_url}",
    auth=(
        OAuth2(
            authorize_url="https://{login_host}/services/oauth2/authorize",
            token_url="https://{login_host}/services/oauth2/token",
            revoke_url="https://{login_host}/services/oauth2/revoke",
            scopes=("api", "refresh_token", "id"),
            expires_in=SHORTEST_SESSION,
            account_from_token=LEARNED,
        ),
        OAuth2(
            key="client_credentials",
            label="Your own external client app",
            grant="client_credentials",
            token_url="https://{login_host}/services/oauth2/token",
            expires_in=SHORTEST_SESSION,
            account_from_token=LEARNED,
        ),
    ),
    account=(
        Field(
            "login_host",
            label="Where you sign in",
            required=True,
            default="login.salesforce.com",
            example="login.salesforce.com",
            pattern=r"^[a-z0-9-]+(\.sandbox)?(\.my)?\.salesforce\.com$",
            help="login.salesforce.com, test.salesforce.com for a sandbox, or your own, such as "
            "acme.my.salesforce.com.",
        ),
        Field(
            "instance_url",
            label="Instance address",
            kind="url",
            advanced=True,
            example="https://acme.my.salesforce.com",
            help="Found by itself when you sign in.",
        ),
    ),
    test=Test(
        Request("GET", "/services/oauth2/userinfo"),
        label="email",
        account={"organization_id": "organization_id", "user_id": "user_id"},
    ),
    check=check_unambiguous,
    on_error=refine,
    error_paths=("0.message",),
    rate_limit=RateLimit(calls=10),
    actions=(
        CREATE_RECORD,
        UPDATE_RECORD,
        UPSERT_RECORD,
        GET_RECORD,
        DELETE_RECORD,
        QUERY_RECORDS,
        SEARCH_RECORDS,
        ADD_TASK,
        ADD_TO_CAMPAIGN,
        LIST_OBJECTS,
        LIST_FIELDS,
    ),
    triggers=TRIGGERS,
)
