"""Changes of a draft keep its shape: whatever is done in whatever order, ids stay unique and no step is lost."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workflows.definition.schema import parse_definition
from workflows.drafting import operations, places, references, triggers
from workflows.drafting.places import NotThere, Refused, find, slot_text, spots, step_ids

SET = {"type": "set", "values": {}}


def keep(step_id: str, text: str = "x", **more: Any) -> dict[str, Any]:
    return {"id": step_id, "type": "set", "values": {"text": text}, **more}


def sample() -> dict[str, Any]:
    """A step, a branch with two ways and a loop inside, a step that refers to the first."""
    branch = {
        "id": "route",
        "type": "branch",
        "branches": [
            {"name": "vip", "when": {"value": "1", "is": "equals", "to": "1"}, "steps": [keep("greet")]},
            {
                "name": "rest",
                "when": {"value": "1", "is": "equals", "to": "2"},
                "steps": [{"id": "each", "type": "loop", "items": [1], "steps": [keep("inner")]}],
            },
        ],
    }
    last = keep("last", "{{ steps.first.output.text }}")
    return {"version": 1, "triggers": [], "steps": [keep("first"), branch, last]}


def order(document: dict[str, Any]) -> list[str]:
    return [spot.id for spot in spots(document)]


def slots(document: dict[str, Any]) -> list[tuple[str, str]]:
    found = [("", "steps")]
    for spot in spots(document):
        found += [(spot.id, name) for name, _steps in places.lanes(spot.step)]
    return found


# --- Whatever is done, the structure holds ---------------------------------------------------------------------------


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy
@given(st.data())
def test_any_changes_in_any_order_leave_a_draft_that_parses_with_unique_ids(data: st.DataObject) -> None:
    document = sample()
    for _number in range(data.draw(st.integers(1, 8))):
        before = deepcopy(document)
        ids = order(document)
        step_id = data.draw(st.sampled_from(ids)) if ids else "none"
        slot = data.draw(st.sampled_from(slots(document)))
        siblings = [str(step["id"]) for step in places.steps_at(deepcopy(document), slot)]
        after = data.draw(st.sampled_from(["", *siblings]))
        act = data.draw(
            st.sampled_from(["add", "move", "nudge", "duplicate", "switch", "remove", "paste", "lane"])
        )
        try:
            changed = {
                "add": lambda: operations.add(document, dict(keep("first")), slot, after),  # noqa: B023
                "move": lambda: operations.move(document, step_id, slot, after),  # noqa: B023
                "nudge": lambda: operations.nudge(document, step_id, data.draw(st.sampled_from(operations.DIRECTIONS))),  # noqa: B023
                "duplicate": lambda: operations.duplicate(document, step_id),  # noqa: B023
                "switch": lambda: operations.switch(document, step_id, disabled=True),  # noqa: B023
                "remove": lambda: operations.remove(document, step_id),  # noqa: B023
                "paste": lambda: operations.paste(document, json.dumps(sample()["steps"]), slot, after),  # noqa: B023
                "lane": lambda: operations.add_lane(document, step_id),  # noqa: B023
            }[act]()  # fmt: skip
        except (Refused, NotThere):
            assert document == before
            continue
        assert document == before  # what was handed in stays as it is
        document = changed.document
        now = order(document)
        assert places.fault(document) == ""
        assert len(now) == len(set(now))
        if act in ("move", "nudge", "switch", "lane"):
            assert sorted(now) == sorted(ids)
        if act == "add":
            assert len(now) == len(ids) + 1
        if act == "remove":
            assert step_id not in now
    for spot in spots(
        document
    ):  # a new way has no condition yet; everything else is as the language wants it
        for branch in spot.step.get("branches", []):
            branch.setdefault("when", {"value": "1", "is": "true"})
    parse_definition({"version": 1, "steps": document["steps"]})


@given(st.data())
def test_within_a_list_moving_up_takes_moving_down_back(data: st.DataObject) -> None:
    document = sample()
    step_id = data.draw(st.sampled_from(order(document)))
    down = operations.destination(document, step_id, "down")
    if down is None or down[0] != find(document, step_id).slot:
        return  # at the edge of a lane it leaves the lane; a block that it passes then is not entered again
    there = operations.move(document, step_id, *down).document
    assert order(operations.nudge(there, step_id, "up").document) == order(document)


# --- One by one ------------------------------------------------------------------------------------------------------


def test_a_step_moves_through_the_lanes_of_a_block_and_out_again() -> None:
    inside = operations.nudge(operations.nudge(sample(), "last", "into").document, "last", "down").document
    assert slot_text(find(inside, "last").slot) == "route.branches.rest"
    assert slot_text(find(operations.nudge(inside, "last", "out").document, "last").slot) == ".steps"
    passed = operations.nudge(sample(), "first", "down").document
    assert [step["id"] for step in passed["steps"]] == [
        "route",
        "first",
        "last",
    ]  # a block is passed, not entered


def test_a_block_cannot_be_moved_into_itself() -> None:
    with pytest.raises(Refused, match="into itself"):
        operations.move(sample(), "route", ("each", "steps"))


def test_a_place_keeps_its_meaning_when_others_add_steps_before_it() -> None:
    theirs = operations.add(sample(), keep("theirs"), ("", "steps")).document
    mine = operations.add(theirs, keep("mine"), ("", "steps"), after="first").document
    assert [step["id"] for step in mine["steps"]] == ["theirs", "first", "mine", "route", "last"]


def test_a_place_that_is_gone_is_told_and_nothing_is_put_elsewhere() -> None:
    without = operations.remove(sample(), "first").document
    with pytest.raises(NotThere, match="no longer there"):
        operations.add(without, keep("mine"), ("", "steps"), after="first")


def test_a_copy_has_ids_of_its_own_and_its_references_stay_within_it() -> None:
    document = {"steps": [{"id": "all", "type": "loop", "items": [], "name": "All", "steps": [keep("a"), keep("b", "{{ steps.a.output }} {{ steps.zero.output }}")]}]}  # fmt: skip  # noqa: E501
    copied = operations.duplicate(document, "all").document["steps"][1]
    assert (copied["id"], copied["name"]) == ("all_2", "All (copy)")
    assert copied["steps"][1]["values"]["text"] == "{{ steps.a_2.output }} {{ steps.zero.output }}"


def test_an_otherwise_lane_is_made_when_the_first_step_comes_and_goes_with_the_last() -> None:
    document = operations.move(sample(), "first", ("route", "otherwise")).document
    assert [step["id"] for step in find(document, "route").step["otherwise"]] == ["first"]
    assert "otherwise" not in find(operations.remove(document, "first").document, "route").step


def test_a_new_short_name_is_followed_by_every_reference() -> None:
    document = operations.replace(sample(), "first", {**keep("first"), "id": "start"}).document
    assert find(document, "last").step["values"]["text"] == "{{ steps.start.output.text }}"
    with pytest.raises(Refused, match="already"):
        operations.replace(document, "start", {**keep("x"), "id": "last"})


def test_pasted_text_may_be_a_step_a_list_or_a_definition_and_nothing_else() -> None:
    for text in (keep("a"), [keep("a")], {"version": 1, "steps": [keep("a")]}, {"type": "stop"}):
        assert len(operations.read_steps(json.dumps(text))) == 1
    for text, words in (
        ("hello", "not JSON"),
        ("[]", "no steps"),
        ('{"type": "dance"}', "no step type"),
        ("[1]", "type"),
    ):
        with pytest.raises(Refused, match=words):
            operations.read_steps(text)


def test_the_last_way_of_a_branch_stays() -> None:
    one = operations.remove_lane(sample(), "route", "vip").document
    assert step_ids(one) == {"first", "route", "each", "inner", "last"}
    with pytest.raises(Refused, match="last branch"):
        operations.remove_lane(one, "route", "rest")


# --- References ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda document: operations.remove(document, "first"),
        lambda document: operations.switch(document, "first", disabled=True),
        lambda document: operations.move(document, "first", ("", "steps"), "last"),
        lambda document: operations.move(document, "first", ("each", "steps"), "inner"),
    ],
    ids=["deleted", "switched off", "moved behind", "moved into a loop"],
)
def test_a_change_tells_whose_references_it_breaks(change: Any) -> None:
    (broken,) = references.newly_broken(sample(), change(sample()).document)
    assert (broken.step_id, broken.target) == ("last", "first")


def test_a_harmless_change_breaks_nothing() -> None:
    document = sample()
    document["steps"][2]["values"]["text"] += " {{ steps.gone.output }}"  # broken before is no news
    assert references.newly_broken(document, operations.remove(document, "greet").document) == []


@given(st.text(alphabet="steps.ab_ {}%|'\"[]", max_size=40))
def test_renaming_nothing_changes_no_text(text: str) -> None:
    assert references.renamed(text, {}) == text


# --- Triggers --------------------------------------------------------------------------------------------------------


def test_deleting_a_trigger_never_hands_its_address_to_another() -> None:
    document = {"triggers": [{"type": "webhook"}, {"type": "webhook", "name": "second"}]}
    assert triggers.keys(document) == ["webhook", "webhook_2"]
    left = triggers.remove(document, "webhook")
    assert triggers.keys(left) == ["webhook_2"]
    again, key = triggers.add(left, {"type": "webhook"})
    assert (key, triggers.keys(again)) == ("webhook", ["webhook_2", "webhook"])
