"""Events of a company that start a workflow, and how Pipedrive is asked to send them."""

import base64
import binascii
from typing import Any

from integrations.connectors.pipedrive.calls import MOST_PER_PAGE
from integrations.connectors.pipedrive.shapes import DEAL, LISTED_DEAL, PERSON
from integrations.framework import (
    CursorPages,
    Field,
    Inbound,
    Output,
    Poll,
    Request,
    Subscription,
    Trigger,
    dig,
)

WEBHOOK_USER = "steward"


def event(action: str, entity: str, *, previous: dict | None = None, **data: Any) -> dict[str, Any]:
    """Return a sample delivery in the shape of webhooks version 2.0."""
    return {
        "meta": {
            "action": action,
            "entity": entity,
            "entity_id": str(data["id"]),
            "company_id": "13313052",
            "user_id": "12",
            "webhook_id": "380943",
            "correlation_id": "59547684-dd46-4e6f-8a7b-2fdc23a5cd9e",
            "id": "f3c1b6c2-4f0a-4b53-9e0c-5f8f6c7f0c11",
            "timestamp": "2026-11-22T09:30:00.000Z",
            "version": "2.0",
            "attempt": 1,
            "is_bulk_edit": False,
            "change_source": "app",
        },
        "data": data,
        "previous": previous,
    }


def made_by_a_person(event: dict, config: dict, account: dict) -> bool:
    """Skip what software changed, unless wanted: our own changes would start us again and again."""
    return bool(config.get("also_software")) or dig(event, "meta.change_source") != "api"


def wanted_change(event: dict, config: dict, account: dict) -> bool:
    if not made_by_a_person(event, config, account):
        return False
    for name, value in (("stage_id", config.get("stage_id")), ("status", config.get("status"))):
        if value and (dig(event, f"data.{name}") != value or name not in (event.get("previous") or {})):
            return False
    return True


ALSO_SOFTWARE = Field(
    "also_software",
    label="Also what software changes",
    kind="boolean",
    example=False,
    advanced=True,
    help="Careful: this workflow's own changes would start it again.",
)

HAPPENED = {"timestamp": "meta.timestamp", "user_id": "meta.user_id"}

CURRENT_DEAL = {
    "id": 101,
    "title": "200 garden chairs",
    "value": 4900,
    "currency": "EUR",
    "stage_id": 2,
    "pipeline_id": 1,
    "status": "open",
    "person_id": 42,
    "org_id": 7,
    "add_time": "2026-11-20T08:00:00Z",
    "update_time": "2026-11-22T09:30:00Z",
    "custom_fields": {},
}

TRIGGERS = (
    Trigger(
        key="person_created",
        label="New person",
        event="create.person",
        accepts=made_by_a_person,
        fields=(ALSO_SOFTWARE,),
        returns={**PERSON, **HAPPENED},
        sample=event(
            "create",
            "person",
            id=42,
            name="Ada Lovelace",
            emails=[{"value": "ada@example.com", "primary": True, "label": "work"}],
        ),
    ),
    Trigger(
        key="deal_created",
        label="New deal",
        event="create.deal",
        accepts=made_by_a_person,
        fields=(ALSO_SOFTWARE,),
        returns={**DEAL, **HAPPENED},
        sample=event("create", "deal", **CURRENT_DEAL),
    ),
    Trigger(
        key="deal_updated",
        label="A deal changes or moves",
        event="change.deal",
        accepts=wanted_change,
        fields=(
            Field("stage_id", label="Only into this stage", kind="integer", options="list_stages", example=2),
            Field("status", label="Only when it becomes", kind="select", choices=("open", "won", "lost")),
            ALSO_SOFTWARE,
        ),
        returns={**DEAL, **HAPPENED, "previous": Output("previous", kind="object")},
        sample=event("change", "deal", previous={"stage_id": 1}, **CURRENT_DEAL),
    ),
    Trigger(
        key="activity_created",
        label="New activity",
        event="create.activity",
        accepts=made_by_a_person,
        fields=(ALSO_SOFTWARE,),
        returns={
            "id": Output("data.id", kind="integer"),
            "subject": "data.subject",
            "type": "data.type",
            "deal_id": Output("data.deal_id", kind="integer"),
            "due_date": "data.due_date",
            **HAPPENED,
        },
        sample=event(
            "create", "activity", id=8, subject="Call", type="call", deal_id=101, due_date="2026-11-24"
        ),
    ),
    Trigger(
        key="deal_updated_poll",
        label="New or changed deal (checked every few minutes)",
        kind="polling",
        poll=Poll(
            request=lambda config, since: Request(
                "GET",
                "/api/v2/deals",
                query={
                    "updated_since": since,
                    "sort_by": "update_time",
                    "sort_direction": "desc",
                    "limit": MOST_PER_PAGE,
                },
            ),
            items="data",
            id=("id", "update_time"),
            stamp="update_time",
            pagination=CursorPages(items="data", into="cursor", cursor="additional_data.next_cursor"),
        ),
        returns=LISTED_DEAL,
        sample=CURRENT_DEAL,
    ),
)


def basic_password(inbound: Inbound) -> list[str]:
    """Return the password of the HTTP Basic header: Pipedrive's only proof of who sends."""
    scheme, _, encoded = inbound.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return []
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return []
    return [password] if user == WEBHOOK_USER else []


def subscribe(subscription: Subscription) -> Request:
    action, _, entity = subscription.events[0].partition(".")
    return Request(
        "POST",
        "/api/v1/webhooks",
        json={
            "subscription_url": subscription.address,
            "event_action": action,
            "event_object": entity,
            "name": f"Steward: {action} {entity}",
            "version": "2.0",
            "http_auth_user": WEBHOOK_USER,
            "http_auth_password": subscription.secret,
        },
    )
