"""Which files a version of a table is made of, and in which folders they are."""

from collections.abc import Iterator

import pyarrow as pa
from deltalake import DeltaTable

__all__ = ["file_sizes", "partition_of"]


def file_sizes(table: DeltaTable) -> Iterator[tuple[str | None, int]]:
    """Of each file its folder, as the partition's value (None: the table has no partitions), and its bytes."""
    # Not pa.table(...): that imports pandas to ask whether it was handed a DataFrame.
    files = pa.RecordBatchReader.from_stream(table.get_add_actions(flatten=True)).read_all()
    sizes = files["size_bytes"].to_pylist()
    name = partition_of(table)
    folders = files[f"partition.{name}"].to_pylist() if name else [None] * len(sizes)
    return zip(folders, sizes, strict=True)


def partition_of(table: DeltaTable) -> str | None:
    """The column whose values are folders; a store's tables have one or none."""
    return next(iter(table.metadata().partition_columns), None)
