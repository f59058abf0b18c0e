"""Every kind of source that a definition may name gives the same rows, and a wrong one is said by name."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake
from pyspark.errors import PythonException

from engine.batches import Span
from engine.datasets import open_dataset
from engine.errors import DataError
from engine.file_dataset import FileDataset
from engine.frame_feed import FrameDataset
from engine.joined import open_production
from engine.monitor import Columns, Context, Data, Source
from engine.readings import Readings
from engine.scanning import scan_rows
from engine.spark import collect
from engine.windows import Window
from signals.bins import CategoricalBins, NumericBins, ValueType
from signals.kernel import ScannedColumn, ScanPlan
from signals.state import STATE_SCHEMA
from tests.engine.scans import scan

START = datetime(2013, 7, 1, tzinfo=UTC)
DAY = timedelta(days=1)
WINDOW = Window(START + DAY, START + 2 * DAY)
COLUMNS = [
    ScannedColumn("x", NumericBins(ValueType.DOUBLE, np.array([50.0]), 0.0, 99.0)),
    ScannedColumn("few", CategoricalBins(ValueType.INTEGER, ("0", "1"))),
    ScannedColumn("word", CategoricalBins(ValueType.STRING, ("a", "x, y"))),
    ScannedColumn("flag", CategoricalBins(ValueType.BOOLEAN, ("true", "false"))),
]


def rows() -> pa.Table:
    """Three days of hourly rows, with a null in every column."""
    number = range(72)
    return pa.table({
        "at": pa.array([START + hour * timedelta(hours=1) for hour in number], pa.timestamp("us", "UTC")),
        "x": pa.array([None if n == 30 else n + 0.5 for n in number]),
        "few": pa.array([None if n == 31 else n % 3 for n in number], pa.int32()),
        "word": pa.array([None if n == 32 else ["a", "x, y", 'say "hi"'][n % 3] for n in number]),
        "flag": pa.array([None if n == 33 else n % 2 == 0 for n in number]),
    })  # fmt: skip


@pytest.fixture(scope="module")
def written(spark, tmp_path_factory):
    """The same rows in every format, by name."""
    folder, table = tmp_path_factory.mktemp("formats"), rows()
    (folder / "plain").mkdir()
    pq.write_table(table, folder / "plain" / "part.parquet", row_group_size=20)
    write_deltalake(folder / "delta", table)
    frame = table.to_pandas()
    frame["few"] = frame["few"].astype("Int32")
    (folder / "with spaces and ünï").mkdir()
    frame.to_csv(folder / "with spaces and ünï" / "part.csv", index=False)
    lines = [json.dumps({**row, "at": row["at"].isoformat()}) for row in table.to_pylist()]
    (folder / "part.jsonl").write_text("\n".join(lines))
    spark.createDataFrame(table).write.mode("overwrite").saveAsTable("driftline_rows")
    yield folder
    spark.sql("DROP TABLE driftline_rows")


SOURCES = {
    "parquet folder": lambda at: Source(path=f"{at}/plain"),
    "parquet file": lambda at: Source(path=f"{at}/plain/part.parquet"),
    "file uri": lambda at: Source(path=f"file://{at}/plain"),
    "trailing slash": lambda at: Source(path=f"{at}/plain/"),
    "delta": lambda at: Source(path=f"{at}/delta"),
    "csv": lambda at: Source(path=f"{at}/with spaces and ünï"),
    "csv of a declared format": lambda at: Source(path=f"{at}/with spaces and ünï/part.csv", format="csv"),
    "json lines": lambda at: Source(path=f"{at}/part.jsonl"),
    "table": lambda at: Source(table="driftline_rows"),
    "query": lambda at: Source(query="SELECT * FROM driftline_rows"),
    "frame": lambda at: Source(table="mine"),
}
IN_FILES = {"parquet folder", "parquet file", "file uri", "trailing slash", "delta"}


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_gives_the_same_profiles(spark, written, name):
    data = Data(SOURCES[name](written), Context.MODEL_INPUTS, Columns(timestamp="at"))
    frames = {"mine": spark.createDataFrame(rows())} if name == "frame" else {}
    dataset = open_dataset(spark, data, Span(WINDOW.start, WINDOW.end), frames)
    assert isinstance(dataset, FileDataset if name in IN_FILES else FrameDataset)
    assert set(dataset.columns) == set(rows().column_names)
    found = scan(dataset, COLUMNS, [WINDOW], data.columns)
    assert found.rows[WINDOW] == 24
    x, few, word, flag = found.profiles[WINDOW]
    assert [profile.nulls for profile in (x, few, word, flag)] == [1, 1, 1, 1]
    assert (x.counts.tolist(), x.low, x.high) == ([23, 0], 24.5, 47.5)
    assert few.counts.tolist() == [8, 7, 8]
    assert (word.counts.tolist(), word.unseen) == ([8, 8, 7], {'say "hi"': 7})
    assert flag.counts.tolist() == [12, 11, 0]


def test_a_path_with_a_percent_sign_or_a_hash_is_just_a_path(spark, tmp_path):
    for name in ("100%", "a#b", "a%20b", "a?b"):
        (tmp_path / name).mkdir()
        pq.write_table(pa.table({"x": [1.0]}), tmp_path / name / "part.parquet")
        data = Data(Source(path=str(tmp_path / name)), Context.MODEL_INPUTS)
        assert open_dataset(spark, data, Span()).count_rows() == 1


def test_reader_options_are_passed_through(spark, tmp_path):
    (tmp_path / "part.csv").write_text("x;word\n1,5;a\n")
    source = Source(path=str(tmp_path / "part.csv"), options={"sep": ";"})
    assert list(open_dataset(spark, Data(source, Context.MODEL_INPUTS), Span()).columns) == ["x", "word"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (Source(path="/nowhere/at/all"), "/nowhere/at/all"),
        (Source(path="/nowhere/at/all.csv", format="csv"), "/nowhere/at/all.csv"),
        (Source(table="no_such_table"), "no_such_table"),
        (Source(query="SELECT nonsense FROM nowhere"), "nonsense"),
        (Source(query="SELEKT"), "SELEKT"),
        (Source(path="/nowhere/delta", format="delta"), "/nowhere/delta"),
        (Source(path="nosuchscheme://bucket/data"), "nosuchscheme://bucket/data"),
    ],
)  # fmt: skip
def test_a_source_that_is_not_there_is_said_by_name(spark, source, said):
    with pytest.raises(DataError, match=said):
        open_dataset(spark, Data(source, Context.MODEL_INPUTS), Span())


@pytest.mark.parametrize(
    "query",
    [
        "CREATE TEMPORARY VIEW made_by_a_query AS SELECT 1",
        "SET driftline.made = true",
        "SELECT 1) ; SET driftline.made = true; SELECT * FROM (SELECT 1",
        "SELECT 1); SET driftline.made = true --",
    ],
)
def test_a_query_that_is_more_than_one_is_refused(spark, query):
    with pytest.raises(DataError, match="PARSE_SYNTAX_ERROR"):
        open_dataset(spark, Data(Source(query=query), Context.MODEL_INPUTS), Span())
    assert spark.conf.get("driftline.made", "no") == "no"
    assert not spark.catalog.tableExists("made_by_a_query")


@pytest.mark.parametrize(
    "call",
    [
        "reflect('java.lang.System', 'getenv', 'HOME')",
        "TRY_REFLECT ('java.lang.System', 'getenv', 'HOME')",
        "`java_method`('java.lang.System', 'getenv', 'HOME')",
        "IDENTIFIER('refl' || 'ect')('java.lang.System', 'getenv', 'HOME')",
        "identifier/**/('refl' || 'ect')('java.lang.System', 'getenv', 'HOME')",
    ],
)
def test_a_query_calls_no_java(spark, call):
    with pytest.raises(DataError, match="would run Java"):
        open_dataset(spark, Data(Source(query=f"SELECT {call} AS x"), Context.MODEL_INPUTS), Span())


@pytest.mark.parametrize("query", ["WITH a AS (SELECT 1 AS x) SELECT x FROM a ORDER BY x;", "SELECT 1 AS x -- one"])
def test_queries_are_written_as_people_write_them(spark, query):
    assert list(open_dataset(spark, Data(Source(query=query), Context.MODEL_INPUTS), Span()).columns) == ["x"]


def test_files_of_an_unknown_kind_ask_for_their_format(spark, tmp_path):
    (tmp_path / "part.xlsx").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"part\.xlsx.*format"):
        open_dataset(spark, Data(Source(path=str(tmp_path)), Context.MODEL_INPUTS), Span())


# ------------------------------------------------------------------------------------------------------- joined


def sides(spark, inputs: pd.DataFrame, outputs: pd.DataFrame) -> tuple[list[Data], dict]:
    frames = {"inputs": spark.createDataFrame(inputs).repartition(3), "outputs": spark.createDataFrame(outputs)}
    return [
        Data(Source(table="inputs"), Context.MODEL_INPUTS, Columns(timestamp="at", correlation_id="id")),
        Data(Source(table="outputs"), Context.MODEL_OUTPUTS, Columns(correlation_id="key", prediction="said")),
    ], frames


def rows_of(dataset, names) -> list[dict]:
    """The rows of a dataset as its tasks see them."""
    kinds = [dataset.columns[name] for name in names]
    schema = pa.schema([(f"c{place}", kind) for place, kind in enumerate(kinds)])

    def work(batches, task):
        for batch in batches:
            yield pa.RecordBatch.from_arrays([batch.arrays[name] for name in names], schema=schema)

    return [
        dict(zip(names, row.values(), strict=True)) for row in collect(dataset.map(work, names, schema)).to_pylist()
    ]


def test_inputs_and_outputs_are_joined_and_no_row_of_the_first_is_lost_or_multiplied(spark):
    inputs = pd.DataFrame({"id": [1, 2, 3, 3], "at": [START] * 4, "a.b": [1.0, 2.0, 3.0, 4.0], "both": ["i"] * 4})
    outputs = pd.DataFrame({"key": ["1", "1", "3", "9"], "said": ["x", "x", "y", "z"], "both": ["o"] * 4})
    datas, frames = sides(spark, inputs, outputs)
    dataset = open_production(spark, datas, Span(), frames)
    assert list(dataset.columns) == ["id", "at", "a.b", "both", "said"]
    assert sorted(rows_of(dataset, ("id", "a.b", "both", "said")), key=lambda row: row["a.b"]) == [
        {"id": 1, "a.b": 1.0, "both": "i", "said": "x"},
        {"id": 2, "a.b": 2.0, "both": "i", "said": None},
        {"id": 3, "a.b": 3.0, "both": "i", "said": "y"},
        {"id": 3, "a.b": 4.0, "both": "i", "said": "y"},
    ]


def test_the_roles_of_joined_data_are_those_of_both(spark):
    inputs = pd.DataFrame({"id": [1], "at": [START]})
    datas, frames = sides(spark, inputs, pd.DataFrame({"key": [1], "said": [1]}))
    _, roles = Readings(spark, frames).opened(datas, Span())
    assert (roles.timestamp, roles.correlation_id, roles.prediction) == ("at", "id", "said")


def test_data_without_a_correlation_id_cannot_be_joined(spark):
    datas, frames = sides(spark, pd.DataFrame({"at": [START]}), pd.DataFrame({"key": [1]}))
    with pytest.raises(DataError, match=r"inputs.*correlation"):
        open_production(spark, datas, Span(), frames)


def test_joined_columns_may_differ_by_case_and_hold_any_type(spark):
    inputs = pd.DataFrame({"id": ["1.0", "2"], "at": [START] * 2, "Size": [1.5, 2.5], "flag": [True, None]})
    outputs = pd.DataFrame({"key": [1, 2], "size": [10, 20], "day": [START.date()] * 2, "moment": [START] * 2})
    datas, frames = sides(spark, inputs.assign(id=["1", "2"]), outputs)
    dataset = open_production(spark, datas, Span(), frames)
    found = rows_of(dataset, ("Size", "flag", "size", "day", "moment"))
    assert sorted(found, key=lambda row: row["Size"]) == [
        {"Size": 1.5, "flag": True, "size": 10, "day": START.date(), "moment": START},
        {"Size": 2.5, "flag": None, "size": 20, "day": START.date(), "moment": START},
    ]


def test_of_several_rows_with_one_id_always_the_same_is_taken(spark):
    inputs = pd.DataFrame({"id": [1], "at": [START]})
    outputs = pd.DataFrame({"key": [1] * 50, "said": range(50), "other": range(50, 0, -1)})
    datas, frames = sides(spark, inputs, outputs)
    for parts in (1, 7):
        frames["outputs"] = frames["outputs"].repartition(parts)
        dataset = open_production(spark, datas, Span(), frames)
        assert rows_of(dataset, ("said", "other")) == [{"said": 49, "other": 1}]


def test_only_the_span_of_the_first_dataset_and_the_columns_that_are_needed_are_read(spark, tmp_path):
    for day in (1, 2):
        (tmp_path / f"date=2013-07-0{day}").mkdir()
        pq.write_table(pa.table({"id": [day], "x": [day * 1.0]}), tmp_path / f"date=2013-07-0{day}" / "part.parquet")
    (tmp_path / "date=2013-07-01" / "part.parquet").write_bytes(b"never looked at")
    datas, frames = sides(spark, pd.DataFrame({"id": [2], "at": [START]}), pd.DataFrame({"key": [2], "said": [1]}))
    datas[0] = Data(Source(path=str(tmp_path), partitions={"date": "day"}), Context.MODEL_INPUTS, datas[0].columns)
    dataset = open_production(spark, datas, Span(WINDOW.start, WINDOW.end), frames)
    assert rows_of(dataset, ("x", "said")) == [{"x": 2.0, "said": 1}]


# ------------------------------------------------------------------------------------------ what Spark cannot read


def broken_page(path) -> None:
    pq.write_table(pa.table({"x": np.random.default_rng(0).normal(size=10_000)}), path)
    content = bytearray(path.read_bytes())
    content[4:2_000] = bytes(1_996)
    path.write_bytes(content)


def test_a_file_that_spark_cannot_read_is_named(spark, tmp_path):
    broken_page(tmp_path / "broken.parquet")
    dataset = FrameDataset("joined", spark.read.parquet(str(tmp_path)))
    with pytest.raises(DataError, match=r"broken\.parquet"):
        scan_rows(dataset, ScanPlan(tuple(COLUMNS[:1])))


def test_a_query_that_fails_as_it_runs_says_why(spark):
    data = Data(Source(query="SELECT 1 / (id - 1) AS x FROM range(3)"), Context.MODEL_INPUTS)
    with pytest.raises(DataError, match="Division by zero"):
        scan_rows(open_dataset(spark, data, Span()), ScanPlan(tuple(COLUMNS[:1])))


def test_a_bug_of_ours_in_a_task_is_no_data_error(spark):
    def work(batches, task):
        raise ValueError("a bug")

    with pytest.raises(PythonException, match="a bug"):
        collect(FrameDataset("frame", spark.range(3).toDF("x")).map(work, ("x",), STATE_SCHEMA))
