"""A worker on a real database: runs end, wait, go on, are cancelled and time out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from tests.workflows.runner.working import (
    as_system,
    begin,
    ended,
    journal,
    published,
    reaches,
    run,
    until,
    working,
)
from tests.worlds import World, make_world
from workflows.models import Approval, Execution, ResumeToken
from workflows.runner.cancel import request_cancel
from workflows.runner.start import start_execution
from workflows.runner.wake import wake

pytestmark = pytest.mark.usefixtures("committed_db")

GREET = {"id": "greet", "type": "set", "values": {"text": "Hello {{ inputs.name }}"}}


@pytest.fixture
def alder(committed_db: str) -> World:
    return make_world("Alder")


def test_a_run_ends_with_its_steps_on_record(alder: World) -> None:
    identifier = begin(alder, published(alder, "Greeting", GREET), {"name": "Ada"})
    with working():
        found = ended(identifier)
    assert (found.status, found.result, found.output) == ("COMPLETED", "SUCCESS", {"text": "Hello Ada"})
    step = journal(identifier)["greet"]
    assert (step.status, step.output, step.step_type, step.fence) == (
        "COMPLETED",
        {"text": "Hello Ada"},
        "set",
        1,
    )
    assert as_system(
        "SELECT metric, quantity FROM billing_usageentry WHERE execution_id = %s", identifier
    ) == [("WORKFLOW_EXECUTIONS", 1)]


def test_a_failed_step_fails_the_run_and_says_why(alder: World) -> None:
    identifier = begin(
        alder, published(alder, "Broken", {**GREET, "values": {"text": "{{ inputs.nobody }}"}}), {}
    )
    with working():
        found = ended(identifier)
    assert (found.status, found.result, found.error["step"]) == ("FAILED", "FAILURE", "greet")
    assert as_system("SELECT level FROM workflows_executionlog WHERE execution_id = %s", identifier) == [
        ("ERROR",)
    ]
    (job,) = as_system("SELECT args FROM procrastinate_jobs WHERE task_name = 'workflows.tasks.run_failed'")
    assert str(identifier) in str(job)


def test_a_draft_runs_without_a_version(alder: World) -> None:
    with alder.scope():
        identifier = start_execution(
            organization_id=alder.organization.pk, workflow_id=alder.workflow.pk, version_id=None, mode="TEST",
            draft_definition={"version": 1, "steps": [GREET]}, triggered_by="MANUAL", input={"name": "Bo"},
        )  # fmt: skip
    with working():
        assert ended(identifier).output == {"text": "Hello Bo"}


def test_a_long_delay_waits_outside_the_worker_and_goes_on_when_it_is_due(alder: World) -> None:
    made = published(alder, "Later", {"id": "rest", "type": "delay", "for": "1h"}, GREET, timeout="2h")
    identifier = begin(alder, made, {"name": "Ada"})
    with working() as worker:
        found = reaches(identifier, "WAITING")
        assert found.waiting_for[0]["kind"] == "delay"
        assert found.worker_id is None
        until(lambda: not worker.running)
        # An hour passes: for the journal, which has recorded when the step is due, and for the queue.
        as_system(
            "UPDATE workflows_executionstep SET recorded = recorded || jsonb_build_object('wake_at', %s::text,"
            " 'due_at', %s::text), started_at = started_at - interval '1 hour' WHERE execution_id = %s",
            timezone.now().isoformat(), timezone.now().isoformat(), identifier,
        )  # fmt: skip
        as_system("UPDATE workflows_execution SET wake_at = now() WHERE id = %s", identifier)
        found = ended(identifier)
    assert (found.status, found.attempt) == ("COMPLETED", 2)


def test_an_approval_holds_the_run_until_it_is_answered(alder: World) -> None:
    made = published(
        alder, "Ask", {"id": "ask", "type": "approval", "title": "Pay {{ inputs.name }}?"}, GREET
    )
    identifier = begin(alder, made, {"name": "Ada"})
    with working():
        reaches(identifier, "WAITING")
        with alder.scope():
            approval = Approval.objects.get(execution=identifier)
            assert (approval.title, approval.status) == ("Pay Ada?", "PENDING")
            approval.status, approval.answer = "APPROVED", {"decision": "approve", "form": {}, "who": []}
            approval.decided_at = timezone.now()
            approval.save(update_fields=["status", "answer", "decided_at"])
            wake([identifier])
        found = ended(identifier)
    assert found.status == "COMPLETED"
    assert journal(identifier)["ask"].output["approved"] is True


def test_a_wait_step_goes_on_with_what_was_posted(alder: World) -> None:
    identifier = begin(alder, published(alder, "Hold", {"id": "hold", "type": "wait", "timeout": "1h"}), {})
    with working():
        reaches(identifier, "WAITING")
        with alder.scope():
            ResumeToken.objects.filter(execution=identifier).update(
                used_at=timezone.now(), body={"paid": True}
            )
            wake([identifier])
        found = ended(identifier)
    assert (found.status, found.output) == ("COMPLETED", {"paid": True})


def test_a_child_run_wakes_the_run_that_waits_for_it(alder: World) -> None:
    published(alder, "Child", GREET)
    made = published(
        alder, "Parent", {"id": "call", "type": "workflow", "workflow": "Child", "input": {"name": "Bo"}}
    )
    identifier = begin(alder, made, {})
    with working():
        found = ended(identifier)
    assert (found.status, found.output) == ("COMPLETED", {"text": "Hello Bo"})
    assert as_system("SELECT depth, relation FROM workflows_execution WHERE parent_id = %s", identifier) == [
        (1, "CHILD")
    ]


def test_a_pending_run_is_cancelled_without_any_worker(alder: World) -> None:
    identifier = begin(alder, published(alder, "Never", GREET), {})
    with alder.scope():
        assert request_cancel(identifier)
    assert run(identifier).status == "CANCELLED"
    with alder.scope():
        assert not request_cancel(identifier)


def test_a_waiting_run_takes_its_question_with_it_when_cancelled(alder: World) -> None:
    identifier = begin(
        alder, published(alder, "Ask", {"id": "ask", "type": "approval", "title": "Well?"}), {}
    )
    with working():
        reaches(identifier, "WAITING")
        with alder.scope():
            request_cancel(identifier)
            assert Approval.objects.get(execution=identifier).status == "CANCELLED"
    assert run(identifier).status == "CANCELLED"


def test_a_live_worker_obeys_a_cancel(alder: World) -> None:
    identifier = begin(
        alder, published(alder, "Short rest", {"id": "rest", "type": "delay", "for": "9s"}, GREET), {}
    )
    with working():
        reaches(identifier, "RUNNING")
        with alder.scope():
            request_cancel(identifier)
        found = ended(identifier)
    assert (found.status, found.result) == ("CANCELLED", "CANCELLED")
    assert "greet" not in journal(identifier)


def test_a_run_that_nobody_takes_up_times_out(alder: World) -> None:
    made = published(alder, "Late", GREET)
    identifier = begin(alder, made, {}, held_for="plan_limit", deadline=timezone.now() - timedelta(seconds=1))
    with working():
        found = ended(identifier)
    assert (found.status, found.result) == ("TIMEOUT", "FAILURE")
    assert "time limit" in found.error["message"]


def test_runs_of_one_workflow_keep_to_its_concurrency(alder: World) -> None:
    made = published(alder, "Two at once", {"id": "rest", "type": "delay", "for": "0.2s"}, concurrency=2)
    identifiers = [begin(alder, made, {}) for _number in range(6)]
    most = 0
    with working():
        while not all(run(each).is_finished for each in identifiers):
            ((running,),) = as_system("SELECT count(*) FROM workflows_execution WHERE status = 'RUNNING'")
            most = max(most, running)
    assert most == 2


def test_a_worker_that_stops_hands_back_what_it_has_not_finished(
    alder: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows.runner.limits.DRAIN_SECONDS", 0.1)
    made = published(alder, "Handed on", GREET, {"id": "rest", "type": "delay", "for": "3s"})
    identifier = begin(alder, made, {"name": "Ada"})
    with working():
        until(lambda: "greet" in journal(identifier), "the first step")
    assert run(identifier).status == "PENDING"
    with working():
        found = ended(identifier)
    assert (found.status, found.attempt) == ("COMPLETED", 2)
    assert journal(identifier)["greet"].fence == 1


def handed_out(alder: World, *before: dict[str, Any]) -> Any:
    """Begin a run that writes the address of its wait step down, does `before`, and then waits."""
    address = {"id": "ask", "type": "set", "values": {"url": "{{ execution.resume_url.hold }}"}}
    return begin(alder, published(alder, "Hold", address, *before, {"id": "hold", "type": "wait"}), {})


def test_a_step_before_hands_out_the_address_that_lets_the_run_go_on(alder: World, client: Client) -> None:
    identifier = handed_out(alder)
    with working():
        reaches(identifier, "WAITING")
        url = journal(identifier)["ask"].output["url"]
        assert client.post(urlsplit(url).path, {"paid": True}, "application/json").status_code == 200
        found = ended(identifier)
    assert (found.status, found.output) == ("COMPLETED", {"paid": True})
    assert client.post(urlsplit(url).path, {}, "application/json").status_code == 410


def test_an_answer_that_is_faster_than_the_wait_step_is_kept_for_it(alder: World, client: Client) -> None:
    identifier = handed_out(alder, {"id": "pause", "type": "delay", "for": "1h"})
    with working():
        reaches(identifier, "WAITING")  # in the delay
        url = journal(identifier)["ask"].output["url"]
        assert client.post(urlsplit(url).path, {"paid": True}, "application/json").status_code == 200
        with alder.scope():
            Execution.objects.filter(pk=identifier).update(wake_at=timezone.now())
            assert ResumeToken.objects.get(execution=identifier).body == {"paid": True}
