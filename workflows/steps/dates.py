"""The date operation of transform: read, move, round down, and write a moment."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from workflows.definition.durations import InvalidDuration, parse_duration
from workflows.definition.filters.dates import write_date
from workflows.definition.moments import moment, zone
from workflows.definition.wording import gettext as _
from workflows.engine.here import Here
from workflows.engine.interface import Json
from workflows.engine.signals import failure
from workflows.steps.moments import home_of

if TYPE_CHECKING:
    from workflows.steps.transform import Transform


def moved(step: Transform, here: Here) -> Json:
    """Return the moment as text. Days are days on the calendar of the zone, so 9:00 stays 9:00 when clocks change."""
    options = step.step
    try:
        home = zone(options.timezone) if options.timezone else home_of(here.run.organization)
    except ValueError:
        raise failure(_("There is no time zone “{name}”.").format(name=options.timezone)) from None
    value = here.started_at if step.value is None and step.items is None else step.subject(here)
    try:
        if options.input_format:
            found = datetime.strptime(str(value), options.input_format)  # noqa: DTZ007 - the zone follows
            found = found if found.tzinfo else found.replace(tzinfo=home)
        else:
            found = moment(value, home)
    except ValueError:
        raise failure(
            _("“{value}” is no date. Check it, or say how it is written in “input_format”.").format(
                value=str(value)[:80]
            )
        ) from None
    try:
        local = _shifted(found.astimezone(home), here.render(step.add), 1)
        local = _shifted(local, here.render(step.subtract), -1)
        if options.start_of:
            local = _start_of(local, options.start_of)
    except (OverflowError, ValueError):
        raise failure(_("This date is out of range.")) from None
    return write_date(
        local, options.output_format or "iso", str(options.timezone) or None, scope=here.frame.scope
    )


def _shifted(local: datetime, length: Json, sign: int) -> datetime:
    if not length:
        return local
    try:
        span = parse_duration(str(length))
    except InvalidDuration as problem:
        raise failure(str(problem)) from None
    days, rest = timedelta(days=span.days), timedelta(seconds=span.seconds, microseconds=span.microseconds)
    # Aware arithmetic within one zone moves the wall clock; hours and minutes must pass for real instead.
    wall = local + sign * days
    return datetime.fromtimestamp(wall.timestamp() + sign * rest.total_seconds(), local.tzinfo)


def _start_of(local: datetime, unit: str) -> datetime:
    if unit == "minute":
        return local.replace(second=0, microsecond=0)
    if unit == "hour":
        return local.replace(minute=0, second=0, microsecond=0)
    day = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    match unit:
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "quarter":
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case "year":
            return day.replace(month=1, day=1)
    return day
