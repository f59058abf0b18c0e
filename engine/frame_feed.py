"""The frame feed: any Spark DataFrame, handed to the kernel in Arrow batches.

For tables, SQL, joined or preprocessed data, formats other than Parquet, and file systems that only Spark can open.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

import pyarrow as pa
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_type
from pyspark.sql.types import DataType

from engine.batches import NO_ROWS, Batch, Work
from engine.dated_rows import Tally, tally, when_by_piece
from engine.errors import DataError
from engine.file_pruning import prints_of, time_of
from engine.file_set import Time
from engine.frame_files import FILE, FrameFiles
from engine.mltable import Step, conversions_in
from engine.monitor import Columns
from engine.table_columns import converting, shaped
from engine.time_ranges import rows_with_any
from engine.windows import Window
from signals.conversions import Conversion

if TYPE_CHECKING:
    from signals.segments import Segment

__all__ = ["FrameDataset", "task_number"]


@dataclass(frozen=True)
class FrameDataset:
    """A DataFrame as a dataset; see `engine.batches.Dataset`.

    Attributes:
        files: the files that Spark reads it from, where that is known.
        append_only: whether its rows are only ever added, so that a count tells whether there are new ones.
        whole: where `frame` is a part of the dataset, all of it.
        steps: what becomes of its columns before the kernel sees them.
    """

    title: str
    frame: DataFrame
    fingerprint: str | None = None
    columns: Mapping[str, pa.DataType] = field(init=False)
    files: FrameFiles | None = None
    append_only: bool = False
    whole: DataFrame | None = None
    steps: tuple[Step, ...] = ()
    pieces = None
    mixed, by_window, envelope, notes = frozenset[str](), False, frozenset[str](), ()

    def __post_init__(self) -> None:
        types: dict[str, pa.DataType] = {}
        for column in self.frame.schema.fields:
            types.setdefault(column.name, _arrow_type(column.dataType))
        object.__setattr__(self, "columns", shaped(types, self.steps))

    def map(self, work: Work, names: tuple[str, ...], schema: pa.Schema) -> DataFrame:
        """See `engine.batches.Dataset.map`."""
        every = self.frame.columns
        places = [every.index(name) for name in names if name in self.columns]
        numbered = _numbered(self.frame)
        needed = numbered.select(*(f"c{place}" for place in places)) if places else numbered.select("c0")
        work = converting(work, self._conversions)
        return _mapped(needed, work, {f"c{place}": every[place] for place in places}, schema)

    def pieces_in(self, roles: Columns, spans: Sequence[Window]) -> None:
        """See `engine.batches.Dataset.pieces_in`."""

    def count_rows(self) -> int:
        """See `engine.batches.Dataset.count_rows`: one Spark job."""
        return self.frame.count()

    def within(self, roles: Columns, spans: Sequence[Window], segments: "Sequence[Segment]" = ()) -> "FrameDataset":
        """See `engine.batches.Dataset.within`: Spark leaves out files, and rows by a column that is a time to it."""
        if not spans:
            return self
        frame = self.frame
        if self.files is not None:
            kept = rows_with_any(self.files.held(self._time(roles), spans))
            if len(kept) < len(self.files.files):
                frame = frame.where(self.files.among(kept))
        return replace(self, frame=self._where_dated(frame, roles, spans), whole=self._whole)

    def fingerprints(self, roles: Columns, buckets: Sequence[Window]) -> dict[Window, str | None]:
        """See `engine.batches.Dataset.fingerprints`: one Spark job over the timestamps, where that can tell."""
        time = self._time(roles)
        try:
            if self.files is not None:
                return self._prints_by_file(self.files, time, roles, buckets)
            if self.append_only and time is not None and buckets:
                counted = tally(replace(self, frame=self._whole).within(roles, buckets), roles, buckets)
                return {bucket: _print_of(counted.get(bucket)) for bucket in buckets}
        except DataError:  # told when the rows themselves are read
            return dict.fromkeys(buckets)
        return dict.fromkeys(buckets, self.fingerprint)

    @property
    def _conversions(self) -> tuple[Conversion, ...]:
        return conversions_in(self.steps)

    @property
    def _whole(self) -> DataFrame:
        return self.frame if self.whole is None else self.whole

    def _time(self, roles: Columns) -> Time | None:
        return time_of(roles) if roles.timestamp in self.columns else None

    def _where_dated(self, frame: DataFrame, roles: Columns, spans: Sequence[Window]) -> DataFrame:
        """Rows of these spans and those without a timestamp, where Spark can tell them by the column's type."""
        kind = self.columns.get(roles.timestamp or "")
        if kind is None or not (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
            return frame
        if any(roles.timestamp in conversion.columns for conversion in self._conversions):
            return frame
        names = frame.columns
        column = F.col(f"c{names.index(roles.timestamp or '')}")
        inside = reduce(or_, [_between(column, kind, span) for span in spans])
        return _numbered(frame).where(inside | column.isNull()).toDF(*names)

    def _prints_by_file(
        self, files: FrameFiles, time: Time | None, roles: Columns, buckets: Sequence[Window]
    ) -> dict[Window, str | None]:
        untold = files.untold(time, buckets) if time is not None else []
        if time is not None and untold:
            files.learn(
                time,
                untold,
                when_by_piece(_ByFile(self._whole.where(files.among(untold)), self._conversions), roles, FILE),
            )
        return prints_of(files.files, files.held(time, buckets), buckets)


@dataclass(frozen=True)
class _ByFile:
    """Rows with the name of their file as a column."""

    frame: DataFrame
    conversions: tuple[Conversion, ...]

    def map(self, work: Work, names: tuple[str, ...], schema: pa.Schema) -> DataFrame:
        every = self.frame.columns
        labels = {f"c{place}": name for place, name in enumerate(every) if name in names}
        needed = _numbered(self.frame).select(*labels, F.col(FILE).alias("file"))
        return _mapped(needed, converting(work, self.conversions), labels | {"file": FILE}, schema)


def _numbered(frame: DataFrame) -> DataFrame:
    # By position: names may hold dots and quotes, or differ only by case, which Spark's resolution would trip over.
    return frame.toDF(*(f"c{place}" for place in range(len(frame.columns))))


def _mapped(needed: DataFrame, work: Work, labels: Mapping[str, str], schema: pa.Schema) -> DataFrame:
    def task(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        number = task_number()
        return work(_named(batches, labels, number), number)

    return needed.mapInArrow(task, from_arrow_schema(schema))


def _named(batches: Iterator[pa.RecordBatch], labels: Mapping[str, str], task: int) -> Iterator[Batch]:
    for batch in batches:
        found = {labels[name]: batch.column(name) for name in batch.schema.names if name in labels}
        yield Batch(found, batch.num_rows, task)


def task_number() -> int:
    """The number of the task that asks; 0 outside of tasks."""
    from pyspark import TaskContext

    context = TaskContext.get()
    return context.partitionId() if context else 0


def _arrow_type(kind: DataType) -> pa.DataType:
    try:
        return to_arrow_type(kind, timezone="UTC")
    except PySparkException:
        return pa.binary()  # a type without an Arrow form is left out, like every type without a distribution


def _between(column: Column, kind: pa.DataType, span: Window) -> Column:
    if pa.types.is_date(kind):
        return (column >= F.lit(span.start.date())) & (column <= F.lit(span.end.date()))
    zone = "timestamp_ntz" if kind.tz is None else "timestamp"
    start, end = (F.lit(_written(moment.isoformat(), zone)).cast(zone) for moment in (span.start, span.end))
    return (column >= start) & (column < end)


def _written(moment: str, zone: str) -> str:
    return moment.removesuffix("+00:00") if zone == "timestamp_ntz" else moment


def _print_of(found: Tally | None) -> str:
    return NO_ROWS if found is None else f"rows:{found[0]}:{found[1]}:{found[2]}"
