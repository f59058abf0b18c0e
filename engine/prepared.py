"""Preprocessed data as a dataset: what a component returns, cut by its timestamps or, without any, by the call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from engine.batches import NO_ROWS, Work
from engine.file_pruning import prints_of
from engine.files import DataFile
from engine.frame_feed import FrameDataset
from engine.monitor import Columns
from engine.partitions import PartitionTime
from engine.preprocessing import Calls
from engine.roles import find_roles, require
from engine.table_frames import united
from engine.time_ranges import overlapping, stretches_in
from engine.windows import Window
from signals.catalogue import near_names

if TYPE_CHECKING:
    from signals.segments import Segment

__all__ = ["Input", "PreparedDataset", "prepared"]

CALLED_AT = "timestamp"
"""The column that tells which call a row is of, where rows have no time of their own and none is named."""


@dataclass(frozen=True)
class Input:
    """What a component reads.

    Attributes:
        fingerprint: text that changes when its data or the component's code change; None where that cannot be told.
        code: the part of it that is about the code.
        files: its files, where it is some.
        times: their folders that tell the time.
    """

    fingerprint: str | None
    code: str
    files: tuple[DataFile, ...] = ()
    times: PartitionTime = PartitionTime({})  # noqa: RUF009 - frozen

    def prints(self, buckets: Sequence[Window]) -> dict[Window, str | None]:
        """By bucket the state of what its rows are made of: of dated folders where there are some, else of all."""
        if not self.times.steps or self.fingerprint is None:
            return dict.fromkeys(buckets, self.fingerprint)
        folders = [stretches_in(self.times.window(file.partitions)) for file in self.files]
        found = prints_of(self.files, overlapping(folders, buckets), buckets)
        return {bucket: each if each == NO_ROWS else f"{each} {self.code}" for bucket, each in found.items()}


@dataclass(frozen=True)
class PreparedDataset:
    """What a component makes of its input; see `engine.batches.Dataset`.

    Attributes:
        calls: the component.
        window: the stretch of time that is needed at all.
        stamp: the column that tells of which call a row is; None where rows have a time of their own, so that the one
            call for all of the stretch is cut by it.
        cuts: what is wanted of it.
    """

    title: str
    calls: Calls
    input: Input
    window: Window
    columns: Mapping[str, pa.DataType]
    stamp: str | None
    cuts: "tuple[tuple[Columns, tuple[Window, ...], tuple[Segment, ...]], ...]" = ()
    pieces = None
    mixed = frozenset[str]()

    @property
    def envelope(self) -> frozenset[str]:
        return frozenset({self.stamp} if self.stamp else ())

    @property
    def fingerprint(self) -> str | None:
        return self.input.fingerprint

    @property
    def by_window(self) -> bool:
        """See `engine.batches.Dataset`."""
        return self.stamp is not None

    @property
    def notes(self) -> Sequence[str]:
        """See `engine.batches.Dataset`."""
        said = "its rows carry no timestamp, so all rows of a call are of the window that it was asked for"
        return (f"{self.title}: {said}",) if self.by_window else ()

    def map(self, work: Work, names: tuple[str, ...], schema: pa.Schema) -> DataFrame:
        """See `engine.batches.Dataset.map`."""
        return self._held.map(work, names, schema)

    def pieces_in(self, roles: Columns, spans: Sequence[Window]) -> None:
        """See `engine.batches.Dataset.pieces_in`."""

    def count_rows(self) -> int:
        """See `engine.batches.Dataset.count_rows`."""
        return self._held.count_rows()

    def within(self, roles: Columns, spans: Sequence[Window], segments: "Sequence[Segment]" = ()) -> "PreparedDataset":
        """See `engine.batches.Dataset.within`: without timestamps each of the spans is a call of its own."""
        return replace(self, cuts=(*self.cuts, (roles, tuple(spans), tuple(segments))))

    def fingerprints(self, roles: Columns, buckets: Sequence[Window]) -> dict[Window, str | None]:
        """See `engine.batches.Dataset.fingerprints`."""
        return self.input.prints(buckets)

    @property
    def _held(self) -> FrameDataset:
        if self.stamp is None:
            held = FrameDataset(self.title, self.calls.rows(self.window))
            for roles, spans, segments in self.cuts:
                held = held.within(roles, spans, segments)
            return held
        asked = next((spans for _, spans, _ in reversed(self.cuts) if spans), (self.window,))
        return FrameDataset(self.title, united([self._stamped(span, self.stamp) for span in asked]))

    def _stamped(self, span: Window, stamp: str) -> DataFrame:
        return self.calls.rows(span).withColumn(stamp, F.lit(span.start.isoformat()).cast("timestamp"))


def prepared(title: str, calls: Calls, input_: Input, window: Window, declared: Columns) -> PreparedDataset:
    """The dataset that a component makes.

    Raises:
        DataError: it failed; or it returned no timestamp, but a column that may have been meant for it.
    """
    columns = FrameDataset(title, calls.frame(window)).columns
    roles, _ = find_roles(title, declared, columns)
    if roles.timestamp in columns:
        return PreparedDataset(title, calls, input_, window, columns, None)
    if roles.timestamp and near_names(roles.timestamp, list(columns)):
        require(title, "timestamp", roles.timestamp, columns)
    stamp = roles.timestamp or CALLED_AT
    return PreparedDataset(title, calls, input_, window, {**columns, stamp: pa.timestamp("us", "UTC")}, stamp)
