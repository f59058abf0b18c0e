"""Power sums around a center near the data, so that numbers far from 0 keep their digits."""

from dataclasses import dataclass
from math import comb
from typing import Self

import numpy as np
import numpy.typing as npt

__all__ = ["Moments"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Sums of weight^j · (value - center)^k; the weight may be any other number of the row.

    ``a + b`` holds the sums of both, around a center between theirs: after Chan, Golub & LeVeque 1983, the variance
    of values around 1e9 is as exact as that of values around 0.

    Attributes:
        center: what values are taken relative to.
        sums: float64[J, K], by j < J and k < K; ``sums[0, 0]`` is the number of rows.
    """

    center: float
    sums: Floats

    @classmethod
    def empty(cls, shape: tuple[int, int]) -> Self:
        """Of no rows; the shape is that of the sums."""
        return cls(0.0, np.zeros(shape))

    @classmethod
    def of(cls, values: Floats, weights: Floats, shape: tuple[int, int]) -> Self:
        """Of rows with finite numbers. The center is one of the values, so that equal values have no variance."""
        if not len(values):
            return cls.empty(shape)
        with np.errstate(over="ignore", invalid="ignore"):
            center = float(values[np.argmin(np.abs(values - values.mean()))])
            from_center = values - center
            sums, weight = np.empty(shape), np.ones(len(values))
            for j in range(shape[0]):
                terms = weight
                for k in range(shape[1]):
                    sums[j, k] = terms.sum()
                    terms = terms * from_center
                weight = weight * weights
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
            for k in range(self.sums.shape[1]):  # the binomial theorem
                for i in range(k + 1):
                    moved[:, k] += comb(k, i) * np.float64(shift) ** (k - i) * self.sums[:, i]
        return type(self)(center, moved)

    def around_mean(self) -> Self:
        """The same sums around the values' mean; needs a row."""
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
