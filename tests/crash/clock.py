"""A clock that jumps, and nights on which the clocks are changed: planned times are neither lost nor repeated."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from django.db import connection as django_connection

from accounts.models import Organization
from accounts.tenancy import system_scope
from config.database import embedded
from tests import databases
from tests.crash.scene import counts, overdue, until, workers
from tests.workflows.triggers.publishing import published
from tests.worlds import make_world
from workflows.models import Trigger
from workflows.triggers import firing

# Nights on which the clocks change, on both halves of the globe, one of them by half an hour.
NIGHTS = {
    "Europe/Berlin": ("2027-03-28", "2027-10-31"),
    "America/New_York": ("2027-03-14", "2027-11-07"),
    "Australia/Lord_Howe": ("2027-04-04", "2027-10-03"),
}
CRONS = ("30 2 * * *", "30 1 * * *", "*/30 * * * *", "0 9 * * *")
LONGEST_JUMP = timedelta(hours=40)  # below what is caught up after one outage: 100 half hours


def run(urls: embedded.ConnectionUrls, database: str, *, nights: int = 6) -> dict[str, Any]:
    """Fire schedules by a clock that jumps hours forward and backward, two schedulers at once; return the counts."""
    started = time.monotonic()
    world = make_world("Alder")
    with system_scope("crash test"):  # the plan without a limit of active workflows
        Organization.objects.update(plan=Organization.Plan.ENTERPRISE)
    chosen = [(zone, day) for zone, days in NIGHTS.items() for day in days][:nights]
    policy = {"missed": "run_all", "overlap": "allow"}
    wanted: set[tuple[str, str]] = set()
    jumps = 0
    for zone, day in chosen:
        midnight = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        begins, ends = midnight - timedelta(hours=20), midnight + timedelta(hours=44)
        for cron in CRONS:
            schedule = {"cron": cron, "timezone": zone, **policy}
            workflow = published(world, schedule=schedule, name=f"{cron} {zone} {day}")
            times = shown(cron, ZoneInfo(zone), begins, ends)
            wanted |= {(str(workflow.pk), at.isoformat()) for at in times}
            with system_scope("crash test"):
                Trigger.objects.filter(workflow=workflow).update(next_fire_at=times[0])
        jumps += _drive(begins, ends)
        with system_scope("crash test"):  # the next night begins at another time
            Trigger.objects.update(is_active=False, next_fire_at=None)
    connection = psycopg.connect(databases.at(urls.superuser, database), autocommit=True)
    with connection, workers(urls, database) as crew:
        crew.start()
        until(lambda: set(counts(connection)) <= {"COMPLETED"}, "the end of all runs")
        rows = connection.execute(
            "SELECT workflow_id::text, input ->> 'planned_at' FROM workflows_execution"
        ).fetchall()
        found = Counter((workflow, at) for workflow, at in rows)
        late = overdue(connection)
    counted: dict[str, Any] = {
        "part": "clock", "nights": len(chosen), "jumps": jumps, "planned": len(wanted), "runs": sum(found.values()),
        "missing": len(wanted - set(found)), "unplanned": len(set(found) - wanted),
        "doubled": sum(count - 1 for count in found.values()), "overdue": late,
        "seconds": round(time.monotonic() - started, 1),
    }  # fmt: skip
    counted["good"] = not (counted["missing"] or counted["unplanned"] or counted["doubled"] or late)
    return counted


def shown(cron: str, zone: ZoneInfo, begins: datetime, ends: datetime) -> list[datetime]:
    """Return when a wall clock shows what one of CRONS names: a model that shares no code with ours.

    Half hours are counted in real time. A time of day counts once a day: where it is shown twice the first time, where
    it is jumped over at the first moment after the gap.
    """
    minute, hour = cron.split()[:2]
    found: list[datetime] = []
    instant = begins
    day_done: set[Any] = (
        {(begins - timedelta(minutes=1)).astimezone(zone).date()} if minute != "*/30" else set()
    )
    if minute != "*/30":
        at = begins.astimezone(zone)
        if (at.hour, at.minute) < (int(hour), int(minute)):
            day_done.clear()
    while instant < ends:
        instant += timedelta(minutes=1)
        at = instant.astimezone(zone)
        if minute == "*/30":
            if at.minute % 30 == 0:
                found.append(instant)
        elif at.date() not in day_done and (at.hour, at.minute) >= (int(hour), int(minute)):
            day_done.add(at.date())
            found.append(instant)
    return found


def _drive(begins: datetime, ends: datetime) -> int:
    """Show two schedulers a clock that jumps; return how often it jumped."""
    now, jumps = begins, 0
    while now < ends:
        now += random.choice(
            [timedelta(minutes=1), timedelta(minutes=20), timedelta(hours=random.uniform(1, 40))]
        )
        now = min(now, ends)
        shown_now = [now, now - timedelta(hours=random.uniform(0, 12))]  # the second machine's clock is wrong
        random.shuffle(shown_now)
        jumps += 2
        threads = [threading.Thread(target=_fire, args=[each]) for each in shown_now]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    _fire(ends)
    return jumps


def _fire(now: datetime) -> None:
    try:
        firing.fire_due_schedules(now)
    finally:
        django_connection.close()
