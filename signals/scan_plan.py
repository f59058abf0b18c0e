"""What does a scan count? Columns in their bins, by bucket of time and by segment."""

from dataclasses import dataclass

from signals.bins import Bins, CategoricalBins, NumericBins, ValueType, VectorBins
from signals.counters import CategoricalCounter, Counter, NumericCounter
from signals.keys import Buckets
from signals.profile import NAMED_UNSEEN
from signals.segments import EVERYTHING, Segment
from signals.timestamps import TimeFormat
from signals.vector_counter import VectorCounter

__all__ = ["ScanPlan", "ScannedColumn"]

SURVEYED_LENGTH = 1024
"""How long vectors are taken to be, before it is known."""


@dataclass(frozen=True)
class ScannedColumn:
    """One column of a scan.

    Attributes:
        name: its name in the batches; a batch without it counts as all null.
        bins: the frozen cells that it is counted in; without edges or categories while bins are being fitted.
        distinct_up_to: how many distinct numbers are told apart exactly; 0: they are not counted.
        estimate: whether more distinct numbers than that are estimated, or just known to be more.
        named: how many values outside the vocabulary are kept by name.
    """

    name: str
    bins: Bins
    distinct_up_to: int = 0
    estimate: bool = True
    named: int = NAMED_UNSEEN

    @property
    def width(self) -> int:
        """About how many values a row has."""
        if isinstance(self.bins, VectorBins):
            return self.bins.dimensions or 1
        return SURVEYED_LENGTH if self.bins.value_type is ValueType.VECTOR else 1

    @property
    def states(self) -> int:
        """How many states of the usual 2 KB one of it amounts to."""
        return max(1, self.bins.sums // 256)

    def counter(self) -> Counter:
        """A fresh counter of this column."""
        if isinstance(self.bins, NumericBins):
            return NumericCounter(self.bins, self.distinct_up_to, self.estimate)
        if isinstance(self.bins, CategoricalBins):
            return CategoricalCounter(self.bins, self.named)
        return VectorCounter(self.bins)


@dataclass(frozen=True)
class ScanPlan:
    """What a scan counts.

    Attributes:
        columns: the columns, in the order that states number them.
        timestamp: the column that tells a row's bucket; None where all rows are in one bucket.
        time_format: how the timestamp is written.
        buckets: the buckets; None where all rows are in one.
        sample_rate: the share of rows to keep as they are, for fitting bins.
        segments: the segments; a row may be in several, or in none.
    """

    columns: tuple[ScannedColumn, ...]
    timestamp: str | None = None
    time_format: TimeFormat = TimeFormat.AUTO
    buckets: Buckets | None = None
    sample_rate: float = 0.0
    segments: tuple[Segment, ...] = (EVERYTHING,)

    @property
    def names(self) -> tuple[str, ...]:
        """Every column that a scan reads, each once."""
        time = () if self.timestamp is None else (self.timestamp,)
        filters = (name for segment in self.segments for name in segment.columns)
        return tuple(dict.fromkeys((*(column.name for column in self.columns), *time, *filters)))

    @property
    def width(self) -> int:
        """About how many values a row has in all columns that are read."""
        return len(self.names) + sum(column.width - 1 for column in self.columns)

    @property
    def states(self) -> int:
        """How many states of the usual 2 KB those of one key amount to."""
        return sum(column.states for column in self.columns)

    @property
    def keys(self) -> int:
        """How many states there are of each column: that of bucket b and segment s is number b · segments + s."""
        return (1 if self.buckets is None else self.buckets.count) * len(self.segments)
