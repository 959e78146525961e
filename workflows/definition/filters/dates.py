"""Filters on dates: writing, moving and counting, in the organization's time zone unless another is named."""

import re
from datetime import UTC, datetime, tzinfo
from typing import Any

from workflows.definition.durations import InvalidDuration, parse_duration
from workflows.definition.filters.bounds import FilterRefused, FilterTable, text_of
from workflows.definition.moments import moment, zone
from workflows.definition.wording import gettext as _

# Field widths ("%999999999d") would make the C library write gigabytes, so only plain directives are allowed.
_SAFE_FORMAT = re.compile(r"(?:[^%]|%-?[aAbBcdDeFgGHIjklmMnpPrRStTuUVwWxXyYzZ%])*")
NAMED_FORMATS = {
    "iso": "",
    "date": "%Y-%m-%d",
    "time": "%H:%M",
    "datetime": "%Y-%m-%d %H:%M",
    "long": "%-d %B %Y",
}


def home_zone(scope: Any) -> tzinfo:
    """Return the organization's time zone as the scope names it, or UTC."""
    organization = scope.get("organization") if scope else None
    name = organization.get("timezone") if isinstance(organization, dict) else None
    try:
        return zone(name) if isinstance(name, str) and name else UTC
    except ValueError:
        return UTC


def _now(scope: Any) -> datetime:
    if not scope or "now" not in scope:
        raise FilterRefused(_("the current time is not known here"))
    return _moment(scope["now"], scope)


def _moment(value: Any, scope: Any) -> datetime:
    if value in ("now", "today"):
        return _now(scope)
    try:
        return moment(value, home_zone(scope))
    except ValueError as error:
        raise FilterRefused(_("{value} is not a date").format(value=f"“{text_of(value)[:60]}”")) from error


def _zone(name: Any, scope: Any) -> tzinfo:
    if name is None or name == "":
        return home_zone(scope)
    try:
        return zone(text_of(name))
    except ValueError as error:
        raise FilterRefused(
            _("there is no time zone {name}").format(name=f"“{text_of(name)[:60]}”")
        ) from error


def write_date(value: Any, form: Any = "iso", timezone: Any = None, *, scope: Any = None) -> str:
    """Return a date as text. form: strftime directives or iso, date, time, datetime, long."""
    pattern = NAMED_FORMATS.get(text_of(form), text_of(form))
    if len(pattern) > 200 or not _SAFE_FORMAT.fullmatch(pattern):
        raise FilterRefused(_("{value} is not a date format").format(value=f"“{pattern[:60]}”"))
    instant, target = _moment(value, scope), _zone(timezone, scope)
    try:
        local = instant.astimezone(target)
        return local.strftime(pattern) if pattern else local.isoformat()
    except (OverflowError, ValueError) as error:
        raise FilterRefused(_("the date is out of range")) from error


def shift(value: Any, length: Any, *, sign: int = 1, scope: Any = None) -> str:
    """Return the date moved by a length of time, as ISO 8601 text in the zone it came in."""
    instant = _moment(value, scope)
    try:
        return (instant + sign * parse_duration(text_of(length))).isoformat()
    except InvalidDuration as error:
        raise FilterRefused(str(error)) from error
    except OverflowError as error:
        raise FilterRefused(_("the date is out of range")) from error


def _days_between(earlier: datetime, later: datetime, scope: Any) -> int:
    """Count the midnights between two moments in the organization's zone."""
    home = home_zone(scope)
    try:
        return (later.astimezone(home).date() - earlier.astimezone(home).date()).days
    except OverflowError as error:
        raise FilterRefused(_("the date is out of range")) from error


FILTERS: FilterTable = {
    "date": write_date,
    "add_time": lambda value, length, *, scope=None: shift(value, length, scope=scope),
    "subtract_time": lambda value, length, *, scope=None: shift(value, length, sign=-1, scope=scope),
    "days_since": lambda value, *, scope=None: _days_between(_moment(value, scope), _now(scope), scope),
    "days_until": lambda value, *, scope=None: _days_between(_now(scope), _moment(value, scope), scope),
    "timestamp": lambda value, *, scope=None: int(_moment(value, scope).timestamp()),
}
for _function in FILTERS.values():
    _function.needs_scope = True  # type: ignore[attr-defined]  # read once, when the environment is built
