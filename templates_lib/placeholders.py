"""Configuration inside a template: `{"$config": "channel"}` is a whole value, `[[config.channel]]` a part of a text
or of a key.

Both are resolved when the template is installed, long before Liquid runs, and neither can be mistaken for Liquid. A
path may go into nested objects (`address.city`). An optional answer that was not given leaves its key or list entry
out, and is empty inside a text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

WHOLE = "$config"
IN_TEXT = re.compile(r"\[\[\s*config\.([A-Za-z_][\w.]*)\s*\]\]")
_MISSING = object()


def resolve(value: Any, configuration: Mapping[str, Any]) -> Any:
    """Return `value` with every placeholder replaced; a whole value that was not given becomes None at the top."""
    found = _resolved(value, configuration)
    return None if found is _MISSING else found


def paths_in(value: Any) -> Iterator[str]:
    """Yield the dotted configuration path of every placeholder, in reading order, with repetitions."""
    if isinstance(value, str):
        yield from IN_TEXT.findall(value)
    elif isinstance(value, list):
        for entry in value:
            yield from paths_in(entry)
    elif isinstance(value, Mapping):
        if set(value) == {WHOLE}:
            yield str(value[WHOLE])
            return
        for key, entry in value.items():
            yield from IN_TEXT.findall(str(key))
            yield from paths_in(entry)


def example_configuration(schema: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return answers to try a template with: the schema's defaults, else its first examples; the rest is left out."""
    found: dict[str, Any] = {}
    for name, part in ((schema or {}).get("properties") or {}).items():
        if part.get("properties"):
            found[name] = example_configuration(part)
        elif "default" in part:
            found[name] = part["default"]
        elif part.get("examples"):
            found[name] = part["examples"][0]
    return found


def _resolved(value: Any, configuration: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        return IN_TEXT.sub(lambda match: _as_text(_look_up(configuration, match[1])), value)
    if isinstance(value, list):
        entries = (_resolved(entry, configuration) for entry in value)
        return [entry for entry in entries if entry is not _MISSING]
    if isinstance(value, Mapping):
        if set(value) == {WHOLE}:
            return _look_up(configuration, str(value[WHOLE]))
        resolved = {
            _resolved(key, configuration): _resolved(entry, configuration) for key, entry in value.items()
        }
        return {key: entry for key, entry in resolved.items() if entry is not _MISSING}
    return value


def _look_up(configuration: Mapping[str, Any], path: str) -> Any:
    found: Any = configuration
    for name in path.split("."):
        if not isinstance(found, Mapping) or name not in found:
            return _MISSING
        found = found[name]
    return found


def _as_text(value: Any) -> str:
    if value is _MISSING or value is None:
        return ""
    if isinstance(value, list) and all(isinstance(entry, str | int | float) for entry in value):
        return ", ".join(str(entry) for entry in value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
