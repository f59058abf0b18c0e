"""Power sums around a center near the data, so that numbers far from 0 keep their digits."""

from dataclasses import dataclass
from math import comb
from typing import Self

import numpy as np
import numpy.typing as npt

__all__ = ["ACTUAL_POWERS", "ERROR_POWERS", "Moments"]

ERROR_POWERS, ACTUAL_POWERS = 3, 5
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Sums of error^j · (actual - center)^k, with error = prediction - actual.

    ``a + b`` holds the sums of both, around a center between theirs: after Chan, Golub & LeVeque 1983, the variance
    of values around 1e9 is as exact as that of values around 0.

    Attributes:
        center: what actual values are taken relative to.
        sums: float64[3, 5], by j and k; ``sums[0, 0]`` is the number of rows.
    """

    center: float
    sums: Floats

    @classmethod
    def empty(cls) -> Self:
        """Of no rows."""
        return cls(0.0, np.zeros((ERROR_POWERS, ACTUAL_POWERS)))

    @classmethod
    def of(cls, actual: Floats, error: Floats) -> Self:
        """Of rows with finite numbers. The center is one of the values, so that equal values have no variance."""
        if not len(actual):
            return cls.empty()
        with np.errstate(over="ignore", invalid="ignore"):
            center = float(actual[np.argmin(np.abs(actual - actual.mean()))])
            from_center = actual - center
            sums, errors = np.empty((ERROR_POWERS, ACTUAL_POWERS)), np.ones(len(actual))
            for j in range(ERROR_POWERS):
                terms = errors
                for k in range(ACTUAL_POWERS):
                    sums[j, k] = terms.sum()
                    terms = terms * from_center
                errors = errors * error
        return cls(center, sums)

    @property
    def rows(self) -> float:
        return float(self.sums[0, 0])

    def around(self, center: float) -> Self:
        """The same sums around another center."""
        if center == self.center:
            return self
        moved, shift = np.zeros_like(self.sums), self.center - center
        with np.errstate(over="ignore", invalid="ignore"):
            for k in range(ACTUAL_POWERS):  # the binomial theorem
                for i in range(k + 1):
                    moved[:, k] += comb(k, i) * np.float64(shift) ** (k - i) * self.sums[:, i]
        return type(self)(center, moved)

    def around_mean(self) -> Self:
        """The same sums around the actual values' mean; needs a row."""
        with np.errstate(over="ignore", invalid="ignore"):
            return self.around(float(self.center + self.sums[0, 1] / self.sums[0, 0]))

    def __add__(self, other: Self) -> Self:
        if not self.rows or not other.rows:
            return self if self.rows else other
        share = other.rows / (self.rows + other.rows)
        center = self.center * (1 - share) + other.center * share if self.center != other.center else self.center
        one, two = self.around(center), other.around(center)
        with np.errstate(over="ignore", invalid="ignore"):
            return type(self)(center, one.sums + two.sums)
