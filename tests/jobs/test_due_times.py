from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import typer

from engine.triggers import Frequency, Recurrence, Trigger
from jobs.times import is_due, latest_due, parse_time
from jobs.trigger_words import trigger_words

NOON = datetime(2013, 7, 2, 12, tzinfo=UTC)
DAILY = Recurrence(Frequency.DAY, hours=(3,), minutes=(15,))


@pytest.mark.parametrize(
    "text", ["2013-07-02T03:15Z", "2013-07-02T03:15", "2013-07-02T05:15+02:00", "2013-07-02 03:15:00"]
)
def test_a_time_without_a_zone_is_utc(text: str) -> None:
    assert parse_time(text) == datetime(2013, 7, 2, 3, 15, tzinfo=UTC)
    assert parse_time(text).tzinfo is UTC


def test_what_is_no_time_is_refused_with_an_example() -> None:
    with pytest.raises(typer.BadParameter, match="ISO-8601"):
        parse_time("yesterday")


def test_the_latest_due_time_is_before_now() -> None:
    assert latest_due(Trigger(DAILY), NOON) == datetime(2013, 7, 2, 3, 15, tzinfo=UTC)
    assert latest_due(Trigger(DAILY), datetime(2013, 7, 2, 3, 15, tzinfo=UTC)) == datetime(
        2013, 7, 1, 3, 15, tzinfo=UTC
    )


@pytest.mark.parametrize("frequency", [Frequency.MINUTE, Frequency.MONTH])
def test_the_latest_due_time_is_found_however_rare_it_is(frequency: Frequency) -> None:
    found = latest_due(Trigger(Recurrence(frequency, interval=5)), NOON)
    assert found is not None
    assert found < NOON


def test_a_trigger_that_ended_long_ago_was_last_due_before_its_end() -> None:
    ended = datetime(2003, 1, 1, tzinfo=UTC)
    assert latest_due(Trigger(DAILY, end_time=ended), NOON) == datetime(2002, 12, 31, 3, 15, tzinfo=UTC)


def test_a_trigger_that_has_not_started_was_never_due() -> None:
    assert latest_due(Trigger(DAILY, start_time=NOON + timedelta(days=1)), NOON) is None


def test_a_time_is_due_to_the_microsecond() -> None:
    at = datetime(2013, 7, 2, 3, 15, tzinfo=UTC)
    assert is_due(Trigger(DAILY), at)
    assert not is_due(Trigger(DAILY), at + timedelta(microseconds=1))


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (DAILY, "every day at 03:15 UTC"),
        (Recurrence(Frequency.WEEK, interval=2, hours=(4,), week_days=(0,)), "every 2 weeks on Monday at 04:00 UTC"),
        (Recurrence(Frequency.MONTH, month_days=(1, 15), hours=(0,)), "every month on the 1., the 15. at 00:00 UTC"),
        (Recurrence(Frequency.HOUR, minutes=(5, 35)), "every hour at minute 5, 35 UTC"),
        (Recurrence(Frequency.MINUTE, interval=10), "every 10 minutes UTC"),
    ],
)  # fmt: skip
def test_a_trigger_is_said_in_words(rule: Recurrence, words: str) -> None:
    assert trigger_words(Trigger(rule)) == words
