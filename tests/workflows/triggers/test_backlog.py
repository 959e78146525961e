"""The ceiling on waiting runs: told to whoever sends, written down, and cheap to ask for."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Organization
from tests.workflows.triggers.publishing import published, trigger_of
from tests.worlds import World, make_execution
from workflows.models import Execution, TriggerDecision
from workflows.triggers import addresses, api, backlog, manual, pace, webhook


@pytest.fixture(autouse=True)
def a_low_ceiling(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses.forget_all()
    backlog.forget_all()
    webhook._refusals = pace.Pace(1_000, 1_000)
    monkeypatch.setattr(backlog, "MOST_WAITING", dict.fromkeys(Organization.Plan, 3))


def send(client: Client, token: str | None) -> Any:
    return client.post(f"/hooks/{token}/", data="{}", content_type="application/json")


def reasons(world: World, workflow: Any) -> list[str]:
    with world.scope():
        rows = TriggerDecision.objects.filter(workflow=workflow).order_by("id")
        return list(rows.values_list("reason", flat=True))


def test_a_webhook_is_told_to_come_back_when_the_line_is_full(client: Client, alder: World) -> None:
    workflow = published(alder, {"type": "webhook"})
    token = trigger_of(workflow, alder).token
    answers = [send(client, token) for _number in range(4)]
    assert [each.status_code for each in answers] == [202, 202, 202, 429]
    assert answers[-1].headers["Retry-After"] == "30"
    assert answers[-1].json()["error"] == "backlog_full"
    assert answers[-1].json()["message"].startswith("3 runs are waiting already")
    assert reasons(alder, workflow) == ["STARTED"] * 3 + ["BACKLOG_FULL"]
    with alder.scope():
        assert Execution.objects.filter(workflow=workflow).count() == 3
        Execution.objects.filter(workflow=workflow).update(status="RUNNING")
    backlog.forget_all()
    assert send(client, token).status_code == 202


def test_another_organization_is_not_held_up(client: Client, alder: World, birch: World) -> None:
    with alder.scope():
        for _number in range(3):
            make_execution(alder)
    assert backlog.is_full(alder.organization.pk, "PROFESSIONAL")
    assert not backlog.is_full(birch.organization.pk, "PROFESSIONAL")


@pytest.mark.parametrize("by", ["a person", "a program"])
def test_who_starts_a_run_is_told_why_not(alder: World, by: str) -> None:
    workflow = published(alder)
    with alder.scope():
        for _number in range(3):
            make_execution(alder)
        start = api.start_by_api if by == "a program" else partial(manual.start_manually, user=alder.owner)
        with pytest.raises(manual.NotStarted) as refused:
            start(workflow)
    assert (refused.value.reason, refused.value.retry_seconds) == ("BACKLOG_FULL", 30)
    assert reasons(alder, workflow) == ["BACKLOG_FULL"]


def test_most_requests_do_not_count(alder: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "MOST_WAITING", dict.fromkeys(Organization.Plan, 10_000))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        for _number in range(500):
            backlog.is_full(alder.organization.pk, "STARTER")
    counted = [each for each in queries if "count(*)" in each["sql"]]
    assert len(counted) == 1


def test_counting_looks_at_no_more_rows_than_the_ceiling(alder: World) -> None:
    with alder.scope(), connection.cursor() as cursor:
        for _number in range(20):
            make_execution(alder)
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) " + backlog.COUNT, [alder.organization.pk, 3]
        )
        text = "\n".join(row[0] for row in cursor.fetchall())
    assert "Seq Scan" not in text
    assert "Index Cond: (organization_id" in text or "Index Cond: ((organization_id" in text, text
    assert backlog.count(alder.organization.pk, 3) == 3
