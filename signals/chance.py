"""How large would a distance be by chance alone, when nothing changed?

Under no change both samples are drawn from the same shares, best estimated by pooling them. A distance is compared
with what it is on pairs of samples drawn from the pooled shares, or with its known distribution where it has one.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import special

__all__ = ["ALPHA", "DRAWS", "Chance", "draw_samples", "of_draws", "of_gap", "of_psi", "of_test"]

DRAWS = 500
ALPHA = 0.05
ROUNDING = 1e-12
MOST_BIAS = 0.1
"""How much smoothing may add to a PSI whose chance is known in closed form, in units of (1/n + 1/m) √(k − 1): the PSI's
own standard deviation is √2 of these, and what smoothing adds is taken off again, so the p-value hardly moves."""
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


def of_psi(value: float, still: Floats, current: Counts, baseline: Counts) -> Chance | None:
    """The chance of a PSI in closed form: (1/n + 1/m)·χ²(k − 1), B. Yurdakul, 2018; None where that does not hold.

    It holds where every bin expects at least 5 rows in both samples. Bins that are empty on both sides do not count:
    they are empty in every draw under no change, so they add no degree of freedom; their smoothed terms are constants
    of n, m and k (0 for samples of equal size) that only move the distribution.

    Args:
        value: the PSI.
        still: float64[k], its terms if both samples had exactly their expected counts: what smoothing alone adds.
        current: int64[k].
        baseline: int64[k].
    """
    drawable = current + baseline > 0
    scale = 1 / int(current.sum()) + 1 / int(baseline.sum())
    freedom = int(drawable.sum()) - 1
    most = MOST_BIAS * scale * np.sqrt(max(freedom, 1))
    if not _expects_five(current, baseline) or still[drawable].sum() > most:
        return None
    constant = float(still.sum())
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


def _expects_five(current: Counts, baseline: Counts) -> bool:
    pooled = current + baseline
    n, m = int(current.sum()), int(baseline.sum())
    return bool((pooled[pooled > 0] * (min(n, m) / (n + m)) >= 5).all())


@lru_cache
def _gap_p95(effective: int) -> float:
    from scipy.stats import kstwo

    return float(kstwo.isf(ALPHA, effective))
