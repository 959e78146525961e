"""Scheduled maintenance: one list, run alone, recorded, and reachable over HTTP with the secret only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.tenancy import first_uuid7, system_scope
from config.models import CronRun
from config.operations import cron
from config.operations.jobs import JOBS, crontab
from config.operations.retention import apply_retention
from tests.worlds import World, make_execution
from workflows.models import Execution, ExecutionLog

SECRET = "a cron secret"


def test_one_list_feeds_the_crontab(settings: object) -> None:
    assert crontab() == settings.CRONJOBS  # type: ignore[attr-defined]
    assert [entry[2] for entry in crontab()] == [[job.name] for job in JOBS]


@pytest.mark.parametrize("name", [job.name for job in JOBS])
def test_every_job_runs_and_leaves_a_record(db: None, name: str) -> None:
    record = cron.run(name)
    assert record is not None
    assert record.is_success
    assert CronRun.objects.get().job == name


def test_a_job_that_runs_elsewhere_is_left_alone(db: None) -> None:
    with psycopg.connect(**cron._login()) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s, hashtext('partitions'))", [cron.LOCK_SPACE])
        assert cron.run("partitions") is None
    assert cron.run("partitions") is not None


def test_a_failing_job_is_recorded_and_raised(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> str:
        raise RuntimeError("no room left")

    monkeypatch.setattr("config.operations.maintenance.make_partitions", fail)
    with pytest.raises(RuntimeError):
        cron.run("partitions")
    record = CronRun.objects.get()
    assert not record.is_success
    assert "no room left" in record.detail


@pytest.mark.parametrize(
    ("authorization", "status"), [("Bearer a cron secret", 200), ("Bearer something else", 401), ("", 401)]
)
def test_the_address_wants_the_secret(
    client: Client, db: None, settings: object, authorization: str, status: int
) -> None:
    settings.CRON_SECRET = SECRET  # type: ignore[attr-defined]
    response = client.post("/api/cron/partitions", headers={"authorization": authorization})
    assert response.status_code == status


def test_without_a_configured_secret_nobody_may(client: Client, db: None, settings: object) -> None:
    settings.CRON_SECRET = ""  # type: ignore[attr-defined]
    assert client.post("/api/cron/partitions", headers={"authorization": "Bearer "}).status_code == 401


def test_an_unknown_job_is_a_404(client: Client, db: None, settings: object) -> None:
    settings.CRON_SECRET = SECRET  # type: ignore[attr-defined]
    response = client.post("/api/cron/nothing", headers={"authorization": f"Bearer {SECRET}"})
    assert response.status_code == 404


def old_run(world: World, days: int, **fields: object) -> Execution:
    """Make a run whose key and times lie `days` in the past, with one log line."""
    moment = timezone.now() - timedelta(days=days)
    with connection.cursor() as cursor:
        cursor.execute("SELECT steward_ensure_partitions(%s, %s)", [moment.date(), moment.date()])
    run = make_execution(world, id=first_uuid7(moment), started_at=moment, completed_at=moment, **fields)
    ExecutionLog.objects.create(organization=world.organization, execution=run, message="once upon a time")
    return run


def test_retention_keeps_what_is_young_and_what_has_not_finished(alder: World) -> None:
    with system_scope("make old runs"):
        young = old_run(alder, 20, status="COMPLETED")
        logs_gone = old_run(alder, 40, status="COMPLETED")
        completed = old_run(alder, 100, status="COMPLETED")
        failed = old_run(alder, 101, status="FAILED")
        waiting = old_run(alder, 400, status="WAITING")
    apply_retention()
    with alder.scope():
        assert set(Execution.objects.values_list("pk", flat=True)) == {
            young.pk,
            logs_gone.pk,
            failed.pk,
            waiting.pk,
        }
        assert not Execution.objects.filter(pk=completed.pk).exists()
        assert set(ExecutionLog.objects.values_list("execution_id", flat=True)) == {young.pk}


def test_a_month_leaves_as_a_whole_when_nobody_needs_it(alder: World) -> None:
    with system_scope("make old runs"):
        gone = old_run(alder, 400, status="COMPLETED")
        partition = f"workflows_execution_{(timezone.now() - timedelta(days=400)):%Y_%m}"
    apply_retention()
    with system_scope("look"), connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [partition])
        assert cursor.fetchone() == (None,)
        assert not Execution.objects.filter(pk=gone.pk).exists()


def test_partitions_reach_two_months_ahead(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relname ~ '^workflows_execution_[0-9]{4}_[0-9]{2}$'"
        )
        names = {name for (name,) in cursor.fetchall()}
    now = datetime.now(UTC)
    for ahead in range(3):
        month = (now.month - 1 + ahead) % 12 + 1
        year = now.year + (now.month - 1 + ahead) // 12
        assert f"workflows_execution_{year}_{month:02d}" in names
