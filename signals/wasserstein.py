"""How far did values move along the number line on average, in the baseline's standard deviations?

The area between the two distribution functions, with every value at its fine cell's mean. Nulls have no place on the
line and take no part; an infinite value is infinitely far away, so with one there is no distance.
"""

import numpy as np
import numpy.typing as npt

from signals.catalogue import Bad, Family, Kind, metric
from signals.chance import draw_samples, of_draws
from signals.change import Change
from signals.distances import shares
from signals.evidence import measured
from signals.measurement import Measurement, Undefined
from signals.moments import no_finite_moments, standard_deviation_of
from signals.profile import NumericProfile

__all__ = ["normalized_wasserstein_distance"]

LEAST_SCALE = 1e-3
Floats = npt.NDArray[np.float64]


@metric(
    "normalized_wasserstein_distance", family=Family.DRIFT, bad=Bad.HIGHER, unit="baseline standard deviations",
    range=(0.0, float("inf")), kinds=frozenset({Kind.NUMERICAL}), source="scipy.stats.wasserstein_distance",
)  # fmt: skip
def normalized_wasserstein_distance(change: Change) -> Measurement | Undefined:
    """How far values moved on average, in standard deviations of the baseline (at least 0.001)."""
    if isinstance(change.numbers, Undefined):
        return change.numbers
    spread = _spread(*change.numbers)
    if isinstance(spread, Undefined):
        return spread
    scale = max(spread, LEAST_SCALE)
    terms = change.merged(_areas(*change.numbers) / scale)
    value = float(terms.sum())
    if not np.isfinite(value):
        return Undefined("the values are too far apart for a floating-point number")
    return measured(
        change,
        value,
        of_draws(value, _drawn_areas(*change.numbers, change.seed) / scale),
        bins=change.value_bins,
        counts=(change.merged(change.current.counts), change.merged(change.baseline.counts)),
        terms=terms,
        standard_deviation=spread,
    )


def _spread(current: NumericProfile, baseline: NumericProfile) -> float | Undefined:
    """The baseline's standard deviation, or why there is no finite distance."""
    for profile, where in ((current, "the window"), (baseline, "the baseline")):
        trouble = no_finite_moments(profile)
        if trouble:
            return Undefined(f"in {where}, {trouble.reason}")
    spread = standard_deviation_of(baseline)
    return Undefined(f"in the baseline, {spread.reason}") if isinstance(spread, Undefined) else spread


def _areas(current: NumericProfile, baseline: NumericProfile) -> Floats:
    """float64[cells]: the area between the distribution functions, by the cell in which a stretch of it begins."""
    here, there = np.flatnonzero(current.counts), np.flatnonzero(baseline.counts)
    cells = np.concatenate((here, there))
    places = np.concatenate((current.sums[here] / current.counts[here], baseline.sums[there] / baseline.counts[there]))
    steps = np.concatenate((shares(current.counts)[here], -shares(baseline.counts)[there]))
    order = np.argsort(places, kind="stable")
    with np.errstate(over="ignore"):  # the caller looks for infinity
        stretches = np.abs(np.cumsum(steps[order])[:-1]) * np.diff(places[order])
    return np.bincount(cells[order][:-1], stretches, minlength=len(current.counts)).astype(np.float64)


def _drawn_areas(current: NumericProfile, baseline: NumericProfile, seed: int) -> Floats:
    """float64[500]: the areas if nothing had changed, with every value at its cell's mean over both samples."""
    counts = current.counts + baseline.counts
    cells = np.flatnonzero(counts)
    places = (current.sums[cells] + baseline.sums[cells]) / counts[cells]
    drawn_current, drawn_baseline = draw_samples(current.counts[cells], baseline.counts[cells], seed)
    gaps = np.cumsum(drawn_current / current.valid - drawn_baseline / baseline.valid, axis=-1)[:, :-1]
    return np.abs(gaps) @ np.maximum(np.diff(places), 0.0)
