"""Forty-three million windows a month: each is evaluated once, and a minute's step takes milliseconds.

A day of it here; the month by `DRIFTLINE_SIMULATED_DAYS=30`, or with its times by `benchmarks/simulated_month.py`.
"""

from __future__ import annotations

import os

from sqlalchemy import func, select

from server.tables import Application, Claim
from tests.server.simulated import SimulatedHour, simulated_hours

MONITORS, MODELS = 1_000, 20
DAYS = int(os.environ.get("DRIFTLINE_SIMULATED_DAYS", "1"))


def test_a_thousand_monitors_a_minute_are_evaluated_once_each(database, database_url):
    hours = 24 * DAYS if database_url.startswith("sqlite") else 1
    whole = SimulatedHour(windows=60 * MONITORS, claims=60 * MONITORS, unfinished=0)
    assert list(simulated_hours(database, MONITORS, MODELS, hours)) == [whole] * hours
    # What is left are the runs of the latest minute: the registry does not grow.
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Claim)) == MONITORS
        assert session.scalar(select(func.count()).select_from(Application)) == MODELS
