"""A store that grows by a commit a day keeps few files, and loses nothing by it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable

from engine.results import AGGREGATE
from engine.store import Store, upkeep
from engine.store.table import StoredTable
from engine.tables import SIGNAL_METRICS
from tests.engine.profile_samples import NUMBERS, days, of_numbers
from tests.engine.store_samples import a_row, a_run, day

MANY = upkeep.SMALL_FILES + 1
ROOT = Path(__file__).parents[2]
WEEK = timedelta(days=7).total_seconds()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def write_days(store: Store, first: int, last: int, *monitors: str) -> None:
    for number in range(first, last):
        runs = [a_run(monitor, day(number)) for monitor in monitors or ["flights"]]
        store.write(runs, [a_row(run) for run in runs])


def table(store: Store, name: str = "signal_metrics") -> DeltaTable:
    return DeltaTable(f"{store.uri}/{name}")


def files(store: Store, name: str = "signal_metrics") -> list[Path]:
    """What lies there, whether it is part of the newest version or not."""
    return sorted(Path(store.uri, name).rglob("part-*.parquet"))


def whole(store: Store, last: int, *monitors: str) -> None:
    expected = [day(number) for number in reversed(range(last))]
    for monitor in monitors or ["flights"]:
        assert store.read_metrics(monitor=monitor)["scheduled_for"].to_pylist() == expected
        assert store.read_runs(monitor=monitor)["scheduled_for"].to_pylist() == expected


def test_many_small_files_become_one(store: Store) -> None:
    write_days(store, 0, MANY - 1)
    assert len(table(store).file_uris()) == MANY - 1
    write_days(store, MANY - 1, MANY)
    assert len(table(store).file_uris()) == len(table(store, "runs").file_uris()) == 1
    whole(store, MANY)


def test_a_year_of_days_is_a_few_files(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "SMALL_FILES", 2)
    write_days(store, 0, 40)
    assert len(table(store).file_uris()) <= 2
    whole(store, 40)


def test_only_what_a_commit_touches_is_compacted(store: Store) -> None:
    write_days(store, 0, MANY - 1, "flights", "trains")
    write_days(store, MANY - 1, MANY, "flights")
    held = [uri.split("monitor=")[1].split("/")[0] for uri in table(store).file_uris()]
    assert held.count("flights") == 1
    assert held.count("trains") == MANY - 1
    whole(store, MANY, "flights")
    whole(store, MANY - 1, "trains")


def test_a_monitor_may_have_any_name(store: Store) -> None:
    """delta-rs does not find the files of the first one; the others are compacted all the same."""
    monitors = ["{a}*~$", "a'b", 'a"b', "100%", "%20", "a/b", "a, b", "ü漢字", ".dot", "monitor=x"]
    write_days(store, 0, MANY + 1, *monitors)
    assert len(table(store).file_uris()) == 2 * (len(monitors) - 1) + MANY + 1
    unused = {"retention_hours": 0, "enforce_retention_duration": False, "full": True, "dry_run": False}
    assert table(store).vacuum(**unused) != [], "a week later no file goes that is in use"
    whole(store, MANY + 1, *monitors)


def test_profiles_and_bins_are_compacted_too(store: Store) -> None:
    for bucket in days(*range(MANY)):
        store.save_bins(bucket.start.isoformat(), {"x": NUMBERS})
        store.save_profiles([of_numbers(bucket=bucket)])
    assert len(table(store, "bins").file_uris()) == len(table(store, "profiles").file_uris()) == 1
    found = store.load_profiles("d", [("x", NUMBERS)], days(*range(MANY)), [AGGREGATE])
    assert {key.bucket for key in found} == set(days(*range(MANY)))
    assert store.load_bins(days(3)[0].start.isoformat()).keys() == {"x"}


def test_who_opened_the_table_earlier_can_read_on(store: Store) -> None:
    write_days(store, 0, MANY - 1)
    earlier = StoredTable(SIGNAL_METRICS, f"{store.uri}/signal_metrics", {}).open()
    assert earlier is not None
    write_days(store, MANY - 1, MANY)
    assert earlier.query("SELECT scheduled_for FROM signal_metrics").num_rows == MANY - 1


def test_files_that_are_part_of_no_version_go_after_a_week(store: Store) -> None:
    """Such as a process leaves behind that is killed before its commit."""
    write_days(store, 0, MANY - 1)
    killed, writing = (Path(store.uri, "signal_metrics", "monitor=flights", f"part-{n}.parquet") for n in "01")
    for path in (killed, writing):
        path.write_bytes(b"half a file")
    long_ago = time.time() - WEEK - 60
    os.utime(killed, (long_ago, long_ago))
    write_days(store, MANY - 1, MANY)
    assert not killed.exists()
    assert writing.exists()
    whole(store, MANY)


def test_a_compaction_that_fails_fails_no_run(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folder is read-only for a moment, say; the next commit tries again."""

    def refuse(*_: object) -> bool:
        raise OSError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(upkeep, "compact", refuse)
        write_days(store, 0, MANY)
    assert len(table(store).file_uris()) == MANY
    write_days(store, MANY, MANY + 1)
    assert len(table(store).file_uris()) == 1
    whole(store, MANY + 1)


@pytest.mark.parametrize("replaced", [True, False])
def test_a_commit_during_a_compaction_is_not_lost(
    store: Store, monkeypatch: pytest.MonkeyPatch, replaced: bool
) -> None:
    """Rows that were replaced stay replaced, and a day that was added stays."""
    compact = upkeep.compact
    write_days(store, 0, MANY - 1)
    late = a_run(at=day(3 if replaced else MANY), run_id="late")

    def interrupted(table: DeltaTable, folders: list[str]) -> bool:
        monkeypatch.setattr(upkeep, "compact", lambda *_: False)
        store.write([late], [a_row(late)])
        return compact(table, folders)

    monkeypatch.setattr(upkeep, "compact", interrupted)
    write_days(store, MANY - 1, MANY)
    whole(store, MANY if replaced else MANY + 1)
    at = {"start": late.scheduled_for, "end": late.scheduled_for + timedelta(days=1), "columns": ["run_id"]}
    assert store.read_metrics(**at)["run_id"].to_pylist() == store.read_runs(**at)["run_id"].to_pylist() == ["late"]


BUSY = """
import sys
from engine.store import Store, upkeep
from tests.engine.store_samples import a_row, a_run, day

upkeep.SMALL_FILES = 1
store, monitor, days = Store(sys.argv[1]), sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
for number in range(days):
    run = a_run(monitor, day(number))
    store.write([run], [a_row(run, f"feature {n}") for n in range(20)])
    print(number, flush=True)
"""


def busy(store: Store, monitor: str, last: int) -> subprocess.Popen[str]:
    """A process that writes a day after the other, and compacts after each."""
    command = [sys.executable, "-c", BUSY, store.uri, monitor, str(last)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_processes_that_write_and_compact_at_once_lose_nothing(store: Store) -> None:
    """Each replaces its own monitor's days, and they meet in the tables' logs."""
    monitors = ["flights", "trains"]
    processes = [busy(store, monitor, 12) for monitor in monitors]
    for process in processes:
        go(process)
    for process in processes:
        process.communicate(timeout=120)
        assert process.returncode == 0
    for monitor in monitors:
        assert store.read_metrics(monitor=monitor).num_rows == 12 * 20
        assert store.read_runs(monitor=monitor).num_rows == 12
    assert "OPTIMIZE" in {entry["operation"] for entry in table(store).history()}


def test_a_process_that_is_killed_while_it_compacts_loses_nothing(store: Store) -> None:
    for number in range(6):
        process = busy(store, "flights", 40)
        go(process)
        assert process.stdout is not None
        came_through = [int(process.stdout.readline()) for _ in range(3)]
        time.sleep(0.01 * number)
        process.kill()
        rest, _ = process.communicate()
        came_through += [int(line) for line in rest.split()]
        found = store.read_metrics(columns=["scheduled_for"])["scheduled_for"].to_pylist()
        assert set(found) >= {day(each) for each in came_through}
        assert {found.count(each) for each in set(found)} == {20}
