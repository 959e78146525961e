"""Free days and times, blocked time, clients, and the lists that people choose from."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from integrations.connectors.acuity.shapes import (
    CALENDAR,
    CLIENT,
    EMAIL,
    FIRST_NAME,
    LAST_NAME,
    NOTES,
    PHONE,
    TYPE,
    ZONE,
    same_text,
)
from integrations.framework import Action, Field, LookUp, Offers, Output, Request, Response, extract

AVAILABLE_DATES = Action(
    key="available_dates",
    label="Find free days",
    fields=(
        Field(
            "month",
            label="Month",
            required=True,
            example="2026-12",
            pattern=r"^\d{4}-\d{2}$",
            help="Such as 2026-12.",
        ),
        replace(TYPE, required=True),
        CALENDAR,
        ZONE,
    ),
    call="GET /availability/dates",
    returns={"days": Output("", kind="list", of={"date": "date"})},
    effect="read",
)

AVAILABLE_TIMES = Action(
    key="available_times",
    label="Find free times",
    fields=(
        Field("date", label="Day", kind="date", required=True, example="2026-12-01"),
        replace(TYPE, required=True),
        CALENDAR,
        ZONE,
    ),
    call="GET /availability/times",
    returns={
        "times": Output(
            "", kind="list", of={"time": "time", "places": Output("slotsAvailable", kind="integer")}
        )
    },
    effect="read",
)

FIND_CLIENTS = Action(
    key="find_clients",
    label="Find clients",
    fields=(
        Field(
            "search",
            label="Search for",
            example="ada@example.com",
            help="A name, an e-mail or a phone number. Empty lists all.",
        ),
    ),
    call="GET /clients",
    returns={"clients": Output("", kind="list", of=CLIENT)},
    effect="read",
)

NAMES = {"first_name": "firstName", "last_name": "lastName", "email": "email", "phone": "phone"}


def found_client(response: Response, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
    for entry in response.json or []:
        if same_text(inputs, entry, NAMES):
            return extract(entry, CLIENT)
    return None


CREATE_CLIENT = Action(
    key="create_client",
    label="Create a client",
    fields=(replace(FIRST_NAME, required=True), replace(LAST_NAME, required=True), EMAIL, PHONE, NOTES),
    call="POST /clients",
    returns=CLIENT,
    effect="checkable",
    look_up=LookUp(
        lambda inputs: Request(
            "GET", "/clients", query={"search": inputs.get("email") or inputs["last_name"]}
        ),
        found_client,
    ),
)

CREATE_BLOCK = Action(
    key="create_block",
    label="Block off time",
    description="Nobody can book then.",
    fields=(
        Field("start", label="From", kind="datetime", required=True, example="2026-12-01T12:00:00+01:00"),
        Field("end", label="Until", kind="datetime", required=True, example="2026-12-01T13:00:00+01:00"),
        replace(CALENDAR, required=True),
        replace(NOTES, example="Lunch"),
    ),
    call="POST /blocks",
    returns={
        "id": Output("id", kind="integer"),
        "start": "start",
        "end": "end",
        "calendar_id": Output("calendarID", kind="integer"),
    },
    effect="unsafe",
)

NAMED = {"id": Output("id", kind="integer"), "name": "name"}

LIST_APPOINTMENT_TYPES = Action(
    key="list_appointment_types",
    label="List appointment types",
    call="GET /appointment-types",
    offers=Offers(items="types"),
    returns={"types": Output("", kind="list", of=NAMED)},
    effect="read",
)

LIST_CALENDARS = Action(
    key="list_calendars",
    label="List calendars",
    call="GET /calendars",
    offers=Offers(items="calendars"),
    returns={"calendars": Output("", kind="list", of=NAMED)},
    effect="read",
)


def questions(response: Response) -> dict[str, Any]:
    """Return the questions of all forms, each named together with its form."""
    return {
        "questions": [
            {"id": field.get("id"), "name": f"{form.get('name')}: {field.get('name')}"}
            for form in response.json or []
            for field in form.get("fields") or []
        ]
    }


LIST_FORMS = Action(
    key="list_forms",
    label="List form questions",
    call="GET /forms",
    offers=Offers(items="questions"),
    output=questions,
    returns={"questions": Output("", kind="list", of=NAMED)},
    effect="read",
)
