"""Below which value does a share of a column's values lie, read from its fine cells?

Within a cell values are spread so that their mean is the cell's own: the quantile function of the cell [a, b] is
a + (b − a)·u^g, whose mean is a + (b − a)/(g + 1). A cell with a single value, or with one row, is exact.
"""

import math
from dataclasses import dataclass

import numpy as np

from signals.bins import ValueType
from signals.measurement import Undefined
from signals.moments import no_finite_moments
from signals.profile import NumericProfile

__all__ = ["Quantile", "quantile_of"]


@dataclass(frozen=True, slots=True)
class Quantile:
    """A quantile, and the bounds between which the exact one lies."""

    value: float
    low: float
    high: float


def quantile_of(profile: NumericProfile, share: float) -> Quantile | Undefined:
    """The quantile of the non-null values, interpolated between neighbours as `numpy.quantile` does by default.

    Args:
        profile: the column's profile.
        share: in [0, 1]; 0.5 is the median.
    """
    if profile.valid == 0:
        return no_finite_moments(profile) or Undefined("there are no values")
    rank = (profile.valid - 1) * share
    below, above = (_ordered_value(profile, turn(rank)) for turn in (math.floor, math.ceil))
    if below is None or above is None:
        return Undefined(f"{profile.infinite} of {profile.valid} values are infinite, in the tail that is asked for")
    part = rank - math.floor(rank)
    value = below.value * (1 - part) + above.value * part
    return Quantile(value, below.low, above.high)


def _ordered_value(profile: NumericProfile, rank: int) -> Quantile | None:
    """The value that is `rank`-th (from 0) in increasing order; None in a cell that may hold infinite ones."""
    reached = np.cumsum(profile.counts)
    cell = int(np.searchsorted(reached, rank, side="right"))
    if profile.infinite and cell in (0, len(profile.counts) - 1):
        return None
    count = int(profile.counts[cell])
    low, high = _bounds(profile, cell)
    mean = profile.bins.center + float(profile.sums[cell]) / count
    if count == 1:
        low = high = mean
    along = (rank - int(reached[cell]) + count + 0.5) / count
    return Quantile(_spread(low, high, mean, along, profile.bins.value_type), low, high)


def _bounds(profile: NumericProfile, cell: int) -> tuple[float, float]:
    """The least and the greatest value that the cell can hold."""
    edges = profile.bins.edges
    low = profile.low if cell == 0 else max(profile.low, float(edges[cell - 1]))
    high = profile.high if cell == len(edges) else min(profile.high, math.nextafter(float(edges[cell]), -math.inf))
    if profile.bins.value_type is ValueType.INTEGER:
        return math.ceil(low), math.floor(high)
    return low, high


def _spread(low: float, high: float, mean: float, along: float, value_type: ValueType) -> float:
    if low >= high:
        return low
    center = (mean - low) / (high - low)
    if not 0 < center < 1:  # all values lie on one of the bounds, or the cell is too wide for a float
        return min(max(mean, low), high)
    value = low + (high - low) * along ** (1 / center - 1)
    return float(round(value)) if value_type is ValueType.INTEGER else value
