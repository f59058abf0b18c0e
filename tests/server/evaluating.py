"""A scheduler with the real launcher, that is asked for one run of one monitor's file and takes steps until it ends."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from engine.store import Store
from server.database import Database
from server.due import DueBatch, Timetable
from server.launcher import SparkLauncher
from server.policies import Policy
from server.queue import Queue, State
from server.scheduler import Scheduler
from server.tables import Application
from tests.server.registered import NOW, make_monitors
from tests.tiny import AT

__all__ = ["PATIENCE", "QUICK_JAVA", "QUIET", "Evaluating", "evaluating"]

PATIENCE = 180
"""Seconds, on a machine that does ten other things."""
QUICK_JAVA = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
QUIET = {
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.extraJavaOptions": QUICK_JAVA,
    "spark.executor.extraJavaOptions": QUICK_JAVA,
}


@dataclass
class Evaluating:
    """One run, and what its scheduler does.

    Attributes:
        store: where results go.
        ended: what was told of it.
        ahead: minutes that the clocks are ahead.
    """

    database: Database
    scheduler: Scheduler
    store: Store
    ended: list[str | None] = field(default_factory=list)
    ahead: float = 0

    def step(self) -> Application:
        """A step; how the run stands after it."""
        self.scheduler.step(NOW + timedelta(minutes=self.ahead))
        with self.database.reading() as session:
            return session.scalars(select(Application)).one()

    def until(self, what: Callable[[Application], bool]) -> Application:
        """Steps until the run stands so."""
        until = time.monotonic() + PATIENCE
        while not what(found := self.step()):
            assert time.monotonic() < until, found.error or Path(found.log or os.devnull).read_text()
            time.sleep(0.1)
        return found

    def attempt(self, number: int) -> Application:
        """The run after so many attempts."""
        return self.until(lambda each: each.attempt > number or each.state not in (State.QUEUED, State.RUNNING))


def evaluating(folder: Path, file: Path, launcher: SparkLauncher, policy: Policy = Policy()) -> Evaluating:  # noqa: B008
    """A registry in that folder, with one run that is due of one monitor."""
    database = Database(f"sqlite:///{folder / 'registry.db'}")
    database.upgrade()
    queue = Queue(database, "one")
    queue.claim([DueBatch(AT, "model0", tuple(make_monitors(database, 1)))], NOW)
    scheduler = Scheduler(queue, Timetable(policy), launcher, lambda _names: ([file], {}), policy)
    made = Evaluating(database, scheduler, Store(launcher.store))
    scheduler.ended = lambda _task, ending, _now: made.ended.append(ending.error)
    scheduler.elapsed = lambda: time.monotonic() + made.ahead * 60
    return made
