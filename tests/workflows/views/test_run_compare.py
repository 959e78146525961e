"""Two runs beside each other: what differs is open and named value by value, and loops are counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.worlds import World, make_execution, make_workflow
from workflows.models import Execution, ExecutionStep, Workflow, WorkflowVersion
from workflows.queries.comparison import differences

DEFINITION = {
    "version": 1,
    "steps": [
        {"id": "read", "name": "Read it", "type": "set", "values": {"a": 1}},
        {
            "id": "each",
            "type": "loop",
            "items": [1],
            "steps": [{"id": "do", "type": "set", "values": {"a": 1}}],
        },
        {"id": "write", "type": "set", "values": {"a": 1}},
    ],
}


@pytest.fixture
def shop(alder: World) -> tuple[Workflow, WorkflowVersion]:
    with alder.scope():
        return make_workflow(alder.organization, alder.owner, name="Shop", definition=DEFINITION)


def run_of(
    world: World,
    shop: tuple[Workflow, WorkflowVersion],
    outputs: dict[str, Any],
    *,
    rounds: int = 0,
    **fields: Any,
) -> Execution:
    with world.scope():
        run = make_execution(world, **{"status": "COMPLETED", "result": "SUCCESS"} | fields)
        Execution.objects.filter(pk=run.pk).update(workflow=shop[0], version=shop[1])
        steps = outputs | {f"each[{n}].do": {"n": n} for n in range(rounds)}
        ExecutionStep.objects.bulk_create(
            ExecutionStep(
                execution=run, path=path, step_id=path.rsplit(".", 1)[-1], step_type="set", status="COMPLETED",
                output=output, duration_ms=5,
            )
            for path, output in steps.items()
        )  # fmt: skip
        return Execution.objects.get(pk=run.pk)


def compared(client: Client, second: Execution, first: Execution | None = None) -> Any:
    data = {"with": first.pk} if first else {}
    return client.get(reverse("workflows:run-compare", args=[second.pk]), data)


def test_values_that_differ_are_named_with_both_sides(client: Client, alder: World, shop: Any) -> None:
    client.force_login(alder.viewer)
    first = run_of(alder, shop, {"read": {"lines": [{"sku": "rye", "price": 3}]}, "write": {"ok": True}})
    second = run_of(
        alder, shop, {"read": {"lines": [{"sku": "rye", "price": 4}, {"sku": "oat"}]}, "write": {"ok": True}}
    )
    page = compared(client, second, first)
    rows = {row.path: row for row in page.context["comparison"].rows}
    assert [(each.path, each.first, each.second) for each in rows["read"].payloads[0].differences] == [
        ("lines[0].price", "3", "4"),
        ("lines[1].sku", None, "oat"),
    ]
    assert (rows["read"].is_different, rows["write"].is_different) == (True, False)
    assert page.context["comparison"].different == 1
    assert "<del>" in page.text


def test_without_a_choice_the_last_successful_run_before_is_taken(
    client: Client, alder: World, shop: Any
) -> None:
    client.force_login(alder.owner)
    now = timezone.now()
    good = run_of(alder, shop, {}, started_at=now - timedelta(hours=3))
    run_of(alder, shop, {}, started_at=now - timedelta(hours=2), status="FAILED", result="FAILURE")
    failed = run_of(alder, shop, {}, started_at=now - timedelta(hours=1), status="FAILED", result="FAILURE")
    run_of(alder, shop, {}, started_at=now)
    assert compared(client, failed).context["other"] == good
    assert compared(client, good).context["comparison"] is None
    assert "no other run" in compared(client, good).text


def test_a_step_that_only_one_run_reached_is_different(client: Client, alder: World, shop: Any) -> None:
    client.force_login(alder.owner)
    first = run_of(alder, shop, {"read": 1, "write": 1})
    second = run_of(alder, shop, {"read": 1})
    rows = {row.path: row for row in compared(client, second, first).context["comparison"].rows}
    assert list(rows) == ["read", "write"]
    assert (rows["read"].is_different, rows["write"].is_different) == (False, True)


def test_long_loops_are_counted_and_cost_nothing_more(client: Client, alder: World, shop: Any) -> None:
    client.force_login(alder.owner)
    counts = []
    for rounds in (2, 400):
        first = run_of(alder, shop, {"each": 1}, rounds=rounds)
        second = run_of(alder, shop, {"each": 1}, rounds=rounds + 1)
        compared(client, second, first)
        with CaptureQueriesContext(connection) as captured:
            page = compared(client, second, first)
        counts.append(len(captured))
        row = page.context["comparison"].rows[0]
        assert (row.first.rounds, row.second.rounds, row.is_different) == (rounds, rounds + 1, True)
        assert len(page.content) < 60_000
    assert counts[0] == counts[1]


def test_very_large_values_are_told_but_not_read(client: Client, alder: World, shop: Any) -> None:
    client.force_login(alder.owner)
    import random

    noise = random.Random(4).randbytes(400_000).hex()
    first, second = run_of(alder, shop, {"read": noise}), run_of(alder, shop, {"read": noise[::-1]})
    page = compared(client, second, first)
    assert "too much to compare" in page.text
    assert len(page.content) < 60_000


def test_a_strangers_run_cannot_be_compared_with(
    client: Client, alder: World, birch: World, shop: Any
) -> None:
    client.force_login(alder.owner)
    with birch.scope():
        theirs = make_execution(birch, status="COMPLETED", result="SUCCESS")
    assert compared(client, run_of(alder, shop, {}), theirs).status_code == 404


def test_two_ticked_runs_are_compared_older_first(client: Client, alder: World, shop: Any) -> None:
    client.force_login(alder.owner)
    older, newer = run_of(alder, shop, {}), run_of(alder, shop, {})
    url = reverse("workflows:runs-compare")
    response = client.get(url, {"run": [str(newer.pk), str(older.pk)]})
    assert response.headers["Location"] == f"/runs/{newer.pk}/compare/?with={older.pk}"
    assert client.get(response.headers["Location"]).context["other"] == older
    assert client.get(url, {"run": [str(older.pk)]}).headers["Location"] == reverse("workflows:runs")


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        (None, {"a": 1}, [("", "null", None), ("a", None, "1")]),
        ({"a": True}, {"a": 1}, [("a", "true", "1")]),
        ([1, 2], [1], [("[1]", "2", None)]),
        ({"a": {}}, {"a": []}, [("a", "{}", "[]")]),
    ],
)
def test_differences_are_told_by_their_path(first: Any, second: Any, expected: list[Any]) -> None:
    assert [(each.path, each.first, each.second) for each in differences(first, second)] == expected


def test_a_long_text_is_shown_where_it_begins_to_differ() -> None:
    found = differences("a" * 900 + "x", "a" * 900 + "y")[0]
    assert found.first is not None
    assert found.first.startswith("…aaa")
    assert found.first.endswith("x")
