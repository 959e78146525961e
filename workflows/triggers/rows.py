"""The Trigger rows of a workflow: what can start it right now, kept in step with what was published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from workflows.models import Execution, Trigger, Workflow, WorkflowVersion
from workflows.models.trigger import new_token
from workflows.runner.wake import wake
from workflows.triggers import schedule
from workflows.triggers.provider import integration_for

Kind = Trigger.Kind
WITH_ADDRESS = frozenset({Kind.WEBHOOK, Kind.FORM, Kind.PROVIDER})
# Changing one of these makes a schedule start to count anew; name, missed and overlap policies do not.
TIMING = ("cron", "every", "timezone", "pause")


def keyed(
    triggers: Iterable[Mapping[str, Any]], planned: Mapping[str, Any] | None
) -> dict[str, dict[str, Any]]:
    """Return key -> trigger data, for the triggers of a draft or version and its schedule.

    The key is the trigger's id, else its type, numbered from the second of a type on: `webhook`, `webhook_2`. Tokens,
    cursors and planned times belong to a key.
    """
    found: dict[str, dict[str, Any]] = {}
    for data in [*triggers, *([{**planned, "type": "schedule"}] if planned else [])]:
        if not isinstance(data, dict) or str(data.get("type", "")).upper() not in Kind.values:
            continue  # a draft may be faulty; publishing says so
        base = str(data.get("id") or data["type"])
        key, number = base, 1
        while key in found:
            number += 1
            key = f"{base}_{number}"
        found[key] = dict(data)
    return found


def replace_rows(
    workflow: Workflow, version: WorkflowVersion, now: datetime
) -> tuple[list[Trigger], list[Trigger]]:
    """Make the rows of `version` the workflow's only ones; return them, and those that are gone.

    Tokens, secrets, cursors and planned times survive by key. Call it in the transaction that publishes.
    """
    present = {
        row.key: row for row in Trigger.objects.select_for_update(of=("self",)).filter(workflow=workflow)
    }
    kept: list[Trigger] = []
    gone: list[Trigger] = []
    wanted = keyed(version.triggers, version.schedule)
    for key, row in present.items():
        if key not in wanted or row.kind != wanted[key]["type"].upper():
            gone.append(row)
    Trigger.objects.filter(pk__in=[row.pk for row in gone]).delete()
    for row in gone:
        cancel_queued(row, now)
        del present[row.key]
    for key, data in wanted.items():
        kind = Kind(data["type"].upper())
        row = present.get(key)
        if row is not None and kind == Kind.PROVIDER and _is_other_event(row.settings, data):
            # What the service was told about the old event is taken back; the new one has another list and cursor.
            gone.append(copy(row))
            row.state = {}
        kept.append(_write(workflow, row, key, kind, data, now, is_active=not data.get("disabled")))
    return kept, gone


def reserve_addresses(workflow: Workflow) -> None:
    """Give the webhooks and forms of a draft their addresses, so that they can be shown and tried before publishing."""
    present = set(Trigger.objects.filter(workflow=workflow).values_list("key", flat=True))
    for key, data in keyed(workflow.triggers, None).items():
        kind = Kind(data["type"].upper())
        if kind in WITH_ADDRESS and key not in present:
            _write(workflow, None, key, kind, data, None, is_active=False)


def set_active(workflow: Workflow, is_active: bool, now: datetime) -> None:
    """Switch all of a workflow's triggers off, or on again as published. Times missed meanwhile are not made up for."""
    for row in Trigger.objects.select_for_update(of=("self",)).filter(workflow=workflow):
        row.is_active = is_active and not row.settings.get("disabled")
        if row.kind == Kind.SCHEDULE:
            cancel_queued(row, now)
            row.state = {
                name: value for name, value in row.state.items() if name not in ("queued", "planned_at")
            }
            row.next_fire_at = _planned(row, now) if row.is_active else None
        row.save(update_fields=["is_active", "next_fire_at", "state", "updated_at"])


def cancel_queued(row: Trigger, now: datetime) -> None:
    """Cancel the runs of a schedule that still wait for the one before them: nobody would let them go any more."""
    if queued := row.state.get("queued"):
        Execution.objects.filter(pk__in=queued, status=Execution.Status.WAITING).update(
            cancel_requested_at=now
        )
        wake(queued)


def integration_of(kind: Trigger.Kind, data: Mapping[str, Any]) -> Any:
    """Return the id of the account a trigger listens to, or checks signatures with; None for the rest."""
    auth = data.get("auth") or {}
    if kind == Kind.PROVIDER:
        found = integration_for(str(data.get("provider", "")), data.get("integration"))
    elif auth.get("method") == "provider" and auth.get("integration"):
        found = integration_for(str(auth.get("provider", "")), auth["integration"])
    else:
        return None
    return found.pk if found else None


def _write(
    workflow: Workflow,
    row: Trigger | None,
    key: str,
    kind: Trigger.Kind,
    data: dict[str, Any],
    now: datetime | None,
    *,
    is_active: bool,
) -> Trigger:
    before = row.settings if row else {}
    row = row or Trigger(organization_id=workflow.organization_id, workflow=workflow, key=key, kind=kind)
    row.settings, row.is_active, row.integration_id = data, is_active, integration_of(kind, data)
    if kind == Kind.SCHEDULE and now is not None:
        unchanged = all(before.get(name) == data.get(name) for name in TIMING) and bool(before)
        if not unchanged:
            queue = {name: row.state[name] for name in ("queued", "last_run") if name in row.state}
            row.state = {"anchor": now.isoformat(), **queue}
        if not is_active:
            row.next_fire_at = None
            cancel_queued(row, now)
        elif row.next_fire_at is None or not unchanged:
            row.next_fire_at = _planned(row, max(now, row.last_fire_at or now))
    if kind in WITH_ADDRESS and row.token is None:
        _save_with_token(row, data.get("token"))
    else:
        row.save()
    return row


def _is_other_event(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return any(before.get(name) != after.get(name) for name in ("provider", "event", "integration", "with"))


def _save_with_token(row: Trigger, wished: str | None) -> None:
    # A token that another workflow has, as in a copy of it, is not taken over: the copy gets its own address.
    for token in (wished, new_token()):
        if not token:
            continue
        row.token = token
        try:
            with transaction.atomic():
                row.save()
        except IntegrityError:
            continue
        return
    raise RuntimeError("no free address was found for a trigger")


def _planned(row: Trigger, now: datetime) -> datetime | None:
    anchor = row.state.get("anchor")
    return schedule.next_fire(
        row.settings,
        now,
        timezone=row.workflow.organization.timezone,
        anchor=datetime.fromisoformat(anchor) if anchor else None,
    )
