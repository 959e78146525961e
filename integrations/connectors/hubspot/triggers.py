"""Events of a HubSpot account that start a workflow."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from integrations.connectors.hubspot.calls import DEALS, OBJECTS, RETURNED
from integrations.connectors.hubspot.contacts import CONTACT, search
from integrations.framework import CursorPages, Field, FollowUp, Inbound, Output, Poll, Request, Trigger, dig


def event(type_: str, **details) -> dict:
    """Return a sample of one event in the shape of HubSpot's deliveries."""
    return {
        "eventId": 3816279340,
        "subscriptionId": 25,
        "portalId": 33,
        "appId": 1160452,
        "occurredAt": 1700000000000,
        "subscriptionType": type_,
        "attemptNumber": 0,
        "objectId": 512,
        "changeSource": "CRM_UI",
        **details,
    }


def is_wanted_property(event: dict, config: dict, account: dict) -> bool:
    return not config.get("property") or event.get("propertyName") == config["property"]


def is_wanted_stage(event: dict, config: dict, account: dict) -> bool:
    if event.get("propertyName") != "dealstage":
        return False
    return not config.get("stage") or event.get("propertyValue") == config["stage"]


def in_milliseconds(moment: str) -> str:
    """Return an ISO time as the epoch milliseconds that search filters compare with."""
    return str(int(datetime.fromisoformat(moment).timestamp() * 1000))


def changed_contacts(config: Mapping[str, Any], since: Any) -> Request:
    newer = (
        [{"propertyName": "lastmodifieddate", "operator": "GTE", "value": in_milliseconds(since)}]
        if since
        else []
    )
    return search(
        filters=newer,
        sort_by="lastmodifieddate",
        descending=True,
        names=["email", "firstname", "lastname", "lastmodifieddate", *config.get("properties", ())],
    )


HAPPENED = {
    "object_id": Output("objectId", kind="integer"),
    "portal_id": Output("portalId", kind="integer"),
    "occurred_at": Output("occurredAt", kind="integer", label="Happened at (Unix milliseconds)"),
}

NEW_RECORD = {
    "properties": Output("record.properties", kind="object"),
    "created_at": "record.createdAt",
    "url": "record.url",
}

CHANGED = {**HAPPENED, "property": "propertyName", "value": "propertyValue"}


def read_created(path: str) -> Callable[[Any, Mapping[str, Any]], Request | None]:
    """Return what fetches a new record: its event brings nothing but the number."""

    def request(event: Any, account: Mapping[str, Any]) -> Request | None:
        number = dig(event, "objectId")
        return Request("GET", path, at={"id": number}) if number else None

    return request


TRIGGERS = (
    Trigger(
        key="contact_created",
        label="New contact",
        event="contact.creation",
        follow_up=FollowUp(request=read_created(f"{OBJECTS}/contacts/{{id}}"), into="record"),
        returns={**HAPPENED, **NEW_RECORD, "email": "record.properties.email"},
        sample=event("contact.creation"),
    ),
    Trigger(
        key="contact_property_changed",
        label="A contact's property changes",
        event="contact.propertyChange",
        accepts=is_wanted_property,
        returns=CHANGED,
        fields=(
            Field(
                "property",
                label="Only this property",
                options="list_contact_properties",
                example="lifecyclestage",
            ),
        ),
        sample=event("contact.propertyChange", propertyName="lifecyclestage", propertyValue="customer"),
    ),
    Trigger(
        key="deal_created",
        label="New deal",
        event="deal.creation",
        follow_up=FollowUp(request=read_created(f"{DEALS}/{{id}}"), into="record"),
        returns={**HAPPENED, **NEW_RECORD, "name": "record.properties.dealname"},
        sample=event("deal.creation", objectId=9001),
    ),
    Trigger(
        key="deal_stage_changed",
        label="A deal moves to another stage",
        event="deal.propertyChange",
        accepts=is_wanted_stage,
        returns={**HAPPENED, "stage": "propertyValue"},
        fields=(
            Field("stage", label="Only into this stage", options="list_deal_stages", example="closedwon"),
        ),
        sample=event(
            "deal.propertyChange", objectId=9001, propertyName="dealstage", propertyValue="closedwon"
        ),
    ),
    Trigger(
        key="contact_updated_poll",
        label="New or changed contact (checked every few minutes)",
        kind="polling",
        description="Works with a private app's token too.",
        fields=(RETURNED,),
        poll=Poll(
            request=changed_contacts,
            items="results",
            id=("id", "properties.lastmodifieddate"),
            stamp="properties.lastmodifieddate",
            pagination=CursorPages(items="results", into="after", cursor="paging.next.after", place="json"),
        ),
        returns=CONTACT,
        sample={
            "id": "512",
            "createdAt": "2026-11-20T08:00:00.000Z",
            "updatedAt": "2026-11-22T09:30:00.123Z",
            "archived": False,
            "properties": {
                "email": "ada@example.com",
                "firstname": "Ada",
                "lastname": "Lovelace",
                "lastmodifieddate": "2026-11-22T09:30:00.123Z",
            },
        },
    ),
)


def delivery_id(inbound: Inbound, event: Any) -> str:
    # Two subscriptions of one app report the same event with the same event id.
    return f"{dig(event, 'eventId')}:{dig(event, 'subscriptionId')}"
