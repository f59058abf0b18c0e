"""Is the data there, is it fresh, and is every row in it once?"""

from signals.catalogue import Bad, Family, metric
from signals.measurement import Measurement, Undefined
from signals.quality import NO_ROWS, Dataset

__all__ = ["duplicate_rate", "freshness_seconds", "row_count"]

INFINITY = float("inf")


@metric(
    "row_count", aliases=("count",), family=Family.DATASET, bad=Bad.LOWER, unit="rows", range=(0.0, INFINITY),
    source="counting",
)  # fmt: skip
def row_count(dataset: Dataset) -> Measurement | Undefined:
    """The number of rows; none is a value too: 0."""
    details = {} if dataset.baseline_rows is None else {"baseline_value": float(dataset.baseline_rows)}
    return Measurement(float(dataset.rows), dataset.rows, dataset.baseline_rows, details=details)


@metric(
    "duplicate_rate", family=Family.DATASET, bad=Bad.HIGHER, unit="share", range=(0.0, 1.0),
    source="counting",
)  # fmt: skip
def duplicate_rate(dataset: Dataset) -> Measurement | Undefined:
    """The share of rows whose correlation id was seen before in the window."""
    if dataset.duplicate_ids is None:
        return Undefined("the data has no correlation id")
    if dataset.rows == 0:
        return NO_ROWS
    details = {"duplicates": dataset.duplicate_ids, "ids": dataset.ids}
    return Measurement(dataset.duplicate_ids / dataset.rows, dataset.rows, details=details)


@metric(
    "freshness_seconds", family=Family.DATASET, bad=Bad.HIGHER, unit="seconds", range=(-INFINITY, INFINITY),
    source="Google SRE Workbook, chapter 13: data freshness",
)  # fmt: skip
def freshness_seconds(dataset: Dataset) -> Measurement | Undefined:
    """The window's end − the latest timestamp."""
    if dataset.latest is None:
        return Undefined("no row has a timestamp") if dataset.rows else NO_ROWS
    age = (dataset.window_end - dataset.latest).total_seconds()
    return Measurement(age, dataset.rows, details={"latest": dataset.latest.isoformat()})
