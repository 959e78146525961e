"""Differences and merges of definitions, step by step."""

import copy

from hypothesis import HealthCheck, given, settings

from tests.workflows.definition.examples import a_definition, a_step, definitions
from workflows.definition.diff import diff
from workflows.definition.merge import three_way_merge
from workflows.definition.parts import put_together, same_json, take_apart
from workflows.definition.schema import parse_definition

quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
BASE = a_definition(
    a_step("a", values={"x": 1}),
    a_step("b"),
    {
        "id": "route",
        "type": "branch",
        "branches": [{"name": "vip", "when": {"value": 1, "is": "true"}, "steps": [a_step("c")]}],
    },
)


def edited(change):
    data = copy.deepcopy(BASE)
    change(data["steps"])
    return data


@quick
@given(definitions())
def test_what_is_written_is_read_back_equal(data):
    once = parse_definition(data)
    assert parse_definition(once.to_data()) == once
    assert once.to_data() == data


@quick
@given(definitions())
def test_parts_can_be_put_together_again(data):
    assert put_together(take_apart(data)) == data


@quick
@given(definitions(), definitions())
def test_merging_with_an_unchanged_side_gives_the_other_side(base, other):
    assert three_way_merge(base, other, base) == (other, [])
    assert three_way_merge(base, base, other) == (other, [])
    assert three_way_merge(base, other, other) == (other, [])


@quick
@given(definitions(), definitions(), definitions())
def test_any_merge_is_a_readable_definition_with_every_step_once(base, mine, theirs):
    merged, _conflicts = three_way_merge(base, mine, theirs)
    parse_definition(merged)
    take_apart(merged)


@quick
@given(definitions(), definitions())
def test_a_difference_is_empty_exactly_when_nothing_changed(old, new):
    assert diff(old, old) == []
    if not same_json(old, new):
        changes = diff(old, new)
        keys_of_empty_top = {"version", "steps"}
        assert changes or set(old) | set(new) > keys_of_empty_top


def test_changes_are_told_step_by_step():
    new = edited(
        lambda steps: (
            steps[0]["values"].update(x=2),
            steps.pop(1),
            steps[1]["branches"][0]["steps"].append(a_step("d")),
        )
    )
    assert [(each.kind, each.step_id, each.after_place) for each in diff(BASE, new)] == [
        ("removed", "b", ""),
        ("changed", "a", "a"),
        ("added", "d", "route.vip.d"),
    ]
    change = diff(BASE, new)[1].fields[0]
    assert (change.field, change.before, change.after) == ("values.x", 1, 2)


def test_a_moved_step_is_one_change():
    new = edited(lambda steps: steps.append(steps.pop(0)))
    assert [(each.kind, each.step_id) for each in diff(BASE, new)] == [("moved", "a")]


def test_true_and_one_are_different_values():
    new = edited(lambda steps: steps[0]["values"].update(x=True))
    assert [each.kind for each in diff(BASE, new)] == ["changed"]
    assert three_way_merge(BASE, BASE, new)[0]["steps"][0]["values"]["x"] is True


def test_edits_of_different_steps_and_fields_are_joined():
    mine = edited(lambda steps: (steps[0]["values"].update(y=2), steps.insert(0, a_step("first"))))
    theirs = edited(
        lambda steps: (steps[0]["values"].update(x=9), steps[2]["branches"][0]["steps"].append(a_step("d")))
    )
    merged, conflicts = three_way_merge(BASE, mine, theirs)
    assert conflicts == []
    assert [step["id"] for step in merged["steps"]] == ["first", "a", "b", "route"]
    assert merged["steps"][1]["values"] == {"x": 9, "y": 2}
    assert [step["id"] for step in merged["steps"][3]["branches"][0]["steps"]] == ["c", "d"]


def test_the_same_field_changed_twice_is_a_conflict_and_mine_stays():
    mine, theirs = (edited(lambda steps, n=n: steps[0]["values"].update(x=n)) for n in (2, 3))
    merged, conflicts = three_way_merge(BASE, mine, theirs)
    assert [(each.step_id, each.field, each.base, each.mine, each.theirs) for each in conflicts] == [
        ("a", "values.x", 1, 2, 3)
    ]
    assert merged["steps"][0]["values"]["x"] == 2


def test_a_step_removed_here_and_changed_there_is_a_conflict_and_kept():
    mine = edited(lambda steps: steps.pop(0))
    theirs = edited(lambda steps: steps[0]["values"].update(x=3))
    merged, conflicts = three_way_merge(BASE, mine, theirs)
    assert [each.step_id for each in conflicts] == ["a"]
    assert "a" in [step["id"] for step in merged["steps"]]


def test_a_step_added_inside_a_block_that_was_removed_is_a_conflict():
    mine = edited(lambda steps: steps.pop(2))
    theirs = edited(lambda steps: steps[2]["branches"][0]["steps"].append(a_step("d")))
    _merged, conflicts = three_way_merge(BASE, mine, theirs)
    assert "route" in [each.step_id for each in conflicts]
