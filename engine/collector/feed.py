"""The collector's feed: Spark distributes files, not lines; each task opens its own and reads their JSON.

Like the file feed of Parquet: the JVM never touches a value.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from engine.batches import Batch, Work
from engine.collector.looks import Look, look_at
from engine.collector.opening import Folder, Opener
from engine.collector.reading import ROWS_AT_ONCE, Chunk, Layout, chunks_of
from engine.collector.troubles import Troubles
from engine.file_feed import Split, shared_out
from engine.files import DataFile
from engine.spark import collect, parallelism

__all__ = ["CollectorFeed", "looks_of"]

LOOKS = pa.schema([("place", pa.int64()), ("look", pa.string())])


@dataclass(frozen=True)
class CollectorFeed:
    """Files of a collection, as Spark maps over them.

    Attributes:
        files: by their place in the dataset.
        layout: the dataset's columns.
    """

    spark: SparkSession
    folder: Folder
    files: Mapping[int, DataFile]
    layout: Layout

    def map(self, work: Work, names: tuple[str, ...], schema: pa.Schema) -> DataFrame:
        """See `engine.batches.Dataset.map`."""
        shares, folder, layout = _shares(self.spark, self.files), self.folder, self.layout
        known = [name for name in names if name in layout.columns]

        def task(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                for number in batch.column(0).to_pylist():
                    yield from work(_read(shares[number], folder, known, layout), number)

        return self.spark.range(0, len(shares), 1, len(shares)).mapInArrow(task, from_arrow_schema(schema))


def looks_of(spark: SparkSession, folder: Folder, files: Mapping[int, DataFile]) -> dict[int, Look]:
    """What is in these files, by their place: one Spark job.

    Raises:
        DataError: when a file cannot be opened.
    """
    shares = _shares(spark, files)

    def task(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column(0).to_pylist():
                found = _look(shares[number], folder)
                yield pa.RecordBatch.from_pylist(found, schema=LOOKS)

    if not files:
        return {}
    found = collect(spark.range(0, len(shares), 1, len(shares)).mapInArrow(task, from_arrow_schema(LOOKS)))
    return {row["place"]: Look.of_text(row["look"]) for row in found.to_pylist()}


def _shares(spark: SparkSession, files: Mapping[int, DataFile]) -> list[list[Split]]:
    """The files in shares of about equal size, two for each task that can run at once."""
    splits = [Split(file.path, 0, file.size, {}, place) for place, file in files.items()]
    return shared_out(splits, max(1, min(len(splits), 2 * parallelism(spark))))


# --------------------------------------------------------------------------------------------------- in the tasks


def _read(splits: Sequence[Split], folder: Folder, names: Sequence[str], layout: Layout) -> Iterator[Batch]:
    opener = Opener(folder)
    for split in splits:
        for chunk in _chunks(opener, split.path, Troubles(), []):
            yield Batch(chunk.arrays(names, layout), len(chunk.rows), split.rank)


def _look(splits: Sequence[Split], folder: Folder) -> list[dict[str, object]]:
    opener, found = Opener(folder), list[dict[str, object]]()
    for split in splits:
        troubles, payloads = Troubles(), list[str]()
        look = look_at(_chunks(opener, split.path, troubles, payloads), troubles, payloads)
        found.append({"place": split.rank, "look": look.text()})
    return found


def _chunks(opener: Opener, path: str, troubles: Troubles, payloads: list[str]) -> Iterator[Chunk]:
    """The rows of a file; takes in what is wrong with it, and which payloads were opened for it."""

    def payload(reference: str) -> object:
        where, found = opener.payload(reference, path)
        payloads.append(where)
        return found

    return chunks_of(opener.lines(path), payload, troubles, ROWS_AT_ONCE)
