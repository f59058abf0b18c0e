"""What the calendar and the clocks do to schedules, against a count of every minute: with restarts at every step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.definitions import monitor_from
from engine.triggers import Cron, Frequency, Recurrence, Trigger
from server.due import Timetable, Watched
from server.policies import CatchUp, Policy

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
AS_USUAL = Policy()
BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
FORWARD = {BERLIN: "2026-03-29", NEW_YORK: "2026-03-08"}
"""At 02:00 it is 03:00."""
BACK = {BERLIN: "2026-10-25", NEW_YORK: "2026-11-01"}
"""In Berlin at 03:00 it is 02:00, in New York at 02:00 it is 01:00."""
CHANGES = [(zone, day) for days in (FORWARD, BACK) for zone, day in days.items()]


def utc(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def evaluated(
    trigger: Trigger,
    start: datetime,
    end: datetime,
    step: timedelta,
    policy: Policy = AS_USUAL,
    *,
    restarts: bool = False,
) -> list[datetime]:
    """What is evaluated by processes that look so often; after a restart one goes on from what was claimed last."""
    found = list[datetime]()
    since, made = start, Timetable(policy)
    made.watch([Watched(1, "one", None, trigger, since)])
    now = start
    while now < end:
        now += step
        if restarts:
            made = Timetable(policy)
            made.watch([Watched(1, "one", None, trigger, since)])
        new = [batch.time for batch in made.due(now)]
        made.decided(now)
        found += new
        since = max([since, *new])
    return found


def counted(zone: str, start: datetime, end: datetime, is_due: Callable[[datetime], bool]) -> list[datetime]:
    """Every minute after the start whose local time is due."""
    minutes = (start + count * MINUTE for count in range(1, int((end - start) / MINUTE) + 1))
    return [time for time in minutes if is_due(time.astimezone(ZoneInfo(zone)))]


def daily(hour: int, skipped_on: str) -> Callable[[datetime], bool]:
    """At half past that hour, the first time that it is; where the clocks skip it, an hour later."""

    def is_due(local: datetime) -> bool:
        shifted = f"{local:%Y-%m-%d}" == skipped_on
        return (local.hour, local.minute, local.fold) == (hour + shifted, 30, 0)

    return is_due


def half_past(local: datetime) -> bool:
    return local.minute == 30


# --------------------------------------------------------------------------------------------------- clock changes

looks = pytest.mark.parametrize(
    ("step", "restarts"),
    [(7 * MINUTE, False), (7 * MINUTE, True), (5 * HOUR, False), (5 * HOUR, True), (40 * HOUR, True)],
)


@looks
@pytest.mark.parametrize("rule", [Recurrence(Frequency.DAY, hours=(2,), minutes=(30,)), Cron.parse("30 2 * * *")])
@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_what_is_due_at_half_past_two_is_evaluated_once_a_day(zone, day, rule, step, restarts):
    start = utc(day, zone) - DAY - HOUR
    end = start + 80 * HOUR
    found = evaluated(Trigger(rule, zone), start, end, step, restarts=restarts)
    assert found == counted(zone, start, end, daily(2, FORWARD[zone]))
    assert len(found) == 4


@looks
@pytest.mark.parametrize(("zone", "hour"), [(BERLIN, 2), (NEW_YORK, 1)])
def test_a_time_that_is_there_twice_is_evaluated_once_at_the_first(zone, hour, step, restarts):
    start = utc(BACK[zone], zone) - DAY - HOUR
    rule = Cron.parse(f"30 {hour} * * *")
    found = evaluated(Trigger(rule, zone), start, start + 80 * HOUR, step, restarts=restarts)
    assert found == counted(zone, start, start + 80 * HOUR, daily(hour, "never"))
    assert found[1].astimezone(ZoneInfo(zone)).fold == 0
    assert found[2] - found[1] == 25 * HOUR


@looks
@pytest.mark.parametrize("rule", [Recurrence(Frequency.HOUR, minutes=(30,)), Cron.parse("30 * * * *")])
@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_what_is_due_every_hour_is_evaluated_in_every_hour_that_there_is(zone, day, rule, step, restarts):
    start = utc(day, zone) - HOUR
    found = evaluated(Trigger(rule, zone), start, start + 40 * HOUR, step, restarts=restarts)
    assert found == counted(zone, start, start + 40 * HOUR, half_past)
    assert len(found) == 40


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Policy(CatchUp.ALL), 44),
        (Policy(CatchUp.ALL, most=10), 10),
        (Policy(CatchUp.LATEST), 1),
        (Policy(CatchUp.NONE), 1),
        (Policy(CatchUp.NONE, grace=timedelta(0)), 0),
    ],
)
@pytest.mark.parametrize(("zone", "day"), CHANGES)
def test_after_a_night_without_a_server_the_latest_of_the_missed_times_are_made_up_for(zone, day, policy, expected):
    start = utc(day, zone) - 5 * HOUR
    back = start + 44 * HOUR + 31 * MINUTE
    trigger = Trigger(Recurrence(Frequency.HOUR, minutes=(30,)), zone)
    made = Timetable(policy)
    made.watch([Watched(1, "one", None, trigger, start + 30 * MINUTE)])
    missed = counted(zone, start + 30 * MINUTE, back, half_past)
    assert len(missed) == 44
    assert [batch.time for batch in made.due(back)] == missed[len(missed) - expected :]


# -------------------------------------------------------------------------------------------- months, leap days, ends


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize(
    ("rule", "start", "years", "expected"),
    [
        (
            Recurrence(Frequency.MONTH, month_days=(31,), hours=(0,)),
            "2027-12-31",
            1,
            ["0131", "0331", "0531", "0731", "0831", "1031", "1231"],
        ),
        (Recurrence(Frequency.MONTH, month_days=(29,), hours=(0,)), "2028-01-30", 0.2, ["0229", "0329"]),
        (Recurrence(Frequency.MONTH, month_days=(29,), hours=(0,)), "2027-01-30", 0.2, ["0329"]),
        (Cron.parse("0 0 29 2 *"), "2027-01-01", 10, ["0229", "0229", "0229"]),
        (Cron.parse("0 0 30,31 * *"), "2028-01-31", 0.25, ["0330", "0331", "0430"]),
    ],
)
def test_months_ends_and_leap_days_are_those_of_the_calendar(rule, start, years, expected, restarts):
    begin = utc(start)
    found = evaluated(Trigger(rule), begin, begin + years * 366 * DAY, 5 * DAY, restarts=restarts)
    assert [f"{time:%m%d}" for time in found] == expected


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("step", [HOUR / 2, 5 * HOUR, 40 * HOUR])
def test_what_was_due_before_the_end_is_made_up_for_after_it_and_nothing_before_the_start_is(step, restarts):
    start, end = utc("2026-03-29T01:30", BERLIN), utc("2026-03-29T06:00", BERLIN)
    trigger = Trigger(Recurrence(Frequency.HOUR), BERLIN, start_time=start, end_time=end)
    found = evaluated(trigger, utc("2026-03-28"), utc("2026-03-31"), step, restarts=restarts)
    # An hour of that night is not there; the end itself is not due.
    assert [f"{time.astimezone(ZoneInfo(BERLIN)):%H:%M}" for time in found] == ["01:30", "03:30", "04:30", "05:30"]


# ------------------------------------------------------------------------------------------------------ as written


def written(trigger: dict[str, Any]) -> Trigger:
    signal = {"type": "data_quality", "production_data": {"input_data": {"path": "in.parquet"}}}
    body = {"monitoring_signals": {"quality": signal}}
    return monitor_from({"name": "m", "trigger": trigger, "create_monitor": body}, Path()).trigger


@pytest.mark.parametrize(
    ("windows", "zone"), [("W. Europe Standard Time", BERLIN), ("Eastern Standard Time", NEW_YORK), ("UTC", "UTC")]
)
@pytest.mark.parametrize(
    "when",
    [
        {"type": "recurrence", "frequency": "day", "schedule": {"hours": 2, "minutes": 30}},
        {"type": "cron", "expression": "30 2 * * *"},
        {"type": "recurrence", "frequency": "week", "start_time": "2026-03-01T02:30:00", "end_time": "2026-10-26"},
    ],
)
def test_a_time_zone_by_its_windows_name_is_that_zone_for_clock_changes_too(when, windows, zone):
    by_windows, by_iana = (written({**when, "time_zone": name}) for name in (windows, zone))
    assert by_windows == by_iana
    start = utc("2026-02-27")
    found = evaluated(by_windows, start, start + 300 * DAY, DAY)
    assert found == evaluated(by_iana, start, start + 300 * DAY, 10 * DAY, restarts=True)
    assert len(found) > 30


# --------------------------------------------------------------------------------------- a trigger that is changed


def goes_on(since: datetime, changed_at: datetime, trigger: Trigger, hours: int) -> Sequence[str]:
    """What is evaluated after a trigger was changed to this one, of a monitor that was evaluated until `since`."""
    made = Timetable(AS_USUAL)
    made.watch([Watched(1, "one", None, trigger, since)])
    found = list[datetime]()
    for hour in range(hours):
        now = changed_at + hour * HOUR
        found += [batch.time for batch in made.due(now)]
        made.decided(now)
    return [f"{time:%d %H:%M}" for time in found]


def test_a_changed_trigger_goes_on_from_the_latest_time_that_was_evaluated_so_that_no_day_is_left_out():
    earlier = Trigger(Cron.parse("15 3 * * *"))
    # It was due at 04:15 each day. At 03:30 somebody makes that 03:15: today's is late, and not left out.
    assert goes_on(utc("2026-05-01T04:15"), utc("2026-05-02T03:30"), earlier, 30) == ["02 03:15", "03 03:15"]
    # At 05:00, when today's has been evaluated, the next one is tomorrow's.
    assert goes_on(utc("2026-05-02T04:15"), utc("2026-05-02T05:00"), earlier, 30) == ["03 03:15"]
