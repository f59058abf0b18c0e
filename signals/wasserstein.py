"""How far did values move along the number line on average, in the baseline's standard deviations?

The area between the two distribution functions, with every value at its fine cell's mean. Nulls have no place on the
line and take no part; an infinite value is infinitely far away, so with one there is no distance.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from signals.catalogue import Bad, Family, Kind, metric
from signals.chance import draw_samples, of_draws
from signals.change import Change
from signals.distances import shares
from signals.evidence import measured
from signals.inside_cells import bounds_of_cells, slice_means
from signals.measurement import Measurement, Undefined
from signals.moments import no_finite_moments, standard_deviation_of
from signals.profile import NumericProfile

__all__ = ["Steps", "normalized_wasserstein_distance", "spread_of", "steps_between"]

LEAST_SCALE = 1e-3
FARTHEST = 1e300
"""Beyond it, arithmetic on distances may overflow."""
GROUPS_PER_SCALE = 4
GROUPS_OF_ROWS = 32
MOST_SLICES = 8
Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Steps:
    """The difference of two distribution functions, which is constant between the means of the filled cells.

    Attributes:
        places: float64[n], where it changes, in order, relative to the bins' center.
        cells: intp[n], whose mean that is; a cell that both samples fill has two.
        gaps: float64[n - 1], the difference between one place and the next.
    """

    places: Floats
    cells: npt.NDArray[np.intp]
    gaps: Floats


@metric(
    "normalized_wasserstein_distance", family=Family.DRIFT, bad=Bad.HIGHER, unit="baseline standard deviations",
    range=(0.0, float("inf")), kinds=frozenset({Kind.NUMERICAL}), source="scipy.stats.wasserstein_distance",
)  # fmt: skip
def normalized_wasserstein_distance(change: Change) -> Measurement | Undefined:
    """How far values moved on average, in standard deviations of the baseline (at least 0.001)."""
    if isinstance(change.numbers, Undefined):
        return change.numbers
    spread = spread_of(*change.numbers)
    if isinstance(spread, Undefined):
        return spread
    scale = max(spread, LEAST_SCALE)
    terms = change.merged(_areas(*change.numbers) / scale)
    value = float(terms.sum())
    return measured(
        change,
        value,
        of_draws(value, _drawn_areas(*change.numbers, scale, change.seed) / scale),
        bins=change.value_bins,
        counts=(change.merged(change.current.counts), change.merged(change.baseline.counts)),
        terms=terms,
        standard_deviation=spread,
    )


def spread_of(current: NumericProfile, baseline: NumericProfile) -> float | Undefined:
    """The baseline's standard deviation, or why there is no finite distance."""
    for profile, where in ((current, "the window"), (baseline, "the baseline")):
        trouble = no_finite_moments(profile)
        if trouble:
            return Undefined(f"in {where}, {trouble.reason}")
    spread = standard_deviation_of(baseline)
    if isinstance(spread, Undefined):
        return Undefined(f"in the baseline, {spread.reason}")
    if not _span(current, baseline) / max(spread, LEAST_SCALE) < FARTHEST:
        return Undefined("the values are too far apart for a floating-point number")
    return spread


def _span(current: NumericProfile, baseline: NumericProfile) -> float:
    """How far apart the values are; infinite where that is more than a float can hold."""
    return max(current.high, baseline.high) - min(current.low, baseline.low)


def _areas(current: NumericProfile, baseline: NumericProfile) -> Floats:
    """float64[cells]: the area between the distribution functions, by the cell in which a stretch of it begins."""
    steps = steps_between(current, baseline)
    stretches = np.abs(steps.gaps) * np.diff(steps.places)
    return np.bincount(steps.cells[:-1], stretches, minlength=len(current.counts)).astype(np.float64)


def steps_between(current: NumericProfile, baseline: NumericProfile) -> Steps:
    """The difference of the distribution functions of two samples that have finite values."""
    here, there = np.flatnonzero(current.counts), np.flatnonzero(baseline.counts)
    cells = np.concatenate((here, there))
    places = np.concatenate((current.sums[here] / current.counts[here], baseline.sums[there] / baseline.counts[there]))
    steps = np.concatenate((shares(current.counts)[here], -shares(baseline.counts)[there]))
    order = np.argsort(places, kind="stable")
    return Steps(places[order], cells[order], np.cumsum(steps[order])[:-1])


def _drawn_areas(current: NumericProfile, baseline: NumericProfile, scale: float, seed: int) -> Floats:
    """float64[500]: the areas if nothing had changed."""
    counts, places = _groups(*_slices(current + baseline, scale), scale)
    n, m = current.valid, baseline.valid
    drawn_current, drawn_baseline = draw_samples(counts, n, m, seed)
    gaps = np.cumsum(drawn_current / n - drawn_baseline / m, axis=-1)[:, :-1]
    return np.abs(gaps) @ np.maximum(np.diff(places), 0.0)


def _slices(both: NumericProfile, scale: float) -> tuple[Counts, Floats]:
    """Counts and means of the filled cells, with wide ones (the tails') in slices.

    The mean of a wide cell differs from sample to sample, which is much of what a heavy tail adds to a distance; drawn
    as one place, it would never move.
    """
    cells = np.flatnonzero(both.counts)
    counts, mean = both.counts[cells], both.sums[cells] / both.counts[cells]
    low, high = (bound[cells] - both.bins.center for bound in bounds_of_cells(both.bins, both.low, both.high))
    slices = np.where(high - low > scale / GROUPS_PER_SCALE, np.minimum(counts, MOST_SLICES), 1)
    cell = np.repeat(np.arange(len(cells)), slices)
    place = np.arange(len(cell)) - np.repeat(np.cumsum(slices) - slices, slices)
    # Rows that do not go into the slices evenly are given to the first ones.
    in_slice = counts[cell] // slices[cell] + (place < counts[cell] % slices[cell])
    start, end = place / slices[cell], (place + 1) / slices[cell]
    sliced = slice_means(low[cell], high[cell], mean[cell], start, end)
    return in_slice, np.where(slices[cell] > 1, sliced, mean[cell])


def _groups(counts: Counts, places: Floats, scale: float) -> tuple[Counts, Floats]:
    """Neighbours that lie close and hold few rows as one: counts and means.

    Between them the gap of two samples of the same distribution hardly varies, and to draw every cell would take most
    of a measurement's time.
    """
    along = np.floor(places * (GROUPS_PER_SCALE / scale))
    above = np.floor(np.cumsum(counts) * (GROUPS_OF_ROWS / counts.sum()))
    starts = np.concatenate(([0], np.flatnonzero((np.diff(along) != 0) | (np.diff(above) != 0)) + 1))
    grouped = np.add.reduceat(counts, starts)
    return grouped, np.add.reduceat(places * counts, starts) / grouped
