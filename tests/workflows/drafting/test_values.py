"""What the forms show can be read again; what people type becomes what they mean."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from workflows.definition.durations import parse_duration
from workflows.definition.schema import STEP_MODELS
from workflows.drafting import conditions, durations, schemas
from workflows.drafting.step_forms import STRUCTURE, step_fields
from workflows.drafting.trigger_forms import schedule_of, shown_schedule
from workflows.drafting.values import ABSENT, read, shown

JSON = st.recursive(
    st.booleans() | st.integers(-(10**12), 10**12) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_every_value_is_shown_so_that_it_reads_back(value: Any) -> None:
    assert read(shown(value)) == value
    assert type(read(shown(value))) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("12", 12), ("1.5", 1.5), ("007", "007"), ("+49 30 123", "+49 30 123"), ("true", True), ("[1]", [1]),
     ("{{ item }}", "{{ item }}"), ('"12"', "12"), ("{not json", "{not json"), ("  ", None)],
)  # fmt: skip
def test_text_becomes_what_it_looks_like(text: str, value: Any) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("written", "compact"),
    [
        ("5 minutes", "5m"),
        ("1 h 30 min", "1h30m"),
        ("2 Stunden", "2h"),
        ("3 días", "3d"),
        ("90s", "90s"),
        ("1 week", "7d"),
    ],
)
def test_lengths_of_time_are_read_as_people_write_them(written: str, compact: str) -> None:
    assert durations.read_duration(written) == compact


@given(st.integers(1, 300 * 86_400))
def test_a_duration_in_words_reads_back(seconds: int) -> None:
    words = durations.shown_duration(f"{seconds}s")
    assert parse_duration(durations.read_duration(words)).total_seconds() == seconds


@pytest.mark.parametrize("text", ["soon", "5 bananas", "1 month", "minutes"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        durations.read_duration(text)


A = {"value": "{{ a }}", "is": "empty"}
B = {"value": "{{ b }}", "is": "equals", "to": "x"}


def sent_of(value: conditions.Shown) -> QueryDict:
    sent = QueryDict(mutable=True)
    if value.text:
        sent["c:text"] = value.text
        return sent
    fill(sent, value.group)
    return sent


def fill(sent: QueryDict, group: conditions.Group) -> None:
    sent[f"c:{group.path}:mode" if group.path else "c:mode"] = group.mode
    for entry in group.entries:
        if entry.group is not None:
            fill(sent, entry.group)
        elif entry.row is not None:
            for part in ("value", "is", "to"):
                sent[f"c:{entry.path}:{part}"] = entry.row[part]


@pytest.mark.parametrize(
    "condition",
    [
        {"value": "{{ trigger.body.total }}", "is": "gte", "to": 100},
        {"any": [{"value": "{{ a }}", "is": "empty"}, {"value": "b", "is": "in", "to": ["x", "y"]}]},
        {"all": [{"not": {"value": "a", "is": "equals", "to": "b"}}]},
        {"any": [A, {"all": [B, {"not": {"any": [A, B]}}]}]},
        {"not": {"not": A}},
        {"not": {"all": [A]}},
        {"all": [{"any": [{"all": [{"any": [{"all": [A]}]}]}]}]},
        {"all": [A, "{{ a }}"]},
    ],
)
def test_a_condition_that_was_only_looked_at_stays_as_it_was(condition: Any) -> None:
    assert conditions.read("c", sent_of(conditions.show(condition)), condition) == condition


def test_groups_in_groups_are_read_from_rows_and_only_those_too_deep_are_text() -> None:
    nested = {"any": [A, {"not": {"any": [A, B]}}, {"all": [B]}]}
    assert conditions.read("c", sent_of(conditions.show(nested)), ABSENT) == nested
    deep: dict[str, Any] = {"all": [A]}
    for _level in range(conditions.DEEPEST):
        assert conditions.show(deep).text == ""
        deep = {"any": [deep]}
    assert conditions.show(deep).text


def test_a_row_is_taken_away_and_a_group_is_offered_empty() -> None:
    sent = sent_of(conditions.show({"any": [A, {"all": [A, B]}]}))
    assert conditions.read("c", conditions.without(sent, "c", "1.0"), ABSENT) == {"any": [A, {"all": [B]}]}
    assert conditions.read("c", conditions.without(sent, "c", "1"), ABSENT) == A
    grown = conditions.with_new_group(conditions.show({"any": [A, {"all": [A, B]}]}), "1")
    assert conditions.read("c", sent_of(grown), ABSENT) == {"any": [A, {"all": [A, B]}]}
    offered = sent_of(grown)
    offered["c:1.2.0:value"] = "{{ c }}"
    found = conditions.read("c", offered, ABSENT)
    assert found["any"][1]["all"][2] == {"any": [{"value": "{{ c }}", "is": "equals", "to": ""}]}


def test_an_empty_condition_is_none_and_half_of_one_is_told() -> None:
    assert conditions.read("c", QueryDict("c:mode=all&c:0:value=&c:0:is=equals&c:0:to="), ABSENT) is ABSENT
    with pytest.raises(ValueError, match="Say what is compared"):
        conditions.read("c", QueryDict("c:mode=all&c:0:value=&c:0:is=equals&c:0:to=100"), ABSENT)


def test_questions_of_a_form_become_a_schema() -> None:
    sent = QueryDict(
        "s:there=1&s:0:title=Full name&s:0:type=text&s:0:required=1&s:1:title=Size&s:1:type=choice&s:1:choices=S,M"
    )
    assert schemas.read("s", sent, ABSENT) == {
        "type": "object",
        "properties": {
            "full_name": {"type": "string", "title": "Full name"},
            "size": {"type": "string", "title": "Size", "enum": ["S", "M"]},
        },
        "required": ["full_name"],
    }


@pytest.mark.parametrize(
    ("sent", "timing"),
    [
        ("s:mode=workdays&s:clock=09:00", {"cron": "0 9 * * 1-5"}),
        ("s:mode=weekly&s:clock=18:30&s:days=1&s:days=0", {"cron": "30 18 * * 1,0"}),
        ("s:mode=monthly&s:clock=08:00&s:day=L", {"cron": "0 8 L * *"}),
        ("s:mode=every&s:every=15 minutes", {"every": "15m"}),
    ],
)
def test_a_schedule_is_said_in_words_and_shown_again(sent: str, timing: dict[str, str]) -> None:
    made = schedule_of(QueryDict(sent), {})
    assert made == timing
    assert shown_schedule(made)["mode"] == QueryDict(sent)["s:mode"]


@pytest.mark.parametrize("kind", sorted(STEP_MODELS))
def test_every_field_of_a_step_type_is_on_its_form_for_one_of_its_operations(kind: str) -> None:
    operations = {
        "ai": ["extract", "classify", "transcribe", "agent"],
        "transform": ["filter", "map", "sort", "aggregate", "limit", "text", "split", "to_csv", "date"],
    }
    shown_keys = {
        field.path[0]
        for operation in operations.get(kind, [""])
        for field in step_fields({"type": kind, "operation": operation})
    }
    model = {info.alias or name for name, info in STEP_MODELS[kind].model_fields.items()}
    chosen_before = {"provider", "operation", "with", "integration"} if kind == "action" else set()
    assert model - STRUCTURE - chosen_before <= shown_keys
