"""A clock that is put back keeps no server from its steps."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from jobs.waking import wake_oversleepers


@pytest.fixture
def clock() -> Iterator[BackgroundScheduler]:
    made = BackgroundScheduler(timezone="UTC")
    made.start()
    yield made
    made.shutdown()


def test_after_the_clock_was_put_back_an_hour_the_next_step_is_done_at_once(clock: BackgroundScheduler) -> None:
    stepped = threading.Event()
    job = clock.add_job(stepped.set, "interval", seconds=1)
    # What the clock's loss of an hour looks like: the next step is an hour away.
    job.modify(next_run_time=datetime.now(UTC) + timedelta(hours=1))
    assert not stepped.wait(1.5)
    wake_oversleepers(clock, datetime.now(UTC))
    assert stepped.wait(30)


def test_whoever_is_on_time_is_left_alone(clock: BackgroundScheduler) -> None:
    job = clock.add_job(lambda: None, "interval", minutes=10)
    due = job.next_run_time
    wake_oversleepers(clock, datetime.now(UTC))
    assert clock.get_job(job.id).next_run_time == due
