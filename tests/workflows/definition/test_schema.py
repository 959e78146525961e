"""Reading definitions: what is accepted, and how faults are told."""

import pytest
from jsonschema import Draft202012Validator

from tests.workflows.definition.examples import EVERY_STEP, EVERY_TRIGGER, a_definition, a_step
from workflows.definition import limits
from workflows.definition.json_schema import json_schema
from workflows.definition.problems import DefinitionInvalid
from workflows.definition.schema import parse_definition, parse_triggers
from workflows.definition.steps import STEP_MODELS
from workflows.definition.tree import find_step, iter_steps, static_path


def problems_of(data):
    with pytest.raises(DefinitionInvalid) as caught:
        parse_definition(data)
    return caught.value.problems


def test_the_examples_cover_every_step_type():
    assert {step["type"] for step in EVERY_STEP} == set(STEP_MODELS)


@pytest.mark.parametrize("step", EVERY_STEP, ids=lambda step: step["type"])
def test_every_step_type_is_read_and_written_back_unchanged(step):
    definition = a_definition(step)
    assert parse_definition(definition).to_data() == definition


@pytest.mark.parametrize("trigger", EVERY_TRIGGER, ids=lambda trigger: trigger["type"])
def test_every_trigger_is_read_and_written_back_unchanged(trigger):
    assert [each.to_data() for each in parse_triggers([trigger])] == [trigger]


@pytest.mark.parametrize("step", EVERY_STEP, ids=lambda step: step["type"])
def test_the_json_schema_accepts_what_the_parser_accepts(step):
    assert list(Draft202012Validator(json_schema()).iter_errors(a_definition(step))) == []


@pytest.mark.parametrize("step", EVERY_STEP, ids=lambda step: step["type"])
def test_the_json_schema_refuses_an_unknown_key_like_the_parser(step):
    data = a_definition({**step, "colour": "red"})
    assert not Draft202012Validator(json_schema()).is_valid(data)
    assert problems_of(data)[0].code == "unknown_key"


def test_the_json_schema_is_valid_and_every_part_has_title_and_description():
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    assert [
        name for name, part in schema["$defs"].items() if not part["title"] or not part["description"]
    ] == []


@pytest.mark.parametrize(
    ("step", "pointer", "code", "words"),
    [
        ({"id": "a", "type": "htp"}, "/steps/0/type", "unknown_type", "Did you mean “http”?"),
        ({"id": "a"}, "/steps/0/type", "missing", "Choose one of action, http"),
        ({"id": "A b", "type": "stop"}, "/steps/0/id", "bad_id", "small letters"),
        ({"id": "a", "type": "http"}, "/steps/0/url", "missing", "this is needed"),
        (
            {"id": "a", "type": "http", "url": "x", "ulr": 1},
            "/steps/0/ulr",
            "unknown_key",
            "Did you mean “url”?",
        ),
        (
            {"id": "a", "type": "stop", "outcome": "sucess"},
            "/steps/0/outcome",
            "unknown_choice",
            "“success”?",
        ),
        ({"id": "a", "type": "stop", "timeout": "3x"}, "/steps/0/timeout", "bad_duration", "30s, 5m"),
        (
            {"id": "a", "type": "loop", "items": [], "steps": 1},
            "/steps/0/steps",
            "wrong_type",
            "must be a list",
        ),
        (
            {"id": "a", "type": "stop", "retry": {"attempts": 99}},
            "/steps/0/retry/attempts",
            "wrong_value",
            "at most 20",
        ),
        (
            {"id": "a", "type": "stop", "retry": {"atempts": 2}},
            "/steps/0/retry/atempts",
            "unknown_key",
            "“attempts”?",
        ),
        ({"id": "a", "type": "respond", "status": 99}, "/steps/0/status", "wrong_number", "from 200 to 599"),
    ],
)
def test_a_fault_names_its_place_and_what_to_write(step, pointer, code, words):
    problem = problems_of(a_definition(step))[0]
    assert (problem.pointer, problem.code) == (pointer, code)
    assert words in problem.message


def test_a_fault_deep_inside_names_the_innermost_step():
    inner = {"id": "tell", "name": "Tell them", "type": "delay", "for": "soon"}
    problem = problems_of(a_definition({"id": "each", "type": "loop", "items": [1], "steps": [inner]}))[0]
    assert problem.message.startswith("Step “Tell them” (tell), field for: ")
    assert (problem.step_id, problem.field, problem.path) == ("tell", "for", "steps[0].steps[0].for")


def test_values_that_look_like_steps_are_not_taken_for_steps():
    data = {"id": "a", "type": "set", "values": {"list": [{"id": "x", "type": "y"}]}, "nmae": "n"}
    assert problems_of(a_definition(data))[0].step_id == "a"


@pytest.mark.parametrize("data", [None, [], "text", 3, {"version": 2}, {"version": 1, "steps": {}}])
def test_anything_but_a_definition_is_refused(data):
    assert problems_of(data)


def test_nesting_beyond_any_use_is_refused_before_anything_recurses():
    value = []
    for _round in range(5_000):
        value = [value]
    assert problems_of(a_definition(a_step(values={"v": value})))[0].code == "too_deep"


def test_a_definition_larger_than_the_ceiling_is_refused_and_one_below_is_read():
    room = limits.MAX_DEFINITION_BYTES - 200
    assert parse_definition(a_definition(a_step(values={"v": "x" * room})))
    assert problems_of(a_definition(a_step(values={"v": "x" * (room + 400)})))[0].code == "too_large"


def test_steps_are_walked_in_reading_order_with_their_paths():
    definition = parse_definition(
        a_definition(
            {
                "id": "route",
                "type": "branch",
                "branches": [
                    {"name": "vip", "when": {"value": 1, "is": "true"}, "steps": [a_step("notify")]}
                ],
                "otherwise": [a_step("other")],
                "on_error": [a_step("sorry")],
            },
            {"id": "each", "type": "loop", "items": [1], "steps": [a_step("send")]},
        )
    )
    assert [path for path, _step, _around in iter_steps(definition)] == [
        "route",
        "route.vip.notify",
        "route.otherwise.other",
        "route.on_error.sorry",
        "each",
        "each[].send",
    ]
    assert find_step(definition, "each[3].send").id == "send"
    assert find_step(definition, "route.vip.send") is None
    assert static_path("a[12].b[0].c") == "a[].b[].c"


def test_too_many_triggers_are_refused():
    with pytest.raises(DefinitionInvalid):
        parse_triggers([{"type": "manual"}] * (limits.MAX_TRIGGERS + 1))
