"""What do the footers of Parquet files say: which columns, how many rows, and between which values?"""

from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from engine.errors import DataError
from engine.files import DataFile

__all__ = ["Bounds", "Footer", "read_footers"]

AT_ONCE = 8
KEPT_BYTES = 8_000_000
"""Of footers as they lie in their files; in memory they take about ten times as much."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the greatest value of a column in one row group; both None where nobody knows.

    Attributes:
        nothing: whether all its values are null.
    """

    low: object = None
    high: object = None
    nothing: bool = False


@dataclass(frozen=True)
class Footer:
    """The footer of one file.

    Attributes:
        schema: the file's columns.
        metadata: as pyarrow reads it.
        leaves: where the statistics of a column that is not nested are.
    """

    schema: pa.Schema
    metadata: pq.FileMetaData
    leaves: Mapping[str, int]

    @property
    def rows(self) -> tuple[int, ...]:
        """How many rows each row group has."""
        return tuple(self.metadata.row_group(number).num_rows for number in range(self.metadata.num_row_groups))

    def bounds(self, group: int, name: str) -> Bounds:
        """What the statistics of a row group say of a column; a column that the file lacks is all null."""
        if name not in self.schema.names:
            return Bounds(nothing=True)
        place = self.leaves.get(name)
        found = None if place is None else self.metadata.row_group(group).column(place).statistics
        if found is None:
            return Bounds()
        if not found.has_min_max:
            nulls = found.null_count if found.has_null_count else 0
            return Bounds(nothing=nulls == self.metadata.row_group(group).num_rows)
        try:
            return Bounds(found.min, found.max)
        except (OverflowError, ValueError):  # a time beyond what Python's datetime can hold
            return Bounds()


def read_footers(
    files: Sequence[DataFile], filesystem: pafs.FileSystem, root: str | None
) -> Iterator[tuple[DataFile, Footer | DataError]]:
    """Every file with its footer, in order, several read at once; or with what is wrong with it.

    Args:
        files: the files.
        filesystem: where they are.
        root: tells one file system from another of its kind.
    """

    def read(file: DataFile) -> Footer | DataError:
        return KEPT.get(root, file) or _read(file, filesystem, root)

    if sum(KEPT.get(root, file) is None for file in files) <= 1:
        yield from ((file, read(file)) for file in files)
        return
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from zip(files, pool.map(read, files), strict=True)


def _read(file: DataFile, filesystem: pafs.FileSystem, root: str | None) -> Footer | DataError:
    try:
        with filesystem.open_input_file(file.path) as source:
            footer = _footer(pq.read_metadata(source))
    except (OSError, pa.ArrowException) as error:
        return DataError(f"cannot read {file.path}: {str(error).splitlines()[0]}")
    KEPT.put(root, file, footer)
    return footer


def _footer(metadata: pq.FileMetaData) -> Footer:
    schema = metadata.schema.to_arrow_schema()
    paths = [metadata.schema.column(number).path for number in range(metadata.num_columns)]
    had, names = Counter(paths), {*schema.names}
    # The field b of a nested column a has the path of a column named "a.b".
    return Footer(schema, metadata, {path: n for n, path in enumerate(paths) if path in names and had[path] == 1})


class _Kept:
    """The footers that were read last, for the next monitor of this process."""

    def __init__(self) -> None:
        self._footers: OrderedDict[tuple[str | None, str, int, int], Footer] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, root: str | None, file: DataFile) -> Footer | None:
        with self._lock:
            return self._footers.get(_version(root, file))

    def put(self, root: str | None, file: DataFile, footer: Footer) -> None:
        with self._lock:
            self._footers[_version(root, file)] = footer
            self._bytes += footer.metadata.serialized_size
            while self._bytes > KEPT_BYTES:
                self._bytes -= self._footers.popitem(last=False)[1].metadata.serialized_size


KEPT = _Kept()


def _version(root: str | None, file: DataFile) -> tuple[str | None, str, int, int]:
    return root, file.path, file.size, file.modified
