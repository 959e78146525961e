"""Lengths of time and instants as steps meet them when they run, and the hours in which an organization works."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta, tzinfo

from workflows.definition.durations import InvalidDuration, parse_duration
from workflows.definition.limits import MAX_WAIT_DAYS
from workflows.definition.moments import moment, zone
from workflows.definition.wording import gettext as _
from workflows.engine.interface import Json
from workflows.engine.signals import failure

OPENS = time(9)
CLOSES = time(17)
WORKING_DAYS = frozenset(range(5))  # Monday is 0


def seconds_of(value: Json) -> timedelta:
    """Return the length of time a rendered value names: "5m", ISO 8601, or a number of seconds. Raises StepFailed."""
    if (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and 0 <= value <= MAX_WAIT_DAYS * 86_400
    ):
        return timedelta(seconds=value)
    try:
        return parse_duration(value)
    except InvalidDuration as problem:
        raise failure(str(problem)) from None


def instant_of(value: Json, home: tzinfo = UTC) -> datetime:
    """Return the instant a rendered value names, in UTC; without a zone it is read in `home`. Raises StepFailed."""
    try:
        return moment(value, home).astimezone(UTC)
    except (ValueError, OverflowError):
        raise failure(
            _("“{value}” is no date and time. Write it like 2027-03-01T09:00.").format(value=str(value)[:80])
        ) from None


def home_of(organization: Mapping[str, Json]) -> tzinfo:
    """Return the organization's time zone, UTC where it names none."""
    try:
        return zone(str(organization.get("timezone") or "UTC"))
    except ValueError:
        return UTC


def in_business_hours(instant: datetime, organization: Mapping[str, Json]) -> datetime:
    """Return `instant`, or the next moment at which the organization is open, in UTC.

    organization["business_hours"] may hold {"days": [0 ... 6, Monday first], "opens": "HH:MM", "closes": "HH:MM"};
    without it, Monday to Friday from 9 to 17 in the organization's time zone.
    """
    home = home_of(organization)
    days, opens, closes = _hours(organization.get("business_hours"))
    local = instant.astimezone(home)
    for ahead in range(8):
        day = local.date() + timedelta(days=ahead)
        if day.weekday() not in days:
            continue
        # Built from the wall clock of that very day, so a change to or from summer time moves nothing.
        start = datetime.combine(day, opens, home).astimezone(UTC)
        end = datetime.combine(day, closes, home).astimezone(UTC)
        if instant < end:
            return max(instant, start)
    return instant


def _hours(settings: Json) -> tuple[frozenset[int], time, time]:
    if not isinstance(settings, Mapping):
        return WORKING_DAYS, OPENS, CLOSES
    try:
        days = frozenset(int(day) for day in settings.get("days", WORKING_DAYS)) & frozenset(range(7))
        opens = time.fromisoformat(settings.get("opens", "09:00"))
        closes = time.fromisoformat(settings.get("closes", "17:00"))
    except (TypeError, ValueError):
        return WORKING_DAYS, OPENS, CLOSES
    return (days, opens, closes) if days and opens < closes else (WORKING_DAYS, OPENS, CLOSES)
