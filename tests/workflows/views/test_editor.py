"""The text editor: faults with their line, drafts that nobody overwrites, publishing and bringing back."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client
from django.urls import reverse

from tests.worlds import SET_GREETING, World
from workflows import draft_text
from workflows.models import Workflow, WorkflowVersion

HTMX = {"HX-Request": "true"}


def stored(world: World) -> Workflow:
    with world.scope():
        return Workflow.objects.get(pk=world.workflow.pk)


def with_text(text: str, **changes: Any) -> dict[str, Any]:
    step = SET_GREETING["steps"][0] | {"values": {"text": text}}  # type: ignore[index]
    return {"version": 1, "triggers": [], "steps": [step], **changes}


def save(client: Client, world: World, document: Any, **fields: Any) -> Any:
    text = document if isinstance(document, str) else json.dumps(document, indent=2)
    data = {"document": text, "revision": 1, "base": json.dumps(with_text("base")), **fields}
    headers = HTMX if fields.pop("htmx", True) else {}
    return client.post(reverse("workflows:draft", args=[world.workflow.pk]), data, headers=headers)


def test_a_saved_draft_is_there_again_and_changes_nothing_that_runs(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    response = save(client, alder, with_text("Good morning"))
    assert response.status_code == 200
    assert response.headers["HX-Trigger"] == "steward:saved"
    workflow = stored(alder)
    assert workflow.revision == 2
    assert "Good morning" in client.get(reverse("workflows:edit-text", args=[workflow.pk])).context["text"]
    with alder.scope():
        assert WorkflowVersion.objects.get(pk=alder.version.pk).definition == SET_GREETING


def test_a_text_that_is_no_json_is_not_saved_and_names_the_line(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    response = save(client, alder, '{\n  "version": 1,\n  "steps": [,]\n}')
    assert response.status_code == 422
    assert 'data-line="3"' in response.text
    assert stored(alder).revision == 1


def test_a_faulty_draft_is_saved_and_the_fault_names_step_line_and_near_miss(
    client: Client, alder: World
) -> None:
    client.force_login(alder.owner)
    document = with_text("{{ steps.gret.output.text }}")
    document["steps"].append(
        {"id": "again", "type": "set", "values": {"text": "{{ steps.gret.output.text }}"}}
    )
    response = save(client, alder, document)
    assert response.status_code == 200
    problem = next(each for each in response.context["read"].problems if each.step_id == "again")
    lines = json.dumps(document, indent=2).split("\n")
    assert "steps.gret" in lines[problem.line - 1]
    assert "greet" in problem.message
    assert stored(alder).definition["steps"][1]["id"] == "again"


def test_saving_without_javascript_says_so_and_comes_back(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    response = client.post(
        reverse("workflows:draft", args=[alder.workflow.pk]),
        {"document": json.dumps(with_text("By form")).replace("\n", "\r\n"), "revision": 1},
        follow=True,
    )
    assert response.status_code == 200
    assert [str(message) for message in response.context["messages"]] == ["Draft saved."]


def test_broken_text_sent_without_javascript_is_shown_again(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    response = client.post(
        reverse("workflows:draft", args=[alder.workflow.pk]), {"document": "{oops", "revision": 1}
    )
    assert response.status_code == 422
    assert "{oops" in response.text


def test_two_people_who_change_the_same_place_are_told_and_nothing_is_overwritten(
    client: Client, alder: World
) -> None:
    client.force_login(alder.owner)
    base = json.dumps(draft_text.document_of(stored(alder)))
    save(client, alder, with_text("First"), base=base)
    response = save(client, alder, with_text("Second"), base=base)
    assert response.status_code == 422
    assert "colleague" in response.text
    assert stored(alder).definition["steps"][0]["values"] == {"text": "First"}


def test_keeping_ones_own_text_after_a_conflict_is_one_click(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    base = json.dumps(draft_text.document_of(stored(alder)))
    save(client, alder, with_text("First"), base=base)
    response = save(client, alder, with_text("Second"), base=base)
    assert f'name="force" value="{response.context["workflow"].revision}"' in response.text
    save(client, alder, with_text("Second"), base=base, force=response.context["workflow"].revision)
    assert stored(alder).definition["steps"][0]["values"] == {"text": "Second"}


def test_changes_in_different_steps_are_put_together(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    start = draft_text.document_of(stored(alder))
    base = json.dumps(start)
    mine = {**start, "steps": [*start["steps"], {"id": "mine", "type": "set", "values": {"a": "1"}}]}
    theirs = {**start, "steps": [start["steps"][0] | {"name": "Say hello"}]}
    save(client, alder, theirs, base=base)
    response = save(client, alder, mine, base=base)
    assert response.headers["HX-Retarget"] == "#editor"
    steps = stored(alder).definition["steps"]
    assert [step["id"] for step in steps] == ["greet", "mine"]
    assert steps[0]["name"] == "Say hello"


def test_triggers_that_both_changed_are_a_conflict_too(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    start = draft_text.document_of(stored(alder))
    base = json.dumps(start)
    save(client, alder, start | {"triggers": [{"type": "manual"}]}, base=base)
    response = save(client, alder, start | {"triggers": [{"type": "api"}]}, base=base)
    assert response.status_code == 422
    assert stored(alder).triggers == [{"type": "manual"}]


def test_the_first_schedule_is_kept_apart_and_shown_last(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    schedule = {"type": "schedule", "cron": "0 9 * * *"}
    save(client, alder, with_text("x", triggers=[schedule, {"type": "manual"}]))
    workflow = stored(alder)
    assert (workflow.schedule, workflow.triggers) == (schedule, [{"type": "manual"}])
    assert draft_text.document_of(workflow)["triggers"] == [{"type": "manual"}, schedule]


def test_what_is_shown_reads_back_as_what_is_stored(alder: World) -> None:
    workflow = stored(alder)
    document = json.loads(draft_text.text_of(workflow))
    assert draft_text.parts_of(document) == (workflow.definition, workflow.triggers, workflow.schedule)
    assert list(document["steps"][0])[:2] == ["id", "type"]


def test_publishing_makes_the_draft_what_runs(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    save(client, alder, with_text("Published"))
    url = reverse("workflows:publication", args=[alder.workflow.pk])
    assert [change.step_id for change in client.get(url).context["changes"]] == ["greet"]
    assert client.post(url, {"note": "Friendlier"}).status_code == 302
    with alder.scope():
        version = WorkflowVersion.objects.get(workflow=alder.workflow, number=2)
    assert (version.note, version.published_by_id) == ("Friendlier", alder.owner.pk)


def test_a_faulty_draft_is_not_published(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    save(client, alder, with_text("{{ steps.nobody.output }}"))
    response = client.post(reverse("workflows:publication", args=[alder.workflow.pk]), {"note": ""})
    assert response.status_code == 422
    assert stored(alder).published_version_id == alder.version.pk
    assert "nobody" in response.text


def test_an_old_version_can_be_made_the_draft_again(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    save(client, alder, with_text("Newer"))
    client.post(reverse("workflows:restoration", args=[alder.workflow.pk, 1]))
    assert stored(alder).definition == SET_GREETING


def test_a_new_workflow_is_valid_from_the_start(client: Client, alder: World) -> None:
    client.force_login(alder.member)
    for start in ("manual", "webhook", "schedule"):
        data = {"name": f"Starts by {start}", "category": "CUSTOM", "start": start}
        response = client.post(reverse("workflows:create"), data)
        assert response.status_code == 302
        page = client.get(response.headers["Location"])
        assert "Add the first step" in page.text, start
        assert [card.type for card in page.context["outline"].triggers] == [start]
    taken = client.post(
        reverse("workflows:create"), {"name": alder.workflow.name, "category": "CUSTOM", "start": "manual"}
    )
    assert taken.status_code == 422
    assert "already has this name" in taken.text


def test_what_a_customer_wrote_is_never_markup(client: Client, alder: World) -> None:
    client.force_login(alder.owner)
    save(client, alder, with_text("<script>alert(1)</script>"))
    response = client.get(reverse("workflows:edit-text", args=[alder.workflow.pk]))
    assert "<script>alert(1)" not in response.text
