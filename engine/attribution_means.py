"""The mean of the absolute values of columns with attributions, by window: one Spark job."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine.batches import Batches, Dataset, Work
from engine.joins import layers_of
from engine.label_rows import read_at
from engine.monitor import Columns
from engine.roles import require
from engine.spark import collect
from engine.windows import Window
from signals.bins import ValueType
from signals.segments import EVERYTHING, Segment
from signals.values import read_numbers

__all__ = ["MeanAttributions", "mean_attributions"]


@dataclass(frozen=True, slots=True)
class MeanAttributions:
    """What the columns of one window come to.

    Attributes:
        means: by feature the mean absolute value of those that are finite numbers; 0 where none is.
        known: how many rows have one, at most.
        rows: how many rows there are.
    """

    means: Mapping[str, float]
    known: int
    rows: int


def mean_attributions(
    dataset: Dataset,
    roles: Columns,
    columns: Mapping[str, str],
    windows: Sequence[Window | None],
    *,
    segment: Segment = EVERYTHING,
) -> dict[Window | None, MeanAttributions]:
    """The means of each window.

    Args:
        dataset: where the columns are.
        roles: which column tells the time.
        columns: by feature.
        windows: stretches of time; the only one None: all rows.
        segment: among which rows.

    Raises:
        DataError: when the data cannot be read, or lack one of the columns.
    """
    for column in columns.values():
        require(dataset.title, "attributions", column, dataset.columns)
    dated = [window for window in windows if window is not None]
    part = dataset.within(roles, dated, (segment,)) if dated else dataset
    of_time = [roles.timestamp] if roles.timestamp and dated else []
    names = tuple(dict.fromkeys([*columns.values(), *of_time, *segment.columns]))
    added = collect(part.map(_adding(tuple(columns.values()), roles, dated, segment), names, SUMS)).to_pylist()
    found: dict[Window | None, MeanAttributions] = {}
    for place, window in enumerate(windows):
        # In one order, because a sum of floating-point numbers depends on it.
        own = sorted((row for row in added if row["window"] == place), key=lambda row: row["sums"])
        sums = np.sum([np.zeros(len(columns)), *(row["sums"] for row in own)], axis=0)
        counts = np.sum([np.zeros(len(columns), np.int64), *(row["counts"] for row in own)], axis=0)
        means = np.divide(sums, counts, out=np.zeros(len(columns)), where=counts > 0)
        by_feature = dict(zip(columns, means.tolist(), strict=True))
        found[window] = MeanAttributions(by_feature, int(counts.max(initial=0)), sum(row["rows"] for row in own))
    return found


SUMS = pa.schema(
    [
        ("window", pa.int32()),
        ("rows", pa.int64()),
        ("sums", pa.list_(pa.float64())),
        ("counts", pa.list_(pa.int64())),
    ]
)


def _adding(columns: Sequence[str], roles: Columns, windows: Sequence[Window], segment: Segment) -> Work:
    layers = layers_of(windows)

    def work(batches: Batches, task: int) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            wanted = segment.mask(batch.arrays, batch.size)
            values = [_sizes(batch.arrays.get(column), batch.size) for column in columns]
            at = read_at(batch.arrays, roles, batch.size)
            places = [(layer.numbers, layer.places(at)) for layer in layers]
            for numbers, place in places or [(np.zeros(1, np.int64), np.zeros(batch.size, np.intp))]:
                for each in np.unique(place[(place >= 0) & wanted]).tolist():
                    mine = (place == each) & wanted
                    taken = [value[mine] for value in values]
                    row = {
                        "window": int(numbers[each]),
                        "rows": int(mine.sum()),
                        "sums": [float(np.nansum(value)) for value in taken],
                        "counts": [int(np.count_nonzero(~np.isnan(value))) for value in taken],
                    }
                    yield from pa.Table.from_pylist([row], SUMS).to_batches()

    return work


def _sizes(array: pa.Array | None, size: int) -> npt.NDArray[np.float64]:
    """float64[size]: absolute values; NaN where there is none that is finite."""
    if array is None:
        return np.full(size, np.nan)
    values = np.asarray(read_numbers(array, ValueType.DOUBLE).to_numpy(zero_copy_only=False), np.float64)
    return np.where(np.isfinite(values), np.abs(values), np.nan)
