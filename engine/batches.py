"""What a task reads: batches of named Arrow columns, whatever feed they come from."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa
from pyspark.sql import DataFrame

from engine.monitor import Columns
from engine.windows import Window

if TYPE_CHECKING:
    from signals.segments import Segment

__all__ = ["NO_ROWS", "Batch", "Batches", "Dataset", "Span", "Work"]

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
NO_ROWS = "empty"
"""The fingerprint of a bucket that certainly has no rows."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows.

    Attributes:
        arrays: their columns by name; a file may lack some.
        size: how many they are.
        origin: which piece of the dataset they are of: a row group's rank by (path, number), which `Dataset.within`
            keeps; a task's number where only Spark knows.
    """

    arrays: Mapping[str, pa.Array]
    size: int
    origin: int = 0


Batches = Iterator[Batch]
Work = Callable[[Batches, int], Iterator[pa.RecordBatch]]
"""What a task does with its batches; the second argument is its number."""


@dataclass(frozen=True, slots=True)
class Span:
    """The stretch of time that is needed at all, half-open; None is unbounded. Reading more is allowed, less is not."""

    start: datetime | None = None
    end: datetime | None = None

    @property
    def window(self) -> Window:
        """The same stretch, from the calendar's beginning or to its end where it is unbounded."""
        return Window(self.start or FIRST, self.end or LAST)


class Dataset(Protocol):
    """A dataset that Spark can map over.

    Attributes:
        title: how messages name it.
        columns: its columns' Arrow types by name, in order.
        fingerprint: text that changes when the data change; None where that cannot be told.
        pieces: of how many pieces it is, such as row groups, each of which is counted on its own; None where only Spark
            knows.
        by_window: whether its rows have no time of their own, but are those of the span that is asked for (`within`):
            then spans that are asked for together do not overlap, and a window is not made of buckets.
        mixed: columns of which some values are of another type than the column's: what reads all of them as one type
            takes texts, so that these can be told.
        envelope: columns that tell how rows were logged, and so are no features, whatever role they play.
        notes: what whoever reads it should know, such as what could not be read.
    """

    @property
    def title(self) -> str: ...

    @property
    def columns(self) -> Mapping[str, pa.DataType]: ...

    @property
    def fingerprint(self) -> str | None: ...

    @property
    def pieces(self) -> int | None: ...

    @property
    def by_window(self) -> bool: ...

    @property
    def mixed(self) -> frozenset[str]: ...

    @property
    def envelope(self) -> frozenset[str]: ...

    @property
    def notes(self) -> Sequence[str]: ...

    def pieces_in(self, roles: Columns, spans: Sequence[Window]) -> int | None:
        """How many pairs there are of a piece and a span of which it may hold rows; None where only Spark knows."""
        ...

    def map(self, work: Work, names: tuple[str, ...], schema: pa.Schema) -> DataFrame:
        """Hand batches of the named columns to `work` in tasks; a frame of `schema` with what it yields."""
        ...

    def count_rows(self) -> int:
        """How many rows there are, before any window is cut; a bound from above where that is cheaper."""
        ...

    def within(self, roles: Columns, spans: Sequence[Window], segments: "Sequence[Segment]" = ()) -> "Dataset":
        """What may hold rows of any of these spans (none given: of all time) and of any of these segments (none: all).

        Reading more is allowed, less is not.
        """
        ...

    def fingerprints(self, roles: Columns, buckets: Sequence[Window]) -> dict[Window, str | None]:
        """By bucket a text that is equal only where its rows are unchanged.

        `NO_ROWS` where certainly nothing is there; None where it cannot be told, so that the bucket is read again.
        """
        ...
