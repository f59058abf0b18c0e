"""A full disk: the server says which, goes on, and makes up for everything once there is room; no half is ever seen."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import event, select

from engine.errors import NoResultsError, StoreError
from engine.results import MetricRow, Run
from engine.store import Store
from server.database import Database
from server.due import Timetable
from server.errors import RegistryError
from server.launcher import SparkLauncher
from server.lineage_sinks import to_file
from server.outbox import Outbox, Parcel
from server.policies import Policy
from server.queue import Queue, State, Task
from server.room import NoRoomError, Room
from server.scheduler import Scheduler
from server.service import Service
from server.tables import Alert, Application
from server.teller import Teller
from server.watching import Watching
from server.web import application
from server.workspace import Workspace
from tests.conftest import free_port
from tests.figures import figure
from tests.full_disk import PAGE, SmallDisk, small_disk
from tests.jobs.conftest import a_row, a_run
from tests.jobs.test_serving import wait_until_ready
from tests.server.conftest import NOW
from tests.server.registered import make_monitors
from tests.server.test_scheduler import Runs, records
from tests.server.test_scheduler import scheduler as of_three_monitors
from tests.server.test_watching import apply

ROOT = Path(__file__).parents[2]
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
POINTS = 20
HOURLY = """\
name: flights
trigger: {type: recurrence, frequency: hour, interval: 1}
create_monitor:
  alert_notification: {emails: [ada@example.com]}
  monitoring_signals:
    drift:
      type: data_drift
      alert_enabled: true
      production_data: {input_data: {path: production.parquet}, data_context: model_inputs}
      reference_data: {input_data: {path: baseline.parquet}, data_context: training}
      metric_thresholds: {numerical: {population_stability_index: 0.1}}
"""
EVALUATE = """
import sys
from datetime import datetime
import typer
from engine.store import Store
from jobs.exits import ending
from tests.jobs.conftest import a_row, a_run

at, value, store, counted = datetime.fromisoformat(sys.argv[1]), float(sys.argv[2]), sys.argv[3], sys.argv[4]

@ending
def evaluate():
    run = a_run(at)
    Store(store).write([run], [a_row(run, "distance", value)])
    with open(counted, "a") as file:
        file.write(at.isoformat() + "\\n")

try:
    evaluate()
except typer.Exit as end:
    sys.exit(end.exit_code)
"""


@dataclass(frozen=True)
class Evaluating(SparkLauncher):
    """Writes a row to the store instead of evaluating anything, and counts where there is room."""

    counted: Path = Path()

    def command(self, task: Task, files: Sequence[Path]) -> list[str]:
        value = "0.4" if (task.time - NOW) // HOUR < 4 else "0.05"  # breached for three hours, and then no more
        return [sys.executable, "-c", EVALUATE, task.time.isoformat(), value, self.store, str(self.counted)]


class World:
    """A server whose store is on a disk, and its registry and state folder on the same one or another."""

    def __init__(self, disk: Path, other: Path, elsewhere: Path, least: int) -> None:
        self.store, self.counted, self.mails = Store(disk / "store"), elsewhere / "counted", list[Parcel]()
        self.database = Database(str(other / "registry.db"))
        self.database.upgrade()
        (elsewhere / "flights.yaml").write_text(HOURLY)
        apply(self.database, elsewhere / "flights.yaml", NOW)
        queue, policy = Queue(self.database, "one"), Policy()
        watching = Watching(self.database, queue, Workspace(other / "state" / "definitions"))
        launcher = Evaluating(
            self.store.uri, other / "state" / "logs", environment={"PYTHONPATH": str(ROOT)}, counted=self.counted
        )
        room = Room({"store": disk / "store", "state folder": other / "state"}, least)
        teller = Teller(self.database, self.store, watching)
        self.scheduler = Scheduler(
            queue, Timetable(policy), launcher, watching.files, policy, 1, room.look, teller.ended
        )
        outbox = Outbox(self.database, lambda parcel: self.mails.append(parcel) or "ok")
        self.service = Service(watching, self.scheduler, outbox)
        self.now = NOW

    def step(self, later: timedelta = timedelta(seconds=1)) -> bool:
        """One step, that much later; whether it went well."""
        self.now += later
        self.service.step(self.now)
        self.service.send(self.now)
        return self.service.pulse.well

    def until_quiet(self) -> None:
        """Until nothing goes on and nothing waits that could be started."""
        self.step()
        while self.scheduler.going:
            for each in list(self.scheduler._going.values()):
                each.process.process.wait()
            self.step(timedelta())
        self.step(timedelta())

    def readyz(self) -> int:
        async def ask() -> int:
            transport = httpx.ASGITransport(application(self.database, self.service.pulse, lambda: self.now))
            async with httpx.AsyncClient(transport=transport, base_url="http://driftline") as client:
                return (await client.get("/readyz")).status_code

        return asyncio.run(ask())

    def evaluated(self) -> Counter[str]:
        return Counter(self.counted.read_text().split()) if self.counted.exists() else Counter()

    def runs(self) -> list[Application]:
        with self.database.reading() as session:
            return list(session.scalars(select(Application).order_by(Application.scheduled_for)))


@pytest.fixture
def disk() -> Iterator[SmallDisk]:
    with small_disk() as found:
        yield found


@pytest.mark.reliability
def test_a_server_whose_only_disk_is_full_loses_nothing_and_does_nothing_twice(disk, tmp_path, caplog):
    world = World(disk.folder, disk.folder, tmp_path, least=2_000_000)
    world.step(HOUR)
    world.until_quiet()
    assert (len(world.evaluated()), len(world.mails), world.readyz()) == (1, 1, 200)
    disk.fill()
    for _ in range(5 * 60):
        assert not world.step(MINUTE)
    assert world.readyz() == 503
    said = [each.message for each in caplog.records if each.levelno == logging.ERROR]
    assert any("disk" in line and "full" in line and str(disk.folder) in line for line in said)
    assert len(said) <= 3 * 300  # each minute, not each second
    assert (len(world.evaluated()), len(world.mails)) == (1, 1)
    disk.make_room()
    while len(world.evaluated()) < 6:
        world.until_quiet()
    world.until_quiet()
    assert world.readyz() == 200
    assert [each.state for each in world.runs()] == [State.DONE] * 6
    assert set(world.evaluated().values()) == {1}
    stored = world.store.read_runs(monitor="flights")["scheduled_for"].to_pylist()
    assert sorted(stored) == [NOW + hour * HOUR for hour in range(1, 7)]
    assert [each.message.subject.split(":")[1].split("(")[0].strip() for each in world.mails] == [
        "1 check breached", "1 check recovered",
    ]  # fmt: skip
    with world.database.reading() as session:
        assert {each.state for each in session.scalars(select(Alert))} == {"cleared"}
    figure(
        "The one disk of registry, store and state folder is full for 5 hours",
        f"/readyz said 503; {len(stored) - 1} runs were due meanwhile, 5 were evaluated after, 0 twice, 0 lost; "
        "2 changes were told, once each",
    )
    world.database.close()


@pytest.mark.reliability
def test_a_run_that_meets_a_full_store_says_so_and_is_tried_again(disk, tmp_path):
    world = World(disk.folder, tmp_path, tmp_path, least=0)
    world.step(HOUR - timedelta(seconds=1))
    disk.fill()
    world.until_quiet()
    (run,) = world.runs()
    assert (run.state, run.exit_code, run.attempt) == (State.QUEUED, 4, 2)
    assert "No space left on device" in (run.error or "")
    with pytest.raises(NoResultsError):
        world.store.read_runs(monitor="flights")
    disk.make_room()
    world.step(MINUTE)
    world.until_quiet()
    assert [each.state for each in world.runs()] == [State.DONE]
    assert world.store.read_runs(monitor="flights").num_rows == 1
    figure(
        "The store's disk is full when a run writes its results",
        "the run ended with 4, and nothing of it was to be seen; it was done at the 2nd try, 1 set of rows",
    )
    world.database.close()


def trouble(store: Store, run: Run, rows: Sequence[MetricRow]) -> str | None:
    """Why they cannot be written."""
    try:
        store.write([run], rows)
    except StoreError as error:
        return str(error)
    return None


def whole(store: Store) -> set[datetime]:
    """The times of all runs that can be seen, each of which has its three rows."""
    try:
        times = store.read_runs(monitor="flights")["scheduled_for"].to_pylist()
    except NoResultsError:
        return set()
    rows = Counter(store.read_metrics(monitor="flights")["scheduled_for"].to_pylist())
    assert {rows[time] for time in times} <= {3}
    return set(times)


@pytest.mark.reliability
def test_wherever_a_disk_gets_full_while_results_are_written_none_are_seen_by_half(disk):
    store = Store(disk.folder / "store")
    failed, seen = 0, set[datetime]()
    for number in range(POINTS):
        run = a_run(NOW + number * HOUR)
        rows = [a_row(run, f"f{each}", 0.4) for each in range(3)]
        disk.fill(but=number * PAGE)
        said = trouble(store, run, rows)
        assert said is None or "No space left on device" in said
        disk.make_room()
        there = whole(store)
        # What could not be written down may be there all the same, when only what came after its commit failed.
        assert there - {run.scheduled_for} == seen
        assert said or run.scheduled_for in there
        failed += said is not None
        store.write([run], rows)
        seen.add(run.scheduled_for)
    assert 0 < failed < POINTS
    assert store.read_runs(monitor="flights").num_rows == POINTS
    assert store.read_metrics(monitor="flights").num_rows == 3 * POINTS
    figure(
        f"A disk gets full at {POINTS} different points while results are written",
        f"{failed} of {POINTS} runs could not be written, none was seen by half; written again, each is there once",
    )


def test_definitions_that_a_full_disk_has_no_room_for_leave_no_halves(disk):
    world = World(disk.folder, disk.folder, disk.folder, least=0)
    disk.fill()
    assert not any(world.step() for _ in range(10))
    assert [*(disk.folder / "state" / "definitions").glob("*")] == []
    disk.make_room()
    assert world.step()
    assert len([*(disk.folder / "state" / "definitions").glob("*")]) == 1
    world.database.close()


def test_a_servers_process_outlives_a_full_disk_even_when_its_log_is_on_it(disk):
    port = free_port()
    settings = disk.folder / "server.yaml"
    settings.write_text(f"http: {{port: {port}}}\npoll: 0.1\nroom: 2000000\n")
    words = [sys.executable, "-m", "jobs.cli", "serve", "--settings", str(settings)]
    with (disk.folder / "said").open("wb") as said:
        process = subprocess.Popen(
            words, cwd=disk.folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=said, stderr=said
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(url, process)
        disk.fill()
        until = time.monotonic() + 30
        while httpx.get(f"{url}/readyz").status_code == 200:
            assert time.monotonic() < until
            time.sleep(0.1)
        assert httpx.get(f"{url}/readyz").json()["status"] == "the last step failed"
        time.sleep(1)
        assert httpx.get(f"{url}/healthz").status_code == 200
        disk.make_room()
        wait_until_ready(url, process)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


# ------------------------------------------------------------------------------- what needs no file system of its own


LIMIT = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0}))\n"
"""The kernel writes what fits into a file of that length, as on a full disk."""


def test_a_registry_that_cannot_grow_says_where_and_claims_all_of_it_later(tmp_path):
    database = Database(str(tmp_path / "registry.db"))
    database.upgrade()
    make_monitors(database, 3)
    full = [True]
    pages = "PRAGMA max_page_count = "

    @event.listens_for(database.engine, "begin")
    def limit(connection) -> None:
        connection.exec_driver_sql(f"{pages}{1 if full[0] else 1_000_000}")  # 1: as many as there are

    runs = Runs()
    one = of_three_monitors(database, runs, every=1)
    for minute in range(60, 70):
        with pytest.raises(RegistryError, match=r"registry\.db: database or disk is full"):
            one.step(NOW + minute * MINUTE)
    assert records(database) == []
    full[0] = False
    one.step(NOW + 70 * MINUTE)
    assert Counter(each.scheduled_for for each in records(database)) == {
        NOW + minute * MINUTE: 2 for minute in range(1, 71)
    }
    database.close()


def test_a_store_whose_files_cannot_grow_ends_a_run_with_4_and_shows_nothing(tmp_path):
    told = [NOW.isoformat(), "0.4", str(tmp_path / "store"), str(tmp_path / "counted")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", LIMIT.format(3000) + EVALUATE, *told]  # no table's first commit is so short
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, "File too large" in done.stderr) == (4, True)
    with pytest.raises(NoResultsError):
        Store(tmp_path / "store").read_runs(monitor="flights")
    subprocess.run([sys.executable, "-c", EVALUATE, *told], env=environment, check=True)
    assert Store(tmp_path / "store").read_runs(monitor="flights").num_rows == 1


def test_what_runs_said_is_forgotten_with_their_records(tmp_path):
    world = World(tmp_path, tmp_path, tmp_path, least=0)
    logs = world.service.logs = tmp_path / "state" / "logs"
    world.service.tidy(NOW)  # before there was a run
    logs.mkdir(parents=True)
    for name, age in (("1-1.log", 401), ("2-1.log", 399)):
        (logs / name).write_text("said")
        os.utime(logs / name, times=(0, (NOW - timedelta(days=age)).timestamp()))
    world.service.tidy(NOW)
    assert [each.name for each in logs.iterdir()] == ["2-1.log"]
    world.database.close()


def test_no_run_is_started_without_room_and_it_is_said_which_disk_is_full(tmp_path):
    room = Room({"store": tmp_path / "not" / "there" / "yet"}, 1 << 62)
    with pytest.raises(NoRoomError, match=f"the disk of the store is full.*free at {tmp_path}/not/there/yet"):
        room.look()
    Room({"store": tmp_path}, 0).look()


LINES = """
import sys
from pathlib import Path
from server.lineage_sinks import to_file
for number in range(20):
    try:
        to_file(Path(sys.argv[1]))([{"number": number, "more": "x" * 100}] * 2)
    except OSError as error:
        print(error)
"""


def test_lines_of_lineage_are_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "lineage.jsonl"
    said = subprocess.run(
        [sys.executable, "-c", LIMIT.format(1000) + LINES, path],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ).stdout.splitlines()
    lines = path.read_text().splitlines(keepends=True)
    assert [json.loads(line)["number"] for line in lines] == [0, 0, 1, 1, 2, 2]
    assert len(said) == 17
    assert said[0] == f"[Errno 28] No space left on device: '{path}'"
    with pytest.raises(OSError, match="No space left"):
        to_file(Path("/dev/full"))([{}])
