"""Telling of failed runs: each reaches the workflow that handles them, and none is missing from the e-mails."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core import mail
from django.core.cache import cache
from django.utils import timezone

from tests.workflows.runner.working import as_system, begin, ended, published, working
from tests.worlds import World, make_world
from workflows import notifications
from workflows.runner import walks

pytestmark = pytest.mark.usefixtures("committed_db")
BAD = {"id": "bad", "type": "set", "values": {"x": "{{ inputs.none }}"}}


@pytest.fixture
def alder(committed_db: str) -> World:
    cache.clear()
    walks._windows.clear()
    return make_world("Alder")


def failing(world: World, count: int, **on_failure: Any) -> list[UUID]:
    made = published(world, "Fragile", BAD, on_failure=on_failure, concurrency=1)
    identifiers = [begin(world, made, {}) for _number in range(count)]
    with working():
        for each in identifiers:
            ended(each)
    return identifiers


def jobs() -> list[tuple[str, bool]]:
    """Return (run, whether it is told of later) of the queued jobs."""
    return as_system(
        "SELECT args ->> 'execution_id', scheduled_at IS NOT NULL FROM procrastinate_jobs"
        " WHERE task_name = 'workflows.tasks.run_failed' ORDER BY id"
    )


def test_a_workflow_that_handles_failures_is_told_of_every_one(alder: World) -> None:
    identifiers = failing(alder, 5, workflow=str(alder.workflow.pk))
    assert jobs() == [(str(each), False) for each in identifiers]


def test_failures_in_a_row_have_one_job_now_and_one_later(alder: World) -> None:
    identifiers = failing(alder, 5)
    assert jobs() == [(str(identifiers[0]), False), (str(identifiers[1]), True)]


def test_every_failure_is_counted_in_an_e_mail(alder: World) -> None:
    first, *others = failing(alder, 4)
    notifications.run_failed(str(alder.organization.pk), str(first))
    as_system(
        "UPDATE workflows_execution SET completed_at = completed_at + interval '1 minute' WHERE id <> %s",
        first,
    )
    # The job at the end of the window comes when the first e-mail is still fresh: its failure waits for the digest.
    as_system("DELETE FROM procrastinate_jobs WHERE task_name = 'workflows.tell_about_failures'")
    notifications.run_failed(str(alder.organization.pk), str(others[0]))
    ((arguments,),) = as_system(
        "SELECT args::text FROM procrastinate_jobs WHERE task_name = 'workflows.tell_about_failures'"
    )
    mail.outbox.clear()
    notifications.tell_about_failures(**json.loads(arguments))
    (message,) = mail.outbox
    assert message.subject == "3 runs of “Fragile” failed"


def test_the_count_names_more_than_are_listed(alder: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifications, "MAX_LISTED", 2)
    identifiers = failing(alder, 4)
    mail.outbox.clear()
    since = (timezone.now() - timedelta(hours=1)).isoformat()
    made = as_system("SELECT workflow_id::text FROM workflows_execution WHERE id = %s", identifiers[0])
    notifications.tell_about_failures(
        organization_id=str(alder.organization.pk), workflow_id=made[0][0], since=since
    )
    (message,) = mail.outbox
    assert message.subject == "4 runs of “Fragile” failed"
    assert "There are more." in message.body


def test_a_run_that_took_too_long_without_a_worker_is_told_of_too(alder: World) -> None:
    made = published(alder, "Late", BAD)
    identifier = begin(alder, made, {}, held_for="plan_limit", deadline=timezone.now() - timedelta(seconds=1))
    with working():
        assert ended(identifier).status == "TIMEOUT"
    assert jobs() == [(str(identifier), False)]
