"""A run that is killed at any moment, and run again, leaves one complete set of rows; nobody ever sees a part."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.store import Store
from tests.engine import store_writer
from tests.engine.store_samples import day

ROWS = 300
KILLS = 40


class Writer:
    """A second process; `go` lets it write, and it is killed if it has not ended by the end of the test."""

    def __init__(self, store: Store, *runs: str) -> None:
        command = [sys.executable, store_writer.__file__, store.uri, *runs]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def wait_ready(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def natural_end(self) -> float:
        """Let it write to its end; seconds that it took."""
        started = time.perf_counter()
        self.go()
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "done\n"
        took = time.perf_counter() - started
        self.close()
        return took

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


class Reader(threading.Thread):
    """Reads again and again; remembers whatever a user should never see."""

    def __init__(self, store: Store) -> None:
        super().__init__(daemon=True)
        self.store = store
        self.stopped = threading.Event()
        self.reads = 0
        self.wrong: list[str] = []

    def run(self) -> None:
        while not self.stopped.is_set():
            try:
                self.wrong += seen_wrong(self.store)
            except Exception as error:
                self.wrong.append(repr(error))
            self.reads += 1


def seen_wrong(store: Store) -> list[str]:
    """Parts of a run, two sets of one run, and runs that are recorded before their metrics are there."""
    recorded = store.read_runs(columns=["scheduled_for", "run_id"]).to_pylist()
    rows = store.read_metrics(columns=["scheduled_for", "config_hash"]).to_pylist()
    sets = Counter((row["scheduled_for"], row["config_hash"]) for row in rows)
    times = Counter(at for at, _ in sets)
    wrong = [f"{count} rows of {at} {word}" for (at, word), count in sets.items() if count != ROWS]
    wrong += [f"{count} sets of rows of {at}" for at, count in times.items() if count != 1]
    return wrong + [
        f"{run['scheduled_for']} is recorded and not there" for run in recorded if run["scheduled_for"] not in times
    ]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "store")
    store.write(*store_writer.results([f"flights:0:{ROWS}:first"]))
    yield store
    assert seen_wrong(store) == []


def words(store: Store, number: int) -> set[str]:
    """Which attempts' rows of a day are there."""
    table = store.read_metrics(start=day(number), end=day(number + 1), columns=["config_hash"])
    return set(table["config_hash"].to_pylist())


def test_a_run_that_is_killed_at_any_moment_and_run_again_is_there_once_and_whole(store: Store) -> None:
    """Each of the runs replaces day 0 and adds a day of its own, in one commit."""
    calibrating = [Writer(store, f"flights:0:{ROWS}:natural{number}") for number in range(3)]
    durations: list[float] = []
    for writer in calibrating:
        writer.wait_ready()
        durations.append(writer.natural_end())
    natural = sorted(durations)[1]
    reader = Reader(store)
    reader.start()
    came_through: list[bool] = []
    runs = [
        [f"flights:0:{ROWS}:kill{number}", f"flights:{number}:{ROWS}:kill{number}"] for number in range(1, KILLS + 1)
    ]
    following = Writer(store, *runs[0])
    for number in range(1, KILLS + 1):
        writer = following
        writer.wait_ready()
        if number < KILLS:
            following = Writer(store, *runs[number])  # it starts up in the meantime
        before = words(store, 0)
        writer.go()
        time.sleep(1.3 * natural * (number - 1) / KILLS)
        if number == KILLS:
            writer.process.wait()
        writer.close()
        killed = words(store, number)
        assert words(store, 0) == (killed or before)
        came_through.append(bool(killed))
        store.write(*store_writer.results([run.replace("kill", "again") for run in runs[number - 1]]))
        assert words(store, number) == words(store, 0) == {f"again{number}"}
        assert store.read_runs(start=day(number), end=day(number + 1)).num_rows == 1
    reader.stopped.set()
    reader.join()
    assert reader.wrong == []
    assert reader.reads > KILLS
    assert set(came_through) == {False, True}, "killed before and after the commit"


def test_a_store_whose_first_run_is_killed_is_made_by_the_next(tmp_path: Path) -> None:
    for number in range(8):
        store = Store(tmp_path / str(number))
        writer = Writer(store, f"flights:0:{ROWS}:killed")
        writer.wait_ready()
        writer.go()
        time.sleep(0.01 * number)
        writer.close()
        store.write(*store_writer.results([f"flights:0:{ROWS}:again"]))
        assert words(store, 0) == {"again"}
        assert seen_wrong(store) == []


def test_processes_that_write_different_runs_at_once_are_all_there(tmp_path: Path) -> None:
    """The first of them makes the tables, whichever it is."""
    store = Store(tmp_path / "store")
    writers = [Writer(store, f"monitor {number % 3}:{number}:{ROWS}:w{number}") for number in range(6)]
    together(writers)
    assert [words(store, number) for number in range(6)] == [{f"w{number}"} for number in range(6)]
    assert store.read_runs().num_rows == 6
    assert store.read_metrics().num_rows == 6 * ROWS


@pytest.mark.parametrize("existing", [False, True])
def test_of_processes_that_write_the_same_run_at_once_one_set_is_there(tmp_path: Path, existing: bool) -> None:
    for attempt in range(3):
        store = Store(tmp_path / str(attempt))
        if existing:
            store.write(*store_writer.results([f"flights:0:{ROWS}:old"]))
        together([Writer(store, f"flights:0:{ROWS}:w{number}") for number in range(4)])
        (word,) = words(store, 0)
        assert word.startswith("w")
        assert store.read_metrics().num_rows == ROWS
        assert store.read_runs()["run_id"].to_pylist() == [word]


def together(writers: list[Writer]) -> None:
    for writer in writers:
        writer.wait_ready()
    for writer in writers:
        writer.go()
    for writer in writers:
        assert writer.process.stdout is not None
        assert writer.process.stdout.readline() == "done\n"
        writer.close()
