"""Schedules as people write them: what they mean around changes of the clocks, pauses, and nonsense."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from workflows.triggers import schedule

BERLIN = {"timezone": "Europe/Berlin"}


def local(settings: dict[str, object], after: str, count: int) -> list[str]:
    moments = schedule.preview(settings, count, after=datetime.fromisoformat(after))
    return [moment.strftime("%d %H:%M %z") for moment in moments]


def test_a_time_that_the_clocks_skip_fires_at_the_end_of_the_gap() -> None:
    found = local({"cron": "30 2 * * *", **BERLIN}, "2027-03-27T00:00+01:00", 3)
    assert found == ["27 02:30 +0100", "28 03:00 +0200", "29 02:30 +0200"]


def test_a_time_that_the_clocks_repeat_fires_once() -> None:
    found = local({"cron": "30 2 * * *", **BERLIN}, "2026-10-24T00:00+02:00", 3)
    assert found == ["24 02:30 +0200", "25 02:30 +0200", "26 02:30 +0100"]


def test_every_hour_means_every_hour_of_real_time() -> None:
    autumn = local({"cron": "0 * * * *", **BERLIN}, "2026-10-25T01:30+02:00", 3)
    spring = local({"cron": "0 * * * *", **BERLIN}, "2027-03-28T00:30+01:00", 3)
    assert autumn == ["25 02:00 +0200", "25 02:00 +0100", "25 03:00 +0100"]
    assert spring == ["28 01:00 +0100", "28 03:00 +0200", "28 04:00 +0200"]


def test_an_interval_counts_from_its_anchor() -> None:
    anchor = datetime(2026, 11, 22, 10, 7, 30, 500_000, tzinfo=UTC)
    found = schedule.next_fire({"every": "45m"}, anchor + timedelta(hours=3), anchor=anchor)
    assert found == anchor + timedelta(minutes=225)


def test_an_interval_with_a_pause_goes_on_after_it() -> None:
    anchor = datetime(2026, 11, 22, 10, 7, 30, 500_000, tzinfo=UTC)
    pause = [{"start": "2026-11-23", "end": "2026-11-24"}]
    found = schedule.next_fire(
        {"every": "1h", "pause": pause}, datetime(2026, 11, 22, 23, 30, tzinfo=UTC), anchor=anchor
    )
    assert found == datetime(2026, 11, 25, 0, 7, 30, 500_000, tzinfo=UTC)


def test_pause_dates_are_days_of_the_schedules_own_zone() -> None:
    pause = [{"start": "2026-12-24", "end": "2027-01-01"}]
    found = local({"cron": "0 9 * * *", "pause": pause, **BERLIN}, "2026-12-23T00:00+01:00", 2)
    assert found == ["23 09:00 +0100", "02 09:00 +0100"]


def test_the_organizations_zone_counts_where_the_schedule_names_none() -> None:
    found = schedule.next_fire(
        {"cron": "0 9 * * *"}, datetime(2026, 11, 22, tzinfo=UTC), timezone="Asia/Tokyo"
    )
    assert found == datetime(2026, 11, 23, tzinfo=UTC)


def test_fifty_fires_can_be_shown_ahead() -> None:
    found = schedule.preview({"cron": "*/5 9-17 * * MON-FRI"}, 50, after=datetime(2026, 11, 22, tzinfo=UTC))
    assert len(found) == 50
    assert all(moment.weekday() < 5 for moment in found)


@pytest.mark.parametrize(
    "written",
    [
        {},
        {"cron": "0 9 * * *", "every": "1h"},
        {"cron": "9 o'clock"},
        {"cron": "0 9 * * * *"},
        {"cron": "61 * * * *"},
        {"every": "30s"},
        {"every": "often"},
        {"cron": "0 9 * * *", "timezone": "Europe/Atlantis"},
        {"cron": "0 9 * * *", "timezone": "../../etc/passwd"},
        {"cron": "0 9 * * *", "pause": [{"start": "2026-12-24"}]},
        {"cron": "0 9 * * *", "pause": [{"start": "2026-12-24", "end": "2026-12-23"}]},
    ],
)
def test_what_is_no_schedule_says_so(written: dict[str, object]) -> None:
    with pytest.raises(schedule.ScheduleInvalid):
        schedule.check(written)


def test_a_day_that_never_comes_has_no_next_time() -> None:
    with pytest.raises(schedule.ScheduleInvalid):
        schedule.check({"cron": "0 0 31 2 *"})
    leap = schedule.next_fire({"cron": "0 0 29 2 *"}, datetime(2026, 1, 1, tzinfo=UTC))
    assert leap == datetime(2028, 2, 29, tzinfo=UTC)
