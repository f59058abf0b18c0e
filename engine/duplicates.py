"""How many rows of a window repeat a correlation id: one Spark job for all windows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import functions as F

from engine.batches import Batches, Dataset, Work
from engine.label_rows import ID, Join, predictions_work
from engine.monitor import Columns
from engine.spark import collect
from engine.windows import Window

__all__ = ["Duplicates", "count_duplicates"]


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Rows with a correlation id, and those of them whose id another row had before."""

    ids: int = 0
    repeats: int = 0


def count_duplicates(dataset: Dataset, roles: Columns, windows: Sequence[Window]) -> dict[Window, Duplicates]:
    """The duplicates of each window."""
    join = Join(dataset, roles, None, Columns(), (), tuple(windows))
    names = tuple(name for name in (roles.timestamp, roles.correlation_id) if name)
    rows = dataset.map(_ids_only(join), names, pa.schema([("window", pa.int32()), (ID, pa.string())]))
    by_id = rows.where(F.col(ID).isNotNull()).groupBy("window", ID).count()
    by_window = by_id.groupBy("window").agg(F.sum("count").alias("ids"), F.sum(F.col("count") - 1).alias("repeats"))
    found = {row["window"]: Duplicates(row["ids"], row["repeats"]) for row in collect(by_window).to_pylist()}
    return {window: found.get(number, Duplicates()) for number, window in enumerate(windows)}


def _ids_only(join: Join) -> Work:
    rows = predictions_work(join)

    def work(batches: Batches, task: int) -> Iterator[pa.RecordBatch]:
        for batch in rows(batches, task):
            yield batch.select(["window", ID])

    return work
