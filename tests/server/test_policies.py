"""Which missed times are made up for, and when a failure is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from server.policies import CatchUp, Policy, Retries

MINUTE = timedelta(minutes=1)
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
MISSED = [NOW - back * MINUTE for back in (30, 20, 10, 3, 0)]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Policy(CatchUp.ALL), MISSED),
        (Policy(CatchUp.ALL, most=2), MISSED[-2:]),
        (Policy(CatchUp.ALL, most=1), MISSED[-1:]),
        (Policy(CatchUp.LATEST), MISSED[-1:]),
        (Policy(CatchUp.NONE), MISSED[-2:]),
        (Policy(CatchUp.NONE, grace=10 * MINUTE), MISSED[-3:]),
        (Policy(CatchUp.NONE, grace=timedelta(0)), MISSED[-1:]),
    ],
)
def test_missed_times_are_made_up_for_as_the_policy_says(policy, expected):
    assert policy.chosen(MISSED, NOW) == expected


@pytest.mark.parametrize("catch_up", CatchUp)
def test_where_nothing_was_missed_nothing_is_made_up_for(catch_up):
    assert Policy(catch_up).chosen([], NOW) == []


def test_retries_wait_twice_as_long_each_time_and_end():
    retries = Retries(most=5, first=MINUTE, longest=timedelta(minutes=5))
    waits = [retries.after(attempt) for attempt in range(1, 7)]
    assert waits == [MINUTE, 2 * MINUTE, 4 * MINUTE, 5 * MINUTE, 5 * MINUTE, None]


def test_no_retries_are_no_retries():
    assert Retries(most=0).after(1) is None


def test_a_hundredth_attempt_overflows_nothing():
    assert Retries(most=1000).after(1000) == timedelta(hours=1)
