"""Conditions: what the operators mean, what they refuse, and how they read."""

import pytest
from pydantic import TypeAdapter

from workflows.definition.conditions import ConditionError, compare, compile_condition, describe, evaluate
from workflows.definition.expressions import MissingValue
from workflows.definition.shapes import OPERATORS, Condition


def condition(data):
    return TypeAdapter(Condition).validate_python(data)


TRUTHS = [
    (5, "equals", "5.0"),
    ("Paris", "equals", "paris"),
    (True, "equals", "true"),
    (None, "equals", None),
    ([1], "equals", [1]),
    (5, "not_equals", 6),
    (None, "not_equals", 0),
    ("", "not_equals", 0),
    ("Hello World", "contains", "WORLD"),
    ([1, 2], "contains", "2"),
    ({"a": 1}, "contains", "a"),
    ("abc", "not_contains", "x"),
    (None, "not_contains", "x"),
    ("Re: hi", "starts_with", "re:"),
    ("a.PDF", "ends_with", ".pdf"),
    ("order 42", "matches", "[0-9]+"),
    ("order", "not_matches", "[0-9]+"),
    ("ABC", "matches", "abc"),
    ("10", "gt", "9"),
    (9.5, "gte", "9.5"),
    ("1,000", "gt", 999),
    (1, "lt", 2),
    ("2", "lte", 2),
    ("2026-02-01", "lt", "2026-10-01"),
    ("b", "in", "a, b"),
    (2, "in", ["1", "2"]),
    ("c", "not_in", ["a", "b"]),
    ("", "empty", None),
    ("  ", "empty", None),
    ([], "empty", None),
    (None, "empty", None),
    (0, "not_empty", None),
    (False, "not_empty", None),
    ("yes", "true", None),
    (1, "true", None),
    ("off", "false", None),
    (None, "false", None),
    ("2026-01-01", "before", "2026-01-01T00:00:01Z"),
    ("2026-03-01", "after", "Sun, 01 Feb 2026 10:00:00 +0000"),
]
OPPOSITES = {
    "equals": "not_equals",
    "contains": "not_contains",
    "matches": "not_matches",
    "in": "not_in",
    "empty": "not_empty",
}


def test_the_table_covers_every_operator():
    assert {how for _value, how, _to in TRUTHS} == set(OPERATORS)


@pytest.mark.parametrize(("value", "how", "to"), TRUTHS)
def test_a_comparison_holds(value, how, to):
    assert compare(value, how, to) is True
    opposite = {**OPPOSITES, **{no: yes for yes, no in OPPOSITES.items()}}.get(how)
    assert opposite is None or compare(value, opposite, to) is False


@pytest.mark.parametrize(
    ("value", "how", "to"),
    [
        ("a", "equals", "b"),
        (1, "equals", "x"),
        (True, "equals", 1),
        ("9", "gt", "10"),
        ("x", "starts_with", "y"),
        ("2026-02-01", "before", "2026-01-01"),
        ("no", "true", None),
    ],
)
def test_a_comparison_does_not_hold(value, how, to):
    assert compare(value, how, to) is False


def test_case_matters_only_when_asked():
    assert compare("A", "equals", "a")
    assert not compare("A", "equals", "a", case_sensitive=True)


@pytest.mark.parametrize(
    ("value", "how", "to", "words"),
    [
        ("x", "gt", 3, "“is more than” cannot compare “x” with 3"),
        ("maybe", "true", None, "neither true nor false"),
        ("x", "before", "2026-01-01", "“x” is not a date"),
        ("x", "matches", "(", "the pattern is not valid"),
        ("x", "in", 3, "must be a list"),
    ],
)
def test_a_senseless_comparison_names_operator_and_value(value, how, to, words):
    with pytest.raises(ConditionError) as caught:
        compare(value, how, to)
    assert words in str(caught.value)


def test_all_any_and_not_are_combined_and_ask_no_more_than_needed():
    scope = {"a": 1, "b": {"c": 2}}
    assert evaluate(
        condition(
            {"all": [{"value": "{{ a }}", "is": "equals", "to": 1}, {"not": {"value": 0, "is": True}}]}
        ),
        scope,
    )
    short = condition(
        {"any": [{"value": "{{ a }}", "is": "equals", "to": 1}, {"value": "{{ gone }}", "is": "true"}]}
    )
    assert evaluate(short, scope)
    assert [each.location for each in compile_condition(short).references()] == [
        ("any", 0, "value"),
        ("any", 1, "value"),
    ]


def test_a_missing_value_is_empty_and_nothing_else():
    assert evaluate(condition({"value": "{{ gone.far }}", "is": "empty"}), {})
    with pytest.raises(MissingValue):
        evaluate(condition({"value": "{{ gone.far }}", "is": "equals", "to": 1}), {})


def test_dates_without_a_zone_are_read_in_the_organizations():
    scope = {"organization": {"timezone": "America/New_York"}}
    early = condition({"value": "2026-01-01T00:30", "is": "before", "to": "2026-01-01T01:00:00Z"})
    assert evaluate(early, {})
    assert not evaluate(early, scope)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (
            {"value": "{{ steps.score.output.points }}", "is": "gte", "to": 80},
            "the points of score is at least 80",
        ),
        ({"value": "{{ trigger.body.city }}", "is": "equals", "to": "Paris"}, "the city is “Paris”"),
        ({"not": {"value": "{{ item.email }}", "is": "empty"}}, "it is not so that the email is empty"),
        (
            {
                "all": [
                    {"value": "{{ a }}", "is": "true"},
                    {"any": [{"value": "{{ b }}", "is": "true"}, {"value": "{{ c }}", "is": "false"}]},
                ]
            },
            "the a is true and (the b is true or the c is false)",
        ),
    ],
)
def test_a_condition_reads_as_plain_words(data, text):
    assert describe(condition(data)) == text
