"""Subscriptions of accounts that have one address for everything (a bot, an app), made once for all their triggers.

What the service was told is compared with what the active triggers want. So any number of changes may ask for it, and
the last trigger that goes takes the subscription with it.
"""

from __future__ import annotations

import secrets as random
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from accounts.tenancy import organization_scope
from integrations import credentials as store
from integrations import inbound
from integrations.framework import Subscription, Webhooks, registry
from integrations.models import Integration
from workflows.triggers import provider
from workflows.triggers.subscriptions import Held, exchange, send

KEPT = "subscriptions"  # in the account's webhook_state: name of the way -> what was told


def settle(organization_id: str, integration_id: str) -> int:
    """Tell the service what the active triggers of an account want of it; return how many times it was told.

    One at a time for each account. Outside of a scope; raises ConnectorError.
    """
    with organization_scope(organization_id):
        integration = _prepared(integration_id)
        if integration is None:
            return 0
        told = dict(store.read_webhook_state(integration).get(KEPT) or {})
        wanted = {name: _wanted(integration, name) for name in _ways(integration)}
        ways = _ways(integration)
        holders = {
            name: _held(integration, webhooks, wanted[name] or {}, told.get(name) or {})
            for name, webhooks in ways.items()
        }
    changes = 0
    for name, webhooks in ways.items():
        before, want, held = told.get(name), wanted[name], holders[name]
        if want is not None and (before is None or before.get("wanted") != want):
            assert webhooks.subscribe is not None  # noqa: S101 - _ways() asks for it
            state = exchange(held, webhooks.subscribe(held.subscription))
            _keep(organization_id, integration_id, name, {**state, "wanted": want})
            changes += 1
        elif want is None and before is not None:
            if webhooks.unsubscribe is not None:
                send(held, webhooks.unsubscribe(held.subscription))
            _keep(organization_id, integration_id, name, None)
            changes += 1
    return changes


def subscribed(integration: Integration) -> list[Held]:
    """Return what the service was told about an account; in its scope."""
    told = store.read_webhook_state(integration).get(KEPT) or {}
    return [
        _held(integration, webhooks, {}, told[name])
        for name, webhooks in _ways(integration).items()
        if name in told
    ]


def unsettled() -> list[tuple[str, str]]:
    """Return (organization id, integration id) of accounts whose active triggers want a subscription. System scope."""
    found = set()
    for row in provider.active_rows().exclude(integration_id=None):
        webhooks = provider.webhooks_of(row)
        if webhooks is not None and webhooks.address == "integration" and webhooks.subscribe is not None:
            found.add((str(row.organization_id), str(row.integration_id)))
    return sorted(found)


def _ways(integration: Integration) -> dict[str, Webhooks]:
    try:
        connector = registry.get(integration.provider)
    except KeyError:
        return {}
    return {
        name: webhooks
        for name, webhooks in connector.account_webhooks.items()
        if webhooks.address == "integration" and webhooks.subscribe is not None
    }


def _prepared(integration_id: str) -> Integration | None:
    """Return the account with its address and secret on disk: deliveries may come before the answer does."""
    integration = Integration.objects.select_for_update(of=("self",)).filter(pk=integration_id).first()
    if integration is None or not _ways(integration):
        return None
    state = store.read_webhook_state(integration)
    if not state.get("secret"):
        store.write_webhook_state(integration, {**state, "secret": random.token_urlsafe(32)})
    inbound.address_of(integration)
    integration.save(update_fields=["webhook_state", "webhook_token", "webhook_url", "updated_at"])
    return integration


def _wanted(integration: Integration, name: str) -> dict[str, Any] | None:
    """Return the events and settings of all triggers that listen this way, None when there is none."""
    webhooks = _ways(integration)[name]
    rows = [
        row
        for row in provider.active_rows().filter(integration_id=integration.pk).order_by("pk")
        if provider.webhooks_of(row) is webhooks
    ]
    declared = [found for row in rows if (found := provider.declared_trigger(row)) is not None]
    if not declared:
        return None
    everything = any(not entry.events for entry in declared)
    events = [] if everything else sorted({event for entry in declared for event in entry.events})
    return {"events": events, "config": dict(provider.config_of(rows[0]))}


def _held(
    integration: Integration, webhooks: Webhooks, wanted: Mapping[str, Any], state: Mapping[str, Any]
) -> Held:
    subscription = Subscription(
        address=inbound.address_of(integration),
        events=tuple(wanted.get("events") or ()),
        config=wanted.get("config") or {},
        account=integration.settings or {},
        secret=str(store.read_webhook_state(integration).get("secret") or ""),
        state=state,
    )
    return Held(
        registry.get(integration.provider),
        webhooks,
        subscription,
        integration.organization_id,
        integration.pk,
    )


def _keep(organization_id: str, integration_id: str, name: str, state: Mapping[str, Any] | None) -> None:
    with organization_scope(UUID(organization_id)):
        row = Integration.objects.select_for_update(of=("self",)).filter(pk=integration_id).first()
        if row is None:
            return
        held = store.read_webhook_state(row)
        told = {key: value for key, value in (held.get(KEPT) or {}).items() if key != name}
        if state is not None:
            told[name] = {key: value for key, value in state.items() if key != "secret"}
            held["secret"] = state["secret"]
        store.write_webhook_state(row, {**held, KEPT: told})
        row.save(update_fields=["webhook_state", "updated_at"])
