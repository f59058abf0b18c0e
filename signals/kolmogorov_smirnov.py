"""How wide is the largest gap between two distribution functions, and could it be chance?

The gap is read at the edges of the fine cells. Nulls have no place on the number line and take no part; infinite
values have one, at its ends.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from signals.bins import NumericBins, ValueType
from signals.catalogue import Bad, Family, Kind, metric
from signals.chance import Chance, of_gap, of_test
from signals.change import Change
from signals.distances import shares
from signals.evidence import measured
from signals.measurement import Measurement, Undefined
from signals.profile import NumericProfile

__all__ = ["Gap", "gap_between", "kolmogorov_smirnov_statistic", "two_sample_kolmogorov_smirnov_test"]

NUMERICAL = frozenset({Kind.NUMERICAL})
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Gap:
    """The largest gap.

    Attributes:
        size: D, in [0, 1].
        at: the edge where it is; None where there are no edges.
        signs: float64[cells], the gap's sign for the cells left of that edge, 0 for the others.
        steps: float64[cells], what each cell adds to it: a share gained or lost on the way to that edge.
    """

    size: float
    at: float | None
    signs: Floats
    steps: Floats


@metric(
    "two_sample_kolmogorov_smirnov_test", aliases=("TwoSampleKolmogorovSmirnovTest",), family=Family.DRIFT,
    bad=Bad.LOWER, unit="p-value", range=(0.0, 1.0), kinds=NUMERICAL, source="scipy.stats.kstwo",
)  # fmt: skip
def two_sample_kolmogorov_smirnov_test(change: Change) -> Measurement | Undefined:
    """The p-value of the two-sample Kolmogorov-Smirnov test."""
    if isinstance(change.numbers, Undefined):
        return change.numbers
    gap = gap_between(*change.numbers)
    chance = of_gap(gap.size, *(profile.valid for profile in change.numbers))
    test = of_test(chance.p_value, chance.method)
    evidence = {"statistic": gap.size, "statistic_expected_p95": chance.expected_p95}
    return _measured(change, chance.p_value, test, gap, evidence)


@metric(
    "kolmogorov_smirnov_statistic", aliases=("ks",), family=Family.DRIFT, bad=Bad.HIGHER, unit="share",
    range=(0.0, 1.0), kinds=NUMERICAL, source="Kolmogorov, 1933; Smirnov, 1948",
)  # fmt: skip
def kolmogorov_smirnov_statistic(change: Change) -> Measurement | Undefined:
    """The largest gap between the two cumulative distributions."""
    if isinstance(change.numbers, Undefined):
        return change.numbers
    gap = gap_between(*change.numbers)
    return _measured(change, gap.size, of_gap(gap.size, *(profile.valid for profile in change.numbers)), gap, {})


def gap_between(current: NumericProfile, baseline: NumericProfile) -> Gap:
    """The largest gap between the distribution functions of two samples that have values."""
    steps = shares(current.counts) - shares(baseline.counts)
    gaps = np.cumsum(steps)[:-1]
    if not len(gaps):
        return Gap(0.0, None, np.zeros(1), np.zeros(1))
    at = int(np.abs(gaps).argmax())
    # The gap at an edge is the sum of what the cells left of it gained, or lost.
    signs = np.where(np.arange(len(steps)) <= at, np.sign(gaps[at]), 0.0)
    return Gap(min(1.0, float(np.abs(gaps[at]))), float(current.bins.edges[at]), signs, steps * signs)


def _measured(change: Change, value: float, chance: Chance, gap: Gap, details: dict[str, Any]) -> Measurement:
    counts = change.merged(change.current.counts), change.merged(change.baseline.counts)
    details = {**details, "at": gap.at, "largest_cell_share": _largest_cell_share(change)}
    terms = change.merged(gap.steps)
    return measured(change, value, chance, bins=change.value_bins, counts=counts, terms=terms, **details)


def _largest_cell_share(change: Change) -> float:
    """By how much the raw values' gap may exceed the one at the edges: it may be wider inside a cell."""
    larger = np.maximum(shares(change.current.counts), shares(change.baseline.counts))
    assert isinstance(change.current.bins, NumericBins)
    return float(larger[_holds_several(change.current.bins)].max())


def _holds_several(bins: NumericBins) -> npt.NDArray[np.bool_]:
    """bool[cells]: whether a cell can hold different values; one that cannot has no inside."""
    low, high = bins.edges[:-1], bins.edges[1:]
    if bins.value_type is ValueType.INTEGER:
        inner = np.ceil(high) - np.ceil(low) > 1
    else:
        inner = np.nextafter(low, np.inf) < high
    return np.concatenate(([True], inner, [True]))[: bins.cells]
