"""What an MLTable says is what is counted: its files, its columns, its types, on real files."""

import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.fs as fs
import pyarrow.parquet as pq
import pytest

from engine.batches import Span
from engine.datasets import _check_type as check_type
from engine.datasets import open_dataset
from engine.errors import DataError
from engine.file_dataset import FileDataset
from engine.frame_feed import FrameDataset
from engine.monitor import Columns, Context, Data, Monitor, Source
from engine.plain import read_plain
from engine.spark import collect
from engine.store import Store
from engine.windows import Window
from tests.engine.labs import NOW, Lab, assert_same_rows, by_name, values
from tests.engine.test_mltable_definitions import source

DAY = timedelta(days=1)
DAYS = [Window(NOW - (n + 1) * DAY, NOW - n * DAY) for n in (2, 1, 0)]


@pytest.fixture
def lab(spark, tmp_path):
    return Lab(spark, tmp_path)


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(textwrap.dedent(text).encode(encoding))
    return path


def table(folder: Path, steps: str, paths: str = "{folder: .}") -> Path:
    return write(folder / "MLTable", f"paths: [{paths}]\ntransformations: [{steps}]\n").parent


def opened(lab: Lab, name: str, roles: Columns = Columns()):  # noqa: B008 - frozen
    return open_dataset(lab.spark, Data(source(lab.folder, path=name), Context.MODEL_INPUTS, roles), Span())


def rows(dataset) -> list[tuple]:
    """All values as texts, in the order of columns; what the kernel gets."""
    names = tuple(dataset.columns)
    schema = pa.schema([(name, pa.string()) for name in names])

    def work(batches, task):
        for batch in batches:
            found = [read_plain(batch.arrays.get(name), pa.string(), batch.size) for name in names]
            yield pa.RecordBatch.from_arrays(found, schema=schema)

    return sorted((tuple(row.values()) for row in collect(dataset.map(work, names, schema)).to_pylist()), key=str)


# ------------------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ("{file: one.parquet}", ["1"]),
        ("{folder: more}", ["2", "3", "4"]),
        ("{pattern: '*.parquet'}", ["1"]),
        ("{pattern: 'more/*.parquet'}", ["2", "3"]),
        ("{pattern: '**/*.parquet'}", ["1", "2", "3", "4"]),
        ("{pattern: 'more/[ab].parquet'}", ["2"]),
        ("{pattern: 'more/[!ab].parquet'}", ["3"]),
        ("{pattern: 'more/?.parquet'}, {file: one.parquet}", ["1", "2", "3"]),
        ("{folder: more}, {file: more/a.parquet}", ["2", "3", "4"]),  # each file once
        ("{file: HERE/one.parquet}", ["1"]),
        ("{file: 'file://HERE/one.parquet'}", ["1"]),
        ("{pattern: 'file://HERE/more/d*/*.parquet'}", ["4"]),
    ],
)
def test_files_folders_and_patterns(lab, paths, expected):
    base = lab.folder / ("t" if "HERE" in paths else "t [x]")
    for number, name in enumerate(("one", "more/a", "more/c", "more/deep/a"), 1):
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"x": [number]}), base / f"{name}.parquet")
    table(base, "read_parquet", paths.replace("HERE", str(base)))
    assert rows(opened(lab, base.name)) == [(each,) for each in expected]


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        ("{file: none.parquet}", r"none\.parquet: no such file or folder"),
        ("{folder: a.parquet}", r"a\.parquet: is a file, and the MLTable says folder: say file"),
        ("{file: deep}", r"deep: is a folder, and the MLTable says file: say folder"),
        ("{pattern: '*.csv'}", r"\*\.csv: no file has such a name"),
        ("{pattern: 'none/*.csv'}", r"none: no such file or folder"),
    ],
)
def test_a_path_that_leads_to_nothing_is_said(lab, paths, said):
    (lab.folder / "t" / "deep").mkdir(parents=True)
    pq.write_table(pa.table({"x": [1]}), lab.folder / "t" / "a.parquet")
    table(lab.folder / "t", "read_parquet", paths)
    with pytest.raises(DataError, match=said):
        opened(lab, "t")


# ----------------------------------------------------------------------------------------------------- reading


DELIMITED = [
    ("", "a,b\n1,x\n2,\n", {"a": "int32", "b": "string"}, [("1", "x"), ("2", None)]),
    ('delimiter: ";"', "a;b\n1,5;x\n", {"a": "string", "b": "string"}, [("1,5", "x")]),
    (r'delimiter: "\t"', "a\tb\n1\tx\n", {"a": "int32", "b": "string"}, [("1", "x")]),
    ("header: no_header", "1,x\n2,y\n", {"Column1": "int32", "Column2": "string"}, [("1", "x"), ("2", "y")]),
    ("infer_column_types: false", "a\n01\n", {"a": "string"}, [("01",)]),
    ("empty_as_string: true", 'a,b\n1,\n,""\n', {"a": "int32", "b": "string"}, [("1", ""), (None, "")]),
    ("support_multi_line: true", 'a,b\n1,"x\ny"\n', {"a": "int32", "b": "string"}, [("1", "x\ny")]),
    ("", 'a,b\n1,"say ""hi"", you"\n', {"a": "int32", "b": "string"}, [("1", 'say "hi", you')]),
]


@pytest.mark.parametrize(("options", "text", "types", "expected"), DELIMITED)
def test_delimited_files(lab, options, text, types, expected):
    write(table(lab.folder / "t", f"{{read_delimited: {{{options}}}}}") / "a.csv", text)
    dataset = opened(lab, "t")
    assert isinstance(dataset, FrameDataset)
    assert {name: str(kind) for name, kind in dataset.columns.items()} == types
    assert rows(dataset) == expected


@pytest.mark.parametrize("encoding", ["utf8", "utf8bom", "latin1", "iso88591", "utf16", "utf32"])
@pytest.mark.parametrize("form", ["csv", "json"])
def test_encodings(lab, encoding, form):
    python = {"utf8bom": "utf-8-sig", "iso88591": "latin-1", "utf16": "utf-16", "utf32": "utf-32"}.get(
        encoding, encoding
    )
    step, text = ("read_delimited", "a,b\n1,é\n2,ü\n")
    if form == "json":
        if encoding in ("utf16", "utf32"):
            pytest.skip("Spark reads no byte order mark in JSON")
        step, text = "read_json_lines", '{"a": 1, "b": "é"}\n{"a": 2, "b": "ü"}\n'
    write(table(lab.folder / "t", f"{{{step}: {{encoding: {encoding}}}}}") / f"a.{form}", text, python)
    assert rows(opened(lab, "t")) == [("1", "é"), ("2", "ü")]


def two_files(lab: Lab, header: str, one: str, two: str):
    base = table(lab.folder / "t", f"{{read_delimited: {{header: {header}}}}}")
    write(base / "1.csv", one)
    write(base / "2.csv", two)
    return opened(lab, "t")


def test_names_may_be_in_the_first_file_only(lab):
    assert rows(two_files(lab, "from_first_file", "a,b\n1,x\n", "2,y\n3,z\n")) == [("1", "x"), ("2", "y"), ("3", "z")]


def test_files_may_have_columns_of_their_own(lab):
    dataset = two_files(lab, "all_files_different_headers", "a,b\n1,x\n", "b,c\ny,7.5\n")
    assert list(dataset.columns) == ["a", "b", "c"]
    assert rows(dataset) == [("1", "x", None), (None, "y", "7.5")]


def test_a_column_of_several_types_has_the_one_that_holds_them(lab):
    dataset = two_files(lab, "all_files_different_headers", "a,b\n1,1\n", "b,a\nx,2.5\n")
    assert {name: str(kind) for name, kind in dataset.columns.items()} == {"a": "double", "b": "string"}


def test_another_header_than_was_said_is_an_error_and_no_mixed_up_column(lab):
    dataset = two_files(lab, "all_files_same_headers", "a,b\n1,2\n", "b,a\n3,4\n")
    with pytest.raises(DataError, match=r"its columns are others.*header: all_files_different_headers"):
        rows(dataset)


def test_json_lines(lab):
    base = table(lab.folder / "t", "read_json_lines")
    write(base / "a.jsonl", '{"a": 1, "b": "x"}\n{"a": null, "b": "y"}\n')
    assert rows(opened(lab, "t")) == [("1", "x"), (None, "y")]


def test_a_line_that_is_no_json_is_an_error_unless_it_is_dropped(lab):
    base = table(lab.folder / "t", "read_json_lines")
    write(base / "a.jsonl", '{"a": 1}\nno json\n{"a": 2}\n')
    with pytest.raises(DataError, match="Malformed records"):
        rows(opened(lab, "t"))
    table(lab.folder / "t", "{read_json_lines: {invalid_lines: drop}}")
    assert rows(opened(lab, "t")) == [("1",), ("2",)]


@pytest.mark.parametrize(("step", "ending"), [("read_parquet", "parquet"), ("read_delimited", "csv")])
def test_rows_may_tell_their_file(lab, step, ending):
    base = table(lab.folder / "t", f"{{{step}: {{include_path_column: true}}}}")
    for number in (1, 2):
        frame = pd.DataFrame({"x": [number]})
        path = base / f"{number}.{ending}"
        frame.to_parquet(path) if ending == "parquet" else frame.to_csv(path, index=False)
    found = rows(opened(lab, "t"))
    assert [(x, Path(path).name) for x, path in found] == [("1", f"1.{ending}"), ("2", f"2.{ending}")]


def test_dated_folders_are_columns_and_prune(lab):
    for day in DAYS:
        write(lab.folder / "t" / f"date={day.start:%Y-%m-%d}" / "a.csv", f"x\n{day.start.day}\n")
    table(lab.folder / "t", "read_delimited")
    block = source(lab.folder, path="t", partitions={"date": "day"})
    dataset = open_dataset(lab.spark, Data(block, Context.MODEL_INPUTS), Span())
    assert list(dataset.columns) == ["x", "date"]
    (narrow,) = rows(dataset.within(Columns(), [DAYS[1]]))
    assert narrow[0] == str(DAYS[1].start.day)


# --------------------------------------------------------------------------------------------------- columns


def test_columns_are_kept_and_dropped_and_one_that_is_not_there_is_no_trouble(lab):
    pq.write_table(pa.table({"a": [1], "b": [2], "c": [3]}), (lab.folder / "t.parquet"))
    table(lab.folder / "t", "read_parquet, {keep_columns: [c, a, gone]}, {drop_columns: a}", "{file: ../t.parquet}")
    dataset = opened(lab, "t")
    assert isinstance(dataset, FileDataset)
    assert rows(dataset) == [("3",)]


def test_text_is_kept_as_it_is_written_where_it_becomes_text(lab):
    step = "read_delimited, {convert_column_types: [{columns: [zip, gone], column_type: string}]}"
    write(table(lab.folder / "t", step) / "a.csv", "zip,n\n00501,1\n90210,2\n")
    assert rows(opened(lab, "t")) == [("00501", "1"), ("90210", "2")]


def test_empty_fields_of_numbers_and_times_are_nulls_even_as_strings(lab):
    step = "{read_delimited: {empty_as_string: true}}, {convert_column_types: [{columns: n, column_type: int}]}"
    write(table(lab.folder / "t", step) / "a.csv", "n,t\n1,x\n,\n")
    assert rows(opened(lab, "t")) == [("1", "x"), (None, "")]


# ------------------------------------------------------------------------------------------------- the story


def days(count: int = 400, seed: int = 1) -> pd.DataFrame:
    """Rows of three days, most of them as text, and some of them broken."""
    dice = np.random.default_rng(seed)
    at = [NOW - 3 * DAY + float(share) * 3 * DAY for share in np.sort(dice.uniform(0, 1, count))]
    age = dice.integers(18, 80, count).astype(str).astype(object)
    age[dice.choice(count, 20, replace=False)] = "unknown"
    age[dice.choice(count, 10, replace=False)] = None
    member = dice.choice(["yes", "no", "maybe"], count, p=[0.6, 0.35, 0.05])
    return pd.DataFrame({
        "at": [f"{moment:%d/%m/%Y %H:%M:%S}" for moment in at], "age": age, "member": member,
        "zip": [f"{n:05d}" for n in dice.integers(0, 30, count)], "id": range(count),
    })  # fmt: skip


STEPS = """
  - convert_column_types:
      - {columns: at, column_type: {datetime: {formats: ["%d/%m/%Y %H:%M:%S"]}}}
      - {columns: age, column_type: int}
      - {columns: member, column_type: {boolean: {true_values: ["yes"], false_values: ["no"]}}}
      - {columns: zip, column_type: string}
  - drop_columns: [id]
"""


def written(lab: Lab, name: str, frame: pd.DataFrame, form: str) -> None:
    """The rows as files of one day each, with an MLTable beside them."""
    step = {"parquet": "read_parquet", "csv": "read_delimited", "json": "read_json_lines"}[form]
    write(lab.folder / name / "MLTable", f"paths: [{{pattern: 'day-*'}}]\ntransformations:\n  - {step}\n{STEPS}")
    for day, part in frame.groupby(frame["at"].str[:2]):
        path = lab.folder / name / f"day-{day}.{form}"
        if form == "parquet":
            part.to_parquet(path, index=False)
        elif form == "csv":
            part.to_csv(path, index=False)
        else:
            part.to_json(path, orient="records", lines=True)


def monitor(lab: Lab, name: str) -> Monitor:
    data = lab.data({"path": name, "type": "mltable"}, {"lookback_window_size": "P1D"}, timestamp="at")
    past = lab.data({"path": name}, {"lookback_window_size": "P2D", "lookback_window_offset": "P1D"}, timestamp="at")
    rates = {"null_value_rate": None, "data_type_error_rate": None}
    asked = {"numerical": {**rates, "mean": None}, "categorical": rates, "dataset": {"row_count": None}}
    quality = {"type": "data_quality", "production_data": data, "reference_data": past, "metric_thresholds": asked}
    drift = {"type": "data_drift", "production_data": data, "reference_data": past}
    return lab.monitor(f"lab-{name}", quality=quality, drift=drift)


def test_what_cannot_be_converted_is_a_data_type_error_and_nothing_else(lab):
    frame = days()
    written(lab, "csv", frame, "csv")
    found = values(lab.evaluate(monitor(lab, "csv")))
    today = frame[pd.to_datetime(frame["at"], format="%d/%m/%Y %H:%M:%S", utc=True) >= NOW - DAY]
    known = today["age"].dropna()
    numbers = pd.to_numeric(known, errors="coerce")
    assert numbers.isna().sum() > 2
    assert (today["member"] == "maybe").sum() > 2
    assert found["quality", "dataset", "row_count"] == len(today)
    assert found["quality", "age", "null_value_rate"] == pytest.approx(today["age"].isna().mean())
    assert found["quality", "age", "data_type_error_rate"] == pytest.approx(numbers.isna().mean())
    assert found["quality", "age", "mean"] == pytest.approx(numbers.mean())
    assert found["quality", "member", "data_type_error_rate"] == pytest.approx((today["member"] == "maybe").mean())
    assert found["quality", "member", "null_value_rate"] == 0
    assert found["quality", "zip", "data_type_error_rate"] == 0
    assert {group for _, group, _ in found} == {"age", "member", "zip", "dataset"}  # id is dropped, at is the time


def test_parquet_delimited_and_json_files_give_the_same_rows(lab):
    frame = days()
    results = []
    for form in ("parquet", "csv", "json"):
        written(lab, form, frame, form)
        results.append(lab.evaluate(monitor(lab, form)))
    of_run = ("monitor", "config_hash", "dataset", "baseline_dataset", "bins_id")
    for other in results[1:]:
        assert_same_rows(results[0], other, ignore=of_run)


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_a_day_whose_file_did_not_change_is_not_read_again(lab, form, tmp_path_factory):
    """Although its times are written in a way of which no statistics tell."""
    frame = days()
    written(lab, "t", frame, form)
    store = Store(tmp_path_factory.mktemp("store"))
    first = lab.evaluate(monitor(lab, "t"), store=store)
    again = lab.evaluate(monitor(lab, "t"), store=store)
    assert first.run.rows_read > 0
    assert again.run.rows_read == 0
    assert_same_rows(first, again)
    today = frame[frame["at"].str[:2] == f"{NOW - DAY:%d}"]
    written(lab, "t", pd.concat([today, today]), form)
    changed = lab.evaluate(monitor(lab, "t"), store=store)
    assert by_name(changed)["quality", "dataset", "row_count"].metric_value == 2 * len(today)
    assert changed.run.rows_read == 2 * len(today)


def test_an_edited_table_reads_its_days_again(lab, tmp_path_factory):
    written(lab, "t", days(), "parquet")
    store = Store(tmp_path_factory.mktemp("store"))
    lab.evaluate(monitor(lab, "t"), store=store)
    file = lab.folder / "t" / "MLTable"
    file.write_text(file.read_text().replace("column_type: int", "column_type: string"))
    rows_ = by_name(lab.evaluate(monitor(lab, "t"), store=store))
    assert ("quality", "age", "mean") not in rows_  # it is a category now
    assert rows_["quality", "age", "data_type_error_rate"].metric_value == 0


def test_parquet_without_conversions_is_read_by_row_groups_and_pruned_by_their_statistics(lab):
    number = range(300)
    at = pa.array([NOW - 3 * DAY + n * DAY / 100 for n in number], pa.timestamp("us", "UTC"))
    (lab.folder / "t").mkdir()
    pq.write_table(pa.table({"at": at, "x": pa.array(number)}), lab.folder / "t" / "a.parquet", row_group_size=50)
    table(lab.folder / "t", "read_parquet, {keep_columns: [at, x]}")
    roles = Columns(timestamp="at")
    dataset = opened(lab, "t", roles)
    assert isinstance(dataset, FileDataset)
    assert dataset.pieces == 6
    assert dataset.within(roles, [DAYS[2]]).pieces == 2
    assert dataset.pieces_in(roles, DAYS) == 6


# -------------------------------------------------------------------------------------------- what it is called


def test_a_plain_folder_that_is_called_a_table_is_read_and_a_note_says_so(lab):
    lab.write("plain", pa.table({"at": pa.array([NOW - DAY / 2]), "x": [1.0]}))
    data = lab.data({"path": "plain", "type": "mltable"}, {"lookback_window_size": "P1D"}, timestamp="at")
    found = lab.evaluate(lab.monitor(s={"type": "data_quality", "production_data": data, "reference_data": data}))
    assert by_name(found)["s", "x", "null_value_rate"].metric_value == 0
    assert any("plain: holds no file MLTable" in note for note in found.run.notes)


@pytest.mark.parametrize(
    ("path", "kind", "said"),
    [
        ("plain", "uri_file", "plain: is a folder, and its type is uri_file: say uri_folder"),
        ("plain/part-0.parquet", "uri_folder", "part-0.parquet: is a file, and its type is uri_folder: say uri_file"),
    ],
)
def test_a_file_is_no_folder_and_only_the_signal_that_says_so_fails(lab, path, kind, said):
    lab.write("plain", pa.table({"at": pa.array([NOW - DAY / 2]), "x": [1.0]}))
    window = {"lookback_window_size": "P1D"}
    asked = {"numerical": {"null_value_rate": None}}
    signals = {
        name: {"type": "data_quality", "production_data": data, "reference_data": data, "metric_thresholds": asked}
        for name, data in (("wrong", lab.data({"path": path, "type": kind}, window)), ("right", lab.data(path, window)))
    }
    found = by_name(lab.evaluate(lab.monitor(**signals)))
    reasons = {signal: {row.reason for (name, _, _), row in found.items() if name == signal} for signal in signals}
    assert all(said in reason for reason in reasons["wrong"])
    assert reasons["right"] == {None}


def test_a_definition_on_other_storage_is_not_passed_over(tmp_path):
    """It would be, if the folder were read as it is."""
    table(tmp_path / "t", "read_parquet")
    elsewhere = fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem())
    with pytest.raises(DataError, match=r"s3://t: its file MLTable is not on this machine.*put a copy beside"):
        check_type(Source(path="s3://t", type="mltable"), (elsewhere, "t"))


def test_moments_of_the_test_are_in_utc():
    assert all(day.start.tzinfo is UTC for day in DAYS)
    assert datetime(2024, 3, 9, tzinfo=UTC) == DAYS[2].start
