"""Pages of lists by the last key seen, with an opaque cursor."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any
from uuid import UUID

from django.db.models import Q, QuerySet
from ninja import Field, Schema
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, ConfigDict

from accounts.api.problems import Problem

MOST = 100
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2999, 12, 31, tzinfo=UTC)


def written_out(value: Any) -> Any:
    """Return a date or instant as it was sent; raises ValueError for a number, which could count anything."""
    if not isinstance(value, date) and re.match(r"\d{4}-\d\d-\d\d", str(value)) is None:
        raise ValueError("write it like 2026-11-22 or 2026-11-22T09:30:00Z")
    return value


# A bound of a search. What lies far outside of any list is brought near it, for PostgreSQL and keys to take it.
Moment = Annotated[
    AwareDatetime,
    BeforeValidator(written_out),
    AfterValidator(lambda moment: min(max(moment, EARLIEST), LATEST)),
]


class Body(Schema):
    """What a request sends. A name that is not known is refused: it is most likely misspelt."""

    model_config = ConfigDict(extra="forbid")


class PageQuery(Schema):
    """Which part of a list."""

    cursor: str = Field(
        "", max_length=300, description="`next_cursor` of the page before; empty for the first."
    )
    limit: int = Field(25, ge=1, le=MOST, description="How many entries at the most.")


def page_of(
    rows: QuerySet[Any], page: PageQuery, *, by: Sequence[str] = ("id",), rising: bool = False
) -> tuple[list[Any], str | None]:
    """Return the page's rows, newest first, and the cursor of the next page (None at the end).

    by: one or two columns that order the list, the last one unique. rising: oldest first. Raises Problem for a cursor
    that cannot be read.
    """
    if page.cursor:
        rows = rows.filter(_beyond(by, _read(page.cursor, by), "gt" if rising else "lt"))
    sign = "" if rising else "-"
    found = list(rows.order_by(*(f"{sign}{name}" for name in by))[: page.limit + 1])
    if len(found) <= page.limit:
        return found, None
    return found[: page.limit], cursor_of(found[page.limit - 1], by)


def cursor_of(row: Any, by: Sequence[str]) -> str:
    """Return the cursor of the rows beyond this one."""
    values = [getattr(row, name) for name in by]
    text = "_".join(value.isoformat() if isinstance(value, datetime) else str(value) for value in values)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _beyond(by: Sequence[str], values: list[Any], side: str) -> Q:
    if len(by) == 1:
        return Q(**{f"{by[0]}__{side}": values[0]})
    # The closed bound on the leading column is what lets PostgreSQL start inside the index.
    first, second = by
    return Q(**{f"{first}__{side}e": values[0]}) & (
        Q(**{f"{first}__{side}": values[0]}) | Q(**{f"{second}__{side}": values[1]})
    )


def _read(cursor: str, by: Sequence[str]) -> list[Any]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        parts = text.split("_")
        return [_value(name, part) for name, part in zip(by, parts, strict=True)]
    except (ValueError, binascii.Error, OverflowError):
        message = "Use next_cursor of the page before as it is, or leave it out."
        raise Problem("invalid", "The cursor cannot be read.", errors=[("query.cursor", message)]) from None


def _value(name: str, text: str) -> Any:
    if name == "id" or name.endswith("_id"):
        return UUID(text)
    if name.endswith("_at"):
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError("an instant without a time zone")
        return moment
    return int(text)
