"""How large would a distance be by chance alone, when nothing changed?

Under no change both samples are drawn from the same shares, best estimated by pooling them. A distance is compared
with what it is on pairs of samples drawn from the pooled shares, or with its known distribution where it has one.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import special

__all__ = ["DRAWS", "Chance", "draw_samples", "expects_five", "of_draws", "of_gap", "of_psi", "of_test"]

DRAWS = 500
ALPHA = 0.05
ROUNDING = 1e-12
Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Chance:
    """What chance alone would give.

    Attributes:
        p_value: the chance of a value at least this large when nothing changed, in [0, 1].
        expected_p95: the value's 95th percentile when nothing changed.
        method: how both were found.
    """

    p_value: float
    expected_p95: float
    method: str


def draw_samples(pooled: Counts, n: int, m: int, seed: int) -> tuple[Counts, Counts]:
    """int64[500, k] twice: pairs of samples of n and of m rows, both drawn from the pooled counts' shares."""
    rng = np.random.default_rng(seed)
    shares = pooled / pooled.sum()
    return rng.multinomial(n, shares, DRAWS), rng.multinomial(m, shares, DRAWS)


def of_draws(value: float, drawn: Floats) -> Chance:
    """The chance of a value among those of the drawn samples; a p-value is never 0, for the value is one of them."""
    least = value - ROUNDING * max(1.0, abs(value))  # equal values differ in their last digits
    p_value = (1 + int((drawn >= least).sum())) / (len(drawn) + 1)
    return Chance(p_value, float(np.quantile(drawn, 1 - ALPHA)), "simulation")


def expects_five(current: Counts, baseline: Counts) -> bool:
    """Whether every bin expects at least 5 rows in both samples, as approximations by chi-squared need.

    Bins that are empty on both sides have a pooled share of 0: nothing can be drawn from them, so there is nothing to
    approximate, and they do not count.
    """
    pooled = current + baseline
    n, m = int(current.sum()), int(baseline.sum())
    return bool((pooled[pooled > 0] * (min(n, m) / (n + m)) >= 5).all())


def of_psi(value: float, terms: Floats, current: Counts, baseline: Counts) -> Chance:
    """The chance of a PSI in closed form: (1/n + 1/m)·χ²(k − 1), B. Yurdakul, 2018.

    A bin that is empty on both sides is empty in every draw under no change. It adds no degree of freedom, and its
    smoothed term is a constant of n, m and k (0 for samples of equal size) that only moves the distribution.
    """
    drawable = current + baseline > 0
    scale = 1 / int(current.sum()) + 1 / int(baseline.sum())
    constant, freedom = float(terms[~drawable].sum()), int(drawable.sum()) - 1
    if freedom < 1:
        return Chance(1.0, value, "closed form")
    p_value = float(special.chdtrc(freedom, max(0.0, value - constant) / scale))
    return Chance(p_value, constant + scale * float(special.chdtri(freedom, ALPHA)), "closed form")


def of_gap(gap: float, n: int, m: int) -> Chance:
    """The chance of a Kolmogorov-Smirnov statistic: `scipy.stats.kstwo` with the effective size nm/(n + m).

    Rounded as `scipy.stats.ks_2samp` does it.
    """
    from scipy.stats import kstwo  # takes half a second of CPU to import, and few ask for this test

    effective = max(1, round(n * m / (n + m)))
    p_value = min(1.0, max(0.0, float(kstwo.sf(gap, effective))))
    return Chance(p_value, _gap_p95(effective), "closed form")


def of_test(p_value: float, method: str) -> Chance:
    """The chance of a test's own p-value, which is bad when low: 5 % of them lie below 0.05 when nothing changed."""
    return Chance(p_value, ALPHA, method)


@lru_cache
def _gap_p95(effective: int) -> float:
    from scipy.stats import kstwo

    return float(kstwo.isf(ALPHA, effective))
