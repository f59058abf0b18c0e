"""Parquet files as a dataset: what cannot hold the rows that are wanted is not read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from engine.batches import Work
from engine.dated_rows import when_by_piece
from engine.errors import DataError
from engine.file_feed import FileFeed, Split
from engine.file_pruning import Cut, held_by, pairs_of, prints_of, splits_of, time_of
from engine.file_set import FileSet, Group, Outline
from engine.monitor import Columns
from engine.time_ranges import rows_with_any
from engine.windows import Window
from signals.conversions import Conversion

if TYPE_CHECKING:
    from signals.segments import Segment

__all__ = ["FileDataset"]


@dataclass(frozen=True)
class FileDataset:
    """Parquet files; see `engine.batches.Dataset`.

    Attributes:
        files: all files of the dataset.
        cuts: what is wanted of them.
        conversions: what becomes of columns before the kernel sees them; `columns` has the types that they have then.
    """

    title: str
    spark: SparkSession
    columns: Mapping[str, pa.DataType]
    files: FileSet
    fingerprint: str
    cuts: tuple[Cut, ...] = ()
    conversions: tuple[Conversion, ...] = ()
    mixed, by_window, envelope, notes = frozenset[str](), False, frozenset[str](), ()

    @cached_property
    def splits(self) -> Sequence[Split]:
        """The row groups that may hold rows that are wanted, by path and number.

        Raises:
            DataError: when a file that is needed cannot be read; it names the file.
        """
        return splits_of(self.files, self.cuts)

    @property
    def pieces(self) -> int:
        """See `engine.batches.Dataset`."""
        return len(self.splits)

    def pieces_in(self, roles: Columns, spans: Sequence[Window]) -> int:
        """See `engine.batches.Dataset.pieces_in`."""
        return pairs_of(self.files, self.cuts, self._own(roles), spans)

    def count_rows(self) -> int:
        """See `engine.batches.Dataset.count_rows`: the footers tell."""
        return sum(split.rows for split in self.splits)

    def map(self, work: Work, names: tuple[str, ...], schema: pa.Schema) -> DataFrame:
        """See `engine.batches.Dataset.map`."""
        return self._feed.map(work, names, schema)

    def within(self, roles: Columns, spans: Sequence[Window], segments: "Sequence[Segment]" = ()) -> "FileDataset":
        """See `engine.batches.Dataset.within`."""
        return replace(self, cuts=(*self.cuts, Cut(self._own(roles), tuple(spans), tuple(segments))))

    def fingerprints(self, roles: Columns, buckets: Sequence[Window]) -> dict[Window, str | None]:
        """See `engine.batches.Dataset.fingerprints`.

        A file without statistics of the timestamp is looked into, once: one Spark job over that column alone.
        """
        own = self._own(roles)
        held = held_by(self.files, own, buckets)
        unreadable: list[int] = []
        if held.untold:
            try:
                self._look_into(held.untold, own)
                held = held_by(self.files, own, buckets)
            except DataError:  # told when the rows themselves are read
                unreadable = sorted({place for place, _ in held.untold})
        prints = prints_of(self.files.files, held.files, buckets)
        lost = {buckets[number] for number in rows_with_any(held.files[unreadable].T)}
        return {bucket: None if bucket in lost else print_ for bucket, print_ in prints.items()}

    @property
    def _feed(self) -> FileFeed:
        return self._feed_of(self.splits)

    def _feed_of(self, splits: Sequence[Split]) -> FileFeed:
        return FileFeed(self.spark, self.columns, splits, self.files.root, self.conversions)

    def _own(self, roles: Columns) -> Columns:
        """The roles of which this dataset has the columns; of several that are joined another may have them."""
        return roles if roles.timestamp in self.columns else replace(roles, timestamp=None)

    def _look_into(self, groups: Sequence[Group], roles: Columns) -> None:
        time = time_of(roles)
        assert time is not None
        splits = [self._split(rank, group) for rank, group in enumerate(groups)]
        found = when_by_piece(self._feed_of(splits), roles)
        self.files.learn(time, {group: found.get(str(rank), []) for rank, group in enumerate(groups)})

    def _split(self, rank: int, group: Group) -> Split:
        place, number = group
        outline = self.files.outlines([place])[place]
        assert isinstance(outline, Outline)
        return Split(
            self.files.files[place].path, number, outline.rows[number], self.files.own(place, outline.schema), rank
        )
