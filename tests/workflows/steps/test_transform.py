"""Every transform operation, from a definition to its value."""

from typing import Any

import pytest

from tests.workflows.engine.worlds import World, output_of
from workflows.engine.interface import Failed

PEOPLE = [
    {"name": "Ann", "team": "red", "age": 31},
    {"name": "bob", "team": "blue", "age": 25},
    {"name": "Cid", "team": "red", "age": None},
]


def transform(operation: str, home: str = "UTC", **keys: Any) -> Any:
    step = {"id": "t", "type": "transform", "operation": operation, **keys}
    world = World([step], trigger={"people": PEOPLE}, organization={"timezone": home})
    return world.finish()


@pytest.mark.parametrize(
    ("operation", "keys", "expected"),
    [
        (
            "filter",
            {"where": {"value": "{{ item.team }}", "is": "equals", "to": "red"}},
            [PEOPLE[0], PEOPLE[2]],
        ),
        ("map", {"value": "{{ item.name }}!"}, ["Ann!", "bob!", "Cid!"]),
        (
            "map",
            {"value": {"n": "{{ item.age | default: 0 }}", "i": "{{ loop.index }}"}},
            [{"n": 31, "i": 0}, {"n": 25, "i": 1}, {"n": 0, "i": 2}],
        ),
        ("sort", {"by": "{{ item.age }}"}, [PEOPLE[1], PEOPLE[0], PEOPLE[2]]),
        ("sort", {"by": "{{ item.age }}", "order": "descending"}, [PEOPLE[0], PEOPLE[1], PEOPLE[2]]),
        ("limit", {"count": 1, "offset": 1}, [PEOPLE[1]]),
        ("limit", {"count": "{{ 2 | minus: 1 }}"}, [PEOPLE[0]]),
        ("unique", {"by": "{{ item.team }}"}, [PEOPLE[0], PEOPLE[1]]),
        (
            "aggregate",
            {
                "measures": {
                    "total": {"function": "sum", "value": "{{ item.age }}"},
                    "mean": {"function": "average", "value": "{{ item.age }}"},
                    "youngest": {"function": "min", "value": "{{ item.age }}"},
                    "known": {"function": "count", "value": "{{ item.age }}"},
                    "names": {"function": "list", "value": "{{ item.name }}"},
                    "last": {"function": "last", "value": "{{ item.name }}"},
                }
            },
            {
                "total": 56,
                "mean": 28.0,
                "youngest": 25,
                "known": 2,
                "names": ["Ann", "bob", "Cid"],
                "last": "Cid",
            },
        ),
        ("aggregate", {}, {"count": 3}),
        (
            "group",
            {"by": "{{ item.team }}", "measures": {"n": {"function": "count", "value": "{{ item.name }}"}}},
            [
                {"key": "red", "items": [PEOPLE[0], PEOPLE[2]], "n": 2},
                {"key": "blue", "items": [PEOPLE[1]], "n": 1},
            ],
        ),
        ("chunk", {"count": 2}, [[PEOPLE[0], PEOPLE[1]], [PEOPLE[2]]]),
        ("join", {"value": "{{ item.name }}", "separator": "; "}, "Ann; bob; Cid"),
        ("to_csv", {"columns": ["name", "age"]}, "name,age\r\nAnn,31\r\nbob,25\r\nCid,\r\n"),
    ],
)
def test_lists_of_people(operation: str, keys: dict[str, Any], expected: Any) -> None:
    assert output_of(transform(operation, items="{{ trigger.people }}", **keys)) == expected


@pytest.mark.parametrize(
    ("operation", "keys", "expected"),
    [
        ("flatten", {"items": [[1], 2, [3, [4]]]}, [1, 2, 3, [4]]),
        ("merge", {"items": [{"a": 1, "b": 1}, {"b": 2}]}, {"a": 1, "b": 2}),
        ("merge", {"items": [[1, 2], [3]]}, [1, 2, 3]),
        (
            "merge",
            {"items": [[{"id": 1, "a": 1}], [{"id": 1, "b": 2}, {"id": 2}]], "by": "{{ item.id }}"},
            [{"id": 1, "a": 1, "b": 2}, {"id": 2}],
        ),
        ("sort", {"items": [3, 1, 2]}, [1, 2, 3]),
        ("unique", {"items": [1, 1.0, True, "1", {"a": [1]}, {"a": [1]}]}, [1, True, "1", {"a": [1]}]),
        (
            "filter",
            {"items": {"a": 1, "b": 2}, "where": {"value": "{{ item.value }}", "is": "gt", "to": 1}},
            [{"key": "b", "value": 2}],
        ),
        ("split", {"value": "a, b,,c"}, ["a", "b", "", "c"]),
        ("split", {"value": ""}, []),
        ("text", {"value": " Hi ", "function": "trim"}, "Hi"),
        ("text", {"value": "héllo", "function": "upper"}, "HÉLLO"),
        ("text", {"value": ["A", "B"], "function": "lower"}, ["a", "b"]),
        ("text", {"value": "Order 12 and 34", "function": "extract", "pattern": r"\d+"}, "12"),
        (
            "text",
            {"value": "Order 12 and 34", "function": "extract", "pattern": r"(\d)\d", "count": 5},
            ["1", "3"],
        ),
        ("text", {"value": "none", "function": "extract", "pattern": r"\d+"}, None),
        (
            "text",
            {"value": "a-b", "function": "replace", "pattern": "(a)-(b)", "replacement": "$2-$1"},
            "b-a",
        ),
        ("text", {"value": "Ünï Code!", "function": "slug"}, "uni-code"),
        ("text", {"value": "abcdef", "function": "truncate", "count": 4}, "abc…"),
        ("text", {"value": "a\n\nb\r\nc", "function": "lines"}, ["a", "b", "c"]),
        (
            "parse_csv",
            {"value": '\ufeffname,note\r\nAnn,"a, ""b"""\r\nBob\r\n'},
            [{"name": "Ann", "note": 'a, "b"'}, {"name": "Bob", "note": ""}],
        ),
        (
            "parse_csv",
            {"value": "a;a;\n1;2;3;4", "delimiter": ";"},
            [{"a": "1", "a_2": "2", "column_3": "3", "_more": ["4"]}],
        ),
        ("parse_csv", {"value": "1,2", "header": False}, [["1", "2"]]),
        ("to_csv", {"items": [{"a": "=1+1", "b": -5}, {"c": "-7"}]}, "a,b,c\r\n'=1+1,-5,\r\n,,-7\r\n"),
        ("parse_json", {"value": '{"a": [1, 2.5, null]}'}, {"a": [1, 2.5, None]}),
        ("parse_json", {"value": {"a": 1}}, {"a": 1}),
        ("to_json", {"value": {"a": "é"}}, '{"a": "é"}'),
        ("date", {"value": "2026-03-28T09:00:00"}, "2026-03-28T09:00:00+00:00"),
        ("date", {}, "2026-11-23T09:00:00+00:00"),
        (
            "date",
            {"value": "31.12.2026", "input_format": "%d.%m.%Y", "output_format": "%Y/%m/%d"},
            "2026/12/31",
        ),
        ("date", {"value": "2026-05-20T10:11:12Z", "start_of": "quarter"}, "2026-04-01T00:00:00+00:00"),
        (
            "date",
            {"value": "2026-05-20T10:11:12Z", "start_of": "week", "output_format": "date"},
            "2026-05-18",
        ),
        ("date", {"value": "2026-05-20T10:11:12Z", "subtract": "{{ 2 }}h"}, "2026-05-20T08:11:12+00:00"),
    ],
)
def test_single_values(operation: str, keys: dict[str, Any], expected: Any) -> None:
    assert output_of(transform(operation, **keys)) == expected


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        ("1d", "2026-03-29T09:00:00+02:00"),  # nine in the morning stays nine when clocks go forward
        ("24h", "2026-03-29T09:00:00+02:00"),  # written in hours it is a day too
        ("2h", "2026-03-28T11:00:00+01:00"),
    ],
)
def test_days_are_days_on_the_calendar_of_the_zone(length: str, expected: str) -> None:
    found = transform("date", home="Europe/Paris", value="2026-03-28T09:00:00", add=length)
    assert output_of(found) == expected


def test_hours_pass_for_real_over_a_change_of_the_clock() -> None:
    found = transform("date", home="Europe/Paris", value="2026-03-29T01:30:00", add="1h")
    assert output_of(found) == "2026-03-29T03:30:00+02:00"


@pytest.mark.parametrize(
    ("operation", "keys", "words"),
    [
        ("filter", {"items": [1]}, "where"),
        ("map", {"items": [1]}, "value"),
        ("map", {"items": "text", "value": 1}, "not a list"),
        ("map", {"value": 1}, "items"),
        ("map", {"items": [{"a": 1}], "value": "{{ item.b }}"}, "item.b"),
        ("chunk", {"items": [1]}, "count"),
        ("text", {"value": "x", "function": "replace"}, "pattern"),
        ("text", {"value": "x", "function": "extract", "pattern": "("}, "pattern is not valid"),
        ("text", {"value": "a" * 60 + "!", "function": "extract", "pattern": "(a|aa)+$"}, "too long"),
        ("parse_csv", {"value": 'a\n"open'}, "CSV"),
        ("parse_json", {"value": "{"}, "JSON"),
        ("parse_json", {"value": "NaN"}, "JSON"),
        ("date", {"value": "soon"}, "soon"),
        ("date", {"value": "2026-01-01", "timezone": "Mars/Base"}, "Mars/Base"),
        ("date", {"value": "2026-01-01", "output_format": "%999999999d"}, "format"),
        ("aggregate", {"items": ["x"], "measures": {"n": {"function": "sum"}}}, "not a number"),
    ],
)
def test_what_cannot_be_done_is_said_in_words(operation: str, keys: dict[str, Any], words: str) -> None:
    outcome = transform(operation, **keys)
    assert isinstance(outcome, Failed)
    assert words.lower() in outcome.error.message.lower()
