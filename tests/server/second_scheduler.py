"""A scheduler in a process of its own, by the real clock; its runs are Python scripts that sleep.

python second_scheduler.py URL FOLDER OWNER SECONDS LEASE
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from engine.errors import DriftlineError
from engine.triggers import Frequency, Recurrence, Trigger
from server.database import Database
from server.due import Timetable, Watched
from server.launcher import SparkLauncher
from server.policies import Overlap, Policy
from server.queue import Queue, Task
from server.scheduler import Scheduler
from server.tables import MonitorRecord

START = datetime(2024, 5, 1, tzinfo=UTC)
MINUTES = 8
GRACE = timedelta(seconds=0.5)
EVERY_MINUTE = Trigger(Recurrence(Frequency.MINUTE), start_time=START, end_time=START + timedelta(minutes=MINUTES))
SLEEP = """
import os, signal, sys, time
folder, name, owner, seconds = sys.argv[1:]
if float(seconds) > 100 and os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
open(f"{folder}/{owner}.pids", "a").write(f"{os.getpid()}\\n")
time.sleep(float(seconds))
open(f"{folder}/ended", "a").write(name + "\\n")
"""
"""A long one has a child, in a session of its own, that does not listen."""


@dataclass(frozen=True)
class ScriptLauncher(SparkLauncher):
    """Starts a Python script in place of Spark.

    Attributes:
        script: its text.
        words: what it is told; `{run}` stands for the run's id.
    """

    script: str = ""
    words: tuple[str, ...] = ()

    def command(self, task: Task, files: Sequence[Path]) -> list[str]:
        del files
        return [sys.executable, "-S", "-c", self.script, *(word.format(run=task.id) for word in self.words)]


def main(url: str, folder: str, owner: str, seconds: str, lease: str) -> None:
    database, policy = Database(url), Policy(overlap=Overlap.PARALLEL)
    timetable = Timetable(policy)
    with database.reading() as session:
        records = session.scalars(select(MonitorRecord)).all()
    timetable.watch([Watched(each.id, each.name, each.model, EVERY_MINUTE, START - timedelta(1)) for each in records])
    logs, lasts = Path(folder) / f"logs-{owner}", timedelta(seconds=float(lease))
    launcher = ScriptLauncher("", logs, lease=lasts, grace=GRACE, script=SLEEP, words=(folder, "{run}", owner, seconds))
    queue = Queue(database, owner, lasts)
    scheduler = Scheduler(
        queue, timetable, launcher, lambda names: ([Path(name) for name in names], {}), policy, most=2
    )
    while True:
        try:
            scheduler.step(datetime.now(UTC))
        except DriftlineError as error:
            print(error, flush=True)
        time.sleep(0.05)


if __name__ == "__main__":
    main(*sys.argv[1:])
