"""How a definition's source becomes a dataset that Spark can map over."""

from collections.abc import Mapping
from urllib.parse import unquote, urlparse

import pyarrow as pa
import pyarrow.fs as pafs
from pyspark.sql import DataFrame, SparkSession

from engine.batches import Dataset, Span
from engine.delta import live_files
from engine.errors import DataError
from engine.file_feed import FileDataset
from engine.files import DataFile, fingerprint, list_files, row_groups
from engine.frame_feed import FrameDataset
from engine.monitor import Data, Source
from engine.partitions import PartitionTime
from engine.spark import SPARK_ERRORS, said_by

__all__ = ["open_dataset"]

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
    if source.path is None:
        return FrameDataset(_title(source), _frame(spark, source, frames or {}))
    form = source.format or _format_of(source.path)
    opened = _open_filesystem(source.path) if form in ("parquet", "delta") else None
    if opened is None:
        return FrameDataset(_title(source), _loaded(spark, source, form))
    filesystem, path = opened
    files, print_, declared = _live(source, path, filesystem, form)
    timestamp = (data.columns.timestamp, data.columns.timestamp_format) if data.columns.timestamp else None
    columns, splits = row_groups(
        files, filesystem, PartitionTime(source.partitions), timestamp, span, declared=declared
    )
    remote = None if isinstance(filesystem, pafs.LocalFileSystem) else source.path
    return FileDataset(_title(source), spark, columns, splits, print_, remote)


def _title(source: Source) -> str:
    """How messages name a source."""
    return source.path or source.table or f"query {(source.query or '')[:60]!r}"


def _live(
    source: Source, path: str, filesystem: pafs.FileSystem, form: str
) -> tuple[list[DataFile], str, pa.Schema | None]:
    if form == "delta":
        return live_files(source.path or path, source.options)
    files = list_files(path, filesystem, (".parquet", ".parq", ".pq"))
    return files, fingerprint(files), None


def _open_filesystem(path: str) -> tuple[pafs.FileSystem, str] | None:
    """The file system and the path in it; None where pyarrow cannot open it, and Spark may."""
    scheme = urlparse(path).scheme
    if scheme in ("", "file") or len(scheme) == 1:  # one letter is a Windows drive
        local = unquote(urlparse(path).path) if scheme == "file" else path
        return pafs.LocalFileSystem(), local
    try:
        filesystem, inside = pafs.FileSystem.from_uri(path)
        filesystem.get_file_info(inside)
    except (pa.ArrowException, OSError, ValueError):
        return None
    return filesystem, inside


def _format_of(path: str) -> str:
    """What the files at a path are, by their names."""
    opened = _open_filesystem(path)
    if opened is None:
        endings = {".csv": "csv", ".json": "json", ".jsonl": "json"}
        return next((form for ending, form in endings.items() if path.lower().endswith(ending)), "parquet")
    filesystem, inside = opened
    if filesystem.get_file_info(f"{inside.rstrip('/')}/_delta_log").type is pafs.FileType.Directory:
        return "delta"
    name = list_files(inside, filesystem)[0].path.lower().removesuffix(".gz").removesuffix(".bz2").removesuffix(".zst")
    known = {"parquet": ("parquet", "parq", "pq"), "csv": ("csv", "tsv"), "json": ("json", "jsonl", "ndjson")}
    found = next((form for form, endings in known.items() if name.endswith(tuple(f".{end}" for end in endings))), None)
    if found is None:
        raise DataError(f"{path}: cannot tell what {name!r} is; say `format: parquet`, `delta`, `csv` or `json`")
    return found


def _frame(spark: SparkSession, source: Source, frames: Mapping[str, DataFrame]) -> DataFrame:
    try:
        if source.table is not None:
            frame = frames[source.table] if source.table in frames else spark.table(source.table)
        else:
            frame = spark.sql(source.query or "")
        frame.schema  # noqa: B018 - so that Spark looks now, where the source is known
    except SPARK_ERRORS as error:
        raise DataError(f"{_title(source)}: {said_by(error)}") from error
    return frame


def _loaded(spark: SparkSession, source: Source, form: str) -> DataFrame:
    options = {**(CSV_DEFAULTS if form == "csv" else {}), **source.options}
    try:
        frame = spark.read.format(form).options(**options).load(source.path)
        frame.schema  # noqa: B018 - as above
    except SPARK_ERRORS as error:
        raise DataError(f"cannot read {source.path} as {form}: {said_by(error)}") from error
    return frame
