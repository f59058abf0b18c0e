"""Parquet as it lies about: which files count, what is left unread, and what a broken file does."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq
import pytest

from engine.batches import Span
from engine.datasets import open_dataset
from engine.errors import DataError
from engine.files import list_files
from engine.monitor import Columns, Context, Data, Source
from engine.scanning import scan_rows, span_of
from engine.windows import Window
from signals.bins import CategoricalBins, NumericBins, ValueType
from signals.kernel import ScannedColumn, ScanPlan, profiles_of
from signals.timestamps import TimeFormat
from tests.engine.scans import scan

START = datetime(2013, 7, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LOCAL = pafs.LocalFileSystem()
NUMBERS = NumericBins(ValueType.DOUBLE, np.array([50.0]), 0.0, 99.0)
X = ScannedColumn("x", NUMBERS)


def write(path: Path, columns, row_group_size=None, **options) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path, row_group_size=row_group_size, **options)


def opened(spark, path, windows=(), *, timestamp=None, form=TimeFormat.AUTO, partitions=None):
    source = Source(path=str(path), partitions=partitions or {})
    span = span_of(windows) if windows else Span()
    return open_dataset(spark, Data(source, Context.MODEL_INPUTS, Columns(timestamp, form)), span)


def scanned(spark, path, windows, columns=(X,), *, timestamp="at", form=TimeFormat.AUTO, partitions=None):
    dataset = opened(spark, path, windows, timestamp=timestamp, form=form, partitions=partitions)
    return scan(dataset, columns, windows, Columns(timestamp, form))


# ------------------------------------------------------------------------------------------------- which files


def test_hidden_names_and_other_endings_are_not_data(tmp_path):
    for name in ("b.parquet", "a.parquet", "sub/c.PARQUET", "_SUCCESS", "_tmp/d.parquet", ".e.parquet", "f.crc"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    found = list_files(str(tmp_path), LOCAL, (".parquet",))
    assert [Path(file.path).name for file in found] == ["a.parquet", "b.parquet", "c.PARQUET"]


def test_a_hidden_folder_above_the_data_does_not_hide_it(tmp_path):
    write(tmp_path / "_work" / ".cache" / "a.parquet", {"x": [1.0]})
    assert len(list_files(str(tmp_path / "_work" / ".cache"), LOCAL, (".parquet",))) == 1


@pytest.mark.parametrize("made", [False, True], ids=["missing", "empty"])
def test_a_path_without_data_is_said_by_name(spark, tmp_path, made):
    folder = tmp_path / "inputs"
    if made:
        folder.mkdir()
    with pytest.raises(DataError, match="inputs"):
        opened(spark, folder)


def test_the_fingerprint_changes_with_the_files(spark, tmp_path):
    write(tmp_path / "a.parquet", {"x": [1.0]})
    prints = [opened(spark, tmp_path).fingerprint, opened(spark, tmp_path).fingerprint]
    write(tmp_path / "b.parquet", {"x": [1.0]})
    prints.append(opened(spark, tmp_path).fingerprint)
    write(tmp_path / "b.parquet", {"x": [1.0, 2.0]})
    prints.append(opened(spark, tmp_path).fingerprint)
    assert prints[0] == prints[1]
    assert len(set(prints)) == 3


# --------------------------------------------------------------------------------------------- what is not read


def hourly(kind):
    """Four days, a row an hour, in row groups of a day."""
    moments = [START + hour * HOUR for hour in range(96)]
    epochs = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
    if kind == "date":
        at = pa.array([moment.date() for moment in moments])
    elif kind == "iso":
        at = pa.array([moment.isoformat() for moment in moments])
    elif kind in epochs:
        at = pa.array([int(moment.timestamp()) * epochs[kind] for moment in moments])
    else:
        at = pa.array(moments, pa.timestamp("us", "UTC" if kind == "utc" else None))
    return {"at": at, "x": np.arange(96.0)}


KINDS = ["utc", "naive", "date", "s", "ms", "us", "ns", "iso"]


@pytest.mark.parametrize("kind", KINDS)
def test_row_groups_outside_the_window_are_not_read_and_no_row_is_lost(spark, tmp_path, kind):
    write(tmp_path / "part.parquet", hourly(kind), row_group_size=24)
    # The second window starts within the first of two days, or with whole days where only days are told.
    start = START + DAY + (timedelta(0) if kind == "date" else timedelta(hours=20))
    windows = [Window(start, START + 2 * DAY), Window(START + 2 * DAY, START + 2 * DAY + HOUR)]
    found = scanned(spark, tmp_path, windows)
    own = [24, 24] if kind == "date" else [4, 1]
    assert [found.rows[window] for window in windows] == own
    assert [found.profiles[window][0].rows for window in windows] == own
    assert found.report.rows_read == (96 if kind == "iso" else 48)
    assert found.report.undated == 0
    assert len(found.report.time_formats) == 1


def test_texts_with_offsets_are_found_though_they_are_not_in_the_order_of_time(spark, tmp_path):
    at = ["2013-07-01T23:00:00-05:00", "2013-07-01T23:30:00+05:00"]
    write(tmp_path / "part.parquet", {"at": at, "x": [1.0, 2.0]})
    day = Window(START + DAY, START + 2 * DAY)
    assert scanned(spark, tmp_path, [day]).rows[day] == 1


@pytest.mark.parametrize("form", [TimeFormat.SECONDS, TimeFormat.AUTO])
def test_rows_without_a_time_are_counted_and_in_no_window(spark, tmp_path, form):
    second = int(START.timestamp())
    write(tmp_path / "part.parquet", {"at": [second, None, second + 1, 2**62], "x": [1.0, 2.0, 3.0, 4.0]})
    day = Window(START, START + DAY)
    found = scanned(spark, tmp_path, [day], form=TimeFormat.SECONDS)
    assert found.rows[day] == 2
    assert found.report.undated == 2
    assert found.report.rows_read == 4


def test_files_without_statistics_are_read_whole(spark, tmp_path):
    write(tmp_path / "part.parquet", hourly("utc"), row_group_size=24, write_statistics=False)
    day = Window(START, START + DAY)
    found = scanned(spark, tmp_path, [day])
    assert (found.rows[day], found.report.rows_read) == (24, 96)


@pytest.mark.parametrize(
    ("folder", "partitions"),
    [
        (lambda day: f"date={day}", {"date": "day"}),
        (lambda day: f"year={day.year}/month={day.month}/day={day.day:02}",
         {"year": "year", "month": "month", "day": "day"}),
    ],
)  # fmt: skip
def test_partitions_declared_as_time_are_not_even_opened_outside_the_window(spark, tmp_path, folder, partitions):
    for number in range(4):
        day = START + number * DAY
        at = pa.array([day + hour * HOUR for hour in range(24)], pa.timestamp("us", "UTC"))
        write(tmp_path / folder(day.date()) / "part.parquet", {"at": at, "x": np.arange(24.0)})
    write(tmp_path / folder(date(2012, 1, 1)) / "part.parquet", {"x": [1.0]})
    broken = next((tmp_path / folder(date(2012, 1, 1))).glob("*.parquet"))
    broken.write_bytes(b"never looked at")
    window = Window(START + DAY, START + 3 * DAY)
    found = scanned(spark, tmp_path, [window], partitions=partitions)
    assert (found.rows[window], found.report.rows_read) == (48, 48)


def test_a_partition_column_may_be_the_timestamp_itself(spark, tmp_path):
    for number in range(3):
        write(tmp_path / f"date={(START + number * DAY).date()}" / "part.parquet", {"x": np.arange(10.0)})
    window = Window(START + DAY, START + 2 * DAY)
    found = scanned(spark, tmp_path, [window], timestamp="date", partitions={"date": "day"})
    assert (found.rows[window], found.report.rows_read) == (10, 10)


def test_other_partition_columns_are_columns(spark, tmp_path):
    for store, shop, rows in (("7", "01", 2), ("12", "x y", 3), ("__HIVE_DEFAULT_PARTITION__", "02", 4)):
        write(tmp_path / f"store={store}" / f"shop={shop}" / "part.parquet", {"x": np.arange(rows) * 1.0})
    dataset = opened(spark, tmp_path)
    assert {name: str(kind) for name, kind in dataset.columns.items()} == {
        "x": "double", "store": "int64", "shop": "string",
    }  # fmt: skip
    wanted = [
        ScannedColumn("store", NumericBins(ValueType.INTEGER, np.array([10.0]), 7.0, 12.0)),
        ScannedColumn("shop", CategoricalBins(ValueType.STRING, ("01", "02", "x y"))),
    ]
    for columns in (wanted, [X, *wanted]):  # with and without a column that is in the files
        store, shop = profiles_of(scan_rows(dataset, ScanPlan(tuple(columns))), columns)[0][-2:]
        assert (store.rows, store.nulls, store.counts.tolist()) == (9, 4, [2, 3])
        assert shop.counts.tolist() == [2, 4, 3, 0]


@pytest.mark.parametrize("value", ["--5", "²", "-", "1" * 30, "007"])
def test_partition_values_that_look_like_numbers_and_are_none_are_text(spark, tmp_path, value):
    write(tmp_path / f"code={value}" / "part.parquet", {"x": [1.0]})
    assert opened(spark, tmp_path).columns["code"] == pa.string()


# ------------------------------------------------------------------------------------------------ uneven files


def test_a_column_that_some_files_lack_is_null_there(spark, tmp_path):
    write(tmp_path / "a.parquet", {"y": [1.0, 2.0]})
    write(tmp_path / "b.parquet", {"x": [1.0, None, 99.0], "y": [1.0, 2.0, 3.0]})
    dataset = opened(spark, tmp_path)
    assert list(dataset.columns) == ["y", "x"]
    x = profiles_of(scan_rows(dataset, ScanPlan((X,))), (X,))[0][0]
    assert (x.rows, x.nulls, x.counts.tolist()) == (5, 3, [1, 1])


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")], ids=["numbers first", "texts first"])
def test_a_column_retyped_in_some_files_is_read_as_far_as_it_can_be(spark, tmp_path, order):
    numbers, texts = order
    write(tmp_path / f"{numbers}.parquet", {"x": [1.0, 60.0]})
    write(tmp_path / f"{texts}.parquet", {"x": ["2", "70.5", "n/a", None]})
    words = ScannedColumn("x", CategoricalBins(ValueType.STRING, ("2", "60")))
    wanted = (X, words)
    x, word = profiles_of(scan_rows(opened(spark, tmp_path), ScanPlan(wanted)), wanted)[0]
    assert (x.rows, x.nulls, x.unreadable, x.counts.tolist()) == (6, 1, 1, [2, 2])
    assert (word.counts.tolist(), word.unseen) == ([1, 1, 3], {"1": 1, "70.5": 1, "n/a": 1})


def test_row_groups_may_hold_no_rows(spark, tmp_path):
    write(tmp_path / "a.parquet", {"x": pa.array([], pa.float64())})
    write(tmp_path / "b.parquet", {"x": [1.0]})
    x = profiles_of(scan_rows(opened(spark, tmp_path), ScanPlan((X,))), (X,))[0][0]
    assert x.rows == 1


# ------------------------------------------------------------------------------------------------ broken files


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no parquet at all, but long enough to look for a footer"])
def test_a_file_that_is_not_parquet_is_named(spark, tmp_path, content):
    write(tmp_path / "good.parquet", {"x": [1.0]})
    (tmp_path / "bad.parquet").write_bytes(content)
    dataset = opened(spark, tmp_path)
    with pytest.raises(DataError, match=r"bad\.parquet"):
        dataset.count_rows()


def test_a_file_with_a_torn_footer_is_named(spark, tmp_path):
    write(tmp_path / "torn.parquet", {"x": np.arange(1000.0)})
    content = (tmp_path / "torn.parquet").read_bytes()
    (tmp_path / "torn.parquet").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"torn\.parquet"):
        opened(spark, tmp_path)


@pytest.mark.parametrize("compression", ["zstd", "snappy", "none"])
def test_a_file_with_a_broken_page_is_named_by_the_task_that_reads_it(spark, tmp_path, compression):
    random = np.random.default_rng(0)
    write(tmp_path / "good.parquet", {"x": random.normal(size=10_000)})
    bad = tmp_path / "bad page.parquet"
    write(bad, {"x": random.normal(size=10_000)}, compression=compression)
    content = bytearray(bad.read_bytes())
    content[4:2_000] = bytes(1_996)
    bad.write_bytes(content)
    dataset = opened(spark, tmp_path)
    with pytest.raises(DataError, match=r"cannot read .*bad page\.parquet"):
        scan_rows(dataset, ScanPlan((X,)))


def test_a_file_that_vanishes_before_it_is_read_is_named(spark, tmp_path):
    write(tmp_path / "gone.parquet", {"x": [1.0]})
    dataset = opened(spark, tmp_path)
    (tmp_path / "gone.parquet").unlink()
    with pytest.raises(DataError, match=r"gone\.parquet"):
        scan_rows(dataset, ScanPlan((X,)))


def test_a_text_column_that_some_files_lack_or_nest_is_null_there(spark, tmp_path):
    write(tmp_path / "a.parquet", {"word": ["a", "b", None]})
    write(tmp_path / "b.parquet", {"x": [1.0]})
    write(tmp_path / "c.parquet", {"word": [["a"], ["b"]]})
    words = (ScannedColumn("word", CategoricalBins(ValueType.STRING, ("a",))),)
    word = profiles_of(scan_rows(opened(spark, tmp_path), ScanPlan(words)), words)[0][0]
    assert (word.rows, word.nulls, word.unreadable, word.counts.tolist()) == (6, 2, 2, [1, 1])
