"""Google Calendar: events as they are written, found and followed."""

import asyncio

import pytest

from integrations.connectors.google_calendar import connector
from integrations.framework import PermanentError, ReconnectError, Response, TemporaryError
from integrations.framework.polling import look
from tests.integrations.checks import (
    answer,
    answer_in_turn,
    assert_well_described,
    empty_optionals,
    run_at,
    sent,
)

API = "https://www.googleapis.com/calendar/v3"
TIMES = {"start": "2026-11-24T09:30:00+01:00", "end": "2026-11-24T10:00:00+01:00"}
WIRE = {"start": {"dateTime": TIMES["start"]}, "end": {"dateTime": TIMES["end"]}}


def test_everything_is_described():
    assert_well_described(connector)


@pytest.mark.parametrize(
    ("key", "inputs", "method", "path", "query", "body"),
    [
        (
            "create_event",
            {"title": "Fitting", **TIMES, "attendees": "Ada <ada@example.com>", "remind_minutes": 5},
            "POST",
            "/calendars/primary/events",
            [("sendUpdates", "all")],
            {
                "summary": "Fitting",
                **WIRE,
                "attendees": [{"email": "ada@example.com", "displayName": "Ada"}],
                "reminders": {"useDefault": False, "overrides": [{"method": "popup", "minutes": 5}]},
            },
        ),
        (
            "quick_add_event",
            {"text": "Lunch at 12"},
            "POST",
            "/calendars/primary/events/quickAdd",
            [("text", "Lunch at 12"), ("sendUpdates", "all")],
            None,
        ),
        (
            "get_event",
            {"calendar": "shop@group.calendar.google.com", "event": "e1"},
            "GET",
            "/calendars/shop%40group.calendar.google.com/events/e1",
            [],
            None,
        ),
        (
            "list_events",
            {"after": "2026-11-22T00:00:00", "search": "Ada"},
            "GET",
            "/calendars/primary/events",
            [
                ("timeMin", "2026-11-22T00:00:00Z"),
                ("q", "Ada"),
                ("singleEvents", "true"),
                ("orderBy", "startTime"),
                ("maxResults", "250"),
            ],
            None,
        ),
        (
            "update_event",
            {"event": "e1", "location": "Berlin", "send_updates": "none"},
            "PATCH",
            "/calendars/primary/events/e1",
            [("sendUpdates", "none")],
            {"location": "Berlin"},
        ),
        (
            "delete_event",
            {"event": "e1"},
            "DELETE",
            "/calendars/primary/events/e1",
            [("sendUpdates", "all")],
            None,
        ),
        (
            "find_busy_times",
            {"after": TIMES["start"], "before": TIMES["end"]},
            "POST",
            "/freeBusy",
            [],
            {"timeMin": TIMES["start"], "timeMax": TIMES["end"], "items": [{"id": "primary"}]},
        ),
        ("list_calendars", {}, "GET", "/users/me/calendarList", [("maxResults", "250")], None),
    ],
)
def test_every_operation_asks_exactly_this(key, inputs, method, path, query, body):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"]) == (method, API + path)
    assert (call["query"], call["json_body"]) == (query, body)


def test_the_last_of_whole_days_is_included():
    days = {
        "title": "Fair",
        "start": "2026-12-30T00:00:00",
        "end": "2026-12-31T00:00:00",
        "is_all_day": "yes",
    }
    body = sent(connector, "create_event", days)["json_body"]
    assert (body["start"], body["end"]) == ({"date": "2026-12-30"}, {"date": "2027-01-01"})


def test_a_video_call_is_asked_for_once_however_often_the_call_is_sent():
    first, second = (
        sent(connector, "create_event", {"title": "A", **TIMES, "add_meet": True}) for _ in range(2)
    )
    other = sent(connector, "create_event", {"title": "B", **TIMES, "add_meet": True})
    assert ("conferenceDataVersion", "1") in first["query"]
    assert first["json_body"]["conferenceData"] == second["json_body"]["conferenceData"]
    assert first["json_body"]["conferenceData"] != other["json_body"]["conferenceData"]


def test_empty_optional_values_are_not_sent():
    call = sent(connector, "create_event", empty_optionals(connector, "create_event"))
    assert set(call["json_body"]) == {"summary", "start", "end"}
    assert sent(connector, "update_event", empty_optionals(connector, "update_event"))["json_body"] == {}


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer(403, {"error": {"errors": [{"reason": "rateLimitExceeded"}]}}), TemporaryError),
        (answer(403, {"error": {"errors": [{"reason": "calendarUsageLimitsExceeded"}]}}), TemporaryError),
        (answer(500, {}), TemporaryError),
        (answer(400, {"error": {"message": "The specified time range is empty."}}), PermanentError),
        (answer(404, {"error": {"message": "Not Found"}}), PermanentError),
        (answer(401, {}), ReconnectError),
    ],
)
def test_failures_say_whether_a_retry_can_help(response, error):
    with pytest.raises(error):
        connector.outcome("create_event", response)


def test_events_are_read_over_three_pages(httpserver):
    pages = [
        {
            "items": [{"id": name, "attendees": [{"email": "a@b"}]}],
            "nextPageToken": "" if name == "3" else name,
        }
        for name in ("1", "2", "3")
    ]
    arrived = answer_in_turn(httpserver, pages)
    result = run_at(httpserver, connector, "list_events", {})
    assert [event["id"] for event in result.output["events"]] == ["1", "2", "3"]
    assert result.output["events"][0]["attendees"] == ["a@b"]
    assert [request.args.get("pageToken") for request in arrived] == [None, "1", "2"]


@pytest.mark.parametrize(
    ("calendars", "is_free"),
    [
        ({"a": {"busy": []}}, True),
        ({"a": {"busy": [{"start": "s", "end": "e"}]}}, False),
        ({"a": {"errors": [{"reason": "notFound"}], "busy": []}}, False),
    ],
)
def test_a_calendar_we_may_not_see_is_never_called_free(calendars, is_free):
    assert connector.outcome("find_busy_times", answer(200, {"calendars": calendars}))["is_free"] is is_free


def looking(key, cursor, *answers):
    left, asked = list(answers), []

    async def send(request):
        asked.append(dict(request.query))
        given = left.pop(0)
        if isinstance(given, Exception):
            raise given
        return Response(200, given)

    result = asyncio.run(look(connector.trigger(key).poll, {"calendar": "primary"}, cursor, send))
    return [item["id"] for _identity, item in result.items], result.cursor, asked


def event(name, created, status="confirmed"):
    return {"id": name, "created": created, "updated": created, "status": status}


def test_an_event_is_new_once_even_when_it_was_edited_since_and_old_ones_are_not():
    _, cursor, asked = looking("new_event", None, {"updated": "2026-11-22T09:30:00.412Z"})
    assert asked == [{"maxResults": 1, "fields": "updated"}]
    found, cursor, asked = looking(
        "new_event",
        cursor,
        {
            "updated": "2026-11-22T09:45:00.000Z",
            "items": [
                event("edited", "2020-01-01T00:00:00.000Z"),
                event("gone", "2026-11-22T09:40:00.000Z", "cancelled"),
                {**event("new", "2026-11-22T09:40:00.000Z"), "updated": "2026-11-22T09:45:00.000Z"},
            ],
        },
    )
    assert asked[0]["updatedMin"] == "2026-11-22T09:30:00.413Z"
    assert found == ["new"]
    _, _, asked = looking("new_event", cursor, {"updated": "2026-11-22T09:45:00.000Z", "items": []})
    assert asked[0]["updatedMin"] == "2026-11-22T09:45:00.001Z"


def test_changes_are_followed_by_googles_own_token_over_pages():
    _, cursor, _ = looking("event_changed", None, {"nextPageToken": "p"}, {"nextSyncToken": "s1"})
    found, cursor, asked = looking(
        "event_changed",
        cursor,
        {"items": [event("a", "1")], "nextPageToken": "p"},
        {"items": [event("b", "1"), event("c", "1", "cancelled")], "nextSyncToken": "s2"},
    )
    assert [query["syncToken"] for query in asked] == ["s1", "s1"]
    assert (found, cursor["since"]) == (["a", "b"], "s2")


def test_a_token_google_has_forgotten_starts_afresh():
    gone = PermanentError("gone", status=410)
    found, cursor, asked = looking(
        "event_cancelled", {"since": "old", "seen": []}, gone, {"nextSyncToken": "s9"}
    )
    assert (found, cursor["since"]) == ([], "s9")
    assert "syncToken" not in asked[1]
