"""How many rows of a window repeat a correlation id: one Spark job for all windows.

An id may be repeated in a window and in none of its buckets, so duplicates are counted by window, and not kept.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F

from engine.batches import Batches, Dataset, Work
from engine.joins import layers_of
from engine.label_rows import ID, read_at
from engine.monitor import Columns
from engine.plain import read_ids
from engine.spark import collect
from engine.windows import Window
from signals.segments import EVERYTHING, Segment

__all__ = ["Duplicates", "count_duplicates"]

ROWS = pa.schema([("window", pa.int32()), (ID, pa.string())])


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Rows with a correlation id, and those of them whose id another row had before."""

    ids: int = 0
    repeats: int = 0


def count_duplicates(
    dataset: Dataset, roles: Columns, windows: Sequence[Window], segment: Segment = EVERYTHING
) -> dict[Window, Duplicates]:
    """The duplicates of each window, among the rows of a segment."""
    names = tuple(dict.fromkeys(name for name in (roles.timestamp, roles.correlation_id, *segment.columns) if name))
    rows = dataset.map(_ids(roles, windows, segment), names, ROWS)
    by_id = rows.where(F.col(ID).isNotNull()).groupBy("window", ID).count()
    by_window = by_id.groupBy("window").agg(F.sum("count").alias("ids"), F.sum(F.col("count") - 1).alias("repeats"))
    found = {row["window"]: Duplicates(row["ids"], row["repeats"]) for row in collect(by_window).to_pylist()}
    return {window: found.get(number, Duplicates()) for number, window in enumerate(windows)}


def _ids(roles: Columns, windows: Sequence[Window], segment: Segment) -> Work:
    layers = layers_of(windows)

    def work(batches: Batches, task: int) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            at = read_at(batch.arrays, roles, batch.size)
            ids = read_ids(batch.arrays.get(roles.correlation_id or ""), batch.size)
            wanted = segment.mask(batch.arrays, batch.size)
            for layer in layers:
                place = layer.places(at)
                rows = np.flatnonzero((place >= 0) & wanted)
                window = pa.array(layer.numbers[place[rows]], pa.int32())
                yield pa.RecordBatch.from_arrays([window, ids.take(pa.array(rows))], schema=ROWS)

    return work
