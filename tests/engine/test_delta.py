"""A Delta table's live files are read without a jar; what plain Parquet would get wrong is refused by name."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from engine.batches import Span
from engine.datasets import open_dataset
from engine.errors import DataError
from engine.file_dataset import FileDataset
from engine.monitor import Columns, Context, Data, Source
from engine.scanning import scan_rows, span_of
from engine.windows import Window
from signals.bins import NumericBins, ValueType
from signals.kernel import ScannedColumn, ScanPlan, profiles_of
from tests.engine.scans import scan

X = ScannedColumn("x", NumericBins(ValueType.DOUBLE, np.array([50.0]), 0.0, 99.0), distinct_up_to=100)


def opened(spark, path, *, span=None, timestamp=None, partitions=None) -> FileDataset:
    source = Source(path=str(path), partitions=partitions or {})
    dataset = open_dataset(spark, Data(source, Context.MODEL_INPUTS, Columns(timestamp)), span or Span())
    assert isinstance(dataset, FileDataset)
    return dataset


def numbers(dataset) -> list[float]:
    profile = profiles_of(scan_rows(dataset, ScanPlan((X,))), (X,))[0][0]
    assert profile.rows == profile.valid
    return sorted(float(value) for value in profile.distinct.values)


def rewrite_log(path: Path, change) -> None:
    """Change the actions of the table's first commit, as a writer of another make would have written them."""
    log = path / "_delta_log" / "00000000000000000000.json"
    actions = [json.loads(line) for line in log.read_text().splitlines()]
    for action in actions:
        change(action)
    log.write_text("\n".join(map(json.dumps, actions)))


def test_only_the_live_files_of_a_table_count(spark, tmp_path):
    table = tmp_path / "my table"
    write_deltalake(table, pa.table({"x": [1.0, 2.0]}))
    write_deltalake(table, pa.table({"x": [3.0]}), mode="append")
    assert numbers(opened(spark, table)) == [1.0, 2.0, 3.0]
    write_deltalake(table, pa.table({"x": [7.0, 60.0]}), mode="overwrite")
    dataset = opened(spark, table)
    assert numbers(dataset) == [7.0, 60.0]
    DeltaTable(table).delete("x > 50")
    assert numbers(opened(spark, table)) == [7.0]


def test_the_fingerprint_is_the_version(spark, tmp_path):
    write_deltalake(tmp_path / "t", pa.table({"x": [1.0]}))
    first = opened(spark, tmp_path / "t").fingerprint
    assert first == opened(spark, tmp_path / "t").fingerprint == "delta:0"
    write_deltalake(tmp_path / "t", pa.table({"x": [1.0]}), mode="append")
    assert opened(spark, tmp_path / "t").fingerprint == "delta:1"


def test_partition_columns_come_from_the_log_and_are_pruned_where_they_tell_the_time(spark, tmp_path):
    days = [date(2013, 7, day) for day in (1, 1, 2, 3)]
    rows = pa.table({"date": days, "x": [1.0, 2.0, 3.0, 4.0], "shop": ["1", "c/d", "a b", None], "floor": [1, 2, 1, 2]})
    write_deltalake(tmp_path / "t", rows, partition_by=["date", "shop", "floor"])
    day = Window(datetime(2013, 7, 1, tzinfo=UTC), datetime(2013, 7, 2, tzinfo=UTC))
    dataset = opened(spark, tmp_path / "t", span=span_of([day]), timestamp="date", partitions={"date": "day"})
    found = scan(dataset, [X], [day], Columns("date"))
    assert (found.rows[day], found.report.rows_read) == (2, 2)
    whole = opened(spark, tmp_path / "t")
    assert dict(whole.columns) == dict(zip(rows.schema.names, rows.schema.types, strict=True))
    assert numbers(whole) == [1.0, 2.0, 3.0, 4.0]
    floor = ScannedColumn("floor", NumericBins(ValueType.INTEGER, np.array([2.0]), 1.0, 2.0))
    assert profiles_of(scan_rows(whole, ScanPlan((floor,))), (floor,))[0][0].counts.tolist() == [2, 2]


def test_an_empty_table_has_no_rows_and_keeps_its_columns(spark, tmp_path):
    write_deltalake(tmp_path / "t", pa.table({"x": [1.0], "word": ["a"]}))
    DeltaTable(tmp_path / "t").delete()
    dataset = opened(spark, tmp_path / "t")
    assert {name: str(kind) for name, kind in dataset.columns.items()} == {"x": "double", "word": "string"}
    assert profiles_of(scan_rows(dataset, ScanPlan((X,))), (X,))[0][0].rows == 0


@pytest.mark.parametrize("feature", ["deletionVectors", "columnMapping", "typeWideningX"])
def test_a_feature_that_plain_parquet_gets_wrong_is_refused_by_name(spark, tmp_path, feature):
    write_deltalake(tmp_path / "t", pa.table({"x": [1.0]}))

    def use(action):
        if "protocol" in action:
            features = {"readerFeatures": [feature], "writerFeatures": [feature]}
            action["protocol"] = {"minReaderVersion": 3, "minWriterVersion": 7, **features}
        if "metaData" in action and feature == "columnMapping":
            action["metaData"]["configuration"] = {"delta.columnMapping.mode": "name"}

    rewrite_log(tmp_path / "t", use)
    with pytest.raises(DataError, match=rf"{tmp_path}/t.*{feature}"):
        opened(spark, tmp_path / "t")


def test_column_mapping_of_an_old_protocol_is_refused_too(spark, tmp_path):
    write_deltalake(tmp_path / "t", pa.table({"x": [1.0]}))

    def use(action):
        if "protocol" in action:
            action["protocol"] = {"minReaderVersion": 2, "minWriterVersion": 5}
        if "metaData" in action:
            action["metaData"]["configuration"] = {
                "delta.columnMapping.mode": "id",
                "delta.columnMapping.maxColumnId": "1",
            }

    rewrite_log(tmp_path / "t", use)
    with pytest.raises(DataError, match=r"columnMapping"):
        opened(spark, tmp_path / "t")


def test_features_that_leave_files_plain_are_read(spark, tmp_path):
    at = pa.array([datetime(2013, 7, 1), None], pa.timestamp("us"))  # noqa: DTZ001 - without a zone on purpose
    write_deltalake(tmp_path / "t", pa.table({"x": [1.0, 2.0], "at": at}))
    assert "timestampNtz" in (DeltaTable(tmp_path / "t").protocol().reader_features or [])
    assert numbers(opened(spark, tmp_path / "t")) == [1.0, 2.0]


def test_column_mapping_that_was_never_switched_on_is_no_trouble(spark, tmp_path):
    write_deltalake(tmp_path / "t", pa.table({"x": [1.0]}))

    def use(action):
        if "protocol" in action:
            features = {"readerFeatures": ["columnMapping"], "writerFeatures": ["columnMapping"]}
            action["protocol"] = {"minReaderVersion": 3, "minWriterVersion": 7, **features}

    rewrite_log(tmp_path / "t", use)
    assert numbers(opened(spark, tmp_path / "t")) == [1.0]


def test_a_broken_log_is_said_by_name(spark, tmp_path):
    write_deltalake(tmp_path / "t", pa.table({"x": [1.0]}))
    (tmp_path / "t" / "_delta_log" / "00000000000000000000.json").write_text("not json")
    with pytest.raises(DataError, match=f"{tmp_path}/t"):
        opened(spark, tmp_path / "t")


def test_a_live_file_that_is_gone_is_said_by_name(spark, tmp_path):
    write_deltalake(tmp_path / "t", pa.table({"x": [1.0]}))
    next((tmp_path / "t").glob("*.parquet")).unlink()
    dataset = opened(spark, tmp_path / "t")
    with pytest.raises(DataError, match=r"\.parquet"):
        dataset.count_rows()
