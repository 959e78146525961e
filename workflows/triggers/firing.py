"""Firing schedules: exactly once per planned time, however many schedulers look at the clock at once.

A due row is locked, what follows from it is written, and its next time is moved on, all in one transaction. A second
scheduler skips the locked row, and afterwards finds it no longer due; one that dies leaves the row as it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError
from django.db.models import Min

from accounts.tenancy import system_scope
from workflows.models import Execution, Trigger, TriggerDecision
from workflows.runner.start import start_execution
from workflows.runner.wake import wake
from workflows.triggers import decisions, plan_hold, schedule

logger = structlog.get_logger(__name__)
Reason = TriggerDecision.Reason

ON_TIME = timedelta(seconds=60)  # later than this, a planned time counts as missed
MAX_CAUGHT_UP = (
    100  # runs that make up for one outage; older times are skipped, and the decision says how many
)
MAX_QUEUED = 100  # runs that wait for the one before
MAX_LOOKED_AT = 10_000  # planned times looked at in one go; a minute's schedule has that many in a week
QUEUE_CHECK = timedelta(seconds=5)
SET_ASIDE = timedelta(minutes=5)  # until a trigger that could not be fired is tried again


@dataclass(slots=True)
class Plan:
    """What follows from a due schedule. starts: (planned time, reason, detail); skipped: (reason, detail)."""

    starts: list[tuple[datetime, TriggerDecision.Reason, dict[str, Any]]] = field(default_factory=list)
    skipped: list[tuple[TriggerDecision.Reason, dict[str, Any]]] = field(default_factory=list)
    last: datetime | None = None
    next_at: datetime | None = None


def fire_due_schedules(now: datetime) -> datetime | None:
    """Fire every schedule that is due at `now`; return when the next one is, None when none is planned.

    Safe to call from any number of processes at once. Opens its own scope, one transaction per trigger.
    """
    failed: set[UUID] = set()
    while True:
        try:
            with system_scope("fire due schedules"):
                row = _claim(now, failed)
                if row is None:
                    return _next_due()
                claimed = row.pk
                _fire(row, now)
        except (DatabaseError, schedule.ScheduleInvalid, ValueError, KeyError):
            # One bad row must not hold up everybody else's schedules.
            logger.exception("a schedule could not be fired", trigger=str(claimed))
            failed.add(claimed)
            _set_aside(claimed, now)


def plan(
    settings: dict[str, Any],
    due: datetime,
    now: datetime,
    *,
    timezone: str = "UTC",
    anchor: datetime | None = None,
) -> Plan:
    """Return what follows at `now` from a schedule that was due at `due` (pure: the missed-fire policy).

    Planned times at most ON_TIME old start a run each. Older ones were missed: run_once makes up for all of
    them with one run, run_all with one each (the newest MAX_CAUGHT_UP), skip with none.
    """
    found = Plan()
    times = [due]
    upcoming = schedule.fires(settings, due, timezone=timezone, anchor=anchor)
    for instant in upcoming:
        if instant > now:
            found.next_at = instant
            break
        times.append(instant)
        if len(times) > MAX_LOOKED_AT:
            # Only the newest count; the rest of a very long outage is not walked through minute by minute.
            times = [due, *_recent(settings, now, timezone, anchor)]
            found.next_at = schedule.next_fire(settings, now, timezone=timezone, anchor=anchor)
            break
    found.last = times[-1]
    missed = [instant for instant in times if now - instant > ON_TIME]
    fresh = [instant for instant in times if now - instant <= ON_TIME]
    policy = settings.get("missed", "run_once")
    if missed and policy == "skip":
        found.skipped.append((Reason.MISSED_SKIPPED, _span(missed)))
    elif missed and policy == "run_all":
        if older := missed[:-MAX_CAUGHT_UP]:
            found.skipped.append((Reason.MISSED_SKIPPED, _span(older)))
        found.starts += [
            (instant, Reason.MISSED_CAUGHT_UP, _span([instant])) for instant in missed[-MAX_CAUGHT_UP:]
        ]
    elif missed:
        found.starts.append((missed[-1], Reason.MISSED_CAUGHT_UP, _span(missed)))
    found.starts += [(instant, Reason.STARTED, {}) for instant in fresh]
    return found


def _claim(now: datetime, failed: set[UUID]) -> Trigger | None:
    return (
        Trigger.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("workflow__organization")
        .filter(kind=Trigger.Kind.SCHEDULE, is_active=True, next_fire_at__lte=now)
        .exclude(pk__in=failed)
        .order_by("next_fire_at")
        .first()
    )


def _next_due() -> datetime | None:
    waiting = Trigger.objects.filter(kind=Trigger.Kind.SCHEDULE, is_active=True, next_fire_at__isnull=False)
    return waiting.aggregate(soonest=Min("next_fire_at"))["soonest"]


def _fire(row: Trigger, now: datetime) -> None:
    zone = row.workflow.organization.timezone
    anchor = _instant(row.state.get("anchor"))
    planned_at = _instant(row.state.get("planned_at")) or row.next_fire_at
    assert planned_at is not None  # noqa: S101 - _claim asks for it
    state = {name: value for name, value in row.state.items() if name != "planned_at"}
    row.state = state
    if planned_at <= now:
        if schedule.is_paused(row.settings, planned_at, timezone=zone):
            found = Plan(next_at=schedule.next_fire(row.settings, planned_at, timezone=zone, anchor=anchor))
        else:
            found = plan(row.settings, planned_at, now, timezone=zone, anchor=anchor)
        _note_pause(row, found.last or planned_at, found.next_at, zone, anchor)
        for reason, detail in found.skipped:
            _decide(row, reason, detail)
        for instant, reason, detail in found.starts:
            _start(row, instant, reason, detail)
        row.last_fire_at = found.last or row.last_fire_at
        planned_at = found.next_at
    _let_queued_go(row)
    row.next_fire_at = planned_at
    if row.state.get("queued"):
        # The row is looked at again soon, for the run before may have ended; the planned time is kept beside it.
        row.state["planned_at"] = planned_at.isoformat() if planned_at else None
        row.next_fire_at = min(filter(None, (planned_at, now + QUEUE_CHECK)))
    row.save(update_fields=["state", "last_fire_at", "next_fire_at"])


def _start(row: Trigger, instant: datetime, reason: TriggerDecision.Reason, detail: dict[str, Any]) -> None:
    overlap = row.settings.get("overlap", "queue")
    queued: list[str] = list(row.state.get("queued") or [])
    is_busy = overlap != "allow" and (bool(queued) or _is_unfinished(row.state.get("last_run")))
    detail = {**detail, "planned_at": instant.isoformat()}
    if is_busy and overlap == "skip":
        _decide(row, Reason.OVERLAP_SKIPPED, detail)
        return
    if is_busy and len(queued) >= MAX_QUEUED:
        _decide(row, Reason.BACKLOG_FULL, detail)
        return
    held = plan_hold.as_fields(row.workflow.organization)
    execution_id = start_execution(
        organization_id=row.organization_id,
        workflow_id=row.workflow_id,
        version_id=row.workflow.published_version_id,
        triggered_by=Execution.TriggeredBy.SCHEDULE,
        input=_what_steps_see(row, instant, reason),
        trigger_key=row.key,
        **(held or ({"held_for": "overlap"} if is_busy else {})),
    )
    if held:
        # In line for the plan already; it does not wait for the one before as well.
        _decide(row, Reason.PLAN_LIMIT, detail, execution_id)
    elif is_busy:
        row.state["queued"] = [*queued, str(execution_id)]
        _decide(row, Reason.OVERLAP_QUEUED, detail, execution_id)
    else:
        row.state["last_run"] = str(execution_id)
        _decide(row, reason, detail, execution_id)


def _let_queued_go(row: Trigger) -> None:
    queued: list[str] = list(row.state.get("queued") or [])
    while queued and not _is_unfinished(row.state.get("last_run")):
        following = queued.pop(0)
        if wake([following]):  # a cancelled one is passed over
            row.state["last_run"] = following
    row.state = (
        {**row.state, "queued": queued} if queued else {k: v for k, v in row.state.items() if k != "queued"}
    )


def _what_steps_see(row: Trigger, instant: datetime, reason: TriggerDecision.Reason) -> dict[str, Any]:
    zone = schedule.zone_of(row.settings, row.workflow.organization.timezone)
    return {
        "type": "schedule",
        "key": row.key,
        "planned_at": instant.isoformat(),
        "local_time": instant.astimezone(zone).isoformat(),
        "is_catch_up": reason == Reason.MISSED_CAUGHT_UP,
        "body": row.settings.get("input"),
    }


def _note_pause(
    row: Trigger, last: datetime, next_at: datetime | None, zone: str, anchor: datetime | None
) -> None:
    if not row.settings.get("pause"):
        return
    unpaused = next(schedule.fires(row.settings, last, timezone=zone, anchor=anchor, with_pauses=False), None)
    if unpaused is not None and unpaused != next_at:
        detail = {"first": unpaused.isoformat(), "resumes_at": next_at.isoformat() if next_at else None}
        _decide(row, Reason.PAUSE_DATE, detail)


def _decide(
    row: Trigger, reason: TriggerDecision.Reason, detail: dict[str, Any], execution_id: UUID | None = None
) -> None:
    decisions.record(
        reason,
        workflow=row.workflow,
        trigger_key=row.key,
        kind=row.kind,
        detail=detail,
        execution_id=execution_id,
    )


def _is_unfinished(execution_id: str | None) -> bool:
    if not execution_id:
        return False
    return Execution.objects.filter(pk=execution_id, status__in=Execution.UNFINISHED).exists()


def _set_aside(trigger_id: UUID, now: datetime) -> None:
    with system_scope("set a schedule aside that could not be fired"):
        row = Trigger.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=trigger_id).first()
        if row is not None and row.next_fire_at is not None:
            row.state = {"planned_at": row.next_fire_at.isoformat(), **row.state}
            row.next_fire_at = now + SET_ASIDE
            row.save(update_fields=["state", "next_fire_at"])


def _recent(
    settings: dict[str, Any], now: datetime, timezone: str, anchor: datetime | None
) -> list[datetime]:
    """Return the newest planned times up to `now`, a few more than can be caught up, oldest first."""
    window = timedelta(hours=1)
    while True:
        found = []
        for instant in schedule.fires(settings, now - window, timezone=timezone, anchor=anchor):
            if instant > now:
                break
            found.append(instant)
        if len(found) > MAX_CAUGHT_UP or window > timedelta(days=8):
            return found
        window *= 2


def _span(times: list[datetime]) -> dict[str, Any]:
    return {"count": len(times), "first": times[0].isoformat(), "last": times[-1].isoformat()}


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
