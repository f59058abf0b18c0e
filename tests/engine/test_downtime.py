"""In a downtime nothing is due: once or again and again, on the wall clock, on nights with a clock change too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.definitions import monitor_from
from engine.downtime import Downtime, Interrupted, interrupted
from engine.errors import DefinitionError
from engine.monitor import Monitor
from engine.triggers import Cron, Frequency, Recurrence, Trigger

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
HOURLY = Trigger(Recurrence(Frequency.HOUR))


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def due(calendar: Trigger | Interrupted, start: str, days: float = 1) -> list[str]:
    first = at(start)
    return [f"{time:%m-%dT%H:%M}" for time in calendar.due(first, first + days * DAY)]


def test_what_is_due_from_its_start_on_and_before_its_end_is_left_out():
    calendar = interrupted(HOURLY, Downtime(at("2026-12-01T10:00"), 3 * HOUR))
    assert due(calendar, "2026-12-01T08:00", 0.25) == ["12-01T08:00", "12-01T09:00", "12-01T13:00"]
    assert len(due(calendar, "2026-12-02T00:00")) == 24  # once
    assert interrupted(HOURLY, None) is HOURLY


def test_it_begins_again_after_so_many_days_and_never_before_its_first_time():
    calendar = Interrupted(HOURLY, Downtime(at("2026-12-01T22:00"), 6 * HOUR, 7))
    whole = due(calendar, "2026-11-20T00:00", 30)
    missing = [time for time in due(HOURLY, "2026-11-20T00:00", 30) if time not in whole]
    nights = [("12-01", "12-02"), ("12-08", "12-09"), ("12-15", "12-16")]
    assert missing == [
        f"{day}T{hour:02}:00"
        for evening, morning in nights
        for day, hour in ((evening, 22), (evening, 23), (morning, 0), (morning, 1), (morning, 2), (morning, 3))
    ]


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        (BERLIN, "2026-12-05", "21:00"),
        (BERLIN, "2027-06-05", "20:00"),
        (NEW_YORK, "2026-12-05", "03:00"),
        (NEW_YORK, "2027-06-05", "02:00"),
    ],
)
def test_it_begins_at_its_time_of_the_wall_clock_in_summer_as_in_winter(zone, day, begins):
    nightly = Downtime(at("2026-11-01T22:00", zone), 2 * HOUR, 1, zone)
    begun = [begin for begin, _ in nightly.between(at(day), at(day) + DAY) if begin >= at(day)]
    assert [f"{begin:%H:%M}" for begin in begun] == [begins]


def test_a_start_with_an_offset_is_that_instant_and_then_what_the_wall_clock_said_there():
    daily = Downtime(datetime.fromisoformat("2026-01-10T00:30+05:30"), HOUR, 1, BERLIN)  # 20:00 in Berlin
    begun = [begin for begin, _ in daily.between(at("2026-01-01"), at("2026-07-02"))]
    assert begun[0] == at("2026-01-09T19:00")
    assert begun[-1] == at("2026-07-01T20:00", BERLIN)


@pytest.mark.parametrize(
    ("start", "night", "until"),
    [
        # Clocks go forward at 02:00: six hours from 22:00 on are over at 05:00; 02:30 is not there, and is 03:30.
        ("22:00", "2027-03-28", "03:00"),
        ("02:30", "2027-03-29", "07:30"),
        # They go back at 03:00: six hours are over at 03:00; 02:30 is there twice, and is the first.
        ("22:00", "2027-10-31", "02:00"),
        ("02:30", "2027-11-01", "06:30"),
    ],
)
def test_its_hours_are_real_ones_in_nights_with_a_clock_change(start, night, until):
    nightly = Downtime(at(f"2027-01-01T{start}", BERLIN), 6 * HOUR, 1, BERLIN)
    before = at(night, BERLIN) - DAY
    (end,) = [end for begin, end in nightly.between(before, before + DAY) if begin >= before]
    assert f"{end:%H:%M}" == until


def test_a_time_is_told_until_when_the_downtime_lasts_that_it_falls_into():
    weekly = Downtime(at("2026-12-01T22:00"), 6 * HOUR, 7)
    assert weekly.until(at("2026-12-01T21:59")) is None
    assert weekly.until(at("2026-12-08T22:00")) == at("2026-12-09T04:00")
    assert weekly.until(at("2026-12-09T03:59")) == at("2026-12-09T04:00")
    assert weekly.until(at("2026-12-09T04:00")) is None


@given(
    minute=st.integers(0, 365 * 24 * 60),
    hours=st.integers(1, 47),
    zone=st.sampled_from([BERLIN, NEW_YORK, "UTC", "Australia/Lord_Howe", "Pacific/Apia"]),
    rule=st.sampled_from([Recurrence(Frequency.HOUR), Cron.parse("30 2 * * *"), Recurrence(Frequency.DAY, 1, (2,))]),
    offset=st.integers(0, 400),
)
def test_what_is_left_out_is_what_falls_into_it_and_pieces_are_the_whole(minute, hours, zone, rule, offset):
    trigger = Trigger(rule, zone)
    downtime = Downtime(at("2026-01-01", zone) + timedelta(minutes=minute), hours * HOUR, 2, zone)
    calendar = Interrupted(trigger, downtime)
    first = at("2026-06-01") + offset * DAY
    middle, last = first + 5 * DAY, first + 11 * DAY
    whole = list(calendar.due(first, last))
    assert whole == [time for time in trigger.due(first, last) if downtime.until(time) is None]
    assert whole == [*calendar.due(first, middle), *calendar.due(middle, last)]


# ------------------------------------------------------------------------------------------------------ as written


def written(downtime: object, trigger: dict[str, Any] | None = None) -> Monitor:
    every_hour = {"type": "recurrence", "frequency": "hour", "time_zone": "W. Europe Standard Time"}
    signal = {"type": "data_quality", "production_data": {"input_data": {"path": "in.parquet"}}}
    body = {"downtime": downtime, "monitoring_signals": {"quality": signal}}
    return monitor_from({"name": "m", "trigger": trigger or every_hour, "create_monitor": body}, Path())


def test_it_is_written_on_the_wall_clock_of_the_trigger_unless_it_has_an_offset():
    assert written({"start": "2026-12-01T22:00", "hours": 6, "every_days": 7}).downtime == Downtime(
        at("2026-12-01T21:00"), 6 * HOUR, 7, BERLIN
    )
    assert written({"start": "2026-12-01T22:00-05:00", "hours": 48}).downtime == Downtime(
        at("2026-12-02T03:00"), 48 * HOUR, None, BERLIN
    )
    assert written(None).downtime is None


DAILY = {"type": "recurrence", "frequency": "day", "schedule": {"hours": 3}}


@pytest.mark.parametrize(
    ("downtime", "trigger", "said"),
    [
        ({"hours": 1}, None, ["create_monitor.downtime.start: is missing"]),
        ({"start": "2026-12-01"}, None, ["create_monitor.downtime.hours: is missing"]),
        ({"start": "soon", "hours": -1}, None, ["downtime.hours: -1 must be 1 or more", "start: 'soon' is not an ISO"]),
        ({"start": "9999-12-31", "hours": 1}, None, ["start: is not between the years 1900 and 9000"]),
        ({"start": "2026-12-01", "hours": 1, "every_days": 0}, None, ["downtime.every_days: 0 must be 1 or more"]),
        ({"start": "2026-12-01", "hours": 24, "every_days": 1}, None, ["hours: 24 hours are every day: the monitor"]),
        ({"start": "2026-12-01", "hours": 49, "every_days": 2}, None, ["hours: 49 hours are all of every 2 days"]),
        ({"start": "2026-12-01", "hours": 4, "every_days": 1}, DAILY, ["downtime: covers every time at which"]),
        ({"start": "2026-12-01", "hours": 4, "every": 1}, None, ["every: unknown key (did you mean every_days?)"]),
    ],
)
def test_what_cannot_be_or_would_let_nothing_be_evaluated_is_an_error(
    downtime: object, trigger: dict[str, Any] | None, said: Sequence[str]
):
    with pytest.raises(DefinitionError) as found:
        written(downtime, trigger)
    problems = sorted(map(str, found.value.problems))
    assert len(problems) == len(said)
    assert all(words in problem for words, problem in zip(said, problems, strict=True)), problems


def test_a_downtime_that_covers_no_more_than_some_due_times_is_right():
    assert written({"start": "2026-12-01", "hours": 4, "every_days": 2}, DAILY).downtime is not None
    assert written({"start": "2026-12-01T04:00", "hours": 22, "every_days": 1}, DAILY).downtime is not None
