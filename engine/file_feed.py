"""The file feed: Spark distributes row groups, not rows; each task opens its own with pyarrow.

Only the needed columns are read, strings as dictionaries, and no row group whose timestamps lie outside the span. The
JVM never touches a value.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from engine.batches import Batch, Work
from engine.spark import UNREADABLE, parallelism
from engine.table_columns import converting
from signals.conversions import Conversion
from signals.values import list_type_of

__all__ = ["FileFeed", "Split", "shared_out"]

ROWS_AT_ONCE = 65_536
"""A batch of doubles of this length, and what is made of it, stay in the processor's cache."""
VALUES_AT_ONCE = 64 * ROWS_AT_ONCE
"""Of a column of lists: 32 MB of doubles."""
BYTES_AT_ONCE = 65_536
"""So much of each column is read from a local disk at once; so a task's memory does not grow with row groups."""


@dataclass(frozen=True, slots=True)
class Split:
    """One row group of one file.

    Attributes:
        path: the file, as its file system names it.
        row_group: its number in the file.
        rows: how many rows it has.
        constants: the values of its partition columns, which the file does not hold.
        rank: its place among all row groups of the dataset, by path and number.
    """

    path: str
    row_group: int
    rows: int
    constants: Mapping[str, pa.Scalar]
    rank: int = 0


@dataclass(frozen=True)
class FileFeed:
    """Row groups of Parquet files, as Spark maps over them.

    Attributes:
        columns: the dataset's columns.
        root: a URI from which a task opens the same file system; None is the local one.
        conversions: what becomes of columns before the work sees them.
    """

    spark: SparkSession
    columns: Mapping[str, pa.DataType]
    splits: Sequence[Split]
    root: str | None = None
    conversions: tuple[Conversion, ...] = ()

    @property
    def tasks(self) -> int:
        """In how many tasks it is read: two for each that can run at once, so that a slow one is made up for."""
        return max(1, min(len(self.splits), 2 * parallelism(self.spark)))

    def map(self, work: Work, names: tuple[str, ...], schema: pa.Schema) -> DataFrame:
        """See `engine.batches.Dataset.map`."""
        shares = shared_out(self.splits, self.tasks)
        root, work = self.root, converting(work, self.conversions)
        texts = [name for name in names if _is_text(self.columns.get(name))]

        def task(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                for number in batch.column(0).to_pylist():
                    yield from work(read_splits(shares[number], names, texts, root), number)

        return self.spark.range(0, len(shares), 1, len(shares)).mapInArrow(task, from_arrow_schema(schema))


def shared_out(splits: Sequence[Split], count: int) -> list[list[Split]]:
    """The splits in so many shares of about equal rows; the same splits always share out the same way."""
    shares: list[list[Split]] = [[] for _ in range(count)]
    loads = [(0, number) for number in range(count)]
    for split in sorted(splits, key=lambda split: (-split.rows, split.path, split.row_group)):
        load, number = heapq.heappop(loads)
        shares[number].append(split)
        heapq.heappush(loads, (load + split.rows, number))
    # A file's row groups one after the other, so that it is opened once.
    return [sorted(share, key=lambda split: (split.path, split.row_group)) for share in shares]


def read_splits(
    splits: Sequence[Split], names: Sequence[str], texts: Sequence[str], filesystem: str | None
) -> Iterator[Batch]:
    """The named columns of these row groups, in batches."""
    opened = pafs.FileSystem.from_uri(filesystem)[0] if filesystem else None
    path, file = "", None
    for split in splits:
        constants = {name: value for name, value in split.constants.items() if name in names}
        try:
            if file is None or split.path != path:
                path, file = split.path, _open(split.path, texts, opened)
            present = [name for name in names if name in file.schema_arrow.names]
            for arrays, rows in _batches(file, split, present):
                repeated = {name: pa.repeat(value, rows) for name, value in constants.items()}
                yield Batch(arrays | repeated, rows, split.rank)
        except (OSError, pa.ArrowException) as error:
            raise RuntimeError(f"{UNREADABLE}{split.path}: {str(error).splitlines()[0]}") from error


def _batches(file: pq.ParquetFile, split: Split, names: list[str]) -> Iterator[tuple[dict[str, pa.Array], int]]:
    if not names:
        yield {}, split.rows
        return
    at_once = _rows_at_once(file, split, names)
    for batch in file.iter_batches(at_once, row_groups=[split.row_group], columns=names, use_threads=False):
        # Asked for "a.b", pyarrow also reads field b of a nested column a.
        yield {name: batch.column(name) for name in names}, batch.num_rows


def _rows_at_once(file: pq.ParquetFile, split: Split, names: list[str]) -> int:
    """Fewer rows where a column's lists are long."""
    lists = tuple(f"{name}." for name in names if list_type_of(file.schema_arrow.field(name).type))
    if not lists:
        return ROWS_AT_ONCE
    group = file.metadata.row_group(split.row_group)
    leaves = (group.column(number) for number in range(group.num_columns))
    values = max((leaf.num_values for leaf in leaves if leaf.path_in_schema.startswith(lists)), default=0)
    return max(1, min(ROWS_AT_ONCE, VALUES_AT_ONCE * split.rows // max(1, values)))


def _open(path: str, texts: Sequence[str], filesystem: pafs.FileSystem | None) -> pq.ParquetFile:
    footer = pq.read_metadata(path, filesystem=filesystem)
    leaves = {footer.schema.column(number).path for number in range(footer.num_columns)}
    # A dictionary must not be asked of a column that this file lacks, or has as something nested.
    dictionaries = [name for name in texts if name in leaves]
    # A remote file in few large requests, each row group at once; a local one in small reads.
    remote = filesystem is not None
    return pq.ParquetFile(
        path,
        metadata=footer,
        read_dictionary=dictionaries,
        filesystem=filesystem,
        pre_buffer=remote,
        buffer_size=0 if remote else BYTES_AT_ONCE,
    )


def _is_text(kind: pa.DataType | None) -> bool:
    return kind is not None and (pa.types.is_string(kind) or pa.types.is_large_string(kind))
