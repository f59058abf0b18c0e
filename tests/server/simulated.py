"""A month of a thousand monitors in minutes: a clock that is moved by hand, and runs that end at the next look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from engine.triggers import Frequency, Recurrence, Trigger
from server.database import Database
from server.due import Timetable, Watched
from server.policies import Policy
from server.queue import Queue, Task
from server.scheduler import Scheduler
from server.tables import Application, Claim, MonitorRecord
from tests.server.registered import NOW, make_monitors

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
EVERY_MINUTE = Trigger(Recurrence(Frequency.MINUTE))


class Ended:
    """A run that has ended well as soon as somebody looks."""

    log = "nowhere"

    def poll(self) -> int:
        return 0

    def keep(self) -> None:
        pass

    def end(self) -> None:
        pass

    def wait(self) -> None:
        pass

    def output(self) -> str:
        return ""


@dataclass
class Counting:
    """Starts nothing, and sees that each model's minutes come in order, each once."""

    windows: int = 0
    latest: dict[str | None, datetime] = field(default_factory=dict)

    def start(self, task: Task, files: Sequence[Path]) -> Ended:
        before = self.latest.get(task.model)
        assert before is None or task.time - before == MINUTE, f"{task.model}: {task.time} follows {before}"
        self.latest[task.model] = task.time
        self.windows += len(set(task.monitors))
        return Ended()


@dataclass(frozen=True)
class SimulatedHour:
    """What an hour came to.

    Attributes:
        windows: evaluated in this hour.
        claims: made in it, as the database says.
        unfinished: runs that are not done at its end.
    """

    windows: int
    claims: int
    unfinished: int


def simulated_hours(database: Database, monitors: int, models: int, hours: int) -> Iterator[SimulatedHour]:
    """Monitors that are due every minute, for so many hours; what was done in an hour is forgotten after it."""
    make_monitors(database, monitors, models)
    queue, launcher = Queue(database, "simulated"), Counting()
    timetable = Timetable(Policy())
    with database.reading() as session:
        records = session.scalars(select(MonitorRecord)).all()
    timetable.watch([Watched(each.id, each.name, each.model, EVERY_MINUTE, NOW) for each in records])
    scheduler = Scheduler(
        queue, timetable, launcher, lambda _names: ([Path("monitors.yaml")], {}), Policy(), most=models
    )
    for hour in range(hours):
        start, before = NOW + hour * HOUR, launcher.windows
        for minute in range(60):
            scheduler.step(start + (minute + 1) * MINUTE)
        scheduler.finish(start + HOUR)
        yield SimulatedHour(launcher.windows - before, *_counts(database, start))
        queue.forget(start + HOUR)


def _counts(database: Database, after: datetime) -> tuple[int, int]:
    with database.reading() as session:
        claims = session.scalar(select(func.count()).select_from(Claim).where(Claim.scheduled_for > after))
        open_ = session.scalar(select(func.count()).select_from(Application).where(Application.state != "done"))
        return claims or 0, open_ or 0
