"""What a JSON Schema refuses in what somebody entered or sent, as sentences a person can act on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, time
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from jsonschema import Draft202012Validator, FormatChecker, validators
from jsonschema.exceptions import SchemaError, ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable

from workflows.definition import patterns

NESTED = "__"  # between the names of a nested property, in names of form fields
FORMATS = FormatChecker(formats=("date", "email", "uuid"))
FORMATS.checks("date-time", raises=ValueError)(
    lambda value: not isinstance(value, str) or bool(datetime.fromisoformat(value))
)
FORMATS.checks("time", raises=ValueError)(
    lambda value: not isinstance(value, str) or time.fromisoformat(value) is not None
)
FORMATS.checks("uri", raises=ValueError)(
    lambda value: not isinstance(value, str) or bool(urlsplit(value).scheme)
)


class SchemaFormError(ValueError):
    """The schema cannot be made into a form; the message says which part."""


def schema_problems(schema: Mapping[str, Any], values: Any) -> list[tuple[str, str]]:
    """Return (field name, sentence) for everything in `values` that the schema refuses; formats are checked as well."""
    validator = _validator(json.dumps(schema, sort_keys=True))
    try:
        errors = sorted(
            validator.iter_errors(values), key=lambda error: [str(part) for part in error.absolute_path]
        )
    except Unresolvable:
        return [("", _("The form refers to a schema that is not part of it. Tell whoever made this form."))]
    return [problem for error in errors for problem in _explained(error)]


def check_schema(schema: Any) -> None:
    """Raise SchemaFormError unless `schema` is valid JSON Schema of type object."""
    if not isinstance(schema, Mapping) or schema.get("type", "object") != "object":
        raise SchemaFormError(_("The form must be described by a JSON Schema of type object."))
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        where = ".".join(str(part) for part in error.absolute_path)
        message = _("The form's JSON Schema is wrong at “%(where)s”: %(what)s.")
        raise SchemaFormError(message % {"where": where, "what": error.message[:200]}) from None


def _matches(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, str):
        return
    try:
        matched = patterns.search(pattern, instance) is not None
    except (patterns.BadPattern, patterns.PatternTooSlow):
        matched = False
    if not matched:
        yield ValidationError("does not match")


# Patterns are written by users and matched against what strangers send: the bounded matcher alone may run them.
SafeValidator = validators.extend(Draft202012Validator, {"pattern": _matches})


@lru_cache(maxsize=256)
def _validator(schema: str) -> Any:
    # An empty registry: a $ref to another host must not make this process fetch it.
    return SafeValidator(json.loads(schema), format_checker=FORMATS, registry=Registry())


def _explained(error: ValidationError) -> list[tuple[str, str]]:
    name = NESTED.join(str(part) for part in error.absolute_path)
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    label = str(schema.get("title") or (error.absolute_path[-1] if error.absolute_path else _("the input")))
    wanted: Any = error.validator_value
    if error.validator == "required":
        # One error for each missing name; the validator's own message alone says which.
        missing = next((entry for entry in wanted if error.message.startswith(repr(entry))), "")
        return [(NESTED.join(filter(None, (name, missing))), _("“%(name)s” is missing.") % {"name": missing})]
    sentences = {
        "type": _("“%(label)s” must be %(kind)s."),
        "enum": _("“%(label)s” must be one of: %(wanted)s."),
        "const": _("“%(label)s” must be %(wanted)s."),
        "minimum": _("“%(label)s” must be at least %(wanted)s."),
        "maximum": _("“%(label)s” must be at most %(wanted)s."),
        "exclusiveMinimum": _("“%(label)s” must be more than %(wanted)s."),
        "exclusiveMaximum": _("“%(label)s” must be less than %(wanted)s."),
        "minLength": _("“%(label)s” must have at least %(wanted)s characters."),
        "maxLength": _("“%(label)s” must have at most %(wanted)s characters."),
        "minItems": _("“%(label)s” needs at least %(wanted)s entries."),
        "maxItems": _("“%(label)s” may have at most %(wanted)s entries."),
        "pattern": _("“%(label)s” does not have the form it should have."),
        "format": _("“%(label)s” is not a valid %(wanted)s."),
        "additionalProperties": _("There is a field that is not known here."),
    }
    sentence = sentences.get(str(error.validator), _("“%(label)s” is not as it should be."))
    shown = ", ".join(str(entry) for entry in wanted) if isinstance(wanted, list) else wanted
    return [(name, sentence % {"label": label, "wanted": shown, "kind": _kind_in_words(wanted)})]


def _kind_in_words(wanted: Any) -> str:
    words = {
        "string": _("text"),
        "integer": _("a whole number"),
        "number": _("a number"),
        "boolean": _("yes or no"),
        "array": _("a list"),
        "object": _("an object"),
        "null": _("empty"),
    }
    kinds = wanted if isinstance(wanted, list) else [wanted]
    return _(" or ").join(str(words.get(str(kind), kind)) for kind in kinds)
