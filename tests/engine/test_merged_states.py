"""States are merged in tasks to the same bits as on the driver, some at a time and never a part of one."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from engine import spark as engine_spark
from engine.batches import Span
from engine.datasets import open_dataset
from engine.monitor import Columns, Context, Data, Source
from engine.scanning import scan_rows, timed
from engine.spark import collect, merged
from signals.bins import CategoricalBins, NumericBins, ValueType
from signals.kernel import ScannedColumn, ScanPlan
from signals.keys import Buckets
from signals.segments import EVERYTHING, Condition, FilterOperator, Segment
from signals.state import STATE_SCHEMA, StateRows, merge_rows

ORDER = [(name, "ascending") for name in ("key", "column", "part", "cell", "value")]


def states(pieces: int, keys: int = 7) -> pa.Table:
    """States of three columns: arrays, names and numbers, from so many pieces of a dataset."""
    random, rows = np.random.default_rng(pieces), StateRows()
    for origin in random.permutation(pieces).tolist():
        for column in range(3):
            arrays = {"counts": random.integers(0, 9, (keys, 5)), "sums": random.normal(size=(keys, 4 + column))}
            rows.add_arrays(np.arange(keys), column, 0, origin, arrays | {"total": random.normal(size=keys) ** 2})
            rows.add(int(random.integers(keys)), column, 1, values=["a", "b"], n=[1, 2], cells=np.zeros(2))
    return rows.table()


def ordered(rows: pa.Table) -> pa.Table:
    return rows.sort_by(ORDER).combine_chunks()


@pytest.mark.parametrize("at_once", [1, 10, 100_000])
@pytest.mark.parametrize("batch", [1, 13, 1_000])
def test_rows_are_merged_as_they_pass_and_always_whole_states(monkeypatch, at_once, batch):
    monkeypatch.setattr(engine_spark, "MERGED_AT_ONCE", at_once)
    rows = states(20)
    batches = rows.sort_by([("key", "ascending"), ("column", "ascending")]).combine_chunks().to_batches(batch)
    found = pa.Table.from_batches(list(engine_spark._merging(iter(batches))), STATE_SCHEMA)
    assert ordered(found).equals(ordered(merge_rows(rows)))


def test_no_rows_merge_to_none():
    assert list(engine_spark._merging(iter(()))) == []


def test_tasks_merge_to_the_bits_of_the_driver(spark):
    rows = states(9)
    frame = spark.createDataFrame(rows).repartition(3)
    assert ordered(merged(frame)).equals(ordered(merge_rows(collect(frame))))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two files of five row groups each, in no order of time."""
    folder, random = tmp_path_factory.mktemp("pieces"), np.random.default_rng(2)
    for number in range(2):
        table = pa.table({
            "at": pa.array(random.integers(0, 5 * 3_600_000_000, 500)).cast(pa.timestamp("us", "UTC")),
            "x": random.normal(size=500) ** 3,
            "word": random.choice(list("abc"), 500),
        })  # fmt: skip
        pq.write_table(table, folder / f"{number}.parquet", row_group_size=100)
    return folder


def test_a_state_has_the_same_bits_however_row_groups_are_shared_out(spark, folder, monkeypatch):
    columns = (
        ScannedColumn("x", NumericBins(ValueType.DOUBLE, np.array([-1.0, 0.0, 1.0]), -9.0, 9.0, center=0.1)),
        ScannedColumn("word", CategoricalBins(ValueType.STRING, ("a",))),
    )
    buckets = Buckets(np.arange(6) * 3_600_000_000, np.arange(5))
    segments = (EVERYTHING, Segment((Condition("word", FilterOperator.EQUALS, ("b",)),)))
    roles = Columns(timestamp="at")
    plan = timed(ScanPlan(columns, segments=segments), roles, buckets)
    found = []
    for parallel, merged_here in ((1, 10_000), (2, 0), (3, 10_000)):
        monkeypatch.setattr("engine.file_feed.parallelism", lambda _, parallel=parallel: parallel)
        monkeypatch.setattr("engine.scanning.MERGED_HERE", merged_here)
        dataset = open_dataset(spark, Data(Source(path=str(folder)), Context.MODEL_INPUTS, roles), Span())
        rows = scan_rows(dataset, plan)
        found.append(ordered(rows.filter(pc.greater_equal(rows["column"], 0))))
    assert found[0]["key"].unique().to_pylist() == list(range(10))
    assert all(each.equals(found[0]) for each in found[1:])
