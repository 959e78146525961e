"""Reading requests strictly: what PostgreSQL could not store or JSON does not know is refused before anything looks."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from ninja.parser import Parser

from accounts.api.problems import Problem

MAX_DEPTH = 100
UNSTORABLE = "It holds a NUL character or half a character, which cannot be stored. Take it out."


class StrictParser(Parser):
    """JSON as RFC 8259 has it, of bounded depth, and texts that can be stored."""

    def parse_body(self, request: HttpRequest) -> Any:
        try:
            value = json.loads(request.body, parse_constant=_refuse_constant, object_pairs_hook=_unique)
        except (ValueError, RecursionError) as error:
            raise Problem("unreadable", f"The body is not JSON: {error}.") from None
        _check(value, 0)
        return value

    def parse_querydict(
        self, data: MultiValueDict[str, str], list_fields: list[str], request: HttpRequest
    ) -> dict[str, Any]:
        for name, values in data.lists():
            if any(_is_unstorable(value) for value in values):
                raise Problem("invalid", UNSTORABLE, errors=[(f"query.{name}", UNSTORABLE)])
        found: dict[str, Any] = super().parse_querydict(data, list_fields, request)
        return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _check(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise Problem("unreadable", f"The body nests deeper than {MAX_DEPTH} levels.")
    if isinstance(value, str):
        if _is_unstorable(value):
            raise Problem("unreadable", UNSTORABLE)
    elif isinstance(value, dict):
        for name, each in value.items():
            _check(name, depth)
            _check(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            _check(each, depth + 1)


def _is_unstorable(text: str) -> bool:
    return "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text)
