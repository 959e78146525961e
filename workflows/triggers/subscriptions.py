"""Subscriptions of published triggers at the services they listen to: made, renewed and removed by background jobs."""

from __future__ import annotations

import secrets as random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from accounts.tenancy import organization_scope
from integrations import health
from integrations.framework import (
    Connector,
    ConnectorError,
    PermanentError,
    Request,
    Response,
    Subscription,
    Webhooks,
    registry,
)
from integrations.framework.execute import send_request
from integrations.models import Integration
from workflows.models import Trigger
from workflows.triggers import provider, secrets
from workflows.triggers.secrets import SUBSCRIPTION

EXPIRES_AT = "subscription_expires_at"
UNFINISHED = "unfinished"  # made at the service, but its follow_up is still to be sent
DROP = "UPDATE workflows_trigger SET state = state - %s::text[], updated_at = now() WHERE id = %s"


@dataclass(frozen=True, slots=True)
class Held:
    """What is needed to speak to a service about one subscription; read in a scope, used outside of it."""

    connector: Connector
    webhooks: Webhooks
    subscription: Subscription
    organization_id: UUID
    integration_id: UUID


def follow(kept: Iterable[Trigger], gone: Iterable[Trigger]) -> None:
    """Queue what the services must be told after a workflow was published, paused or archived; in that transaction."""
    from workflows.triggers import jobs

    accounts: dict[str, str] = {}
    for row in gone:
        if row.kind != Trigger.Kind.PROVIDER:
            continue
        if row.state.get(SUBSCRIPTION):
            # The row may be gone when the job runs, and its state is sealed for the row's own id.
            jobs.unsubscribe.defer(
                organization_id=str(row.organization_id),
                trigger_id=str(row.pk),
                settings=dict(row.settings),
                integration_id=str(row.integration_id or ""),
                token=row.token or "",
                sealed=row.state[SUBSCRIPTION],
            )
        with connection.cursor() as cursor:
            # The cursor as well: what happens while a workflow rests is not made up for.
            cursor.execute(DROP, [[SUBSCRIPTION, EXPIRES_AT, "cursor"], row.pk])
        if _is_shared(provider.webhooks_of(row)) and row.integration_id:
            accounts[str(row.integration_id)] = str(row.organization_id)
    for row in kept:
        declared = (
            provider.declared_trigger(row) if row.kind == Trigger.Kind.PROVIDER and row.is_active else None
        )
        if declared is None:
            continue
        webhooks = provider.webhooks_of(row)
        if declared.poll is not None:
            # The first look only notes what is there: at once, so that what comes from now on counts.
            row.next_fire_at = datetime.now(UTC)
            row.save(update_fields=["next_fire_at", "updated_at"])
        elif _is_shared(webhooks):
            if row.integration_id:
                accounts[str(row.integration_id)] = str(row.organization_id)
        elif _lacks_subscription(row, webhooks):
            jobs.subscribe.defer(organization_id=str(row.organization_id), trigger_id=str(row.pk))
    for integration_id, organization_id in accounts.items():
        jobs.settle(organization_id, integration_id)


def subscribe(organization_id: str, trigger_id: str, *, anew: bool = False) -> bool:
    """Tell the service our address for one trigger; return whether it was told. Raises ConnectorError.

    anew: also when there is a subscription already, which is removed then: for an account that was connected again.
    """
    with organization_scope(organization_id):
        row = Trigger.objects.filter(pk=trigger_id, is_active=True).first()
        old = state_of(row) if row is not None else {}
        held = _held(row, {}) if row is not None and (anew or not old or old.get(UNFINISHED)) else None
    if held is None or held.webhooks.subscribe is None:
        return False
    if old and not old.get(UNFINISHED) and anew:
        state = _made_in_place_of(held, old)
    elif old:
        state = old
    else:
        state = exchange(held, held.webhooks.subscribe(held.subscription))
    if held.webhooks.follow_up is not None:
        # Kept before the second request: should that fail, the first is not made again.
        if not _kept(organization_id, trigger_id, {**state, UNFINISHED: True}):
            _forget(held, state)
            return False
        later = replace(held, subscription=replace(held.subscription, state=state))
        told = _told(later, held.webhooks.follow_up(later.subscription))
        state = {name: value for name, value in {**state, **told}.items() if name != UNFINISHED}
    if _kept(organization_id, trigger_id, state):
        return True
    # Switched off meanwhile: what was made is not wanted any more.
    _forget(held, state)
    return False


def unsubscribe(
    organization_id: str,
    trigger_id: str,
    *,
    settings: dict[str, Any],
    integration_id: str,
    token: str,
    sealed: str,
) -> None:
    """Tell the service that our address is no longer meant; the row may be gone. Raises ConnectorError."""
    with organization_scope(organization_id):
        row = Trigger(
            pk=UUID(trigger_id), organization_id=UUID(organization_id), settings=settings, token=token,
            integration_id=integration_id or None,
        )  # fmt: skip
        state = secrets.unseal(row, sealed)
        held = _held(row, state)
    if held is not None:
        _forget(held, state)


def renew(organization_id: str, trigger_id: str) -> bool:
    """Prolong a subscription that ends soon; return whether it was. Raises ConnectorError."""
    with organization_scope(organization_id):
        row = Trigger.objects.filter(pk=trigger_id, is_active=True).first()
        state = state_of(row) if row is not None else {}
        held = _held(row, state) if row is not None and state else None
    if held is None or held.webhooks.renew is None:
        return False
    try:
        fresh = {**state, **exchange(held, held.webhooks.renew(held.subscription))}
    except PermanentError as error:
        if error.status not in (404, 410):
            raise
        return subscribe(organization_id, trigger_id, anew=True)  # it ended before we came
    if not _kept(organization_id, trigger_id, fresh):
        _forget(held, fresh)
    if fresh.get("id") != state.get("id"):
        _forget(
            held, state
        )  # a renewal that made a second one (Google): the first would tell everything again
    return True


def due_for_renewal(now: datetime) -> list[tuple[str, str]]:
    """Return (organization id, trigger id) of the subscriptions that end soon. In a system scope."""
    found = []
    for row in provider.active_rows().filter(state__has_key=EXPIRES_AT):
        webhooks = provider.webhooks_of(row)
        try:
            left = (datetime.fromisoformat(row.state[EXPIRES_AT]) - now).total_seconds()
        except (TypeError, ValueError):
            continue
        if webhooks is not None and webhooks.renew and left < max(webhooks.renew_before_seconds, 3_600):
            found.append((str(row.organization_id), str(row.pk)))
    return found


def missing() -> list[tuple[str, str]]:
    """Return (organization id, trigger id) of what should be subscribed and is not. In a system scope."""
    rows = provider.active_rows().exclude(state__has_key=SUBSCRIPTION).exclude(integration_id=None)
    return [
        (str(row.organization_id), str(row.pk))
        for row in rows
        if _lacks_subscription(row, provider.webhooks_of(row))
    ]


def state_of(row: Trigger) -> dict[str, Any]:
    """Return what the service told us when the subscription was made; empty when there is none."""
    return secrets.unseal(row, row.state[SUBSCRIPTION]) if row.state.get(SUBSCRIPTION) else {}


def address_of(row: Trigger) -> str:
    """Return the public address of one trigger, as services are told it."""
    return f"{settings.BASE_URL}/hooks/{row.token}/"


def keep_from_handshake(row: Trigger, values: Mapping[str, Any]) -> None:
    """Store what a service handed over while it proved our address. What is there already is never replaced."""
    locked = Trigger.objects.select_for_update(of=("self",)).get(pk=row.pk)
    _keep(locked, {**values, **state_of(locked)})


# --- What happens to accounts ---------------------------------------------------------------------------------


def account_healed(organization_id: UUID, integration_id: UUID) -> None:
    """Let everything that waited for an account go on: looks, details of events, subscriptions. In its transaction."""
    from workflows.triggers import details, jobs

    details.hasten(integration_id)
    for row in provider.active_rows().filter(integration_id=integration_id):
        declared = provider.declared_trigger(row)
        if declared is not None and declared.looks is not None:
            Trigger.objects.filter(pk=row.pk, is_active=True).update(next_fire_at=datetime.now(UTC))
        if _lacks_subscription(row, provider.webhooks_of(row)):
            jobs.subscribe.defer(organization_id=str(organization_id), trigger_id=str(row.pk))


def account_reconnected(organization_id: UUID, integration_id: UUID) -> None:
    """Subscribe anew where the service may have dropped our subscriptions with the old credentials."""
    from workflows.triggers import jobs

    for row in provider.active_rows().filter(integration_id=integration_id):
        if row.state.get(SUBSCRIPTION):
            jobs.subscribe.defer(organization_id=str(organization_id), trigger_id=str(row.pk), anew=True)
    jobs.settle(str(organization_id), str(integration_id))


def farewells(integration: Integration) -> list[Callable[[], None]]:
    """Return what tells the service that none of our addresses is meant any more; each raises ConnectorError.

    Read in the scope in which the account is forgotten, to be called after it, outside of any scope.
    """
    from integrations.calls import call
    from workflows.triggers import account_subscriptions

    usable = health.opened(integration)
    found = [
        (held, held.webhooks.unsubscribe(held.subscription))
        for held in [*_subscribed(integration), *account_subscriptions.subscribed(integration)]
        if held.webhooks.unsubscribe is not None
    ]

    def farewell(held: Held, request: Request) -> Callable[[], None]:
        def say() -> None:
            call(
                lambda client: send_request(
                    held.connector, request, usable.credentials, usable.account, client=client
                )
            )

        return say

    return [farewell(held, request) for held, request in found]


def _subscribed(integration: Integration) -> list[Held]:
    rows = Trigger.objects.filter(integration_id=integration.pk, state__has_key=SUBSCRIPTION)
    found = [_held(row, state_of(row)) for row in rows]
    return [held for held in found if held is not None]


# --- Speaking to the service ----------------------------------------------------------------------------------


def send(held: Held, request: Request) -> Response:
    """Send one request about a subscription. Outside of a scope; raises ConnectorError."""
    usable = health.credentials_for_use(held.organization_id, held.integration_id)
    return health.call_with(
        usable,
        lambda account, client: send_request(
            held.connector,
            request,
            account.credentials,
            account.account,
            client=client,
            pace_key=str(account.id),
        ),
    )


def exchange(held: Held, request: Request) -> dict[str, Any]:
    """Send a request and return what the connector reads from the answer, with the secret the deliveries come with."""
    return {"secret": held.subscription.secret, **_told(held, request)}


def _told(held: Held, request: Request) -> dict[str, Any]:
    response = send(held, request)
    told = held.webhooks.read(response, held.subscription) if held.webhooks.read else {}
    return {name: value for name, value in told.items() if value is not None}


def _made_in_place_of(held: Held, old: Mapping[str, Any]) -> dict[str, Any]:
    assert held.webhooks.subscribe is not None  # noqa: S101 - the caller looked
    try:
        state = exchange(held, held.webhooks.subscribe(held.subscription))
    except PermanentError:
        # Some services refuse an address that they have already: the old one has to go first.
        _forget_if_possible(held, old)
        return exchange(held, held.webhooks.subscribe(held.subscription))
    if state.get("id") != old.get("id"):
        _forget_if_possible(held, old)
    return state


def _forget(held: Held, state: Mapping[str, Any]) -> None:
    if held.webhooks.unsubscribe is not None:
        send(held, held.webhooks.unsubscribe(replace(held.subscription, state=state)))


def _forget_if_possible(held: Held, state: Mapping[str, Any]) -> None:
    try:
        _forget(held, state)
    except ConnectorError:
        return  # it went with the old credentials, or ends by itself


def _held(row: Trigger, state: Mapping[str, Any]) -> Held | None:
    declared, webhooks = provider.declared_trigger(row), provider.webhooks_of(row)
    integration = Integration.objects.filter(pk=row.integration_id).first() if row.integration_id else None
    if declared is None or webhooks is None or integration is None:
        return None
    subscription = Subscription(
        address=address_of(row),
        events=declared.events,
        config=provider.config_of(row),
        account=integration.settings or {},
        secret=str(state.get("secret") or random.token_urlsafe(32)),
        state=state,
    )
    return Held(
        registry.get(integration.provider),
        webhooks,
        subscription,
        integration.organization_id,
        integration.pk,
    )


def _kept(organization_id: str, trigger_id: str, state: Mapping[str, Any]) -> bool:
    with organization_scope(organization_id):
        row = Trigger.objects.select_for_update(of=("self",)).filter(pk=trigger_id, is_active=True).first()
        if row is None:
            return False
        _keep(row, state)
        return True


def _keep(row: Trigger, state: Mapping[str, Any]) -> None:
    values = {**row.state, SUBSCRIPTION: secrets.seal(row, dict(state))}
    if state.get("expires_at"):
        values[EXPIRES_AT] = str(state["expires_at"])
    declared = provider.declared_trigger(row)
    if declared is not None and declared.fetch is not None:
        # There is nothing older than the subscription: the first look counts already.
        values.setdefault("cursor", {"since": None, "seen": []})
        row.next_fire_at = row.next_fire_at or datetime.now(UTC)
    row.state = values
    row.save(update_fields=["state", "next_fire_at", "updated_at"])


def _is_shared(webhooks: Webhooks | None) -> bool:
    return webhooks is not None and webhooks.address == "integration" and webhooks.subscribe is not None


def _lacks_subscription(row: Trigger, webhooks: Webhooks | None) -> bool:
    return (
        webhooks is not None
        and webhooks.address == "trigger"
        and webhooks.subscribe is not None
        and not row.state.get(SUBSCRIPTION)
    )
