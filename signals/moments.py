"""What are a numerical column's mean, spread and extremes, read from its profile?"""

import math

import numpy as np

from signals.measurement import Undefined
from signals.profile import NumericProfile

__all__ = ["mean_of", "no_finite_moments", "standard_deviation_of", "sum_of"]


def no_finite_moments(profile: NumericProfile) -> Undefined | None:
    """Why the column has no finite mean; None when it has one."""
    if profile.rows == 0:
        return Undefined("there are no rows")
    if profile.valid == 0:
        return Undefined("there are no values: all rows are null")
    if profile.infinite:
        return Undefined(f"{profile.infinite} of {profile.valid} values are infinite")
    with np.errstate(over="ignore", invalid="ignore"):
        total = float(profile.sums.sum())
    if not math.isfinite(total):
        return Undefined("the values are too large to be added up")
    return None


def mean_of(profile: NumericProfile) -> float | Undefined:
    """The mean of the non-null values."""
    return no_finite_moments(profile) or profile.bins.center + float(profile.sums.sum()) / profile.valid


def sum_of(profile: NumericProfile) -> float | Undefined:
    """The sum of the non-null values."""
    trouble = no_finite_moments(profile)
    if trouble:
        return trouble
    total = profile.bins.center * profile.valid + float(profile.sums.sum())
    return total if math.isfinite(total) else Undefined("the values are too large to be added up")


def standard_deviation_of(profile: NumericProfile) -> float | Undefined:
    """The sample standard deviation (divided by n − 1) of the non-null values."""
    trouble = no_finite_moments(profile)
    if trouble:
        return trouble
    n, total = profile.valid, float(profile.sums.sum())
    if n == 1:
        return Undefined("one value has no standard deviation")
    if profile.low == profile.high:
        return 0.0  # the difference below would leave what rounding left
    variance = (profile.squares - total * (total / n)) / (n - 1)
    if not math.isfinite(variance):
        return Undefined("the values are too large to be squared")
    return math.sqrt(max(0.0, variance))
