"""Schedules in the database: fired once, missed, overlapping, paused."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from accounts.tenancy import system_scope
from tests.workflows.triggers.publishing import published, trigger_of
from tests.worlds import World, make_world
from workflows import publishing
from workflows.models import Execution, Trigger, TriggerDecision
from workflows.triggers import firing

NOW = datetime.now(UTC).replace(microsecond=0)


def scheduled(world: World, due: datetime | None = None, **settings: Any) -> tuple[Any, Trigger]:
    """Publish a workflow that runs every ten minutes, due at `due`."""
    workflow = published(world, schedule={"every": "10m", **settings})
    row = trigger_of(workflow, world, "schedule")
    with world.scope():
        row.next_fire_at = due or NOW
        row.state = {"anchor": row.next_fire_at.isoformat()}
        row.save()
    return workflow, row


def runs(world: World, workflow: Any) -> list[Execution]:
    with world.scope():
        return list(Execution.objects.filter(workflow=workflow).order_by("id"))


def reasons(world: World, workflow: Any) -> list[str]:
    with world.scope():
        return list(
            TriggerDecision.objects.filter(workflow=workflow).order_by("id").values_list("reason", flat=True)
        )


def finish(world: World, execution: Execution) -> None:
    with world.scope():
        Execution.objects.filter(pk=execution.pk).update(status="COMPLETED", result="SUCCESS")


def test_publishing_plans_the_first_time_and_an_unchanged_schedule_keeps_it(alder: World) -> None:
    workflow = published(alder, schedule={"every": "1h"})
    first = trigger_of(workflow, alder, "schedule").next_fire_at
    assert first is not None
    assert abs(first - datetime.now(UTC) - timedelta(hours=1)) < timedelta(seconds=10)
    with alder.scope():
        publishing.publish(workflow, alder.owner)
    assert trigger_of(workflow, alder, "schedule").next_fire_at == first
    with alder.scope():
        workflow.refresh_from_db()
        publishing.save_draft(
            workflow, workflow.definition, triggers=[], schedule={"every": "2h"}, revision=workflow.revision
        )
        publishing.publish(workflow, alder.owner)
    assert trigger_of(workflow, alder, "schedule").next_fire_at > first


def test_a_due_schedule_fires_once_and_says_when_it_is_next(alder: World) -> None:
    workflow, _row = scheduled(alder)
    assert firing.fire_due_schedules(NOW) == NOW + timedelta(minutes=10)
    assert firing.fire_due_schedules(NOW) == NOW + timedelta(minutes=10)
    (execution,) = runs(alder, workflow)
    assert (execution.triggered_by, execution.status) == ("SCHEDULE", "PENDING")
    assert execution.input["planned_at"] == NOW.isoformat()
    assert reasons(alder, workflow) == ["STARTED"]


@pytest.mark.parametrize(
    ("policy", "count", "reason"),
    [
        ("run_once", 1, ["MISSED_CAUGHT_UP"]),
        ("run_all", 6, ["MISSED_CAUGHT_UP"] * 6),
        ("skip", 0, ["MISSED_SKIPPED"]),
    ],
)
def test_what_was_missed_follows_the_policy(alder: World, policy: str, count: int, reason: list[str]) -> None:
    workflow, _row = scheduled(alder, NOW - timedelta(minutes=55), missed=policy, overlap="allow")
    assert firing.fire_due_schedules(NOW) == NOW + timedelta(minutes=5)
    assert len(runs(alder, workflow)) == count
    assert reasons(alder, workflow) == reason


def test_a_year_of_missed_minutes_does_not_start_a_year_of_runs(alder: World) -> None:
    workflow, _row = scheduled(
        alder, NOW - timedelta(days=365), every="1m", missed="run_all", overlap="allow"
    )
    firing.fire_due_schedules(NOW)
    assert len(runs(alder, workflow)) <= firing.MAX_CAUGHT_UP + 2


def test_overlaps_queue_one_after_the_other(alder: World) -> None:
    workflow, _row = scheduled(alder)
    firing.fire_due_schedules(NOW)
    firing.fire_due_schedules(NOW + timedelta(minutes=10))
    first, second = runs(alder, workflow)
    assert (first.status, second.status) == ("PENDING", "WAITING")
    assert reasons(alder, workflow) == ["STARTED", "OVERLAP_QUEUED"]
    firing.fire_due_schedules(NOW + timedelta(minutes=11))
    assert runs(alder, workflow)[1].wake_at is None
    finish(alder, first)
    firing.fire_due_schedules(NOW + timedelta(minutes=12))
    assert runs(alder, workflow)[1].wake_at is not None
    assert firing.fire_due_schedules(NOW + timedelta(minutes=13)) == NOW + timedelta(minutes=20)


def test_overlaps_can_be_skipped_or_allowed(alder: World) -> None:
    skipping, row = scheduled(alder, overlap="skip")
    firing.fire_due_schedules(NOW)
    firing.fire_due_schedules(NOW + timedelta(minutes=10))
    assert reasons(alder, skipping) == ["STARTED", "OVERLAP_SKIPPED"]
    with alder.scope():
        row.refresh_from_db()
        row.settings = {**row.settings, "overlap": "allow"}
        row.save()
    firing.fire_due_schedules(NOW + timedelta(minutes=20))
    assert [run.status for run in runs(alder, skipping)] == ["PENDING", "PENDING"]


def test_pausing_cancels_what_waits_and_resuming_does_not_make_up(alder: World) -> None:
    workflow, row = scheduled(alder)
    firing.fire_due_schedules(NOW)
    firing.fire_due_schedules(NOW + timedelta(minutes=10))
    with alder.scope():
        publishing.pause(workflow, alder.owner)
    assert runs(alder, workflow)[1].cancel_requested_at is not None
    assert firing.fire_due_schedules(NOW + timedelta(days=1)) is None
    with alder.scope():
        publishing.resume(workflow, alder.owner)
        row.refresh_from_db()
    assert row.next_fire_at > datetime.now(UTC)
    assert len(runs(alder, workflow)) == 2


def test_pause_dates_are_named_once_and_start_nothing(alder: World) -> None:
    today, tomorrow = NOW.date(), NOW.date() + timedelta(days=1)
    pause = [{"start": today.isoformat(), "end": tomorrow.isoformat()}]
    workflow, _row = scheduled(alder, pause=pause)
    following = firing.fire_due_schedules(NOW)
    assert following is not None
    assert following.date() == today + timedelta(days=2)
    assert reasons(alder, workflow) == ["PAUSE_DATE"]
    assert runs(alder, workflow) == []


def test_one_bad_schedule_does_not_hold_up_the_others(alder: World, birch: World) -> None:
    broken, row = scheduled(alder, NOW - timedelta(seconds=30))
    fine, _row = scheduled(birch)
    with alder.scope():
        row.refresh_from_db()
        row.settings = {"type": "schedule", "cron": "nonsense"}
        row.save()
    firing.fire_due_schedules(NOW)
    assert len(runs(birch, fine)) == 1
    assert runs(alder, broken) == []
    with alder.scope():
        row.refresh_from_db()
    assert row.next_fire_at == NOW + firing.SET_ASIDE


def test_several_schedulers_at_once_fire_each_time_once(committed_db: str) -> None:
    world = make_world("Alder")
    workflows = [
        published(world, schedule={"every": "10m", "overlap": "allow"}, name=f"Every ten {n}")
        for n in range(6)
    ]
    with system_scope("make all of them due"):
        Trigger.objects.update(next_fire_at=NOW)

    def schedule() -> None:
        try:
            for minute in range(0, 40, 10):
                firing.fire_due_schedules(NOW + timedelta(minutes=minute))
        finally:
            connection.close()

    threads = [threading.Thread(target=schedule) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for workflow in workflows:
        planned = [run.input["planned_at"] for run in runs(world, workflow)]
        assert len(planned) == len(set(planned)) == 4
