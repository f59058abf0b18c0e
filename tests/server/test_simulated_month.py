"""Forty-three million windows a month: each is evaluated once, and a minute's step takes milliseconds.

A day of it here; the month by `DRIFTLINE_SIMULATED_DAYS=30`, or with its times by `benchmarks/simulated_month.py`.
"""

from __future__ import annotations

import os
import time

import psutil
import pytest
from sqlalchemy import func, select

from engine.wording import plural
from server.tables import Application, Claim
from tests.figures import figure
from tests.server.simulated import SimulatedHour, simulated_hours

MONITORS, MODELS = 1_000, 20
DAYS = int(os.environ.get("DRIFTLINE_SIMULATED_DAYS", "1"))


@pytest.mark.reliability
def test_a_thousand_monitors_a_minute_are_evaluated_once_each(database, database_url):
    kind, hours = ("SQLite", 24 * DAYS) if database_url.startswith("sqlite") else ("PostgreSQL", 1)
    whole = SimulatedHour(windows=60 * MONITORS, claims=60 * MONITORS, unfinished=0)
    started, windows, memory = time.perf_counter(), 0, list[float]()
    for hour in simulated_hours(database, MONITORS, MODELS, hours):
        assert hour == whole
        windows += hour.windows
        memory.append(psutil.Process().memory_info().rss / 1e6)
    took = time.perf_counter() - started
    # What is left are the runs of the latest minute: the registry does not grow, and nor does the process.
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Claim)) == MONITORS
        assert session.scalar(select(func.count()).select_from(Application)) == MODELS
    assert memory[-1] - memory[0] < 20
    figure(
        f"{MONITORS:,} monitors of {MODELS} models, due every minute: {plural(hours, 'simulated hour')} on {kind}",
        f"{windows:,} windows, each once, in {took:.0f} s; the process grew by {memory[-1] - memory[0]:.0f} MB",
    )
