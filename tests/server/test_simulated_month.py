"""Forty-three million windows a month: each is evaluated once, and a minute's step takes milliseconds.

A day of it here; the month by `DRIFTLINE_SIMULATED_DAYS=30`, or with its times by `benchmarks/simulated_month.py`.
"""

from __future__ import annotations

import os

from tests.server.simulated import simulated_days

MONITORS, MODELS, MINUTES = 1_000, 20, 1_440
DAYS = int(os.environ.get("DRIFTLINE_SIMULATED_DAYS", "1"))


def test_a_thousand_monitors_a_minute_are_evaluated_once_each(database, database_url):
    days = DAYS if database_url.startswith("sqlite") else 1 / 24
    found = list(simulated_days(database, MONITORS, MODELS, days))
    expected = round(min(days, 1) * MINUTES) * MONITORS
    assert [each.windows for each in found] == [expected] * len(found)
    # The latest claims of the day before are kept; everything else was forgotten: the registry does not grow.
    assert [each.claims for each in found] == [expected, *[expected + MONITORS] * (len(found) - 1)]
    assert {each.unfinished for each in found} == {0}
