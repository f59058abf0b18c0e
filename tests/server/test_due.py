"""Every due time is told of once: on days with clock changes, at months' ends, after pauses, when a clock jumps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import monotonic
from zoneinfo import ZoneInfo

import pytest

from engine.downtime import Calendar, Downtime, Interrupted
from engine.triggers import Cron, Frequency, Recurrence, Trigger
from server.due import DueBatch, Timetable, Watched
from server.policies import CatchUp, Policy

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
HOURLY, DAILY = (Trigger(Recurrence(each)) for each in (Frequency.HOUR, Frequency.DAY))
ZURICH = ZoneInfo("Europe/Zurich")
AS_USUAL = Policy()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def timetable(trigger: Calendar, since: datetime, policy: Policy = AS_USUAL) -> Timetable:
    made = Timetable(policy)
    made.watch([Watched(1, "one", None, trigger, since)])
    return made


def times(made: Timetable, now: datetime) -> list[datetime]:
    """What is due, and seen to."""
    found = [batch.time for batch in made.due(now)]
    made.decided(now)
    return found


def stepped(made: Timetable, start: datetime, end: datetime, step: timedelta) -> list[datetime]:
    """What is due, asked for again and again."""
    found: list[datetime] = []
    while start <= end:
        found += times(made, start)
        start += step
    return found


def test_a_time_is_due_at_its_instant_and_only_once():
    made = timetable(HOURLY, at("2024-05-01T10:00"))
    assert times(made, at("2024-05-01T10:59:59")) == []
    assert times(made, at("2024-05-01T11:00")) == [at("2024-05-01T11:00")]
    assert times(made, at("2024-05-01T11:00")) == []
    assert made.next_due() == at("2024-05-01T12:00")


def test_what_nobody_has_seen_to_stays_due():
    made = timetable(HOURLY, at("2024-05-01T10:00"))
    for minute in (0, 1):
        assert [batch.time for batch in made.due(at(f"2024-05-01T11:0{minute}"))] == [at("2024-05-01T11:00")]
    assert len(made.due(at("2024-05-01T12:00"))) == 2


def test_a_time_at_which_it_was_left_is_decided_already():
    assert times(timetable(HOURLY, at("2024-05-01T10:00")), at("2024-05-01T10:00")) == []
    just_before = at("2024-05-01T10:00") - timedelta(microseconds=1)
    assert times(timetable(HOURLY, just_before), at("2024-05-01T10:00")) == [at("2024-05-01T10:00")]


def test_monitors_of_a_model_that_are_due_together_are_one_batch_and_others_stand_alone():
    made, since = Timetable(Policy()), at("2024-05-01T22:30")
    made.watch([
        Watched(3, "c", "shop", DAILY, since),
        Watched(1, "a", "shop", HOURLY, since),
        Watched(2, "b", None, HOURLY, since),
        Watched(4, "d", None, HOURLY, since),
    ])  # fmt: skip
    assert made.due(at("2024-05-01T23:00")) == [
        DueBatch(at("2024-05-01T23:00"), None, (2,)),
        DueBatch(at("2024-05-01T23:00"), None, (4,)),
        DueBatch(at("2024-05-01T23:00"), "shop", (1,)),
    ]
    assert DueBatch(at("2024-05-02T00:00"), "shop", (1, 3)) in made.due(at("2024-05-02T00:00"))


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Policy(CatchUp.ALL), [11, 12, 13, 14]),
        (Policy(CatchUp.ALL, most=3), [12, 13, 14]),
        (Policy(CatchUp.LATEST), [14]),
        (Policy(CatchUp.NONE), [14]),
        (Policy(CatchUp.NONE, grace=timedelta(seconds=59)), []),
    ],
)
def test_after_a_pause_the_policy_says_what_is_made_up_for_and_then_it_goes_on(policy, expected):
    made = timetable(HOURLY, at("2024-05-01T10:00"), policy)
    assert [time.hour for time in times(made, at("2024-05-01T14:01"))] == expected
    assert times(made, at("2024-05-01T14:02")) == []
    assert times(made, at("2024-05-01T15:00")) == [at("2024-05-01T15:00")]


def test_after_months_the_latest_ones_are_made_up_for():
    made = timetable(Trigger(Recurrence(Frequency.MINUTE)), at("2024-01-01"), Policy(most=100))
    found = times(made, at("2024-04-01"))
    assert found == [at("2024-04-01") - back * MINUTE for back in reversed(range(100))]


def test_a_clock_that_jumps_back_makes_nothing_due_again():
    made = timetable(HOURLY, at("2024-05-01T10:00"))
    assert times(made, at("2024-05-01T12:30")) == [at("2024-05-01T11:00"), at("2024-05-01T12:00")]
    assert stepped(made, at("2024-05-01T09:00"), at("2024-05-01T12:59"), MINUTE) == []
    assert times(made, at("2024-05-01T13:00")) == [at("2024-05-01T13:00")]


def test_a_clock_that_jumps_far_ahead_and_is_put_right_waits_for_the_time_to_come():
    made = timetable(HOURLY, at("2024-05-01T10:00"))
    assert len(times(made, at("2024-05-03T10:00"))) == 48
    assert stepped(made, at("2024-05-01T10:01"), at("2024-05-03T10:59"), 10 * MINUTE) == []
    assert times(made, at("2024-05-03T11:00")) == [at("2024-05-03T11:00")]


@pytest.mark.parametrize("step", [MINUTE, 7 * MINUTE, 5 * HOUR])
@pytest.mark.parametrize(
    ("rule", "day", "expected"),
    [
        # Clocks go forward at 02:00: the hour from 2 to 3 does not exist.
        (Recurrence(Frequency.DAY, hours=(2,), minutes=(30,)), "2024-03-31", ["01:30"]),
        (Cron.parse("30 2 * * *"), "2024-03-31", ["01:30"]),
        # Clocks go back at 03:00: the hour from 2 to 3 is there twice, and only the first counts.
        (Recurrence(Frequency.DAY, hours=(2,), minutes=(30,)), "2024-10-27", ["00:30"]),
    ],
)
def test_on_days_with_a_clock_change_a_daily_monitor_is_due_once(rule, day, expected, step):
    start = datetime.fromisoformat(day).replace(tzinfo=ZURICH).astimezone(UTC)
    made = timetable(Trigger(rule, "Europe/Zurich"), start - MINUTE)
    assert [f"{time:%H:%M}" for time in stepped(made, start, start + 25 * HOUR, step)] == expected


@pytest.mark.parametrize(("day", "hours"), [("2024-03-31", 23), ("2024-10-27", 25), ("2024-06-01", 24)])
def test_an_hourly_monitor_follows_the_hours_that_there_are(day, hours):
    start = datetime.fromisoformat(day).replace(tzinfo=ZURICH)
    end = (start + DAY).astimezone(UTC)
    made = timetable(Trigger(Recurrence(Frequency.HOUR), "Europe/Zurich"), start.astimezone(UTC) - MINUTE)
    assert len(stepped(made, start.astimezone(UTC), end - MINUTE, 10 * MINUTE)) == hours


def test_months_without_a_day_31_are_left_out_and_leap_days_are_days():
    last = timetable(Trigger(Recurrence(Frequency.MONTH, month_days=(31,), hours=(0,))), at("2024-01-01"))
    assert [f"{time:%m-%d}" for time in stepped(last, at("2024-01-01"), at("2024-12-31T12:00"), DAY / 2)] == [
        "01-31", "03-31", "05-31", "07-31", "08-31", "10-31", "12-31",
    ]  # fmt: skip
    leap = timetable(Trigger(Recurrence(Frequency.MONTH, month_days=(29,), hours=(0,))), at("2023-02-01"))
    found = [time for time in stepped(leap, at("2023-02-01"), at("2024-03-01"), DAY) if time.month == 2]
    assert found == [at("2024-02-29")]


def test_what_is_due_years_from_now_is_found():
    made = timetable(Trigger(Recurrence(Frequency.MONTH, interval=18, hours=(0,))), at("2024-05-02"))
    following = made.next_due()
    assert following is not None
    assert times(made, following - MINUTE) == []
    assert times(made, following) == [following]


def test_nothing_is_due_before_its_start_nor_at_or_after_its_end():
    trigger = Trigger(Recurrence(Frequency.HOUR), start_time=at("2024-05-01T12:00"), end_time=at("2024-05-01T14:00"))
    made = timetable(trigger, at("2024-05-01T00:00"))
    assert stepped(made, at("2024-05-01T00:00"), at("2024-05-02T00:00"), 30 * MINUTE) == [
        at("2024-05-01T12:00"), at("2024-05-01T13:00"),
    ]  # fmt: skip
    assert made.next_due() is None


def test_leap_days_that_are_eight_years_apart_are_found():
    made = timetable(Trigger(Cron.parse("0 6 29 2 *")), at("2096-03-01"))
    assert made.next_due() == at("2104-02-29T06:00")


def test_what_ends_before_it_starts_is_never_due():
    never = Trigger(Recurrence(Frequency.HOUR), start_time=at("2024-02-01"), end_time=at("2024-01-15"))
    assert timetable(never, at("2024-01-01")).next_due() is None


def test_what_starts_in_the_far_future_is_due_then():
    start = at("2034-05-01T12:00")
    made = timetable(Trigger(Recurrence(Frequency.HOUR), start_time=start), at("2024-05-01"))
    assert made.next_due() == start


def test_watching_anew_goes_on_where_each_was_left():
    made = timetable(HOURLY, at("2024-05-01T10:00"))
    times(made, at("2024-05-01T12:00"))
    made.watch([Watched(1, "one", None, DAILY, at("2024-05-01T12:00"))])
    assert times(made, at("2024-05-01T23:59")) == []
    assert times(made, at("2024-05-02T00:00")) == [at("2024-05-02T00:00")]
    made.watch([])
    assert times(made, at("2024-06-01")) == []


# ------------------------------------------------------------------------------------------------------ downtimes

NIGHTLY = Interrupted(HOURLY, Downtime(at("2024-05-01T22:00"), 4 * HOUR, 1))


@pytest.mark.parametrize("catch_up", CatchUp)
def test_what_falls_into_a_downtime_is_never_due_nor_made_up_for(catch_up):
    policy, evening = Policy(catch_up), at("2024-05-01T20:00")
    found = stepped(timetable(NIGHTLY, evening, policy), evening, at("2024-05-02T03:30"), MINUTE)
    assert [time.hour for time in found] == [21, 2, 3]
    # A process that starts in it, or after it, or knows of nothing since before it.
    for since, now in (("01T20:30", "01T23:30"), ("01T20:30", "02T01:59"), ("01T23:30", "02T01:30")):
        made = timetable(NIGHTLY, at(f"2024-05-{since}"), policy)
        assert {time.hour for time in times(made, at(f"2024-05-{now}"))} <= {21}
        assert made.next_due() == at("2024-05-02T02:00")


def test_times_in_a_downtime_do_not_count_among_those_that_are_made_up_for():
    made = timetable(NIGHTLY, at("2024-05-01T12:00"), Policy(most=3))
    assert [time.hour for time in times(made, at("2024-05-02T02:30"))] == [20, 21, 2]


def test_monitors_of_a_model_of_which_one_is_in_downtime_are_due_without_it():
    made = Timetable(Policy())
    since = at("2024-05-01T22:30")
    made.watch([Watched(1, "a", "shop", HOURLY, since), Watched(2, "b", "shop", NIGHTLY, since)])
    assert made.due(at("2024-05-01T23:00")) == [DueBatch(at("2024-05-01T23:00"), "shop", (1,))]
    made.decided(at("2024-05-02T01:30"))
    assert made.due(at("2024-05-02T02:00")) == [DueBatch(at("2024-05-02T02:00"), "shop", (1, 2))]


@pytest.mark.parametrize(
    "never",
    [
        Interrupted(DAILY, Downtime(at("2024-05-01T23:00"), 2 * HOUR, 1)),
        Interrupted(
            Trigger(Recurrence(Frequency.MINUTE), end_time=at("2024-08-01")), Downtime(at("2024-05-01"), 99 * DAY)
        ),
    ],
)
def test_what_is_only_due_in_downtimes_is_never_due_and_found_so_soon(never):
    began = monotonic()
    assert timetable(never, at("2024-05-01T12:00")).next_due() is None
    assert monotonic() - began < 5
