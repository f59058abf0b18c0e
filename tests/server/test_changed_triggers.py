"""A trigger that is changed while times are pending: what was claimed is evaluated, and then the new one counts."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from server.changes import changes_between
from server.database import Database
from server.desired import read_desired
from server.due import Timetable
from server.policies import Policy
from server.queue import Queue
from server.registry import Registry
from server.scheduler import Scheduler
from server.service import Service
from server.watching import Watching
from server.workspace import Workspace
from tests.server.conftest import NOW
from tests.server.test_scheduler import Runs

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TEXT = """
name: one
trigger: {{type: cron, expression: "{expression}"}}
create_monitor:
  {downtime}
  monitoring_signals: {{quality: {{type: data_quality, production_data: {{input_data: {{path: in.parquet}}}}}}}}
"""


class World:
    """A server with room for one run at a time, and the file of the monitor that it watches."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.file, self.runs = database, folder / "one.yaml", Runs()
        self.folder = folder

    def start(self) -> None:
        queue, policy = Queue(self.database, f"server{len(self.runs.started)}"), Policy()
        watching = Watching(self.database, queue, Workspace(self.folder / "definitions"))
        self.service = Service(watching, Scheduler(queue, Timetable(policy), self.runs, watching.files, policy))

    def write(self, now: datetime, expression: str, downtime: str = "") -> None:
        self.file.write_text(TEXT.format(expression=expression, downtime=downtime))
        with self.database.session() as session:
            registry = Registry(session, "test:ada", now)
            registry.carry_out(changes_between(registry.current(), read_desired([self.file]), prune=False))

    def step(self, now: datetime, *, ends: bool = True) -> None:
        """A step, after which what goes on has ended or not."""
        self.service.step(now)
        for run in self.runs.started:
            run.code = 0 if ends else run.code

    @property
    def evaluated(self) -> list[float]:
        """Hours after NOW, which is noon."""
        return [(run.task.time - NOW) / HOUR for run in self.runs.started]


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    made = World(database, tmp_path)
    made.start()
    return made


def test_what_waits_is_evaluated_once_and_then_the_new_trigger_counts(world):
    world.write(NOW, "0 * * * *")
    for hours in (0.5, 1, 2, 3):
        world.step(NOW + hours * HOUR, ends=False)
    assert world.evaluated == [1]  # two and three wait for it
    world.write(NOW + 3.2 * HOUR, "30 * * * *")
    for minutes in range(12, 31, 3):
        world.step(NOW + 3 * HOUR + minutes * MINUTE)
    world.step(NOW + 3.6 * HOUR)
    assert world.evaluated == [1, 2, 3, 3.5]


def test_a_server_that_starts_after_the_change_knows_what_was_evaluated(world):
    world.write(NOW, "0 * * * *")
    for hours in (0.5, 1, 1.1, 2, 2.1):
        world.step(NOW + hours * HOUR)
    world.write(NOW + 2.2 * HOUR, "*/30 * * * *")
    world.start()
    for tenth in range(25, 32):
        world.step(NOW + tenth * HOUR / 10)
    assert world.evaluated == [1, 2, 2.5, 3]


def test_a_downtime_that_is_written_is_kept_at_once_and_by_whoever_starts_in_it(world):
    world.write(NOW, "0 * * * *")
    for hours in (0.5, 1, 1.1):
        world.step(NOW + hours * HOUR)
    world.write(NOW + 1.2 * HOUR, "0 * * * *", "downtime: {start: 2026-11-26T13:30, hours: 3}")
    for hours in (1.3, 2, 2.5):
        world.step(NOW + hours * HOUR)
    world.start()
    for tenth in range(30, 61):
        world.step(NOW + tenth * HOUR / 10)
    assert world.evaluated == [1, 5, 6]


def test_a_run_by_hand_is_evaluated_in_a_downtime_too(world):
    world.write(NOW, "0 * * * *", "downtime: {start: 2026-11-26, hours: 24}")
    world.step(NOW + HOUR)
    assert world.evaluated == []
    world.service.scheduler.queue.again(1, NOW + HOUR, NOW + HOUR)
    world.step(NOW + 1.1 * HOUR)
    assert world.evaluated == [1]
