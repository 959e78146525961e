"""Runs through the API: started once, found, looked at, taken up again."""

from __future__ import annotations

import threading
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, IdempotentAnswer
from tests.api.conftest import make_key
from tests.worlds import World, make_execution, make_world
from workflows.models import Execution, ExecutionLog, ExecutionStep, TriggerDecision, Workflow

NAME = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def ended(world: World, **fields: Any) -> str:
    fields = {"status": "FAILED", "result": "FAILURE", "completed_at": timezone.now(), **fields}
    with world.scope():
        return str(make_execution(world, **fields).pk)


def test_a_run_is_started_with_its_input(steward: Any, alder: World) -> None:
    run = steward.start_execution({"workflow": str(alder.workflow.pk), "input": {"name": "Ada"}})
    assert (run["status"], run["triggered_by"], run["version"], run["mode"]) == ("PENDING", "API", 1, "LIVE")
    assert run["input"] == {"name": "Ada"}
    assert run["triggered_by_user_id"] == str(alder.owner.pk)
    assert steward.get_execution(run["id"]) == run


def test_the_same_request_sent_again_starts_one_run(steward: Any, alder: World) -> None:
    body = {"workflow": str(alder.workflow.pk), "input": {"name": "Ada"}}
    first = steward.start_execution(body, idempotency_key="order-1")
    assert steward.start_execution(body, idempotency_key="order-1") == first
    assert steward.start_execution(body, idempotency_key="order-2")["id"] != first["id"]
    assert len(list(steward.iterate_executions())) == 2


def test_a_key_of_another_request_is_refused(steward: Any, alder: World, steward_client: ModuleType) -> None:
    body = {"workflow": str(alder.workflow.pk), "input": {}}
    steward.start_execution(body, idempotency_key="order-1")
    with pytest.raises(steward_client.StewardProblem) as refused:
        steward.start_execution({**body, "input": {"name": "Ada"}}, idempotency_key="order-1")
    assert (refused.value.status, refused.value.code) == (422, "key_reused")


def test_one_organizations_idempotency_key_says_nothing_to_another(
    steward: Any, client_for: Any, alder: World, birch: World
) -> None:
    steward.create_workflow({"name": "Greet"}, idempotency_key="same")
    theirs = client_for(birch.owner).create_workflow({"name": "Greet"}, idempotency_key="same")
    with birch.scope():
        assert Workflow.objects.filter(pk=theirs["id"]).exists()


def test_a_refused_request_may_be_sent_again(steward: Any, alder: World, steward_client: ModuleType) -> None:
    body = {"workflow": str(alder.workflow.pk)}
    steward.pause_workflow(body["workflow"])
    with pytest.raises(steward_client.StewardProblem) as refused:
        steward.start_execution(body, idempotency_key="order-1")
    assert (refused.value.status, refused.value.code) == (409, "conflict")
    with alder.scope():
        # Why nothing was started is written down all the same.
        assert TriggerDecision.objects.get().reason == "PAUSED"
        assert not IdempotentAnswer.objects.exists()
    steward.resume_workflow(body["workflow"])
    assert steward.start_execution(body, idempotency_key="order-1")["status"] == "PENDING"


def test_an_answer_is_forgotten_after_a_day(steward: Any, alder: World) -> None:
    body = {"workflow": str(alder.workflow.pk)}
    first = steward.start_execution(body, idempotency_key="order-1")
    with alder.scope():
        IdempotentAnswer.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert steward.start_execution(body, idempotency_key="order-1")["id"] != first["id"]


def test_input_that_does_not_fit_is_refused_by_field(
    steward: Any, alder: World, steward_client: ModuleType
) -> None:
    definition = {**alder.workflow.definition, "inputs": NAME}
    made = steward.create_workflow({"name": "Greet", "definition": definition})
    steward.publish_workflow(made["id"], {})
    with pytest.raises(steward_client.StewardProblem) as refused:
        steward.start_execution({"workflow": made["id"], "input": {}})
    assert (refused.value.status, refused.value.errors[0]["field"]) == (422, "body.input.name")


def test_the_draft_is_tried_without_sending(steward: Any, alder: World) -> None:
    run = steward.start_execution({"workflow": str(alder.workflow.pk), "mode": "DRY_RUN"})
    assert (run["mode"], run["version"]) == ("DRY_RUN", None)


def test_runs_are_found_by_status_workflow_time_and_value(steward: Any, alder: World) -> None:
    failed = ended(alder)
    running = steward.start_execution({"workflow": str(alder.workflow.pk)})["id"]

    def found(**query: Any) -> list[str]:
        return [each["id"] for each in steward.iterate_executions(**query)]

    assert found() == [running, failed]
    assert found(status="FAILED") == [failed]
    assert found(triggered_by="API") == [running]
    assert found(workflow=str(alder.workflow.pk), limit=1) == [running, failed]
    assert found(workflow=running) == []
    assert found(since="2999-01-01T00:00:00Z") == []
    assert found(until="0001-01-01T00:00:00Z") == []
    assert found(q=failed) == [failed]


def test_steps_and_log_are_read_in_order(steward: Any, alder: World) -> None:
    identifier = ended(alder)
    with alder.scope():
        for number in range(3):
            common = {"execution_id": identifier, "step_id": "greet"}
            ExecutionStep.objects.create(
                path="greet", step_type="set", attempt=number + 1, status="FAILED", **common
            )
            ExecutionLog.objects.create(message=f"Try {number + 1}", level="INFO", **common)
    assert [each["attempt"] for each in steward.iterate_steps(identifier, limit=2)] == [1, 2, 3]
    lines = [each["message"] for each in steward.iterate_logs(identifier, limit=2)]
    assert lines == ["Try 1", "Try 2", "Try 3"]


def test_a_run_is_cancelled_once(steward: Any, alder: World, steward_client: ModuleType) -> None:
    run = steward.start_execution({"workflow": str(alder.workflow.pk)})
    assert steward.cancel_execution(run["id"])["status"] == "CANCELLED"
    with pytest.raises(steward_client.StewardProblem) as refused:
        steward.cancel_execution(run["id"])
    assert refused.value.status == 409


def test_a_failed_run_is_resumed_and_restarted(steward: Any, alder: World) -> None:
    failed = ended(alder, input={"name": "Ada"})
    resumed = steward.resume_execution(failed)
    assert (resumed["relation"], resumed["parent_id"], resumed["input"]) == (
        "RESUME",
        failed,
        {"name": "Ada"},
    )
    again = steward.restart_execution(failed, {"newest": True}, idempotency_key="once")
    assert again["relation"] == "RESTART"
    assert steward.restart_execution(failed, {"newest": True}, idempotency_key="once")["id"] == again["id"]
    with alder.scope():
        assert list(AuditEvent.objects.order_by("id").values_list("action", flat=True)) == [
            "run.resumed",
            "run.restarted",
        ]


def test_a_complete_run_is_not_resumed(steward: Any, alder: World, steward_client: ModuleType) -> None:
    with pytest.raises(steward_client.StewardProblem) as refused:
        steward.resume_execution(ended(alder, status="COMPLETED", result="SUCCESS"))
    assert refused.value.status == 409


def test_many_runs_are_cancelled_at_once(steward: Any, alder: World) -> None:
    runs = [steward.start_execution({"workflow": str(alder.workflow.pk)})["id"] for _ in range(3)]
    done = steward.start_bulk_action({"action": "CANCEL", "executions": runs[:2]})
    assert (done["status"], done["done"], done["skipped"]) == ("COMPLETED", 2, 0)
    assert steward.get_bulk_action(done["id"]) == done
    with alder.scope():
        assert Execution.objects.filter(status="CANCELLED").count() == 2


@pytest.mark.parametrize("body", [{}, {"filters": {}}, {"executions": [], "filters": {"status": ""}}])
def test_acting_on_every_run_takes_a_filter(
    steward: Any, alder: World, steward_client: ModuleType, body: dict[str, Any]
) -> None:
    with pytest.raises(steward_client.StewardProblem) as refused:
        steward.start_bulk_action({"action": "CANCEL", **body})
    assert refused.value.status == 422


def test_an_action_on_what_a_filter_finds_is_followed_and_stopped(
    steward: Any, alder: World, steward_client: ModuleType
) -> None:
    ended(alder)
    begun = steward.start_bulk_action({"action": "RESTART", "filters": {"status": "FAILED"}})
    assert (begun["status"], begun["total"]) == ("RUNNING", 1)
    assert steward.stop_bulk_action(begun["id"])["status"] == "CANCELLED"
    with pytest.raises(steward_client.StewardProblem) as refused:
        steward.stop_bulk_action(begun["id"])
    assert refused.value.status == 409


def test_the_same_request_twice_at_the_same_moment_starts_one_run(
    committed_db: str, client_for: Any, steward_client: ModuleType
) -> None:
    world = make_world("Alder")
    steward = client_for(world.owner)
    body = {"workflow": str(world.workflow.pk), "input": {"name": "Ada"}}
    together = threading.Barrier(4)
    started: list[str] = []

    def work() -> None:
        try:
            together.wait(timeout=30)
            started.append(steward.start_execution(body, idempotency_key="order-1")["id"])
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(started), len(set(started))) == (4, 1)
    with world.scope():
        assert Execution.objects.count() == 1


@pytest.mark.parametrize("key", ["x" * 201, "naïve"])
def test_an_idempotency_key_is_short_and_printable(alder: World, key: str) -> None:
    headers = {"Authorization": f"Bearer {make_key(alder.owner)}", "Idempotency-Key": key}
    body = {"workflow": str(alder.workflow.pk)}
    answer = Client().post("/api/v1/executions", body, content_type="application/json", headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "header.Idempotency-Key")
