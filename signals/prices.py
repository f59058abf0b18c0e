"""What does one row add to a metric's shift? A price, by the value that the row has.

A metric that can be split over rows moves by the mean price of the window's rows less that of the baseline's. For a
distance that is a sum over bins, a bin's price is its term over the change of its share; for Wasserstein's it is the
potential of Kantorovich & Rubinstein, 1958; for a rate it is 1 where the rate counts a row; for a mean the value.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from signals.bins import NumericBins
from signals.change import Change
from signals.chi_squared import contingency_table
from signals.distances import (
    CHEBYSHEV,
    HELLINGER,
    JENSEN_SHANNON,
    KULLBACK_LEIBLER,
    PSI,
    TOTAL_VARIATION,
    Counts,
    Distance,
    shares,
    smoothed_shares,
)
from signals.kolmogorov_smirnov import gap_between
from signals.measurement import Undefined
from signals.moments import no_finite_moments
from signals.profile import Profile
from signals.quality import Column, out_of_bounds_rate
from signals.wasserstein import LEAST_SCALE, spread_of, steps_between

__all__ = ["SPLITTABLE", "Price", "Prices", "prices_of"]

HARDLY = 1e-8
"""A bin whose share changed by less than this part of the largest change did not change."""
ROUNDING = 1e-12
"""A smaller gap between two distribution functions is none."""
Floats = npt.NDArray[np.float64]

Price = Callable[[Profile], tuple[int, float]]
"""How many of a profile's rows take part, and what they add up to."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What rows of the window add, and what rows of the baseline; nearly always the same."""

    now: Price
    before: Price


def prices_of(metric: str, change: Change) -> Prices | Undefined:
    """The prices that make up the shift of a metric, by its canonical name; the reason where there are none.

    The shift is the distance itself (its square for Jensen-Shannon's and Hellinger's), the statistic of a test, and
    for rates and means the window's value less the baseline's.
    """
    pricing = PRICINGS.get(metric)
    if pricing is None:
        return Undefined(f"{metric} does not add up over rows, so no part of it belongs to a value")
    return pricing(change)


# ----------------------------------------------------------------------------------------------------------- by cell


@dataclass(frozen=True, slots=True)
class ByCell:
    """Prices that a row has by its cell, and inside a cell by its value.

    Attributes:
        cells: float64[cells], the price of a value at the bins' center, by its cell.
        slopes: float64[cells], by how much it grows with the value; None: not at all.
        null: the price of a row without a readable value; None: it takes no part.
    """

    cells: Floats
    slopes: Floats | None = None
    null: float | None = None

    def __call__(self, profile: Profile) -> tuple[int, float]:
        total = float(profile.counts @ self.cells)
        if self.slopes is not None:
            total += float(profile.sums @ self.slopes)  # type: ignore[union-attr]
        if self.null is None:
            return profile.valid, total
        return profile.rows, total + self.null * profile.absent


def _alike(price: Price) -> Prices:
    return Prices(price, price)


def _by_bin(change: Change, prices: Floats) -> ByCell:
    """Prices of the k comparison bins as prices of the fine cells in them."""
    null = None if change.nulls == "drop" else float(prices[-1])
    bin_of_cell = np.searchsorted(change.cuts, np.arange(change.current.bins.cells))
    return ByCell(prices[bin_of_cell], null=null)


# --------------------------------------------------------------------------------------------- distances and tests


def _distance(
    distance: Distance, change: Change, *, unmoved: float = 0.0, smoothed: bool = False
) -> Prices | Undefined:
    """A distance that is a sum over bins.

    Args:
        distance: the distance.
        change: what is compared.
        unmoved: what the price of a bin tends to as its change gets smaller.
        smoothed: whether half a row is added to every bin.
    """
    if change.trouble:
        return change.trouble
    current, baseline = change.counts
    to_shares = smoothed_shares if smoothed else shares
    prices = _per_share(distance.terms(current, baseline), to_shares(current) - to_shares(baseline), unmoved)
    if smoothed:
        return Prices(*(_by_bin(change, _thinned(prices, counts)) for counts in change.counts))
    return _alike(_by_bin(change, prices))


def _per_share(terms: Floats, gaps: Floats, unmoved: float = 0.0) -> Floats:
    """What a share that moves into a bin adds: the bin's term over its change."""
    moved = np.abs(gaps) > HARDLY * np.abs(gaps).max(initial=0.0)
    return np.divide(terms, gaps, out=np.full(len(terms), unmoved), where=moved)


def _thinned(prices: Floats, counts: Counts) -> Floats:
    """The prices of real rows where half a row is added to every bin; values own these halves by their rows."""
    real = counts.sum() / (counts.sum() + len(counts) / 2)
    return real * prices + (1 - real) * prices.mean()


def _largest_gap(change: Change) -> Prices | Undefined:
    if change.trouble:
        return change.trouble
    terms = CHEBYSHEV.terms(*change.counts)
    gaps = shares(change.counts[0]) - shares(change.counts[1])
    largest = np.arange(len(terms)) == terms.argmax()
    return _alike(_by_bin(change, np.where(largest, np.sign(gaps), 0.0)))


def _chi_squared(change: Change) -> Prices | Undefined:
    if change.trouble:
        return change.trouble
    table = contingency_table(change)
    prices = _per_share(table.terms, shares(table.current) - shares(table.baseline))
    return _alike(_by_bin(change, np.append(prices, 0.0)[table.place]))


def _kolmogorov_smirnov(change: Change) -> Prices | Undefined:
    if isinstance(change.numbers, Undefined):
        return change.numbers
    return _alike(ByCell(gap_between(*change.numbers).signs))


def _wasserstein(change: Change) -> Prices | Undefined:
    """The potential: with every step along the line it falls where values left, and rises where they went."""
    if isinstance(change.numbers, Undefined):
        return change.numbers
    spread = spread_of(*change.numbers)
    if isinstance(spread, Undefined):
        return spread
    steps = steps_between(*change.numbers)
    slopes = -np.sign(np.where(np.abs(steps.gaps) > ROUNDING, steps.gaps, 0.0)) / max(spread, LEAST_SCALE)
    heights = np.concatenate(([0.0], np.cumsum(slopes * np.diff(steps.places))))
    slope_of_cell, price_of_cell = np.zeros((2, change.current.bins.cells))
    if len(slopes):
        slope_of_cell[steps.cells] = _inner_slopes(steps.cells, slopes)
    price_of_cell[steps.cells] = heights - slope_of_cell[steps.cells] * steps.places
    return _alike(ByCell(price_of_cell, slope_of_cell))


def _inner_slopes(cells: npt.NDArray[np.intp], slopes: Floats) -> Floats:
    """float64[n], the potential's slope inside the cell of each place: between its two places, or around its one."""
    left, right = np.append(slopes[0], slopes), np.append(slopes, slopes[-1])
    same = np.append(cells[1:] == cells[:-1], False)
    around = np.where(same, right, (left + right) / 2)
    return np.where(np.append(False, same[:-1]), left, around)


# -------------------------------------------------------------------------------------------------- rates and means


def _null_rate(change: Change, scale: float = 1.0) -> Prices:
    return _alike(lambda profile: (profile.rows, scale * (profile.nulls + profile.nans)))


def _unreadable_rate(change: Change) -> Prices:
    return _alike(lambda profile: (profile.rows - profile.nulls - profile.nans, float(profile.unreadable)))


def _outside_rate(change: Change) -> Prices | Undefined:
    now = out_of_bounds_rate(Column(change.current))
    if isinstance(now, Undefined):
        return now
    bins = change.current.bins
    inside = bins.inside if isinstance(bins, NumericBins) else slice(0, -1)
    outside = np.ones(bins.cells)
    outside[inside] = 0.0
    return _alike(ByCell(outside))


def _mean(change: Change) -> Prices | Undefined:
    if isinstance(change.numbers, Undefined):
        return change.numbers
    trouble = no_finite_moments(change.current) or no_finite_moments(change.baseline)  # type: ignore[arg-type]
    return trouble or _alike(ByCell(np.zeros(change.current.bins.cells), np.ones(change.current.bins.cells)))


PRICINGS: dict[str, Callable[[Change], Prices | Undefined]] = {
    "population_stability_index": partial(_distance, PSI, smoothed=True),
    # At p = q its term, p ln(p/q), is 0 but grows with p, at a rate of 1.
    "kl_divergence": partial(_distance, KULLBACK_LEIBLER, smoothed=True, unmoved=1.0),
    "jensen_shannon_distance": partial(_distance, JENSEN_SHANNON),
    "hellinger_distance": partial(_distance, HELLINGER),
    "total_variation_distance": partial(_distance, TOTAL_VARIATION),
    "chebyshev_distance": _largest_gap,
    "pearsons_chi_squared_test": _chi_squared,
    "kolmogorov_smirnov_statistic": _kolmogorov_smirnov,
    "two_sample_kolmogorov_smirnov_test": _kolmogorov_smirnov,
    "normalized_wasserstein_distance": _wasserstein,
    "null_value_rate": _null_rate,
    "percent_empty": partial(_null_rate, scale=100.0),
    "data_type_error_rate": _unreadable_rate,
    "out_of_bounds_rate": _outside_rate,
    "mean": _mean,
}
SPLITTABLE = frozenset(PRICINGS)
"""The metrics that can be split over rows."""
