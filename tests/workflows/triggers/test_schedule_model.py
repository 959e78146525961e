"""Two years of schedules in thirty time zones, with random outages, against a model that shares no code with ours.

The model walks through real time minute by minute and asks a wall clock what it shows.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from workflows.triggers import firing, schedule

ZONES = [
    "UTC", "Europe/Berlin", "Europe/London", "Europe/Dublin", "Europe/Chisinau", "Europe/Istanbul", "Europe/Moscow",
    "Africa/Cairo", "Africa/Casablanca", "Africa/Johannesburg", "America/New_York", "America/Chicago", "America/Denver",
    "America/Los_Angeles", "America/Phoenix", "America/St_Johns", "America/Sao_Paulo", "America/Santiago",
    "America/Havana", "America/Nuuk", "Asia/Tehran", "Asia/Beirut", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tokyo",
    "Asia/Gaza", "Australia/Lord_Howe", "Australia/Adelaide", "Pacific/Chatham", "Pacific/Apia",
]  # fmt: skip
START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2028, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def times_of_day(random: Random) -> tuple[str, set[tuple[int, int]], set[int]]:
    """Return (cron, (hour, minute) pairs, weekdays with Monday 0) of a schedule that names its hours and minutes."""
    hours = random.sample(range(24), random.randint(1, 3)) + random.choice([[], [1, 2], [0], [23]])
    minutes = random.sample(range(60), random.randint(1, 2))
    weekdays = random.choice([set(range(7)), {0, 1, 2, 3, 4}, {5, 6}, {6}])
    cron_days = "*" if len(weekdays) == 7 else ",".join(str((day + 1) % 7) for day in sorted(weekdays))
    cron = f"{','.join(map(str, minutes))} {','.join(map(str, sorted(set(hours))))} * * {cron_days}"
    return cron, {(hour, minute) for hour in hours for minute in minutes}, weekdays


def expected(zone: ZoneInfo, pairs: set[tuple[int, int]], weekdays: set[int]) -> list[datetime]:
    """Return the instants at which a wall clock shows one of the times, each shown time of a day once.

    A time that the clock jumps over belongs to the minute it lands on. Built from offsets alone: per day, each wanted
    time is put on the first real minute of that day at which the clock shows it or something later.
    """
    found: set[datetime] = set()
    day = (START - timedelta(days=2)).date()
    while day <= (END + timedelta(days=2)).date():
        if day.weekday() in weekdays:
            for hour, minute in pairs:
                wanted = datetime(day.year, day.month, day.day, hour, minute)
                before = zone.utcoffset(wanted - timedelta(days=1))
                assert before is not None
                instant = wanted.replace(tzinfo=UTC) - before - timedelta(hours=3)
                while instant.astimezone(zone).replace(tzinfo=None) < wanted:
                    instant += _stride(instant, zone, wanted)
                found.add(instant)
        day += timedelta(days=1)
    return sorted(instant for instant in found if START < instant <= END)


def _stride(instant: datetime, zone: ZoneInfo, wanted: datetime) -> timedelta:
    # Far away, and with no change of the clock before it, go straight there; else minute by minute.
    shown = instant.astimezone(zone).replace(tzinfo=None)
    ahead = wanted - shown
    if ahead > MINUTE and not _changes(instant, instant + ahead, zone):
        return ahead
    return MINUTE


def _changes(first: datetime, last: datetime, zone: ZoneInfo) -> bool:
    step = timedelta(minutes=30)
    offset = first.astimezone(zone).utcoffset()
    while first < last:
        first = min(last, first + step)
        if first.astimezone(zone).utcoffset() != offset:
            return True
    return False


@pytest.mark.parametrize("name", ZONES)
def test_two_years_of_a_schedule_equal_the_model(name: str) -> None:
    random = Random(name)
    zone = ZoneInfo(name)
    cron, pairs, weekdays = times_of_day(random)
    wanted = expected(zone, pairs, weekdays)
    found = []
    for instant in schedule.fires({"cron": cron, "timezone": name}, START):
        if instant > END:
            break
        found.append(instant)
    assert found == wanted, cron


@pytest.mark.parametrize("missed", ["run_once", "run_all", "skip"])
@pytest.mark.parametrize("name", ZONES)
def test_outages_neither_lose_nor_repeat_a_planned_time(name: str, missed: str) -> None:
    random = Random(f"{name}/{missed}")
    cron, pairs, weekdays = times_of_day(random)
    settings = {"cron": cron, "timezone": name, "missed": missed}
    planned = expected(ZoneInfo(name), pairs, weekdays)
    due: datetime | None = planned[0]
    now = START
    ran: list[tuple[datetime, bool]] = []
    wanted: list[tuple[datetime, bool]] = []
    handled = 0
    while now < END - timedelta(days=40):
        # The scheduler looks often, and is away now and then for minutes, days or weeks.
        now += random.choice(
            [timedelta(seconds=20)] * 2 + [timedelta(hours=5), timedelta(days=2), timedelta(days=30)]
        )
        late = [instant for instant in planned[handled:] if instant <= now]
        handled += len(late)
        overdue = [instant for instant in late if (now - instant).total_seconds() > 60]
        on_time = [instant for instant in late if instant not in overdue]
        made_up = {"run_once": overdue[-1:], "run_all": overdue[-100:], "skip": []}[missed]
        wanted += [(instant, True) for instant in made_up] + [(instant, False) for instant in on_time]
        if due is not None and due <= now:
            plan = firing.plan(settings, due, now)
            ran += [(instant, reason == "MISSED_CAUGHT_UP") for instant, reason, _detail in plan.starts]
            due = plan.next_at
    assert ran == wanted, cron
    assert due == planned[handled]
