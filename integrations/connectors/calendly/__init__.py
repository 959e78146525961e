"""Calendly: meetings, invitees, links and free times; start when a meeting is booked or cancelled."""

from integrations.connectors.calendly.booking import (
    BOOK,
    CREATE_LINK,
    CREATE_SHARE,
    LIST_MEMBERS,
    LIST_TIMES,
    LIST_TYPES,
)
from integrations.connectors.calendly.calls import pause, refine, uuid_of
from integrations.connectors.calendly.events import (
    CANCEL,
    GET_EVENT,
    GET_INVITEE,
    LIST_EVENTS,
    LIST_INVITEES,
    MARK_NO_SHOW,
)
from integrations.connectors.calendly.shapes import ORGANIZATION_URI, USER_URI
from integrations.connectors.calendly.triggers import TRIGGERS, delivery_id, subscribe
from integrations.framework import (
    BearerToken,
    Connector,
    Field,
    OAuth2,
    RateLimit,
    Request,
    Test,
    TimestampedHmac,
    Webhooks,
    dig,
)

TOLERANCE_SECONDS = 180  # Calendly's own example refuses what is older than three minutes

connector = Connector(
    slug="calendly",
    name="Calendly",
    category="Scheduling",
    summary="Book and cancel meetings, make links, and react when somebody books or cancels.",
    docs_url="https://developer.calendly.com/api-docs",
    base_url="https://api.calendly.com",
    auth=(
        OAuth2(
            authorize_url="https://auth.calendly.com/oauth/authorize",
            token_url="https://auth.calendly.com/oauth/token",
            revoke_url="https://auth.calendly.com/oauth/revoke",
            scopes=(
                "users:read",
                "organizations:read",
                "event_types:read",
                "availability:read",
                "scheduled_events:write",
                "scheduling_links:write",
                "shares:write",
                "routing_forms:read",
                "webhooks:write",
            ),
            rotates_refresh_token=True,
            account_from_token={"user_uri": "owner", "organization_uri": "organization"},
        ),
        BearerToken(
            secret_label="Personal access token",
            label="Personal access token",
            help="In Calendly: Integrations and apps, API and webhooks. Tick all permissions.",
        ),
    ),
    account=(
        Field(
            "organization_uri",
            label="Organization",
            advanced=True,
            example=ORGANIZATION_URI,
            help="Found by itself when you connect.",
        ),
        Field(
            "user_uri",
            label="Person",
            advanced=True,
            example=USER_URI,
            help="Found by itself when you connect.",
        ),
    ),
    test=Test(
        Request("GET", "/users/me"),
        label="resource.name",
        account={"user_uri": "resource.uri", "organization_uri": "resource.current_organization"},
    ),
    on_error=refine,
    error_paths=("details.0.message", "message"),
    rate_limit=RateLimit(calls=50, seconds=60),  # the free plan's; paid ones have ten times as much
    wait=pause,
    webhooks=Webhooks(
        address="trigger",
        signature=TimestampedHmac("Calendly-Webhook-Signature", tolerance_seconds=TOLERANCE_SECONDS),
        event="event",
        delivery_id=delivery_id,
        subscribe=subscribe,
        read=lambda response, subscription: {
            "id": uuid_of(dig(response.json, "resource.uri", "")),
            "secret": subscription.secret,
        },
        unsubscribe=lambda subscription: Request(
            "DELETE", "/webhook_subscriptions/{webhook_uuid}", at={"webhook_uuid": subscription.state["id"]}
        ),
    ),
    actions=(
        LIST_EVENTS,
        GET_EVENT,
        LIST_INVITEES,
        GET_INVITEE,
        BOOK,
        CANCEL,
        CREATE_LINK,
        CREATE_SHARE,
        MARK_NO_SHOW,
        LIST_TIMES,
        LIST_TYPES,
        LIST_MEMBERS,
    ),
    triggers=TRIGGERS,
)
