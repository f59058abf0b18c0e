from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from engine.definitions.trigger_keys import CronTrigger, RecurrenceTrigger, TriggerKeys
from engine.errors import DefinitionError
from engine.local_clock import canonical_zone
from engine.monitor import Monitor
from engine.triggers import Cron, Frequency, Recurrence, Trigger

TRIGGER: TypeAdapter[RecurrenceTrigger | CronTrigger] = TypeAdapter(TriggerKeys)
NEW_YORK = "America/New_York"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def due(trigger: Trigger, start: str, end: str) -> list[str]:
    return [at.strftime("%Y-%m-%dT%H:%M") for at in trigger.due(utc(start), utc(end))]


def daily(hour: int, minute: int, **more: object) -> Trigger:
    rule = Recurrence(Frequency.DAY, hours=(hour,), minutes=(minute,))
    return Trigger(rule, **more)  # type: ignore[arg-type]


def cron(expression: str, zone: str = "UTC") -> Trigger:
    return Trigger(Cron.parse(expression), zone)


def test_a_daily_trigger_fires_once_a_day() -> None:
    assert due(daily(3, 15), "2013-07-01", "2013-07-04") == [
        "2013-07-01T03:15",
        "2013-07-02T03:15",
        "2013-07-03T03:15",
    ]


def test_the_start_of_a_range_is_in_it_and_its_end_is_not() -> None:
    assert due(daily(3, 15), "2013-07-01T03:15", "2013-07-02T03:15") == ["2013-07-01T03:15"]
    assert due(daily(3, 15), "2013-07-01T03:15", "2013-07-01T03:15") == []


def test_a_local_time_keeps_its_place_on_the_clock_when_the_clocks_change() -> None:
    assert due(daily(3, 15, time_zone=NEW_YORK), "2013-03-09", "2013-03-12") == [
        "2013-03-09T08:15",
        "2013-03-10T07:15",
        "2013-03-11T07:15",
    ]


def test_a_local_time_that_does_not_exist_is_shifted_forward() -> None:
    assert due(daily(2, 30, time_zone=NEW_YORK), "2013-03-10", "2013-03-11") == ["2013-03-10T07:30"]


def test_a_local_time_that_occurs_twice_fires_at_its_first_occurrence_only() -> None:
    assert due(daily(1, 30, time_zone=NEW_YORK), "2013-11-03", "2013-11-04") == ["2013-11-03T05:30"]


def test_a_shifted_time_that_meets_another_fires_once() -> None:
    rule = Recurrence(Frequency.DAY, hours=(2, 3), minutes=(30,))
    assert due(Trigger(rule, NEW_YORK), "2013-03-10", "2013-03-11") == ["2013-03-10T07:30"]


def test_a_day_that_a_country_skips_fires_with_the_next_and_once() -> None:
    assert due(daily(12, 0, time_zone="Pacific/Apia"), "2011-12-29", "2012-01-01") == [
        "2011-12-29T22:00",
        "2011-12-30T22:00",
        "2011-12-31T22:00",
    ]


def test_hours_are_elapsed_time_through_a_clock_change() -> None:
    hourly = Trigger(Recurrence(Frequency.HOUR), NEW_YORK)
    assert len(due(hourly, "2013-11-03T04:00", "2013-11-04T05:00")) == 25
    assert len(due(hourly, "2013-03-10T05:00", "2013-03-11T04:00")) == 23


def test_minutes_of_an_hourly_trigger_are_minutes_of_the_local_hour() -> None:
    hourly = Trigger(Recurrence(Frequency.HOUR, interval=6, minutes=(15,)), "Asia/Kolkata")
    assert due(hourly, "2013-07-01", "2013-07-02") == [
        "2013-07-01T00:45",
        "2013-07-01T06:45",
        "2013-07-01T12:45",
        "2013-07-01T18:45",
    ]


def test_minutes_count_from_the_start_time() -> None:
    trigger = Trigger(Recurrence(Frequency.MINUTE, interval=25), start_time=utc("2013-07-01T00:10"))
    assert due(trigger, "2013-07-01T01:00", "2013-07-01T02:00") == [
        "2013-07-01T01:00",
        "2013-07-01T01:25",
        "2013-07-01T01:50",
    ]


def test_a_recurrence_without_a_pattern_fires_at_the_time_of_day_of_its_start() -> None:
    trigger = Trigger(Recurrence(Frequency.DAY, interval=2), start_time=utc("2013-07-01T04:20"))
    assert due(trigger, "2013-06-01", "2013-07-06") == ["2013-07-01T04:20", "2013-07-03T04:20", "2013-07-05T04:20"]


def test_every_third_day_without_a_start_counts_from_the_epoch() -> None:
    every_third = Trigger(Recurrence(Frequency.DAY, interval=3))
    assert due(every_third, "1970-01-01", "1970-01-08") == ["1970-01-01T00:00", "1970-01-04T00:00", "1970-01-07T00:00"]


def test_a_weekly_trigger_without_week_days_fires_on_monday() -> None:
    assert due(Trigger(Recurrence(Frequency.WEEK)), "2013-07-01", "2013-07-10") == [
        "2013-07-01T00:00",
        "2013-07-08T00:00",
    ]


def test_a_weekly_trigger_with_a_start_fires_on_the_weekday_of_its_start() -> None:
    trigger = Trigger(Recurrence(Frequency.WEEK), start_time=utc("2013-07-03T00:00"))
    assert due(trigger, "2013-07-01", "2013-07-12") == ["2013-07-03T00:00", "2013-07-10T00:00"]


def test_every_second_week_names_the_same_weeks_whoever_asks() -> None:
    trigger = Trigger(Recurrence(Frequency.WEEK, interval=2, week_days=(0, 4)))
    whole = due(trigger, "2013-07-01", "2013-09-01")
    pieces = due(trigger, "2013-07-01", "2013-07-18") + due(trigger, "2013-07-18", "2013-09-01")
    assert whole == pieces
    assert {utc(at).weekday() for at in whole} == {0, 4}


def test_a_month_without_day_31_is_left_out() -> None:
    trigger = Trigger(Recurrence(Frequency.MONTH, month_days=(31,)))
    assert due(trigger, "2013-01-01", "2013-07-01") == ["2013-01-31T00:00", "2013-03-31T00:00", "2013-05-31T00:00"]


def test_a_monthly_trigger_takes_the_leap_day() -> None:
    trigger = Trigger(Recurrence(Frequency.MONTH, interval=12, month_days=(29,)), start_time=utc("2011-02-01"))
    assert due(trigger, "2011-01-01", "2017-01-01") == ["2012-02-29T00:00", "2016-02-29T00:00"]


def test_a_monthly_trigger_with_week_days_fires_on_every_such_day() -> None:
    trigger = Trigger(Recurrence(Frequency.MONTH, week_days=(6,)))
    assert due(trigger, "2013-07-01", "2013-07-22") == ["2013-07-07T00:00", "2013-07-14T00:00", "2013-07-21T00:00"]


def test_nothing_is_due_at_or_after_the_end_time() -> None:
    trigger = daily(3, 15, end_time=utc("2013-07-02T03:15"))
    assert due(trigger, "2013-07-01", "2013-07-04") == ["2013-07-01T03:15"]


def test_day_of_week_zero_and_seven_are_sunday() -> None:
    assert due(cron("0 4 * * 0"), "2013-07-01", "2013-07-15") == ["2013-07-07T04:00", "2013-07-14T04:00"]
    assert cron("0 4 * * 7").rule.week_days == cron("0 4 * * SUN").rule.week_days == frozenset({6})  # type: ignore[union-attr]


def test_either_kind_of_day_makes_a_cron_due_when_both_are_restricted() -> None:
    assert due(cron("0 0 15 * mon"), "2013-07-08", "2013-07-23") == [
        "2013-07-08T00:00",
        "2013-07-15T00:00",
        "2013-07-22T00:00",
    ]
    assert due(cron("0 0 16 * mon"), "2013-07-15", "2013-07-22") == ["2013-07-15T00:00", "2013-07-16T00:00"]


def test_cron_steps_ranges_and_lists() -> None:
    assert due(cron("*/20 9-10 * jul *"), "2013-06-30", "2013-07-02") == [
        "2013-07-01T09:00",
        "2013-07-01T09:20",
        "2013-07-01T09:40",
        "2013-07-01T10:00",
        "2013-07-01T10:20",
        "2013-07-01T10:40",
    ]
    assert cron("5/15,59 * * * *").rule.minutes == frozenset({5, 20, 35, 50, 59})  # type: ignore[union-attr]


def test_an_hourly_cron_fires_every_real_hour_through_a_clock_change() -> None:
    assert len(due(cron("0 * * * *", NEW_YORK), "2013-11-03T04:00", "2013-11-04T05:00")) == 25
    assert len(due(cron("0 * * * *", NEW_YORK), "2013-03-10T05:00", "2013-03-11T04:00")) == 23


def test_a_daily_cron_fires_once_through_a_clock_change() -> None:
    assert due(cron("30 1 * * *", NEW_YORK), "2013-11-03", "2013-11-04") == ["2013-11-03T05:30"]
    assert due(cron("30 2 * * *", NEW_YORK), "2013-03-10", "2013-03-11") == ["2013-03-10T07:30"]


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("99 * * * *", "minutes: '99' is not between 0 and 59"),
        ("0 24 * * *", "hours: '24' is not between 0 and 23"),
        ("0 0 0 * *", "days: '0' is not between 1 and 31"),
        ("0 0 * foo *", "months: 'foo' is not between 1 and 12"),
        ("0 0 * * 8", "days of the week: '8' is not between 0 and 7"),
        ("*/0 * * * *", "minutes: '*/0' needs a step of 1 or more after the '/'"),
        ("0 5-3 * * *", "hours: '5-3' runs backwards"),
        ("0 0 * *", "'0 0 * *' has 4 fields, not 5: minute hour day month day-of-week"),
        ("0 0 31 2,4 *", "'0 0 31 2,4 *' never fires: none of its months has a day 31"),
    ],
)
def test_a_wrong_cron_expression_says_what_is_wrong(expression: str, sentence: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the whole message is compared
        Cron.parse(expression)
    assert str(error.value) == sentence


def test_time_zones_answer_to_iana_and_windows_names() -> None:
    assert canonical_zone("W. Europe Standard Time") == "Europe/Berlin"
    assert canonical_zone("eastern standard time") == "America/New_York"
    assert canonical_zone("america/new_york") == "America/New_York"
    assert canonical_zone("UTC") == "UTC"
    assert canonical_zone("Mars/Olympus") is None


RULES = st.one_of(
    st.builds(
        Recurrence,
        frequency=st.sampled_from(Frequency),
        interval=st.integers(1, 40),
        hours=st.sampled_from([(), (1,), (2, 3)]),
        minutes=st.sampled_from([(), (30,), (0, 59)]),
        week_days=st.sampled_from([(), (0,), (2, 6)]),
        month_days=st.sampled_from([(), (1, 31)]),
    ),
    st.sampled_from(["*/7 * * * *", "30 1,2 * * *", "0 0 1 * mon", "15 3 29 2 *"]).map(Cron.parse),
)
INSTANTS = st.datetimes(
    datetime(2013, 2, 1),  # noqa: DTZ001 - hypothesis asks for naive bounds
    datetime(2013, 12, 1),  # noqa: DTZ001
).map(lambda at: at.replace(tzinfo=UTC))


@given(
    RULES,
    st.sampled_from(["UTC", NEW_YORK, "Australia/Lord_Howe", "Asia/Kolkata"]),
    st.none() | INSTANTS,
    INSTANTS,
    st.integers(0, 20),
    st.floats(0, 1),
)
def test_a_range_asked_for_in_two_pieces_gives_the_same_instants(
    rule: Recurrence | Cron, zone: str, start_time: datetime | None, start: datetime, days: int, cut: float
) -> None:
    trigger = Trigger(rule, zone, start_time)
    end = start + timedelta(days)
    middle = start + cut * timedelta(days)
    whole = list(trigger.due(start, end))
    assert whole == [*trigger.due(start, middle), *trigger.due(middle, end)]
    assert whole == sorted(set(whole))
    assert all(start <= at < end and at.tzinfo is UTC for at in whole)


def test_names_that_windows_has_retired_are_read_as_azure_reads_them() -> None:
    assert canonical_zone("Mid-Atlantic Standard Time") == "Etc/GMT+2"
    assert canonical_zone("Kamchatka Standard Time") == "Asia/Kamchatka"


@pytest.mark.parametrize("nothing", [{}, {"hours": [], "minutes": []}, {"hours": None, "week_days": []}])
def test_an_empty_pattern_says_no_more_than_none(nothing: dict[str, object]) -> None:
    written = {"type": "recurrence", "frequency": "day", "start_time": "2024-01-01T04:20:00"}
    read = TRIGGER.validate_python(written | {"schedule": nothing}).trigger()
    assert read == TRIGGER.validate_python(written).trigger()
    assert due(read, "2024-01-02", "2024-01-03") == ["2024-01-02T04:20"]


def test_a_trigger_is_read_in_any_case_and_with_numbers_as_text() -> None:
    loud = {
        "type": "Recurrence",
        "frequency": "Week",
        "interval": "2",
        "schedule": {"hours": "3", "week_days": "FRIDAY"},
    }
    calm = {"type": "recurrence", "frequency": "week", "interval": 2, "schedule": {"hours": 3, "week_days": ["friday"]}}
    assert TRIGGER.validate_python(loud).trigger() == TRIGGER.validate_python(calm).trigger()
    named = TRIGGER.validate_python({"type": "CRON", "expression": "15 3 * Jan-mar Mon,WED"}).trigger()
    numbered = TRIGGER.validate_python({"type": "cron", "expression": "15 3 * 1-3 1,3"}).trigger()
    assert due(named, "2024-01-01", "2024-06-01") == due(numbered, "2024-01-01", "2024-06-01")


def read_trigger(**keys: object) -> Trigger:
    signal = {"type": "data_quality", "production_data": {"input_data": {"path": "in.parquet"}}}
    trigger = {"type": "recurrence", "frequency": "day", "time_zone": NEW_YORK, **keys}
    body = {"monitoring_signals": {"quality": signal}}
    return Monitor.from_dict({"name": "m", "trigger": trigger, "create_monitor": body}).trigger


@pytest.mark.parametrize("end", ["9999-12-31", "9999-12-31T23:59:59", datetime(9999, 12, 31, 23, 59, tzinfo=UTC)])
def test_an_end_on_the_last_day_that_there_is_means_never(end: object) -> None:
    assert read_trigger(end_time=end).end_time is None


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"start_time": "0001-01-01"}, "trigger.start_time: is not between the years 1900 and 9000"),
        ({"start_time": "9999-12-31T23:00:00"}, "trigger.start_time: is not between the years 1900 and 9000"),
        ({"end_time": "0001-01-01"}, "trigger.end_time: is not between the years 1900 and 9000"),
        ({"interval": 36_526}, "trigger.interval: is longer than a century"),
        ({"interval": 10**30, "frequency": "minute"}, "trigger.interval: is longer than a century"),
    ],
)
def test_what_no_calendar_reaches_is_an_error(keys: dict[str, object], sentence: str) -> None:
    with pytest.raises(DefinitionError) as found:
        read_trigger(**keys)
    assert [sentence in str(problem) for problem in found.value.problems] == [True]


@pytest.mark.parametrize(
    ("frequency", "interval"),
    [("minute", 52_594_920), ("hour", 876_582), ("day", 36_525), ("week", 5_217), ("month", 1_200)],
)
def test_once_in_a_century_is_once_in_a_century(frequency: str, interval: int) -> None:
    trigger = read_trigger(frequency=frequency, interval=interval)
    assert len(list(trigger.due(utc("1990-01-01"), utc("2100-01-01")))) == 1
