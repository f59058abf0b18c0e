"""The files of a dataset, and what is known of them: their columns, and when the rows of each row group are."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pyarrow as pa
import pyarrow.fs as pafs

from engine.batches import Span
from engine.errors import DataError
from engine.files import DataFile
from engine.footers import Footer, read_footers
from engine.partitions import PartitionTime, partition_constants
from engine.time_ranges import Stretch, stretches_between, stretches_in, stretches_of
from signals.timestamps import TimeFormat

__all__ = ["FileSet", "Group", "Outline", "Time"]

CUT_OFF = 999
"""Microseconds: some write timestamps into a table's log without what is less than a millisecond."""

Group = tuple[int, int]
"""A row group: its file's place among the files, and its number in the file."""
Time = tuple[str, TimeFormat]
"""The column that tells the time, and how it is written."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What is kept of a footer: the file's columns, and how many rows each row group has."""

    schema: pa.Schema
    rows: tuple[int, ...]


@dataclass(frozen=True)
class FileSet:
    """The Parquet files of a dataset.

    Footers are read when they are needed, so that a broken file is in nobody's way who does not need it.

    Attributes:
        files: all of them, by path.
        filesystem: where they are.
        root: a URI from which a task opens the same file system; None is the local one.
        times: the partition columns that tell the time.
        declared: the columns of a table that says what they are.
        converted: columns that get other values than the files have, so that nothing in a footer is about them.
    """

    files: tuple[DataFile, ...]
    filesystem: pafs.FileSystem
    root: str | None
    times: PartitionTime
    declared: Mapping[str, pa.DataType] | None = None
    converted: Collection[str] = ()
    _outlines: dict[int, Outline | DataError] = field(default_factory=dict[int, Outline | DataError])
    _schemas: dict[pa.Schema, pa.Schema] = field(default_factory=dict[pa.Schema, pa.Schema])
    _dated: dict[Time, dict[Group, Sequence[Stretch] | None]] = field(
        default_factory=dict[Time, dict[Group, Sequence[Stretch] | None]]
    )

    def columns(self, span: Span, time: Time | None) -> dict[str, pa.DataType]:
        """The columns of the files that may have rows of the span; of the newest file where none may.

        Args:
            span: by folders.
            time: what tells the time, where that is known, so that footers are read once for both.

        Raises:
            DataError: when none of the files can be read; it names the first.
        """
        if self.declared is not None:
            return {**self.declared}
        places = [place for place, file in enumerate(self.files) if self.times.overlaps(file.partitions, span)]
        if time is not None:
            self.dated(places, time)
        found = [*self.outlines(places or [len(self.files) - 1]).values()]
        schemas = dict.fromkeys(outline.schema for outline in found if isinstance(outline, Outline))
        if not schemas:
            raise next(each for each in found if isinstance(each, DataError))
        columns: dict[str, pa.DataType] = {}
        for schema in schemas:
            for column in schema:
                columns.setdefault(column.name, column.type)
        for values in self.constants:
            for name, value in values.items():
                columns.setdefault(name, value.type)
        return columns

    # ------------------------------------------------------------------------------------------ what folders say

    @cached_property
    def constants(self) -> Sequence[Mapping[str, pa.Scalar]]:
        """Each file's partition values: as declared, else integers where all values of a column are, else text."""
        return partition_constants([file.partitions for file in self.files], self.declared or {})

    @cached_property
    def folders(self) -> Sequence[Sequence[Stretch] | None]:
        """When each file's rows are, by its folders; None where they do not tell."""
        return [stretches_in(self.times.window(file.partitions)) for file in self.files]

    # ------------------------------------------------------------------------------------------ what footers say

    def outlines(self, places: Sequence[int]) -> dict[int, Outline | DataError]:
        """What these files' footers say, or what is wrong with them."""
        missing = [place for place in places if place not in self._outlines]
        for place, footer in self._footers(missing):
            self._outlines[place] = footer if isinstance(footer, DataError) else self._outline(footer)
        return {place: self._outlines[place] for place in places}

    def dated(self, places: Sequence[int], time: Time) -> dict[Group, Sequence[Stretch] | None]:
        """When the rows of each row group of these files are; None where statistics do not tell.

        A file that cannot be read has none.
        """
        known = self._dated.setdefault(time, {})
        told = {place for place, _ in known}
        for place, footer in self._footers([place for place in places if place not in told]):
            self._outlines[place] = footer if isinstance(footer, DataError) else self._outline(footer)
            if not isinstance(footer, DataError):
                known |= {(place, number): each for number, each in enumerate(self._when(place, footer, time))}
        wanted = {*places}
        return {group: when for group, when in known.items() if group[0] in wanted}

    def logged(self, place: int, time: Time) -> Sequence[Stretch] | None:
        """When a file's rows are, as its table's log has it."""
        low, high = self.files[place].bounds.get(time[0], (None, None))
        return stretches_between(low, high, time[1], CUT_OFF)

    def learn(self, time: Time, found: Mapping[Group, Sequence[Stretch]]) -> None:
        """Take in when the rows of row groups are, as it was counted."""
        self._dated[time] |= found

    def ranges(self, places: Sequence[int], names: Collection[str]) -> dict[Group, dict[str, tuple[object, object]]]:
        """The least and greatest values of columns in each row group, as far as footers and folders tell."""
        found: dict[Group, dict[str, tuple[object, object]]] = {}
        for place, footer in self._footers(places):
            if isinstance(footer, DataError):
                continue
            for number in range(footer.metadata.num_row_groups):
                own = [name for name in names if name in footer.schema.names and name not in self.converted]
                told = {name: footer.bounds(number, name) for name in own}
                constants = {name: value.as_py() for name, value in self.own(place, footer.schema).items()}
                found[place, number] = {name: (value, value) for name, value in constants.items()} | {
                    name: (each.low, each.high) for name, each in told.items()
                }
        return found

    def own(self, place: int, schema: pa.Schema) -> dict[str, pa.Scalar]:
        """The partition values of a file that it does not hold as columns."""
        return {name: value for name, value in self.constants[place].items() if name not in schema.names}

    def _footers(self, places: Sequence[int]) -> Iterator[tuple[int, Footer | DataError]]:
        found = read_footers([self.files[place] for place in places], self.filesystem, self.root)
        return zip(places, (footer for _, footer in found), strict=True)

    def _outline(self, footer: Footer) -> Outline:
        schema = footer.schema.remove_metadata()
        return Outline(self._schemas.setdefault(schema, schema), footer.rows)  # thousands of files have few schemas

    def _when(self, place: int, footer: Footer, time: Time) -> list[Sequence[Stretch] | None]:
        name, form = time
        if name in self.converted:
            return [None] * footer.metadata.num_row_groups
        constant = self.own(place, footer.schema).get(name)
        if constant is not None:
            return [stretches_of(constant, form)] * footer.metadata.num_row_groups
        bounds = [footer.bounds(number, name) for number in range(footer.metadata.num_row_groups)]
        return [[] if each.nothing else stretches_between(each.low, each.high, form) for each in bounds]
