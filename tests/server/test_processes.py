"""Schedulers and runs as real processes: some are killed, hang, or lose their database, and every run ends once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from sqlalchemy import func, select

from server.database import Database
from server.due import DueBatch, Timetable
from server.policies import Policy
from server.queue import Queue, State
from server.scheduler import Scheduler
from server.tables import Application, Claim
from tests.figures import KINDS, figure
from tests.server.conftest import Postgres, empty_database
from tests.server.registered import NOW, make_monitors
from tests.server.second_scheduler import GRACE, MINUTES, ScriptLauncher

SCRIPT = Path(__file__).with_name("second_scheduler.py")
MODELS, MONITORS = 2, 6
RUNS = MODELS * MINUTES
PATIENCE = 120
"""Seconds, on a machine that does ten other things."""


class Others:
    """Schedulers in processes of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.processes = folder, dict[str, subprocess.Popen[bytes]]()

    def start(self, url: str, owner: str, *, seconds: float, lease: float) -> None:
        words = [sys.executable, str(SCRIPT), url, str(self.folder), owner, str(seconds), str(lease)]
        path = os.pathsep.join(each for each in sys.path if each)
        with (self.folder / f"{owner}.log").open("wb") as log:
            self.processes[owner] = subprocess.Popen(
                words, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, "PYTHONPATH": path}
            )

    def kill(self, owner: str) -> float:
        """The scheduler is gone at once; what it ran has to end by itself, in so many seconds."""
        process = self.processes.pop(owner)
        process.kill()
        killed = time.monotonic()
        process.wait()
        wait_for(lambda: not self.going(owner), self)
        return time.monotonic() - killed

    def going(self, owner: str) -> list[int]:
        """What there is of its runs, be it dead and waiting for somebody to ask for it."""
        return [pid for pid in self.pids(owner) if psutil.pid_exists(pid)]

    def pids(self, owner: str) -> list[int]:
        """Of the runs that it started, and of their children."""
        path = self.folder / f"{owner}.pids"
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def ended(self) -> Counter[int]:
        """How often each run went through to its end."""
        path = self.folder / "ended"
        return Counter(int(line) for line in path.read_text().split()) if path.exists() else Counter()

    def said(self) -> str:
        return "\n".join(path.read_text() for path in self.folder.glob("*.log"))


def _twice(others: Others) -> int:
    return sum(count > 1 for count in others.ended().values())


@pytest.fixture
def others(tmp_path: Path) -> Iterator[Others]:
    made = Others(tmp_path)
    yield made
    for owner in list(made.processes):
        made.kill(owner)


def wait_for(what: Callable[[], bool], others: Others) -> None:
    until = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < until, others.said()
        time.sleep(0.1)


def records(database: Database) -> list[Application]:
    with database.reading() as session:
        return list(session.scalars(select(Application)))


def all_done(database: Database) -> bool:
    return [each.state for each in records(database)] == [State.DONE] * RUNS


@pytest.mark.reliability
def test_what_a_killed_scheduler_left_is_taken_over_and_nothing_is_lost_or_done_twice(database_url, database, others):
    make_monitors(database, MONITORS, MODELS)
    others.start(database_url, "doomed", seconds=1000, lease=3)
    wait_for(lambda: len(others.pids("doomed")) == 4, others)
    for owner in ("heir", "other"):
        others.start(database_url, owner, seconds=0.01, lease=3)
    wait_for(lambda: sum(others.ended().values()) > 2, others)
    killed = time.monotonic()
    gone = others.kill("doomed")
    assert gone < 30  # it takes half a second of grace; on a busy machine more
    wait_for(lambda: all_done(database), others)
    took = time.monotonic() - killed
    assert others.ended() == Counter({each.id: 1 for each in records(database)})
    assert sorted(each.attempt for each in records(database)) == [1] * (RUNS - 2) + [2] * 2
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Claim)) == MONITORS * MINUTES
    figure(
        f"Of three schedulers on one {KINDS[database.engine.dialect.name]} one is killed (SIGKILL); lease 3 s",
        f"{RUNS} runs of {MONITORS} monitors, {_twice(others)} twice, {RUNS - len(others.ended())} lost; the killed "
        f"one's processes were gone after {gone:.1f} s, and its 2 runs done by others after {took:.1f} s",
    )


@pytest.mark.reliability
def test_a_scheduler_that_is_stopped_for_longer_than_its_lease_has_no_run_and_comes_back_to_none(tmp_path, others):
    url = f"sqlite:///{tmp_path / 'registry.db'}"
    database = Database(url)
    database.upgrade()
    make_monitors(database, MONITORS, MODELS)
    others.start(url, "stopped", seconds=1000, lease=3)
    wait_for(lambda: len(others.pids("stopped")) == 4, others)
    others.processes["stopped"].send_signal(signal.SIGSTOP)
    stopped = time.monotonic()
    others.start(url, "heir", seconds=0.01, lease=3)
    wait_for(lambda: not others.going("stopped"), others)
    gone = time.monotonic() - stopped
    wait_for(lambda: all_done(database), others)
    others.processes["stopped"].send_signal(signal.SIGCONT)
    time.sleep(1)
    assert others.processes["stopped"].poll() is None
    assert all_done(database)
    assert others.ended() == Counter({each.id: 1 for each in records(database)})
    figure(
        "A scheduler is stopped (SIGSTOP) while it evaluates, and goes on when others have done its runs; lease 3 s",
        f"{RUNS} runs, {RUNS - len(others.ended())} lost, {_twice(others)} twice; its own ended after {gone:.1f} s",
    )
    database.close()


@pytest.mark.reliability
def test_without_the_database_what_goes_on_is_ended_after_the_lease_and_not_before(postgres: Postgres, request, others):
    url = empty_database(postgres, request.node.nodeid)
    database = Database(url)
    database.upgrade()
    make_monitors(database, MONITORS, MODELS)
    others.start(url, "one", seconds=1000, lease=3)
    wait_for(lambda: len(others.pids("one")) == 4, others)
    time.sleep(3.5)
    assert len(others.going("one")) == 4  # signs of life keep it
    postgres.stop()
    try:
        stopped = time.monotonic()
        time.sleep(0.5)
        assert len(others.going("one")) == 4
        wait_for(lambda: not others.going("one"), others)
        gone = time.monotonic() - stopped
    finally:
        postgres.start()
    wait_for(lambda: [each.attempt for each in records(database)].count(2) == 2, others)
    said = [each.error or "" for each in records(database) if each.attempt == 2]
    assert all("the registry could not be reached" in each or "no sign of life" in each for each in said)
    figure(
        "PostgreSQL is away for longer than the lease of 3 s",
        f"what went on was ended {gone:.1f} s after, and is tried again: {len(said)} of 2 runs",
    )
    database.close()


@pytest.mark.reliability
def test_a_database_that_restarts_under_load_costs_nothing_but_time(postgres: Postgres, request, others):
    url = empty_database(postgres, request.node.nodeid)
    database = Database(url)
    database.upgrade()
    make_monitors(database, MONITORS, MODELS)
    for owner in ("one", "other"):
        others.start(url, owner, seconds=0.3, lease=5)
    wait_for(lambda: sum(others.ended().values()) > 2, others)
    postgres.stop()
    try:
        time.sleep(1)
        assert not any(process.poll() for process in others.processes.values())
    finally:
        postgres.start()
    wait_for(lambda: all_done(database), others)
    ended = others.ended()
    assert {each.id for each in records(database)} == set(ended)
    # Twice only what was taken over since its owner could not give a sign of life.
    assert all(ended[each.id] == 1 for each in records(database) if each.attempt == 1)
    assert "the registry postgresql" in others.said()  # the restart was noticed
    again = [each for each in records(database) if each.attempt > 1]
    figure(
        "PostgreSQL is stopped under two schedulers for a second (immediate), and started again",
        f"{RUNS} runs, {RUNS - len(ended)} lost; {len(again)} were taken over, {_twice(others)} of these ended twice",
    )
    database.close()


# ----------------------------------------------------------------------------------------------- a run's processes

STUBBORN = """
import os, signal, subprocess, sys, time
deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(1e3)"
child = subprocess.Popen([sys.executable, "-S", "-c", deaf], stdout=subprocess.PIPE)
child.stdout.readline()
open(sys.argv[1] + "/pids.new", "w").write(f"{os.getpid()} {child.pid}")
os.rename(sys.argv[1] + "/pids.new", sys.argv[1] + "/pids")
time.sleep(1000)
"""


def scheduler(database: Database, folder: Path, script: str, policy: Policy = Policy()) -> Scheduler:  # noqa: B008
    """One that has taken one run, of that script."""
    queue = Queue(database, "one")
    queue.claim([DueBatch(NOW, "model0", tuple(make_monitors(database, 1)))], NOW)
    launcher = ScriptLauncher("", folder / "logs", grace=GRACE, script=script, words=(str(folder),))
    return Scheduler(queue, Timetable(policy), launcher, lambda names: ([Path(name) for name in names], {}), policy)


def after_its_end(one: Scheduler, database: Database) -> Application:
    """The run's record as soon as its process is gone."""
    one.step(NOW)
    until = time.monotonic() + PATIENCE
    while one.going:
        assert time.monotonic() < until
        one.finish(NOW)
        time.sleep(0.05)
    return records(database)[0]


def test_what_hangs_is_ended_at_its_time_limit_with_everything_that_it_started(database, tmp_path):
    one = scheduler(database, tmp_path, STUBBORN, Policy(time_limit=timedelta(minutes=1)))
    elapsed = 0.0
    one.elapsed = lambda: elapsed
    one.step(NOW)
    until = time.monotonic() + PATIENCE
    while not (tmp_path / "pids").exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    pids = [int(word) for word in (tmp_path / "pids").read_text().split()]
    assert all(psutil.pid_exists(pid) for pid in pids)
    elapsed = 60.0
    one.step(NOW)
    assert [each.state for each in records(database)] == [State.RUNNING]  # nobody waits for it
    after_its_end(one, database)
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert [(each.state, each.attempt) for each in records(database)] == [(State.QUEUED, 2)]


def test_whoever_kills_the_guard_ends_its_run_too(database, tmp_path):
    one = scheduler(database, tmp_path, "import time; time.sleep(1000)")
    before = set(psutil.Process().children())
    one.step(NOW)
    (guard,) = set(psutil.Process().children()) - before
    until = time.monotonic() + PATIENCE
    while not (run := guard.children()):
        assert time.monotonic() < until
        time.sleep(0.01)
    guard.kill()
    record = after_its_end(one, database)
    assert (record.state, record.attempt, record.exit_code) == (State.QUEUED, 2, 137)
    while lives(run[0].pid):
        assert time.monotonic() < until
        time.sleep(0.01)


def lives(pid: int) -> bool:
    """Whether it is more than a dead process that nobody has asked for."""
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


@pytest.mark.parametrize("script", ["import sys; sys.exit(137)", "import os; os.kill(os.getpid(), 9)"])
def test_what_the_system_kills_for_its_memory_says_137_and_is_tried_again(database, tmp_path, script):
    record = after_its_end(scheduler(database, tmp_path, f"print('nearly there', flush=True); {script}"), database)
    assert (record.state, record.attempt, record.exit_code) == (State.QUEUED, 2, 137)
    assert (record.error or "").startswith("it was killed (137)")
    assert (record.error or "").endswith("nearly there")


@pytest.mark.parametrize("hindered", [False, True])
def test_a_stop_leaves_no_process_behind(database, tmp_path, hindered):
    one = scheduler(database, tmp_path, "import time; time.sleep(1000)")
    before = set(psutil.Process().children())
    one.step(NOW)
    (child,) = set(psutil.Process().children()) - before
    if hindered:
        child.suspend()
    one.stop()
    assert not lives(child.pid)
    assert [each.state for each in records(database)] == [State.QUEUED]
