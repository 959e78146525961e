"""Points in time as workflows meet them: ISO 8601 text, e-mail dates, Unix times, datetimes; and time zones by name."""

import re
from datetime import UTC, date, datetime, tzinfo
from email.utils import parsedate_to_datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

_FORMATS = (
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%d %B %Y",
    "%B %d, %Y",
    "%d %b %Y",
)
_ZONE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+\-/]{0,63}")
MILLISECONDS_FROM = 100_000_000_000  # as seconds this is the year 5138; larger numbers are milliseconds


@lru_cache(maxsize=512)
def zone(name: str) -> tzinfo:
    """Return the time zone called `name`, like Europe/Paris. Raises ValueError when there is none."""
    if not _ZONE_NAME.fullmatch(name) or ".." in name:
        raise ValueError(f"there is no time zone {name[:64]!r}")
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"there is no time zone {name!r}") from error


def moment(value: object, default_zone: tzinfo = UTC) -> datetime:
    """Return the aware point in time that `value` names.

    value: datetime, date, Unix time in seconds or milliseconds (number or digits), ISO 8601 text, RFC 2822 text, or one
    of a few common forms. A value without a zone is read in `default_zone`. Raises ValueError for anything else.
    """
    found = _read(value)
    return found if found.tzinfo is not None else found.replace(tzinfo=default_zone)


def is_moment(value: object) -> bool:
    """Return whether `moment` can read `value` as text or datetime (plain numbers do not count as dates)."""
    if isinstance(value, (datetime, date)):
        return True
    if not isinstance(value, str) or not any(mark in value for mark in "-/.: "):
        return False
    try:
        _read(value)
    except ValueError:
        return False
    return True


def _read(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - `moment` adds the zone asked for
    if isinstance(value, str):
        text = value.strip()
        if len(text) > 64:
            raise ValueError("this is not a date")
        if re.fullmatch(r"-?\d{9,15}(\.\d+)?", text):
            return _from_unix(float(text))
        return _from_text(text)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _from_unix(value)
    raise ValueError("this is not a date")


def _from_unix(seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(seconds / 1000 if abs(seconds) >= MILLISECONDS_FROM else seconds, UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise ValueError("this number is not a point in time") from error


def _from_text(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for form in _FORMATS:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 - `moment` adds the zone asked for
        except ValueError:
            continue
    try:
        return parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError) as error:
        raise ValueError(f"{text!r} is not a date") from error
