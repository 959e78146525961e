"""When a schedule fires: pure arithmetic over its settings, in the time zone its author thinks in.

Daylight saving time, as Debian's cron treats it. Where both minute and hour are named (`30 2 * * *`), a time of
day that the clocks skip in spring fires at the first moment after the gap, and one that they repeat in autumn fires
the first time only. Where minute or hour starts with a star (`*/15 * * * *`, `0 * * * *`), real time counts: a skipped
hour has no fires and a repeated hour has them twice, so that two fires stay equally far apart. `every` counts real
time from its anchor; "every 24h" therefore moves against the clock when the clocks change, and who wants nine o'clock
every day writes `0 9 * * *`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from django.utils.translation import gettext as _

from workflows.definition.durations import InvalidDuration, parse_duration

SHORTEST_INTERVAL = timedelta(minutes=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ScheduleInvalid(ValueError):
    """The settings name no schedule; the message says which part is wrong and how to write it."""


def next_fire(
    settings: Mapping[str, Any], after: datetime, *, timezone: str = "UTC", anchor: datetime | None = None
) -> datetime | None:
    """Return the first instant (UTC) after `after` at which the schedule fires; None when it never does again.

    settings: a schedule trigger (cron or every, timezone, pause). timezone: the organization's, for schedules that name
    none. anchor: where `every` counts from. Pause dates are left out. Raises ScheduleInvalid.
    """
    return next(fires(settings, after, timezone=timezone, anchor=anchor), None)


def fires(
    settings: Mapping[str, Any],
    after: datetime,
    *,
    timezone: str = "UTC",
    anchor: datetime | None = None,
    with_pauses: bool = True,
) -> Iterator[datetime]:
    """Yield the instants (UTC) after `after` at which the schedule fires, soonest first. Raises ScheduleInvalid.

    with_pauses: False yields those on pause dates as well.
    """
    zone = zone_of(settings, timezone)
    pauses = _pauses(settings) if with_pauses else []
    moments = _unpaused(settings, after, zone, anchor)
    while (instant := next(moments, None)) is not None:
        day = instant.astimezone(zone).date()
        end = max((end for start, end in pauses if start <= day <= end), default=None)
        if end is None:
            yield instant
        else:
            moments = _unpaused(settings, midnight_after(end, zone) - timedelta.resolution, zone, anchor)


def preview(
    settings: Mapping[str, Any],
    count: int = 50,
    *,
    after: datetime,
    timezone: str = "UTC",
    anchor: datetime | None = None,
) -> list[datetime]:
    """Return the next `count` instants, in the schedule's own time zone. Raises ScheduleInvalid."""
    zone = zone_of(settings, timezone)
    found: list[datetime] = []
    for instant in fires(settings, after, timezone=timezone, anchor=anchor or after):
        if len(found) == count:
            break
        found.append(instant.astimezone(zone))
    return found


def is_paused(settings: Mapping[str, Any], instant: datetime, *, timezone: str = "UTC") -> bool:
    """Return whether `instant` falls on one of the schedule's pause dates."""
    day = instant.astimezone(zone_of(settings, timezone)).date()
    return any(start <= day <= end for start, end in _pauses(settings))


def check(settings: Mapping[str, Any], *, timezone: str = "UTC") -> None:
    """Raise ScheduleInvalid unless the settings name a schedule that can be followed."""
    zone_of(settings, timezone)
    _pauses(settings)
    next(_unpaused(settings, datetime.now(UTC), UTC, None), None)


def zone_of(settings: Mapping[str, Any], timezone: str) -> ZoneInfo:
    """Return the time zone the schedule is meant in: its own, else the organization's. Raises ScheduleInvalid."""
    name = settings.get("timezone") or timezone
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = _("“%(name)s” is not a known time zone. Write it like Europe/Paris.")
        raise ScheduleInvalid(message % {"name": name}) from None


def _unpaused(
    settings: Mapping[str, Any], after: datetime, zone: Any, anchor: datetime | None
) -> Iterator[datetime]:
    if settings.get("cron") and settings.get("every"):
        raise ScheduleInvalid(_("Give either fixed times or an interval, not both."))
    if settings.get("cron"):
        return _cron(str(settings["cron"]), after, zone)
    if settings.get("every"):
        return _every(str(settings["every"]), after, anchor or EPOCH)
    raise ScheduleInvalid(_("Say when it should run: fixed times or an interval."))


def _cron(expression: str, after: datetime, zone: Any) -> Iterator[datetime]:
    if len(expression.split()) != 5:
        message = _(
            "“%(text)s” must have five parts: minute, hour, day, month, weekday. For example 0 9 * * MON-FRI."
        )
        raise ScheduleInvalid(message % {"text": expression})
    try:
        moments = CronSim(expression.upper(), after.astimezone(zone))
    except CronSimError as error:
        message = _("“%(text)s” is not a schedule: %(what)s.")
        raise ScheduleInvalid(message % {"text": expression, "what": str(error).lower()}) from None
    return _after(moments, after)


def _after(moments: Iterator[datetime], after: datetime) -> Iterator[datetime]:
    # The simulation looks at wall clocks; around a change of the clocks it may name an instant that has passed.
    last = after
    for moment in moments:
        instant = moment.astimezone(UTC)
        if instant > last:
            last = instant
            yield instant


def _every(text: str, after: datetime, anchor: datetime) -> Iterator[datetime]:
    try:
        interval = parse_duration(text)
    except InvalidDuration as error:
        raise ScheduleInvalid(str(error)) from None
    if interval < SHORTEST_INTERVAL:
        raise ScheduleInvalid(_("The shortest interval is one minute."))
    return _steps(interval, after.astimezone(UTC), anchor.astimezone(UTC))


def _steps(interval: timedelta, after: datetime, anchor: datetime) -> Iterator[datetime]:
    instant = anchor + ((after - anchor) // interval + 1) * interval
    while True:
        yield instant
        instant += interval


def _pauses(settings: Mapping[str, Any]) -> list[tuple[date, date]]:
    found = []
    for entry in settings.get("pause") or []:
        try:
            start, end = date.fromisoformat(entry["start"]), date.fromisoformat(entry["end"])
        except (KeyError, TypeError, ValueError):
            raise ScheduleInvalid(
                _("A pause needs a first and a last day, written like 2026-12-24.")
            ) from None
        if end < start:
            raise ScheduleInvalid(_("A pause must end on the day it starts, or later."))
        found.append((start, end))
    return found


def midnight_after(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant (UTC) after `day` has ended in `zone`."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC)
