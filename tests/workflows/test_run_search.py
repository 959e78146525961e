"""Runs are found by a value of their input or output: whole words, any case, one organization's own, bounded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.tenancy import system_scope
from tests.worlds import World, make_execution
from workflows.models import Execution, WorkflowAssignment
from workflows.queries import run_search
from workflows.search_index import index_runs

ORDER = {
    "order": {"id": 1042, "lines": [{"sku": "RYE-500"}]},
    "email": "Ada@Example.com",
    "note": "Please ring twice",
}


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=1)


def made(world: World, **fields: Any) -> Execution:
    with world.scope():
        return make_execution(world, **{"status": "COMPLETED", "result": "SUCCESS"} | fields)


def found(world: World, value: str, **bounds: Any) -> list[Any]:
    with world.scope():
        return run_search.matches(value, **bounds)


@pytest.mark.parametrize(
    "value", ["1042", "rye-500", "ADA@example.com", "ring", " twice ring ", "#1042", "“twice”"]
)
def test_a_run_is_found_by_a_value_of_its_input(alder: World, value: str) -> None:
    run = made(alder, input=ORDER)
    made(alder, input={"order": {"id": 1043}})
    index_runs(soon())
    assert found(alder, value) == [run.pk]


@pytest.mark.parametrize("value", ["104", "10421", "ada", "ring 1043", "lines", "", "?", "x" * 5000])
def test_parts_of_words_names_of_fields_and_nothing_find_nothing(alder: World, value: str) -> None:
    made(alder, input=ORDER)
    index_runs(soon())
    assert found(alder, value) == []


def test_the_output_is_found_once_the_run_has_ended(alder: World) -> None:
    run = made(alder, status="WAITING", result="PENDING", input={"name": "Ada"})
    index_runs(soon())
    assert found(alder, "ada") == [run.pk]
    with alder.scope():
        Execution.objects.filter(pk=run.pk).update(
            status="COMPLETED", result="SUCCESS", output={"invoice": "INV-9"}
        )
    index_runs(soon())
    assert found(alder, "inv-9") == [run.pk]
    with system_scope("look"), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM workflows_runwordopen")
        assert cursor.fetchone()[0] == 0


def test_no_organization_finds_what_anothers_run_holds(alder: World, birch: World) -> None:
    made(birch, input=ORDER)
    index_runs(soon())
    assert found(alder, "1042") == []
    with alder.scope(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM workflows_runword")
        assert cursor.fetchone()[0] == 0


def test_headers_of_a_webhook_are_no_values(alder: World) -> None:
    run = made(
        alder, input={"body": {"n": "4711"}, "headers": {"user-agent": "robot-7"}, "query": {"shop": "north"}}
    )
    index_runs(soon())
    assert found(alder, "4711") == found(alder, "north") == [run.pk]
    assert found(alder, "robot-7") == []


def test_a_run_is_found_by_its_own_id(alder: World) -> None:
    run = made(alder)
    assert found(alder, str(run.pk)) == [run.pk]


def test_long_documents_give_their_numbers_and_addresses_first(alder: World) -> None:
    run = made(
        alder, input={"text": " ".join(f"{chr(97 + n % 26)}word" * 2 for n in range(300)), "id": "C-99"}
    )
    index_runs(soon())
    assert found(alder, "c-99") == [run.pk]
    with system_scope("look"), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM workflows_runword")
        assert cursor.fetchone()[0] <= 48


def test_a_run_that_may_still_be_uncommitted_is_waited_for(alder: World) -> None:
    run = made(alder, input=ORDER)
    index_runs(datetime.now(UTC))
    assert found(alder, "1042") == []
    index_runs(soon())
    assert found(alder, "1042") == [run.pk]


def test_the_list_shows_pages_of_what_was_found_with_the_other_filters(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    with alder.scope():
        runs = [
            make_execution(alder, status="FAILED" if n % 2 else "COMPLETED", input={"shop": "north"})
            for n in range(80)
        ]
    index_runs(soon())
    url, seen, pages = f"{reverse('workflows:runs')}?q=north&status=FAILED", [], []
    while url:
        page = client.get(url).context["page"]
        pages.append(page)
        seen += [run.pk for run in page]
        url = reverse("workflows:runs") + page.next_url if page.next_url else ""
    assert seen == [run.pk for run in reversed(runs) if run.status == "FAILED"]
    back = client.get(reverse("workflows:runs") + pages[1].previous_url).context["page"]
    assert [run.pk for run in back] == seen[:30]


def test_a_member_finds_no_run_of_a_workflow_that_is_not_theirs(client: Client, alder: World) -> None:
    made(alder, input=ORDER)
    index_runs(soon())
    with alder.scope():
        WorkflowAssignment.objects.all().delete()
    client.force_login(alder.member)
    assert len(client.get(reverse("workflows:runs"), {"q": "1042"}).context["page"]) == 0


def test_matches_beyond_the_bound_are_told(
    client: Client, alder: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(alder.owner)
    for _place in range(6):
        made(alder, input={"shop": "north"})
    index_runs(soon())
    monkeypatch.setattr(run_search, "MAX_MATCHES", 5)
    page = client.get(reverse("workflows:runs"), {"q": "north", "status": "COMPLETED"})
    assert (len(page.context["page"]), page.context["is_cut"]) == (5, True)
    page = client.get(reverse("workflows:runs"), {"q": "north"})
    assert (len(page.context["page"]), page.context["is_cut"]) == (6, False)
