"""Acuity Scheduling: book, move and cancel appointments, find free times, look after clients.

Connected by user ID and API key, not by signing in: the key is also what Acuity signs its deliveries with, and a
connection made by signing in cannot read it.
"""

from integrations.connectors.acuity.appointments import (
    CANCEL_APPOINTMENT,
    CREATE_APPOINTMENT,
    GET_APPOINTMENT,
    LIST_APPOINTMENTS,
    RESCHEDULE_APPOINTMENT,
    UPDATE_APPOINTMENT,
)
from integrations.connectors.acuity.calendars import (
    AVAILABLE_DATES,
    AVAILABLE_TIMES,
    CREATE_BLOCK,
    CREATE_CLIENT,
    FIND_CLIENTS,
    LIST_APPOINTMENT_TYPES,
    LIST_CALENDARS,
    LIST_FORMS,
)
from integrations.connectors.acuity.triggers import TRIGGERS, delivery_id, named
from integrations.framework import (
    Basic,
    Connector,
    ConnectorError,
    Hmac,
    PermanentError,
    RateLimit,
    Request,
    Response,
    Test,
    Webhooks,
    dig,
)

MEANINGS = {
    "not_available": "That time is not free. Choose one that “Find free times” gives.",
    "no_available_calendar": "No calendar is free at that time. Choose one that “Find free times” gives.",
    "invalid_certificate": "The package or coupon code does not hold for this appointment.",
    "cancel_not_allowed": "It is too late to cancel this. Switch on “Cancel as the business” if it shall be.",
    "cancel_too_close": "It is too late to cancel this. Switch on “Cancel as the business” if it shall be.",
    "reschedule_too_close": "It is too late to move this. Switch on “Move as the business” if it shall be.",
}


def failure(response: Response) -> ConnectorError | None:
    code = str(dig(response.json, "error") or "")
    if code in MEANINGS and response.status < 500:
        return PermanentError(MEANINGS[code], status=response.status, code=code)
    return None


connector = Connector(
    slug="acuity",
    name="Acuity Scheduling",
    category="Scheduling",
    summary="Book, move and cancel appointments, find free times, and start when somebody books.",
    docs_url="https://developers.acuityscheduling.com/reference/quick-start",
    base_url="https://acuityscheduling.com/api/v1",
    auth=Basic(
        username="user_id",
        password="api_key",
        username_label="User ID",
        password_label="API key",
        help="In Acuity: Integrations, API, View credentials. Needs a plan with API access.",
        label="User ID and API key",
    ),
    test=Test(Request("GET", "/me"), account={"account_id": "id"}, label="name"),
    on_error=failure,
    error_paths=("message",),
    rate_limit=RateLimit(calls=10),
    webhooks=Webhooks(
        address="trigger",
        signature=Hmac("X-Acuity-Signature", encoding="base64"),
        secret="credentials",
        secret_name="api_key",
        event=named,
        delivery_id=delivery_id,
        subscribe=lambda subscription: Request(
            "POST", "/webhooks", json={"event": subscription.events[0], "target": subscription.address}
        ),
        read=lambda response, subscription: {"id": response.json["id"]},
        unsubscribe=lambda subscription: Request(
            "DELETE", "/webhooks/{id}", at={"id": subscription.state["id"]}
        ),
    ),
    actions=(
        CREATE_APPOINTMENT,
        GET_APPOINTMENT,
        LIST_APPOINTMENTS,
        UPDATE_APPOINTMENT,
        RESCHEDULE_APPOINTMENT,
        CANCEL_APPOINTMENT,
        AVAILABLE_DATES,
        AVAILABLE_TIMES,
        FIND_CLIENTS,
        CREATE_CLIENT,
        CREATE_BLOCK,
        LIST_APPOINTMENT_TYPES,
        LIST_CALENDARS,
        LIST_FORMS,
    ),
    triggers=TRIGGERS,
)
