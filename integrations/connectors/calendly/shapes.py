"""Fields and outputs that several operations share."""

from collections.abc import Mapping

from integrations.framework import Field, Output

EVENT_URI = "https://api.calendly.com/scheduled_events/GBGBDCAADAEDCRZ2"
INVITEE_URI = f"{EVENT_URI}/invitees/AAAAAAAAAAAAAAAA"
TYPE_URI = "https://api.calendly.com/event_types/AAAAAAAAAAAAAAAA"
USER_URI = "https://api.calendly.com/users/EBHAAFHDCAEQTSEZ"
ORGANIZATION_URI = "https://api.calendly.com/organizations/EBHAAFHDCAEQTSEZ"

EVENT = Field(
    "event",
    label="Meeting",
    required=True,
    example=EVENT_URI,
    help="Its address, as given by the trigger or an earlier step.",
)

EVENT_TYPE = Field(
    "event_type", label="Event type", required=True, options="list_event_types", example=TYPE_URI
)

PERSON = Field(
    "user",
    label="Only of this person",
    options="list_members",
    example=USER_URI,
    help="Empty takes the whole organization.",
)

LIMIT = Field(
    "limit",
    label="Most results",
    kind="integer",
    default=100,
    minimum=1,
    maximum=5000,
    example=100,
    advanced=True,
)

MEETING = {
    "uri": "uri",
    "name": "name",
    "status": "status",
    "start_time": "start_time",
    "end_time": "end_time",
    "event_type": "event_type",
    "location": Output("location", kind="object"),
    "created_at": "created_at",
}

INVITEE = {
    "uri": "uri",
    "email": "email",
    "name": "name",
    "status": "status",
    "timezone": "timezone",
    "questions_and_answers": Output("questions_and_answers", kind="list"),
    "cancel_url": "cancel_url",
    "reschedule_url": "reschedule_url",
}


def of_resource(members: Mapping[str, Output | str]) -> dict[str, Output]:
    return {
        name: Output(f"resource.{value.path}", kind=value.kind)
        if isinstance(value, Output)
        else Output(f"resource.{value}")
        for name, value in members.items()
    }
