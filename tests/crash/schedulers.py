"""Several schedulers at once, one of them killed now and then: each planned time starts one run."""

from __future__ import annotations

import random
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from accounts.models import Organization
from accounts.tenancy import system_scope
from config.database import embedded
from tests import databases
from tests.crash.scene import counts, overdue, until, workers
from tests.workflows.triggers.publishing import published
from tests.worlds import make_world
from workflows.models import Trigger

EVERY = timedelta(minutes=1)


def run(
    urls: embedded.ConnectionUrls, database: str, *, workflows: int = 60, seconds: float = 150, kills: int = 4
) -> dict[str, Any]:
    """Let two whole workers fire schedules of which several fall due each second; return the counts."""
    started = time.monotonic()
    world = make_world("Alder")
    with system_scope("crash test"):  # the plan without a limit of active workflows
        Organization.objects.update(plan=Organization.Plan.ENTERPRISE)
    for number in range(workflows):
        published(
            world, schedule={"every": "1m", "overlap": "allow", "missed": "run_all"}, name=f"Every {number}"
        )
    first = datetime.now(UTC) + timedelta(seconds=6)  # when both schedulers are up
    spread = min(EVERY.total_seconds(), seconds) / 3 / workflows
    planned: dict[str, datetime] = {}
    with system_scope("crash test"):
        for number, row in enumerate(Trigger.objects.filter(kind="SCHEDULE").order_by("id")):
            row.next_fire_at = planned[str(row.workflow_id)] = first + timedelta(seconds=number * spread)
            row.state = {"anchor": row.next_fire_at.isoformat()}
            row.save()
    connection = psycopg.connect(databases.at(urls.superuser, database), autocommit=True)
    until_when = first + timedelta(seconds=seconds)
    with connection, workers(urls, database) as crew:
        for _number in range(2):
            crew.start(only_runs=False)
        pause = (until_when - datetime.now(UTC)).total_seconds() / (kills + 1)
        for _number in range(kills):
            time.sleep(pause)
            crew.kill(random.choice(crew.processes))
            crew.start(only_runs=False)
        wanted = {
            (workflow, at.isoformat())
            for workflow, begins in planned.items()
            for at in _times(begins, until_when)
        }

        def fired() -> Counter[tuple[str, str]]:
            rows = connection.execute(
                "SELECT workflow_id::text, input ->> 'planned_at' FROM workflows_execution"
            ).fetchall()
            return Counter((workflow, at) for workflow, at in rows)

        until(lambda: datetime.now(UTC) > until_when and wanted <= set(fired()), "every planned time")
        until(lambda: set(counts(connection)) <= {"COMPLETED"}, "the end of all runs")
        found = fired()
        late = overdue(connection)
        jobs = connection.execute(
            "SELECT count(*), count(DISTINCT (task_name, periodic_id, defer_timestamp))"
            " FROM procrastinate_periodic_defers"
        ).fetchone()
    assert jobs
    counted: dict[str, Any] = {
        "part": "schedulers", "planned": len(wanted), "kills": crew.kills, "runs": sum(found.values()),
        "missing": len(wanted - set(found)), "doubled": sum(count - 1 for count in found.values()),
        "periodic_jobs": jobs[0], "periodic_jobs_doubled": jobs[0] - jobs[1], "overdue": late,
        "seconds": round(time.monotonic() - started, 1),
    }  # fmt: skip
    counted["good"] = not (
        counted["missing"] or counted["doubled"] or counted["periodic_jobs_doubled"] or late
    )
    return counted


def _times(begins: datetime, ends: datetime) -> list[datetime]:
    found = []
    while begins <= ends:
        found.append(begins)
        begins += EVERY
    return found
