"""Deals, and the notes, tasks and links that belong to records."""

from integrations.connectors.hubspot.calls import DEALS, LINKS, OBJECTS, OWNER, RECORD, creation, properties
from integrations.framework import Action, Field, Output, Request

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
