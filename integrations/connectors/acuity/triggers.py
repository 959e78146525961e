"""What starts a workflow: appointments booked, moved, cancelled; orders completed."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.connectors.acuity.shapes import APPOINTMENT, CALENDAR, TYPE
from integrations.framework import FollowUp, Inbound, Output, Poll, Request, Trigger
from integrations.framework.fields import as_output

MOST_UPCOMING = 1_000  # Acuity's list has no further pages


def named(inbound: Inbound, event: Any) -> str:
    """Return the event's full name: an address entered by hand in Acuity gets "scheduled" alone."""
    action = str(event.get("action") or "")
    return action if "." in action or not action else f"appointment.{action}"


def delivery_id(inbound: Inbound, event: Any) -> str:
    name = named(inbound, event)
    # One appointment can be moved many times, and Acuity numbers its deliveries not: those all count.
    return "" if name == "appointment.rescheduled" else f"{name}:{event.get('id')}"


def is_wanted(event: Any, config: Mapping[str, Any], account: Mapping[str, Any]) -> bool:
    pairs = (("appointment_type", "appointmentTypeID"), ("calendar", "calendarID"))
    return all(not config.get(ours) or str(event.get(theirs)) == str(config[ours]) for ours, theirs in pairs)


def fetch(event: Any, account: Mapping[str, Any]) -> Request | None:
    found = event.get("id")
    return Request("GET", "/appointments/{id}", at={"id": found}) if found else None


def upcoming(config: Mapping[str, Any], since: Any) -> Request:
    # The day before: today may not have begun yet where the business is.
    first = datetime.now(UTC).date() - timedelta(days=1)
    return Request(
        "GET",
        "/appointments",
        query={
            "minDate": first.isoformat(),
            "max": MOST_UPCOMING,
            "excludeForms": True,
            "appointmentTypeID": config.get("appointment_type") or None,
            "calendarID": config.get("calendar") or None,
            "direction": "ASC",
        },
    )


BELOW: dict[str, Output | str] = {
    **{
        name: Output(f"appointment.{as_output(value).path}", kind=as_output(value).kind)
        for name, value in APPOINTMENT.items()
    },
    # Known even when the appointment itself is gone.
    "id": Output("id", kind="integer"),
    "type_id": Output("appointmentTypeID", kind="integer"),
    "calendar_id": Output("calendarID", kind="integer"),
}
SAMPLE = {
    "id": 54915962,
    "firstName": "Ada",
    "lastName": "Lovelace",
    "email": "ada@example.com",
    "phone": "+441632960001",
    "datetime": "2026-11-24T09:00:00+0100",
    "datetimeCreated": "2026-11-22T09:30:00-0600",
    "duration": "60",
    "type": "First lesson",
    "appointmentTypeID": 1,
    "calendar": "Grace",
    "calendarID": 27238,
    "price": "49.00",
    "paid": "no",
    "canceled": False,
    "confirmationPage": "https://acuityscheduling.com/schedule.php?owner=1&id[]=1",
    "timezone": "Europe/Berlin",
    "notes": "",
}


def appointment(key: str, label: str, event: str) -> Trigger:
    return Trigger(
        key=key,
        label=label,
        event=event,
        fields=(TYPE, CALENDAR),
        accepts=is_wanted,
        follow_up=FollowUp(fetch, into="appointment"),
        returns=BELOW,
        sample={"action": event, "id": "54915962", "calendarID": "27238", "appointmentTypeID": "1"},
    )


TRIGGERS = (
    appointment("appointment_scheduled", "An appointment is booked", "appointment.scheduled"),
    appointment("appointment_rescheduled", "An appointment is moved", "appointment.rescheduled"),
    appointment("appointment_canceled", "An appointment is cancelled", "appointment.canceled"),
    Trigger(
        key="order_completed",
        label="An order is completed",
        description="Somebody bought a package, a gift certificate or a subscription.",
        event="order.completed",
        returns={"id": Output("id", kind="integer")},
        sample={"action": "order.completed", "id": "1042"},
    ),
    Trigger(
        key="appointments_poll",
        label="New appointment (checked every few minutes)",
        kind="polling",
        fields=(TYPE, CALENDAR),
        # Numbers grow with each booking, while the list is sorted by when the appointment takes place.
        poll=Poll(request=upcoming, items="", id="id", stamp="id", order="oldest_first"),
        returns=APPOINTMENT,
        sample=SAMPLE,
    ),
)
