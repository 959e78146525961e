"""Activities and notes."""

from integrations.connectors.pipedrive.calls import build
from integrations.connectors.pipedrive.shapes import ORG_ID, OWNER, PERSON_ID
from integrations.framework import Action, Field, Output, Request

CREATE_ACTIVITY = Action(
    key="create_activity",
    label="Create an activity",
    fields=(
        Field("subject", label="Subject", required=True, example="Call about the offer"),
        Field("type", label="Kind", options="list_activity_types", example="call"),
        Field("due_date", label="Day", kind="date", example="2026-11-24"),
        Field(
            "due_time",
            label="Time",
            example="09:30",
            pattern="^[0-2][0-9]:[0-5][0-9]$",
            help="In UTC, such as 09:30.",
        ),
        Field(
            "duration",
            label="Lasts",
            example="00:30",
            pattern="^[0-9]{2}:[0-5][0-9]$",
            help="Hours and minutes, such as 00:30.",
        ),
        Field("deal_id", label="Deal", kind="integer", example=101),
        Field("lead_id", label="Lead", example="adf21080-0e10-11eb-879b-05d71fb426ec"),
        PERSON_ID,
        ORG_ID,
        OWNER,
        Field("note", label="Note", kind="long_text", example="Has a question about delivery."),
        Field("done", label="Done already", kind="boolean", example=False),
    ),
    request=lambda inputs: Request(
        "POST",
        "/api/v2/activities",
        json={
            **{name: value for name, value in inputs.items() if name != "person_id"},
            # person_id itself can only be read here; people come as participants.
            "participants": [{"person_id": inputs["person_id"], "primary": True}]
            if "person_id" in inputs
            else None,
        },
    ),
    returns={
        "id": Output("data.id", kind="integer"),
        "subject": "data.subject",
        "due_date": "data.due_date",
        "done": Output("data.done", kind="boolean"),
    },
    effect="unsafe",
)

ADD_NOTE = Action(
    key="add_note",
    label="Add a note",
    description="Give at least one record it belongs to.",
    fields=(
        Field(
            "content",
            label="Note",
            kind="long_text",
            required=True,
            example="Wants an offer.",
            help="Simple HTML is shown as such.",
        ),
        Field("deal_id", label="Deal", kind="integer", example=101),
        PERSON_ID,
        ORG_ID,
        Field("lead_id", label="Lead", example="adf21080-0e10-11eb-879b-05d71fb426ec"),
        Field("pinned_to_deal_flag", label="Pin to the deal", kind="boolean", example=True, advanced=True),
    ),
    request=build(
        "POST",
        "/api/v1/notes",
        pinned_to_deal_flag=lambda inputs: (
            int(inputs["pinned_to_deal_flag"]) if "pinned_to_deal_flag" in inputs else None
        ),
    ),
    returns={"id": Output("data.id", kind="integer"), "content": "data.content", "add_time": "data.add_time"},
    effect="unsafe",
)
