"""The block editor through its pages: each change, two people at once, undo, and what is wrong beside its field."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.worlds import World
from workflows.drafting.fields import CUSTOM
from workflows.models import DraftChange, Workflow

HTMX = {"HX-Request": "true"}
BRANCHED = {
    "version": 1,
    "steps": [
        {"id": "first", "type": "set", "values": {"text": "Hello"}},
        {
            "id": "route",
            "type": "branch",
            "branches": [
                {
                    "name": "big",
                    "when": {"value": "{{ trigger.body.total }}", "is": "gt", "to": 100},
                    "steps": [
                        {"id": "inner", "type": "set", "values": {"text": "{{ steps.first.output.text }}"}}
                    ],
                }
            ],
        },
        {"id": "last", "type": "stop"},
    ],
}


@pytest.fixture
def editor(client: Client, alder: World) -> Editor:
    """The owner of Alder with a branched draft open."""
    with alder.scope():
        Workflow.objects.filter(pk=alder.workflow.pk).update(
            definition=BRANCHED, triggers=[{"type": "webhook"}]
        )
    client.force_login(alder.owner)
    return Editor(client, alder)


class Editor:
    """Presses what the page offers."""

    def __init__(self, client: Client, world: World) -> None:
        self.client, self.world = client, world

    def url(self, name: str, *arguments: str) -> str:
        return reverse(f"workflows:{name}", args=[self.world.workflow.pk, *arguments])

    def stored(self) -> Workflow:
        with self.world.scope():
            return Workflow.objects.get(pk=self.world.workflow.pk)

    def steps(self) -> list[Any]:
        return self.stored().definition["steps"]

    def ids(self) -> list[str]:
        return [step["id"] for step in self.steps()]

    def post(self, name: str, *arguments: str, **data: Any) -> Any:
        return self.client.post(self.url(name, *arguments), data, follow=True)

    def form(self, step_id: str) -> dict[str, Any]:
        """Return what the form of a step holds when its page is opened."""
        context = self.client.get(self.url("edit-step", step_id)).context
        return {"base": context["base"], "revision": self.stored().revision, "key": step_id}


def test_the_page_reads_like_a_recipe_with_its_lanes(editor: Editor) -> None:
    page = editor.client.get(editor.url("edit")).text
    for words in (
        "When another system calls the webhook",
        "Keep text",
        "If the total is more than 100",
        "Otherwise",
        "Stop here",
    ):
        assert words in page
    assert page.count("editor-add last") == 3  # the workflow's own list, and the two ways of the branch


def test_a_draft_whose_blocks_cannot_be_told_apart_opens_as_text(editor: Editor) -> None:
    with editor.world.scope():
        Workflow.objects.filter(pk=editor.world.workflow.pk).update(
            definition={"version": 1, "steps": [{"id": "x"}]}
        )
    response = editor.client.get(editor.url("edit"), follow=True)
    assert response.redirect_chain[-1][0] == editor.url("edit-text")
    assert "without a type" in response.text


def test_a_step_is_added_where_the_plus_was(editor: Editor) -> None:
    response = editor.post("edit-add", kind="http", slot="route.branches.big", after="inner")
    assert response.redirect_chain[-1][0] == editor.url("edit-step", "http")
    assert [step["id"] for step in editor.steps()[1]["branches"][0]["steps"]] == ["inner", "http"]
    assert "This is needed." in response.text  # the address, beside its field
    editor.post("edit-add", kind="set", slot="route.otherwise", after="")
    assert [step["id"] for step in editor.steps()[1]["otherwise"]] == ["set"]


def test_the_chooser_finds_types_and_operations_and_shows_connected_services_first(editor: Editor) -> None:
    from integrations.models import Integration

    with editor.world.scope():
        Integration.objects.create(provider="SLACK", name="Bakery")
    everything = editor.client.get(editor.url("edit-choose")).text
    assert "Send a message" in everything
    assert everything.index("Slack") < everything.index("More services")
    found = editor.client.get(editor.url("edit-choose"), {"q": "channel create"}).text
    assert 'value="action:slack:create_channel"' in found
    assert 'value="branch"' not in found
    assert "Nothing found" in editor.client.get(editor.url("edit-choose"), {"q": "xyzzy"}).text


@pytest.mark.parametrize(
    ("name", "data", "ids"),
    [
        ("edit-move", {"to": "up"}, ["first", "last", "route"]),
        ("edit-move", {"slot": ".steps", "after": ""}, ["last", "first", "route"]),
        ("edit-move", {"to": "into"}, ["first", "route"]),
        ("edit-duplicate", {}, ["first", "route", "last", "last_2"]),
        ("edit-removal", {}, ["first", "route"]),
        ("edit-switch", {"disabled": "1"}, ["first", "route", "last"]),
    ],
)
def test_each_change_is_saved_and_the_toast_takes_it_back(
    editor: Editor, name: str, data: dict[str, str], ids: list[str]
) -> None:
    before = editor.stored().definition
    response = editor.post(name, "last", revision=1, **data)
    assert editor.ids() == ids
    assert editor.stored().definition != before
    with editor.world.scope():
        change = DraftChange.objects.get()
    undo = editor.url("edit-undo-one", str(change.pk))
    assert f'action="{undo}"' in response.text
    editor.client.post(undo)
    assert editor.stored().definition == before
    editor.post("edit-redo")
    assert editor.ids() == ids


def test_what_cannot_be_done_changes_nothing_and_says_why(editor: Editor) -> None:
    before = editor.stored().definition
    for step, data, words in (
        ("first", {"to": "up"}, "cannot move any further"),
        ("route", {"slot": "route.branches.big", "after": ""}, "into itself"),
        ("gone", {"to": "up"}, "no longer there"),
    ):
        assert words in editor.post("edit-move", step, **data).text
    assert editor.stored().definition == before


def test_deleting_a_step_that_others_refer_to_names_them(editor: Editor) -> None:
    assert (
        "now refers to something that is not there before it: inner"
        in editor.post("edit-removal", "first").text
    )


def test_steps_are_pasted_with_free_ids_and_nonsense_comes_back_with_the_reason(editor: Editor) -> None:
    editor.post("edit-paste", steps=json.dumps(BRANCHED["steps"][0]), slot=".steps", after="last")  # type: ignore[index]
    assert editor.ids() == ["first", "route", "last", "first_2"]
    response = editor.post("edit-paste", steps="{oops", slot=".steps", after="last")
    assert response.status_code == 422
    assert "This is not JSON" in response.text
    assert "{oops" in response.text


def test_ways_are_added_ordered_and_removed(editor: Editor) -> None:
    editor.post("edit-branches", "route", add="1")
    assert [branch["name"] for branch in editor.steps()[1]["branches"]] == ["big", "way_1"]
    editor.post("edit-branches", "route", up="way_1")
    editor.post("edit-branches", "route", remove="big")
    assert [branch["name"] for branch in editor.steps()[1]["branches"]] == ["way_1"]
    assert "The last branch stays" in editor.post("edit-branches", "route", remove="way_1").text


# --- Forms -----------------------------------------------------------------------------------------------------------


def test_a_form_saves_what_changed_and_keeps_the_steps_inside(editor: Editor) -> None:
    sent = editor.form("route") | {
        "f:name": "Is it big?",
        "f:branches.big.title": "Big orders",
        "f:branches.big.when:mode": "all",
        "f:branches.big.when:0:value": "{{ trigger.body.total }}",
        "f:branches.big.when:0:is": "gte",
        "f:branches.big.when:0:to": "200",
    }
    response = editor.client.post(editor.url("edit-step", "route"), sent)
    assert response.status_code == 302
    route = editor.steps()[1]
    assert (route["name"], route["branches"][0]["title"]) == ("Is it big?", "Big orders")
    assert route["branches"][0]["when"] == {"value": "{{ trigger.body.total }}", "is": "gte", "to": 200}
    assert route["branches"][0]["steps"][0]["id"] == "inner"


def test_a_pause_in_typing_saves_without_sending_the_fields_back(editor: Editor) -> None:
    sent = editor.form("first") | {"f:name": "Say hello", "f:timeout": "soon"}
    response = editor.client.post(editor.url("edit-step", "first"), sent, headers=HTMX)
    assert response.status_code == 200
    assert 'id="f-name"' not in response.text
    assert 'id="editor-list"' in response.text
    assert "Write a length of time" in response.text
    assert "Saved, but for what is marked" in response.text
    assert editor.steps()[0]["name"] == "Say hello"
    with editor.world.scope():
        again = sent | {"f:name": "Say hello to all"}
    editor.client.post(editor.url("edit-step", "first"), again, headers=HTMX)
    with editor.world.scope():
        assert DraftChange.objects.count() == 1  # typing in one form is one change


def test_two_people_at_different_fields_of_one_step_both_keep_their_words(editor: Editor) -> None:
    mine, theirs = editor.form("first"), editor.form("first")
    editor.client.post(editor.url("edit-step", "first"), theirs | {"f:note": "Their note"})
    editor.client.post(editor.url("edit-step", "first"), mine | {"f:name": "My name"})
    assert (editor.steps()[0]["name"], editor.steps()[0]["note"]) == ("My name", "Their note")


@pytest.mark.parametrize(("choice", "kept"), [("mine", "My name"), ("theirs", "Their name")])
def test_the_same_field_is_shown_with_both_values_and_a_choice(
    editor: Editor, choice: str, kept: str
) -> None:
    mine = editor.form("first")
    editor.client.post(editor.url("edit-step", "first"), mine | {"f:name": "Their name"})
    response = editor.client.post(
        editor.url("edit-step", "first"), mine | {"f:name": "My name"}, headers=HTMX
    )
    assert response.status_code == 422
    assert "My name" in response.text
    assert "Their name" in response.text
    assert editor.steps()[0]["name"] == "Their name"
    resolved = {
        "base": response.context["base"],
        "revision": 2,
        "f:name": "My name",
        "resolve:name": choice,
        "save": "1",
    }
    editor.client.post(editor.url("edit-step", "first"), resolved)
    assert editor.steps()[0]["name"] == kept


def test_typing_in_a_step_that_a_colleague_deleted_is_told(editor: Editor) -> None:
    sent = editor.form("first")
    editor.post("edit-removal", "first")
    response = editor.client.post(editor.url("edit-step", "first"), sent | {"f:name": "x"}, follow=True)
    assert "no longer there" in response.text


def test_undo_takes_my_change_back_and_leaves_what_others_did_since(editor: Editor, client: Client) -> None:
    editor.post("edit-switch", "first", disabled="1")
    client.force_login(editor.world.admin)
    editor.post("edit-switch", "last", disabled="1")
    client.force_login(editor.world.owner)
    editor.post("edit-undo")
    assert "disabled" not in editor.steps()[0]
    assert editor.steps()[2]["disabled"] is True
    assert "nothing to undo" in editor.post("edit-undo").text


def test_a_short_name_changes_everywhere(editor: Editor) -> None:
    sent = editor.form("first") | {"f:id": "start", "save": "1"}
    response = editor.client.post(editor.url("edit-step", "first"), sent)
    assert response.headers["Location"] == editor.url("edit-step", "start")
    assert editor.steps()[1]["branches"][0]["steps"][0]["values"]["text"] == "{{ steps.start.output.text }}"
    taken = editor.client.post(
        editor.url("edit-step", "start"), editor.form("start") | {"f:id": "last", "save": "1"}
    )
    assert "has this short name already" in taken.text
    assert editor.ids()[0] == "start"


def test_an_operation_brings_its_fields_its_account_and_a_value_of_ones_own(editor: Editor) -> None:
    page = editor.post("edit-add", kind="action:slack:send_message", slot=".steps", after="first")
    assert "Connect Slack" in page.text
    assert 'name="f:with.channel"' in page.text
    sent = editor.form("slack_send_message") | {
        "f:with.channel": CUSTOM,
        "f:with.channel:custom": "{{ trigger.body.channel }}",
        "f:with.text": "Hi",
    }
    editor.client.post(editor.url("edit-step", "slack_send_message"), sent)
    step = editor.steps()[1]
    assert step["with"] == {"channel": "{{ trigger.body.channel }}", "text": "Hi"}
    assert (step["provider"], step["operation"]) == ("slack", "send_message")


def test_steps_for_a_failure_are_not_lost_by_another_choice(editor: Editor) -> None:
    editor.client.post(editor.url("edit-step", "first"), editor.form("first") | {"f:on_error": "steps"})
    assert editor.steps()[0]["on_error"] == []
    editor.post("edit-add", kind="stop", slot="first.on_error", after="")
    response = editor.client.post(
        editor.url("edit-step", "first"), editor.form("first") | {"f:on_error": "fail", "save": "1"}
    )
    assert "Move or delete the steps below" in response.text
    assert len(editor.steps()[0]["on_error"]) == 1


# --- Triggers and settings -------------------------------------------------------------------------------------------


def test_a_schedule_is_set_in_words_and_shows_its_next_times(editor: Editor) -> None:
    page = editor.post("edit-add-trigger", kind="schedule")
    assert "The next times" in page.text
    form = {
        "base": page.context["base"],
        "s:mode": "weekly",
        "s:clock": "18:30",
        "s:days": ["1", "5"],
        "save": "1",
    }
    editor.client.post(editor.url("edit-trigger", "schedule"), form)
    assert editor.stored().schedule["cron"] == "30 18 * * 1,5"
    wrong = editor.client.post(editor.url("edit-trigger", "schedule"), form | {"s:days": [], "save": "1"})
    assert "Choose at least one day" in wrong.text


def test_triggers_are_switched_and_deleted_and_come_back(editor: Editor) -> None:
    editor.post("edit-switch-trigger", "webhook", disabled="1")
    assert editor.stored().triggers == [{"type": "webhook", "disabled": True}]
    editor.post("edit-removal-trigger", "webhook")
    assert editor.stored().triggers == []
    editor.post("edit-undo")
    assert editor.stored().triggers == [{"type": "webhook", "disabled": True}]


def test_what_a_run_by_hand_asks_for_is_kept_on_the_workflow(editor: Editor) -> None:
    page = editor.post("edit-add-trigger", kind="manual")
    form = {
        "base": page.context["base"],
        "f:inputs:there": "1",
        "f:inputs:0:title": "Order",
        "f:inputs:0:type": "text",
        "save": "1",
    }
    editor.client.post(editor.url("edit-trigger", "manual"), form)
    assert editor.stored().definition["inputs"]["properties"] == {
        "order": {"type": "string", "title": "Order"}
    }
    assert editor.stored().triggers == [{"type": "webhook"}, {"type": "manual"}]


def test_settings_of_the_whole_workflow_are_saved(editor: Editor) -> None:
    page = editor.client.get(editor.url("edit-settings"))
    form = {
        "base": page.context["base"],
        "f:settings.timeout": "2 hours",
        "f:settings.on_failure.notify": "owner\nmaria@bakery.example",
    }
    editor.client.post(editor.url("edit-settings"), form)
    assert editor.stored().definition["settings"] == {
        "timeout": "2h",
        "on_failure": {"notify": ["owner", "maria@bakery.example"]},
    }


# --- Cost and safety -------------------------------------------------------------------------------------------------


def test_a_long_workflow_costs_no_more_queries_than_a_short_one(editor: Editor) -> None:
    counts = []
    for length in (2, 200):
        steps = [{"id": f"s{number}", "type": "set", "values": {"a": "b"}} for number in range(length)]
        with editor.world.scope():
            Workflow.objects.filter(pk=editor.world.workflow.pk).update(
                definition={"version": 1, "steps": steps}
            )
        editor.client.get(editor.url("edit-step", "s1"))  # what a first visit of a session asks more
        with CaptureQueriesContext(connection) as queries:
            assert editor.client.get(editor.url("edit-step", "s1")).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_markup_in_names_stays_text(editor: Editor) -> None:
    with editor.world.scope():
        nasty = {
            "id": "a",
            "type": "set",
            "name": "<img src=x onerror=alert(1)>",
            "values": {"<b>": "</textarea><script>"},
        }
        Workflow.objects.filter(pk=editor.world.workflow.pk).update(
            definition={"version": 1, "steps": [nasty]}
        )
    page = editor.client.get(editor.url("edit-step", "a")).text
    assert "<img src=x" not in page
    assert "</textarea><script>" not in page


def test_conditions_are_grouped_and_taken_away_by_buttons(editor: Editor) -> None:
    name = "f:branches.big.when"
    sent = {
        "revision": "0", "key": "route", f"{name}:mode": "any",
        f"{name}:0:value": "{{ trigger.body.total }}", f"{name}:0:is": "gt", f"{name}:0:to": "100",
        f"{name}:1:value": "{{ trigger.body.vip }}", f"{name}:1:is": "true", f"{name}:1:to": "",
    }  # fmt: skip
    page = editor.client.post(
        editor.url("edit-step", "route"), sent | {"shape": f"group|{name}|"}, headers=HTMX
    )
    assert page.status_code == 200
    assert f'name="{name}:2:mode"' in page.content.decode()
    when = editor.steps()[1]["branches"][0]["when"]
    assert [each["value"] for each in when["any"]] == ["{{ trigger.body.total }}", "{{ trigger.body.vip }}"]
    nested = sent | {f"{name}:2:mode": "none", f"{name}:2.0:value": "{{ trigger.body.test }}"}
    editor.client.post(editor.url("edit-step", "route"), nested | {"save": "1"})
    when = editor.steps()[1]["branches"][0]["when"]
    assert when["any"][2] == {"not": {"value": "{{ trigger.body.test }}", "is": "equals", "to": ""}}
    editor.client.post(editor.url("edit-step", "route"), nested | {"shape": f"remove|{name}|2"})
    assert len(editor.steps()[1]["branches"][0]["when"]["any"]) == 2
