"""Google Calendar: make, change, find and cancel events, find free times; start on new, changed, cancelled events."""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from integrations.connectors._google import refine, sign_in
from integrations.connectors._mailboxes import mailboxes
from integrations.framework import (
    Action,
    Connector,
    CursorPages,
    Field,
    Offers,
    Output,
    PermanentError,
    Poll,
    RateLimit,
    Request,
    Response,
    Test,
    Trigger,
    dig,
    given,
)

EVENTS = "/calendars/{calendar}/events"
EVENT_PATH = f"{EVENTS}/{{event}}"
MOST_PER_PAGE = 2500


def moment(text: str, inputs: Mapping[str, Any]) -> dict[str, str]:
    """Return a start or end as Google takes it. Without an offset the time is meant in the calendar's own zone."""
    return given(dateTime=text, timeZone=inputs.get("time_zone"))


def times(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return start and end. Whole days: Google's end is the day after the last one. Raises PermanentError."""
    start, end = inputs.get("start"), inputs.get("end")
    if not inputs.get("is_all_day"):
        return given(start=moment(start, inputs) if start else None, end=moment(end, inputs) if end else None)
    if not start:
        raise PermanentError("An event of whole days needs its first day. Fill in “Start”.")
    last = date.fromisoformat((end or start)[:10])
    return {"start": {"date": start[:10]}, "end": {"date": (last + timedelta(days=1)).isoformat()}}


def written(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the event resource of the inputs."""
    guests = inputs.get("attendees")
    return given(
        summary=inputs.get("title"),
        description=inputs.get("description"),
        location=inputs.get("location"),
        attendees=[given(email=address, displayName=name or None) for name, address in mailboxes(guests)]
        if guests
        else None,
        conferenceData=meeting(inputs) if inputs.get("add_meet") else None,
        reminders={
            "useDefault": False,
            "overrides": [{"method": "popup", "minutes": inputs["remind_minutes"]}],
        }
        if "remind_minutes" in inputs
        else None,
        **times(inputs),
    )


def meeting(inputs: Mapping[str, Any]) -> dict[str, Any]:
    # The same request id never makes a second video call.
    print_ = hashlib.sha256(json.dumps(inputs, sort_keys=True, default=str).encode()).hexdigest()
    return {"createRequest": {"requestId": print_[:32], "conferenceSolutionKey": {"type": "hangoutsMeet"}}}


CALENDAR = Field(
    "calendar",
    label="Calendar",
    options="list_calendars",
    default="primary",
    example="primary",
    help="Empty for your own.",
)
EVENT = Field(
    "event",
    label="Event",
    required=True,
    example="7v0d5h8k2m3n4p5q6r",
    help="The event's id, as given by the step or trigger that found it.",
)
NOTIFY = Field(
    "send_updates",
    label="Tell the guests",
    kind="select",
    default="all",
    example="all",
    advanced=True,
    choices=(("all", "All of them"), ("externalOnly", "Those outside Google Calendar"), ("none", "Nobody")),
)
DETAILS = (
    Field("description", label="Description", kind="long_text", example="Bring the samples."),
    Field("location", label="Place", example="Main Street 1, Berlin"),
    Field(
        "attendees",
        label="Guests",
        example="ada@example.com, bob@example.com",
        help="E-mail addresses separated by commas.",
    ),
    Field(
        "is_all_day",
        label="Whole days",
        kind="boolean",
        default=False,
        example=False,
        help="Then “End” is the last day.",
    ),
    Field(
        "time_zone",
        label="Time zone",
        example="Europe/Berlin",
        advanced=True,
        help="Of start and end; empty for the calendar's own.",
    ),
    Field(
        "remind_minutes",
        label="Remind minutes before",
        kind="integer",
        minimum=0,
        maximum=40320,
        example=30,
        advanced=True,
    ),
    Field(
        "add_meet", label="Add a Google Meet call", kind="boolean", default=False, example=True, advanced=True
    ),
    NOTIFY,
)
TITLE = Field("title", label="Title", required=True, example="Fitting with Ada")
START = Field("start", label="Start", kind="datetime", required=True, example="2026-11-24T09:30:00+01:00")
END = Field("end", label="End", kind="datetime", required=True, example="2026-11-24T10:00:00+01:00")
RESULT: dict[str, Output | str] = {
    "id": "id",
    "title": "summary",
    "description": "description",
    "location": "location",
    "status": "status",
    "start": Output("start.dateTime", label="Start"),
    "start_day": Output("start.date", label="First day"),
    "end": Output("end.dateTime", label="End"),
    "end_day": Output("end.date", label="Day after the last"),
    "time_zone": "start.timeZone",
    "attendees": Output("attendees[].email", kind="list"),
    "organizer": "organizer.email",
    "url": "htmlLink",
    "meet_url": "hangoutLink",
    "created_at": "created",
    "updated_at": "updated",
    "series_id": "recurringEventId",
}


def optional(entry: Field) -> Field:
    return Field(entry.key, label=entry.label, kind=entry.kind, example=entry.example)


CREATE = Action(
    key="create_event",
    label="Create an event",
    fields=(CALENDAR, TITLE, START, END, *DETAILS),
    request=lambda inputs: Request(
        "POST",
        EVENTS,
        at={"calendar": inputs["calendar"]},
        json=written(inputs),
        query={
            "sendUpdates": inputs["send_updates"],
            "conferenceDataVersion": 1 if inputs.get("add_meet") else None,
        },
    ),
    returns=RESULT,
    effect="unsafe",
)

QUICK_ADD = Action(
    key="quick_add_event",
    label="Create an event from a sentence",
    fields=(
        CALENDAR,
        Field(
            "text",
            label="Sentence",
            required=True,
            example="Fitting with Ada tomorrow 9:30am-10am",
            help="Google reads title and time out of it.",
        ),
        NOTIFY,
    ),
    request=lambda inputs: Request(
        "POST",
        f"{EVENTS}/quickAdd",
        at={"calendar": inputs["calendar"]},
        query={"text": inputs["text"], "sendUpdates": inputs["send_updates"]},
    ),
    returns=RESULT,
    effect="unsafe",
)

GET = Action(
    key="get_event",
    label="Get an event",
    fields=(CALENDAR, EVENT),
    request=lambda inputs: Request(
        "GET", EVENT_PATH, at={"calendar": inputs["calendar"], "event": inputs["event"]}
    ),
    returns=RESULT,
    effect="read",
)

LIST = Action(
    key="list_events",
    label="Find events",
    description="Each date of a series counts as an event of its own; in order of their start.",
    fields=(
        CALENDAR,
        Field("after", label="Ending after", kind="datetime", example="2026-11-22T00:00:00+01:00"),
        Field("before", label="Beginning before", kind="datetime", example="2026-11-29T00:00:00+01:00"),
        Field("search", label="Words", example="Ada", help="In title, description, place or guests."),
    ),
    request=lambda inputs: Request(
        "GET",
        EVENTS,
        at={"calendar": inputs["calendar"]},
        query={
            "timeMin": with_offset(inputs.get("after")),
            "timeMax": with_offset(inputs.get("before")),
            "q": inputs.get("search"),
            "singleEvents": True,
            "orderBy": "startTime",
            "maxResults": 250,
        },
    ),
    pagination=CursorPages(items="items", into="pageToken", cursor="nextPageToken"),
    returns={"events": Output("items", kind="list", of=RESULT)},
    effect="read",
)


def with_offset(text: str | None) -> str | None:
    # Google refuses bounds without an offset.
    return f"{text}Z" if text and datetime.fromisoformat(text).tzinfo is None else text


UPDATE = Action(
    key="update_event",
    label="Change an event",
    description="Changes what you fill in and keeps the rest. Guests take the place of those there.",
    fields=(CALENDAR, EVENT, optional(TITLE), optional(START), optional(END), *DETAILS),
    request=lambda inputs: Request(
        "PATCH",
        EVENT_PATH,
        at={"calendar": inputs["calendar"], "event": inputs["event"]},
        json=written(inputs),
        query={
            "sendUpdates": inputs["send_updates"],
            "conferenceDataVersion": 1 if inputs.get("add_meet") else None,
        },
    ),
    returns=RESULT,
    effect="key_safe",  # the same values set twice are the same event
)

DELETE = Action(
    key="delete_event",
    label="Cancel an event",
    fields=(CALENDAR, EVENT, NOTIFY),
    request=lambda inputs: Request(
        "DELETE",
        EVENT_PATH,
        at={"calendar": inputs["calendar"], "event": inputs["event"]},
        query={"sendUpdates": inputs["send_updates"]},
    ),
    effect="key_safe",  # an event is cancelled once; the second call finds it gone
)

FREE_BUSY = Action(
    key="find_busy_times",
    label="Find busy times",
    fields=(
        Field(
            "calendars",
            label="Calendars",
            kind="multi_select",
            options="list_calendars",
            default=["primary"],
            example=["primary"],
            help="Or e-mail addresses of people who share theirs with you.",
        ),
        Field("after", label="From", kind="datetime", required=True, example="2026-11-24T08:00:00+01:00"),
        Field("before", label="Until", kind="datetime", required=True, example="2026-11-24T18:00:00+01:00"),
    ),
    request=lambda inputs: Request(
        "POST",
        "/freeBusy",
        json={
            "timeMin": with_offset(inputs["after"]),
            "timeMax": with_offset(inputs["before"]),
            "items": [{"id": calendar} for calendar in inputs["calendars"]],
        },
    ),
    output=lambda response: busy_times(response.json),
    returns={
        "busy": Output("", kind="list", of={"calendar": "calendar", "start": "start", "end": "end"}),
        "is_free": Output("", kind="boolean"),
        "unknown": Output("", kind="list", label="Calendars we may not see"),
    },
    effect="read",
)


def busy_times(body: Any) -> dict[str, Any]:
    calendars = dig(body, "calendars") or {}
    busy = [
        {"calendar": name, **span} for name, entry in calendars.items() for span in entry.get("busy") or ()
    ]
    unknown = [name for name, entry in calendars.items() if entry.get("errors")]
    return {"busy": busy, "is_free": not busy and not unknown, "unknown": unknown}


LIST_CALENDARS = Action(
    key="list_calendars",
    label="List calendars",
    request=lambda inputs: Request("GET", "/users/me/calendarList", query={"maxResults": 250}),
    pagination=CursorPages(items="items", into="pageToken", cursor="nextPageToken"),
    offers=Offers(items="calendars"),
    returns={
        "calendars": Output(
            "items",
            kind="list",
            of={
                "id": "id",
                "name": "summary",
                "time_zone": "timeZone",
                "is_own": Output("primary", kind="boolean"),
                "access": "accessRole",
            },
        )
    },
    effect="read",
)


def changes(config: Mapping[str, Any], since: Any) -> Request:
    """Ask for a token first, without the events; then for what changed since it."""
    query = {"syncToken": since} if since else {"fields": "nextPageToken,nextSyncToken"}
    return Request(
        "GET", EVENTS, at={"calendar": config["calendar"]}, query={"maxResults": MOST_PER_PAGE, **query}
    )


def added(config: Mapping[str, Any], since: Any) -> Request:
    query = {"updatedMin": since} if since else {"maxResults": 1, "fields": "updated"}
    return Request(
        "GET", EVENTS, at={"calendar": config["calendar"]}, query={"maxResults": MOST_PER_PAGE, **query}
    )


def just_after(response: Response) -> str | None:
    """Return the moment after the calendar's last change: what is created from then on is new."""
    updated = dig(response.json, "updated")
    if not updated:
        return None
    later = datetime.fromisoformat(updated) + timedelta(milliseconds=1)
    return later.strftime("%Y-%m-%dT%H:%M:%S.") + f"{later.microsecond // 1000:03d}Z"


def with_status(*wanted: str) -> Callable[[Response, Mapping[str, Any]], list[Any]]:
    """Return the events of these statuses in an answer; a first look asks for none."""
    return lambda response, config: [
        item for item in dig(response.json, "items") or () if item.get("status") in wanted
    ]


PAGES = CursorPages(items="items", into="pageToken", cursor="nextPageToken")
SAMPLE = {
    "id": "7v0d5h8k2m3n4p5q6r",
    "status": "confirmed",
    "summary": "Fitting with Ada",
    "location": "Main Street 1, Berlin",
    "htmlLink": "https://www.google.com/calendar/event?eid=N3Yw",
    "created": "2026-11-22T09:30:00.000Z",
    "updated": "2026-11-22T09:30:00.412Z",
    "start": {"dateTime": "2026-11-24T09:30:00+01:00", "timeZone": "Europe/Berlin"},
    "end": {"dateTime": "2026-11-24T10:00:00+01:00", "timeZone": "Europe/Berlin"},
    "organizer": {"email": "you@example.com"},
    "attendees": [{"email": "ada@example.com", "responseStatus": "needsAction"}],
}
CONFIRMED = ("confirmed", "tentative")

TRIGGERS = (
    Trigger(
        key="new_event",
        label="New event",
        kind="polling",
        fields=(CALENDAR,),
        poll=Poll(
            request=added,
            items=with_status(*CONFIRMED),
            stamp="created",
            position=just_after,
            pagination=PAGES,
            order="oldest_first",
        ),
        sample=SAMPLE,
        returns=RESULT,
    ),
    Trigger(
        key="event_changed",
        label="New or changed event",
        kind="polling",
        fields=(CALENDAR,),
        poll=Poll(
            request=changes,
            items=with_status(*CONFIRMED),
            id=("id", "updated"),
            position="nextSyncToken",
            stale=(410,),
            pagination=PAGES,
            order="oldest_first",
        ),
        sample=SAMPLE,
        returns=RESULT,
    ),
    Trigger(
        key="event_cancelled",
        label="Event cancelled",
        kind="polling",
        fields=(CALENDAR,),
        poll=Poll(
            request=changes,
            items=with_status("cancelled"),
            id=("id", "updated"),
            position="nextSyncToken",
            stale=(410,),
            pagination=PAGES,
            order="oldest_first",
        ),
        sample={**SAMPLE, "status": "cancelled"},
        returns=RESULT,
    ),
)

connector = Connector(
    slug="google_calendar",
    name="Google Calendar",
    category="Scheduling",
    summary="Make, find and change events, find free times, and start on what changes.",
    docs_url="https://developers.google.com/workspace/calendar/api/v3/reference",
    base_url="https://www.googleapis.com/calendar/v3",
    auth=sign_in("calendar.events", "calendar.readonly"),
    test=Test(Request("GET", "/calendars/primary"), account={"email": "id"}, label="id"),
    on_error=refine("Google Calendar"),
    rate_limit=RateLimit(calls=10),  # 600 a minute and person
    actions=(CREATE, QUICK_ADD, GET, LIST, UPDATE, DELETE, FREE_BUSY, LIST_CALENDARS),
    triggers=TRIGGERS,
)
