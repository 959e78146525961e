"""Events that only name something: nothing is lost and nothing doubled while their details cannot be had."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.jobs import Job

from accounts.models import Organization
from accounts.tenancy import uuid7
from integrations import health
from integrations.framework import PermanentError, ReconnectError, TemporaryError
from integrations.models import Integration
from tests.workflows.triggers.services import Listening, Vendor, details_of, listening, run_jobs
from tests.worlds import World
from workflows import publishing
from workflows.models import TriggerDecision
from workflows.triggers import backlog, decisions, details, jobs


@pytest.fixture
def mail(alder: World, vendor: Vendor, settings: Any) -> Listening:
    """Outlook, which tells only the id of a new e-mail; subscribed."""
    here = listening(alder, "outlook", "new_email", settings)
    run_jobs()
    vendor.reads = details_of(here.trigger)[0]
    return here


def waiting() -> dict[str, Any]:
    (job,) = ProcrastinateJob.objects.filter(task_name=details.TASK, status="todo")
    return dict(job.args)


def test_a_failing_fetch_is_said_and_tried_again_until_it_works(mail: Listening, vendor: Vendor) -> None:
    vendor.status = 503
    assert mail.deliver() == 202
    arguments = waiting()
    for _try in range(3):
        with pytest.raises(TemporaryError):
            jobs.fetch_details(**arguments)
    assert mail.runs() == []
    assert mail.reasons() == ["DETAILS_AWAITED"]  # once an hour, not once a try
    with mail.world.scope():
        assert "five days" in decisions.why(TriggerDecision.objects.get())
    vendor.status = 200
    jobs.fetch_details(**arguments)
    jobs.fetch_details(**arguments)  # a worker that died after its commit
    (run,) = mail.runs()
    assert run["body"]["subject"] == "Invoice 1042"
    assert mail.reasons() == ["DETAILS_AWAITED", "STARTED"]


def test_a_repeat_of_an_event_whose_details_are_awaited_starts_nothing(
    mail: Listening, vendor: Vendor
) -> None:
    mail.deliver()
    assert mail.deliver() == 202
    run_jobs()
    assert len(mail.runs()) == 1
    assert mail.reasons() == ["DUPLICATE", "STARTED"]


def test_what_has_gone_by_then_starts_with_what_was_told(mail: Listening, vendor: Vendor) -> None:
    mail.deliver()
    vendor.status = 404
    jobs.fetch_details(**waiting())
    (run,) = mail.runs()
    assert run["body"]["id"] == mail.trigger.sample["resourceData"]["id"]
    assert run["body"]["subject"] is None


def test_an_event_waits_for_its_account_and_goes_on_when_it_is_healed(
    mail: Listening, vendor: Vendor
) -> None:
    mail.deliver()
    arguments = waiting()
    vendor.status = 401
    with pytest.raises(ReconnectError):
        jobs.fetch_details(**arguments)
    assert mail.account.status == "EXPIRED"
    assert mail.reasons() == ["INTEGRATION_BROKEN"]
    with pytest.raises(health.NotUsable):
        jobs.fetch_details(**arguments)
    vendor.status = 200
    with mail.world.scope():
        row = Integration.objects.get(pk=mail.integration.pk)
        health.heal(row)
        row.save()
    (job,) = ProcrastinateJob.objects.filter(task_name=details.TASK, status="todo")
    assert job.scheduled_at is not None  # hastened
    jobs.fetch_details(**arguments)
    assert len(mail.runs()) == 1


def test_a_workflow_that_rests_meanwhile_starts_nothing(mail: Listening) -> None:
    mail.deliver()
    arguments = waiting()
    with mail.world.scope():
        publishing.pause(mail.workflow, mail.world.owner)
    jobs.fetch_details(**arguments)
    assert mail.runs() == []


@pytest.mark.parametrize(
    ("error", "tries", "seconds"),
    [
        (TemporaryError("busy"), 0, 5),
        (TemporaryError("busy", retry_after=90), 0, 90),
        (TemporaryError("busy"), 40, 3_600),
        (PermanentError("not allowed"), 2, 20),
        (ReconnectError("dead"), 0, 3_600),
    ],
)
def test_how_long_the_next_try_waits(error: Exception, tries: int, seconds: int) -> None:
    job = Job(id=1, queue="q", lock=None, queueing_lock=None, task_name=details.TASK, attempts=tries)
    decision = details.Patience().get_retry_decision(exception=error, job=job)
    assert decision is not None
    assert decision.retry_at is not None
    assert abs((decision.retry_at - datetime.now(UTC)).total_seconds() - seconds) < 3


def test_it_ends_after_five_days() -> None:
    job = Job(id=1, queue="q", lock=None, queueing_lock=None, task_name="t", attempts=details.MOST_TRIES)
    assert details.Patience().get_retry_decision(exception=TemporaryError("busy"), job=job) is None


def test_an_event_of_a_delivery_that_is_gone_starts_nothing(mail: Listening) -> None:
    mail.deliver()
    arguments = {**waiting(), "delivery_id": str(uuid7())}
    assert details.fetch(**arguments) is False


def test_an_event_that_finds_a_full_line_starts_its_run_later_and_once(
    alder: World, vendor: Vendor, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = listening(alder, "mailchimp", "subscribed", settings)
    run_jobs()
    backlog.forget_all()
    monkeypatch.setattr(backlog, "MOST_WAITING", dict.fromkeys(Organization.Plan, 0))
    assert here.deliver() < 300
    assert here.runs() == []
    assert here.reasons() == ["BACKLOG_FULL"]
    arguments = waiting()
    with pytest.raises(details.LineFull):
        jobs.fetch_details(**arguments)
    monkeypatch.setattr(backlog, "MOST_WAITING", dict.fromkeys(Organization.Plan, 100))
    backlog.forget_all()
    jobs.fetch_details(**arguments)
    jobs.fetch_details(**arguments)
    assert here.deliver() < 300  # the service repeats itself
    run_jobs()
    assert len(here.runs()) == 1
    assert "STARTED" in here.reasons()
