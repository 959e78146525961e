"""Starting again from a step: the data before it as fields or JSON, checked, and a new run that says where it began."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent
from accounts.tenancy import system_scope
from tests.worlds import World, make_execution, make_workflow
from workflows.forking import fork_form
from workflows.models import Execution, ExecutionStep

SHOP = {
    "version": 1,
    "steps": [
        {"id": "order", "name": "Read the order", "type": "set", "values": {"number": 1}},
        {"id": "lines", "type": "set", "values": {"rows": [1]}},
        {
            "id": "each",
            "type": "loop",
            "items": [1, 2],
            "steps": [
                {"id": "pack", "type": "set", "values": {"a": 1}},
                {"id": "label", "type": "set", "values": {"a": "{{ steps.pack.output.a }}"}},
            ],
        },
        {"id": "mail", "name": "Write", "type": "set", "values": {"to": "{{ steps.order.output.email }}"}},
    ],
}
# PostgreSQL keeps shorter names first: note, paid, email, number.
ORDER = {"number": 1042, "email": "ada@example.com", "paid": True, "note": None}


def shop_run(world: World, **fields: Any) -> Execution:
    """A run that did order, lines, two rounds of each, and failed at mail."""
    with system_scope("make a run"):
        workflow, version = make_workflow(world.organization, world.owner, name="Shop", definition=SHOP)
        run = make_execution(
            world, **{"status": "FAILED", "result": "FAILURE", "input": {"shop": "north"}} | fields
        )
        Execution.objects.filter(pk=run.pk).update(workflow=workflow, version=version)
        began = timezone.now() - timedelta(minutes=1)
        outputs = {
            "order": ORDER, "lines": {"rows": [{"sku": "rye"}]}, "each[0].pack": {"a": 1}, "each[0].label": {"a": 1},
            "each[1].pack": {"a": 2}, "each[1].label": {"a": 2}, "each": [1, 2], "mail": None,
        }  # fmt: skip
        for place, (path, output) in enumerate(outputs.items()):
            moment = began + timedelta(seconds=place)
            ExecutionStep.objects.create(
                organization=world.organization, execution=run, path=path, step_id=path.rsplit(".", 1)[-1],
                step_type="set", status="FAILED" if path == "mail" else "COMPLETED", output=output,
                started_at=moment, finished_at=moment,
            )  # fmt: skip
    return run


def address(run: Execution, path: str = "mail") -> str:
    return reverse("workflows:run-fork", args=[run.pk, path])


def test_the_form_shows_flat_data_as_fields_and_the_rest_as_json(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    page = client.get(address(shop_run(alder)))
    sources = {source.key: source for source in page.context["form"].sources}
    assert list(sources) == ["trigger", "order", "lines", "each"]
    assert [entry.kind for entry in sources["order"].entries] == ["empty", "truth", "text", "number"]
    assert sources["order"].is_used
    assert not sources["lines"].is_used
    assert '"sku": "rye"' in sources["lines"].text
    assert "Read the order" in page.text


def test_a_step_in_a_loop_offers_its_own_round_and_no_other(alder: World) -> None:
    run = shop_run(alder)
    with alder.scope():
        found = Execution.objects.get(pk=run.pk)
        keys = [source.key for source in fork_form(found, "each[1].label").sources]
    assert keys == ["trigger", "each[1].pack", "order", "lines"]


def test_changed_data_begins_a_new_run_and_leaves_the_first_as_it_was(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    run = shop_run(alder)
    sent = {
        "s0-0": "south",
        "s1-0": "",
        "s1-1": "false",
        "s1-2": "grace@example.com",
        "s1-3": "7",
        "s2": "[]",
    }
    response = client.post(address(run), sent)
    with alder.scope():
        made = Execution.objects.get(pk=response.headers["Location"].split("/")[2])
        outputs = dict(ExecutionStep.objects.filter(execution=made).values_list("path", "output"))
        assert ExecutionStep.objects.get(execution=run, path="order").output == ORDER
        assert (made.relation, made.parent_id, made.parent_path) == ("FORK", run.pk, "mail")
        assert made.input == {"shop": "south"}
        event = AuditEvent.objects.get(action="run.forked")
    assert outputs["order"] == {"number": 7, "email": "grace@example.com", "paid": False, "note": None}
    assert outputs["lines"] == []
    assert "mail" not in outputs
    assert event.after["changed"] == ["lines", "order", "trigger"]


def test_what_nobody_touched_is_taken_over_as_it_was(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    response = client.post(address(shop_run(alder)), {})
    with alder.scope():
        made = Execution.objects.get(pk=response.headers["Location"].split("/")[2])
        assert ExecutionStep.objects.get(execution=made, path="order").output == ORDER
        assert AuditEvent.objects.get(action="run.forked").after["changed"] == []


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"s2": '{"rows": [}'}, "Line 1, character 11"),
        ({"s2": "NaN"}, "not valid JSON"),
        ({"s1-3": "many"}, "Enter a number"),
        ({"s1-1": "perhaps"}, "Choose yes or no"),
    ],
)
def test_data_that_cannot_be_read_is_pointed_at_and_kept(
    client: Client, alder: World, sent: dict[str, str], words: str
) -> None:
    client.force_login(alder.owner)
    run = shop_run(alder)
    response = client.post(address(run), sent)
    assert response.status_code == 422
    assert words in response.text
    with alder.scope():
        assert not Execution.objects.filter(parent_id=run.pk).exists()


def test_a_step_that_was_never_reached_sends_back_to_the_run(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    run = shop_run(alder)
    for path in ("nowhere", "each[7].pack"):
        assert client.get(address(run, path)).headers["Location"] == reverse("workflows:run", args=[run.pk])
    going = shop_run_again(alder)
    assert client.get(address(going)).status_code == 302


def shop_run_again(world: World) -> Execution:
    with system_scope("make room for another workflow of that name"):
        world.workflow.__class__.objects.filter(name="Shop").update(status="ARCHIVED")
    return shop_run(world, status="RUNNING", result="PENDING")


def test_very_long_data_is_taken_over_without_being_shown(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    run = shop_run(alder)
    with alder.scope():
        ExecutionStep.objects.filter(execution=run, path="lines").update(output={"rows": "x" * 70_000})
    page = client.get(address(run))
    assert len(page.content) < 100_000
    assert "too long to change here" in page.text
    response = client.post(address(run), {})
    with alder.scope():
        made = response.headers["Location"].split("/")[2]
        assert len(ExecutionStep.objects.get(execution=made, path="lines").output["rows"]) == 70_000


def test_the_run_page_offers_it_and_both_runs_point_at_each_other(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    run = shop_run(alder)
    assert address(run) in client.get(reverse("workflows:run", args=[run.pk])).text
    new = client.post(address(run), {}).headers["Location"]
    assert reverse("workflows:run", args=[run.pk]) in client.get(new).text
    assert "Write" in client.get(new).text
    assert new in client.get(reverse("workflows:run", args=[run.pk])).text


def test_the_form_asks_as_often_for_many_steps_as_for_few(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    run = shop_run(alder)
    counts = []
    for rounds in (0, 60):
        with alder.scope():
            ExecutionStep.objects.bulk_create(
                ExecutionStep(
                    organization=alder.organization, execution=run, path=f"extra{n}", step_id=f"extra{n}",
                    step_type="set", status="COMPLETED", output={"n": n}, started_at=run.started_at,
                    finished_at=run.started_at - timedelta(hours=1),
                )
                for n in range(rounds)
            )  # fmt: skip
        client.get(address(run))
        with CaptureQueriesContext(connection) as captured:
            page = client.get(address(run))
        counts.append(len(captured))
    assert counts[0] == counts[1]
    assert page.context["form"].hidden == 23
