"""The lists: what they hold, how they page, and that they cost the same however long they are."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.tenancy import system_scope
from tests.worlds import World, make_execution, make_workflow
from workflows import forms
from workflows.models import Approval, Trigger, TriggerDecision, Workflow, WorkflowAssignment


def fill(world: World, number: int) -> None:
    """Make `number` workflows, each with a trigger, a run, a question and a decision."""
    with system_scope("fill a list"):
        start = Workflow.objects.filter(organization=world.organization).count()
        for place in range(start, start + number):
            workflow, version = make_workflow(world.organization, world.owner, name=f"Workflow {place:03}")
            Trigger.objects.create(
                organization=world.organization, workflow=workflow, key="webhook", kind="WEBHOOK"
            )
            WorkflowAssignment.objects.create(
                organization=world.organization, workflow=workflow, user=world.member
            )
            run = make_execution(world, status="COMPLETED", input={"large": "x" * 1000})
            type(run).objects.filter(pk=run.pk).update(workflow=workflow, version=version)
            Approval.objects.create(
                organization=world.organization,
                execution=run,
                path="ok",
                title=f"Question {place}",
                assignees=[{"role": "OWNER"}],
            )
            TriggerDecision.objects.create(
                organization=world.organization,
                workflow=world.workflow,
                trigger_key="webhook",
                kind="WEBHOOK",
                reason="PAUSED",
            )


def queries(client: Client, url: str) -> int:
    client.get(url)  # sessions, caches
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


@pytest.mark.parametrize("role", ["OWNER", "MEMBER", "VIEWER"])
@pytest.mark.parametrize("name", ["list", "runs", "approvals", "dashboard"])
def test_a_list_asks_as_often_for_thirty_rows_as_for_three(
    client: Client, alder: World, name: str, role: str
) -> None:
    client.force_login(alder.person(role))
    fill(alder, 3)
    few = queries(client, reverse(f"workflows:{name}"))
    fill(alder, 27)
    assert queries(client, reverse(f"workflows:{name}")) == few


def test_the_triggers_page_asks_as_often_for_thirty_decisions_as_for_three(
    client: Client, alder: World
) -> None:
    client.force_login(alder.owner)
    url = reverse("workflows:triggers", args=[alder.workflow.pk])
    fill(alder, 3)
    few = queries(client, url)
    fill(alder, 27)
    assert queries(client, url) == few


def test_no_list_reads_definitions_or_payloads(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    fill(alder, 2)
    for name in ("list", "runs", "dashboard"):
        with CaptureQueriesContext(connection) as captured:
            client.get(reverse(f"workflows:{name}"))
        texts = " ".join(query["sql"] for query in captured)
        for column in (
            '"workflows_execution"."input"',
            '"workflows_execution"."output"',
            '"workflows_workflow"."definition"',
        ):
            assert column not in texts, f"{name} reads {column}"


def test_pages_of_runs_follow_one_another_without_gap_or_double(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    moment = timezone.now()
    with system_scope("make runs, some in the same instant"):
        made = [
            make_execution(alder, started_at=moment - timedelta(minutes=place // 3)) for place in range(70)
        ]
    expected = [str(run.pk) for run in sorted(made, key=lambda run: (run.started_at, run.pk), reverse=True)]
    url, seen = reverse("workflows:runs"), []
    while url:
        page = client.get(url).context["page"]
        seen += [str(run.pk) for run in page]
        last, url = url, reverse("workflows:runs") + page.next_url if page.next_url else ""
    assert seen == expected
    back = client.get(reverse("workflows:runs") + client.get(last).context["page"].previous_url).context[
        "page"
    ]
    assert [str(run.pk) for run in back] == expected[30:60]


@pytest.mark.parametrize(
    "cursor", ["before=nonsense", "after=1_2", "before=2026-01-01_x", "after=", "before=2026-13-01T00:00_1"]
)
def test_a_cursor_that_cannot_be_read_shows_the_first_page(client: Client, alder: World, cursor: str) -> None:
    client.force_login(alder.owner)
    for name in ("list", "runs", "approvals"):
        assert client.get(f"{reverse(f'workflows:{name}')}?{cursor}").status_code == 200


def test_search_finds_a_workflow_by_a_word_of_its_description(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    with alder.scope():
        Workflow.objects.create(
            name="Rye", description="Reminds customers of overdue invoices", created_by=alder.owner
        )
    found = client.get(reverse("workflows:list"), {"q": "invoice"}).context["workflows"]
    assert [workflow.name for workflow in found] == ["Rye"]


def test_filters_narrow_the_list_and_unknown_ones_do_nothing(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    with alder.scope():
        Workflow.objects.create(name="Rye", category="SALES", created_by=alder.owner)
        Workflow.objects.create(name="Old", status="ARCHIVED", created_by=alder.owner)

    def names(**filters: str) -> set[str]:
        return {each.name for each in client.get(reverse("workflows:list"), filters).context["workflows"]}

    assert names(status="DRAFT") == {"Rye"}
    assert names(category="SALES") == {"Rye"}
    assert names(status="ARCHIVED") == {"Old"}
    assert names() == names(status="BOGUS", category="'; DROP") == {"Rye", alder.workflow.name}


def test_runs_are_filtered_by_status_workflow_trigger_and_day(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    with system_scope("make runs"):
        failed = make_execution(alder, status="FAILED", triggered_by="WEBHOOK")
        old = make_execution(alder, started_at=timezone.now() - timedelta(days=10))

    def found(**filters: Any) -> set[Any]:
        return {run.pk for run in client.get(reverse("workflows:runs"), filters).context["page"]}

    assert found(status="FAILED") == found(trigger="WEBHOOK") == {failed.pk}
    assert found(workflow=alder.workflow.pk) == {failed.pk, old.pk}
    assert found(until=(timezone.now() - timedelta(days=5)).date()) == {old.pk}
    assert found(since=(timezone.now() - timedelta(days=5)).date()) == {failed.pk}
    assert found(since="yesterday", workflow="x") == {failed.pk, old.pk}


def test_the_filter_of_runs_offers_a_bounded_number_of_workflows_and_the_chosen_one(
    client: Client, alder: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "MOST_OFFERED", 2)
    with alder.scope():
        made = [
            Workflow.objects.create(name=f"Zebra {number}", created_by=alder.owner) for number in range(4)
        ]
    client.force_login(alder.owner)
    text = client.get(reverse("workflows:runs")).content.decode()
    assert "Zebra 0" in text
    assert "Zebra 1" not in text
    assert "The first 2 by name" in text
    chosen = client.get(reverse("workflows:runs"), {"workflow": made[3].pk}).content.decode()
    assert f'<option value="{made[3].pk}" selected>Zebra 3</option>' in chosen
    assert "Zebra 2" not in chosen


def test_a_member_sees_only_what_is_assigned_to_them(client: Client, alder: World) -> None:
    with system_scope("another workflow"):
        other, version = make_workflow(alder.organization, alder.owner, name="Payroll")
        run = make_execution(alder)
        type(run).objects.filter(pk=run.pk).update(workflow=other, version=version)
    client.force_login(alder.member)
    listed = client.get(reverse("workflows:list")).context["workflows"]
    assert [workflow.pk for workflow in listed] == [alder.workflow.pk]
    assert len(client.get(reverse("workflows:runs")).context["page"]) == 0
    assert client.get(reverse("workflows:detail", args=[other.pk])).status_code == 404
    assert client.get(reverse("workflows:run", args=[run.pk])).status_code == 404
    assert client.post(reverse("workflows:pause", args=[other.pk])).status_code == 404


def test_pausing_in_the_list_offers_to_undo_it(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    response = client.post(
        reverse("workflows:pause", args=[alder.workflow.pk]), headers={"HX-Request": "true"}
    )
    undo = json.loads(response.headers["HX-Trigger"])["steward:undo"]["url"]
    assert f'id="workflow-{alder.workflow.pk}"' in response.text
    with alder.scope():
        assert Workflow.objects.get(pk=alder.workflow.pk).status == "PAUSED"
    client.post(undo)
    with alder.scope():
        assert Workflow.objects.get(pk=alder.workflow.pk).status == "ACTIVE"


def test_ticked_workflows_are_paused_together_and_strangers_are_left_alone(
    client: Client, alder: World, birch: World
) -> None:
    client.force_login(alder.owner)
    ticked = [str(alder.workflow.pk), str(birch.workflow.pk), "nonsense"]
    client.post(reverse("workflows:bulk"), {"action": "pause", "workflow": ticked})
    for world, status in ((alder, "PAUSED"), (birch, "ACTIVE")):
        with world.scope():
            assert Workflow.objects.get(pk=world.workflow.pk).status == status
