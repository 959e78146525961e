"""The static check: each fault is found, named and placed; the same workflow without it is clean."""

import json

import pytest

from tests.workflows.definition.examples import a_definition, a_step
from workflows.definition.schema import parse_definition, parse_triggers
from workflows.definition.validate import check_data, check_text, validate

POINTS = {
    "type": "object",
    "properties": {"points": {"type": "integer"}, "name": {"type": "string", "title": "Name"}},
}


class Catalog:
    """One connector with one operation and one event."""

    def providers(self):
        return ("SLACK",)

    def operations(self, provider):
        return ("post_message",)

    def triggers(self, provider):
        return ("message",)

    def input_schema(self, provider, operation):
        fields = {
            "channel": {"type": "string", "title": "Channel"},
            "text": {"type": "string"},
            "count": {"type": "integer"},
        }
        return {
            "post_message": {
                "type": "object",
                "properties": fields,
                "required": ["channel"],
                "additionalProperties": False,
            }
        }[operation]

    def output_schema(self, provider, operation):
        return {"post_message": {"type": "object", "properties": {"message_id": {"type": "string"}}}}[
            operation
        ]

    def trigger_schema(self, provider, trigger):
        return {"message": {"type": "object", "properties": {}}}[trigger]


def problems(*steps, triggers=(), catalog=None, options=None, **more):
    return validate(
        parse_definition(a_definition(*steps, **more)),
        parse_triggers(list(triggers)),
        catalog,
        **options or {},
    )


def use(reference, step_id="user", **more):
    return a_step(step_id, values={"v": "{{ " + reference + " }}"}, **more)


HTTP = {"id": "get", "type": "http", "url": "https://api.example"}
BRANCH = {
    "id": "route",
    "type": "branch",
    "otherwise": [a_step("other")],
    "branches": [
        {"name": "vip", "when": {"value": 1, "is": "true"}, "steps": [a_step("inner", values={"a": 1})]}
    ],
}
LOOP = {"id": "each", "type": "loop", "items": [1], "as": "row", "steps": [a_step("send", values={"a": 1})]}
PARALLEL = {
    "id": "both",
    "type": "parallel",
    "branches": [
        {"name": "l", "steps": [a_step("left", values={"a": 1})]},
        {"name": "r", "steps": [use("steps.left.output.a")]},
    ],
}
FAILING = {**HTTP, "on_error": [use("error.message", "sorry")]}


@pytest.mark.parametrize(
    "steps",
    [
        [HTTP, use("steps.get.output.body.anything")],
        [HTTP, use("steps.get.status")],
        [BRANCH, use("steps.inner.output.a | default: 1")],
        [BRANCH, use("steps.route.output.whatever")],
        [LOOP, use("steps.each.output[0].a")],
        [
            {
                **LOOP,
                "steps": [
                    use("row.x"),
                    use("loop.index", "second"),
                    use("item", "third"),
                    use("steps.user.output.v", "last"),
                ],
            }
        ],
        [{**PARALLEL, "branches": PARALLEL["branches"][:1]}, use("steps.left.output.a")],
        [FAILING],
        [a_step("set_it", values={"x": 1}), use("vars.x")],
        [
            {
                "id": "again",
                "type": "repeat",
                "steps": [HTTP],
                "until": {"value": "{{ steps.get.output.status }}", "is": "equals", "to": 200},
            }
        ],
        [use("trigger.body.x"), use("execution.id", "b"), use("organization.name", "c"), use("now", "d")],
        [use("inputs.points")],
        [
            {
                "id": "t",
                "type": "transform",
                "operation": "map",
                "items": [1],
                "value": "{{ item }} {{ loop.index }}",
            }
        ],
    ],
)
def test_sound_references_have_no_problems(steps):
    assert problems(*steps, inputs=POINTS) == []


@pytest.mark.parametrize(
    ("steps", "code", "words"),
    [
        ([HTTP, use("steps.gte.output")], "unknown_step", "there is no step “gte”. Did you mean “get”?"),
        ([HTTP, use("steps.get.body")], "unknown_field", "Did you mean “steps.get.output.body”?"),
        ([HTTP, use("steps.get.outptu")], "unknown_field", "Did you mean “output”?"),
        ([HTTP, use("get.output")], "unknown_name", "Did you mean “steps.get.output”?"),
        ([use("tirgger.body")], "unknown_name", "Did you mean “trigger”?"),
        ([use("steps.get.output"), HTTP], "runs_later", "runs after this one"),
        ([use("steps.user.output")], "own_output", "its own output"),
        ([BRANCH, use("steps.inner.output.a")], "other_branch", "only on one way of “route”"),
        ([LOOP, use("steps.send.output.a")], "inside_loop", "steps.each.output"),
        ([PARALLEL], "same_time", "at the same time"),
        ([use("item")], "loop_name_outside", "only inside a loop"),
        ([LOOP, use("row.x")], "loop_name_outside", "only inside a loop"),
        ([{**LOOP, "steps": [use("loop.idx")]}], "unknown_field", "Did you mean “index”?"),
        ([{**LOOP, "steps": [use("steps.each.output")]}], "not_finished", "not finished"),
        ([use("error.message")], "error_outside", "on_error"),
        ([FAILING, use("steps.sorry.output.v")], "other_branch", "one way"),
        ([a_step("set_it", values={"total": 1}), use("vars.totl")], "unknown_variable", "“total”?"),
        (
            [use("inputs.pionts")],
            "unknown_field",
            "the workflow's inputs have no field “pionts”. Did you mean “points”?",
        ),
        ([{**HTTP, "disabled": True}, use("steps.get.output.body")], "disabled_step", "switched off"),
        ([use("1 | upcas")], "bad_expression", "Did you mean “upcase”?"),
        ([a_step(values={"v": "{{ a"})], "bad_expression", "not valid Liquid"),
        ([a_step("twin"), a_step("twin")], "double_id", "already"),
        ([{**LOOP, "steps": []}], "empty_block", "no steps here yet"),
        ([], "no_steps", "no steps yet"),
        ([{"id": "x", "type": "stop"}, a_step()], "unreachable", "never runs"),
        ([{"id": "x", "type": "respond"}], "nobody_waits", "by_step"),
        ([{**HTTP, "url": "ftp://x"}], "bad_url", "https://"),
        ([{**HTTP, "json": 1, "body": "x"}], "conflict", "only one of"),
        (
            [a_step(**{"if": {"value": "x", "is": "matches", "to": "("}})],
            "bad_pattern",
            "pattern is not valid",
        ),
        (
            [a_step(**{"if": {"value": "x", "is": "before", "to": "soon"}})],
            "bad_date",
            "“soon” is not a date",
        ),
        ([a_step(**{"if": {"value": "x", "is": "gt"}})], "missing", "to compare with"),
        ([{"id": "x", "type": "delay"}], "missing", "“for”"),
        ([{"id": "x", "type": "ai", "operation": "classify", "prompt": "p"}], "missing", "two labels"),
        (
            [{"id": "x", "type": "ai", "operation": "extract", "prompt": "p", "schema": {"type": "objekt"}}],
            "bad_schema",
            "JSON Schema",
        ),
        (
            [{"id": "x", "type": "transform", "operation": "filter", "items": []}],
            "missing",
            "filter needs “where”",
        ),
        (
            [
                {
                    "id": "x",
                    "type": "transform",
                    "operation": "date",
                    "value": "now",
                    "timezone": "Europe/Pari",
                }
            ],
            "bad_timezone",
            "“Europe/Paris”?",
        ),
        ([{"id": "x", "type": "code", "source": "a b"}], "bad_program", "line 1"),
        (
            [
                {
                    "id": "x",
                    "type": "approval",
                    "title": "t",
                    "assignees": [{"user": "a@b.example"}],
                    "required": 2,
                }
            ],
            "conflict",
            "only 1 can",
        ),
        (
            [
                {
                    **PARALLEL,
                    "branches": [{"name": "a", "steps": [a_step()]}, {"name": "a", "steps": [a_step("b")]}],
                }
            ],
            "double_name",
            "taken",
        ),
        ([{"id": "x", "type": "workflow", "workflow": "me"}], "calls_itself", "cannot start itself"),
        ([{"id": "x", "type": "workflow", "workflow": "chidl"}], "unknown_workflow", "Did you mean “child”?"),
        (
            [{"id": "x", "type": "action", "provider": "slak", "operation": "post_message"}],
            "unknown_provider",
            "“slack”?",
        ),
        (
            [{"id": "x", "type": "action", "provider": "slack", "operation": "post_mesage"}],
            "unknown_operation",
            "“post_message”?",
        ),
        (
            [{"id": "x", "type": "action", "provider": "slack", "operation": "post_message"}],
            "missing",
            "“Channel” is needed",
        ),
        (
            [
                {
                    "id": "x",
                    "type": "action",
                    "provider": "slack",
                    "operation": "post_message",
                    "with": {"channel": "c", "txt": "t"},
                }
            ],
            "unknown_field",
            "“text”?",
        ),
        (
            [
                {
                    "id": "x",
                    "type": "action",
                    "provider": "slack",
                    "operation": "post_message",
                    "with": {"channel": "c", "count": "many"},
                }
            ],
            "wrong_value",
            "integer",
        ),
        (
            [
                {
                    "id": "x",
                    "type": "action",
                    "provider": "slack",
                    "operation": "post_message",
                    "with": {"channel": "c"},
                },
                use("steps.x.output.id"),
            ],
            "unknown_field",
            "It has message_id.",
        ),
    ],
)
def test_a_fault_is_found_and_explained(steps, code, words):
    found = problems(
        *steps,
        inputs=POINTS,
        catalog=Catalog(),
        options={"workflows": {"me": "Me", "child": "Child"}, "own_id": "me"},
    )
    assert [problem.code for problem in found] == [code]
    assert words in found[0].message


@pytest.mark.parametrize(
    ("trigger", "code"),
    [
        ({"type": "schedule"}, "missing"),
        ({"type": "schedule", "cron": "0 9 * *"}, "bad_cron"),
        ({"type": "schedule", "cron": "0 25 * * *"}, "bad_cron"),
        ({"type": "schedule", "cron": "0 9 30 2 *"}, "bad_cron"),
        ({"type": "schedule", "every": "5s"}, "too_often"),
        ({"type": "schedule", "cron": "0 9 * * *", "timezone": "Mars/Base"}, "bad_timezone"),
        (
            {
                "type": "schedule",
                "cron": "0 9 * * *",
                "pause": [{"start": "2026-02-30", "end": "2026-03-01"}],
            },
            "bad_date",
        ),
        ({"type": "webhook", "auth": {"method": "hmac"}}, "missing"),
        ({"type": "webhook", "respond": "by_step"}, "no_answer"),
        ({"type": "webhook", "dedupe_key": "{{ steps.a.output }}"}, "unknown_name"),
        ({"type": "form", "title": "t", "schema": {"type": "string"}}, "bad_schema"),
        ({"type": "provider", "provider": "slack", "event": "mesage"}, "unknown_event"),
    ],
)
def test_a_faulty_trigger_is_found(trigger, code):
    found = problems(a_step(), triggers=[trigger], catalog=Catalog())
    assert [(problem.code, problem.location[:2]) for problem in found] == [(code, ("triggers", 0))]


@pytest.mark.parametrize(
    "trigger",
    [
        {"type": "schedule", "cron": "*/5 9-17 * * 1-5", "timezone": "Europe/Paris"},
        {"type": "schedule", "every": "1m"},
        {
            "type": "webhook",
            "dedupe_key": "{{ trigger.body.id }}",
            "auth": {"method": "header", "header": "X-Key"},
        },
        {"type": "provider", "provider": "slack", "event": "message"},
    ],
)
def test_a_sound_trigger_has_no_problems(trigger):
    assert problems(a_step(), triggers=[trigger], catalog=Catalog()) == []


def test_the_message_names_step_and_field_the_way_people_see_them():
    step = {
        "id": "notify_team",
        "name": "Notify team",
        "type": "action",
        "provider": "slack",
        "operation": "post_message",
        "with": {"channel": "c", "text": "{{ steps.lead_scor.output }}"},
    }
    problem = problems(a_step("lead_score"), step)[0]
    assert problem.message == (
        "Step “Notify team” (notify_team), field text: there is no step “lead_scor”. Did you mean “lead_score”?"
    )
    assert (problem.pointer, problem.step_id, problem.suggestion) == (
        "/steps/1/with/text",
        "notify_team",
        "lead_score",
    )


def test_problems_in_text_carry_their_line():
    text = json.dumps(a_definition(a_step("a"), use("steps.b.output")), indent=2)
    _definition, found = check_text(text)
    assert [(problem.code, text.splitlines()[problem.line - 1].strip()) for problem in found] == [
        ("unknown_step", '"v": "{{ steps.b.output }}"')
    ]


def test_unreadable_data_is_reported_without_a_definition():
    definition, found = check_data({"version": 1, "steps": 3}, [{"type": "nope"}])
    assert definition is None
    assert [problem.pointer for problem in found] == ["/steps", "/triggers/0/type"]


def test_a_workflow_at_the_depth_ceiling_passes_and_one_deeper_does_not():
    def nested(levels):
        step = a_step("leaf")
        for level in range(levels):
            step = {"id": f"l{level}", "type": "loop", "items": [1], "steps": [step]}
        return problems(step)

    assert nested(9) == []
    assert [problem.code for problem in nested(10)] == ["too_deep"]


HOLD = {"id": "hold", "type": "wait"}


def test_the_address_of_a_wait_step_may_be_handed_out_before_it_waits():
    assert problems(use("execution.resume_url.hold"), HOLD) == []


@pytest.mark.parametrize(
    ("reference", "steps", "message"),
    [
        ("execution.resume_url.hald", [HOLD], "there is no step “hald”. Did you mean “hold”?"),
        ("execution.resume_url.get", [HTTP], "the step “get” has no address"),
        ("execution.resume_url.hold", [{**LOOP, "steps": [HOLD]}], "the step “hold” has no address"),
    ],
)
def test_only_a_wait_step_outside_of_loops_has_an_address(reference, steps, message):
    (found,) = problems(use(reference), *steps)
    assert message in found.message
