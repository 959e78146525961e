"""Read and cancel meetings, and their invitees."""

from collections.abc import Mapping
from typing import Any

from integrations.connectors.calendly.calls import PAGE_SIZE, PAGES, listing, utc, uuid_of, whose
from integrations.connectors.calendly.shapes import (
    EVENT,
    INVITEE,
    INVITEE_URI,
    LIMIT,
    MEETING,
    PERSON,
    of_resource,
)
from integrations.framework import Action, Field, Output, Request, given

LIST_EVENTS = Action(
    key="list_scheduled_events",
    label="List scheduled meetings",
    fields=(
        PERSON,
        Field("invitee_email", label="With this invitee", kind="email", example="ada@example.com"),
        Field("status", label="State", kind="select", choices=("active", "canceled"), example="active"),
        Field("from_time", label="Starting from", kind="datetime", example="2026-11-22T00:00:00+00:00"),
        Field("until_time", label="Starting before", kind="datetime", example="2026-11-29T00:00:00+00:00"),
        Field(
            "sort",
            label="Order",
            kind="select",
            example="start_time:asc",
            choices=(("start_time:asc", "First meeting first"), ("start_time:desc", "Last meeting first")),
        ),
        LIMIT,
    ),
    run=listing(
        "/scheduled_events",
        "events",
        lambda call: given(
            **whose(call),
            invitee_email=call.inputs.get("invitee_email"),
            status=call.inputs.get("status"),
            min_start_time=utc(call.inputs["from_time"]) if "from_time" in call.inputs else None,
            max_start_time=utc(call.inputs["until_time"]) if "until_time" in call.inputs else None,
            sort=call.inputs.get("sort"),
        ),
        MEETING,
    ),
    returns={"events": Output("collection", kind="list", of=MEETING)},
    effect="read",
)

GET_EVENT = Action(
    key="get_event",
    label="Get a scheduled meeting",
    fields=(EVENT,),
    request=lambda inputs: Request("GET", "/scheduled_events/{uuid}", at={"uuid": uuid_of(inputs["event"])}),
    returns={
        **of_resource(MEETING),
        "join_url": "resource.location.join_url",
        "event_memberships": Output("resource.event_memberships", kind="list"),
    },
    effect="read",
)

LIST_INVITEES = Action(
    key="list_invitees",
    label="List a meeting's invitees",
    fields=(
        EVENT,
        Field("status", label="State", kind="select", choices=("active", "canceled"), example="active"),
        Field("email", label="E-mail", kind="email", example="ada@example.com"),
    ),
    request=lambda inputs: Request(
        "GET",
        "/scheduled_events/{uuid}/invitees",
        at={"uuid": uuid_of(inputs["event"])},
        query={
            "status": inputs.get("status"),
            "email": inputs.get("email"),
            "sort": "created_at:asc",
            "count": PAGE_SIZE,
        },
    ),
    pagination=PAGES,
    returns={"invitees": Output("collection", kind="list", of=INVITEE)},
    effect="read",
)

INVITEE_FIELD = Field(
    "invitee",
    label="Invitee",
    required=True,
    example=INVITEE_URI,
    help="The address, as given by the trigger or an earlier step.",
)


def get_invitee(inputs: Mapping[str, Any]) -> Request:
    event, _, invitee = inputs["invitee"].partition("/invitees/")
    return Request(
        "GET",
        "/scheduled_events/{event_uuid}/invitees/{invitee_uuid}",
        at={"event_uuid": uuid_of(event), "invitee_uuid": uuid_of(invitee)},
    )


GET_INVITEE = Action(
    key="get_invitee",
    label="Get an invitee",
    fields=(INVITEE_FIELD,),
    request=get_invitee,
    returns={
        **of_resource(INVITEE),
        "tracking": Output("resource.tracking", kind="object"),
        "no_show": Output("resource.no_show", kind="object"),
    },
    effect="read",
)

CANCEL = Action(
    key="cancel_event",
    label="Cancel a meeting",
    fields=(
        EVENT,
        Field(
            "reason",
            label="Reason",
            kind="long_text",
            max_length=10_000,
            example="We are ill today.",
            help="The invitee is told.",
        ),
    ),
    request=lambda inputs: Request(
        "POST",
        "/scheduled_events/{uuid}/cancellation",
        at={"uuid": uuid_of(inputs["event"])},
        json={"reason": inputs.get("reason")},
    ),
    returns={"canceled_by": "resource.canceled_by", "reason": "resource.reason"},
    effect="unsafe",
)  # a second time it is refused

MARK_NO_SHOW = Action(
    key="mark_no_show",
    label="Mark an invitee as not come",
    fields=(INVITEE_FIELD,),
    call="POST /invitee_no_shows",
    returns={"uri": "resource.uri", "created_at": "resource.created_at"},
    effect="unsafe",
)
