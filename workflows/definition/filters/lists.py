"""Filters on lists and objects: picking, ordering, totals. Property arguments may be dotted paths."""

import json
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from workflows.definition.filters.bounds import (
    MAX_ITEMS,
    MAX_TEXT,
    FilterRefused,
    FilterTable,
    TooMuch,
    at_path,
    list_of,
    number_of,
    require_bounded,
    text_of,
)
from workflows.definition.wording import gettext as _

_UNSET = object()


def order_key(value: Any) -> tuple[int, Any]:
    """Return a key that orders any JSON values: nothing last, then numbers, text, and the rest by their text."""
    if value is None:
        return (3, "")
    if isinstance(value, (bool, int, float)):
        return (0, value)
    return (1, value) if isinstance(value, str) else (2, text_of(value))


def identity_key(value: Any) -> Any:
    """Return a hashable stand-in for `value`: equal exactly when the JSON values are equal."""
    if isinstance(value, (dict, list)):
        require_bounded(value)
        return ("json", json.dumps(value, sort_keys=True, default=text_of))
    return (isinstance(value, bool), value)


def _pick(item: Any, path: Any) -> Any:
    return item if path is None else at_path(item, path)


def _join(value: Any, separator: Any = " ") -> str:
    mark = text_of(separator)
    length, parts = 0, []
    for item in list_of(value):
        part = text_of(item)
        length += len(part) + len(mark)
        if length > MAX_TEXT:
            raise TooMuch(_("the text would become too long"))
        parts.append(part)
    return mark.join(parts)


def _uniq(value: Any, path: Any = None) -> list[Any]:
    seen, kept = set(), []
    for item in list_of(value):
        key = identity_key(_pick(item, path))
        if key not in seen:
            seen.add(key)
            kept.append(item)
    return kept


def _matches(item: Any, path: Any, wanted: Any) -> bool:
    found = at_path(item, path)
    if wanted is _UNSET:
        return found is not None and found is not False
    return found == wanted and isinstance(found, bool) == isinstance(wanted, bool)


def _find(value: Any, path: Any, wanted: Any = _UNSET) -> Any:
    return next((item for item in list_of(value) if _matches(item, path, wanted)), None)


def _find_index(value: Any, path: Any, wanted: Any = _UNSET) -> int | None:
    return next((index for index, item in enumerate(list_of(value)) if _matches(item, path, wanted)), None)


def _concat(value: Any, more: Any) -> list[Any]:
    joined = list_of(value) + list_of(more)
    require_bounded(joined)
    return list_of(joined)


def _flatten(value: Any) -> list[Any]:
    flat = list(
        _take(chain.from_iterable(item if isinstance(item, list) else [item] for item in list_of(value)))
    )
    require_bounded(flat)
    return flat


def _take(items: Iterable[Any]) -> Iterable[Any]:
    for count, item in enumerate(items):
        if count >= MAX_ITEMS:
            raise TooMuch(_("the list has more than {limit} items").format(limit=MAX_ITEMS))
        yield item


def _numbers(value: Any, path: Any) -> list[int | float]:
    found = (_pick(item, path) for item in list_of(value))
    return [number_of(item) for item in found if item is not None and item != ""]


def total(numbers: list[int | float]) -> int | float:
    """Return the sum; rounded at the twelfth decimal so that 0.1 and 0.2 make 0.3."""
    result = sum(numbers)
    return result if isinstance(result, int) else round(result, 12)


def _average(value: Any, path: Any = None) -> float | None:
    numbers = _numbers(value, path)
    return total(numbers) / len(numbers) if numbers else None


def _extreme(value: Any, path: Any, *, largest: bool) -> Any:
    found = [item for item in (_pick(item, path) for item in list_of(value)) if item is not None]
    return (max if largest else min)(found, key=order_key) if found else None


def _size(value: Any) -> int:
    if isinstance(value, (str, list, tuple, range, Mapping)):
        return len(value)
    return 0 if value is None else len(text_of(value))


def _first(value: Any) -> Any:
    return (
        next(iter(value), None) if isinstance(value, (str, list, range)) else next(iter(list_of(value)), None)
    )


def _last(value: Any) -> Any:
    return (
        value[-1]
        if isinstance(value, (str, list, range)) and value
        else next(iter(reversed(list_of(value))), None)
    )


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise FilterRefused(_("this filter needs an object"))
    return value


FILTERS: FilterTable = {
    "size": _size,
    "first": _first,
    "last": _last,
    "join": _join,
    "reverse": lambda value: value[::-1] if isinstance(value, str) else list_of(value)[::-1],
    "sort": lambda value, path=None: sorted(list_of(value), key=lambda item: order_key(_pick(item, path))),
    "sort_natural": lambda value, path=None: sorted(
        list_of(value), key=lambda i: text_of(_pick(i, path)).casefold()
    ),
    "uniq": _uniq,
    "compact": lambda value, path=None: [i for i in list_of(value) if _pick(i, path) not in (None, "")],
    "concat": _concat,
    "flatten": _flatten,
    "map": lambda value, path: [at_path(item, path) for item in list_of(value)],
    "where": lambda value, path, wanted=_UNSET: [i for i in list_of(value) if _matches(i, path, wanted)],
    "reject": lambda value, path, wanted=_UNSET: [i for i in list_of(value) if not _matches(i, path, wanted)],
    "find": _find,
    "find_index": _find_index,
    "has": lambda value, path, wanted=_UNSET: any(_matches(item, path, wanted) for item in list_of(value)),
    "sum": lambda value, path=None: total(_numbers(value, path)),
    "average": _average,
    "min": lambda value, path=None: _extreme(value, path, largest=False),
    "max": lambda value, path=None: _extreme(value, path, largest=True),
    "keys": lambda value: list(_object(value)),
    "values": lambda value: list(_object(value).values()),
    "get": lambda value, path: at_path(value, path),
}
