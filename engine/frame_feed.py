"""The frame feed: any Spark DataFrame, handed to the kernel in Arrow batches.

For tables, SQL, joined or preprocessed data, formats other than Parquet, and file systems that only Spark can open.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_type
from pyspark.sql.types import DataType

from engine.batches import Batch, Work
from engine.monitor import Columns
from engine.windows import Window

if TYPE_CHECKING:
    from signals.segments import Segment

__all__ = ["FrameDataset"]


@dataclass(frozen=True)
class FrameDataset:
    """A DataFrame as a dataset; see `engine.batches.Dataset`."""

    title: str
    frame: DataFrame
    fingerprint: str | None = None
    columns: Mapping[str, pa.DataType] = field(init=False)
    tasks = None

    def __post_init__(self) -> None:
        types: dict[str, pa.DataType] = {}
        for column in self.frame.schema.fields:
            types.setdefault(column.name, _arrow_type(column.dataType))
        object.__setattr__(self, "columns", types)

    def within(self, roles: Columns, spans: Sequence[Window], segments: "Sequence[Segment]" = ()) -> "FrameDataset":
        """See `engine.batches.Dataset.within`."""
        return self

    def fingerprints(self, roles: Columns, buckets: Sequence[Window]) -> dict[Window, str | None]:
        """See `engine.batches.Dataset.fingerprints`."""
        return dict.fromkeys(buckets, self.fingerprint)

    def map(self, work: Work, names: tuple[str, ...], schema: pa.Schema) -> DataFrame:
        """See `engine.batches.Dataset.map`."""
        # By position: names may hold dots and quotes, or differ only by case, which Spark's resolution would trip over.
        every = self.frame.columns
        places = [every.index(name) for name in names if name in self.columns]
        numbered = self.frame.toDF(*(f"c{place}" for place in range(len(every))))
        needed = numbered.select(*(f"c{place}" for place in places)) if places else numbered.select("c0")
        labels = {f"c{place}": every[place] for place in places}

        def task(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            number = _task_number()
            return work(_named(batches, labels, number), number)

        return needed.mapInArrow(task, from_arrow_schema(schema))

    def count_rows(self) -> int:
        """See `engine.batches.Dataset.count_rows`: one Spark job."""
        return self.frame.count()


def _named(batches: Iterator[pa.RecordBatch], labels: dict[str, str], task: int) -> Iterator[Batch]:
    for batch in batches:
        found = {labels[name]: batch.column(name) for name in batch.schema.names if name in labels}
        yield Batch(found, batch.num_rows, task)


def _task_number() -> int:
    from pyspark import TaskContext

    context = TaskContext.get()
    return context.partitionId() if context else 0


def _arrow_type(kind: DataType) -> pa.DataType:
    try:
        return to_arrow_type(kind, timezone="UTC")
    except PySparkException:
        return pa.binary()  # a type without an Arrow form is left out, like every type without a distribution
