"""Django forms made from JSON Schema: for runs by hand, hosted forms, approvals and template settings.

The supported part of JSON Schema is what a form can ask: an object whose properties are text (with format date,
date-time, time, email, uri or multi-line), numbers, whole numbers, yes/no, a choice (enum, or oneOf with const and
title), several choices, lists of simple values (one a line) and nested objects. Whatever a form cannot show (a list of
objects, a union) is asked for as JSON. `schema_values` gives the data back in the shape of the schema, and the schema
itself has the last word through `schema_problems`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from workflows.schema_problems import NESTED, SchemaFormError, check_schema, schema_problems

__all__ = [
    "SchemaForm", "SchemaFormError", "check_schema", "form_for", "initial_for", "schema_problems", "schema_values",
]  # fmt: skip

MAX_DEPTH = 4
MAX_FIELDS = 100
MAX_TEXT = 20_000


class SchemaForm(forms.Form):
    """A form made by form_for(). `values` holds the data in the schema's shape once is_valid() said yes."""

    schema: Mapping[str, Any] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.values: dict[str, Any] = {}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            self.values = schema_values(self.schema, cleaned)
            for name, message in schema_problems(self.schema, self.values):
                self.add_error(name if name in self.fields else None, message)
        return cleaned


def form_for(schema: Mapping[str, Any], *, prefix: str = "") -> type[SchemaForm]:
    """Return a form class for a JSON Schema of type object; nested properties are named `address__city`.

    prefix: put before every field's name, where one page holds several forms. Raises SchemaFormError.
    """
    fields = _fields(schema, "", "", 1)
    if len(fields) > MAX_FIELDS:
        raise SchemaFormError(_("This form has more than %(most)s fields.") % {"most": MAX_FIELDS})
    return type("GeneratedForm", (SchemaForm,), {**fields, "schema": schema, "prefix": prefix or None})


def initial_for(schema: Mapping[str, Any], values: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return field name -> value to show first: `values` where they hold something, else the schema's defaults."""
    found: dict[str, Any] = {}
    for name, part in _properties(schema):
        given = (values or {}).get(name, part.get("default"))
        if _is_object(part):
            nested = initial_for(part, given if isinstance(given, Mapping) else None)
            found.update({f"{name}{NESTED}{inner}": value for inner, value in nested.items()})
        elif given is not None:
            found[name] = _shown(part, given)
    return found


def schema_values(schema: Mapping[str, Any], cleaned: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return cleaned form data as JSON data in the schema's shape. Empty optional answers are left out."""
    found: dict[str, Any] = {}
    required = schema.get("required", [])
    for name, part in _properties(schema):
        if _is_object(part):
            inner = schema_values(part, cleaned, f"{prefix}{name}{NESTED}")
            if inner or name in required:
                found[name] = inner
            continue
        value = cleaned.get(f"{prefix}{name}")
        if value is None or value == "" or (value == [] and name not in required):
            continue
        found[name] = _plain(value)
    return found


# --- From schema to fields ------------------------------------------------------------------------------------------


def _fields(schema: Mapping[str, Any], prefix: str, group: str, depth: int) -> dict[str, forms.Field]:
    if depth > MAX_DEPTH:
        raise SchemaFormError(_("This form is nested too deeply."))
    required = schema.get("required", [])
    found: dict[str, forms.Field] = {}
    for name, part in _properties(schema):
        title = str(part.get("title") or name.replace("_", " ").capitalize())
        if _is_object(part):
            found.update(_fields(part, f"{prefix}{name}{NESTED}", title, depth + 1))
            continue
        field = _field(part, is_required=name in required)
        field.label = f"{group}: {title}" if group else title
        field.help_text = str(part.get("description", ""))
        if "default" in part:
            field.initial = _shown(part, part["default"])
        found[f"{prefix}{name}"] = field
    return found


def _field(part: Mapping[str, Any], *, is_required: bool) -> forms.Field:
    kind = _kind(part)
    items = part.get("items") or {"type": "string"}
    if choices := _choices(part):
        return _choice_field(choices, is_required)
    if kind == "boolean":
        # An unticked box is an answer: "no".
        return forms.BooleanField(required=is_required and part.get("const") is True)
    if kind == "integer":
        return forms.IntegerField(required=is_required, min_value=_least(part), max_value=_most(part))
    if kind == "number":
        return forms.DecimalField(
            required=is_required,
            min_value=_decimal(part.get("minimum")),
            max_value=_decimal(part.get("maximum")),
            max_digits=30,
            widget=forms.NumberInput(attrs={"step": "any"}),
        )
    if kind == "string":
        return _text_field(part, is_required)
    if kind == "array" and (several := _choices(items)):
        return forms.TypedMultipleChoiceField(
            required=is_required,
            choices=[(json.dumps(value), label) for value, label in several],
            coerce=json.loads,
            widget=forms.CheckboxSelectMultiple,
        )
    if kind == "array" and _kind(items) in ("string", "integer", "number"):
        return LinesField(_kind(items), required=is_required)
    return forms.JSONField(
        required=is_required, widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"})
    )


def _text_field(part: Mapping[str, Any], is_required: bool) -> forms.Field:
    format_, longest = part.get("format"), min(part.get("maxLength", MAX_TEXT), MAX_TEXT)
    widget: forms.Widget
    if format_ == "date":
        return forms.DateField(
            required=is_required, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        )
    if format_ == "time":
        return forms.TimeField(
            required=is_required, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
        )
    if format_ == "date-time":
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"]
        return forms.DateTimeField(required=is_required, widget=widget, input_formats=formats)
    if format_ == "email":
        widget = forms.EmailInput(attrs={"autocomplete": "email"})
        return forms.EmailField(required=is_required, max_length=longest, widget=widget)
    if format_ in ("uri", "url"):
        return forms.URLField(required=is_required, max_length=longest, assume_scheme="https")
    if format_ == "password" or part.get("writeOnly"):
        widget = forms.PasswordInput(attrs={"autocomplete": "off"})
        return forms.CharField(required=is_required, max_length=longest, widget=widget)
    is_long = (
        format_ in ("multiline", "textarea") or part.get("contentMediaType") or part.get("maxLength", 0) > 300
    )
    widget = forms.Textarea(attrs={"rows": 5}) if is_long else forms.TextInput()
    return forms.CharField(
        required=is_required, max_length=longest, min_length=part.get("minLength"), widget=widget
    )


def _choice_field(choices: list[tuple[Any, str]], is_required: bool) -> forms.Field:
    # Values travel as JSON, so that the number 1 and the text "1" stay apart.
    options = [(json.dumps(value), label) for value, label in choices]
    few = len(options) <= 4 and is_required
    return forms.TypedChoiceField(
        required=is_required,
        choices=options if few else [("", "—"), *options],
        coerce=json.loads,
        empty_value=None,
        widget=forms.RadioSelect if few else forms.Select,
    )


class LinesField(forms.Field):
    """A list of simple values, one a line."""

    widget = forms.Textarea(attrs={"rows": 4})

    def __init__(self, item_type: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.item_type = item_type

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(str(item) for item in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[Any]:
        lines = [line.strip() for line in str(value or "").splitlines() if line.strip()]
        if self.item_type == "string":
            return lines
        try:
            return [int(line) if self.item_type == "integer" else _number(line) for line in lines]
        except (ValueError, ArithmeticError):
            raise forms.ValidationError(_("Enter one number a line.")) from None


# --- Small readings of a schema -------------------------------------------------------------------------------------


def _properties(schema: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    properties = schema.get("properties") or {}
    if not isinstance(properties, Mapping):
        raise SchemaFormError(_("The form's properties must be an object."))
    return [(str(name), part if isinstance(part, Mapping) else {}) for name, part in properties.items()]


def _is_object(part: Mapping[str, Any]) -> bool:
    return _kind(part) == "object" and bool(part.get("properties"))


def _kind(part: Mapping[str, Any]) -> str:
    kind = part.get("type")
    if isinstance(kind, list):  # ["string", "null"]: optional text
        kind = next((entry for entry in kind if entry != "null"), None)
    return str(kind or ("object" if "properties" in part else "string" if not part else "json"))


def _choices(part: Mapping[str, Any]) -> list[tuple[Any, str]]:
    if isinstance(part.get("enum"), list):
        names = part.get("enumNames") or part["enum"]
        return [
            (value, str(name)) for value, name in zip(part["enum"], names, strict=False) if value is not None
        ]
    entries = part.get("oneOf") or []
    if entries and all(isinstance(entry, Mapping) and "const" in entry for entry in entries):
        return [(entry["const"], str(entry.get("title", entry["const"]))) for entry in entries]
    return []


def _shown(part: Mapping[str, Any], value: Any) -> Any:
    if _choices(part):
        return json.dumps(value)
    if _kind(part) == "array" and _choices(part.get("items") or {}):
        return [json.dumps(item) for item in value] if isinstance(value, list) else value
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return _number(str(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return value


def _number(text: str) -> int | float:
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError(text)
    return int(number) if number == number.to_integral_value() and abs(number) < 2**53 else float(number)


def _least(part: Mapping[str, Any]) -> Any:
    return part["exclusiveMinimum"] + 1 if "exclusiveMinimum" in part else part.get("minimum")


def _most(part: Mapping[str, Any]) -> Any:
    return part["exclusiveMaximum"] - 1 if "exclusiveMaximum" in part else part.get("maximum")


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))
