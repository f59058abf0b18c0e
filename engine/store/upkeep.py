"""A table that grows by a commit a day stays quick to read: many small files become one, and old ones go."""

from collections import Counter
from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, WriterProperties
from deltalake.exceptions import DeltaError

__all__ = ["SMALL_FILES", "WRITER", "tidy"]

SMALL_FILES = 16
"""How many small files a partition may have: each one that a reader opens takes it a millisecond or two."""

FILE_SIZE = 32 * 2**20
"""Bytes of a file that small ones are put into: a change of one of its rows writes all of it."""

WRITER = WriterProperties(compression="ZSTD")


def tidy(table: DeltaTable, touched: pa.Table) -> None:
    """Compact the partitions of these rows that have many small files, and remove what nobody can be reading.

    Files that are part of no version stay for seven days (deltalake's default), since who opened the table earlier
    may still read them. Whatever goes wrong is left to the next commit: the rows are safe already, and most likely
    another process is compacting.
    """
    try:
        crowded = crowded_partitions(table, touched)
        if crowded is not None:
            table.optimize.compact(crowded or None, target_size=FILE_SIZE, writer_properties=WRITER)
            table.vacuum(dry_run=False, full=True)
            table.cleanup_metadata()
    except (DeltaError, OSError, pa.ArrowException):
        return


def crowded_partitions(table: DeltaTable, touched: pa.Table) -> list[tuple[str, str, Collection[str]]] | None:
    """A filter for those of the rows' partitions that have too many small files; empty: it has no partitions.

    Returns:
        None where no partition has.
    """
    # Not pa.table(...): that imports pandas to ask whether it was handed a DataFrame.
    files = pa.RecordBatchReader.from_stream(table.get_add_actions(flatten=True)).read_all()
    small = files.filter(pc.less(files["size_bytes"], FILE_SIZE // 2))
    folders = table.metadata().partition_columns
    if not folders:
        return [] if small.num_rows > SMALL_FILES else None
    name = folders[0]
    counted = Counter(small[f"partition.{name}"].to_pylist())
    crowded = sorted(value for value in set(touched[name].to_pylist()) if counted[value] > SMALL_FILES)
    return [(name, "in", crowded)] if crowded else None
