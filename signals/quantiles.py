"""Below which value does a share of a column's values lie, read from its fine cells?"""

import math
from dataclasses import dataclass

import numpy as np

from signals.bins import ValueType
from signals.inside_cells import bounds_of_cells, inside
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
    return Quantile(below.value * (1 - part) + above.value * part, below.low, above.high)


def _ordered_value(profile: NumericProfile, rank: int) -> Quantile | None:
    """The value that is `rank`-th (from 0) in increasing order; None in a cell that may hold infinite ones."""
    reached = np.cumsum(profile.counts)
    cell = int(np.searchsorted(reached, rank, side="right"))
    if profile.infinite and cell in (0, len(profile.counts) - 1):
        return None
    count, whole = int(profile.counts[cell]), profile.bins.value_type is ValueType.INTEGER
    mean = profile.bins.center + float(profile.sums[cell]) / count
    low, high = (float(bound[cell]) for bound in bounds_of_cells(profile.bins, profile.low, profile.high))
    if count == 1:
        low = high = round(mean) if whole else mean
    if low >= high:
        return Quantile(low, low, high)
    along = (rank - int(reached[cell]) + count + 0.5) / count
    value = float(inside(*(np.array([number]) for number in (low, high, mean, along)))[0])
    return Quantile(min(max(round(value) if whole else value, low), high), low, high)
