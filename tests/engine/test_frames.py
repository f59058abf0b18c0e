"""A dataset's rows as a DataFrame: the same from files and from Spark, cut to a window, with types that Spark has."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.batches import Span
from engine.datasets import open_dataset
from engine.frames import frame_of
from engine.joined import open_production
from engine.monitor import Columns, Context, Data, Source, TimeFormat
from engine.windows import Window
from signals.bins import ValueType
from signals.segments import Condition, FilterOperator, Segment

START = datetime(2024, 3, 9, tzinfo=UTC)
DAY = Window(START, START + timedelta(days=1))
ROLES = Columns(timestamp="at")
MONEY = pa.decimal128(9, 2)
BOTH = [{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}, {"a": 2, "b": ""}]
TYPES = {
    "long": ("bigint", pa.array([1, None, 2**53 + 1, 4])),
    "small": ("smallint", pa.array([1, None, -3, 4], pa.int16())),
    "unsigned": ("int", pa.array([1, None, 65_535, 4], pa.uint16())),
    "huge": ("decimal(20,0)", pa.array([1, None, 2**64 - 1, 4], pa.uint64())),
    "double": ("double", pa.array([1.5, None, float("nan"), float("inf")])),
    "float": ("float", pa.array([1.5, None, 2.5, 4], pa.float32())),
    "text": ("string", pa.array(["a", None, "x, y", ""])),
    "words": ("string", pa.array(["a", None, "b", "a"]).dictionary_encode()),
    "flag": ("boolean", pa.array([True, None, False, True])),
    "money": ("decimal(9,2)", pa.array([Decimal("1.50"), None, Decimal("2.25"), Decimal(-3)], MONEY)),
    "day": ("date", pa.array([date(2024, 1, 1), None, date(1969, 1, 1), date(2024, 1, 2)])),
    "hour": ("string", pa.array([3_600, None, 0, 60], pa.time32("s"))),
    "naive": ("timestamp", pa.array([datetime(2024, 1, 1), None, datetime(1960, 1, 1), datetime(2024, 1, 2)])),  # noqa: DTZ001
    "empty": ("string", pa.nulls(4)),
    "vector": ("array<double>", pa.array([[1.0, 2.0], None, [], [3.0]])),
    "both": ("struct<a:bigint,b:string>", pa.array(BOTH)),
    "a.b `c` \"d\"": ("bigint", pa.array([1, 2, 3, 4])),
}  # fmt: skip


def of(path: Path, form: str | None = None) -> Data:
    return Data(Source(path=str(path), format=form), Context.MODEL_INPUTS, ROLES)


def hours(*offsets: int) -> pa.Array:
    return pa.array([START + timedelta(hours=hour) for hour in offsets], pa.timestamp("us", "UTC"))


@pytest.fixture
def written(tmp_path):
    folder = tmp_path / "rows"
    folder.mkdir()
    # Before the window, at its first instant, within it, and at its end, which is not in it.
    pq.write_table(pa.table({name: each for name, (_, each) in TYPES.items()} | {"at": hours(-1, 0, 23, 24)}),
                   folder / "part.parquet")  # fmt: skip
    return folder


def test_columns_have_sparks_types_and_values_stay_exact(spark, written):
    frame = frame_of(open_dataset(spark, of(written), Span()), ROLES)
    assert dict(frame.dtypes) == {name: kind for name, (kind, _) in TYPES.items()} | {"at": "timestamp"}
    rows = frame.toArrow()
    for name in ("long", "small", "unsigned", "money", "flag", "day", "text", "words", "vector", "both"):
        assert rows[name].to_pylist() == TYPES[name][1].to_pylist(), name
    assert rows["huge"].to_pylist() == [1, None, 2**64 - 1, 4]
    assert rows["hour"].to_pylist() == ["01:00:00.000", None, "00:00:00.000", "00:01:00.000"]
    assert rows["naive"].cast(pa.timestamp("us")).to_pylist() == TYPES["naive"][1].to_pylist()
    assert str(rows["double"].to_pylist()) == "[1.5, None, nan, inf]"


def test_a_window_is_half_open_and_only_the_named_columns_come(spark, written):
    frame = frame_of(open_dataset(spark, of(written), Span()), ROLES, DAY, ["text", "double"])
    assert frame.columns == ["text", "double"]
    assert frame.toArrow()["text"].to_pylist() == [None, "x, y"]


def test_a_row_without_a_readable_time_is_in_no_window(spark, tmp_path):
    times = ["2024-03-09T01:00:00Z", None, "soon", "2024-03-09"]
    (tmp_path / "rows.csv").write_text("n,at\n" + "".join(f"{n},{time or ''}\n" for n, time in enumerate(times)))
    data = Data(Source(path=str(tmp_path / "rows.csv")), Context.MODEL_INPUTS, ROLES)
    dataset = open_dataset(spark, data, Span())
    assert frame_of(dataset, Columns(timestamp="at", timestamp_format=TimeFormat.ISO), DAY).toPandas().n.tolist() == [
        0,
        3,
    ]
    assert frame_of(dataset, ROLES).count() == 4


def test_files_and_sparks_own_reader_come_to_the_same(spark, written, tmp_path):
    names = [name for name in TYPES if name not in ("hour", "empty")]  # Spark reads neither
    known = tmp_path / "known.parquet"
    pq.write_table(pq.read_table(written / "part.parquet").select([*names, "at"]), known)
    spark.read.parquet(str(known)).createOrReplaceTempView("rows_of_every_type")
    table = Data(Source(table="rows_of_every_type"), Context.MODEL_INPUTS, ROLES)
    by_file, by_spark = (
        frame_of(open_dataset(spark, data, Span()), ROLES, DAY, names).toArrow() for data in (of(known), table)
    )
    assert by_file.schema.names == by_spark.schema.names
    for name in names:
        assert str(by_file[name].to_pylist()) == str(by_spark[name].to_pylist()), name


def test_a_file_with_a_column_of_another_type_or_without_it_has_nulls_there(spark, tmp_path):
    folder = tmp_path / "rows"
    folder.mkdir()
    pq.write_table(pa.table({"at": hours(1), "n": [1.5], "v": [[1.0]], "only": ["here"]}), folder / "a.parquet")
    pq.write_table(pa.table({"at": hours(2, 3), "n": ["2.5", "x"], "v": ["no", "no"]}), folder / "b.parquet")
    rows = frame_of(open_dataset(spark, of(folder), Span()), ROLES, DAY).orderBy("at").toArrow()
    assert rows["n"].to_pylist() == [1.5, 2.5, None]
    assert rows["v"].to_pylist() == [[1.0], None, None]
    assert rows["only"].to_pylist() == ["here", None, None]


def test_a_segment_is_cut_out_too(spark, written):
    segment = Segment((Condition("text", FilterOperator.EQUALS, ("x, y",), ValueType.STRING),))
    dataset = open_dataset(spark, of(written), Span())
    assert frame_of(dataset, ROLES, DAY, ["long"], segment).toArrow()["long"].to_pylist() == [2**53 + 1]
    assert frame_of(dataset, ROLES, names=["long"], segment=segment).count() == 1


def test_datasets_that_are_joined_are_one_frame(spark, tmp_path):
    for name, rows in (
        ("in", pa.table({"id": [1, 2], "at": hours(1, 2), "x": [0.5, 1.5]})),
        ("out", pa.table({"key": ["2", "9"], "y": ["two", "nine"]})),
    ):
        pq.write_table(rows, tmp_path / f"{name}.parquet")
    inputs = Data(Source(path=str(tmp_path / "in.parquet")), Context.MODEL_INPUTS, Columns("at", correlation_id="id"))
    outputs = Data(Source(path=str(tmp_path / "out.parquet")), Context.MODEL_OUTPUTS, Columns(correlation_id="key"))
    dataset = open_production(spark, [inputs, outputs], Span(), {})
    found = frame_of(dataset, ROLES, DAY, ["x", "y"]).orderBy("x").toPandas()
    pd.testing.assert_frame_equal(found, pd.DataFrame({"x": [0.5, 1.5], "y": [None, "two"]}))


def test_a_window_without_rows_is_a_frame_without_rows(spark, written):
    later = Window(START + timedelta(days=9), START + timedelta(days=10))
    frame = frame_of(open_dataset(spark, of(written), Span()), ROLES, later)
    assert frame.count() == 0
    assert frame.columns == [*TYPES, "at"]
