"""Both feeds hand the same rows to the same kernel, so both give the same profiles."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.batches import Span
from engine.datasets import open_dataset
from engine.file_dataset import FileDataset
from engine.file_feed import Split, shared_out
from engine.frame_feed import FrameDataset
from engine.monitor import Columns, Context, Data, Source
from engine.scanning import scan_rows, span_of
from engine.spark import Meter
from engine.windows import Window
from signals.bins import CategoricalBins, NumericBins, ValueType
from signals.catalogue import Kind
from signals.fitting import fit_bins, surveyed_column
from signals.kernel import ScannedColumn, ScanPlan, profiles_of, sample_of
from signals.profile import NumericProfile
from signals.state import STATE_SCHEMA
from signals.values import value_type_of
from tests.engine.scans import scan
from tests.signals.kernel_runs import profiled

START = datetime(2013, 7, 1, tzinfo=UTC)
ROWS = 3_000
ODD_NAMES = ["a.b", "with space", 'quo"te', "back`tick", "ünï", "per%cent", "select"]
# Overlapping windows, one of them empty, one that ends in the middle of a day.
WINDOWS = [
    Window(START, START + timedelta(days=1)),
    Window(START, START + timedelta(days=3)),
    Window(START + timedelta(days=1, hours=7), START + timedelta(days=2)),
    Window(START + timedelta(days=30), START + timedelta(days=31)),
]


def every_type() -> pa.Table:
    """Five days of rows, a value of every kind that a column may have."""
    random = np.random.default_rng(7)
    at = np.array([START + timedelta(seconds=int(second)) for second in random.integers(0, 5 * 86_400, ROWS)])
    missing = random.random(ROWS) < 0.1

    def some(values, kind):
        return pa.array([None if gap else value for value, gap in zip(values, missing, strict=True)], kind)

    floats = random.normal(size=ROWS)
    floats[:30] = np.repeat([np.nan, np.inf, -np.inf], 10)
    words = random.choice(["a", "b", "", "x, y", "ünï", "rare"], ROWS, p=[0.4, 0.3, 0.1, 0.1, 0.09, 0.01])
    return pa.table({
        "at": pa.array(at, pa.timestamp("us", "UTC")),
        "double": some(floats.tolist(), pa.float64()),
        "float": some(random.normal(size=ROWS).tolist(), pa.float32()),
        "long": some((2**53 + random.integers(-9, 9, ROWS)).tolist(), pa.int64()),
        "few": some(random.integers(0, 5, ROWS).tolist(), pa.int32()),
        "word": some(words.tolist(), pa.string()),
        "flag": some((random.random(ROWS) < 0.5).tolist(), pa.bool_()),
        "price": some([Decimal(int(cents)) / 100 for cents in random.integers(0, 9999, ROWS)], pa.decimal128(10, 2)),
        "day": some([date(2013, 1, 1) + timedelta(days=int(day)) for day in random.integers(0, 90, ROWS)], pa.date32()),
        "seen": some(at.tolist(), pa.timestamp("us", "UTC")),
        "nothing": pa.nulls(ROWS, pa.float64()),
        **{name: some(random.normal(size=ROWS).tolist(), pa.float64()) for name in ODD_NAMES},
    })  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Three files of several row groups each."""
    folder, table = tmp_path_factory.mktemp("every_type"), every_type()
    for number in range(3):
        pq.write_table(table.slice(number * 1_000, 1_000), folder / f"{number}.parquet", row_group_size=300)
    return folder


@pytest.fixture(scope="module")
def columns() -> list[ScannedColumn]:
    """All columns in bins of their own, and some in the bins of another type."""
    table = every_type()
    found = []
    for name in table.column_names:
        kind = Kind.CATEGORICAL if name == "price" else None
        survey = surveyed_column(name, value_type_of(table[name].type), kind, 4)
        surveyed = profiled(table, ScanPlan((survey,)))[0][0]
        sample = np.zeros(0)
        if isinstance(surveyed, NumericProfile):
            sample = np.linspace(surveyed.low, surveyed.high, 50) if surveyed.low <= surveyed.high else sample
        found.append(ScannedColumn(name, fit_bins(surveyed, sample, kind, 4), 1000))
    as_text = CategoricalBins(ValueType.STRING, ("1", "2"))
    as_number = NumericBins(ValueType.INTEGER, np.array([0.0, 2.0]), 0.0, 2.0)
    return [*found, *(ScannedColumn(name, bins) for name in ("few", "flag", "word") for bins in (as_text, as_number))]


def data(path, **roles) -> Data:
    return Data(Source(path=str(path)), Context.MODEL_INPUTS, Columns(**roles))


def assert_same(one, other, context) -> None:
    assert (one.rows, one.nulls, one.nans, one.unreadable) == (
        other.rows, other.nulls, other.nans, other.unreadable), context  # fmt: skip
    np.testing.assert_array_equal(one.counts, other.counts, str(context))
    assert (one.distinct and one.distinct.values) == (other.distinct and other.distinct.values), context
    if isinstance(one, NumericProfile):
        np.testing.assert_allclose(one.sums, other.sums, rtol=1e-12, atol=1e-9)
        np.testing.assert_allclose(one.squares, other.squares, rtol=1e-12)
        assert (one.low, one.high, one.infinite) == (other.low, other.high, other.infinite), context
    else:
        assert one.unseen == other.unseen, context


def test_both_feeds_give_the_profiles_of_the_kernel_alone(spark, folder, columns):
    roles = Columns(timestamp="at")
    files = open_dataset(spark, data(folder, timestamp="at"), span_of(WINDOWS))
    frame = FrameDataset("frame", spark.read.parquet(str(folder)).repartition(3))
    assert isinstance(files, FileDataset)
    assert list(files.columns) == list(frame.columns)
    by_files, by_frame = (scan(each, columns, WINDOWS, roles) for each in (files, frame))
    assert by_files.rows == by_frame.rows
    assert by_files.latest == by_frame.latest
    assert by_files.report.rows_read <= by_frame.report.rows_read == ROWS
    table = every_type()
    at = np.array(table["at"].to_pylist())
    for window in WINDOWS:
        inside = table.filter(pa.array((at >= window.start) & (at < window.end)))
        alone = profiled(inside, ScanPlan(tuple(columns)))[0]
        assert by_files.rows[window] == len(inside)
        for column, one, other, pure in zip(
            columns, by_files.profiles[window], by_frame.profiles[window], alone, strict=True
        ):
            assert_same(one, pure, (column.name, column.bins.kind))
            assert_same(other, pure, (column.name, column.bins.kind))


def test_a_whole_dataset_is_read_without_a_timestamp(spark, folder, columns):
    plan = ScanPlan(tuple(columns), sample_rate=1.0)
    rows = scan_rows(open_dataset(spark, data(folder), Span()), plan)
    assert {profile.rows for profile in profiles_of(rows, columns)[0]} == {ROWS}
    doubles = every_type()["double"].drop_null().to_numpy()
    np.testing.assert_array_equal(np.sort(sample_of(rows, 1)), np.sort(doubles))


def test_two_columns_that_differ_by_case_are_two_columns(spark, tmp_path):
    table = pa.table({"Size": [1.0, 2.0], "size": [3.0, 4.0], "SIZE": ["x", None]})
    pq.write_table(table, tmp_path / "part.parquet")
    bins = NumericBins(ValueType.DOUBLE, np.array([2.5]), 1.0, 4.0)
    wanted = [ScannedColumn("size", bins), ScannedColumn("Size", bins), ScannedColumn("SIZE", bins)]
    frame = spark.createDataFrame(table.to_pandas())
    for dataset in (open_dataset(spark, data(tmp_path), Span()), FrameDataset("frame", frame)):
        found = profiles_of(scan_rows(dataset, ScanPlan(tuple(wanted))), wanted)[0]
        assert [profile.counts.tolist() for profile in found] == [[0, 2], [2, 0], [0, 0]], dataset
        assert (found[2].nulls, found[2].unreadable) == (1, 1)


def test_a_scan_is_one_job_whatever_it_counts(spark, folder, columns):
    for dataset in (open_dataset(spark, data(folder), Span()), FrameDataset("frame", spark.read.parquet(str(folder)))):
        for wanted in (columns[:1], columns):
            with Meter(spark) as meter:
                scan_rows(dataset, ScanPlan(tuple(wanted)))
            assert meter.spark_jobs == 1


def test_a_dataset_without_row_groups_has_empty_profiles(spark, columns, tmp_path):
    pq.write_table(every_type().slice(0, 0), tmp_path / "empty.parquet")
    dataset = open_dataset(spark, data(tmp_path, timestamp="at"), span_of(WINDOWS))
    found = scan(dataset, columns, WINDOWS, Columns(timestamp="at"))
    assert set(found.rows.values()) == {0}
    assert {profile.rows for profiles in found.profiles.values() for profile in profiles} == {0}


def test_many_states_are_merged_by_spark_and_few_on_the_driver(spark, folder, columns, monkeypatch):
    dataset = open_dataset(spark, data(folder), Span())
    plan = ScanPlan(tuple(columns))
    here = profiles_of(scan_rows(dataset, plan), columns)[0]
    monkeypatch.setattr("engine.scanning.MERGED_HERE", 0)
    for column, one, other in zip(columns, here, profiles_of(scan_rows(dataset, plan), columns)[0], strict=True):
        assert_same(one, other, column.name)


def test_splits_are_shared_out_evenly_and_each_once():
    splits = [Split(f"{file}", group, rows, {}) for file in "abc" for group, rows in enumerate([5, 100, 40, 1])]
    shares = shared_out(splits, 4)
    assert sorted((split.path, split.row_group) for share in shares for split in share) == [
        (split.path, split.row_group) for split in splits
    ]
    loads = [sum(split.rows for split in share) for share in shares]
    assert max(loads) - min(loads) <= 100
    assert shared_out(splits[::-1], 4) == shares
    assert shared_out([], 2) == [[], []]


def test_work_sees_its_task_number_and_named_arrays(spark, folder):
    def work(batches, task):
        from signals.state import StateRows

        rows = StateRows()
        for batch in batches:
            rows.add(task, 0, 0, n=batch.size, values=[",".join(sorted(batch.arrays))])
        yield from rows.table().to_batches()

    for dataset in (open_dataset(spark, data(folder), Span()), FrameDataset("f", spark.read.parquet(str(folder)))):
        rows = dataset.map(work, ("few", "a.b", "absent"), STATE_SCHEMA).collect()
        assert sum(row["n"] for row in rows) == ROWS
        assert {row["value"] for row in rows} == {"a.b,few"}
