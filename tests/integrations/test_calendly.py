"""Calendly: exact requests, failures, pages, and the signature of its webhooks."""

import hmac
import json

import pytest

from integrations.connectors.calendly import connector
from integrations.connectors.calendly.shapes import (
    EVENT_URI,
    INVITEE_URI,
    ORGANIZATION_URI,
    TYPE_URI,
    USER_URI,
)
from integrations.framework import (
    PermanentError,
    ReconnectError,
    Refused,
    Subscription,
    TemporaryError,
    Verified,
)
from tests.integrations.checks import (
    NOW,
    answer,
    answer_in_turn,
    assert_well_described,
    delivery,
    empty_optionals,
    run_at,
    sent,
)

API = "https://api.calendly.com"
SECRET = "signing-key-for-tests"
ACCOUNT = {"organization_uri": ORGANIZATION_URI, "user_uri": USER_URI}


def signed(body: bytes, *, at: float = NOW, secret: str = SECRET) -> dict[str, str]:
    stamp = str(int(at))
    digest = hmac.digest(secret.encode(), stamp.encode() + b"." + body, "sha256").hex()
    return {"Calendly-Webhook-Signature": f"t={stamp},v1={digest}"}


def verify(inbound):
    return connector.webhooks.signature.verify(inbound, key=SECRET, now=NOW)


def test_everything_is_described():
    assert_well_described(connector)


@pytest.mark.parametrize(
    ("key", "inputs", "url", "body"),
    [
        (
            "create_event_invitee",
            {
                "event_type": TYPE_URI,
                "start_time": "2026-11-24T10:00:00+01:00",
                "email": "ada@example.com",
                "name": "Ada",
                "timezone": "Europe/Berlin",
                "answers": [{"question": "Q", "answer": "A"}],
                "guests": "bob@example.com",
                "location_kind": "zoom_conference",
            },
            f"{API}/invitees",
            {
                "event_type": TYPE_URI,
                "start_time": "2026-11-24T09:00:00Z",
                "invitee": {"email": "ada@example.com", "name": "Ada", "timezone": "Europe/Berlin"},
                "location": {"kind": "zoom_conference"},
                "event_guests": ["bob@example.com"],
                "questions_and_answers": [{"question": "Q", "answer": "A", "position": 0}],
            },
        ),
        (
            "cancel_event",
            {"event": EVENT_URI, "reason": "Ill"},
            f"{API}/scheduled_events/GBGBDCAADAEDCRZ2/cancellation",
            {"reason": "Ill"},
        ),
        (
            "create_scheduling_link",
            {"event_type": TYPE_URI},
            f"{API}/scheduling_links",
            {"max_event_count": 1, "owner": TYPE_URI, "owner_type": "EventType"},
        ),
        (
            "create_share",
            {"event_type": TYPE_URI, "duration": 30},
            f"{API}/shares",
            {"event_type": TYPE_URI, "duration": 30},
        ),
        ("mark_no_show", {"invitee": INVITEE_URI}, f"{API}/invitee_no_shows", {"invitee": INVITEE_URI}),
    ],
)
def test_each_operation_sends_exactly_this(key, inputs, url, body):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"], call["json_body"]) == ("POST", url, body)
    assert call["headers"] == {"Authorization": "Bearer access-token-for-tests"}


@pytest.mark.parametrize(
    ("key", "inputs", "url", "query"),
    [
        ("get_event", {"event": "GBGBDCAADAEDCRZ2"}, f"{API}/scheduled_events/GBGBDCAADAEDCRZ2", []),
        (
            "list_invitees",
            {"event": EVENT_URI, "status": "active"},
            f"{API}/scheduled_events/GBGBDCAADAEDCRZ2/invitees",
            [("status", "active"), ("sort", "created_at:asc"), ("count", "100")],
        ),
        (
            "get_invitee",
            {"invitee": INVITEE_URI},
            f"{API}/scheduled_events/GBGBDCAADAEDCRZ2/invitees/AAAAAAAAAAAAAAAA",
            [],
        ),
        (
            "list_available_times",
            {"event_type": TYPE_URI, "start_time": "2026-11-24T00:00", "end_time": "2026-11-25"},
            f"{API}/event_type_available_times",
            [
                ("event_type", TYPE_URI),
                ("start_time", "2026-11-24T00:00:00Z"),
                ("end_time", "2026-11-25T00:00:00Z"),
            ],
        ),
    ],
)
def test_each_reading_operation_asks_exactly_this(key, inputs, url, query):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"], call["query"]) == ("GET", url, query)


def test_an_invitee_needs_its_whole_address():
    with pytest.raises(PermanentError):
        sent(connector, "get_invitee", {"invitee": "AAAAAAAAAAAAAAAA"})


def test_empty_optional_values_are_not_sent():
    assert sent(connector, "create_share", empty_optionals(connector, "create_share"))["json_body"] == {
        "event_type": TYPE_URI
    }
    assert sent(connector, "cancel_event", empty_optionals(connector, "cancel_event"))["json_body"] == {}


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer(429, {"title": "Too Many Requests"}, {"X-RateLimit-Reset": "40"}), TemporaryError),
        (answer(503, {}), TemporaryError),
        (
            answer(400, {"title": "Invalid Argument", "details": [{"message": "must be in the future"}]}),
            PermanentError,
        ),
        (answer(403, {"title": "Permission Denied", "message": "Please upgrade your plan"}), PermanentError),
        (answer(401, {"title": "Unauthenticated"}), ReconnectError),
    ],
)
def test_failures_say_whether_a_retry_can_help(response, error):
    with pytest.raises(error):
        connector.outcome("create_event_invitee", response)


def test_the_rate_limit_says_how_long_to_wait():
    with pytest.raises(TemporaryError) as caught:
        connector.outcome("get_event", answer(429, {}, {"X-RateLimit-Reset": "40"}))
    assert caught.value.retry_after == 40
    assert connector.wait(answer(200, {}, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "7"})) == 7
    assert connector.wait(answer(200, {}, {"X-RateLimit-Remaining": "9", "X-RateLimit-Reset": "7"})) is None


def three_pages(item):
    return [
        {
            "collection": [{**item, "uri": f"u{number}"}],
            "pagination": {"next_page_token": f"t{number}" if number < 3 else None},
        }
        for number in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("key", "name", "whose"),
    [
        ("list_scheduled_events", "events", {"organization": ORGANIZATION_URI}),
        ("list_event_types", "event_types", {"organization": ORGANIZATION_URI, "active": "true"}),
    ],
)
def test_lists_are_read_over_three_pages_of_the_connected_organization(httpserver, key, name, whose):
    arrived = answer_in_turn(httpserver, three_pages({"name": "First talk"}))
    result = run_at(httpserver, connector, key, {}, account=ACCOUNT)
    assert [item["uri"] for item in result.output[name]] == ["u1", "u2", "u3"]
    assert [request.args.get("page_token") for request in arrived] == [None, "t1", "t2"]
    for request in arrived:
        assert {key: request.args.get(key) for key in whose} == whose


def test_one_persons_meetings_are_asked_for_by_that_person(httpserver):
    arrived = answer_in_turn(httpserver, three_pages({}))
    inputs = {"user": USER_URI, "limit": 2, "from_time": "2026-11-22T01:00:00+01:00"}
    result = run_at(httpserver, connector, "list_scheduled_events", inputs, account=ACCOUNT)
    assert [item["uri"] for item in result.output["events"]] == ["u1", "u2"]
    assert len(arrived) == 2
    assert arrived[0].args["user"] == USER_URI
    assert "organization" not in arrived[0].args
    assert arrived[0].args["min_start_time"] == "2026-11-22T00:00:00Z"


def test_people_are_offered_by_name(httpserver):
    answer_in_turn(
        httpserver, [{"collection": [{"role": "owner", "user": {"uri": USER_URI, "name": "Ada"}}]}]
    )
    result = run_at(httpserver, connector, "list_members", {}, account=ACCOUNT)
    assert result.output["members"] == [{"uri": USER_URI, "name": "Ada", "email": None, "role": "owner"}]


def test_invitees_are_read_over_three_pages(httpserver):
    arrived = answer_in_turn(httpserver, three_pages({"email": "ada@example.com"}))
    result = run_at(httpserver, connector, "list_invitees", {"event": EVENT_URI})
    assert [item["uri"] for item in result.output["invitees"]] == ["u1", "u2", "u3"]
    assert [request.args.get("page_token") for request in arrived] == [None, "t1", "t2"]


def test_a_signed_event_is_accepted_and_a_changed_one_is_not():
    body = json.dumps(connector.trigger("invitee_created").sample).encode()
    assert verify(delivery(body, signed(body))) == Verified()
    assert isinstance(verify(delivery(body + b" ", signed(body))), Refused)
    assert isinstance(verify(delivery(body, signed(body, secret="another"))), Refused)


def test_a_stale_event_is_refused():
    assert isinstance(verify(delivery(b"{}", signed(b"{}", at=NOW - 181))), Refused)
    assert verify(delivery(b"{}", signed(b"{}", at=NOW - 179))) == Verified()


def test_a_replayed_event_has_the_same_delivery_id():
    sample = connector.trigger("invitee_created").sample
    inbound = delivery(sample)
    assert connector.webhooks.event_id(inbound, sample) == (
        f"invitee.created:{INVITEE_URI}:2026-11-22T09:30:00.000000Z"
    )
    assert connector.webhooks.event_name(inbound, sample) == "invitee.created"


def test_a_moved_meeting_does_not_count_as_cancelled_unless_wanted():
    trigger = connector.trigger("invitee_canceled")
    moved = {**trigger.sample, "payload": {**trigger.sample["payload"], "rescheduled": True}}
    assert trigger.wants("invitee.canceled", trigger.sample, {})
    assert not trigger.wants("invitee.canceled", moved, {})
    assert trigger.wants("invitee.canceled", moved, {"also_moved": True})
    assert not trigger.wants("invitee.canceled", trigger.sample, {"event_type": "another"})


def test_the_webhook_is_made_and_removed_through_the_api():
    webhooks = connector.webhooks
    wanted = Subscription(
        "https://steward.example/hooks/abc", ("invitee.created",), account=ACCOUNT, secret=SECRET
    )
    assert webhooks.subscribe(wanted).json == {
        "url": "https://steward.example/hooks/abc",
        "events": ["invitee.created"],
        "organization": ORGANIZATION_URI,
        "user": USER_URI,
        "scope": "user",
        "signing_key": SECRET,
    }
    state = webhooks.read(answer(201, {"resource": {"uri": f"{API}/webhook_subscriptions/W1"}}), wanted)
    assert state == {"id": "W1", "secret": SECRET}
    removed = webhooks.unsubscribe(Subscription("", state=state))
    assert (removed.method, removed.at) == ("DELETE", {"webhook_uuid": "W1"})


@pytest.mark.parametrize(
    ("events", "config"),
    [(("invitee.created",), {"whole_organization": True}), (("routing_form_submission.created",), {})],
)
def test_the_whole_organization_is_subscribed_where_wanted_or_needed(events, config):
    body = connector.webhooks.subscribe(Subscription("https://a.example/", events, config, ACCOUNT)).json
    assert (body["scope"], body["user"]) == ("organization", None)


def test_polling_asks_only_for_what_can_be_new():
    query = (
        connector.trigger("events_poll").poll.request({"user": USER_URI}, "2026-11-22T09:29:58.000000Z").query
    )
    assert query["min_start_time"] == "2026-11-22T09:29:58.000000Z"
    assert query["user"] == USER_URI
