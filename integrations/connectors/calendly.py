"""Calendly: meetings, invitees, links and free times; start when a meeting is booked or cancelled."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from integrations.framework import (
    Action,
    BearerToken,
    Call,
    Connector,
    ConnectorError,
    CursorPages,
    Field,
    Inbound,
    OAuth2,
    Offers,
    Output,
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
    dig,
    given,
)

PAGE_SIZE = 100
MOST_PAGES = 50
TOLERANCE_SECONDS = 180  # Calendly's own example refuses what is older than three minutes
PAGES = CursorPages(items="collection", into="page_token", cursor="pagination.next_page_token")


def refine(response: Response) -> ConnectorError | None:
    if response.status != 429:
        return None
    wait = response.headers.get("x-ratelimit-reset", "")
    return TemporaryError(
        "Calendly asked us to slow down. We will try again.",
        retry_after=float(wait) if wait.isdigit() else 60,
        status=429,
    )


def pause(response: Response) -> float | None:
    wait = response.headers.get("x-ratelimit-reset", "")
    return float(wait) if response.headers.get("x-ratelimit-remaining") == "0" and wait.isdigit() else None


def utc(moment: str) -> str:
    """Return an ISO time in UTC with Z, the only form Calendly takes; without a zone it is UTC already."""
    parsed = datetime.fromisoformat(moment)
    parsed = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return parsed.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def uuid_of(address: str) -> str:
    """Return the last part of an object's address, which paths want; the part itself stays as it is."""
    return address.rstrip("/").rpartition("/")[2]


def listing(path: str, name: str, query: Callable[[Call], dict[str, Any]], of: Mapping[str, Output | str]):
    """Return a `run` that reads all pages of a list which needs to know whose it is: that is kept with the account."""

    def run(call: Call):
        most = int(call.inputs.get("limit") or 1000)
        items: list[Any] = []
        request: Request | None = Request("GET", path, query={**query(call), "count": PAGE_SIZE})
        for _page in range(MOST_PAGES):
            response = yield request
            items.extend(dig(response.json, "collection", []))
            request = PAGES.next(request, response)
            if request is None or len(items) >= most:
                break
        declared = {key: value if isinstance(value, Output) else Output(value) for key, value in of.items()}
        return {
            name: [{key: dig(item, output.path) for key, output in declared.items()} for item in items[:most]]
        }

    return run


def whose(call: Call) -> dict[str, Any]:
    """Return the owner of a list: the chosen person, else the whole organization."""
    if call.inputs.get("user"):
        return {"user": call.inputs["user"]}
    return {"organization": call.account.get("organization_uri")}


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


LIST_EVENTS = Action(
    key="list_scheduled_events",
    label="List scheduled meetings",
    fields=(
        PERSON,
        Field("invitee_email", label="With this invitee", kind="email", example="ada@example.com"),
        Field("status", label="State", kind="select", choices=("active", "canceled"), example="active"),
        Field("from_time", label="Starting from", kind="datetime", example="2026-11-22T00:00:00+00:00"),
        Field("until_time", label="Starting before", kind="datetime", example="2026-11-29T00:00:00+00:00"),
        Field(
            "sort",
            label="Order",
            kind="select",
            example="start_time:asc",
            choices=(("start_time:asc", "First meeting first"), ("start_time:desc", "Last meeting first")),
        ),
        LIMIT,
    ),
    run=listing(
        "/scheduled_events",
        "events",
        lambda call: given(
            **whose(call),
            invitee_email=call.inputs.get("invitee_email"),
            status=call.inputs.get("status"),
            min_start_time=utc(call.inputs["from_time"]) if "from_time" in call.inputs else None,
            max_start_time=utc(call.inputs["until_time"]) if "until_time" in call.inputs else None,
            sort=call.inputs.get("sort"),
        ),
        MEETING,
    ),
    returns={"events": Output("collection", kind="list", of=MEETING)},
    effect="read",
)

GET_EVENT = Action(
    key="get_event",
    label="Get a scheduled meeting",
    fields=(EVENT,),
    request=lambda inputs: Request("GET", "/scheduled_events/{uuid}", at={"uuid": uuid_of(inputs["event"])}),
    returns={
        **of_resource(MEETING),
        "join_url": "resource.location.join_url",
        "event_memberships": Output("resource.event_memberships", kind="list"),
    },
    effect="read",
)

LIST_INVITEES = Action(
    key="list_invitees",
    label="List a meeting's invitees",
    fields=(
        EVENT,
        Field("status", label="State", kind="select", choices=("active", "canceled"), example="active"),
        Field("email", label="E-mail", kind="email", example="ada@example.com"),
    ),
    request=lambda inputs: Request(
        "GET",
        "/scheduled_events/{uuid}/invitees",
        at={"uuid": uuid_of(inputs["event"])},
        query={
            "status": inputs.get("status"),
            "email": inputs.get("email"),
            "sort": "created_at:asc",
            "count": PAGE_SIZE,
        },
    ),
    pagination=PAGES,
    returns={"invitees": Output("collection", kind="list", of=INVITEE)},
    effect="read",
)

INVITEE_FIELD = Field(
    "invitee",
    label="Invitee",
    required=True,
    example=INVITEE_URI,
    help="The address, as given by the trigger or an earlier step.",
)


def get_invitee(inputs: Mapping[str, Any]) -> Request:
    event, _, invitee = inputs["invitee"].partition("/invitees/")
    return Request(
        "GET",
        "/scheduled_events/{event_uuid}/invitees/{invitee_uuid}",
        at={"event_uuid": uuid_of(event), "invitee_uuid": uuid_of(invitee)},
    )


GET_INVITEE = Action(
    key="get_invitee",
    label="Get an invitee",
    fields=(INVITEE_FIELD,),
    request=get_invitee,
    returns={
        **of_resource(INVITEE),
        "tracking": Output("resource.tracking", kind="object"),
        "no_show": Output("resource.no_show", kind="object"),
    },
    effect="read",
)

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

CANCEL = Action(
    key="cancel_event",
    label="Cancel a meeting",
    fields=(
        EVENT,
        Field(
            "reason",
            label="Reason",
            kind="long_text",
            max_length=10_000,
            example="We are ill today.",
            help="The invitee is told.",
        ),
    ),
    request=lambda inputs: Request(
        "POST",
        "/scheduled_events/{uuid}/cancellation",
        at={"uuid": uuid_of(inputs["event"])},
        json={"reason": inputs.get("reason")},
    ),
    returns={"canceled_by": "resource.canceled_by", "reason": "resource.reason"},
    effect="unsafe",
)  # a second time it is refused

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

MARK_NO_SHOW = Action(
    key="mark_no_show",
    label="Mark an invitee as not come",
    fields=(INVITEE_FIELD,),
    call="POST /invitee_no_shows",
    returns={"uri": "resource.uri", "created_at": "resource.created_at"},
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


def event(type_: str, **payload: Any) -> dict[str, Any]:
    """Return a sample delivery in the shape of Calendly's webhooks."""
    return {
        "event": type_,
        "created_at": "2026-11-22T09:30:00.000000Z",
        "created_by": USER_URI,
        "payload": payload,
    }


BOOKED = {
    "uri": INVITEE_URI,
    "email": "ada@example.com",
    "name": "Ada Lovelace",
    "first_name": None,
    "last_name": None,
    "status": "active",
    "timezone": "Europe/Berlin",
    "event": EVENT_URI,
    "rescheduled": False,
    "old_invitee": None,
    "new_invitee": None,
    "tracking": {"utm_source": "fair"},
    "cancel_url": "https://calendly.com/cancellations/A",
    "reschedule_url": "https://calendly.com/reschedulings/A",
    "questions_and_answers": [{"question": "What is it about?", "answer": "Chairs", "position": 0}],
    "scheduled_event": {
        "uri": EVENT_URI,
        "name": "First talk",
        "event_type": TYPE_URI,
        "start_time": "2026-11-24T09:00:00.000000Z",
        "end_time": "2026-11-24T09:30:00.000000Z",
        "location": {"type": "zoom", "join_url": "https://zoom.example/1"},
    },
}


def of_wanted_type(event: dict, config: dict, account: dict) -> bool:
    wanted = config.get("event_type")
    return not wanted or dig(event, "payload.scheduled_event.event_type") == wanted


def not_moved(event: dict, config: dict, account: dict) -> bool:
    # A meeting that is moved is told as cancelled and booked again.
    if dig(event, "payload.rescheduled") and not config.get("also_moved"):
        return False
    return of_wanted_type(event, config, account)


ONLY_TYPE = Field("event_type", label="Only this event type", options="list_event_types", example=TYPE_URI)
WHOLE = Field(
    "whole_organization",
    label="Of the whole organization",
    kind="boolean",
    example=False,
    help="Otherwise only the connected person's. Needs an administrator.",
)
ATTENDEE = {
    "uri": "payload.uri",
    "email": "payload.email",
    "name": "payload.name",
    "timezone": "payload.timezone",
    "event": "payload.scheduled_event.uri",
    "event_name": "payload.scheduled_event.name",
    "start_time": "payload.scheduled_event.start_time",
    "end_time": "payload.scheduled_event.end_time",
    "location": Output("payload.scheduled_event.location", kind="object"),
    "questions_and_answers": Output("payload.questions_and_answers", kind="list"),
    "tracking": Output("payload.tracking", kind="object"),
    "cancel_url": "payload.cancel_url",
    "reschedule_url": "payload.reschedule_url",
    "rescheduled": Output("payload.rescheduled", kind="boolean"),
    "old_invitee": "payload.old_invitee",
}

TRIGGERS = (
    Trigger(
        key="invitee_created",
        label="A meeting is booked",
        event="invitee.created",
        accepts=of_wanted_type,
        fields=(ONLY_TYPE, WHOLE),
        returns=ATTENDEE,
        sample=event("invitee.created", **BOOKED),
    ),
    Trigger(
        key="invitee_canceled",
        label="A meeting is cancelled",
        event="invitee.canceled",
        accepts=not_moved,
        fields=(
            ONLY_TYPE,
            WHOLE,
            Field("also_moved", label="Also when it is moved", kind="boolean", example=False),
        ),
        returns={
            **ATTENDEE,
            "reason": "payload.cancellation.reason",
            "canceled_by": "payload.cancellation.canceled_by",
        },
        sample=event(
            "invitee.canceled",
            **{**BOOKED, "status": "canceled"},
            cancellation={"canceled_by": "Ada Lovelace", "reason": "Ill", "canceler_type": "invitee"},
        ),
    ),
    Trigger(
        key="no_show",
        label="An invitee is marked as not come",
        event="invitee_no_show.created",
        accepts=of_wanted_type,
        fields=(ONLY_TYPE, WHOLE),
        returns={**ATTENDEE, "no_show": Output("payload.no_show", kind="object")},
        sample=event(
            "invitee_no_show.created",
            **BOOKED,
            no_show={
                "uri": "https://api.calendly.com/invitee_no_shows/A",
                "created_at": "2026-11-24T09:40:00.000000Z",
            },
        ),
    ),
    Trigger(
        key="routing_form_submitted",
        label="A routing form is sent in",
        event="routing_form_submission.created",
        description="Always of the whole organization.",
        returns={
            "uri": "payload.uri",
            "routing_form": "payload.routing_form",
            "submitter": "payload.submitter",
            "questions_and_answers": Output("payload.questions_and_answers", kind="list"),
            "result": Output("payload.result", kind="object"),
            "created_at": "payload.created_at",
        },
        sample=event(
            "routing_form_submission.created",
            uri="https://api.calendly.com/routing_form_submissions/A",
            routing_form="https://api.calendly.com/routing_forms/A",
            submitter=None,
            questions_and_answers=[{"question_uuid": "q", "question": "Size?", "answer": "200"}],
            result={"type": "event_type", "value": TYPE_URI},
            created_at="2026-11-22T09:30:00.000000Z",
        ),
    ),
    Trigger(
        key="events_poll",
        label="New meeting (checked every few minutes)",
        kind="polling",
        fields=(Field("user", label="Person", required=True, options="list_members", example=USER_URI),),
        poll=Poll(
            # The list sorts by start only. What was booked since the last look cannot start before it.
            request=lambda config, since: Request(
                "GET",
                "/scheduled_events",
                query={
                    "user": config["user"],
                    "status": "active",
                    "min_start_time": since,
                    "sort": "start_time:desc",
                    "count": PAGE_SIZE,
                },
            ),
            items="collection",
            id="uri",
            stamp="created_at",
            order="unknown",
            pagination=PAGES,
        ),
        returns=MEETING,
        sample={
            "uri": EVENT_URI,
            "name": "First talk",
            "status": "active",
            "event_type": TYPE_URI,
            "start_time": "2026-11-24T09:00:00.000000Z",
            "end_time": "2026-11-24T09:30:00.000000Z",
            "location": {"type": "zoom", "join_url": "https://zoom.example/1"},
            "created_at": "2026-11-22T09:29:58.000000Z",
        },
    ),
)


def subscribe(subscription: Subscription) -> Request:
    whole = bool(subscription.config.get("whole_organization")) or any(
        name.startswith("routing_form") for name in subscription.events
    )
    return Request(
        "POST",
        "/webhook_subscriptions",
        json={
            "url": subscription.address,
            "events": list(subscription.events),
            "organization": subscription.account.get("organization_uri"),
            "user": None if whole else subscription.account.get("user_uri"),
            "scope": "organization" if whole else "user",
            "signing_key": subscription.secret,
        },
    )


def delivery_id(inbound: Inbound, event: Mapping[str, Any]) -> str:
    # Deliveries have no number of their own; this is the same when one is sent again.
    return f"{dig(event, 'event')}:{dig(event, 'payload.uri')}:{dig(event, 'created_at')}"


connector = Connector(
    slug="calendly",
    name="Calendly",
    category="Scheduling",
    summary="Book and cancel meetings, make links, and react when somebody books or cancels.",
    docs_url="https://developer.calendly.com/api-docs",
    base_url="https://api.calendly.com",
    auth=(
        OAuth2(
            authorize_url="https://auth.calendly.com/oauth/authorize",
            token_url="https://auth.calendly.com/oauth/token",
            revoke_url="https://auth.calendly.com/oauth/revoke",
            scopes=(
                "users:read",
                "organizations:read",
                "event_types:read",
                "availability:read",
                "scheduled_events:write",
                "scheduling_links:write",
                "shares:write",
                "routing_forms:read",
                "webhooks:write",
            ),
            rotates_refresh_token=True,
            account_from_token={"user_uri": "owner", "organization_uri": "organization"},
        ),
        BearerToken(
            secret_label="Personal access token",
            label="Personal access token",
            help="In Calendly: Integrations and apps, API and webhooks. Tick all permissions.",
        ),
    ),
    account=(
        Field(
            "organization_uri",
            label="Organization",
            advanced=True,
            example=ORGANIZATION_URI,
            help="Found by itself when you connect.",
        ),
        Field(
            "user_uri",
            label="Person",
            advanced=True,
            example=USER_URI,
            help="Found by itself when you connect.",
        ),
    ),
    test=Test(
        Request("GET", "/users/me"),
        label="resource.name",
        account={"user_uri": "resource.uri", "organization_uri": "resource.current_organization"},
    ),
    on_error=refine,
    error_paths=("details.0.message", "message"),
    rate_limit=RateLimit(calls=50, seconds=60),  # the free plan's; paid ones have ten times as much
    wait=pause,
    webhooks=Webhooks(
        address="trigger",
        signature=TimestampedHmac("Calendly-Webhook-Signature", tolerance_seconds=TOLERANCE_SECONDS),
        event="event",
        delivery_id=delivery_id,
        subscribe=subscribe,
        read=lambda response, subscription: {
            "id": uuid_of(dig(response.json, "resource.uri", "")),
            "secret": subscription.secret,
        },
        unsubscribe=lambda subscription: Request(
            "DELETE", "/webhook_subscriptions/{webhook_uuid}", at={"webhook_uuid": subscription.state["id"]}
        ),
    ),
    actions=(
        LIST_EVENTS,
        GET_EVENT,
        LIST_INVITEES,
        GET_INVITEE,
        BOOK,
        CANCEL,
        CREATE_LINK,
        CREATE_SHARE,
        MARK_NO_SHOW,
        LIST_TIMES,
        LIST_TYPES,
        LIST_MEMBERS,
    ),
    triggers=TRIGGERS,
)
