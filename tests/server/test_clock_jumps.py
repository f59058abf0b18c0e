"""A wall clock that jumps ends no run, evaluates nothing twice and loses nothing; on both kinds of database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from engine.triggers import Frequency, Recurrence, Trigger
from server.database import Database
from server.due import Timetable, Watched
from server.policies import Policy
from server.queue import Queue, State
from server.scheduler import Scheduler
from server.tables import Application
from tests.figures import figure
from tests.server.registered import NOW, make_monitors
from tests.server.test_scheduler import Runs

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TAKES = 4
"""Minutes that a run takes, which is longer than a lease. What jumps does so after 40."""

Jump = Callable[[int], timedelta]


def story(database: Database, hours: int, *jumps: Jump) -> list[Runs]:
    """Two schedulers, each with a wall clock of its own, and monitors of two models that are due every hour."""
    made: list[tuple[Runs, Scheduler, Jump]] = []
    ids = make_monitors(database, 4)
    for number, jump in enumerate(jumps):
        runs, policy = Runs(), Policy(time_limit=HOUR)
        timetable = Timetable(policy)
        trigger = Trigger(Recurrence(Frequency.HOUR), start_time=NOW)
        timetable.watch([Watched(each, f"m{each}", f"model{each % 2}", trigger, NOW - MINUTE) for each in ids])
        queue = Queue(database, f"server{number}")
        one = Scheduler(queue, timetable, runs, lambda names: ([Path(name) for name in names], {}), policy, most=2)
        one.elapsed = lambda runs=runs: runs.elapsed
        made.append((runs, one, jump))
    begun: dict[int, int] = {}
    for minute in range(0, hours * 60, 2):
        for runs, one, jump in made:
            for run in runs.started:
                if minute - begun.setdefault(id(run), minute) >= TAKES:
                    run.code = 0
            runs.elapsed = minute * 60
            one.step(NOW + minute * MINUTE + jump(minute))
    return [runs for runs, _, _ in made]


def right(_minute: int) -> timedelta:
    return timedelta(0)


def jumps_ahead(minute: int) -> timedelta:
    return DAY if minute >= 40 else timedelta(0)


def jumps_back(minute: int) -> timedelta:
    return -HOUR if minute >= 40 else timedelta(0)


def is_ahead_for_a_while(minute: int) -> timedelta:
    return DAY if 40 <= minute < 60 else timedelta(0)


STORIES = {
    "both jump a day ahead": ((jumps_ahead, jumps_ahead), 4, 24 + 4),
    "one jumps a day ahead": ((jumps_ahead, right), 4, 24 + 4),
    "both go back an hour": ((jumps_back, jumps_back), 4, 3),
    "one goes back an hour": ((right, jumps_back), 4, 4),
    # What was claimed too early is evaluated when it is time for it.
    "one is a day ahead for 20 minutes": ((is_ahead_for_a_while, right), 26, 26),
}


@pytest.mark.reliability
@pytest.mark.parametrize("what", STORIES)
def test_a_clock_that_jumps_ends_nothing_and_each_time_is_evaluated_once(database, what):
    clocks, lasts, times = STORIES[what]
    started = [run for runs in story(database, lasts, *clocks) for run in runs.started]
    assert not any(run.killed for run in started)
    evaluated = Counter((run.task.model, run.task.time) for run in started)
    assert evaluated == {(f"model{model}", NOW + each * HOUR): 1 for model in (0, 1) for each in range(times)}
    with database.reading() as session:
        found = session.scalars(select(Application)).all()
    assert {each.attempt for each in found} == {1}
    assert {each.state for each in found} <= {State.DONE, State.RUNNING}
    figure(
        f"Two schedulers on one SQLite or PostgreSQL, runs of four minutes; of their clocks {what}",
        f"{len(evaluated)} runs, {sum(evaluated.values()) - len(evaluated)} twice, "
        f"{sum(run.killed for run in started)} ended before they were done",
    )
