from datetime import UTC, datetime, timedelta, timezone

import pytest

from engine.monitor import FixedWindow, LookbackWindow
from engine.triggers import Cron, Frequency, Recurrence, Trigger
from engine.windows import Window, default_window, reference_window, resolve


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def window(size: str, offset: str, scheduled: str) -> tuple[str, str]:
    found = resolve(LookbackWindow(size, offset), utc(scheduled))
    return found.start.strftime("%Y-%m-%dT%H:%M"), found.end.strftime("%Y-%m-%dT%H:%M")


def test_a_window_ends_an_offset_before_the_scheduled_time_and_is_as_long_as_its_size() -> None:
    assert window("P1D", "PT3H15M", "2013-07-02T03:15") == ("2013-07-01T00:00", "2013-07-02T00:00")


def test_a_day_is_24_hours_when_the_clocks_of_new_york_change() -> None:
    assert window("P1D", "P0D", "2013-03-10T08:15") == ("2013-03-09T08:15", "2013-03-10T08:15")
    assert window("P1D", "P0D", "2013-11-03T08:15") == ("2013-11-02T08:15", "2013-11-03T08:15")


def test_a_month_back_from_a_day_the_month_lacks_is_its_last_day() -> None:
    assert window("P1M", "P0D", "2013-03-31T00:00") == ("2013-02-28T00:00", "2013-03-31T00:00")
    assert window("P1M", "P1M", "2013-05-31T00:00") == ("2013-03-30T00:00", "2013-04-30T00:00")


def test_a_leap_day_is_a_day_of_the_month_before() -> None:
    assert window("P1M", "P0D", "2012-03-31T00:00") == ("2012-02-29T00:00", "2012-03-31T00:00")
    assert window("P1Y", "P0D", "2012-02-29T00:00") == ("2011-02-28T00:00", "2012-02-29T00:00")
    assert window("P1D", "P0D", "2012-03-01T00:00") == ("2012-02-29T00:00", "2012-03-01T00:00")


def test_a_scheduled_time_in_another_zone_is_the_same_instant() -> None:
    local = datetime(2013, 7, 2, 5, 15, tzinfo=timezone(timedelta(hours=2)))
    found = resolve(LookbackWindow("P1D", "PT3H15M"), local)
    assert found == Window(utc("2013-07-01"), utc("2013-07-02"))


def test_a_fixed_window_is_the_same_for_every_run() -> None:
    fixed = FixedWindow(utc("2013-01-01"), utc("2013-03-01"))
    assert resolve(fixed, utc("2013-07-02T03:15")) == Window(utc("2013-01-01"), utc("2013-03-01"))


def test_the_ends_of_a_window_are_in_utc() -> None:
    local = datetime(2013, 7, 2, tzinfo=timezone(timedelta(hours=2)))
    with pytest.raises(ValueError, match="in UTC"):
        Window(local, local)


TABLE = [
    (Recurrence(Frequency.MINUTE, 30), "P1D", "P2D"),
    (Recurrence(Frequency.HOUR, 6), "P1D", "P2D"),
    (Recurrence(Frequency.DAY, 1), "P1D", "P2D"),
    (Recurrence(Frequency.DAY, 3), "P3D", "P6D"),
    (Recurrence(Frequency.WEEK, 2), "P14D", "P28D"),
    (Recurrence(Frequency.MONTH, 1), "P30D", "P60D"),
    (Cron.parse("15 3 * * *"), "P7D", "P14D"),
]


@pytest.mark.parametrize(("rule", "size", "reference_size"), TABLE)
def test_the_default_windows_are_azures(rule: Recurrence | Cron, size: str, reference_size: str) -> None:
    assert default_window(Trigger(rule), "production") == LookbackWindow(size, "P0D")
    assert default_window(Trigger(rule), "reference") == LookbackWindow(reference_size, size)


@pytest.mark.parametrize("rule", [row[0] for row in TABLE])
def test_the_recent_past_of_a_default_window_is_the_default_reference(rule: Recurrence | Cron) -> None:
    trigger = Trigger(rule)
    assert reference_window(default_window(trigger, "production")) == default_window(trigger, "reference")


def test_the_recent_past_ends_where_the_window_starts() -> None:
    production = LookbackWindow("P1D", "PT3H15M")
    assert reference_window(production) == LookbackWindow("P2D", "P1DT3H15M")
    assert reference_window(LookbackWindow("P1M", "P1D")) == LookbackWindow("P2M", "P1M1D")
    assert reference_window(FixedWindow(utc("2013-01-05"), utc("2013-01-07"))) == FixedWindow(
        utc("2013-01-01"), utc("2013-01-05")
    )
