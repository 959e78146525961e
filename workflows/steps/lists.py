"""The list operations of transform: filter, map, sort, limit, unique, aggregate, group, flatten, merge, chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from workflows.definition.filters.bounds import count_of, number_of
from workflows.definition.filters.lists import identity_key, order_key, total
from workflows.definition.wording import gettext as _
from workflows.engine.here import Here
from workflows.engine.interface import Json
from workflows.engine.signals import failure

if TYPE_CHECKING:
    from workflows.steps.transform import Transform

Template = Callable[[dict[str, Any]], Json]


def filtered(step: Transform, here: Here) -> Json:
    if step.where is None:
        raise failure(_("This filter has no condition. Fill in “where”."))
    return [item for item, keep in each(here, step.list(here), step.where) if keep]


def mapped(step: Transform, here: Here) -> Json:
    if step.value is None:
        raise failure(_("This step does not say what each item becomes. Fill in “value”."))
    return [new for _item, new in each(here, step.list(here), step.value)]


def ordered(step: Transform, here: Here) -> Json:
    """Sort stably; items without a value come last in either direction."""
    keyed = [(order_key(key), item) for item, key in each(here, step.list(here), step.by)]
    nothing = order_key(None)
    known = [pair for pair in keyed if pair[0] != nothing]
    known.sort(key=lambda pair: pair[0], reverse=step.step.order == "descending")
    return [item for _key, item in known] + [item for key, item in keyed if key == nothing]


def limited(step: Transform, here: Here) -> Json:
    items = step.list(here)
    first = max(0, count_of(here.render(step.offset)))
    if step.count is None:
        return items[first:]
    return items[first : first + max(0, count_of(here.render(step.count)))]


def unique(step: Transform, here: Here) -> Json:
    """Keep the first of the items that are equal, or equal in `by`."""
    seen: set[Any] = set()
    kept = []
    for item, key in each(here, step.list(here), step.by):
        identity = identity_key(key)
        if identity not in seen:
            seen.add(identity)
            kept.append(item)
    return kept


def aggregated(step: Transform, here: Here) -> Json:
    items = step.list(here)
    return _measured(step, here, items) if step.measures else {"count": len(items)}


def grouped(step: Transform, here: Here) -> Json:
    """Return [{"key", "items", and each measure}], in order of first appearance."""
    groups: dict[Any, dict[str, Json]] = {}
    for item, key in each(here, step.list(here), step.by):
        groups.setdefault(identity_key(key), {"key": key, "items": []})["items"].append(item)
    return [{**group, **_measured(step, here, group["items"])} for group in groups.values()]


def flattened(step: Transform, here: Here) -> Json:
    return list(chain.from_iterable(item if isinstance(item, list) else [item] for item in step.list(here)))


def merged(step: Transform, here: Here) -> Json:
    """Objects become one, later keys win. Lists become one list; with `by`, entries that agree in it are joined."""
    parts = [part for part in step.list(here) if part is not None]
    if parts and all(isinstance(part, dict) for part in parts):
        if step.by is None:
            return {key: value for part in parts for key, value in part.items()}
        entries = parts
    else:
        entries = list(chain.from_iterable(part if isinstance(part, list) else [part] for part in parts))
    if step.by is None:
        return entries
    joined: dict[Any, Json] = {}
    for entry, key in each(here, entries, step.by):
        identity = identity_key(key)
        before = joined.get(identity)
        joined[identity] = (
            {**before, **entry} if isinstance(before, dict) and isinstance(entry, dict) else entry
        )
    return list(joined.values())


def chunked(step: Transform, here: Here) -> Json:
    items = step.list(here)
    size = count_of(here.render(step.count)) if step.count is not None else 0
    if size < 1:
        raise failure(_("A piece must hold at least one item. Fill in “count”."))
    return [items[start : start + size] for start in range(0, len(items), size)]


def each(here: Here, items: list[Json], template: Template | None) -> Iterator[tuple[Json, Json]]:
    """Yield (item, what the template gives for it); without a template, the item itself."""
    if template is None:
        yield from zip(items, items, strict=True)
        return
    scope = {**here.frame.scope, "now": here.started_at}
    for index, item in enumerate(items):
        scope["item"] = item
        scope["loop"] = {
            "index": index,
            "number": index + 1,
            "length": len(items),
            "first": index == 0,
            "last": index == len(items) - 1,
        }
        yield item, template(scope)


def _measured(step: Transform, here: Here, items: list[Json]) -> dict[str, Json]:
    return {
        name: _measure(function, [value for _item, value in each(here, items, template)])
        for name, (function, template) in step.measures.items()
    }


def _measure(function: str, values: list[Json]) -> Json:
    if function == "list":
        return values
    if function == "first":
        return values[0] if values else None
    if function == "last":
        return values[-1] if values else None
    known = [value for value in values if value is not None and value != ""]
    if function == "count":
        return len(known)
    if function in ("min", "max"):
        return (min if function == "min" else max)(known, key=order_key) if known else None
    numbers = [number_of(value) for value in known]
    if function == "sum":
        return total(numbers)
    return total(numbers) / len(numbers) if numbers else None
