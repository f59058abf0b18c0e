"""An `MLTable` file is read with the definition that names it, and what is wrong in it is said with its place."""

import os
import textwrap
from pathlib import Path

import pytest

from engine.definitions import load_all
from engine.definitions.json_schema import schema_of
from engine.definitions.mltable_keys import MLTableFile
from engine.errors import DefinitionError
from engine.mltable import Drop, Keep, TablePath
from engine.monitor import Monitor, Source
from signals.bins import ValueType
from signals.conversions import Conversion

DAILY = {"type": "recurrence", "frequency": "day", "interval": 1}
PLAIN = "paths: [{file: a.parquet}]\ntransformations: [read_parquet]\n"


def monitor(folder: Path, **block) -> Monitor:
    signal = {"type": "data_quality", "production_data": {"input_data": block}}
    create = {"monitoring_signals": {"quality": signal}}
    return Monitor.from_dict({"name": "lab", "trigger": DAILY, "create_monitor": create}, folder)


def source(folder: Path, **block) -> Source:
    return monitor(folder, **block).signals[0].production[0].source


def table(folder: Path, text: str, name: str = "table") -> Path:
    (folder / name).mkdir(exist_ok=True)
    (folder / name / "MLTable").write_text(textwrap.dedent(text))
    return folder / name


def problems(folder: Path, text: str) -> list[str]:
    table(folder, text)
    with pytest.raises(DefinitionError) as error:
        monitor(folder, path="table")
    # The monitor has no file of its own, and everything that is wrong is in the table's.
    named = f"{os.path.relpath(folder / 'table' / 'MLTable')}:"
    assert all(str(problem).startswith(named) for problem in error.value.problems)
    return [str(problem).removeprefix(named).strip() for problem in error.value.problems]


# ----------------------------------------------------------------------------------------------------- found


@pytest.mark.parametrize("kind", [None, "mltable", "uri_folder"])
def test_a_folder_with_an_mltable_file_is_a_table_whatever_it_is_called(tmp_path, kind):
    table(tmp_path, PLAIN)
    found = source(tmp_path, path="table", **({"type": kind} if kind else {}))
    assert found.path == str(tmp_path / "table")
    assert found.mltable.paths == (TablePath("file", f"{tmp_path}/table/a.parquet"),)


def test_the_file_itself_may_be_named(tmp_path):
    table(tmp_path, PLAIN)
    assert source(tmp_path, path="table/MLTable").mltable == source(tmp_path, path="table").mltable
    assert source(tmp_path, path=f"file://{tmp_path}/table").mltable == source(tmp_path, path="table").mltable


def test_a_folder_without_one_is_read_as_it_is(tmp_path):
    (tmp_path / "plain").mkdir()
    assert source(tmp_path, path="plain", type="mltable").mltable is None
    assert source(tmp_path, path="s3://nowhere/ref", type="mltable").mltable is None


def test_an_asset_may_be_a_table(tmp_path):
    table(tmp_path, PLAIN)
    (tmp_path / "assets.yaml").write_text("assets:\n  - {name: t, version: 1, type: mltable, path: table}\n")
    assert source(tmp_path, path="azureml:t:1").mltable == source(tmp_path, path="table").mltable


# ------------------------------------------------------------------------------------------------------ read


def test_everything_that_a_file_may_say(tmp_path):
    table(
        tmp_path,
        """
        $schema: https://azuremlschemas.azureedge.net/latest/MLTable.schema.json
        type: mltable
        paths:
          - file: ./one.csv
          - folder: more
          - pattern: ../other/**/*.csv
          - pattern: abfss://files@account.dfs.core.windows.net/day-*.csv
        traits: {index_columns: id}
        transformations:
          - read_delimited: {delimiter: ";", encoding: latin1, header: no_header, infer_column_types: false,
                             empty_as_string: true, support_multi_line: true, include_path_column: true,
                             partition_size: 20971520, path_column: Path}
          - keep_columns: [a, b, c, d, e]
          - drop_columns: e
          - convert_column_types:
              - {columns: a, column_type: int}
              - {columns: [b], column_type: {datetime: {formats: ["%d/%m/%Y"]}}}
              - {columns: [c, d], column_type: {boolean: {true_values: [yes, 1], false_values: ["no", 0],
                                                          mismatch_as: false}}}
        """,
        "table [1]",
    )
    found = source(tmp_path, path="table [1]").mltable
    base = f"{tmp_path}/table [1]"
    assert found.paths == (
        TablePath("file", f"{base}/one.csv"),
        TablePath("folder", f"{base}/more"),
        TablePath("pattern", f"{tmp_path}/other/**/*.csv".replace("[", "[[]")),
        TablePath("pattern", "abfss://files@account.dfs.core.windows.net/day-*.csv"),
    )
    assert (found.format, found.header, found.infer_types) == ("csv", "no_header", False)
    assert (found.empty_as_text, found.path_column) == (True, True)
    assert found.options == {"sep": ";", "encoding": "ISO-8859-1", "multiLine": "true", "escape": '"'}
    assert found.steps == (
        Keep(("a", "b", "c", "d", "e")),
        Drop(("e",)),
        Conversion(("a",), ValueType.INTEGER),
        Conversion(("b",), ValueType.TIMESTAMP, formats=("%d/%m/%Y",)),
        Conversion(("c", "d"), ValueType.BOOLEAN, true=("true", "1"), false=("no", "0"), otherwise=False),
    )


@pytest.mark.parametrize(
    "reading", ["read_parquet", "{read_parquet: }", "{read_parquet: {include_path_column: false}}"]
)
def test_a_step_may_stand_alone_or_with_options(tmp_path, reading):
    table(tmp_path, f"paths: [{{folder: .}}]\ntransformations:\n  - {reading}\n")
    found = source(tmp_path, path="table").mltable
    assert (found.format, found.path_column, found.steps) == ("parquet", False, ())


@pytest.mark.parametrize(("lines", "mode"), [("", "FAILFAST"), ("invalid_lines: drop", "DROPMALFORMED")])
def test_lines_that_are_no_json_are_an_error_or_dropped(tmp_path, lines, mode):
    table(tmp_path, f"paths: [{{file: a.jsonl}}]\ntransformations: [{{read_json_lines: {{{lines}}}}}]\n")
    assert source(tmp_path, path="table").mltable.options["mode"] == mode


@pytest.mark.parametrize("written", ["datetime", "{datetime: }"])
def test_a_type_needs_no_more_than_its_name(tmp_path, written):
    step = f"convert_column_types: [{{columns: a, column_type: {written}}}]"
    table(tmp_path, f"paths: [{{file: a.parquet}}]\ntransformations: [read_parquet, {{{step}}}]\n")
    assert source(tmp_path, path="table").mltable.steps == (Conversion(("a",), ValueType.TIMESTAMP),)


# ------------------------------------------------------------------------------------------------------ wrong


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ["is empty"]),
        ("paths: [", ["is not YAML"]),
        ("transformations: [read_parquet]", ["paths: is missing"]),
        ("paths: []\ntransformations: [read_parquet]", ["1: paths: is empty"]),
        ("paths: [{file: a}]", ["transformations: is missing a step that reads (a table begins with one of "
                                "read_parquet, read_delimited, read_json_lines)"]),
        ("paths: [{file: a, folder: b}]\ntransformations: [read_parquet]",
         ["1: paths[0]: has 2 of file, folder and pattern (one each)"]),
        ("paths: [{fiel: a}]\ntransformations: [read_parquet]", ["1: paths[0].fiel: unknown key (did you mean file?)"]),
        ("paths: [{file: a}]\ntransfomations: [read_parquet]",
         ["2: transfomations: unknown key (did you mean transformations?)"]),
        ("paths: [{file: a}]\ntransformations: [read_parqet]",
         ["2: transformations[0]: unknown key (did you mean read_parquet?)"]),
        ("paths: [{file: a}]\ntransformations: [read_parquet, {read_delimited: {}}]",
         ["2: transformations[1]: reads again (a table is read once: keep one of them)"]),
        ("paths: [{file: a}]\ntransformations: [{keep_columns: [a]}, read_parquet]",
         ["2: transformations[0]: comes before the table is read (put the reading step first)"]),
        ("paths: [{file: a}]\ntransformations:\n - read_parquet\n - filter: 'col(\"a\") > 1'",
         ["4: transformations[1].filter: not supported: the transformation filter (filter in the signal (filters, "
          "data_segment), or do it in a pre_processing_component, or where the files are written)"]),
        ("paths: [{file: a}]\ntransformations:\n - read_parquet\n - take: 10\n - skip: 3",
         ["4: transformations[1].take: not supported: the transformation take", "5: transformations[2].skip: not"]),
        ("paths: [{folder: a}]\ntransformations: [{read_delta_lake: {version_as_of: 1}}]",
         ["2: transformations[0].read_delta_lake: not supported: the transformation read_delta_lake (give the Delta"]),
        ("paths: [{file: a}]\ntransformations:\n - read_delimited: {encoding: utf9}",
         ["3: transformations[0].read_delimited.encoding: 'utf9' is not one of utf8,"]),
        ("paths: [{file: a}]\ntransformations:\n - read_delimited: {encoding: windows1252}",
         ["not supported: windows1252, which Spark does not read (write the files as utf8)"]),
        ("paths: [{file: a}]\ntransformations:\n - read_delimited: {headers: no_header}",
         ["read_delimited.headers: unknown key (did you mean header?)"]),
        ("paths: [{file: a}]\ntransformations:\n - read_parquet\n - convert_column_types:\n   - {columns: a}",
         ["5: transformations[1].convert_column_types[0].column_type: is missing"]),
        ("paths: [{file: a}]\ntransformations:\n - read_parquet\n - convert_column_types:\n"
         "   - {columns: a, column_type: integer}", ["'integer' is not one of int, float, string, boolean, datetime"]),
        ("paths: [{file: a}]\ntransformations:\n - read_parquet\n - convert_column_types:\n"
         "   - {columns: a, column_type: stream_info}", ["not supported: stream_info, which is about files"]),
        ("paths: [{file: a}]\ntransformations:\n - read_parquet\n - convert_column_types:\n"
         "   - {columns: a, column_type: {boolean: {true_values: [y]}}}",
         ["5: transformations[1].convert_column_types[0].column_type.boolean.false_values: is missing, and there are "
          "true_values (give both or none)"]),
        ("paths: [{file: 'azureml://subscriptions/1/datastores/x/paths/a'}]\ntransformations: [read_parquet]",
         ["1: paths[0].file: 'azureml://subscriptions/1/datastores/x/paths/a' is an address in Azure's datastores"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_file_line_and_key(tmp_path, text, said):
    found = problems(tmp_path, text)
    assert len(found) == len(said)
    for problem, expected in zip(found, said, strict=True):
        assert expected in problem


def test_a_format_that_contradicts_the_table_is_said(tmp_path):
    table(tmp_path, PLAIN)
    with pytest.raises(DefinitionError, match=r"input_data.format: is csv, and the MLTable there reads parquet"):
        monitor(tmp_path, path="table", format="csv")
    assert source(tmp_path, path="table", format="parquet").mltable


def test_validating_a_folder_tells_what_is_wrong_in_its_tables(tmp_path):
    table(tmp_path, "paths: [{file: a}]\ntransformations: [read_parqet]\n")
    signal = "{type: data_quality, production_data: {input_data: {path: ../table}}}"
    (tmp_path / "monitors").mkdir()
    (tmp_path / "monitors" / "m.yaml").write_text(
        f"name: m\ntrigger: {DAILY}\ncreate_monitor: {{monitoring_signals: {{s: {signal}}}}}\n"
    )
    (found,) = load_all([tmp_path])[1]
    assert (found.file, found.key, found.line) == (str(tmp_path / "table" / "MLTable"), "transformations[0]", 2)


# -------------------------------------------------------------------------------------------------- the same?


CHANGES = {
    "another file": PLAIN.replace("a.parquet", "b.parquet"),
    "fewer columns": "paths: [{file: a.parquet}]\ntransformations: [read_parquet, {keep_columns: [a]}]",
    "another type": "paths: [{file: a.parquet}]\n"
    "transformations: [read_parquet, {convert_column_types: {columns: a, column_type: int}}]",
}


@pytest.mark.parametrize("text", CHANGES.values(), ids=CHANGES)
def test_a_changed_table_is_a_changed_definition_and_another_dataset(tmp_path, text):
    folder = table(tmp_path, PLAIN)
    before = monitor(tmp_path, path="table")
    (folder / "MLTable").write_text(text)
    after = monitor(tmp_path, path="table")
    assert before.config_hash != after.config_hash
    first, second = (each.signals[0].production[0].source for each in (before, after))
    assert first.identity != second.identity


def test_what_says_the_same_is_the_same_wherever_it_lies(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    table(tmp_path, PLAIN)
    table(tmp_path / "elsewhere", "# a remark\ntransformations:\n- read_parquet:\npaths:\n- file: a.parquet\n")
    hashes = {monitor(folder, path="table").config_hash for folder in (tmp_path, tmp_path / "elsewhere")}
    assert len(hashes) == 1


def test_every_key_of_the_file_is_documented():
    schema = schema_of(MLTableFile)
    blocks = [schema, *schema["$defs"].values()]
    keys = [key for block in blocks for key in block.get("properties", {}).values()]
    assert len(keys) > 20
    assert all(key.get("description") for key in keys)
