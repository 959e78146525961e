"""What a filter may take and give: conversions that refuse politely, and ceilings on the size of results."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from workflows.definition.wording import gettext as _

FilterTable = dict[str, Callable[..., Any]]

MAX_TEXT = 2_000_000  # characters a filter may return
MAX_ITEMS = 100_000  # entries of a list a filter may take or return
MAX_VALUES = 500_000  # values counted through a whole structure
MAX_DIGITS = 60  # of a whole number


class FilterRefused(ValueError):
    """The filter cannot do this; the message says why in plain words."""


class TooMuch(FilterRefused):
    """The result would be larger than a workflow may make."""


def text_of(value: Any) -> str:
    """Return `value` as it stands in text: nothing for null, true/false, JSON for lists and objects."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(whole(value))
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, range):
        value = list_of(value)
    return json_of(value)


def json_of(value: Any, indent: int | None = None) -> str:
    """Return `value` as JSON text. Raises TooMuch when it is too large."""
    require_bounded(value)
    try:
        return json.dumps(value, ensure_ascii=False, indent=indent, default=text_of)
    except (TypeError, ValueError) as error:
        raise FilterRefused(_("this cannot be written as JSON")) from error


def require_bounded(value: Any) -> None:
    """Raise TooMuch when `value` holds more than MAX_VALUES values or MAX_TEXT characters, counting repeats.

    A list may hold the same large object many times: it is small in memory, and enormous once written.
    """
    values = characters = 0
    stack = [value]
    while stack:
        current = stack.pop()
        values += 1
        if isinstance(current, str):
            characters += len(current)
        elif isinstance(current, dict):
            stack.extend(current.values())
            characters += sum(len(key) for key in current if isinstance(key, str))
        elif isinstance(current, (list, tuple)):
            stack.extend(current)
        if values + len(stack) > MAX_VALUES or characters > MAX_TEXT:
            raise TooMuch(_("the value is too large"))


def whole(value: int) -> int:
    """Return `value` unless it is absurdly long."""
    if value.bit_length() > MAX_DIGITS * 10 // 3:
        raise TooMuch(_("the number is too large"))
    return value


def number_of(value: Any) -> int | float:
    """Return the number that `value` is or spells: "1,250.50" and " 12 " too. Raises FilterRefused."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (int, float)):
        return whole(value) if isinstance(value, int) else _finite(value)
    if isinstance(value, str):
        text = value.strip().replace("\u00a0", "").replace(" ", "").replace("_", "")
        if len(text) <= 100:
            if "," in text:
                # One comma followed by anything but three digits is a decimal comma.
                head, _comma, tail = text.rpartition(",")
                text = (
                    f"{head}.{tail}"
                    if "," not in head and "." not in text and len(tail) != 3
                    else text.replace(",", "")
                )
            try:
                return whole(int(text))
            except ValueError:
                pass
            try:
                return _finite(float(text))
            except ValueError:
                pass
    raise FilterRefused(_("{value} is not a number").format(value=shown(value)))


def _finite(value: float) -> float:
    if value != value or value in (float("inf"), float("-inf")):
        raise FilterRefused(_("the result is not a finite number"))
    return value


def count_of(value: Any, limit: int = 1_000_000) -> int:
    """Return a whole number within ±limit. Raises FilterRefused."""
    number = number_of(value)
    if number != int(number) or abs(number) > limit:
        raise FilterRefused(_("{value} is not a usable whole number").format(value=shown(value)))
    return int(number)


def list_of(value: Any) -> list[Any]:
    """Return `value` as a list: null is empty, a single value is a list of one. Raises TooMuch."""
    if value is None:
        return []
    if isinstance(value, (list, tuple, range)):
        if len(value) > MAX_ITEMS:
            raise TooMuch(_("the list has more than {limit} items").format(limit=MAX_ITEMS))
        return list(value)
    return [value]


def bounded_text(value: str) -> str:
    """Return `value` unless it is too long."""
    if len(value) > MAX_TEXT:
        raise TooMuch(_("the text is longer than {limit} characters").format(limit=MAX_TEXT))
    return value


def descend(value: Any, key: Any) -> Any:
    """Return the entry `key` of an object or list; size, first and last work on both. Raises KeyError or IndexError."""
    if isinstance(value, Mapping):
        if key in value:
            return value[key]
        if key == "size":
            return len(value)
        raise KeyError(key)
    if isinstance(value, (list, tuple, range)):
        if isinstance(key, int) and not isinstance(key, bool):
            return value[key]
        if isinstance(key, str):
            if key == "size":
                return len(value)
            if key == "first":
                return value[0]
            if key == "last":
                return value[-1]
            if key.lstrip("-").isdecimal() and len(key) < 10:
                return value[int(key)]
        raise KeyError(key)
    if isinstance(value, str) and key == "size":
        return len(value)
    raise KeyError(key)


def at_path(value: Any, path: Any) -> Any:
    """Return what stands at a dotted `path` inside `value`, or None when there is nothing."""
    for key in text_of(path).split(".")[:32]:
        try:
            value = descend(value, key)
        except (LookupError, TypeError):
            return None
    return value


def shown(value: Any) -> str:
    """Return a short, quoted form of `value` for messages."""
    if isinstance(value, str):
        return f"“{value[:60]}…”" if len(value) > 60 else f"“{value}”"
    if isinstance(value, Mapping):
        return _("an object")
    if isinstance(value, Sequence):
        return _("a list")
    if value is None:
        return _("nothing")
    return text_of(value)[:60]
