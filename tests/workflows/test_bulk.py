"""One thing done to many runs: in batches, once each, with what it does not fit left alone, and stopped on request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, User
from accounts.tenancy import system_scope
from tests.worlds import World, make_execution
from workflows import bulk
from workflows.models import BulkAction, Execution, WorkflowAssignment
from workflows.queries import run_search
from workflows.search_index import index_runs

Action = BulkAction.Action
FAILED = {"status": "FAILED", "result": "FAILURE"}


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "BATCH", 3)


@pytest.fixture(autouse=True)
def queued(monkeypatch: pytest.MonkeyPatch) -> list[BulkAction]:
    """What would be left to a background job."""
    left: list[BulkAction] = []
    monkeypatch.setattr(bulk, "_later", left.append)
    return left


def runs(world: World, number: int, **fields: Any) -> list[Execution]:
    with world.scope():
        return [make_execution(world, **fields) for _place in range(number)]


def finish(world: World, made: BulkAction) -> BulkAction:
    bulk.work(str(world.organization.pk), str(made.pk))
    with world.scope():
        return BulkAction.objects.get(pk=made.pk)


def begun(world: World, action: BulkAction.Action, **asked: Any) -> BulkAction:
    with world.scope():
        return bulk.begin(world.owner, action, **asked)


def parents(relation: str) -> list[Any]:
    with system_scope("count"):
        return sorted(Execution.objects.filter(relation=relation).values_list("parent_id", flat=True))


def test_all_that_a_filter_finds_is_taken_once_and_nothing_else(
    alder: World, birch: World, queued: list[BulkAction]
) -> None:
    failed = runs(alder, 8, **FAILED)
    runs(alder, 2, status="COMPLETED", result="SUCCESS")
    runs(birch, 2, **FAILED)
    made = begun(alder, Action.RESTART, filters={"status": "FAILED", "page": "7"})
    assert (made.total, made.filters, queued) == (8, {"status": "FAILED"}, [made])
    made = finish(alder, made)
    assert (made.status, made.done, made.skipped, made.failed) == ("COMPLETED", 8, 0, 0)
    assert parents("RESTART") == sorted(run.pk for run in failed)


def test_a_worker_that_dies_between_batches_repeats_nothing(alder: World) -> None:
    failed = runs(alder, 7, **FAILED)
    made = begun(alder, Action.RESTART, filters={"status": "FAILED"})
    with alder.scope():
        assert not bulk.work_some(BulkAction.objects.get(pk=made.pk))
    assert len(parents("RESTART")) == 3
    finish(alder, made)
    finish(alder, made)
    assert parents("RESTART") == sorted(run.pk for run in failed)


def test_what_somebody_has_taken_up_already_stays_as_it_is(alder: World) -> None:
    first, second = runs(alder, 2, **FAILED)
    with alder.scope():
        make_execution(alder, parent_id=first.pk, relation="RESUME")
    made = finish(alder, begun(alder, Action.RESUME, filters={"status": "FAILED"}))
    assert (made.done, made.skipped) == (1, 1)
    assert parents("RESUME") == sorted([first.pk, second.pk])


def test_what_the_action_does_not_fit_is_counted_and_left(alder: World) -> None:
    going, ended = runs(alder, 1)[0], runs(alder, 1, **FAILED)[0]
    chosen = [going.pk, ended.pk]
    made = begun(alder, Action.CANCEL, selected=chosen)
    assert (made.status, made.done, made.skipped) == ("COMPLETED", 1, 1)
    with alder.scope():
        assert Execution.objects.get(pk=going.pk).status == "CANCELLED"
        assert Execution.objects.get(pk=ended.pk).status == "FAILED"


def test_a_run_that_cannot_be_taken_up_does_not_stop_the_others(alder: World) -> None:
    with alder.scope():
        alder.workflow.published_version, alder.workflow.status = None, "DRAFT"
        alder.workflow.save(update_fields=["published_version", "status"])
    made = finish(
        alder, begun(alder, Action.RESTART_NEWEST, selected=[run.pk for run in runs(alder, 4, **FAILED)])
    )
    assert (made.status, made.done, made.failed) == ("COMPLETED", 0, 4)


def test_stopping_leaves_the_rest_as_it_is(client: Client, alder: World) -> None:
    runs(alder, 5, **FAILED)
    made = begun(alder, Action.RESTART, filters={"status": "FAILED"})
    with alder.scope():
        bulk.work_some(BulkAction.objects.get(pk=made.pk))
    client.force_login(alder.member)
    client.post(reverse("workflows:runs-bulk-cancellation", args=[made.pk]))
    assert finish(alder, made).status == "CANCELLED"
    assert len(parents("RESTART")) == 3


def test_who_may_no_longer_run_workflows_starts_nothing_more(alder: World) -> None:
    runs(alder, 2, **FAILED)
    made = begun(alder, Action.RESTART, filters={"status": "FAILED"})
    with system_scope("the owner becomes a reader"):
        User.objects.filter(pk=alder.owner.pk).update(role="VIEWER")
    assert finish(alder, made).status == "CANCELLED"
    assert parents("RESTART") == []


def test_a_member_reaches_only_runs_of_their_workflows(alder: World) -> None:
    runs(alder, 2, **FAILED)
    with alder.scope():
        WorkflowAssignment.objects.all().delete()
        made = bulk.begin(alder.member, Action.RESTART, filters={"status": "FAILED"})
    assert (finish(alder, made).done, made.total) == (0, 0)


def test_the_list_offers_all_that_match_and_asks_before(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    runs(alder, 34, **FAILED)
    page = client.get(reverse("workflows:runs"), {"status": "FAILED"})
    assert "All 34 runs that match" in page.text
    url = f"{reverse('workflows:runs-bulk')}?status=FAILED"
    asked = client.post(url, {"action": "resume", "scope": "all"})
    assert "34 runs?" in asked.text
    response = client.post(url, {"action": "resume", "scope": "all", "confirmed": "1"})
    with alder.scope():
        made = BulkAction.objects.get()
        assert AuditEvent.objects.get(action="run.bulk_resume").after == {
            "runs": 34,
            "filter": {"status": "FAILED"},
        }
    assert response.headers["Location"] == reverse("workflows:runs-bulk-progress", args=[made.pk])
    going = client.get(response.headers["Location"])
    assert 'hx-trigger="every 1s"' in going.text
    finish(alder, made)
    done = client.get(response.headers["Location"], headers={"HX-Request": "true"}).text
    assert "34 of 34 runs" in done
    assert "every 1s" not in done


def test_everything_without_a_filter_is_never_offered(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    runs(alder, 34, **FAILED)
    assert 'name="scope"' not in client.get(reverse("workflows:runs")).text
    client.post(reverse("workflows:runs-bulk"), {"action": "restart", "scope": "all", "confirmed": "1"})
    with alder.scope():
        assert not BulkAction.objects.exists()


def test_runs_with_a_value_are_taken_to_the_last_though_few_pass_the_other_filters(
    alder: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_search, "MAX_MATCHES", 4)
    with alder.scope():
        made = [
            make_execution(alder, input={"shop": "north"}, status="FAILED" if n % 5 == 4 else "COMPLETED")
            for n in range(20)
        ]
    index_runs(datetime.now(UTC) + timedelta(minutes=1))
    finish(alder, begun(alder, Action.RESUME, filters={"q": "north", "status": "FAILED"}))
    assert parents("RESUME") == sorted(run.pk for run in made if run.status == "FAILED")
