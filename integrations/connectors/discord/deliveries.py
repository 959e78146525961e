"""How Discord is asked to send events and commands, and how it proves them."""

from typing import Any

from integrations.framework import Ed25519, Inbound, Reply, Request, Subscription, Webhooks, dig

PING_EVENT, PING_INTERACTION = 0, 1

DEFERRED = Reply(
    200, b'{"type":5}', content_type="application/json"
)  # "thinking"; the workflow answers later


def answer_ping(inbound: Inbound) -> Reply | None:
    kind = dig(inbound.json, "type")
    if kind == PING_INTERACTION and "event" not in inbound.json:
        return Reply(200, b'{"type":1}', content_type="application/json")
    if kind == PING_EVENT:
        return Reply(204, content_type="application/json")
    return None


def event_id(inbound: Inbound, event: Any) -> str:
    """Return what an event sent twice has in common: webhook events carry no id of their own."""
    part = dig(event, "event") or {}
    return f"{part.get('type')}:{part.get('timestamp')}:{dig(part, 'data.user.id') or ''}"


def change_app(**values: Any) -> Request:
    return Request("PATCH", "/applications/@me", json=values)


SIGNED: dict[str, Any] = {
    "address": "integration",  # an application has one address for all
    "signature": Ed25519(),
    "secret": "credentials",
    "secret_name": "public_key",
    "handshake": answer_ping,
    "is_handshake_signed": True,
    "read": lambda response, subscription: {"id": str(dig(response.json, "id") or "")},
}


def ask_for_events(subscription: Subscription) -> Request:
    return change_app(
        event_webhooks_url=subscription.address,
        event_webhooks_status=2,
        event_webhooks_types=list(subscription.events),
    )


EVENTS = Webhooks(
    **SIGNED,
    event="event.type",
    delivery_id=event_id,
    answer=Reply(204),
    subscribe=ask_for_events,
    unsubscribe=lambda subscription: change_app(event_webhooks_status=1),
)

INTERACTIONS = Webhooks(
    **SIGNED,
    event="type",
    delivery_id="id",
    answer=DEFERRED,
    subscribe=lambda subscription: change_app(interactions_endpoint_url=subscription.address),
    # An empty address: Discord goes back to sending commands over its gateway.
    unsubscribe=lambda subscription: Request(
        "PATCH",
        "/applications/@me",
        content=b'{"interactions_endpoint_url":null}',
        content_type="application/json",
    ),
)
