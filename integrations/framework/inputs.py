"""Turns what a step rendered into what a request builder gets: typed, defaults filled in, empties gone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from integrations.framework.definition import Action
from integrations.framework.fields import Field

EMPTY: tuple[Any, ...] = (None, "", [], {})


def validate_inputs(action: Action, inputs: Mapping[str, Any]) -> dict[str, str]:
    """Return field key -> what is wrong, in plain words; empty when the inputs can be sent."""
    return prepare_inputs(action.all_fields, inputs)[1]


def prepare_inputs(
    fields: Sequence[Field],
    inputs: Mapping[str, Any],
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return (values, problems). Texts from templates become the field's type; empty values count as not given."""
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for entry in fields:
        value = inputs.get(entry.key)
        if value in EMPTY and not isinstance(value, bool | int | float):
            value = entry.default
        if value is None:
            if entry.required:
                problems[entry.key] = _("Fill in “%(field)s”.") % {"field": entry.title}
            continue
        try:
            values[entry.key] = convert(entry, value)
        except ValueError as error:
            problems[entry.key] = str(error)
    known = {entry.key for entry in fields}
    for key in inputs:
        if key not in known:
            problems[key] = _("“%(field)s” is not a field of this step.") % {"field": key}
    return values, problems


def convert(entry: Field, value: Any) -> Any:
    """Return the value as the field's kind. Raises ValueError with a sentence for the person."""
    result = _CONVERT[entry.kind](entry, value)
    if (
        entry.choices
        and entry.kind == "select"
        and result not in [choice for choice, _label in entry.choice_pairs]
    ):
        raise ValueError(
            _("“%(field)s” must be one of: %(choices)s.")
            % {
                "field": entry.title,
                "choices": ", ".join(str(choice) for choice, _label in entry.choice_pairs),
            }
        )
    if entry.choices and entry.kind == "multi_select":
        known = [choice for choice, _label in entry.choice_pairs]
        for item in result:
            if item not in known:
                raise ValueError(
                    _("“%(field)s” cannot hold “%(value)s”.") % {"field": entry.title, "value": item}
                )
    if entry.minimum is not None and isinstance(result, int | float) and result < entry.minimum:
        raise ValueError(
            _("“%(field)s” must be at least %(limit)g.") % {"field": entry.title, "limit": entry.minimum}
        )
    if entry.maximum is not None and isinstance(result, int | float) and result > entry.maximum:
        raise ValueError(
            _("“%(field)s” must be at most %(limit)g.") % {"field": entry.title, "limit": entry.maximum}
        )
    if entry.max_length is not None and isinstance(result, str) and len(result) > entry.max_length:
        raise ValueError(
            _("“%(field)s” must have at most %(limit)d characters.")
            % {"field": entry.title, "limit": entry.max_length}
        )
    if entry.pattern and isinstance(result, str) and not re.search(entry.pattern, result):
        raise ValueError(
            _("“%(field)s” does not have the expected form. %(help)s")
            % {"field": entry.title, "help": entry.help}
        )
    return result


def _text(entry: Field, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def _number(entry: Field, value: Any) -> float | int:
    if isinstance(value, bool):
        raise _wrong(entry, _("a number"))
    if isinstance(value, int | float):
        return value
    try:
        return float(str(value).strip())
    except ValueError:
        raise _wrong(entry, _("a number")) from None


def _integer(entry: Field, value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d+\s*", value):
        return int(value)  # exact also where a float would round
    try:
        number = _number(entry, value)
    except ValueError:
        raise _wrong(entry, _("a whole number")) from None
    if number != number // 1:
        raise _wrong(entry, _("a whole number"))
    return int(number)


def _boolean(entry: Field, value: Any) -> bool:
    words = {
        "true": True,
        "yes": True,
        "on": True,
        "1": True,
        "false": False,
        "no": False,
        "off": False,
        "0": False,
    }
    if isinstance(value, bool):
        return value
    found = words.get(str(value).strip().lower())
    if found is None:
        raise _wrong(entry, _("yes or no"))
    return found


def _list(entry: Field, value: Any) -> list[Any]:
    if isinstance(value, str):
        value = (
            _parsed(value) if value.lstrip().startswith("[") else [part.strip() for part in value.split(",")]
        )
    if not isinstance(value, list | tuple):
        raise _wrong(entry, _("a list"))
    if not entry.fields:
        return list(value)
    return [_members(entry, item) for item in value]


def _texts(entry: Field, value: Any) -> list[str]:
    return [_text(entry, item) for item in _list(entry, value) if item not in EMPTY]


def _object(entry: Field, value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        value = _parsed(value)
    if not isinstance(value, Mapping):
        raise _wrong(entry, _("an object of names and values"))
    return _members(entry, value) if entry.fields else dict(value)


def _members(entry: Field, item: Any) -> dict[str, Any]:
    if not isinstance(item, Mapping):
        raise _wrong(entry, _("made of entries with names and values"))
    values, problems = prepare_inputs(entry.fields, item)
    if problems:
        raise ValueError(f"{entry.title}: {' '.join(problems.values())}")
    return values


def _json(entry: Field, value: Any) -> Any:
    if isinstance(value, str):
        parsed = _parsed(value)
        return value if parsed is None else parsed
    return value


def _date(entry: Field, value: Any) -> str:
    try:
        return date.fromisoformat(str(value).strip()[:10]).isoformat()
    except ValueError:
        raise _wrong(entry, _("a date such as 2026-11-22")) from None


def _datetime(entry: Field, value: Any) -> str:
    try:
        return datetime.fromisoformat(str(value).strip()).isoformat()
    except ValueError:
        raise _wrong(entry, _("a date and time such as 2026-11-22T09:30:00+01:00")) from None


def _email(entry: Field, value: Any) -> str:
    text = str(value).strip()
    if not re.fullmatch(r"[^@\s,;<>]+@[^@\s,;<>]+", text):
        raise _wrong(entry, _("an e-mail address"))
    return text


def _url(entry: Field, value: Any) -> str:
    text = str(value).strip()
    if not re.match(r"https?://[^\s/]+", text):
        raise _wrong(entry, _("a web address that begins with https://"))
    return text


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _wrong(entry: Field, what: str) -> ValueError:
    return ValueError(_("“%(field)s” must be %(what)s.") % {"field": entry.title, "what": what})


_CONVERT = {
    "text": _text,
    "long_text": _text,
    "select": lambda entry, value: value,
    "secret": _text,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "multi_select": _texts,
    "list": _list,
    "object": _object,
    "key_value": _object,
    "file": _object,
    "json": _json,
    "date": _date,
    "datetime": _datetime,
    "email": _email,
    "url": _url,
}
