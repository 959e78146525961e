"""Acuity's values as fields and outputs: appointments, clients, answers to forms."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from integrations.framework import Field, Output

APPOINTMENT_ID = Field(
    "id",
    label="Appointment",
    kind="integer",
    required=True,
    example=54915962,
    help="The appointment's number.",
)
TYPE = Field(
    "appointment_type",
    label="Appointment type",
    kind="integer",
    options="list_appointment_types",
    send="appointmentTypeID",
    example=1,
)
CALENDAR = Field(
    "calendar", label="Calendar", kind="integer", options="list_calendars", send="calendarID", example=27238
)
ZONE = Field(
    "timezone",
    label="Time zone",
    example="Europe/Berlin",
    help="Empty takes that of the business.",
    advanced=True,
)
AS_BUSINESS = Field(
    "admin",
    label="Book as the business",
    kind="boolean",
    place="query",
    example=True,
    advanced=True,
    help="Skips the checks a client meets: free times, notice, forms that must be filled in.",
)
NO_EMAIL = Field(
    "no_email",
    label="Send no e-mail to the client",
    kind="boolean",
    place="query",
    send="noEmail",
    example=True,
)
FORM_ANSWERS = Field(
    "form_answers",
    label="Answers to forms",
    kind="list",
    send="fields",
    example=[{"id": 1, "value": "Blue"}],
    help="“List form questions” gives the numbers of the questions.",
    fields=(
        Field("id", label="Question", kind="integer", required=True, options="list_forms", example=1),
        Field("value", label="Answer", required=True, example="Blue"),
    ),
)
LABELS = Field(
    "labels",
    label="Label",
    kind="list",
    advanced=True,
    example=[{"id": 3}],
    help="At most one.",
    fields=(Field("id", label="Number of the label", kind="integer", required=True, example=3),),
)
FIRST_NAME = Field("first_name", label="First name", send="firstName", example="Ada")
LAST_NAME = Field("last_name", label="Last name", send="lastName", example="Lovelace")
EMAIL = Field("email", label="E-mail", kind="email", example="ada@example.com")
PHONE = Field("phone", label="Phone", example="+441632960001")
NOTES = Field("notes", label="Notes", kind="long_text", example="Prefers mornings.")

APPOINTMENT: dict[str, Output | str] = {
    "id": Output("id", kind="integer"),
    "first_name": "firstName",
    "last_name": "lastName",
    "email": "email",
    "phone": "phone",
    "starts_at": "datetime",
    "duration": Output("duration", label="Minutes"),
    "type": "type",
    "type_id": Output("appointmentTypeID", kind="integer"),
    "calendar": "calendar",
    "calendar_id": Output("calendarID", kind="integer"),
    "price": "price",
    "paid": "paid",
    "canceled": Output("canceled", kind="boolean"),
    "no_show": Output("noShow", kind="boolean"),
    "confirmation_page": "confirmationPage",
    "forms": Output("forms", kind="list"),
    "notes": "notes",
    "timezone": "timezone",
}
CLIENT: dict[str, Output | str] = {
    "first_name": "firstName",
    "last_name": "lastName",
    "email": "email",
    "phone": "phone",
    "notes": "notes",
}


def same_moment(asked: str, stored: Any) -> bool:
    """Whether an appointment stands at the time that was asked for; without an offset the wall clock decides."""
    try:
        first, second = datetime.fromisoformat(asked), datetime.fromisoformat(str(stored))
    except ValueError:
        return False
    if first.tzinfo is None or second.tzinfo is None:
        return first.replace(tzinfo=None) == second.replace(tzinfo=None)
    return first == second


def same_text(inputs: Mapping[str, Any], found: Mapping[str, Any], names: Mapping[str, str]) -> bool:
    """Whether all given texts are those of what was found, whatever their case. names: our name -> Acuity's."""
    return all(
        str(found.get(theirs) or "").strip().casefold() == str(inputs[ours]).strip().casefold()
        for ours, theirs in names.items()
        if ours in inputs
    )
