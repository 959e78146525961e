"""A run's page: what happened in order, loops folded, nothing large read, and what can be done about it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.tenancy import system_scope
from tests.worlds import World, make_execution, make_workflow
from workflows.models import Execution, ExecutionLog, ExecutionStep, TriggerDecision
from workflows.queries import timeline

LOOP = {
    "version": 1,
    "steps": [
        {
            "id": "route",
            "type": "branch",
            "branches": [
                {
                    "name": "vip",
                    "when": {"value": "1", "is": "true"},
                    "steps": [{"id": "gift", "type": "set", "values": {"a": 1}}],
                }
            ],
            "otherwise": [{"id": "card", "type": "set", "values": {"a": 1}}],
        },
        {
            "id": "each",
            "name": "Every guest",
            "type": "loop",
            "items": [1, 2],
            "steps": [{"id": "greet", "name": "Greet", "type": "set", "values": {"a": "{{ item }}"}}],
        },
        {"id": "last", "type": "set", "values": {"a": 1}},
    ],
}


def run_of(world: World, rounds: int = 0, **fields: Any) -> Execution:
    """Make a run of LOOP that went the way `vip` and did `rounds` rounds, the last of which failed."""
    with system_scope("make a run"):
        workflow, version = make_workflow(world.organization, world.owner, name="Guests", definition=LOOP)
        run = make_execution(world, **fields)
        type(run).objects.filter(pk=run.pk).update(workflow=workflow, version=version)
        paths = [
            "route",
            "route.vip.gift",
            *(["each"] if rounds else []),
            *(f"each[{n}].greet" for n in range(rounds)),
        ]
        ExecutionStep.objects.bulk_create(
            step(world, run, path, failed=path == f"each[{rounds - 1}].greet") for path in paths
        )
    return run


def step(world: World, run: Execution, path: str, failed: bool = False, **fields: Any) -> ExecutionStep:
    return ExecutionStep(
        organization=world.organization,
        execution=run,
        path=path,
        step_id=path.rsplit(".", 1)[-1],
        step_type="set",
        status="FAILED" if failed else "COMPLETED",
        input={"secretive": "x" * 5000},
        output={"text": "</script><b>bold</b>"},
        finished_at=timezone.now(),
        error={"class": "temporary", "message": "The service was away."} if failed else None,
        **fields,
    )


def test_the_timeline_follows_the_recipe_and_shows_the_way_that_was_gone(
    client: Client, alder: World
) -> None:
    client.force_login(alder.viewer)
    nodes = client.get(reverse("workflows:run", args=[run_of(alder, 2).pk])).context["nodes"]
    assert [(node.path, node.status) for node in nodes] == [
        ("route", "COMPLETED"),
        ("each", "COMPLETED"),
        ("last", ""),
    ]
    assert [[each.path for each in way.nodes] for way in nodes[0].ways] == [["route.vip.gift"]]
    assert [(each.number, each.status) for each in nodes[1].rounds] == [(1, "COMPLETED"), (2, "FAILED")]


def test_a_loop_shows_fifty_rounds_and_counts_all(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    run = run_of(alder, 120)
    node = client.get(reverse("workflows:run", args=[run.pk])).context["nodes"][1]
    assert (len(node.rounds), node.total, node.failed, node.more_from) == (50, 120, 1, 50)
    more = client.get(reverse("workflows:run-rounds", args=[run.pk, "each"]), {"from": "100"}).context["node"]
    assert [each.number for each in more.rounds] == list(range(101, 121))
    assert more.more_from == 0
    assert client.get(reverse("workflows:run-rounds", args=[run.pk, "last"])).status_code == 404
    assert client.get(reverse("workflows:run-rounds", args=[run.pk, "nothing"])).status_code == 404


def test_a_long_loop_costs_as_many_queries_as_a_short_one_and_reads_no_payload(
    client: Client, alder: World
) -> None:
    client.force_login(alder.owner)
    counts = []
    for rounds in (3, 300):
        run = run_of(alder, rounds)
        url = reverse("workflows:run", args=[run.pk])
        client.get(url)
        with CaptureQueriesContext(connection) as captured:
            assert "secretive" not in client.get(url).text
        counts.append(len(captured))
        assert not [each for each in captured if '"workflows_executionstep"."input"' in each["sql"]]
        with system_scope("next round"):
            run.workflow.__class__.objects.filter(name="Guests").update(status="ARCHIVED")
    assert counts[0] == counts[1]


def test_a_watching_page_gets_nothing_until_something_changes(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    run = run_of(alder, 1, status="RUNNING")
    url = reverse("workflows:run-timeline", args=[run.pk])
    page = client.get(reverse("workflows:run", args=[run.pk]))
    assert "every 1s" in page.text
    seen = page.context["seen"]
    assert client.get(url, {"seen": seen}).status_code == 204
    with alder.scope():
        step(alder, run, "last").save()
    assert client.get(url, {"seen": seen}).status_code == 200


def test_a_finished_run_stops_the_asking(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    run = run_of(alder, 1, status="COMPLETED", result="SUCCESS")
    with alder.scope():
        seen = timeline.fingerprint(run)
    response = client.get(reverse("workflows:run-timeline", args=[run.pk]), {"seen": seen})
    assert response.status_code == 200
    assert 'hx-trigger="every' not in response.text


@pytest.mark.parametrize(
    ("error_class", "words"),
    [
        ("temporary", "resume the run"),
        ("permanent", "newest version"),
        ("reconnect", "Renew"),
        ("platform", "our fault"),
    ],
)
def test_a_failed_run_says_why_and_what_helps(
    client: Client, alder: World, error_class: str, words: str
) -> None:
    client.force_login(alder.owner)
    error = {"class": error_class, "message": "No answer.", "step": "each[1].greet", "detail": "HTTP 503"}
    page = client.get(reverse("workflows:run", args=[run_of(alder, 2, status="FAILED", error=error).pk]))
    reason = page.context["reason"]
    assert "Greet (item 2)" in reason.title
    assert words in reason.text
    assert "HTTP 503" in page.text


@pytest.mark.parametrize(
    ("error_class", "words"),
    [
        ("temporary", "Try this step again"),
        ("permanent", "Fix this step in the editor"),
        ("reconnect", "Reconnect the service"),
        ("platform", "Try this step again"),
    ],
)
def test_the_failed_step_carries_the_button_that_helps(
    client: Client, alder: World, error_class: str, words: str
) -> None:
    error = {"class": error_class, "message": "No answer.", "step": "each[1].greet"}
    url = reverse("workflows:run", args=[run_of(alder, 2, status="FAILED", error=error).pk])
    client.force_login(alder.owner)
    assert client.get(url).text.count(words) == 1
    client.force_login(alder.viewer)
    assert ("integrations" in words or "service" in words) == (words in client.get(url).text)


def test_a_step_that_waits_for_a_person_leads_to_the_question(client: Client, alder: World) -> None:
    run = run_of(alder, 0, status="WAITING", waiting_for=[{"kind": "approval", "path": "last"}])
    with alder.scope():
        waiting = step(alder, run, "last")
        waiting.status = "WAITING"
        waiting.save()
    client.force_login(alder.owner)
    assert client.get(reverse("workflows:run", args=[run.pk])).text.count("Open the question") == 2


@pytest.mark.parametrize(
    "kind",
    [
        "approval",
        "uncertain_effect",
        "held_integration",
        "plan_limit",
        "overlap",
        "child",
        "wait",
        "delay",
        "new",
    ],
)
def test_a_waiting_run_says_what_it_waits_for(client: Client, alder: World, kind: str) -> None:
    client.force_login(alder.owner)
    run = run_of(
        alder,
        1,
        status="WAITING",
        waiting_for=[{"kind": kind, "path": "each", "key": "k"}],
        wake_at=timezone.now(),
    )
    page = client.get(reverse("workflows:run", args=[run.pk]))
    assert len(page.context["waits"]) == 1
    assert str(page.context["waits"][0].title) in page.text


def test_data_of_a_step_is_read_when_asked_for_and_shown_as_text(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    run = run_of(alder, 1)
    with alder.scope():
        found = ExecutionStep.objects.get(execution=run, path="route.vip.gift")
        ExecutionLog.objects.create(execution=run, step_id="route.vip.gift", message="Wrapped it")
    url = reverse("workflows:step-data", args=[run.pk, found.pk])
    part = client.get(url, headers={"HX-Request": "true"}).text
    assert "secretive" in part
    assert "Wrapped it" in part
    assert "<b>bold" not in part
    assert "<!doctype" not in part
    assert "<!doctype" in client.get(url).text


def test_running_by_hand_asks_for_the_inputs_and_starts(client: Client, alder: World) -> None:
    definition = {
        "version": 1,
        "inputs": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
        "steps": [{"id": "greet", "type": "set", "values": {"text": "Hi {{ inputs.name }}"}}],
    }
    with system_scope("a workflow with inputs"):
        workflow, _version = make_workflow(
            alder.organization, alder.owner, name="Asks", definition=definition
        )
    client.force_login(alder.owner)
    url = reverse("workflows:run-now", args=[workflow.pk])
    assert 'name="input-name"' in client.get(url).text
    assert client.post(url, {}).status_code == 422
    response = client.post(url, {"input-name": "Ada"})
    assert response.status_code == 302
    with alder.scope():
        run = Execution.objects.get(workflow=workflow)
        assert (run.input, run.mode, run.triggered_by_user_id) == ({"name": "Ada"}, "LIVE", alder.owner.pk)
        assert TriggerDecision.objects.get(workflow=workflow).execution_id == run.pk


def test_the_draft_can_be_tried_without_publishing(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    url = reverse("workflows:run-now", args=[alder.workflow.pk]) + "?draft=1"
    client.post(url, {"dry_run": "1"})
    with alder.scope():
        run = Execution.objects.get(workflow=alder.workflow)
    assert (run.mode, run.version_id) == ("DRY_RUN", None)
    assert client.get(reverse("workflows:run", args=[run.pk])).status_code == 200


def test_a_paused_workflow_is_not_run_and_says_what_to_do(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    client.post(reverse("workflows:pause", args=[alder.workflow.pk]))
    response = client.post(reverse("workflows:run-now", args=[alder.workflow.pk]))
    assert response.status_code == 422
    assert "Resume it" in response.text
    with alder.scope():
        assert TriggerDecision.objects.get(workflow=alder.workflow).reason == "PAUSED"


def test_cancel_resume_and_restart_do_what_they_say(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    with alder.scope():
        pending = make_execution(alder)
        failed = make_execution(alder, status="FAILED", result="FAILURE", input={"name": "Ada"})
    client.post(reverse("workflows:cancellation", args=[pending.pk]))
    resumed = client.post(reverse("workflows:resumption", args=[failed.pk])).headers["Location"]
    again = client.post(reverse("workflows:restart", args=[failed.pk])).headers["Location"]
    with alder.scope():
        assert Execution.objects.get(pk=pending.pk).status == "CANCELLED"
        assert Execution.objects.get(pk=resumed.split("/")[2]).relation == "RESUME"
        made = Execution.objects.get(pk=again.split("/")[2])
    assert (made.relation, made.parent_id, made.input) == ("RESTART", failed.pk, {"name": "Ada"})


def test_ticked_runs_are_repeated_together_and_strangers_are_left_alone(
    client: Client, alder: World, birch: World
) -> None:
    client.force_login(alder.owner)
    with system_scope("make runs"):
        mine = [make_execution(alder, status="FAILED", result="FAILURE") for _place in range(2)]
        theirs = make_execution(birch, status="FAILED", result="FAILURE")
    ticked = [str(run.pk) for run in (*mine, theirs)]
    client.post(reverse("workflows:runs-bulk"), {"action": "restart", "run": ticked})
    with system_scope("count"):
        parents = Execution.objects.filter(relation="RESTART").values_list("parent_id", flat=True)
        assert set(parents) == {run.pk for run in mine}


def test_webhook_addresses_come_with_a_line_to_paste(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    with alder.scope():
        from workflows.models import Trigger

        Trigger.objects.create(
            workflow=alder.workflow,
            key="webhook",
            kind="WEBHOOK",
            token="a-token-of-some-length",
            settings={"type": "webhook", "auth": {"method": "header", "header": "X-Key"}},
        )
    url = reverse("workflows:triggers", args=[alder.workflow.pk])
    card = client.get(url).context["cards"][0]
    assert card.url.endswith("/hooks/a-token-of-some-length/")
    assert card.curl.startswith("curl -X POST")
    assert "X-Key: YOUR-SECRET" in card.curl
    client.post(
        reverse("workflows:trigger-secret", args=[alder.workflow.pk, card.trigger.pk]),
        {"secret": "open sesame"},
    )
    page = client.get(url)
    assert page.context["cards"][0].has_secret
    assert "open sesame" not in page.text
    with alder.scope():
        assert "open sesame" not in json.dumps(Trigger.objects.get(pk=card.trigger.pk).state)
