"""Subscriptions of published triggers at the services they listen to: made, renewed and removed by background jobs."""

from __future__ import annotations

import secrets as random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import connection

from accounts.tenancy import organization_scope
from integrations import credentials
from integrations.calls import call
from integrations.framework import Connector, Request, Subscription, Webhooks, registry
from integrations.framework.execute import send_request
from integrations.models import Integration
from workflows.models import Trigger
from workflows.triggers import provider, secrets
from workflows.triggers.secrets import SUBSCRIPTION

EXPIRES_AT = "subscription_expires_at"
DROP = "UPDATE workflows_trigger SET state = state - %s::text[], updated_at = now() WHERE id = %s"


@dataclass(frozen=True, slots=True)
class Held:
    """What is needed to speak to a service about one subscription; read in a scope, used outside of it."""

    connector: Connector
    webhooks: Webhooks
    subscription: Subscription
    integration_id: str
    credentials: Mapping[str, Any] = field(repr=False, default_factory=dict)


def follow(kept: Iterable[Trigger], gone: Iterable[Trigger]) -> None:
    """Queue what the services must be told after a workflow was published, paused or archived; in that transaction."""
    from workflows.triggers import jobs

    for row in gone:
        if row.kind == Trigger.Kind.PROVIDER and row.state.get(SUBSCRIPTION):
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
                cursor.execute(DROP, [[SUBSCRIPTION, EXPIRES_AT], row.pk])
    for row in kept:
        declared = (
            provider.declared_trigger(row) if row.kind == Trigger.Kind.PROVIDER and row.is_active else None
        )
        if declared is None:
            continue
        if declared.poll is not None:
            # The first look only notes what is there: at once, so that what comes from now on counts.
            row.next_fire_at = datetime.now(UTC)
            row.save(update_fields=["next_fire_at", "updated_at"])
        elif (
            (webhooks := _webhooks(row)) is not None
            and webhooks.subscribe
            and not row.state.get(SUBSCRIPTION)
        ):
            jobs.subscribe.defer(organization_id=str(row.organization_id), trigger_id=str(row.pk))


def subscribe(organization_id: str, trigger_id: str) -> bool:
    """Tell the service our address for one trigger; return whether it was told. Raises ConnectorError."""
    with organization_scope(organization_id):
        row = Trigger.objects.filter(pk=trigger_id, is_active=True).first()
        held = _held(row, {}) if row is not None and not row.state.get(SUBSCRIPTION) else None
    if held is None or held.webhooks.subscribe is None:
        return False
    state = _exchange(held, held.webhooks.subscribe(held.subscription))
    with organization_scope(organization_id):
        row = Trigger.objects.select_for_update(of=("self",)).filter(pk=trigger_id, is_active=True).first()
        if row is not None and not row.state.get(SUBSCRIPTION):
            _keep(row, state)
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
            pk=trigger_id, organization_id=organization_id, settings=settings, integration_id=integration_id or None,
            token=token,
        )  # fmt: skip
        state = secrets.unseal(row, sealed)
        held = _held(row, state)
    if held is not None:
        _forget(held, state)


def renew(organization_id: str, trigger_id: str) -> bool:
    """Prolong a subscription that ends soon; return whether it was. Raises ConnectorError."""
    with organization_scope(organization_id):
        row = Trigger.objects.filter(pk=trigger_id, is_active=True).first()
        state = (
            secrets.unseal(row, row.state[SUBSCRIPTION])
            if row is not None and row.state.get(SUBSCRIPTION)
            else {}
        )
        held = _held(row, state) if row is not None and state else None
    if held is None or held.webhooks.renew is None:
        return False
    fresh = {**state, **_exchange(held, held.webhooks.renew(held.subscription))}
    with organization_scope(organization_id):
        row = Trigger.objects.select_for_update(of=("self",)).filter(pk=trigger_id).first()
        if row is not None and row.state.get(SUBSCRIPTION):
            _keep(row, fresh)
    return True


def due_for_renewal(now: datetime) -> list[tuple[str, str]]:
    """Return (organization id, trigger id) of the subscriptions that end soon. In a system scope."""
    found = []
    for row in Trigger.objects.filter(kind=Trigger.Kind.PROVIDER, is_active=True, state__has_key=EXPIRES_AT):
        webhooks = _webhooks(row)
        try:
            left = (datetime.fromisoformat(row.state[EXPIRES_AT]) - now).total_seconds()
        except (TypeError, ValueError):
            continue
        if webhooks is not None and webhooks.renew and left < max(webhooks.renew_before_seconds, 3_600):
            found.append((str(row.organization_id), str(row.pk)))
    return found


def state_of(row: Trigger) -> dict[str, Any]:
    """Return what the service told us when the subscription was made; empty when there is none."""
    return secrets.unseal(row, row.state[SUBSCRIPTION]) if row.state.get(SUBSCRIPTION) else {}


def keep_from_handshake(row: Trigger, values: Mapping[str, Any]) -> None:
    """Store what a service handed over while it proved our address. What is there already is never replaced."""
    _keep(row, {**values, **state_of(row)})


def _webhooks(row: Trigger) -> Webhooks | None:
    declared = provider.declared_trigger(row)
    return registry.get(str(row.settings["provider"])).webhooks_of(declared) if declared is not None else None


def _held(row: Trigger, state: Mapping[str, Any]) -> Held | None:
    declared, webhooks = provider.declared_trigger(row), _webhooks(row)
    integration = Integration.objects.filter(pk=row.integration_id).first() if row.integration_id else None
    if declared is None or webhooks is None or integration is None:
        return None
    account = integration.settings or {}
    subscription = Subscription(
        address=f"{settings.BASE_URL}/hooks/{row.token}/",
        events=declared.events,
        config=provider.config_of(row),
        account=account,
        secret=str(state.get("secret") or random.token_urlsafe(32)),
        state=state,
    )
    secret = credentials.read(integration)
    return Held(registry.get(integration.provider), webhooks, subscription, str(integration.pk), secret)


def _exchange(held: Held, request: Request) -> dict[str, Any]:
    response = call(
        lambda client: send_request(
            held.connector,
            request,
            held.credentials,
            held.subscription.account,
            client=client,
            pace_key=held.integration_id,
        )
    )
    told = held.webhooks.read(response, held.subscription) if held.webhooks.read else {}
    return {"secret": held.subscription.secret, **told}


def _forget(held: Held, state: Mapping[str, Any]) -> None:
    if held.webhooks.unsubscribe is None:
        return
    request = held.webhooks.unsubscribe(replace(held.subscription, state=state))
    call(
        lambda client: send_request(
            held.connector,
            request,
            held.credentials,
            held.subscription.account,
            client=client,
            pace_key=held.integration_id,
        )
    )


def _keep(row: Trigger, state: Mapping[str, Any]) -> None:
    values = {**row.state, SUBSCRIPTION: secrets.seal(row, dict(state))}
    if state.get("expires_at"):
        values[EXPIRES_AT] = str(state["expires_at"])
    row.state = values
    row.save(update_fields=["state", "updated_at"])
