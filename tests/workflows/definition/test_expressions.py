"""Expressions: types kept, missing values named, everything bounded, only declared errors."""

from datetime import UTC, datetime
from time import monotonic

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workflows.definition.grammar import SCOPE, liquid_texts
from workflows.definition.expressions import (
    ExpressionError,
    ExpressionFailed,
    ExpressionLimit,
    ExpressionSyntaxError,
    MissingValue,
    compile_value,
    references,
    render,
)

ORDERS = [{"sku": "a", "price": 1.5, "tags": ["x"]}, {"sku": "b", "price": 2, "tags": []}]
NAMES = {
    "trigger": {
        "body": {
            "name": "ada l",
            "count": "1,250.50",
            "orders": ORDERS,
            "none": None,
            "yes": True,
            "text": "",
        }
    },
    "steps": {"score": {"output": {"points": 81}, "status": "COMPLETED", "error": None}},
    "item": 7,
    "now": datetime(2026, 11, 22, 23, 30, tzinfo=UTC),
    "organization": {"timezone": "Europe/Paris"},
}


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("plain", "plain"),
        ("{{ steps.score.output.points }}", 81),
        (" {{ steps.score.output }} ", {"points": 81}),
        ("{{ trigger.body.orders }}", ORDERS),
        ("{{ trigger.body.none }}", None),
        ("{{ trigger.body.yes }}", True),
        ("is {{ trigger.body.yes }}{{ trigger.body.none }}", "is true"),
        ("{{ trigger.body.count | to_number }}", 1250.5),
        ("{{ trigger.body.orders | map: 'price' | sum }}", 3.5),
        ("{{ trigger.body.orders | where: 'sku', 'b' | first }}", ORDERS[1]),
        ("{{ trigger.body.orders[1].sku }}", "b"),
        ("{{ trigger.body.orders[-1].sku }}", "b"),
        ("{{ trigger.body['name'] }}", "ada l"),
        ("{{ trigger.body.orders.size }}", 2),
        ("{{ trigger.body.orders.first.sku }}{{ trigger.body.orders.last.sku }}", "ab"),
        ("{{ item }}{{ item }}", "77"),
        ("n: {{ trigger.body.orders[0].tags }}", 'n: ["x"]'),
        ("{{ trigger.body.nothing | default: 'x' }}", "x"),
        ("{{ trigger.body.text | default: 'x' }}", "x"),
        ("{{ nowhere.at.all | default: item }}", 7),
        ("{% if trigger.body.nothing %}a{% else %}b{% endif %}", "b"),
        (
            "{% for o in trigger.body.orders %}{{ o.sku }}{% unless forloop.last %}, {% endunless %}{% endfor %}",
            "a, b",
        ),
        ("{% assign x = item | times: 2 %}{{ x }}", "14"),
        ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
        ("{{ (1..3) }}", [1, 2, 3]),
        ("{{ 0.1 | plus: 0.2 }}", 0.3),
        ("{{ 7 | divided_by: 2 }}", 3),
        ("{{ 7 | divided_by: 2.0 }}", 3.5),
        ("{{ now }}", "2026-11-22T23:30:00+00:00"),
        ("{{ now | date: '%Y-%m-%d %H:%M' }}", "2026-11-23 00:30"),
        ("{{ now | date: '%H:%M', 'America/New_York' }}", "18:30"),
        ("{{ '2026-11-20' | days_since }}", 3),
        ("{{ '2026-12-25' | days_until }}", 32),
        ("{{ '2026-01-31T10:00:00' | add_time: '1d' | date: 'date' }}", "2026-02-01"),
        ("{{ 'Crème Brûlée!' | slugify }}", "creme-brulee"),
        ("{{ 1234567.891 | format_number: 2 }}", "1,234,567.89"),
        ("{{ 1234.5 | currency: 'EUR' }}", "€1,234.50"),
        ("{{ 1234.5 | currency: 'JPY' }}", "¥1,235"),
        ("{{ -2 | currency: 'CHF' }}", "-2.00 CHF"),
        ("{{ 'abc' | hash }}", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("{{ 'a b' | url_encode | append: '!' }}", "a+b!"),
        ("{{ 'Zm9v' | base64_decode }}", "foo"),
        ("{{ 'a1b22' | regex_replace: '[0-9]+', '#' }}", "a#b#"),
        ("{{ 'a-b' | regex_replace: '(a)-(b)', '$2$1' }}", "ba"),
        ("{{ 'order 42' | regex_extract: 'order ([0-9]+)' | to_number }}", 42),
        ("{{ '[1, {\"a\": 2}]' | parse_json }}", [1, {"a": 2}]),
        ("{{ 'a,b' | split: ',' }}", ["a", "b"]),
        ("{{ trigger.body.orders | map: 'sku' | join: '-' | upcase }}", "A-B"),
        ({"a": ["{{ item }}", 1], "b": {"c": "x{{ item }}"}}, {"a": [7, 1], "b": {"c": "x7"}}),
    ],
)
def test_a_value_renders_to(template, value):
    result = render(template, NAMES)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("template", "reference"),
    [
        ("{{ trigger.body.nothing }}", "trigger.body.nothing"),
        ("Hi {{ trigger.body.nothing.more }}", "trigger.body.nothing.more"),
        ("{{ nobody | upcase }}", "nobody"),
        ("{{ 'a' | append: trigger.body.gone }}", "trigger.body.gone"),
        ("{{ trigger.body.orders[9].sku }}", "trigger.body.orders[9].sku"),
        ("{% for x in trigger.lost %}{% endfor %}", "trigger.lost"),
        ("{% assign x = trigger.lost %}{{ x }}", "trigger.lost"),
    ],
)
def test_a_missing_value_is_an_error_that_names_the_reference(template, reference):
    with pytest.raises(MissingValue) as caught:
        render(template, NAMES)
    assert caught.value.reference == reference
    assert reference in caught.value.message


def test_an_error_says_where_inside_the_value_it_happened():
    with pytest.raises(MissingValue) as caught:
        render({"blocks": [{"text": "{{ item }}"}, {"text": "{{ gone }}"}]}, NAMES)
    assert caught.value.location == ("blocks", 1, "text")


@pytest.mark.parametrize(
    "template",
    [
        "{{",
        "{{ }}",
        "{% if %}",
        "{% for %}",
        "{{ a | }}",
        "{% include 'a' %}",
        "{% render 'a' %}",
        "{% tablerow a in b %}",
        "{% liquid assign a = 1 %}{% increment x %}",
        "{{ a | no_such_filter }}",
        "{% endfor %}",
        "{{ a[ }}",
        "{% case %}",
        "{{ " + "[" * 2_000 + "a" + "]" * 2_000 + " }}",
        "{% if a %}" * 40 + "{% endif %}" * 40,
    ],
)
def test_what_is_not_our_liquid_is_a_syntax_error(template):
    with pytest.raises(ExpressionSyntaxError):
        compile_value(template)


def test_an_unknown_filter_offers_the_near_miss():
    with pytest.raises(ExpressionSyntaxError) as caught:
        compile_value("{{ 'a' | upcas }}")
    assert caught.value.suggestion == "upcase"


@pytest.mark.parametrize(
    "template",
    [
        "{% for i in (1..1000000000) %}{% endfor %}",
        "{% for i in (1..1000000000) reversed %}{% endfor %}",
        "{% for i in (1..9000) %}{% for j in (1..9000) %}{% endfor %}{% endfor %}",
        "{% for i in (1..5000) %}{% endfor %}" * 3,
        "{{ (1..1000000000) | join }}",
        "{% assign a = 'xxxxxxxxxx' %}{% for i in (1..60) %}{% assign a = a | append: a %}{% endfor %}",
        "{% assign a = 'a,b' | split: ',' %}{% for i in (1..60) %}{% assign a = a | concat: a %}{% endfor %}",
        "{% assign a = 9 %}{% for i in (1..60) %}{% assign a = a | times: a %}{% endfor %}",
        "{% assign a = big %}{% for i in (1..5000) %}{{ a }}{% endfor %}",
        "{{ big | replace: 'x', big }}",
        "{{ big | newline_to_br | split: '' | join: big }}",
        "{% for i in (1..9999) %}{% assign q = many | sort: 'a.b.c' | uniq | reverse | map: 'a' %}{% endfor %}",
        "{% for i in (1..9000) %}" + "{% if false %}{% endif %}" * 3_000 + "{% endfor %}",
    ],
)
def test_time_and_memory_are_bounded(template):
    started = monotonic()
    with pytest.raises(ExpressionError) as caught:
        render(template, {"big": "x" * 100_000, "many": [{"a": {"b": {"c": n % 7}}} for n in range(20_000)]})
    assert isinstance(caught.value, (ExpressionLimit, ExpressionFailed))
    assert monotonic() - started < 6  # the ceiling is one second; the rest is for a busy machine


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{ 'x' | to_number }}", "“x” is not a number"),
        ("{{ 1 | divided_by: 0 }}", "divided by zero"),
        ("{{ 'soon' | date }}", "“soon” is not a date"),
        ("{{ now | date: '%999999999d' }}", "is not a date format"),
        ("{{ now | date: '%H', 'Mars/Base' }}", "no time zone"),
        ("{{ 'a' | regex_match: '(' }}", "the pattern is not valid"),
        ("{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab' | regex_match: '^(a|aa)+$' }}", "takes too long"),
        ("{{ 'a' | regex_match: '(?:a{999}){999}' }}", "repeats too often"),
        ("{{ '{' | parse_json }}", "not valid JSON"),
        ("{{ 'x' | append }}", "append does not fit"),
        ("{% break %}", "belong inside a for loop"),
    ],
)
def test_a_filter_that_cannot_work_says_why(template, words):
    with pytest.raises(ExpressionFailed) as caught:
        render(template, NAMES)
    assert words in caught.value.message


def test_references_are_found_with_their_place_and_whether_a_default_rescues_them():
    found = references(
        {
            "a": [
                (
                    "{{ steps.x.output.y[0] | default: 'a' }} "
                    "{% for i in steps.z.output %}{{ i.q }}{{ row[vars.k] }}{% endfor %}"
                )
            ]
        }
    )
    assert [(each.path, each.optional, each.location) for each in found] == [
        (("steps", "x", "output", "y", 0), True, ("a", 0)),
        (("steps", "z", "output"), False, ("a", 0)),
        (("row", None), False, ("a", 0)),
        (("vars", "k"), False, ("a", 0)),
    ]


def test_constants_are_returned_as_they_are():
    value = {"a": [1, "plain {brace}", None]}
    assert compile_value(value).is_constant
    assert render(value, {}) is value


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.text(max_size=200), liquid_texts()))
def test_any_text_ends_in_a_value_or_a_declared_error(text):
    try:
        compiled = compile_value(text)
        compiled.references()
        compiled.render(SCOPE)
    except ExpressionError as error:
        assert error.message  # noqa: PT017 - either outcome is right


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=50).filter(lambda text: "{{" not in text and "{%" not in text))
def test_text_without_liquid_is_itself(text):
    assert render(text, {}) == text
