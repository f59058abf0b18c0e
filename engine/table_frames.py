"""Delimited files and JSON lines as a DataFrame, read as a table's definition says."""

import csv
import io
from collections.abc import Mapping, Sequence
from functools import reduce

import pyarrow as pa
import pyarrow.fs as pafs
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, NumericType, StringType, StructField, StructType

from engine.errors import DataError
from engine.frame_files import FILE
from engine.mltable import PATH_COLUMN, MLTable
from engine.table_files import TableFiles
from signals.bins import ValueType

__all__ = ["table_frame", "united"]

HEADER_BYTES = 65_536
"""A line of names is shorter than this."""
Paths = Sequence[str]


def table_frame(spark: SparkSession, table: MLTable, files: TableFiles | None, extra: Mapping[str, str]) -> DataFrame:
    """The rows of a table, with the columns of its files.

    Args:
        spark: the session.
        table: how its files are read.
        files: what it is made of; None where only Spark can look.
        extra: reader options that win over the table's own.
    """
    paths = (
        [entry.path for entry in table.paths] if files is None else [_plain(file.path, files) for file in files.files]
    )
    options = {**table.options, **_base(files), **extra}
    if table.format == "csv":
        frame = _delimited(spark, table, files, paths, options)
    else:
        frame = _with_path(spark.read.format(table.format).options(**options).load(list(paths)), table)
    return _filled(frame, table) if table.empty_as_text else frame


def _plain(path: str, files: TableFiles) -> str:
    """A file as Spark takes it: with its scheme, and nothing in its name a pattern."""
    escaped = "".join(f"\\{letter}" if letter in "{}[]*?\\" else letter for letter in path)
    if files.root is None:
        return escaped
    scheme, _, _ = files.root.partition("://")
    return f"{scheme}://{escaped.lstrip('/')}"


def _base(files: TableFiles | None) -> dict[str, str]:
    """Where folders such as ``date=2024-05-01`` begin, so that Spark makes columns of them."""
    names = {name for file in files.files for name in file.partitions} if files else set[str]()
    if files is None or not names:
        return {}
    above = [file.path.split("/") for file in files.files]
    depth = min(next((n for n, part in enumerate(each) if "=" in part), len(each) - 1) for each in above)
    shared = next((n for n in range(depth) if len({each[n] for each in above}) > 1), depth)
    return {"basePath": _plain("/".join(above[0][:shared]) or "/", files)}


def _with_path(frame: DataFrame, table: MLTable) -> DataFrame:
    return frame.withColumn(PATH_COLUMN, F.col(FILE)) if table.path_column else frame


# ------------------------------------------------------------------------------------------------------ delimited


def _delimited(
    spark: SparkSession, table: MLTable, files: TableFiles | None, paths: Paths, options: Mapping[str, str]
) -> DataFrame:
    if table.header == "no_header":
        frame = _read(spark, table, paths, {**options, "header": "false"})
        return _with_path(frame.toDF(*(f"Column{place + 1}" for place in range(len(frame.columns)))), table)
    headed = {**options, "header": "true", "enforceSchema": "false"}
    if table.header == "from_first_file" and len(paths) > 1:
        first = _read(spark, table, paths[:1], headed)
        others = _read(spark, table, paths[1:], {**options, "header": "false"})
        names = first.columns[: len(others.columns)]
        others = others.select(*others.columns[: len(names)]).toDF(*names)
        return united([_with_path(first, table), _with_path(others, table)])
    if table.header == "all_files_different_headers" and files is not None:
        groups: dict[tuple[str, ...], list[str]] = {}
        for path, file in zip(paths, files.files, strict=True):
            groups.setdefault(_header(file.path, files.filesystem, options), []).append(path)
        return united([_with_path(_read(spark, table, each, headed), table) for each in groups.values()])
    return _with_path(_read(spark, table, paths, headed), table)


def _read(spark: SparkSession, table: MLTable, paths: Paths, options: Mapping[str, str]) -> DataFrame:
    """Files with one header. Columns that are converted later are text: 007 must not be 7 before it is kept as text."""
    inferring = {**options, "inferSchema": str(table.infer_types).lower()}
    frame = spark.read.format("csv").options(**inferring).load(list(paths))
    if not table.infer_types or not table.converted & {*frame.columns}:
        return frame
    fields = [
        StructField(each.name, StringType()) if each.name in table.converted else each for each in frame.schema.fields
    ]
    return spark.read.format("csv").options(**options).schema(StructType(fields)).load(list(paths))


def _header(path: str, filesystem: pafs.FileSystem, options: Mapping[str, str]) -> tuple[str, ...]:
    """The names in a file's first line."""
    try:
        with filesystem.open_input_stream(path) as stream:
            text = stream.read(HEADER_BYTES).decode(options.get("encoding", "utf-8"), errors="ignore")
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"cannot read {path}: {str(error).splitlines()[0]}") from error
    row = next(csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=options.get("sep", ",")), [])
    return tuple(row)


def united(frames: Sequence[DataFrame]) -> DataFrame:
    """All rows, with the columns of all; a column of several types has the one that holds them all."""
    kinds: dict[str, list[DataType]] = {}
    for frame in frames:
        for each in frame.schema.fields:
            kinds.setdefault(each.name, []).append(each.dataType)
    common = {name: _common(found) for name, found in kinds.items()}
    alike = [frame.select(*(_named(name).cast(common[name]).alias(name) for name in frame.columns)) for frame in frames]
    return reduce(lambda one, other: one.unionByName(other, allowMissingColumns=True), alike)


def _common(kinds: Sequence[DataType]) -> str:
    distinct = {kind.simpleString() for kind in kinds}
    if len(distinct) == 1:
        return distinct.pop()
    return "double" if all(isinstance(kind, NumericType) for kind in kinds) else "string"


def _named(name: str) -> Column:
    return F.col(f"`{name.replace('`', '``')}`")


def _filled(frame: DataFrame, table: MLTable) -> DataFrame:
    """Empty fields of text columns as texts. Numbers, times and booleans have no empty value: there they are nulls."""
    others = {name for step in table.conversions if step.to is not ValueType.STRING for name in step.columns}
    texts = {each.name for each in frame.schema.fields if isinstance(each.dataType, StringType)} - others
    filled = (
        F.coalesce(_named(name), F.lit("")).alias(name) if name in texts else _named(name) for name in frame.columns
    )
    return frame.select(*filled)
