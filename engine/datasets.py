"""How a definition's source becomes a dataset that Spark can map over."""

import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow.fs as pafs
from pyspark.sql import DataFrame, SparkSession

from engine.batches import Dataset, Span
from engine.collector import Folder, is_collection, open_collection, open_through_spark
from engine.component_modules import source_digest
from engine.delta import LiveFiles, live_files
from engine.errors import DataError
from engine.file_dataset import FileDataset
from engine.file_pruning import time_of
from engine.file_set import FileSet
from engine.files import DataFile, fingerprint, list_files, open_filesystem
from engine.frame_feed import FrameDataset
from engine.frame_files import FrameFiles
from engine.frames import frame_of
from engine.mltable import DEFINITION
from engine.monitor import Columns, Component, Data, Source
from engine.partitions import PartitionTime
from engine.prepared import Input, prepared
from engine.preprocessing import Calls
from engine.spark import SPARK_ERRORS, said_by
from engine.table_dataset import open_table

__all__ = ["open_dataset"]

PARQUET = (".parquet", ".parq", ".pq")
JSON = (".json", ".jsonl", ".ndjson")
JAVA = re.compile(r"\b(?:reflect|try_reflect|java_method)\b|\bidentifier\s*(?:\(|/\*|--)", re.IGNORECASE)
"""Functions of Spark's that call any method of Java's, and what puts a function's name together."""
CSV_DEFAULTS = {"header": "true", "inferSchema": "true", "escape": '"'}
"""A quote inside quotes is doubled, as everyone but Spark writes it (RFC 4180)."""


def open_dataset(spark: SparkSession, data: Data, span: Span, frames: Mapping[str, DataFrame] | None = None) -> Dataset:
    """The dataset of a definition, pruned to a span where its files allow.

    Args:
        spark: the session, classic or Connect.
        data: the definition.
        span: the time that is needed at all.
        frames: the caller's own DataFrames by table name; they win over Spark's tables.

    Raises:
        DataError: when there is no such data, or it cannot be read; it names the file or table.
    """
    source = data.source
    if source.preprocessing is not None:
        return _prepared(spark, data, source.preprocessing, span, frames)
    if source.path is None:
        return FrameDataset(_title(source), _frame(spark, source, frames or {}), append_only=source.append_only)
    if source.mltable is not None:
        return open_table(spark, data, source.mltable, source.path, span)
    opened = open_filesystem(source.path)
    _check_type(source, opened)
    form, listed = (source.format, None) if source.format else _format_of(source.path, opened)
    if form == "collector":
        return _collection(spark, data, span, opened, listed)
    if opened is None or form not in ("parquet", "delta"):
        return _through_spark(spark, source, form, opened, listed)
    filesystem, path = opened
    live = _live(source, path, filesystem, form, listed)
    root = None if isinstance(filesystem, pafs.LocalFileSystem) else source.path
    files = FileSet(live.files, filesystem, root, PartitionTime(source.partitions), live.columns)
    columns = files.columns(span, time_of(data.columns))
    dataset = FileDataset(_title(source), spark, columns, files, live.fingerprint)
    return dataset if span == Span() else dataset.within(data.columns, [span.window])


def _collection(
    spark: SparkSession,
    data: Data,
    span: Span,
    opened: tuple[pafs.FileSystem, str] | None,
    listed: Sequence[DataFile] | None,
) -> Dataset:
    if opened is None:
        return open_through_spark(spark, _title(data.source), data.source.path or "")
    filesystem, path = opened
    every = list_files(path, filesystem) if listed is None else listed
    files = [file for file in every if _plain_name(file).endswith(JSON) or len(every) == 1]
    if not files:
        raise DataError(f"{data.source.path}: the folder holds no data files ({', '.join(JSON)})")
    uri = None if isinstance(filesystem, pafs.LocalFileSystem) else data.source.path
    return open_collection(spark, _title(data.source), Folder(uri, path), files, data.columns, span)


def _prepared(
    spark: SparkSession, data: Data, component: Component, span: Span, frames: Mapping[str, DataFrame] | None
) -> Dataset:
    """What a component makes of the rows; of files it gets the path, of anything else the rows themselves."""
    plain = replace(data, source=replace(data.source, preprocessing=None))
    source, code = plain.source, source_digest(component)
    title = f"{_title(source)} through {component.name}"
    if source.path is None or source.mltable is not None:
        rows = open_dataset(spark, plain, Span(), frames)
        print_ = f"{rows.fingerprint} {code}" if rows.fingerprint else None
        calls = Calls(spark, component, frame_of(rows, Columns()))
        return prepared(title, calls, Input(print_, code), span.window, data.columns)
    opened = open_filesystem(source.path)
    _check_type(source, opened)
    files = tuple(list_files(opened[1], opened[0])) if opened else ()
    read = Input(f"{fingerprint(files)} {code}" if opened else None, code, files, PartitionTime(source.partitions))
    return prepared(title, Calls(spark, component, _mounted(source.path, opened)), read, span.window, data.columns)


def _mounted(path: str, opened: tuple[pafs.FileSystem, str] | None) -> str:
    """A path as a component gets it: a local one without its scheme, a folder with a slash at its end."""
    if opened is None:
        return path
    filesystem, inside = opened
    given = inside if isinstance(filesystem, pafs.LocalFileSystem) else path
    folder = filesystem.get_file_info(inside).type is pafs.FileType.Directory
    return f"{given.rstrip('/')}/" if folder else given


def _title(source: Source) -> str:
    """How messages name a source."""
    return source.path or source.table or f"query {(source.query or '')[:60]!r}"


def _check_type(source: Source, opened: tuple[pafs.FileSystem, str] | None) -> None:
    """See that a file is not called a folder, nor a folder a file, as Azure does."""
    if opened is None or source.type is None:
        return
    filesystem, path = opened
    if source.type == "mltable" and filesystem.get_file_info(f"{path.rstrip('/')}/{DEFINITION}").is_file:
        hint = "put a copy beside the definition, with absolute addresses as its paths, and name that"
        raise DataError(f"{source.path}: its file {DEFINITION} is not on this machine, and is not read: {hint}")
    found = filesystem.get_file_info(path).type
    if source.type == "uri_file" and found is pafs.FileType.Directory:
        raise DataError(f"{source.path}: is a folder, and its type is uri_file: say uri_folder")
    if source.type == "uri_folder" and found is pafs.FileType.File:
        raise DataError(f"{source.path}: is a file, and its type is uri_folder: say uri_file")


def _live(
    source: Source, path: str, filesystem: pafs.FileSystem, form: str, listed: Sequence[DataFile] | None
) -> LiveFiles:
    if form == "delta":
        return live_files(source.path or path, source.options, path)
    files = list_files(path, filesystem) if listed is None else listed
    found = tuple(file for file in files if file.path.lower().endswith(PARQUET) or len(files) == 1)
    if not found:
        raise DataError(f"{source.path}: the folder holds no data files ({', '.join(PARQUET)})")
    return LiveFiles(found, fingerprint(found))


def _through_spark(
    spark: SparkSession,
    source: Source,
    form: str,
    opened: tuple[pafs.FileSystem, str] | None,
    listed: Sequence[DataFile] | None,
) -> FrameDataset:
    if listed is None and opened is not None and form not in ("parquet", "delta"):
        with contextlib.suppress(DataError):  # Spark may know what the path means
            listed = list_files(opened[1], opened[0])
    # Listed before Spark looks: a file that comes in between is new to the next run.
    frame = _loaded(spark, source, form)
    files = FrameFiles.of(frame, listed or (), PartitionTime(source.partitions))
    print_ = fingerprint(files.files) if files else None
    return FrameDataset(_title(source), frame, print_, files, source.append_only)


def _format_of(path: str, opened: tuple[pafs.FileSystem, str] | None) -> tuple[str, list[DataFile] | None]:
    """What the files at a path are, by their names; and the files, where they were listed to see."""
    if opened is None:
        endings = {".csv": "csv", ".json": "json", ".jsonl": "json"}
        return next((form for ending, form in endings.items() if path.lower().endswith(ending)), "parquet"), None
    filesystem, inside = opened
    if filesystem.get_file_info(f"{inside.rstrip('/')}/_delta_log").type is pafs.FileType.Directory:
        return "delta", None
    files = list_files(inside, filesystem)
    name = _plain_name(files[0])
    known = {"parquet": PARQUET, "csv": (".csv", ".tsv"), "json": JSON}
    found = next((form for form, endings in known.items() if name.endswith(endings)), None)
    if found is None:
        formats = "`format: parquet`, `delta`, `csv`, `json` or `collector`"
        raise DataError(f"{path}: cannot tell what {name!r} is; say {formats}")
    if found == "json" and is_collection(filesystem, files):
        found = "collector"
    return found, files


def _plain_name(file: DataFile) -> str:
    """Its name without what only says how it is packed."""
    return file.path.lower().removesuffix(".gz").removesuffix(".bz2").removesuffix(".zst")


def _frame(spark: SparkSession, source: Source, frames: Mapping[str, DataFrame]) -> DataFrame:
    try:
        if source.table is not None:
            frame = frames[source.table] if source.table in frames else spark.table(source.table)
        else:
            frame = spark.sql(_query(source))
        frame.schema  # noqa: B018 - so that Spark looks now, where the source is known
    except SPARK_ERRORS as error:
        raise DataError(f"{_title(source)}: {said_by(error)}") from error
    return frame


def _query(source: Source) -> str:
    """The source's query, in brackets, where it can only be that: nothing is dropped, inserted or set by who reads."""
    query = (source.query or "").strip().rstrip(";")
    if found := JAVA.search(query):
        raise DataError(f"{_title(source)}: {found[0]!r} would run Java with this machine's rights: write it without")
    return f"SELECT * FROM (\n{query}\n)"


def _loaded(spark: SparkSession, source: Source, form: str) -> DataFrame:
    options = {**(CSV_DEFAULTS if form == "csv" else {}), **source.options}
    try:
        frame = spark.read.format(form).options(**options).load(source.path)
        frame.schema  # noqa: B018 - as above
    except SPARK_ERRORS as error:
        raise DataError(f"cannot read {source.path} as {form}: {said_by(error)}") from error
    return frame
