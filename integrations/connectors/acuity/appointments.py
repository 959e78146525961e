"""Book, find, change, move and cancel appointments."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from integrations.connectors.acuity.shapes import (
    APPOINTMENT,
    APPOINTMENT_ID,
    AS_BUSINESS,
    CALENDAR,
    EMAIL,
    FIRST_NAME,
    FORM_ANSWERS,
    LABELS,
    LAST_NAME,
    NO_EMAIL,
    NOTES,
    PHONE,
    TYPE,
    ZONE,
    same_moment,
    same_text,
)
from integrations.framework import Action, Field, LookUp, Output, Request, Response, extract

STARTS_AT = Field(
    "datetime",
    label="Starts at",
    kind="datetime",
    required=True,
    example="2026-11-24T09:00:00+01:00",
    help="A free time, as “Find free times” gives it.",
)
PERSON = {"email": "email", "first_name": "firstName", "last_name": "lastName"}


def get(inputs: Mapping[str, Any]) -> Request:
    return Request("GET", "/appointments/{id}", at={"id": inputs["id"]})


def booked_around(inputs: Mapping[str, Any]) -> Request:
    day = date.fromisoformat(inputs["datetime"][:10])
    return Request(
        "GET",
        "/appointments",
        query={
            # A day more on each side: the business may live in another time zone.
            "minDate": (day - timedelta(days=1)).isoformat(),
            "maxDate": (day + timedelta(days=1)).isoformat(),
            "appointmentTypeID": inputs["appointment_type"],
            "email": inputs.get("email"),
        },
    )


def found_booked(response: Response, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
    for entry in response.json or []:
        if same_moment(inputs["datetime"], entry.get("datetime")) and same_text(inputs, entry, PERSON):
            return extract(entry, APPOINTMENT)
    return None


def found_moved(response: Response, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
    entry = response.json or {}
    moved = same_moment(inputs["datetime"], entry.get("datetime"))
    placed = "calendar" not in inputs or entry.get("calendarID") == inputs["calendar"]
    return extract(entry, APPOINTMENT) if moved and placed else None


CANCELLED = {
    "id": Output("id", kind="integer"),
    "canceled": Output("canceled", kind="boolean"),
    "no_show": Output("noShow", kind="boolean"),
}


def found_cancelled(response: Response, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
    return extract(response.json, CANCELLED) if (response.json or {}).get("canceled") else None


CREATE_APPOINTMENT = Action(
    key="create_appointment",
    label="Book an appointment",
    fields=(
        STARTS_AT,
        replace(TYPE, required=True),
        replace(FIRST_NAME, required=True),
        replace(LAST_NAME, required=True),
        replace(EMAIL, required=True),
        replace(PHONE, help="Your settings may demand it."),
        replace(CALENDAR, help="Empty takes one that is free. Needed when booking as the business."),
        FORM_ANSWERS,
        replace(NOTES, help="Only when booking as the business; the client does not see it."),
        Field("certificate", label="Package or coupon code", example="SPRING10", advanced=True),
        ZONE,
        Field("addons", label="Add-ons", kind="list", send="addonIDs", example=[5], advanced=True),
        LABELS,
        Field(
            "sms_opt_in", label="Agreed to SMS", kind="boolean", send="smsOptIn", example=True, advanced=True
        ),
        AS_BUSINESS,
        NO_EMAIL,
    ),
    call="POST /appointments",
    returns=APPOINTMENT,
    effect="checkable",
    look_up=LookUp(booked_around, found_booked),
)

GET_APPOINTMENT = Action(
    key="get_appointment",
    label="Get an appointment",
    fields=(APPOINTMENT_ID,),
    call="GET /appointments/{id}",
    returns=APPOINTMENT,
    effect="read",
)

LIST_APPOINTMENTS = Action(
    key="list_appointments",
    label="Find appointments",
    description="Acuity gives one list without further pages: narrow it by days.",
    fields=(
        Field("min_date", label="From", kind="date", send="minDate", example="2026-11-01"),
        Field("max_date", label="Until", kind="date", send="maxDate", example="2026-11-30"),
        TYPE,
        CALENDAR,
        replace(EMAIL, label="Client's e-mail"),
        replace(PHONE, label="Client's phone"),
        replace(FIRST_NAME, label="Client's first name"),
        replace(LAST_NAME, label="Client's last name"),
        Field("canceled", label="Only cancelled ones", kind="boolean", example=False),
        Field("show_all", label="Also cancelled ones", kind="boolean", send="showall", example=False),
        Field(
            "direction",
            label="Order",
            kind="select",
            choices=(("DESC", "Latest first"), ("ASC", "Earliest first")),
            example="ASC",
        ),
        Field(
            "max", label="Most results", kind="integer", minimum=1, maximum=1000, default=100, advanced=True
        ),
        Field(
            "exclude_forms",
            label="Without answers to forms",
            kind="boolean",
            send="excludeForms",
            example=True,
            advanced=True,
            help="Quicker.",
        ),
    ),
    call="GET /appointments",
    returns={"appointments": Output("", kind="list", of=APPOINTMENT)},
    effect="read",
)

UPDATE_APPOINTMENT = Action(
    key="update_appointment",
    label="Change an appointment's details",
    description="Only what you fill in changes. The time is changed by “Move an appointment”.",
    fields=(
        APPOINTMENT_ID,
        FIRST_NAME,
        LAST_NAME,
        EMAIL,
        PHONE,
        replace(NOTES, help="Only as the business."),
        FORM_ANSWERS,
        LABELS,
        replace(AS_BUSINESS, label="Change as the business"),
    ),
    call="PUT /appointments/{id}",
    returns=APPOINTMENT,
    effect="key_safe",  # the same values set twice are the same appointment
)

RESCHEDULE_APPOINTMENT = Action(
    key="reschedule_appointment",
    label="Move an appointment",
    fields=(
        APPOINTMENT_ID,
        STARTS_AT,
        replace(CALENDAR, help="Empty keeps it."),
        replace(AS_BUSINESS, label="Move as the business"),
        NO_EMAIL,
    ),
    call="PUT /appointments/{id}/reschedule",
    returns=APPOINTMENT,
    effect="checkable",
    look_up=LookUp(get, found_moved),
)

CANCEL_APPOINTMENT = Action(
    key="cancel_appointment",
    label="Cancel an appointment",
    fields=(
        APPOINTMENT_ID,
        Field("cancel_note", label="Reason", send="cancelNote", example="Fell ill", kind="long_text"),
        Field("no_show", label="The client did not come", kind="boolean", send="noShow", example=False),
        replace(AS_BUSINESS, label="Cancel as the business"),
        NO_EMAIL,
    ),
    call="PUT /appointments/{id}/cancel",
    returns=CANCELLED,
    effect="checkable",
    look_up=LookUp(get, found_cancelled),
)
