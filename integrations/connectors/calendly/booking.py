"""Book meetings, make links to book by, find free times, list event types and members."""

from integrations.connectors.calendly.calls import listing, utc, whose
from integrations.connectors.calendly.shapes import EVENT_TYPE, PERSON
from integrations.framework import Action, Field, Offers, Output, Request, given

BOOK = Action(
    key="create_event_invitee",
    label="Book a meeting",
    description="The time must be free: “List available times” gives those that are.",
    fields=(
        EVENT_TYPE,
        Field(
            "start_time", label="Start", kind="datetime", required=True, example="2026-11-24T09:00:00+00:00"
        ),
        Field("email", label="Invitee's e-mail", kind="email", required=True, example="ada@example.com"),
        Field("name", label="Invitee's name", required=True, example="Ada Lovelace"),
        Field("timezone", label="Invitee's time zone", required=True, example="Europe/Berlin"),
        Field("phone", label="Invitee's phone for reminders", example="+441632960001", advanced=True),
        Field(
            "location_kind",
            label="Kind of place",
            kind="select",
            example="zoom_conference",
            choices=(
                "physical",
                "ask_invitee",
                "custom",
                "outbound_call",
                "inbound_call",
                "google_conference",
                "zoom_conference",
                "microsoft_teams_conference",
                "webex_conference",
                "gotomeeting_conference",
            ),
            help="Where the event type offers a choice.",
        ),
        Field(
            "location",
            label="Place",
            example="Main Street 1",
            help="An address or phone number, if one is asked.",
        ),
        Field(
            "answers",
            label="Answers to questions",
            kind="list",
            fields=(
                Field("question", label="Question", required=True),
                Field("answer", label="Answer", required=True),
            ),
            example=[{"question": "What is it about?", "answer": "Chairs"}],
        ),
        Field(
            "guests",
            label="Guests",
            kind="multi_select",
            example=["bob@example.com"],
            help="Up to ten e-mails.",
        ),
        Field("tracking", label="Tracking", kind="key_value", example={"utm_source": "fair"}, advanced=True),
    ),
    request=lambda inputs: Request(
        "POST",
        "/invitees",
        json={
            "event_type": inputs["event_type"],
            "start_time": utc(inputs["start_time"]),
            "invitee": given(
                email=inputs["email"],
                name=inputs["name"],
                timezone=inputs["timezone"],
                text_reminder_number=inputs.get("phone"),
            ),
            "location": given(kind=inputs["location_kind"], location=inputs.get("location"))
            if "location_kind" in inputs
            else None,
            "questions_and_answers": [
                {**entry, "position": position} for position, entry in enumerate(inputs.get("answers", ()))
            ]
            or None,
            "event_guests": inputs.get("guests"),
            "tracking": inputs.get("tracking"),
        },
    ),
    returns={
        "uri": "resource.uri",
        "event": "resource.event",
        "email": "resource.email",
        "cancel_url": "resource.cancel_url",
        "reschedule_url": "resource.reschedule_url",
    },
    effect="unsafe",
)

CREATE_LINK = Action(
    key="create_scheduling_link",
    label="Create a single-use link",
    fields=(EVENT_TYPE,),
    request=lambda inputs: Request(
        "POST",
        "/scheduling_links",
        json={"max_event_count": 1, "owner": inputs["event_type"], "owner_type": "EventType"},
    ),
    returns={"booking_url": "resource.booking_url"},
    effect="unsafe",
)

CREATE_SHARE = Action(
    key="create_share",
    label="Create a link with own settings",
    fields=(
        EVENT_TYPE,
        Field("name", label="Title", example="Chairs, 30 minutes"),
        Field("duration", label="Minutes", kind="integer", example=30, minimum=1, maximum=720),
        Field(
            "period_type",
            label="Bookable",
            kind="select",
            example="fixed",
            choices=(
                ("available_moving", "Within a number of available days"),
                ("moving", "Within a number of days"),
                ("fixed", "Between two dates"),
                ("unlimited", "At any time"),
            ),
        ),
        Field("start_date", label="First day", kind="date", example="2026-11-24", help="Between two dates."),
        Field("end_date", label="Last day", kind="date", example="2026-11-30", help="Between two dates."),
        Field(
            "location_configurations",
            label="Places",
            kind="json",
            advanced=True,
            example=[{"kind": "physical", "location": "Main Street 1", "position": 0}],
        ),
        Field(
            "availability_rule",
            label="Hours",
            kind="json",
            advanced=True,
            example={
                "rules": [
                    {"type": "wday", "wday": "monday", "intervals": [{"from": "09:00", "to": "12:00"}]}
                ],
                "timezone": "Europe/Berlin",
            },
        ),
    ),
    call="POST /shares",
    returns={"booking_url": "resource.scheduling_links.0.booking_url"},
    effect="unsafe",
)

LIST_TIMES = Action(
    key="list_available_times",
    label="List available times",
    fields=(
        EVENT_TYPE,
        Field(
            "start_time",
            label="From",
            kind="datetime",
            required=True,
            example="2026-11-24T00:00:00+00:00",
            help="In the future.",
        ),
        Field(
            "end_time",
            label="Until",
            kind="datetime",
            required=True,
            example="2026-11-30T00:00:00+00:00",
            help="At most seven days later.",
        ),
    ),
    request=lambda inputs: Request(
        "GET",
        "/event_type_available_times",
        query={
            "event_type": inputs["event_type"],
            "start_time": utc(inputs["start_time"]),
            "end_time": utc(inputs["end_time"]),
        },
    ),
    returns={
        "times": Output(
            "collection",
            kind="list",
            of={"start_time": "start_time", "status": "status", "scheduling_url": "scheduling_url"},
        )
    },
    effect="read",
)

TYPE = {
    "uri": "uri",
    "name": "name",
    "duration": Output("duration", kind="integer"),
    "scheduling_url": "scheduling_url",
}

LIST_TYPES = Action(
    key="list_event_types",
    label="List event types",
    fields=(PERSON,),
    run=listing("/event_types", "event_types", lambda call: {**given(whose(call)), "active": True}, TYPE),
    offers=Offers(items="event_types", value="uri", label="name"),
    returns={"event_types": Output("collection", kind="list", of=TYPE)},
    effect="read",
)

MEMBER = {"uri": "user.uri", "name": "user.name", "email": "user.email", "role": "role"}

LIST_MEMBERS = Action(
    key="list_members",
    label="List people",
    run=listing(
        "/organization_memberships",
        "members",
        lambda call: given(organization=call.account.get("organization_uri")),
        MEMBER,
    ),
    offers=Offers(items="members", value="uri", label="name"),
    returns={"members": Output("collection", kind="list", of=MEMBER)},
    effect="read",
)
