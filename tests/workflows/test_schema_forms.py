"""Forms out of JSON Schema: what is asked, what comes back, and what no schema may do to us."""

from __future__ import annotations

import time
from typing import Any

import pytest

from workflows.schema_forms import SchemaFormError, check_schema, form_for, initial_for, schema_problems

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["name", "size"],
    "properties": {
        "name": {"type": "string", "minLength": 2, "title": "Full name"},
        "size": {"type": "integer", "enum": [1, 2, 10]},
        "label": {"oneOf": [{"const": "a", "title": "First"}, {"const": "b", "title": "Second"}]},
        "price": {"type": "number", "minimum": 0},
        "agrees": {"type": "boolean"},
        "day": {"type": "string", "format": "date"},
        "at": {"type": "string", "format": "date-time"},
        "site": {"type": "string", "format": "uri"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "numbers": {"type": "array", "items": {"type": "integer"}},
        "several": {"type": "array", "items": {"enum": ["x", "y"]}},
        "rows": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "integer"}}}},
        "place": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "zip": {"type": ["string", "null"]}},
        },
        "story": {"type": "string", "maxLength": 5000},
    },
}


def test_every_kind_of_field_comes_back_in_its_own_type() -> None:
    entered = {
        "name": "Ada", "size": "10", "label": '"b"', "price": "2.50", "agrees": "on", "day": "2026-11-22",
        "at": "2026-11-22T10:00", "site": "example.com", "tags": "red\n\n blue ", "numbers": "1\n2",
        "several": ['"x"', '"y"'], "rows": '[{"a": 1}]', "place__city": "Ulm",
    }  # fmt: skip
    form = form_for(SCHEMA)(entered)
    assert form.is_valid(), form.errors
    assert form.values.pop("at").startswith("2026-11-22T10:00:00")
    assert form.values == {
        "name": "Ada", "size": 10, "label": "b", "price": 2.5, "agrees": True, "day": "2026-11-22",
        "site": "https://example.com", "tags": ["red", "blue"], "numbers": [1, 2], "several": ["x", "y"],
        "rows": [{"a": 1}], "place": {"city": "Ulm"},
    }  # fmt: skip


def test_what_is_left_empty_is_left_out_and_an_empty_box_is_no() -> None:
    form = form_for(SCHEMA)({"name": "Ada", "size": "1"})
    assert form.is_valid(), form.errors
    assert form.values == {"name": "Ada", "size": 1, "agrees": False}


def test_errors_stand_at_their_fields() -> None:
    form = form_for(SCHEMA)({"name": "A", "size": "3", "numbers": "one", "rows": '[{"a": "b"}]'})
    assert not form.is_valid()
    assert {"name", "size", "numbers"} <= set(form.errors)


def test_labels_types_and_defaults_are_shown() -> None:
    schema = {
        "type": "object",
        "properties": {"day": {"type": "string", "format": "date", "default": "2026-01-02"}},
    }
    assert initial_for(schema, {"day": "2026-03-04"}) == {"day": "2026-03-04"}
    shown = str(form_for(schema)(initial=initial_for(schema)))
    assert 'type="date"' in shown
    assert "2026-01-02" in shown
    assert "Full name" in str(form_for(SCHEMA)())
    assert "<textarea" in str(form_for(SCHEMA)()["story"])


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array"},
        {"type": "object", "properties": {"a": {"type": "colour"}}},
        "text",
        {"properties": {"a": {"minimum": "x"}}},
    ],
)
def test_what_is_no_form_schema_is_refused(schema: Any) -> None:
    with pytest.raises(SchemaFormError):
        check_schema(schema)


def test_a_slow_pattern_does_not_hold_up_the_process() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}}
    begun = time.monotonic()
    assert schema_problems(schema, {"a": "a" * 60 + "!"})
    assert time.monotonic() - begun < 2


def test_a_reference_to_another_host_is_not_fetched() -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": "http://localhost:1/schema.json"}}}
    assert schema_problems(schema, {"a": 1}) == [
        ("", "The form refers to a schema that is not part of it. Tell whoever made this form.")
    ]


def test_too_deep_and_too_long_forms_are_refused() -> None:
    deep: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string"}}}
    for _level in range(5):
        deep = {"type": "object", "properties": {"inner": deep}}
    long = {"type": "object", "properties": {f"p{number}": {"type": "string"} for number in range(200)}}
    for schema in (deep, long):
        with pytest.raises(SchemaFormError):
            form_for(schema)
