"""Trying a workflow without sending, in the browser."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.workflows.saved_tests.recorded import ORDER, draft_of, keep, record
from tests.worlds import World, make_execution
from workflows.models import Execution, Workflow
from workflows.queries import dashboard, overview

SHOWN: dict[str, tuple[str, dict[str, Any]]] = {
    "route.large.tell": (
        "action",
        {
            "provider": "SLACK",
            "operation": "send_message",
            "with": {"channel": "#orders", "text": "Ann ordered"},
        },
    ),
    "file": (
        "http",
        {
            "method": "POST",
            "url": "https://archive.example/orders",
            "headers": {"Authorization": "Bearer hush-hush-hush"},
            "json": {"order_number": 7, "password": "hush-password"},
        },
    ),
    "ok": ("approval", {"title": "Send it?", "message": "Ann waits", "assignees": [{"role": "OWNER"}]}),
    "answer": ("respond", {"status": 202, "body": {"done": True}}),
}


def dry(world: World, **fields: Any) -> Execution:
    """Make a finished dry run that showed one call of each kind."""
    definition: Any = deepcopy(ORDER)
    definition["steps"] += [
        {"id": "file", "type": "http", "method": "POST", "url": "https://archive.example/orders"},
        {"id": "ok", "type": "approval", "title": "Send it?", "assignees": [{"role": "OWNER"}]},
        {"id": "pause", "type": "delay", "for": "3d"},
        {"id": "answer", "type": "respond", "status": 202},
    ]
    with world.scope():
        run = record(world, draft_of(world, definition), {}, mode="DRY_RUN", **fields)
        for path, (kind, sent) in SHOWN.items():
            keep(world, run, path, kind, output={"dry_run": True, "would_send": sent})
        keep(world, run, "pause", "delay", output={"until": "2026-11-26T09:00:00+00:00"})
        return run


def test_the_run_page_tells_what_would_be_sent_in_plain_words(client: Client, alder: World) -> None:
    run = dry(alder)
    client.force_login(alder.viewer)
    html = client.get(reverse("workflows:run", args=[run.pk])).content.decode()
    for words in (
        "This is a dry run: nothing was changed outside",
        "4 steps below would have sent something",
        "Would send – Slack: ",
        "Ann ordered",
        "Would send: POST to archive.example",
        "<dt>Order number</dt>",
        "Would ask for approval",
        "as if it had been approved",
        "Would wait until",
        "Would answer the request",
    ):
        assert words in html, words
    assert "hush" not in html


def test_a_real_run_has_no_such_words(client: Client, alder: World) -> None:
    with alder.scope():
        run = record(alder, draft_of(alder))
    client.force_login(alder.owner)
    html = client.get(reverse("workflows:run", args=[run.pk])).content.decode()
    assert "dry run" not in html
    assert "Save as a test" in html


def test_a_dry_run_cannot_become_a_test(client: Client, alder: World) -> None:
    run = dry(alder)
    client.force_login(alder.owner)
    assert "Save as a test" not in client.get(reverse("workflows:run", args=[run.pk])).content.decode()


def test_lists_mark_it(client: Client, alder: World) -> None:
    dry(alder)
    client.force_login(alder.owner)
    assert "Dry run</span>" in client.get(reverse("workflows:runs")).content.decode()


def test_it_is_started_from_the_workflow_page_with_the_newest_real_data(client: Client, alder: World) -> None:
    with alder.scope():
        workflow = draft_of(alder)
        record(alder, workflow, input={"number": 4711, "password": "hush-hush"})
    client.force_login(alder.owner)
    address = reverse("workflows:dry-run", args=[workflow.pk])
    assert address in client.get(reverse("workflows:detail", args=[workflow.pk])).content.decode()
    asked = client.get(address).content.decode()
    assert "4711" in asked
    assert "hush" not in asked
    response = client.post(address, {"sample": '{"number": 12}'})
    with alder.scope():
        run = Execution.objects.get(mode="DRY_RUN")
    assert response.headers["Location"] == reverse("workflows:run", args=[run.pk])
    assert (run.input, run.draft_definition["steps"][0]["id"]) == ({"number": 12}, "order")


@pytest.mark.parametrize(("source", "channel"), [("draft", "#new"), ("published", "#orders")])
def test_one_chooses_between_the_draft_and_what_is_published(
    client: Client, alder: World, source: str, channel: str
) -> None:
    definition: Any = deepcopy(ORDER)
    definition["steps"][1]["branches"][0]["steps"][0]["with"]["channel"] = "#new"
    with alder.scope():
        workflow = draft_of(alder)
        Workflow.objects.filter(pk=workflow.pk).update(definition=definition)
    client.force_login(alder.owner)
    client.post(reverse("workflows:dry-run", args=[workflow.pk]), {"source": source, "sample": ""})
    with alder.scope():
        run = Execution.objects.get(mode="DRY_RUN")
    steps = run.draft_definition["steps"][1]["branches"][0]["steps"]
    assert steps[0]["with"]["channel"] == channel


def test_wrong_data_is_explained(client: Client, alder: World) -> None:
    with alder.scope():
        workflow = draft_of(alder)
    client.force_login(alder.owner)
    response = client.post(reverse("workflows:dry-run", args=[workflow.pk]), {"sample": "{no"})
    assert response.status_code == 422
    assert "Enter a valid JSON" in response.content.decode()


def test_a_failed_dry_run_is_no_failure_of_the_workflow(alder: World) -> None:
    with alder.scope():
        good = make_execution(alder, status="COMPLETED", result="SUCCESS")
        make_execution(
            alder,
            status="FAILED",
            result="FAILURE",
            mode="DRY_RUN",
            started_at=timezone.now() + timedelta(seconds=1),
        )
        assert overview.health_of(alder.workflow).failed == 0
        (row,) = overview.with_last_runs([alder.workflow])
        assert row.last_run == good  # type: ignore[attr-defined]
        assert sum(dashboard.activity_of(alder.owner).bad) == 0
        assert not list(dashboard.needs_attention(alder.owner)["failed"])


def test_the_run_page_asks_as_often_for_many_shown_calls_as_for_one(client: Client, alder: World) -> None:
    run = dry(alder)
    client.force_login(alder.owner)
    address = reverse("workflows:run", args=[run.pk])
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    with alder.scope():
        for number in range(30):
            sent = {"dry_run": True, "would_send": SHOWN["file"][1]}
            keep(alder, run, f"extra{number}", "http", output=sent)
    with CaptureQueriesContext(connection) as many:
        client.get(address)
    assert len(many) == len(few)
