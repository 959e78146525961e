"""Pages of long lists by the last key seen: page 10,000 costs as much as page 1, and new rows shift nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest

PAGE_SIZE = 30


@dataclass(frozen=True, slots=True)
class Page:
    """One page. rows: in reading order. previous_url, next_url: query strings, "" at an end."""

    rows: list[Any]
    previous_url: str = ""
    next_url: str = ""

    def __iter__(self) -> Any:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def page_of(
    rows: QuerySet[Any], request: HttpRequest, *, by: Sequence[str] = ("id",), size: int = PAGE_SIZE
) -> Page:
    """Return the page that the request's `before` or `after` names, newest first; the first page without them.

    by: the columns that order the list, all descending, the last one unique. A cursor that cannot be read is ignored.
    """
    older, newer = _cursor(request.GET.get("before", ""), by), _cursor(request.GET.get("after", ""), by)
    if newer is not None:
        found = list(_beyond(rows, by, newer, "gt").order_by(*by)[: size + 1])
        has_more, found = len(found) > size, found[:size][::-1]
        previous, following = has_more, True
    else:
        ordered = rows if older is None else _beyond(rows, by, older, "lt")
        found = list(ordered.order_by(*(f"-{name}" for name in by))[: size + 1])
        previous, following = older is not None, len(found) > size
        found = found[:size]
    if not found:
        return Page([])
    return Page(
        found,
        _url(request, "after", found[0], by) if previous else "",
        _url(request, "before", found[-1], by) if following else "",
    )


def _beyond(rows: QuerySet[Any], by: Sequence[str], cursor: list[Any], side: str) -> QuerySet[Any]:
    first = by[0]
    if len(by) == 1:
        return rows.filter(**{f"{first}__{side}": cursor[0]})
    # The closed bound on the leading column is what lets PostgreSQL start inside the index.
    return rows.filter(
        Q(**{f"{first}__{side}e": cursor[0]})
        & (Q(**{f"{first}__{side}": cursor[0]}) | Q(**{f"{by[1]}__{side}": cursor[1]}))
    )


def _cursor(text: str, by: Sequence[str]) -> list[Any] | None:
    parts = text.split("_")
    if not text or len(parts) != len(by):
        return None
    try:
        return [_read(name, part) for name, part in zip(by, parts, strict=True)]
    except (ValueError, ValidationError):
        return None


def _read(name: str, text: str) -> Any:
    if name != "id" and not name.endswith("_at"):
        raise ValueError(f"lists are not ordered by {name}")
    return UUID(text) if name == "id" else datetime.fromisoformat(text)


def _url(request: HttpRequest, direction: str, row: Any, by: Sequence[str]) -> str:
    query = request.GET.copy()
    for name in ("before", "after"):
        query.pop(name, None)
    values = [getattr(row, name) for name in by]
    query[direction] = "_".join(
        value.isoformat() if isinstance(value, datetime) else str(value) for value in values
    )
    return f"?{query.urlencode()}"
