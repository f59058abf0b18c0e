"""A table that grows by a commit a day stays quick to read: many small files become one, and old ones go."""

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
from deltalake import DeltaTable, WriterProperties
from deltalake.exceptions import CommitFailedError, DeltaError

from engine.store.file_listing import file_sizes, partition_of

__all__ = ["FILE_SIZE", "SMALL_FILES", "WRITER", "compact", "crowded_folders", "sweep", "tidy"]

SMALL_FILES = 16
"""How many small files a partition may have: each one that a reader opens takes it a millisecond or two."""

FILE_SIZE = 8 * 2**20
"""Bytes of a file that small ones are put into: a change of one of its rows, or a few more small files, write all of
it again, so that larger ones would make a year of compactions dearer than they make its reading cheaper."""

WRITER = WriterProperties(compression="ZSTD")


def tidy(table: DeltaTable, touched: pa.Table) -> None:
    """Compact the partitions of these rows that have many small files, and remove what nobody can be reading.

    Whatever goes wrong is left to the next commit: the rows are safe already, and most likely another process is
    compacting.
    """
    try:
        crowded = crowded_folders(table, touched)
        if crowded and compact(table, crowded):
            sweep(table)
    except (DeltaError, OSError, pa.ArrowException):
        return


def sweep(table: DeltaTable) -> None:
    """Remove files that are part of no version and older than seven days (deltalake's default), and old log entries.

    Who opened the table earlier may still read them until then, and who writes them may not have committed yet.
    """
    table.vacuum(dry_run=False, full=True)
    table.cleanup_metadata()


def crowded_folders(table: DeltaTable, touched: pa.Table) -> list[str | None]:
    """Those of the rows' partitions that have too many small files; None: the table, which has no partitions."""
    counted = Counter(folder for folder, size in file_sizes(table) if size < FILE_SIZE // 2)
    name = partition_of(table)
    folders = sorted(set(touched[name].to_pylist())) if name else [None]
    return [folder for folder in folders if counted[folder] > SMALL_FILES]


def compact(table: DeltaTable, folders: Sequence[str | None]) -> bool:
    """Make few files of many, in one commit where that is possible; whether any were made.

    Raises:
        CommitFailedError: another process has just changed one of the files.
    """
    try:
        return _compacted(table, folders)
    except CommitFailedError:
        raise
    except DeltaError:  # delta-rs does not find the files of a folder with ~ in its name, and gives up on all
        return sum(_tried(table, each) for each in folders) > 0


def _tried(table: DeltaTable, folder: str | None) -> bool:
    try:
        return _compacted(table, [folder])
    except DeltaError:
        return False


def _compacted(table: DeltaTable, folders: Sequence[str | None]) -> bool:
    name = partition_of(table)
    filters = [(name, "in", [each for each in folders if each is not None])] if name else None
    done = table.optimize.compact(filters, target_size=FILE_SIZE, writer_properties=WRITER)
    return bool(done["numFilesAdded"])
