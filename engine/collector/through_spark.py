"""A collection on a file system that only Spark can open: Spark hands the lines to the tasks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from engine.batches import Batch, Work
from engine.collector.files import layout_of
from engine.collector.looks import Look, look_at
from engine.collector.reading import ROWS_AT_ONCE, Layout, chunks_of
from engine.collector.troubles import Trouble, TroubleError, Troubles
from engine.errors import DataError
from engine.frame_feed import task_number
from engine.monitor import Columns
from engine.spark import SPARK_ERRORS, collect, said_by
from engine.windows import Window

if TYPE_CHECKING:
    from signals.segments import Segment

__all__ = ["LinesDataset", "open_through_spark"]

LOOK = pa.schema([("look", pa.string())])


@dataclass(frozen=True)
class LinesDataset:
    """Lines as a dataset; see `engine.batches.Dataset`. It cannot be told whether they changed, so they are read again.

    Attributes:
        lines: a DataFrame of one text column.
        rows: how many rows they hold.
    """

    title: str
    lines: DataFrame
    layout: Layout
    rows: int
    notes: tuple[str, ...] = ()
    fingerprint = pieces = None
    by_window = False

    @property
    def columns(self) -> Mapping[str, pa.DataType]:
        """See `engine.batches.Dataset`."""
        return self.layout.columns

    @property
    def mixed(self) -> frozenset[str]:
        """See `engine.batches.Dataset`."""
        return self.layout.mixed

    @property
    def envelope(self) -> frozenset[str]:
        """See `engine.batches.Dataset`."""
        return frozenset(self.layout.envelope)

    def pieces_in(self, roles: Columns, spans: Sequence[Window]) -> None:
        """See `engine.batches.Dataset.pieces_in`."""

    def count_rows(self) -> int:
        """See `engine.batches.Dataset.count_rows`."""
        return self.rows

    def within(self, roles: Columns, spans: Sequence[Window], segments: "Sequence[Segment]" = ()) -> "LinesDataset":
        """See `engine.batches.Dataset.within`: all of it."""
        return self

    def fingerprints(self, roles: Columns, buckets: Sequence[Window]) -> dict[Window, str | None]:
        """See `engine.batches.Dataset.fingerprints`."""
        return dict.fromkeys(buckets)

    def map(self, work: Work, names: tuple[str, ...], schema: pa.Schema) -> DataFrame:
        """See `engine.batches.Dataset.map`."""
        layout = self.layout
        known = [name for name in names if name in layout.columns]

        def task(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            number = task_number()
            chunks = chunks_of(_bytes(batches), _elsewhere, Troubles(), ROWS_AT_ONCE)
            return work((Batch(chunk.arrays(known, layout), len(chunk.rows), number) for chunk in chunks), number)

        return self.lines.mapInArrow(task, from_arrow_schema(schema))


def open_through_spark(spark: SparkSession, title: str, path: str) -> LinesDataset:
    """The collection at a path; one Spark job sees what is in it.

    Raises:
        DataError: when Spark cannot read it.
    """
    try:
        lines = spark.read.option("recursiveFileLookup", "true").text(path)
    except SPARK_ERRORS as error:
        raise DataError(f"cannot read {path}: {said_by(error)}") from error
    looks = [
        Look.of_text(text) for text in collect(lines.mapInArrow(_look, from_arrow_schema(LOOK)))["look"].to_pylist()
    ]
    notes = Troubles.together(look.troubles for look in looks).notes(title)
    return LinesDataset(title, lines, layout_of(looks), sum(look.rows for look in looks), tuple(notes))


def _look(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    troubles = Troubles()
    look = look_at(chunks_of(_bytes(batches), _elsewhere, troubles, ROWS_AT_ONCE), troubles, ())
    yield pa.RecordBatch.from_pylist([{"look": look.text()}], schema=LOOK)


def _bytes(batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    return (line.encode() for batch in batches for line in batch.column(0).to_pylist())


def _elsewhere(reference: str) -> object:
    raise TroubleError(Trouble.REFERENCE, f"{reference}: only Spark can open the storage that the collection is in")
