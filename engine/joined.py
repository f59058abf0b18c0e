"""Several production datasets as one: each row of the first with what the others say of its correlation id."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import isodate
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from engine.batches import NO_ROWS, Batches, Dataset, Span, Work
from engine.datasets import open_dataset
from engine.errors import DataError
from engine.frame_feed import FrameDataset
from engine.monitor import Columns, Data, Source
from engine.plain import read_ids, read_plain
from engine.roles import find_roles
from engine.windows import Window
from signals.bins import ValueType
from signals.values import column_type_of

if TYPE_CHECKING:
    from signals.segments import Segment

__all__ = ["JoinedDataset", "Part", "open_production"]

KEY = "key"
PLAIN = {
    ValueType.BOOLEAN: pa.bool_(),
    ValueType.INTEGER: pa.int64(),
    ValueType.DOUBLE: pa.float64(),
    ValueType.DATE: pa.date32(),
    ValueType.TIMESTAMP: pa.timestamp("us", "UTC"),
    ValueType.VECTOR: pa.list_(pa.float64()),
    ValueType.LIST: pa.list_(pa.string()),
}
"""How columns travel; all others as text."""


def open_production(spark: SparkSession, datas: Sequence[Data], span: Span, frames: Mapping[str, DataFrame]) -> Dataset:
    """The production data of a signal.

    One dataset is opened as it is. Several are joined by correlation id: every row of the first stays once, with the
    columns that the others add; of rows of another dataset with the same id one is taken, always the same one.

    Raises:
        DataError: when data cannot be read, or have no correlation id to be joined by.
    """
    first = open_dataset(spark, datas[0], span, frames)
    if len(datas) == 1:
        return first
    parts: list[Part] = []
    seen: set[str] = set()
    for data in datas:
        dataset = open_dataset(spark, data, _near(span, _distance(data.source)), frames) if parts else first
        part = _part(data, dataset, seen)
        parts.append(part)
        seen |= {*part.columns, part.correlation_id}
    return JoinedDataset(tuple(parts))


def _near(span: Span, distance: str | None) -> Span:
    """Where the rows that are joined to those of a span are; anywhere where nobody knows when they were written."""
    if distance is None or span.start is None or span.end is None:
        return Span()
    around = _around(Window(span.start, span.end), distance)
    return Span(around.start, around.end)


def _around(window: Window, distance: str) -> Window:
    length = isodate.parse_duration(distance)
    return Window(window.start - length, window.end + length)


@dataclass(frozen=True)
class Part:
    """One of several datasets.

    Attributes:
        dataset: its rows.
        correlation_id: the column that they are joined by.
        columns: what it adds, with types.
        roles: its own columns' roles.
        distance: how far in time its rows lie from those that they are joined to, at most; None: nobody knows.
    """

    dataset: Dataset
    correlation_id: str
    columns: Mapping[str, pa.DataType]
    roles: Columns
    distance: str | None = None

    def near(self, spans: Sequence[Window]) -> "Part":
        """What may be joined to rows of these spans."""
        if self.distance is None or not spans:
            return self
        return replace(self, dataset=self.dataset.within(self.roles, [_around(span, self.distance) for span in spans]))

    def fingerprints(self, buckets: Sequence[Window]) -> dict[Window, str | None]:
        """By bucket the state of what may be joined to its rows."""
        if self.distance is None:
            return dict.fromkeys(buckets, self.dataset.fingerprint)
        around = {bucket: _around(bucket, self.distance) for bucket in buckets}
        found = self.dataset.fingerprints(self.roles, [*around.values()])
        return {bucket: found[around[bucket]] for bucket in buckets}


def _part(data: Data, dataset: Dataset, seen: set[str]) -> Part:
    roles, _ = find_roles(dataset.title, data.columns, dataset.columns)
    if roles.correlation_id is None or roles.correlation_id not in dataset.columns:
        hint = "name it in data_column_names.correlation_id"
        raise DataError(f"{dataset.title}: to be joined it needs a correlation id: {hint}")
    # What tells of which call a row is says nothing once it is joined to another's row.
    stamp = dataset.envelope if dataset.by_window else frozenset[str]()
    own = {roles.correlation_id, *stamp} if seen else set[str]()
    added = {name: kind for name, kind in dataset.columns.items() if name not in seen | own}
    return Part(dataset, roles.correlation_id, added, roles, _distance(data.source))


def _distance(source: Source) -> str | None:
    """See `Part.distance`; what a component makes is asked for by the same window as the first dataset's rows."""
    return "PT0S" if source.preprocessing and source.joined_within is None else source.joined_within


@dataclass(frozen=True)
class JoinedDataset:
    """Parts as one dataset; see `engine.batches.Dataset`. Only the columns that are needed are read and joined."""

    parts: tuple[Part, ...]
    pieces = None

    @property
    def title(self) -> str:
        return " + ".join(part.dataset.title for part in self.parts)

    @property
    def columns(self) -> Mapping[str, pa.DataType]:
        return {name: kind for part in self.parts for name, kind in part.columns.items()}

    @property
    def fingerprint(self) -> str | None:
        prints = [part.dataset.fingerprint for part in self.parts]
        return None if None in prints else " + ".join(map(str, prints))

    @property
    def by_window(self) -> bool:
        return any(part.dataset.by_window for part in self.parts)

    @property
    def mixed(self) -> frozenset[str]:
        return frozenset(name for part in self.parts for name in part.dataset.mixed if name in part.columns)

    @property
    def envelope(self) -> frozenset[str]:
        return frozenset(name for part in self.parts for name in part.dataset.envelope if name in part.columns)

    @property
    def notes(self) -> Sequence[str]:
        return [note for part in self.parts for note in part.dataset.notes]

    def pieces_in(self, roles: Columns, spans: Sequence[Window]) -> None:
        """See `engine.batches.Dataset.pieces_in`."""

    def count_rows(self) -> int:
        """See `engine.batches.Dataset.count_rows`: as many as the first part has."""
        return self.parts[0].dataset.count_rows()

    def within(self, roles: Columns, spans: Sequence[Window], segments: "Sequence[Segment]" = ()) -> "JoinedDataset":
        """See `engine.batches.Dataset.within`."""
        first, *others = self.parts
        # Not by segment in the others: a row that finds none there has nulls, and some filters hold for nulls.
        kept = replace(first, dataset=first.dataset.within(roles, spans, segments))
        return JoinedDataset((kept, *(part.near(spans) for part in others)))

    def fingerprints(self, roles: Columns, buckets: Sequence[Window]) -> dict[Window, str | None]:
        """See `engine.batches.Dataset.fingerprints`: of the first, and of what may be joined to its rows."""
        first, *others = self.parts
        found = first.dataset.fingerprints(roles, buckets)
        told = [bucket for bucket, print_ in found.items() if print_ not in (None, NO_ROWS)]
        for part in others:
            theirs = part.fingerprints(told)
            found |= {bucket: _both(found[bucket], theirs[bucket]) for bucket in told}
        return found

    def map(self, work: Work, names: tuple[str, ...], schema: pa.Schema) -> DataFrame:
        """See `engine.batches.Dataset.map`."""
        taken = [tuple(name for name in names if name in part.columns) for part in self.parts]
        joined = _keyed(self.parts[0], taken[0], 0)
        for number, (part, mine) in enumerate(zip(self.parts, taken, strict=True)):
            if number and mine:
                joined = joined.join(_one_row_per_id(_keyed(part, mine, number)), KEY, "left")
        joined = joined.drop(KEY).toDF(*(name for mine in taken for name in mine))
        return FrameDataset(self.title, joined).map(work, names, schema)


def _both(one: str | None, other: str | None) -> str | None:
    return None if one is None or other is None else f"{one} + {other}"


def _one_row_per_id(rows: DataFrame) -> DataFrame:
    values = [name for name in rows.columns if name != KEY]
    known = rows.where(F.col(KEY).isNotNull()).groupBy(KEY).agg(F.max(F.struct(*values)).alias("row"))
    return known.select(KEY, "row.*")


# ------------------------------------------------------------------------------------------------- a part as a frame


def _travelling(part: Part, name: str) -> pa.DataType:
    """As what a column travels: as texts where some of its values are none of its type, so that they can be told."""
    if name in part.dataset.mixed:
        return pa.string()
    return PLAIN.get(column_type_of(part.columns[name]) or ValueType.STRING, pa.string())


def _keyed(part: Part, names: Sequence[str], number: int) -> DataFrame:
    """The part's id as text and its columns, in plain types, and under names that Spark can tell apart."""
    types = [_travelling(part, name) for name in names]
    columns = [(f"c{number}_{place}", kind) for place, kind in enumerate(types)]
    schema = pa.schema([(KEY, pa.string()), *columns])
    correlation_id = part.correlation_id  # the part itself knows Spark, and so cannot travel

    def work(batches: Batches, task: int) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            ids = read_ids(batch.arrays.get(correlation_id), batch.size)
            found = [
                read_plain(batch.arrays.get(name), kind, batch.size) for name, kind in zip(names, types, strict=True)
            ]
            yield pa.RecordBatch.from_arrays([ids, *found], schema=schema)

    return part.dataset.map(work, tuple(dict.fromkeys((correlation_id, *names))), schema)
