"""JSON values as people type them: text stays text, `12`, `true`, `[1, 2]` and `{"a": 1}` are what they look like.

`read(shown(value)) == value` for every JSON value: a text that looks like something else is shown in quotes.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from workflows.definition.shapes import is_template

ABSENT: Any = object()
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,12})?")
_OPENERS = ("{", "[", '"')


def shown(value: Any) -> str:
    """Return the text of a JSON value for a field; "" for None and for what is not there."""
    if value is ABSENT or value is None:
        return ""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False) if value == "" or read(value) != value else value
    if isinstance(value, dict | list):
        return json.dumps(value, indent=2, ensure_ascii=False)
    return json.dumps(value)


def read(text: str) -> Any:
    """Return the JSON value that a text means; None for an empty one."""
    bare = text.strip()
    if not bare:
        return None
    if _NUMBER.fullmatch(bare) or bare in ("true", "false"):
        return json.loads(bare)
    if bare[0] in _OPENERS and not bare.startswith(("{{", "{%")):
        try:
            return json.loads(bare, parse_constant=_refuse)
        except (ValueError, RecursionError):
            return text
    return text


def read_number(text: str, *, whole: bool) -> Any:
    """Return a number, or the text itself when it holds Liquid. Raises ValueError."""
    bare = text.strip()
    if is_template(bare):
        return bare
    if whole:
        return int(bare)
    number = float(bare.replace(",", ".") if bare.count(",") == 1 and "." not in bare else bare)
    if not math.isfinite(number):
        raise ValueError(text)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _refuse(constant: str) -> Any:
    raise ValueError(constant)
