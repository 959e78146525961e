"""Reading values out of JSON by a path such as `response_metadata.next_cursor` or `channels[].id`."""

from __future__ import annotations

from typing import Any


def dig(value: Any, path: str, default: Any = None) -> Any:
    """Return the value at `path`, or default when any part of the way is missing.

    Parts are separated by dots: a member name, a list index (`choices.0`, `-1` for the last),
    or a name with `[]`, which collects the rest of the path from every element.
    An empty path is the value itself. A member whose name contains dots is found by its full name first.
    """
    if path == "":
        return value
    if isinstance(value, dict) and path in value:
        return value[path]
    head, _, rest = path.partition(".")
    if head.endswith("[]"):
        name = head[:-2]
        items = dig(value, name) if name else value
        if not isinstance(items, list):
            return default
        found = [dig(item, rest, default) for item in items]
        if "[]" in rest:  # nested lists flatten: `output[].content[].text` is one list of texts
            return [entry for group in found if isinstance(group, list) for entry in group]
        return found
    if isinstance(value, dict):
        if head not in value:
            return default
        return dig(value[head], rest, default)
    if isinstance(value, list) and head.lstrip("-").isdigit():
        index = int(head)
        if -len(value) <= index < len(value):
            return dig(value[index], rest, default)
    return default


def put(target: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a dotted path, making the objects on the way."""
    *parents, last = path.split(".")
    for name in parents:
        target = target.setdefault(name, {})
    target[last] = value
