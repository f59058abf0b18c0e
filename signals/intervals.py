"""How far off may a performance metric be by chance? 95 % intervals, each by the method made for its kind of number."""

from collections.abc import Callable
from math import exp, inf, isfinite, log, sqrt

import numpy as np
import numpy.typing as npt

__all__ = [
    "Interval", "Z", "around", "around_share", "hanley_mcneil", "macro", "mean", "ratio_of_shares", "weighted_mean",
    "wilson",
]  # fmt: skip

Interval = tuple[float, float]
Z = 1.959963984540054
"""The normal distribution's 97.5th percentile."""


def wilson(successes: float, trials: float) -> Interval:
    """Of a proportion. Wilson 1927: inside [0, 1], and honest at 0 and 1, where the delta method has no width."""
    share, z2 = successes / trials, Z * Z
    center = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = Z / (1 + z2 / trials) * sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials))
    # At 0 and 1 the bound is the share itself; rounding must not put it beyond.
    return min(share, max(0.0, center - half)), max(share, min(1.0, center + half))


def around(value: float, variance: float, low: float = -inf, high: float = inf) -> Interval | None:
    """Of an estimate with this variance (delta method), cut at the metric's range; None where it overflows."""
    if not isfinite(variance):
        return None
    half = Z * sqrt(max(0.0, variance))
    return max(low, value - half), min(high, value + half)


def around_share(value: float, variance: float) -> Interval | None:
    """As `around`, on the logit scale, for a value strictly between 0 and 1; None where there is no variance."""
    if not (0 < value < 1 and isfinite(variance) and variance > 0):
        return None
    logit, half = log(value / (1 - value)), Z * sqrt(variance) / (value * (1 - value))
    return _expit(logit - half), _expit(logit + half)


def mean(n: float, total: float, squares: float, low: float = -inf, high: float = inf) -> Interval | None:
    """Of a mean, from the number, the sum and the sum of squares of its terms; None for fewer than two terms."""
    if n < 2:
        return None
    average = total / n
    return around(average, (squares / n - average * average) / (n - 1), low, high)


def weighted_mean(n: int, *, w: float, wx: float, w2: float, w2x: float, w2x2: float) -> Interval | None:
    """Of a mean of n shares x with weights w, from sums such as Σw²x (delta method); None for fewer than two."""
    if n < 2:
        return None
    average = wx / w
    squares = w2x2 - 2 * average * w2x + average * average * w2
    return around(average, squares / w / w * n / (n - 1), 0.0, 1.0)


def ratio_of_shares(hits: float, trials: float, base_hits: float, base_trials: float) -> Interval:
    """Of the ratio of two independent proportions, on the log scale (Katz et al. 1978); a base of 0 has none.

    Where there are no hits, the upper bound has half a hit more on both sides (Walter 1975), and the lower one is 0.
    """
    more = 0.0 if hits else 0.5
    hits, trials, base_hits, base_trials = (each + more for each in (hits, trials, base_hits, base_trials))
    ratio = (hits / trials) / (base_hits / base_trials)
    half = Z * sqrt(max(0.0, 1 / hits - 1 / trials + 1 / base_hits - 1 / base_trials))
    return 0.0 if more else ratio * exp(-half), ratio * exp(half)


def hanley_mcneil(auc: float, positives: float, negatives: float) -> Interval:
    """Of an area under the ROC curve: the areas from which this one is not further than 1.96 standard errors.

    The standard error is Hanley & McNeil's (1982), taken at the bound itself and not at the estimate (Newcombe 2006,
    method 5), so that the interval stays in [0, 1] and has a width at an area of 1.
    """
    pseudo = (positives + negatives) / 2 - 1

    def excess(area: float) -> float:
        spread = 1 + pseudo * ((1 - area) / (2 - area) + area / (1 + area))
        return (auc - area) ** 2 - Z * Z * area * (1 - area) * spread / (positives * negatives)

    # An area of 0 or 1 is a bound of itself; the other bound is beyond it.
    low = _root(excess, 0.0, min(auc, 1 - 1e-12)) if auc > 0 else 0.0
    high = _root(excess, 1.0, max(auc, 1e-12)) if auc < 1 else 1.0
    return min(auc, low), max(auc, high)


def macro(hits: npt.NDArray[np.float64], trials: npt.NDArray[np.float64]) -> Interval:
    """Of the mean of independent proportions ``hits / trials``, from their Wilson intervals (Zou & Donner 2008)."""
    shares = hits / trials
    bounds = np.array([wilson(hit, trial) for hit, trial in zip(hits.tolist(), trials.tolist(), strict=True)])
    below, above = np.sqrt(((bounds.T - shares) ** 2).sum(axis=1)) / len(shares)
    return max(0.0, float(shares.mean() - below)), min(1.0, float(shares.mean() + above))


def _root(f: Callable[[float], float], positive: float, negative: float) -> float:
    """Where f changes its sign, within 1e-15 of it for numbers in [0, 1]; by bisection, between a place of each sign.

    scipy.optimize would be a quarter of a second to import.
    """
    for _ in range(50):
        middle = (positive + negative) / 2
        positive, negative = (middle, negative) if f(middle) > 0 else (positive, middle)
    return (positive + negative) / 2


def _expit(x: float) -> float:
    return 1 / (1 + exp(-x)) if x > 0 else exp(x) / (1 + exp(x))
