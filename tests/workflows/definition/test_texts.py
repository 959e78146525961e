"""Durations, JSON text, recipes, output types and the door for translations."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workflows.definition.examples import EVERY_STEP, EVERY_TRIGGER, a_definition, a_step
from workflows.definition import wording
from workflows.definition.durations import InvalidDuration, format_duration, parse_duration
from workflows.definition.jsontext import locate, read_json
from workflows.definition.outputs import follow, output_schema
from workflows.definition.problems import DefinitionInvalid
from workflows.definition.recipe import recipe, step_line
from workflows.definition.schema import parse_definition, parse_triggers


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("5m", 300),
        ("2h", 7200),
        ("3d", 259_200),
        ("1w", 604_800),
        ("1h30m", 5_400),
        ("1h 30m", 5_400),
        ("1.5s", 1.5),
        ("PT5M", 300),
        ("P3D", 259_200),
        ("P1DT2H", 93_600),
        ("pt0.5s", 0.5),
    ],
)
def test_a_duration_is_read(text, seconds):
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "5", "m", "5 minutes", "-5m", "P", "PT", "P1M", "P1Y", "30m1h", "9999d", "1.5h", None]
)
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(InvalidDuration):
        parse_duration(text)


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=366)))
def test_a_written_duration_is_read_back(length):
    assert parse_duration(format_duration(length)) == length


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('{"a": 1,}', 1, "comma too many"),
        ("{a: 1}", 1, "double quotes"),
        ("{'a': 1}", 1, "double quotes"),
        ('{"a": 1\n "b": 2}', 2, "comma is missing"),
        ('{"a" 1}', 1, "colon is missing"),
        ('{\n"a": 1,\n"a": 2}', 3, "twice"),
        ("[1,]", 1, "comma too many"),
        ('{"a": "x\n"}', 1, "not closed"),
        ("", 1, "nothing here"),
        ('{"a": [', 1, "too early"),
        ("1 2", 1, "more text"),
        ("NaN", 0, "not JSON"),
    ],
)
def test_broken_json_is_explained_on_its_line(text, line, words):
    with pytest.raises(DefinitionInvalid) as caught:
        read_json(text)
    problem = caught.value.problems[0]
    assert problem.line == line
    assert words in problem.message


@pytest.mark.parametrize(
    ("pointer", "place"),
    [
        ("", (1, 1)),
        ("/a/0", (2, 8)),
        ("/a/1/d~1e", (3, 12)),
        ("/z", (4, 7)),
        ("/a/9", (2, 7)),
        (("a", 1, "d/e"), (3, 12)),
    ],
)
def test_a_value_is_located_in_its_text(pointer, place):
    assert locate('{\n "a": [1,\n   {"d/e": "}]"}],\n "z": 2}', pointer) == place


@given(st.text('{}[]",:a1 \n\\', max_size=40), st.lists(st.sampled_from(["a", "0", "1"]), max_size=4))
def test_locating_in_any_text_ends_in_a_place(text, keys):
    line, column = locate(text, tuple(keys))
    assert line >= 1
    assert column >= 1


def test_a_recipe_tells_the_workflow_in_plain_lines():
    definition = parse_definition(
        a_definition(
            {
                "id": "post",
                "type": "action",
                "provider": "slack",
                "operation": "post_message",
                "if": {"value": "{{ steps.score.output.points }}", "is": "gte", "to": 80},
            },
            {
                "id": "route",
                "type": "branch",
                "otherwise": [{"id": "nap", "type": "delay", "for": "90m"}],
                "branches": [
                    {
                        "name": "vip",
                        "when": {"value": "{{ trigger.body.city }}", "is": "equals", "to": "Paris"},
                        "steps": [
                            {"id": "get", "type": "http", "url": "https://api.example/x", "disabled": True}
                        ],
                    }
                ],
            },
        )
    )
    triggers = parse_triggers(
        [{"type": "schedule", "cron": "30 9 * * 1-5"}, {"type": "schedule", "every": "1h"}]
    )
    titles = {("slack", "post_message"): "Post a message to Slack"}
    lines = recipe(definition, triggers, lambda provider, operation: titles.get((provider, operation), ""))
    assert [(line.depth, line.text) for line in lines] == [
        (0, "Every working day at 09:30"),
        (0, "Every 1 hour"),
        (0, "When the points of score is at least 80: post a message to Slack"),
        (0, "Choose a way"),
        (1, "When the city is “Paris”:"),
        (2, "(switched off) Fetch data from api.example"),
        (1, "Otherwise:"),
        (2, "Wait 1 hour 30 minutes"),
    ]


@pytest.mark.parametrize("step", EVERY_STEP, ids=lambda step: step["type"])
def test_every_step_type_has_a_line(step):
    assert step_line(parse_definition(a_definition(step)).steps[0])


def test_every_trigger_has_a_line():
    lines = recipe(
        parse_definition(a_definition()),
        parse_triggers([{**each, "disabled": False} for each in EVERY_TRIGGER]),
    )
    assert len({line.text for line in lines}) == len(EVERY_TRIGGER)


@pytest.mark.parametrize(
    ("step", "keys", "known"),
    [
        (a_step(values={"a": {"b": "x{{ y }}"}}), ("a", "b"), {"type": "string"}),
        (a_step(values={"a": "{{ y }}"}), ("a", "anything"), {}),
        (
            {"id": "l", "type": "loop", "items": [], "steps": [a_step(values={"n": 1})]},
            (0, "n"),
            {"type": "integer"},
        ),
        (
            {
                "id": "p",
                "type": "parallel",
                "branches": [{"name": "x", "steps": [a_step(values={"n": True})]}],
            },
            ("x", "n"),
            {"type": "boolean"},
        ),
        ({"id": "h", "type": "http", "url": "https://x"}, ("status",), {"type": "integer"}),
    ],
)
def test_the_output_type_is_known_where_it_can_be(step, keys, known):
    assert follow(output_schema(parse_definition(a_definition(step)).steps[0]), keys) == (known, None)


def test_sentences_leave_through_the_translator():
    wording.translate_with(lambda message: "Übersetzt: " + message)
    try:
        with pytest.raises(InvalidDuration, match=r"^Übersetzt: "):
            parse_duration("")
    finally:
        wording.translate_with(None)
