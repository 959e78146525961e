"""An operator sees what is wrong and what to do; Prometheus reads the same everywhere."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from accounts.models import User
from accounts.tenancy import system_scope, uuid7
from config.models import CronRun
from config.operations import health
from config.operations.health import BAD, GOOD, WARNING, Finding, examine
from tests.worlds import World, make_execution
from workflows.models import Execution, Worker


@pytest.fixture
def worker(db: None) -> Worker:
    """A worker whose heart beats."""
    made: Worker = Worker.objects.create(id=uuid7(), host="here", pid=1, heartbeat_at=timezone.now())
    return made


def finding(name: str) -> Finding:
    return next(found for found in examine() if found.name == name)


def test_without_a_worker_the_operator_is_told_to_start_one(db: None) -> None:
    found = finding("workers")
    assert found.status == BAD
    assert "manage.py worker" in found.advice


def test_a_new_installation_is_well(worker: Worker) -> None:
    elsewhere = ("disk", "backup", "slow statement")  # of this machine and of the tests' own database
    assert {found.status for found in examine() if found.name not in elsewhere} == {GOOD}


def test_runs_that_wait_long_or_pass_their_deadline_are_told(worker: Worker, alder: World) -> None:
    with alder.scope():
        run = make_execution(alder)
        ago = timezone.now() - timedelta(minutes=3)
        Execution.objects.filter(pk=run.pk).update(status="PENDING", started_at=ago, deadline_at=ago)
    line = finding("runs in line")
    assert (line.status, line.value) == (BAD, "1, the oldest for 180 s")
    assert finding("overdue runs") == Finding(
        "overdue runs", BAD, "1", "A promise is broken: see the workers' logs, and tell us."
    )


def test_a_job_that_failed_or_stopped_running_is_told(worker: Worker) -> None:
    now = timezone.now()
    days_ago = now - timedelta(days=2)
    CronRun.objects.create(
        job="retention", started_at=now, finished_at=now, is_success=False, detail="disk full"
    )
    CronRun.objects.create(job="usage", started_at=days_ago, finished_at=days_ago, is_success=True)
    assert (finding("job retention").status, finding("job retention").value) == (BAD, "disk full")
    assert finding("job usage").status == WARNING
    CronRun.objects.create(job="retention", started_at=now, finished_at=now, is_success=True, detail="done")
    assert finding("job retention").status == GOOD


def test_the_age_of_the_newest_backup_counts(worker: Worker, settings: Any, tmp_path: Path) -> None:
    settings.BACKUP_FOLDER = tmp_path
    assert (finding("backup").status, finding("backup").value) == (BAD, "none yet")
    path = tmp_path / "steward-20260101T000000Z.backup"
    path.write_bytes(b"x")
    assert finding("backup").status == GOOD
    two_days = timezone.now().timestamp() - 48 * 3600
    os.utime(path, (two_days, two_days))
    assert finding("backup").status == WARNING


def test_a_look_that_fails_hides_no_other(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    def line() -> list[Finding]:
        health._row("SELECT no_such_column FROM workflows_worker")
        return []

    monkeypatch.setattr(health, "line", line)
    assert finding("line").value == "unknown"
    assert finding("workers").status == GOOD


def test_the_command_speaks_to_people_and_to_machines(worker: Worker) -> None:
    out = StringIO()
    call_command("health", stdout=out)
    assert "workers" in out.getvalue()
    out = StringIO()
    call_command("health", "--json", stdout=out)
    assert json.loads(out.getvalue())["status"] in (GOOD, WARNING)
    Worker.objects.all().delete()
    with pytest.raises(CommandError, match="Something needs you"):
        call_command("health", stdout=StringIO())


def test_staff_see_it_in_the_admin(worker: Worker, client: Client) -> None:
    with system_scope("a colleague"):
        client.force_login(User.objects.create_superuser("support@example.com", "a long password"))
    page = client.get("/admin/health/")
    assert page.status_code == 200
    assert "overdue runs" in page.content.decode()


def test_nobody_else_sees_it(alder: World, client: Client) -> None:
    client.force_login(alder.owner)
    assert client.get("/admin/health/").status_code == 302
    assert client.get("/admin/health/", follow=True).status_code == 403


@pytest.mark.parametrize(
    ("token", "given", "status"), [("", "", 404), ("s3cret", "", 401), ("s3cret", "no", 401)]
)
def test_figures_are_for_those_who_know_the_token(
    db: None, client: Client, settings: Any, token: str, given: str, status: int
) -> None:
    settings.METRICS_TOKEN = token
    headers = {"Authorization": f"Bearer {given}"} if given else {}
    assert client.get("/metrics", headers=headers).status_code == status


def test_the_figures_are_those_of_the_database(
    worker: Worker, alder: World, client: Client, settings: Any
) -> None:
    settings.METRICS_TOKEN = "s3cret"
    with alder.scope():
        for status, result in (("COMPLETED", "SUCCESS"), ("FAILED", "FAILURE")):
            run, now = make_execution(alder), timezone.now()
            Execution.objects.filter(pk=run.pk).update(
                status=status,
                result=result,
                claimed_at=now + timedelta(seconds=1),
                completed_at=now + timedelta(seconds=3),
                attempt=1,
                started_at=now,
            )
    answer = client.get("/metrics", headers={"Authorization": "Bearer s3cret"})
    assert answer.status_code == 200
    figures = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }
    assert figures["steward_workers",] == 1
    assert figures["steward_runs_finished_5m", "SUCCESS"] == 1
    assert figures["steward_runs_finished_5m", "FAILURE"] == 1
    assert figures["steward_wait_seconds_5m", "0.5"] == pytest.approx(1)
    assert figures["steward_work_seconds_5m", "0.99"] == pytest.approx(2)
    assert figures["steward_runs_overdue",] == 0
