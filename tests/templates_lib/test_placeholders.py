"""Placeholders: what the person chose stands in the workflow, and Liquid stays as it was."""

from __future__ import annotations

import pytest

from templates_lib.placeholders import example_configuration, paths_in, resolve


@pytest.mark.parametrize(
    ("value", "configuration", "expected"),
    [
        ({"$config": "limit"}, {"limit": 50}, 50),
        ({"$config": "address.city"}, {"address": {"city": "Ulm"}}, "Ulm"),
        ("To [[config.name]] and [[ config.other ]]", {"name": "Ada", "other": "Ben"}, "To Ada and Ben"),
        ("[[config.tags]]", {"tags": ["a", "b"]}, "a, b"),
        ("{{ trigger.body.name }}", {"name": "Ada"}, "{{ trigger.body.name }}"),
        ({"keep": 1, "drop": {"$config": "missing"}}, {}, {"keep": 1}),
        ([1, {"$config": "missing"}, 2], {}, [1, 2]),
        ("nobody: [[config.missing]]", {}, "nobody: "),
        ({"$config": "missing"}, {}, None),
        ({"$config": "a", "b": 1}, {"a": 5}, {"$config": "a", "b": 1}),
        ({"[[config.column]]": 1, "x": 2}, {"column": "status"}, {"status": 1, "x": 2}),
        # Answers are not looked into again: nobody can smuggle in another placeholder.
        ("[[config.name]]", {"name": "[[config.secret]]", "secret": "x"}, "[[config.secret]]"),
    ],
)
def test_a_placeholder_becomes_the_answer(value, configuration, expected):
    assert resolve(value, configuration) == expected


def test_every_placeholder_is_found():
    assert list(paths_in({"a": {"$config": "x"}, "b": ["[[config.y]] [[config.z.w]]", 3]})) == [
        "x",
        "y",
        "z.w",
    ]


def test_a_placeholder_in_a_key_is_found():
    assert list(paths_in({"[[config.column]]": {"$config": "x"}})) == ["column", "x"]


def test_examples_come_from_defaults_first():
    schema = {
        "properties": {
            "a": {"default": 1, "examples": [2]},
            "b": {"examples": ["x"]},
            "c": {},
            "d": {"properties": {"e": {"default": False}}},
        }
    }
    assert example_configuration(schema) == {"a": 1, "b": "x", "d": {"e": False}}
