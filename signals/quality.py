"""How much of the data is missing, unreadable or out of bounds?

A rate is measured on the window's profile and, where there is one, on the baseline's: the latter is the detail
`baseline_value`, which thresholds that are relative to the baseline need.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from math import isfinite
from typing import Any

from signals.bins import CategoricalBins
from signals.catalogue import EVERY_KIND, Bad, Family, metric
from signals.measurement import Measurement, Undefined
from signals.profile import CategoricalProfile, NumericProfile, Profile, VectorProfile

__all__ = [
    "NO_ROWS", "Column", "Dataset", "beside_baseline", "data_type_error_rate", "no_values", "null_value_rate",
    "number", "out_of_bounds_rate", "percent_empty", "unnamed_categories",
]  # fmt: skip

NO_ROWS = Undefined("there are no rows")


@dataclass(frozen=True, slots=True)
class Column:
    """One column's profile, and its baseline's where there is one."""

    current: Profile
    baseline: Profile | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """A whole dataset in a window.

    Attributes:
        rows: its rows.
        baseline_rows: the baseline's rows; None where there is no baseline.
        duplicate_ids: rows whose correlation id was seen before in the window; None where there is no such column.
        ids: rows that have a correlation id; None where there is no such column.
        latest: the latest timestamp, aware; None where no row has one.
        window_end: the window's end, aware.
    """

    rows: int
    baseline_rows: int | None
    duplicate_ids: int | None
    ids: int | None
    latest: datetime | None
    window_end: datetime


def number(value: float, rows: int, **details: Any) -> Measurement | Undefined:
    """A finite value as a measurement, any other as the reason why there is none."""
    if not isfinite(value):
        return Undefined("the value is too large for a floating-point number")
    return Measurement(value=value, rows=rows, details=details)


def no_values(profile: Profile) -> Undefined:
    """Why a profile without readable values has none."""
    if profile.rows == 0:
        return NO_ROWS
    return Undefined("there are no values: all rows are null" + " or unreadable" * bool(profile.unreadable))


def unnamed_categories(bins: CategoricalBins) -> Undefined:
    """Why values cannot be compared by name with a baseline whose vocabulary is not complete."""
    return Undefined(
        f"the baseline has more than {len(bins.categories)} categories, and the rest are not known by name; "
        "raise max_categories"
    )


def beside_baseline(column: Column, formula: Callable[[Profile], Measurement | Undefined]) -> Measurement | Undefined:
    """A formula's value for the window, with its value for the baseline among the details."""
    now = formula(column.current)
    if isinstance(now, Undefined) or column.baseline is None:
        return now
    before = formula(column.baseline)
    value = {} if isinstance(before, Undefined) else {"baseline_value": before.value}
    return replace(now, baseline_rows=column.baseline.rows, details={**now.details, **value})


@metric(
    "null_value_rate", aliases=("NullValueRate",), family=Family.QUALITY, bad=Bad.HIGHER, unit="share",
    range=(0.0, 1.0), kinds=EVERY_KIND,
    source="Azure ML, data quality metrics",
)  # fmt: skip
def null_value_rate(column: Column) -> Measurement | Undefined:
    """Nulls / rows; NaN counts as null."""
    return beside_baseline(column, lambda profile: _null_rate(profile, 1.0))


@metric(
    "percent_empty", aliases=("percentEmpty",), family=Family.QUALITY, bad=Bad.HIGHER, unit="percent",
    range=(0.0, 100.0), kinds=EVERY_KIND,
    source="Arize, data quality metrics",
)  # fmt: skip
def percent_empty(column: Column) -> Measurement | Undefined:
    """100 × the null value rate."""
    return beside_baseline(column, lambda profile: _null_rate(profile, 100.0))


@metric(
    "data_type_error_rate", aliases=("DataTypeErrorRate",), family=Family.QUALITY, bad=Bad.HIGHER, unit="share",
    range=(0.0, 1.0), kinds=EVERY_KIND,
    source="Azure ML, data quality metrics",
)  # fmt: skip
def data_type_error_rate(column: Column) -> Measurement | Undefined:
    """The share of non-null values that cannot be read as the baseline's type."""
    return beside_baseline(column, _unreadable_rate)


@metric(
    "out_of_bounds_rate", aliases=("OutOfBoundsRate",), family=Family.QUALITY, bad=Bad.HIGHER, unit="share",
    range=(0.0, 1.0), source="Azure ML, data quality metrics",
)  # fmt: skip
def out_of_bounds_rate(column: Column) -> Measurement | Undefined:
    """The share of values outside the baseline's range, or outside its set of categories."""
    return beside_baseline(column, _outside_rate)


def _null_rate(profile: Profile, scale: float) -> Measurement | Undefined:
    if profile.rows == 0:
        return NO_ROWS
    rate = (profile.nulls + profile.nans) / profile.rows
    return number(scale * rate, profile.rows, nulls=profile.nulls, nans=profile.nans)


def _unreadable_rate(profile: Profile) -> Measurement | Undefined:
    present = profile.rows - profile.nulls - profile.nans
    if present == 0:
        return no_values(profile)
    return number(profile.unreadable / present, present, unreadable=profile.unreadable)


def _outside_rate(profile: Profile) -> Measurement | Undefined:
    if profile.valid == 0:
        return no_values(profile)
    if isinstance(profile, CategoricalProfile):
        return _outside_vocabulary(profile)
    if isinstance(profile, VectorProfile):
        return Undefined("the values are vectors, which have no bounds")
    return _outside_range(profile)


def _outside_range(profile: NumericProfile) -> Measurement | Undefined:
    bins = profile.bins
    if not isfinite(bins.low):
        return Undefined("the baseline has no finite values, so it has no bounds")
    below = int(profile.counts[: bins.inside.start].sum())
    above = int(profile.counts[bins.inside.stop :].sum())
    rate = (below + above) / profile.valid
    return number(rate, profile.valid, below=below, above=above, low=bins.low, high=bins.high)


def _outside_vocabulary(profile: CategoricalProfile) -> Measurement | Undefined:
    bins, outside = profile.bins, int(profile.counts[-1])
    if not bins.categories:
        return Undefined("the baseline has no values, so it has no set of categories")
    if not bins.complete:
        return unnamed_categories(bins)
    return number(outside / profile.valid, profile.valid, outside=outside)
