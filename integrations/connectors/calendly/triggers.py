"""Events of an account that start a workflow, and how Calendly is asked to send them."""

from collections.abc import Mapping
from typing import Any

from integrations.connectors.calendly.calls import PAGE_SIZE, PAGES
from integrations.connectors.calendly.shapes import EVENT_URI, INVITEE_URI, MEETING, TYPE_URI, USER_URI
from integrations.framework import Field, Inbound, Output, Poll, Request, Subscription, Trigger, dig


def event(type_: str, **payload: Any) -> dict[str, Any]:
    """Return a sample delivery in the shape of Calendly's webhooks."""
    return {
        "event": type_,
        "created_at": "2026-11-22T09:30:00.000000Z",
        "created_by": USER_URI,
        "payload": payload,
    }


BOOKED = {
    "uri": INVITEE_URI,
    "email": "ada@example.com",
    "name": "Ada Lovelace",
    "first_name": None,
    "last_name": None,
    "status": "active",
    "timezone": "Europe/Berlin",
    "event": EVENT_URI,
    "rescheduled": False,
    "old_invitee": None,
    "new_invitee": None,
    "tracking": {"utm_source": "fair"},
    "cancel_url": "https://calendly.com/cancellations/A",
    "reschedule_url": "https://calendly.com/reschedulings/A",
    "questions_and_answers": [{"question": "What is it about?", "answer": "Chairs", "position": 0}],
    "scheduled_event": {
        "uri": EVENT_URI,
        "name": "First talk",
        "event_type": TYPE_URI,
        "start_time": "2026-11-24T09:00:00.000000Z",
        "end_time": "2026-11-24T09:30:00.000000Z",
        "location": {"type": "zoom", "join_url": "https://zoom.example/1"},
    },
}


def of_wanted_type(event: dict, config: dict, account: dict) -> bool:
    wanted = config.get("event_type")
    return not wanted or dig(event, "payload.scheduled_event.event_type") == wanted


def not_moved(event: dict, config: dict, account: dict) -> bool:
    # A meeting that is moved is told as cancelled and booked again.
    if dig(event, "payload.rescheduled") and not config.get("also_moved"):
        return False
    return of_wanted_type(event, config, account)


ONLY_TYPE = Field("event_type", label="Only this event type", options="list_event_types", example=TYPE_URI)

WHOLE = Field(
    "whole_organization",
    label="Of the whole organization",
    kind="boolean",
    example=False,
    help="Otherwise only the connected person's. Needs an administrator.",
)

ATTENDEE = {
    "uri": "payload.uri",
    "email": "payload.email",
    "name": "payload.name",
    "timezone": "payload.timezone",
    "event": "payload.scheduled_event.uri",
    "event_name": "payload.scheduled_event.name",
    "start_time": "payload.scheduled_event.start_time",
    "end_time": "payload.scheduled_event.end_time",
    "location": Output("payload.scheduled_event.location", kind="object"),
    "questions_and_answers": Output("payload.questions_and_answers", kind="list"),
    "tracking": Output("payload.tracking", kind="object"),
    "cancel_url": "payload.cancel_url",
    "reschedule_url": "payload.reschedule_url",
    "rescheduled": Output("payload.rescheduled", kind="boolean"),
    "old_invitee": "payload.old_invitee",
}

TRIGGERS = (
    Trigger(
        key="invitee_created",
        label="A meeting is booked",
        event="invitee.created",
        accepts=of_wanted_type,
        fields=(ONLY_TYPE, WHOLE),
        returns=ATTENDEE,
        sample=event("invitee.created", **BOOKED),
    ),
    Trigger(
        key="invitee_canceled",
        label="A meeting is cancelled",
        event="invitee.canceled",
        accepts=not_moved,
        fields=(
            ONLY_TYPE,
            WHOLE,
            Field("also_moved", label="Also when it is moved", kind="boolean", example=False),
        ),
        returns={
            **ATTENDEE,
            "reason": "payload.cancellation.reason",
            "canceled_by": "payload.cancellation.canceled_by",
        },
        sample=event(
            "invitee.canceled",
            **{**BOOKED, "status": "canceled"},
            cancellation={"canceled_by": "Ada Lovelace", "reason": "Ill", "canceler_type": "invitee"},
        ),
    ),
    Trigger(
        key="no_show",
        label="An invitee is marked as not come",
        event="invitee_no_show.created",
        accepts=of_wanted_type,
        fields=(ONLY_TYPE, WHOLE),
        returns={**ATTENDEE, "no_show": Output("payload.no_show", kind="object")},
        sample=event(
            "invitee_no_show.created",
            **BOOKED,
            no_show={
                "uri": "https://api.calendly.com/invitee_no_shows/A",
                "created_at": "2026-11-24T09:40:00.000000Z",
            },
        ),
    ),
    Trigger(
        key="routing_form_submitted",
        label="A routing form is sent in",
        event="routing_form_submission.created",
        description="Always of the whole organization.",
        returns={
            "uri": "payload.uri",
            "routing_form": "payload.routing_form",
            "submitter": "payload.submitter",
            "questions_and_answers": Output("payload.questions_and_answers", kind="list"),
            "result": Output("payload.result", kind="object"),
            "created_at": "payload.created_at",
        },
        sample=event(
            "routing_form_submission.created",
            uri="https://api.calendly.com/routing_form_submissions/A",
            routing_form="https://api.calendly.com/routing_forms/A",
            submitter=None,
            questions_and_answers=[{"question_uuid": "q", "question": "Size?", "answer": "200"}],
            result={"type": "event_type", "value": TYPE_URI},
            created_at="2026-11-22T09:30:00.000000Z",
        ),
    ),
    Trigger(
        key="events_poll",
        label="New meeting (checked every few minutes)",
        kind="polling",
        fields=(Field("user", label="Person", required=True, options="list_members", example=USER_URI),),
        poll=Poll(
            # The list sorts by start only. What was booked since the last look cannot start before it.
            request=lambda config, since: Request(
                "GET",
                "/scheduled_events",
                query={
                    "user": config["user"],
                    "status": "active",
                    "min_start_time": since,
                    "sort": "start_time:desc",
                    "count": PAGE_SIZE,
                },
            ),
            items="collection",
            id="uri",
            stamp="created_at",
            order="unknown",
            pagination=PAGES,
        ),
        returns=MEETING,
        sample={
            "uri": EVENT_URI,
            "name": "First talk",
            "status": "active",
            "event_type": TYPE_URI,
            "start_time": "2026-11-24T09:00:00.000000Z",
            "end_time": "2026-11-24T09:30:00.000000Z",
            "location": {"type": "zoom", "join_url": "https://zoom.example/1"},
            "created_at": "2026-11-22T09:29:58.000000Z",
        },
    ),
)


def subscribe(subscription: Subscription) -> Request:
    whole = bool(subscription.config.get("whole_organization")) or any(
        name.startswith("routing_form") for name in subscription.events
    )
    return Request(
        "POST",
        "/webhook_subscriptions",
        json={
            "url": subscription.address,
            "events": list(subscription.events),
            "organization": subscription.account.get("organization_uri"),
            "user": None if whole else subscription.account.get("user_uri"),
            "scope": "organization" if whole else "user",
            "signing_key": subscription.secret,
        },
    )


def delivery_id(inbound: Inbound, event: Mapping[str, Any]) -> str:
    # Deliveries have no number of their own; this is the same when one is sent again.
    return f"{dig(event, 'event')}:{dig(event, 'payload.uri')}:{dig(event, 'created_at')}"
