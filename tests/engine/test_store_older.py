"""A store that an older driftline wrote is read, and written to, as if it had always had today's columns."""

from __future__ import annotations

from pathlib import Path
from threading import Barrier, Thread

import pyarrow as pa
import pytest
from deltalake import DeltaTable, Field, write_deltalake
from deltalake.schema import PrimitiveType

from engine.results import as_table
from engine.store import Store
from engine.tables import RUNS, SIGNAL_METRICS, TableDefinition
from tests.engine.store_samples import a_row, a_run, breach, day

LATER = {"signal_metrics": ("interval_low", "p_value"), "runs": ("error", "event")}
"""Columns that a version before could have lacked."""


@pytest.fixture
def older(tmp_path: Path) -> Store:
    """One run, in tables that lack columns."""
    store = Store(tmp_path / "store")
    run = a_run()
    for definition, rows in ((SIGNAL_METRICS, as_table([breach(run)], SIGNAL_METRICS)), (RUNS, as_table([run], RUNS))):
        written = rows.drop_columns(list(LATER[definition.name]))
        uri = f"{store.uri}/{definition.name}"
        write_deltalake(uri, written, partition_by=["monitor"])  # runs were in folders, too
    return store


def columns_of(store: Store, definition: TableDefinition) -> pa.Schema:
    return pa.schema(DeltaTable(f"{store.uri}/{definition.name}").schema().to_arrow())


def test_what_an_older_version_did_not_write_is_null(older: Store) -> None:
    row, run = older.read_metrics().to_pylist()[0], older.read_runs(monitor="flights").to_pylist()[0]
    assert row["metric_value"] == 0.2
    assert row["interval_low"] is row["p_value"] is run["error"] is None
    assert older.read_metrics().schema.equals(SIGNAL_METRICS.schema)
    assert older.breached_since("flights", day(1)).keys() == {breach(a_run()).key}
    assert DeltaTable(f"{older.uri}/runs").version() == 0, "reading changes nothing"


def test_a_run_adds_the_columns_with_what_they_mean(older: Store) -> None:
    run = a_run(at=day(1))
    older.write([run], [a_row(run, p_value=0.5)])
    assert older.read_metrics(columns=["p_value"])["p_value"].to_pylist() == [0.5, None]
    for definition in (SIGNAL_METRICS, RUNS):
        held = columns_of(older, definition)
        assert set(held.names) == set(definition.schema.names)
        for name in LATER[definition.name]:
            assert held.field(name).equals(definition.schema.field(name), check_metadata=True)


def test_runs_that_add_the_columns_at_once_are_all_there(older: Store) -> None:
    barrier = Barrier(3)

    def write(number: int) -> None:
        run = a_run(at=day(number))
        barrier.wait()
        older.write([run], [a_row(run)])

    threads = [Thread(target=write, args=(number,)) for number in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert older.read_metrics()["scheduled_for"].to_pylist() == [day(number) for number in (3, 2, 1, 0)]
    assert older.read_runs().num_rows == 4


def test_this_version_writes_where_a_newer_one_has_written(older: Store) -> None:
    newer = DeltaTable(f"{older.uri}/runs")
    newer.alter.add_columns([Field("machine", PrimitiveType("string"))])
    run = a_run(at=day(1), notes=("kept",))
    older.write([run], [])
    assert older.read_runs()["notes"].to_pylist() == ['["kept"]', "[]"]
    assert columns_of(older, RUNS).names[-3:] == ["machine", "error", "event"]
