"""Acuity Scheduling: exact requests, failures, doubtful calls looked up, and deliveries signed with the API key."""

import base64
import hmac
from urllib.parse import urlencode

import pytest

from integrations.connectors.acuity import connector
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
    assert_well_described,
    delivery,
    empty_optionals,
    sent,
)

API = "https://acuityscheduling.com/api/v1"
SECRET = "api_key-for-tests"
AUTHORIZED = {"Authorization": "Basic " + base64.b64encode(b"user_id-for-tests:api_key-for-tests").decode()}
BOOKING = {
    "datetime": "2026-11-24T09:00:00+01:00",
    "appointment_type": "1",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "email": "ada@example.com",
}
BOOKED = {
    "id": 54915962,
    "firstName": "Ada",
    "lastName": "Lovelace",
    "email": "Ada@example.com",
    "datetime": "2026-11-24T02:00:00-0600",
    "calendarID": 27238,
}


def signed(values, *, secret=SECRET):
    body = urlencode(values).encode()
    signature = base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()
    return delivery(
        body, {"X-Acuity-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
    )


def verify(inbound):
    return connector.webhooks.signature.verify(inbound, key=SECRET, now=NOW)


def test_everything_is_described():
    assert_well_described(connector)


@pytest.mark.parametrize(
    ("key", "inputs", "method", "path", "query", "body"),
    [
        (
            "create_appointment",
            {
                **BOOKING,
                "form_answers": [{"id": "1", "value": "Blue"}],
                "admin": "yes",
                "no_email": True,
                "calendar": "27238",
                "sms_opt_in": True,
            },
            "POST",
            "/appointments",
            [("admin", "true"), ("noEmail", "true")],
            {
                "datetime": "2026-11-24T09:00:00+01:00",
                "appointmentTypeID": 1,
                "firstName": "Ada",
                "lastName": "Lovelace",
                "email": "ada@example.com",
                "calendarID": 27238,
                "fields": [{"id": 1, "value": "Blue"}],
                "smsOptIn": True,
            },
        ),
        (
            "update_appointment",
            {"id": "5", "notes": "Late", "admin": True},
            "PUT",
            "/appointments/5",
            [("admin", "true")],
            {"notes": "Late"},
        ),
        (
            "reschedule_appointment",
            {"id": 5, "datetime": "2026-11-25T09:00:00+01:00"},
            "PUT",
            "/appointments/5/reschedule",
            [],
            {"datetime": "2026-11-25T09:00:00+01:00"},
        ),
        (
            "cancel_appointment",
            {"id": 5, "cancel_note": "Ill", "no_show": "no", "no_email": "yes"},
            "PUT",
            "/appointments/5/cancel",
            [("noEmail", "true")],
            {"cancelNote": "Ill", "noShow": False},
        ),
        (
            "create_client",
            {"first_name": "Ada", "last_name": "Lovelace", "phone": "1"},
            "POST",
            "/clients",
            [],
            {"firstName": "Ada", "lastName": "Lovelace", "phone": "1"},
        ),
        (
            "create_block",
            {
                "start": "2026-12-01T12:00:00+01:00",
                "end": "2026-12-01T13:00:00+01:00",
                "calendar": 27238,
                "notes": "Lunch",
            },
            "POST",
            "/blocks",
            [],
            {
                "start": "2026-12-01T12:00:00+01:00",
                "end": "2026-12-01T13:00:00+01:00",
                "calendarID": 27238,
                "notes": "Lunch",
            },
        ),
        ("get_appointment", {"id": 5}, "GET", "/appointments/5", [], None),
        (
            "list_appointments",
            {"min_date": "2026-11-01", "appointment_type": 1, "show_all": True},
            "GET",
            "/appointments",
            [("minDate", "2026-11-01"), ("appointmentTypeID", "1"), ("showall", "true"), ("max", "100")],
            None,
        ),
        (
            "available_dates",
            {"month": "2026-12", "appointment_type": 1},
            "GET",
            "/availability/dates",
            [("month", "2026-12"), ("appointmentTypeID", "1")],
            None,
        ),
        (
            "available_times",
            {"date": "2026-12-01", "appointment_type": 1, "calendar": 2, "timezone": "Europe/Berlin"},
            "GET",
            "/availability/times",
            [
                ("date", "2026-12-01"),
                ("appointmentTypeID", "1"),
                ("calendarID", "2"),
                ("timezone", "Europe/Berlin"),
            ],
            None,
        ),
        ("find_clients", {"search": "ada"}, "GET", "/clients", [("search", "ada")], None),
        ("list_appointment_types", {}, "GET", "/appointment-types", [], None),
        ("list_calendars", {}, "GET", "/calendars", [], None),
        ("list_forms", {}, "GET", "/forms", [], None),
    ],
)
def test_each_operation_sends_exactly_this(key, inputs, method, path, query, body):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"], call["query"]) == (method, API + path, query)
    assert (call["json_body"], call["headers"]) == (body, AUTHORIZED)


def test_empty_optional_values_are_not_sent():
    call = sent(connector, "update_appointment", empty_optionals(connector, "update_appointment"))
    assert (call["json_body"], call["query"]) == ({}, [])
    found = sent(connector, "list_appointments", empty_optionals(connector, "list_appointments"))
    assert found["query"] == [("max", "100")]


@pytest.mark.parametrize(
    ("status", "code", "error", "says"),
    [
        (429, "", TemporaryError, "slow down"),
        (500, "", TemporaryError, "try again"),
        (400, "not_available", PermanentError, "not free"),
        (400, "invalid_email", PermanentError, "The words of Acuity"),
        (401, "unauthorized", ReconnectError, "Reconnect"),
    ],
)
def test_failures_say_whether_a_retry_can_help(status, code, error, says):
    body = {"status_code": status, "error": code, "message": "The words of Acuity"}
    with pytest.raises(error, match=says):
        connector.outcome("create_appointment", answer(status, body))


def test_lists_without_a_name_are_read_and_questions_know_their_form():
    assert connector.outcome("list_calendars", answer(200, [{"id": 1, "name": "Grace"}])) == {
        "calendars": [{"id": 1, "name": "Grace"}]
    }
    forms = [{"name": "Intake", "fields": [{"id": 7, "name": "Colour"}]}, {"name": "Empty"}]
    assert connector.outcome("list_forms", answer(200, forms)) == {
        "questions": [{"id": 7, "name": "Intake: Colour"}]
    }


def test_a_doubtful_booking_is_found_whatever_the_time_zone():
    look_up = connector.action("create_appointment").look_up
    assert look_up.request(BOOKING).query == {
        "minDate": "2026-11-23",
        "maxDate": "2026-11-25",
        "appointmentTypeID": "1",
        "email": "ada@example.com",
    }
    assert look_up.found(answer(200, [BOOKED]), BOOKING)["id"] == 54915962
    assert look_up.found(answer(200, [{**BOOKED, "datetime": "2026-11-24T09:00:00-0600"}]), BOOKING) is None
    assert look_up.found(answer(200, [{**BOOKED, "firstName": "Grace"}]), BOOKING) is None
    local = {**BOOKING, "datetime": "2026-11-24T02:00:00"}
    assert look_up.found(answer(200, [BOOKED]), local)["id"] == 54915962
    assert look_up.found(answer(200, []), BOOKING) is None


def test_other_doubtful_calls_are_looked_up_too():
    moved = connector.action("reschedule_appointment").look_up
    asked = {"id": 5, "datetime": "2026-11-24T09:00:00+01:00"}
    assert moved.request(asked).at == {"id": 5}
    assert moved.found(answer(200, BOOKED), asked)["id"] == 54915962
    assert moved.found(answer(200, BOOKED), {**asked, "calendar": 1}) is None
    cancelled = connector.action("cancel_appointment").look_up
    assert cancelled.found(answer(200, {"id": 5, "canceled": True}), {"id": 5})["canceled"] is True
    assert cancelled.found(answer(200, {"id": 5, "canceled": False}), {"id": 5}) is None
    client = connector.action("create_client").look_up
    ada = {"first_name": "Ada", "last_name": "Lovelace"}
    assert client.request(ada).query == {"search": "Lovelace"}
    assert (
        client.found(answer(200, [{"firstName": "ada", "lastName": "Lovelace"}]), ada)["first_name"] == "ada"
    )
    assert client.found(answer(200, [{"firstName": "Grace", "lastName": "Lovelace"}]), ada) is None


def test_a_signed_delivery_is_accepted_and_a_changed_one_is_not():
    inbound = signed(connector.trigger("appointment_scheduled").sample)
    assert verify(inbound) == Verified()
    changed = delivery(inbound.body + b"&x=1", dict(inbound.headers))
    assert isinstance(verify(changed), Refused)
    assert isinstance(verify(signed({"id": "1"}, secret="another")), Refused)
    assert isinstance(verify(delivery(inbound.body)), Refused)
    assert isinstance(connector.webhooks.signature.verify(inbound, key="", now=NOW), Refused)


@pytest.mark.parametrize(
    ("action", "name", "key"),
    [
        ("appointment.scheduled", "appointment.scheduled", "appointment.scheduled:5"),
        ("scheduled", "appointment.scheduled", "appointment.scheduled:5"),
        ("appointment.canceled", "appointment.canceled", "appointment.canceled:5"),
        ("order.completed", "order.completed", "order.completed:5"),
        ("appointment.rescheduled", "appointment.rescheduled", ""),
    ],
)
def test_a_replay_has_the_same_id_but_every_move_counts(action, name, key):
    # Acuity signs no time: a delivery sent again is told by what happened to which appointment.
    inbound = signed({"action": action, "id": "5"})
    (event,) = connector.webhooks.split(inbound)
    assert connector.webhooks.event_name(inbound, event) == name
    assert connector.webhooks.event_id(inbound, event) == key


def test_only_the_wanted_type_and_calendar_start_a_workflow():
    trigger = connector.trigger("appointment_scheduled")
    name = "appointment.scheduled"
    assert trigger.wants(name, trigger.sample, {})
    assert trigger.wants(name, trigger.sample, {"appointment_type": 1, "calendar": "27238"})
    assert not trigger.wants(name, trigger.sample, {"appointment_type": 2})
    assert not trigger.wants(name, trigger.sample, {"calendar": 1})


def test_an_appointment_is_fetched_because_its_event_brings_only_numbers():
    trigger = connector.trigger("appointment_canceled")
    assert trigger.follow_up.request(trigger.sample, {}).at == {"id": "54915962"}
    assert trigger.follow_up.request({}, {}) is None
    output = trigger.output({**trigger.sample, "appointment": BOOKED})
    assert (output["id"], output["first_name"], output["type_id"]) == ("54915962", "Ada", "1")


def test_a_subscription_is_made_for_one_event_and_removed():
    webhooks = connector.webhooks
    made = webhooks.subscribe(Subscription("https://steward.example/hooks/abc", ("order.completed",)))
    assert made.json == {"event": "order.completed", "target": "https://steward.example/hooks/abc"}
    state = webhooks.read(answer(200, {"id": 9}), Subscription(""))
    assert webhooks.unsubscribe(Subscription("", state=state)).at == {"id": 9}


def test_polling_asks_for_what_lies_ahead_and_remembers_the_highest_number():
    poll = connector.trigger("appointments_poll").poll
    query = poll.request({"calendar": 2}, 54915962).query
    assert (query["max"], query["calendarID"], query["excludeForms"]) == (1000, 2, True)
    assert len(query["minDate"]) == 10
    assert poll.stamp == "id"
