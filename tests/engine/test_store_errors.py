"""A store that cannot be read or written says so, with the reason and what to do, and never otherwise."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from engine.errors import StoreError
from engine.results import as_table
from engine.store import Store, table
from engine.store.results import of_runs
from engine.store.table import Change, Snapshot, StoredTable
from engine.tables import RUNS, SIGNAL_METRICS
from tests.engine.store_samples import START, a_row, a_run

ROOT = Path(__file__).parents[2]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    store.write([a_run()], [a_row(a_run())])
    return store


def runs_of(store: Store) -> StoredTable:
    return StoredTable(RUNS, f"{store.uri}/runs", {})


# ------------------------------------------------------------------------------------------------------ reading


def test_a_store_without_results_says_how_to_get_some(tmp_path: Path) -> None:
    empty = Store(tmp_path / "never")
    for read in (empty.read_metrics, empty.read_runs):
        with pytest.raises(StoreError, match=r"no results yet in .*never: run `driftline run "):
            read()
    assert not Path(empty.uri).exists()


def test_baselines_alone_are_no_results(tmp_path: Path) -> None:
    (tmp_path / "store" / "signal_metrics").mkdir(parents=True)
    with pytest.raises(StoreError, match="no results yet"):
        Store(tmp_path / "store").read_metrics()


def test_a_file_in_the_store_s_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("no folder")
    broken = Store(tmp_path / "store")
    for use in (broken.read_metrics, lambda: broken.write([a_run()], [])):
        with pytest.raises(StoreError, match=r"store/signal_metrics cannot be read or written: .*ot a directory"):
            use()


@pytest.mark.parametrize("damage", [Path.unlink, lambda file: file.write_bytes(file.read_bytes()[:50])])
@pytest.mark.parametrize("part", ["monitor=flights/*.parquet", "_delta_log/*0.json"])
def test_a_damaged_table_is_said_and_not_read_in_part(
    store: Store, part: str, damage: Callable[[Path], object]
) -> None:
    (file,) = Path(store.uri, "signal_metrics").glob(part)
    damage(file)
    with pytest.raises(StoreError, match="signal_metrics cannot be read or written: ") as caught:
        store.read_metrics()
    assert caught.value.__cause__ is not None
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("uri", ["s4://bucket/store", "ftp://host/store"])
def test_a_scheme_that_nobody_knows_is_no_empty_store(uri: str) -> None:
    with pytest.raises(StoreError, match="cannot be read or written: Unknown scheme"):
        Store(uri).read_metrics()


def test_a_table_of_another_version_is_said(store: Store) -> None:
    rows = DeltaTable(f"{store.uri}/runs").to_pyarrow_table().drop_columns(["notes"])
    write_deltalake(f"{store.uri}/runs", rows, mode="overwrite", schema_mode="overwrite")
    with pytest.raises(StoreError, match="has no column notes: it was written by another version of driftline"):
        store.read_runs()


# -------------------------------------------------------------------------------------------------------- paths


@pytest.mark.parametrize("name", ["a b", "ü漢字", "a'b", 'a"b', "a#b?c=d&e", "100%", "a+b", "a:b", "{a}*~$"])
def test_a_store_may_live_in_any_folder_that_delta_can_name(tmp_path: Path, name: str) -> None:
    store = Store(tmp_path / name / "store")
    store.write([a_run()], [a_row(a_run())])
    assert store.read_metrics().num_rows == store.read_runs().num_rows == 1
    assert (tmp_path / name / "store" / "runs").is_dir()


@pytest.mark.parametrize("name", ["a%20b", "a[1]", "a\\b", "a|b", "a^b", "a\nb"])
def test_a_folder_that_delta_cannot_name_is_refused_at_once(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreError, match="choose a path without"):
        Store(tmp_path / name)


def test_a_relative_path_is_where_it_was_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = Store("here/")
    monkeypatch.chdir("/")
    assert store.uri == str(tmp_path / "here")


def test_a_file_uri_is_a_path(store: Store) -> None:
    assert Store(f"file://{store.uri}/").read_metrics().num_rows == 1


def test_secrets_are_not_shown() -> None:
    assert "hush" not in repr(Store("s3://bucket/store", {"AWS_SECRET_ACCESS_KEY": "hush"}))


# ------------------------------------------------------------------------------------------------------ writing


@pytest.mark.parametrize("microsecond", [0, 123_456])
def test_a_change_is_worked_out_again_when_somebody_was_faster(store: Store, microsecond: int) -> None:
    """delta-rs by itself lets both commits through when the time has microseconds, and both sets are there."""
    run = a_run(at=START.replace(year=2020, microsecond=microsecond))
    rows, where = as_table([run], RUNS), of_runs([run])
    versions: list[int] = []

    def change(snapshot: Snapshot) -> Change:
        versions.append(snapshot.table.version())
        if len(versions) == 1:
            runs_of(store).replace(rows, where)
        return Change(rows, where)

    runs_of(store).commit(change)
    assert versions == [1, 2]
    assert store.read_runs(start=run.scheduled_for).num_rows == 1


def test_a_record_stays_with_the_rows_that_stayed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The faster one has its rows replaced before it records itself: the later one's record is the run's."""
    slow, fast = a_run(run_id="slow"), a_run(run_id="fast")
    committed = StoredTable.commit

    def commit(self: StoredTable, change: object) -> None:
        if self.definition is RUNS:
            monkeypatch.setattr(StoredTable, "commit", committed)
            store.write([fast], [a_row(fast)])
        committed(self, change)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(StoredTable, "commit", commit)
    store.write([slow], [a_row(slow)])
    assert store.read_metrics()["run_id"].to_pylist() == store.read_runs()["run_id"].to_pylist() == ["fast"]


def test_who_never_gets_a_turn_is_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "ATTEMPTS", 3)
    monkeypatch.setattr(table, "LONGEST_PAUSE", 0.0)
    rows, where = as_table([a_run()], RUNS), of_runs([a_run()])

    def change(_: Snapshot) -> Change:
        runs_of(store).replace(rows, where)
        return Change(rows, where)

    with pytest.raises(StoreError, match="others wrote to it 3 times in a row"):
        runs_of(store).commit(change)


def test_a_store_is_read_without_spark_or_pandas(store: Store) -> None:
    probe = f"""
import sys
from engine.store import Store
assert Store({store.uri!r}).read_metrics(breached=False).num_rows == 1
print(*{{"pyspark", "py4j", "pandas", "pyarrow.dataset"}} & set(sys.modules))
"""
    loaded = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []


def test_a_reader_of_one_version_does_not_see_the_next(store: Store) -> None:
    snapshot = StoredTable(SIGNAL_METRICS, f"{store.uri}/signal_metrics", {}).open()
    assert snapshot is not None
    store.write([a_run()], [])
    read: pa.Table = snapshot.query('SELECT "group" FROM signal_metrics')
    assert read["group"].to_pylist() == ["distance"]
