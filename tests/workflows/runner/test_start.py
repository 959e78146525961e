"""Starting a run."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.utils import timezone

from tests.worlds import World, make_workflow
from workflows.models import Execution
from workflows.runner.start import InputRefused, NewRun, start_execution, start_executions


def start(world: World, **fields: object) -> Execution:
    fields = {"triggered_by": "MANUAL", "input": {"name": "Ada"}} | fields
    identifier = start_execution(
        organization_id=world.organization.pk,
        workflow_id=world.workflow.pk,
        version_id=world.version.pk,
        **fields,
    )
    return Execution.objects.get(pk=identifier)


def test_a_run_starts_as_a_pending_row_of_its_organization(alder: World) -> None:
    with alder.scope():
        run = start(alder, user_id=alder.owner.pk)
    assert (run.status, run.result, run.input, run.attempt) == ("PENDING", "PENDING", {"name": "Ada"}, 0)
    assert run.triggered_by_user_id == alder.owner.pk


def test_the_deadline_is_the_workflows_own_timeout(alder: World) -> None:
    with alder.scope():
        definition = {"version": 1, "steps": [], "settings": {"timeout": "2h"}}
        workflow, version = make_workflow(alder.organization, alder.owner, name="Slow", definition=definition)
        identifier = start_execution(
            organization_id=alder.organization.pk,
            workflow_id=workflow.pk,
            version_id=version.pk,
            triggered_by="API",
        )
        deadline = Execution.objects.get(pk=identifier).deadline_at
    assert abs(deadline - timezone.now() - timedelta(hours=2)) < timedelta(seconds=10)


def test_a_held_run_waits_until_it_is_woken(alder: World) -> None:
    from workflows.runner.wake import wake

    with alder.scope():
        run = start(alder, held_for="plan_limit")
        assert (run.status, run.waiting_for, run.wake_at) == ("WAITING", [{"kind": "plan_limit"}], None)
        assert wake([run.pk]) == 1
        run.refresh_from_db()
    assert run.wake_at is not None


def test_text_that_no_database_stores_is_replaced(alder: World) -> None:
    with alder.scope():
        assert start(alder, input={"text": "a\x00b"}).input == {"text": "a\ufffdb"}


def test_an_input_that_is_too_large_is_refused_in_words(alder: World) -> None:
    with alder.scope(), pytest.raises(InputRefused, match="too large"):
        start(alder, input={"text": "x" * (6 * 1024 * 1024)})


def test_several_runs_start_together_in_order(alder: World) -> None:
    with alder.scope():
        runs = [
            NewRun(
                organization_id=alder.organization.pk, workflow_id=alder.workflow.pk, version_id=alder.version.pk,
                triggered_by="WEBHOOK", input={"body": number},
            )
            for number in range(3)
        ]  # fmt: skip
        identifiers = start_executions(runs)
        found = Execution.objects.order_by("id")
        assert [run.input["body"] for run in found] == [0, 1, 2]
        assert [run.pk for run in found] == identifiers


def test_a_run_of_another_organizations_workflow_is_refused(alder: World, birch: World) -> None:
    with alder.scope(), transaction.atomic():
        start_execution(
            organization_id=alder.organization.pk, workflow_id=birch.workflow.pk, version_id=birch.version.pk,
            triggered_by="API",
        )  # fmt: skip
        with pytest.raises(DatabaseError):
            connection.check_constraints()
        transaction.set_rollback(True)


def test_the_workers_are_told_after_the_commit(
    alder: World, django_capture_on_commit_callbacks: object
) -> None:
    with django_capture_on_commit_callbacks() as callbacks, alder.scope():  # type: ignore[operator]
        start(alder)
    assert len(callbacks) == 1
