"""Subscriptions of published triggers at the services they listen to: made, renewed and removed by background jobs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils import timezone

from integrations.framework import registry
from integrations.framework import triggers as framework
from workflows.models import Trigger

STATE_KEY = "subscription"


def follow(kept: Iterable[Trigger], gone: Iterable[Trigger]) -> None:
    """Queue what the services must be told after a workflow was published, paused or archived. In that transaction."""
    from workflows.triggers import jobs

    for row in gone:
        if row.kind == Trigger.Kind.PROVIDER and row.state.get(STATE_KEY):
            jobs.unsubscribe.defer(**as_arguments(row), subscription=row.state[STATE_KEY])
            if row.pk and Trigger.objects.filter(pk=row.pk).exists():
                row.state = {name: value for name, value in row.state.items() if name != STATE_KEY}
                row.save(update_fields=["state", "updated_at"])
    for row in kept:
        if row.kind != Trigger.Kind.PROVIDER:
            continue
        if not row.is_active:
            continue
        declared = declared_trigger(row)
        if declared is None:
            continue
        if declared.poll is not None:
            # The first look only notes what is there, so that it happens at once and nothing old starts a run.
            row.next_fire_at = timezone.now()
            row.save(update_fields=["next_fire_at", "updated_at"])
        elif needs_subscription(row):
            jobs.subscribe.configure(queueing_lock=None).defer(trigger_id=str(row.pk), organization_id=str(row.organization_id))


def needs_subscription(row: Trigger) -> bool:
    """Return whether the service must be told our address for this trigger, and has not been."""
    declared = declared_trigger(row)
    webhooks = registry.get(row.settings["provider"]).webhooks_of(declared) if declared is not None else None
    return bool(webhooks and webhooks.subscribe and not row.state.get(STATE_KEY))


def declared_trigger(row: Trigger) -> framework.Trigger | None:
    """Return what the connector says about this row's event; None when the connector or event is gone."""
    try:
        return registry.get(str(row.settings.get("provider", ""))).trigger(str(row.settings.get("event", "")))
    except KeyError:
        return None


def as_arguments(row: Trigger) -> dict[str, Any]:
    """Return what a job needs to act for a row that may be deleted by then."""
    return {
        "organization_id": str(row.organization_id),
        "trigger_id": str(row.pk),
        "integration_id": str(row.integration_id or ""),
        "settings": dict(row.settings),
        "token": row.token or "",
    }


def is_due_for_renewal(row: Trigger, now: datetime) -> bool:
    """Return whether the subscription ends soon enough that the service must be asked to prolong it."""
    declared = declared_trigger(row)
    webhooks = registry.get(row.settings["provider"]).webhooks_of(declared) if declared is not None else None
    expires_at = (row.state.get(STATE_KEY) or {}).get("expires_at")
    if webhooks is None or webhooks.renew is None or not expires_at:
        return False
    try:
        ends = datetime.fromisoformat(str(expires_at))
    except ValueError:
        return False
    return (ends - now).total_seconds() < max(webhooks.renew_before_seconds, 3_600)
