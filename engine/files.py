"""Which files a path holds, what is in them, and which of their row groups may have rows of a span."""

import re
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from engine.batches import Span
from engine.errors import DataError
from engine.file_feed import Split
from engine.partitions import PartitionTime, partition_values
from signals.timestamps import UNDATED, TimeFormat, read_instants

__all__ = ["DataFile", "list_files", "row_groups"]

AT_ONCE = 8
HIDDEN = re.compile(r"(^|/)[_.]")
INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
"""An int64; "07" is text: as a number it would lose its zero."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file of a dataset: its path in its file system, what its folders say, and its size and age."""

    path: str
    partitions: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    size: int = 0
    modified: float = 0.0


def list_files(path: str, filesystem: pafs.FileSystem, suffixes: Sequence[str] = ()) -> list[DataFile]:
    """All data files at a path or below it, in order; names that begin with ``_`` or ``.`` are not data.

    Raises:
        DataError: when there is nothing there.
    """
    info = filesystem.get_file_info(path)
    if info.type is pafs.FileType.NotFound:
        raise DataError(f"{path}: no such file or folder")
    if info.type is pafs.FileType.File:
        return [DataFile(info.path, partition_values(info.path), info.size or 0, _age(info))]
    root = info.path.rstrip("/")
    found = [entry for entry in filesystem.get_file_info(pafs.FileSelector(root, recursive=True)) if entry.is_file]
    inside = {entry.path[len(root) + 1 :]: entry for entry in found}
    files = [
        DataFile(entry.path, partition_values(relative), entry.size or 0, _age(entry))
        for relative, entry in inside.items()
        if not HIDDEN.search(relative) and (not suffixes or relative.lower().endswith(tuple(suffixes)))
    ]
    if not files:
        raise DataError(f"{path}: the folder holds no data files" + (f" ({', '.join(suffixes)})" if suffixes else ""))
    return sorted(files, key=lambda file: file.path)


def _age(info: pafs.FileInfo) -> float:
    return info.mtime.timestamp() if info.mtime else 0.0


def fingerprint(files: Sequence[DataFile]) -> str:
    """Text that changes when a file comes, goes, or is written again."""
    digest = blake2b(digest_size=8)
    for file in files:
        digest.update(f"{file.path}\x00{file.size}\x00{file.modified}\x00".encode())
    return f"files:{len(files)}:{digest.hexdigest()}"


def row_groups(
    files: Sequence[DataFile],
    filesystem: pafs.FileSystem,
    times: PartitionTime,
    timestamp: tuple[str, TimeFormat] | None,
    span: Span,
    *,
    declared: pa.Schema | None = None,
) -> tuple[dict[str, pa.DataType], list[Split]]:
    """The columns of the files that may have rows of the span, and those files' row groups that may.

    A file's folders rule it out by `times`, a row group its statistics of the timestamp column. When none is left, the
    newest file still tells the columns. Where a table declares its columns, these come first, as it says.

    Raises:
        DataError: when a file is not Parquet, or is corrupt; it names the file.
    """
    wanted = [file for file in files if times.overlaps(file.partitions, span)]
    read = wanted or list(files[-1:])
    with ThreadPoolExecutor(AT_ONCE) as pool:
        footers = list(pool.map(lambda file: _footer(file, filesystem), read))
    columns: dict[str, pa.DataType] = {} if declared is None else dict(zip(declared.names, declared.types, strict=True))
    constants = _constants([file.partitions for file in read], columns)
    for footer in footers:
        for column in footer.schema.to_arrow_schema():
            columns.setdefault(column.name, column.type)
    columns |= {name: kind for name, kind in _constant_types(constants).items() if name not in columns}
    splits: list[Split] = []
    firsts = np.cumsum([0, *(footer.num_row_groups for footer in footers)]).tolist()
    for file, footer, values, first in zip(read, footers, constants, firsts[:-1], strict=True):
        if file not in wanted:
            continue
        own = {name: value for name, value in values.items() if name not in footer.schema.to_arrow_schema().names}
        splits += [
            Split(file.path, number, footer.row_group(number).num_rows, own, first + number)
            for number in range(footer.num_row_groups)
            if timestamp is None or _may_hold(footer.row_group(number), *timestamp, span)
        ]
    return columns, splits


def _footer(file: DataFile, filesystem: pafs.FileSystem) -> pq.FileMetaData:
    try:
        with filesystem.open_input_file(file.path) as source:
            return pq.read_metadata(source)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"cannot read {file.path}: {str(error).splitlines()[0]}") from error


def _constants(partitions: Sequence[Mapping[str, str | None]], declared: Collection[str]) -> list[dict[str, pa.Scalar]]:
    """Partition values as scalars: integers where nothing is declared and a column's values all are, else text."""
    names = dict.fromkeys(name for values in partitions for name in values if name not in declared)
    whole = {name for name in names if all(_is_integer(values.get(name)) for values in partitions)}
    return [
        {
            name: pa.scalar(int(value), pa.int64())
            if name in whole and value is not None
            else pa.scalar(value, pa.int64() if name in whole else pa.string())
            for name, value in values.items()
        }
        for values in partitions
    ]


def _constant_types(constants: Sequence[Mapping[str, pa.Scalar]]) -> dict[str, pa.DataType]:
    return {name: value.type for values in constants for name, value in values.items()}


def _is_integer(value: str | None) -> bool:
    return value is None or INTEGER.fullmatch(value) is not None


def _may_hold(group: pq.RowGroupMetaData, name: str, form: TimeFormat, span: Span) -> bool:
    """Whether a row group's statistics leave room for rows of the span; without statistics they do."""
    numbers = [number for number in range(group.num_columns) if group.column(number).path_in_schema == name]
    statistics = group.column(numbers[0]).statistics if numbers else None
    if statistics is None or not statistics.has_min_max or isinstance(statistics.min, str | bytes):
        return True  # texts are not in the order of time where they carry offsets
    try:
        low, high = read_instants(pa.array([statistics.min, statistics.max]), form)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return True
    if UNDATED in (low, high):
        return True
    return (span.end is None or low < micros(span.end)) and (span.start is None or high >= micros(span.start))


def micros(moment: datetime) -> int:
    """Microseconds since 1970 UTC, exactly."""
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def instants(moments: Sequence[datetime]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """int64[n], microseconds since 1970 UTC."""
    return np.array([micros(moment) for moment in moments], np.int64)
