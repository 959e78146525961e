"""Deliveries that services send to our whole application or to one account: proved, stored, and handed over once."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.tenancy import organization_scope, system_scope, uuid7
from integrations import credentials as store
from integrations.calls import app_setting, app_variables
from integrations.framework import (
    Connector,
    Inbound,
    Refused,
    Reply,
    SharedToken,
    Webhooks,
    dig,
    registry,
)
from integrations.framework.crypto import DecryptionFailed
from integrations.models import InboundDelivery, Integration

log = logging.getLogger("integrations.inbound")

# Headers that prove nothing any more once a delivery is accepted, or that would let a reader act for somebody.
SHORTEST_HIDDEN = 8  # characters: what is shorter may be an ordinary word of the delivery
PROVED = "proved"  # a delivery was signed with the secret that a handshake left with us
HIDDEN_HEADERS = ("authorization", "cookie", "token", "secret", "signature", "api-key")


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a delivery. name: the vendor's. key: what repeats of it carry, "" when it has none.

    payload: as the service sent it; connector.trigger(key).wants(name, payload, config, account) and .output(payload)
    take it from here. delivery_id, position: the stored row it came with, and where in it.
    """

    name: str
    key: str
    payload: Any
    delivery_id: UUID
    position: int = 0


Handler = Callable[[Integration | None, str, Sequence[Event]], Any]
_handlers: list[Handler] = []


def register_inbound(handler: Handler) -> None:
    """Call handler(integration, provider, events) for every accepted delivery, once for each event.

    In the organization's scope and in the transaction that notes the delivery as handed over: what it writes and the
    note are committed together, and an exception of it makes the job try again.
    """
    if handler not in _handlers:
        _handlers.append(handler)


def webhooks_for_accounts(connector: Connector) -> Webhooks | None:
    """Return how deliveries to an account or to our application work; None when each trigger has an address instead.

    Where several ways share an address, the first: whose it is and what proves a sender is the same in all of them.
    """
    return next(iter(connector.account_webhooks.values()), None)


def webhooks_for_delivery(connector: Connector, request: Inbound) -> Webhooks | None:
    """Return the way this delivery came: the one that finds in it an event which a trigger of it listens to."""
    ways = list(connector.account_webhooks.values())
    for webhooks in ways if len(ways) > 1 else ():
        names = [webhooks.event_name(request, event) for event in webhooks.split(request)]
        listening = [trigger for trigger in connector.triggers if connector.webhooks_of(trigger) is webhooks]
        if any(name and trigger.hears(name) for name in names for trigger in listening):
            return webhooks
    return ways[0] if ways else None


def address_of(integration: Integration) -> str:
    """Return the public URL for deliveries about this account. The row gets its token; the caller saves it."""
    connector = registry.get(integration.provider)
    webhooks = webhooks_for_accounts(connector)
    if webhooks is not None and webhooks.address == "app":
        return app_address(connector)
    if not integration.webhook_token:
        integration.webhook_token = secrets.token_urlsafe(32)
    integration.webhook_url = settings.BASE_URL + reverse(
        "integrations:inbound-account", args=[connector.slug, integration.webhook_token]
    )
    return integration.webhook_url


def app_address(connector: Connector) -> str:
    """Return the public URL for deliveries about all accounts of a service."""
    return settings.BASE_URL + reverse("integrations:inbound", args=[connector.slug])


def missing_secret(connector: Connector) -> tuple[str, ...]:
    """Return the environment variables of which one must hold the key of app-wide deliveries; () when nothing lacks."""
    webhooks = webhooks_for_accounts(connector)
    if webhooks is None or webhooks.secret != "app" or webhooks.signature is None:
        return ()
    if app_setting(connector, webhooks.secret_name):
        return ()
    return app_variables(connector, webhooks.secret_name)


def receive_for_app(connector: Connector, webhooks: Webhooks, request: Inbound) -> Reply:
    """Answer a delivery to our whole application; accepted ones are on disk by then. Opens its own scopes."""
    webhooks = webhooks_for_delivery(connector, request) or webhooks
    reply = webhooks.handshake(request) if webhooks.handshake else None
    if reply is not None and not webhooks.is_handshake_signed:
        return reply  # it repeats what was sent and changes nothing
    secret = app_setting(connector, webhooks.secret_name)
    if webhooks.signature is not None and not secret:
        log.error("delivery refused provider=%s reason=no signing secret is set", connector.provider)
        return Reply(503, b"This address is not set up yet.")
    refused = _refused(connector, webhooks, request, secret, app_address(connector))
    if refused or reply:
        return refused or reply  # type: ignore[return-value] # one of them is there
    request = without_secret(webhooks, request, secret)
    events = webhooks.split(request)
    by_account: dict[str, list[int]] = {}
    for position, event in enumerate(events):
        account = dig(event, webhooks.account) if webhooks.account else None
        account = dig(request.payload, webhooks.account) if account is None and webhooks.account else account
        if account not in (None, ""):
            by_account.setdefault(str(account), []).append(position)
    with system_scope("find whose account a delivery is about"):
        for account, positions in by_account.items():
            for integration in _of_account(connector, webhooks, account):
                _store(integration, webhooks, request, events, positions)
    return webhooks.answer


def receive_for_account(
    integration: Integration, connector: Connector, webhooks: Webhooks, request: Inbound
) -> Reply:
    """Answer a delivery to the address of one account; accepted ones are on disk by then. Opens its own scopes."""
    webhooks = webhooks_for_delivery(connector, request) or webhooks
    reply = webhooks.handshake(request) if webhooks.handshake else None
    if reply is not None and not webhooks.is_handshake_signed:
        if reply.keep:
            _keep(integration, reply.keep)
        return reply
    try:
        secret = _secret_of(integration, connector, webhooks)
    except DecryptionFailed:
        log.error("delivery refused integration=%s reason=its secret cannot be read", integration.pk)
        return Reply(503, b"This address cannot take deliveries right now.")
    refused = _refused(connector, webhooks, request, secret, integration.webhook_url or "")
    if refused or reply:
        return refused or reply  # type: ignore[return-value] # one of them is there
    request = without_secret(webhooks, request, secret)
    events = webhooks.split(request)
    with organization_scope(integration.organization_id):
        if webhooks.shows_kept_secret:
            _note_proof(integration)
        _store(integration, webhooks, request, events, range(len(events)))
    return webhooks.answer


def hand_over(organization_id: UUID, delivery_id: UUID) -> int:
    """Give the new events of a stored delivery to the handlers; return how many. A second call does nothing."""
    with organization_scope(organization_id):
        delivery = (
            InboundDelivery.objects.select_for_update(of=("self",))
            .select_related("integration")
            .filter(pk=delivery_id, handed_over_at=None)
            .first()
        )
        if delivery is None:
            return 0
        integration = delivery.integration
        events = events_of(delivery)
        if integration.status != Integration.Status.DISABLED and events:
            for handler in _handlers:
                handler(integration, integration.provider, events)
        delivery.handed_over_at = timezone.now()
        delivery.save(update_fields=["handed_over_at"])
        return len(events)


def without_secret(webhooks: Webhooks, request: Inbound, secret: str) -> Inbound:
    """Return a proved delivery as it may be kept: a secret that came in clear in its body or query is taken out."""
    if not isinstance(webhooks.signature, SharedToken) or len(secret) < SHORTEST_HIDDEN:
        return request
    shown = "(hidden)"
    return replace(
        request,
        body=request.body.replace(secret.encode(), shown.encode()),
        url=request.url.replace(secret, shown),
    )


def expect_new_subscriptions(integration: Integration) -> None:
    """Forget what services were told about an account, but not the secret of its deliveries. The caller saves."""
    try:
        state = store.read_webhook_state(integration)
    except DecryptionFailed:
        state = {}
    if state:
        state.pop("subscriptions", None)
        store.write_webhook_state(integration, state)


def secret_to_enter(integration: Integration) -> str:
    """Return what a person must still enter at the service; "" when there is nothing, or it was proved to be there."""
    try:
        webhooks = webhooks_for_accounts(registry.get(integration.provider))
        state = store.read_webhook_state(integration)
    except (KeyError, DecryptionFailed):
        return ""
    if webhooks is None or not webhooks.shows_kept_secret or state.get(PROVED):
        return ""
    return str(state.get("secret") or "")


def events_of(delivery: InboundDelivery, *, everything: bool = False) -> list[Event]:
    """Return the events of a stored delivery that were new with it, or all of them."""
    connector = registry.get(delivery.integration.provider)
    request = Inbound(
        delivery.method,
        delivery.url,
        delivery.headers,
        bytes(delivery.body),
        delivery.received_at.timestamp(),
    )
    webhooks = webhooks_for_delivery(connector, request)
    if webhooks is None:
        return []  # the connector has changed since
    events = webhooks.split(request)
    return [
        Event(
            webhooks.event_name(request, events[position]),
            _key(webhooks, request, events[position]),
            events[position],
            delivery.pk,
            position,
        )
        for position in (range(len(events)) if everything else delivery.positions)
        if position < len(events)
    ]


# --- Inner --------------------------------------------------------------------------------------------------


def _refused(
    connector: Connector, webhooks: Webhooks, request: Inbound, secret: str, address: str
) -> Reply | None:
    if webhooks.signature is None:
        return None
    outcome = webhooks.signature.verify(request, key=secret, now=request.received_at, address=address)
    if isinstance(outcome, Refused):
        log.warning("delivery refused provider=%s reason=%s", connector.provider, outcome.reason)
        return Reply(401, b"The signature could not be verified.")
    return None


def _secret_of(integration: Integration, connector: Connector, webhooks: Webhooks) -> str:
    if webhooks.secret == "app":
        return app_setting(connector, webhooks.secret_name)
    if webhooks.secret == "credentials":
        return str(store.read(integration).get(webhooks.secret_name) or "")
    return str(store.read_webhook_state(integration).get("secret") or "")


def _keep(integration: Integration, values: Mapping[str, Any]) -> None:
    with organization_scope(integration.organization_id):
        row = Integration.objects.select_for_update(of=("self",)).filter(pk=integration.pk).first()
        if row is None:
            return
        state = store.read_webhook_state(row)
        # A handshake gives a secret once. Whoever learns the address later must not be able to replace it.
        store.write_webhook_state(row, {**values, **state})
        row.save(update_fields=["webhook_state", "updated_at"])


def _note_proof(integration: Integration) -> None:
    row = Integration.objects.select_for_update(of=("self",)).filter(pk=integration.pk).first()
    state = store.read_webhook_state(row) if row is not None else {PROVED: True}
    if row is not None and not state.get(PROVED):
        store.write_webhook_state(row, {**state, PROVED: True})
        row.save(update_fields=["webhook_state", "updated_at"])


def _of_account(connector: Connector, webhooks: Webhooks, account: str) -> list[Integration]:
    wanted: list[Any] = [account, int(account)] if account.isdecimal() and len(account) < 19 else [account]
    key = webhooks.account_key or webhooks.account.rpartition(".")[2]
    found: dict[UUID, Integration] = {}
    for value in wanted:
        for row in Integration.objects.filter(provider=connector.provider, settings__contains={key: value}):
            found[row.pk] = row
    return list(found.values())


def _store(
    integration: Integration,
    webhooks: Webhooks,
    request: Inbound,
    events: Sequence[Any],
    positions: Sequence[int],
) -> None:
    """Write the delivery and the job that hands it over, in the transaction of the scope."""
    keys = {position: _key(webhooks, request, events[position]) for position in positions}
    fresh = [position for position in positions if not keys[position]]
    unseen = _note_keys(integration, {key for key in keys.values() if key})
    for position, key in keys.items():
        if key in unseen:
            fresh.append(position)
            unseen.discard(key)  # twice in one delivery is once
    if not fresh:
        log.info("delivery repeated provider=%s integration=%s", integration.provider, integration.pk)
        return
    delivery = InboundDelivery(
        organization_id=integration.organization_id,
        integration=integration,
        method=request.method[:8],
        url=request.url.partition("?")[0][:2000],
        headers=_shown_headers(request),
        body=request.body,
        positions=sorted(fresh),
    )
    delivery.save(force_insert=True)
    from integrations.tasks import hand_over as job  # it calls this module

    job.defer(organization_id=str(integration.organization_id), delivery_id=str(delivery.pk))


def _note_keys(integration: Integration, keys: set[str]) -> set[str]:
    """Return the keys that were not seen before, and remember them: of two parallel repeats one gets the key."""
    if not keys:
        return set()
    ordered = sorted(keys)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO integrations_inboundkey (id, organization_id, integration_id, key)"
            " SELECT id, %s, %s, key FROM unnest(%s::uuid[], %s::text[]) AS new(id, key)"
            " ON CONFLICT DO NOTHING RETURNING key",
            [integration.organization_id, integration.pk, [uuid7() for _ in ordered], ordered],
        )
        return {key for (key,) in cursor.fetchall()}


def _key(webhooks: Webhooks, request: Inbound, event: Any) -> str:
    key = webhooks.event_id(request, event)
    return key if len(key) <= 200 else hashlib.sha256(key.encode()).hexdigest()


def _shown_headers(request: Inbound) -> dict[str, str]:
    return {
        name: "(hidden)" if any(word in name.lower() for word in HIDDEN_HEADERS) else value
        for name, value in request.headers.items()
    }
