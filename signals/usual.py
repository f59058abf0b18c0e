"""Where do a check's own values usually lie? The centre and the spread that a dynamic threshold stands on."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import fsum, inf, sqrt
from statistics import median

__all__ = ["SpreadMethod", "Usual", "usual_of"]

MAD_TO_SIGMA = 1.4826
"""The standard deviation of a normal distribution in units of its median absolute deviation, 1 / Φ⁻¹(3/4)."""
ROUNDING = 1e-9
"""Values this near to each other, relative to their size, may differ only in the order in which rows were added."""


class SpreadMethod(StrEnum):
    """How a centre and a spread are taken from earlier values."""

    STANDARD_DEVIATION = "standard_deviation"
    """The mean and the sample standard deviation (ddof 1)."""
    MEDIAN_ABSOLUTE_DEVIATION = "median_absolute_deviation"
    """The median and the median distance from it times 1.4826; up to half of the values may be outliers."""


@dataclass(frozen=True, slots=True)
class Usual:
    """Where values usually lie.

    Attributes:
        method: how it was found out.
        center: the mean or the median, in the metric's unit.
        deviation: the standard deviation, or the median absolute deviation as it is.
        points: how many values it stands on.
    """

    method: SpreadMethod
    center: float
    deviation: float
    points: int

    @property
    def spread(self) -> float:
        """The deviation in the unit of a standard deviation."""
        return self.deviation * (MAD_TO_SIGMA if self.method is SpreadMethod.MEDIAN_ABSOLUTE_DEVIATION else 1.0)

    def low(self, k: float) -> float:
        """``center - k * spread``, at least a billionth of the centre below it, so that rounding does not breach."""
        return self.center - self._margin(k)

    def high(self, k: float) -> float:
        """``center + k * spread``, at least a billionth of the centre above it, so that rounding does not breach."""
        return self.center + self._margin(k)

    def _margin(self, k: float) -> float:
        return max(k * self.spread, ROUNDING * abs(self.center))


def usual_of(values: Sequence[float], method: SpreadMethod) -> Usual:
    """Centre and deviation of at least two values, the same to the last bit in whatever order they come.

    Both are infinite where a sum of the values, or of their squares, is beyond what a float holds.
    """
    center_and_deviation = _median if method is SpreadMethod.MEDIAN_ABSOLUTE_DEVIATION else _mean
    try:
        center, deviation = center_and_deviation(values)
    except OverflowError:
        center, deviation = inf, inf
    return Usual(method, center, deviation, len(values))


def _mean(values: Sequence[float]) -> tuple[float, float]:
    center = fsum(values) / len(values)
    return center, sqrt(fsum((value - center) ** 2 for value in values) / (len(values) - 1))


def _median(values: Sequence[float]) -> tuple[float, float]:
    center = median(values)
    return center, median(abs(value - center) for value in values)
