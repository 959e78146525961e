"""Definitions as text: reading JSON with one clear message, and finding the line on which a value stands."""

import json
import re
from typing import Any

from workflows.definition.limits import MAX_DEFINITION_BYTES, MAX_JSON_DEPTH
from workflows.definition.problems import DefinitionInvalid, Location, Problem
from workflows.definition.wording import gettext as _

_SPACE = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SCALAR = re.compile(r"[^\s,\]}\[{\":]+")


def read_json(text: str) -> Any:
    """Return the JSON data in `text`. Raises DefinitionInvalid with line, column and what to do."""
    if len(text) > MAX_DEFINITION_BYTES * 4:
        raise DefinitionInvalid([Problem("too_large", _("This text is too long for a definition."))])
    try:
        return json.loads(text, object_pairs_hook=_object_without_doubles, parse_constant=_refuse_constant)
    except _DoubleKey as error:
        line, column = _last_place(text, error.key)
        message = _("Line {line}: the key “{key}” is there twice.").format(line=line, key=error.key[:80])
        raise DefinitionInvalid([Problem("double_key", message, line=line, column=column)]) from None
    except json.JSONDecodeError as error:
        message = _("Line {line}, column {column}: {reason}").format(
            line=error.lineno, column=error.colno, reason=_reason(text, error)
        )
        raise DefinitionInvalid(
            [Problem("not_json", message, line=error.lineno, column=error.colno)]
        ) from None
    except (RecursionError, ValueError):
        raise DefinitionInvalid([Problem("not_json", _("This text is not JSON."))]) from None


def locate(text: str, pointer: str | Location) -> tuple[int, int]:
    """Return (line, column), counted from 1, of the value at `pointer` in JSON `text`.

    pointer: a JSON Pointer or a location. When the value is not there, the nearest one around it; (1, 1) at worst.
    """
    keys = _keys(pointer) if isinstance(pointer, str) else [str(part) for part in pointer]
    index = _find(text, _SPACE.match(text, 0).end(), keys)  # type: ignore[union-attr]  # always matches
    return text.count("\n", 0, index) + 1, index - (text.rfind("\n", 0, index) + 1) + 1


def with_lines(problems: list[Problem], text: str, prefix: Location = ()) -> list[Problem]:
    """Return the problems with line and column in `text`. prefix: where the definition stands inside the document."""
    return [problem.at(*locate(text, (*prefix, *problem.location))) for problem in problems]


class _DoubleKey(Exception):
    def __init__(self, key: str):
        super().__init__(key)
        self.key = key


def _object_without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        raise _DoubleKey(next(key for key, _value in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def _last_place(text: str, key: str) -> tuple[int, int]:
    index = max(text.rfind(json.dumps(key, ensure_ascii=False)), 0)
    return text.count("\n", 0, index) + 1, index - (text.rfind("\n", 0, index) + 1) + 1


def _reason(text: str, error: json.JSONDecodeError) -> str:
    rest = text[error.pos :].lstrip()
    before = text[: error.pos].rstrip()
    if not text.strip():
        return _("there is nothing here yet.")
    if not rest:
        return _("the text ends too early. Is a closing bracket or quote missing?")
    if "property name" in error.msg:
        if rest[:1] == "'":
            return _("use double quotes around names.")
        if before.endswith(",") and rest[:1] == "}":
            return _("there is a comma too many before the closing brace.")
        return _("a name in double quotes is expected here.")
    if "Expecting ',' delimiter" in error.msg:
        return _("a comma is missing before this.")
    if "Expecting ':' delimiter" in error.msg:
        return _("a colon is missing after the name.")
    if "Extra data" in error.msg:
        return _("there is more text after the end.")
    if "Invalid control character" in error.msg or "Unterminated string" in error.msg:
        return _("a text in quotes is not closed on its line.")
    if "Expecting value" in error.msg:
        if before.endswith(",") and rest[:1] == "]":
            return _("there is a comma too many before the closing bracket.")
        if rest[:1] == "'":
            return _("use double quotes around text.")
    return _("this is not valid JSON.")


def _keys(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _find(text: str, start: int, keys: list[str]) -> int:
    """Return the index where the value at `keys` begins, walking down from the value that begins at `start`."""
    for key in keys:
        inner = _enter(text, start, key)
        if inner is None:
            return start
        start = inner
    return start


def _enter(text: str, start: int, key: str) -> int | None:
    opening = text[start : start + 1]
    if opening not in {"{", "["}:
        return None
    index, count = _skip_space(text, start + 1), 0
    while index < len(text) and text[index] not in "}]":
        here = index
        if opening == "{":
            match = _STRING.match(text, index)
            if match is None:
                return None
            index = _skip_space(text, match.end())
            index = _skip_space(text, index + (text[index : index + 1] == ":"))
            try:
                name = json.loads(match.group())
            except ValueError:
                name = None
            if name == key:
                return index
        elif str(count) == key:
            return index
        count += 1
        index = _skip_space(text, _skip_value(text, index))
        if text[index : index + 1] == ",":
            index = _skip_space(text, index + 1)
        if index <= here:
            return None
    return None


def _skip_space(text: str, index: int) -> int:
    return _SPACE.match(text, index).end()  # type: ignore[union-attr]  # always matches


def _skip_value(text: str, index: int) -> int:
    depth = 0
    while index < len(text):
        character = text[index]
        if character == '"':
            match = _STRING.match(text, index)
            if match is None:
                return len(text)
            index = match.end()
        elif character in "{[":
            depth += 1
            index += 1
            if depth > MAX_JSON_DEPTH * 4:
                return len(text)
        elif character in "}]":
            depth -= 1
            index += 1
        elif character in ",: \t\r\n":
            index += 1
        else:
            match = _SCALAR.match(text, index)
            index = match.end() if match else index + 1
        if depth <= 0:
            return index
    return index
