"""Which values of a dimension carried a metric's shift: their rows became more or fewer, or changed themselves?

The values of a dimension partition the rows. With P and Q a value's share of the window's and of the baseline's rows,
and the mean price (`signals.prices`) of its rows now and before,

    shift = Σ P · now − Σ Q · before
    a value's part = (P − Q) · (before − the baseline's mean price)    mix: its share of the rows changed
                   + P · (now − before)                                within: its own distribution changed

adds up exactly: Kitagawa, Components of a Difference Between Two Rates, 1955. Parts may be negative: without that value
the shift would be larger. The parts of two values add up to the part of both as one.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from signals.binning import Binning
from signals.catalogue import Family
from signals.change import Change
from signals.measurement import Measurement, Undefined
from signals.metrics import METRICS
from signals.prices import Price, prices_of
from signals.profile import Profile, sum_profiles
from signals.quality import Column

__all__ = ["Carrier", "Partition", "carriers", "own_value", "together"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Partition:
    """A column's rows by the values of a dimension, in the window and in the baseline; all in the same bins.

    Attributes:
        now, before: profiles by value, the same values in both; together they are all rows.
        binning, nulls: as in `signals.change.Change`.
    """

    now: Mapping[str, Profile]
    before: Mapping[str, Profile]
    binning: Binning = field(default_factory=Binning)
    nulls: str = "bin"

    @property
    def whole(self) -> Change:
        """The change of all rows together."""
        now, before = (sum_profiles(list(side.values())) for side in (self.now, self.before))
        return Change(now, before, self.binning, self.nulls)


@dataclass(frozen=True, slots=True)
class Carrier:
    """What one value of a dimension has to do with a shift.

    Attributes:
        value: of the dimension.
        share: its part of the shift: the parts of all values add up to 1. Negative: it worked against it.
        mix: of that, what comes from its having more or fewer of the rows; all, where it is new or gone.
        within: of that, what comes from the change of its own distribution.
        current_rows, baseline_rows: how many rows have it.
    """

    value: str
    share: float
    mix: float
    within: float
    current_rows: int
    baseline_rows: int


def together(found: Sequence[Carrier], name: str) -> Carrier:
    """What several values carried, as if they were one with this name."""
    return Carrier(
        name,
        sum(each.share for each in found),
        sum(each.mix for each in found),
        sum(each.within for each in found),
        sum(each.current_rows for each in found),
        sum(each.baseline_rows for each in found),
    )


def carriers(metric: str, partition: Partition) -> list[Carrier] | Undefined:
    """How much of a metric's shift each value carries, most first; values without any rows are left out.

    Args:
        metric: its canonical name.
        partition: the rows by value.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is looked for below
        prices = prices_of(metric, partition.whole)
        if isinstance(prices, Undefined):
            return prices
        same_order = {value: partition.before[value] for value in partition.now}
        now, before = _rows_and_means(prices.now, partition.now), _rows_and_means(prices.before, same_order)
        for (rows, _), where in ((now, "the window"), (before, "the baseline")):
            if not rows.sum():
                return Undefined(f"no rows take part in {where}")
        mix, within = _parts(*now, *before)
        shift, size = float((mix + within).sum()), float((np.abs(mix) + np.abs(within)).sum())
    if not math.isfinite(size):
        return Undefined("the values are too large for a floating-point number")
    if abs(shift) <= 1e-9 * size:
        return Undefined("as a whole, nothing has shifted")
    return _ranked(partition, mix / shift, within / shift)


def _ranked(partition: Partition, mix: Floats, within: Floats) -> list[Carrier]:
    rows = {value: (profile.rows, partition.before[value].rows) for value, profile in partition.now.items()}
    found = [
        Carrier(value, here + inside + 0.0, here + 0.0, inside + 0.0, *rows[value])  # + 0.0: never -0.0
        for value, here, inside in zip(partition.now, mix.tolist(), within.tolist(), strict=True)
        if any(rows[value])
    ]
    return sorted(found, key=lambda carrier: (-carrier.share, carrier.value))


def own_value(metric: str, partition: Partition, value: str) -> float | None:
    """The metric of this value's rows alone, as a monitor of that segment measures it; None where it has none."""
    now, before, entry = partition.now[value], partition.before[value], METRICS[metric]
    if entry.family is Family.DRIFT:
        result = entry.compute(Change(now, before, partition.binning, partition.nulls))
    else:
        result = entry.compute(Column(now, before))
    return result.value if isinstance(result, Measurement) else None


def _rows_and_means(price: Price, profiles: Mapping[str, Profile]) -> tuple[Floats, Floats]:
    """float64[values] twice: the rows that take part, and their mean price; NaN where there are none."""
    rows, totals = np.array([price(profile) for profile in profiles.values()], np.float64).T
    return rows, np.divide(totals, rows, out=np.full(len(rows), np.nan), where=rows > 0)


def _parts(rows: Floats, now: Floats, baseline_rows: Floats, before: Floats) -> tuple[Floats, Floats]:
    """float64[values] twice: mix and within."""
    P, Q = rows / rows.sum(), baseline_rows / baseline_rows.sum()
    mean = float(np.nansum(Q * before))
    # A value that is new or gone has no distribution to compare its own with: it did not change within.
    before = np.where(np.isnan(before), now, before)
    within = np.where((P > 0) & (Q > 0), P * (now - before), 0.0)
    return np.nan_to_num((P - Q) * (before - mean)), within
