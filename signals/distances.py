"""How far apart are two distributions, given their counts in the same bins?

Each distance is a sum (or a maximum) of terms, one per bin. The formulas take counts int64[..., k] of the current and
the baseline sample and work on the last axis, so that one measurement and 500 simulated ones are the same code.
p = current shares, q = baseline shares.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

__all__ = ["CHEBYSHEV", "HELLINGER", "JENSEN_SHANNON", "KULLBACK_LEIBLER", "PSI", "TOTAL_VARIATION", "Distance"]

Counts = npt.NDArray[np.int64] | npt.NDArray[np.float64]
"""Counted, or expected ones."""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Distance:
    """A distance between shares.

    Attributes:
        terms: (current counts, baseline counts) to the bins' terms, float64[..., k].
        total: terms to the distance, float64[...].
        symmetric: whether swapping the samples changes nothing.
    """

    terms: Callable[[Counts, Counts], Floats]
    total: Callable[[Floats], Floats]
    symmetric: bool = True

    def between(self, current: Counts, baseline: Counts) -> Floats:
        """The distance, float64[...]."""
        return self.total(self.terms(current, baseline))


def shares(counts: Counts) -> Floats:
    """Counts over their sum."""
    return counts / counts.sum(axis=-1, keepdims=True)


def smoothed_shares(counts: Counts) -> Floats:
    """Shares with half a row added to every bin (Jeffreys' prior), so that none is 0."""
    return (counts + 0.5) / (counts.sum(axis=-1, keepdims=True) + counts.shape[-1] / 2)


def _psi_terms(current: Counts, baseline: Counts) -> Floats:
    p, q = smoothed_shares(current), smoothed_shares(baseline)
    return (p - q) * np.log(p / q)


def _kl_terms(current: Counts, baseline: Counts) -> Floats:
    p, q = smoothed_shares(current), smoothed_shares(baseline)
    return p * np.log(p / q)


def _js_terms(current: Counts, baseline: Counts) -> Floats:
    p, q = shares(current), shares(baseline)
    middle = (p + q) / 2
    return (special.rel_entr(p, middle) + special.rel_entr(q, middle)) / (2 * np.log(2))


def _hellinger_terms(current: Counts, baseline: Counts) -> Floats:
    return (np.sqrt(shares(current)) - np.sqrt(shares(baseline))) ** 2 / 2


def _half_gaps(current: Counts, baseline: Counts) -> Floats:
    return _gaps(current, baseline) / 2


def _gaps(current: Counts, baseline: Counts) -> Floats:
    return np.abs(shares(current) - shares(baseline))


def _sum(terms: Floats) -> Floats:
    # Rounding leaves -1e-17 where nothing changed, and 1 + 1e-16 where everything did.
    return np.maximum(terms.sum(axis=-1), 0.0)


def _sum_within_one(terms: Floats) -> Floats:
    return np.minimum(_sum(terms), 1.0)


def _root_of_sum(terms: Floats) -> Floats:
    return np.sqrt(_sum_within_one(terms))


def _largest(terms: Floats) -> Floats:
    return terms.max(axis=-1)


PSI = Distance(_psi_terms, _sum)
KULLBACK_LEIBLER = Distance(_kl_terms, _sum, symmetric=False)
JENSEN_SHANNON = Distance(_js_terms, _root_of_sum)
HELLINGER = Distance(_hellinger_terms, _root_of_sum)
TOTAL_VARIATION = Distance(_half_gaps, _sum_within_one)
CHEBYSHEV = Distance(_gaps, _largest)
