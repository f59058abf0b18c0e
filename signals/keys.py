"""Which bucket of a scan each row belongs to."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from signals.timestamps import UNDATED

__all__ = ["Buckets", "Keys"]

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Keys:
    """The buckets of one batch's rows.

    Attributes:
        first, count: the rows' buckets are first, first + 1, ..., first + count - 1.
        local: intp[rows], each row's bucket less `first`; None where all rows are in the one bucket `first`.
    """

    first: int
    count: int = 1
    local: npt.NDArray[np.intp] | None = None

    @property
    def span(self) -> slice:
        """The buckets as a slice of an array over all buckets."""
        return slice(self.first, self.first + self.count)

    def where(self, mask: Mask) -> "Keys":
        """The buckets of the rows that a mask keeps."""
        return self if self.local is None else Keys(self.first, self.count, self.local[mask])

    def tally(self, mask: Mask) -> npt.NDArray[np.intp] | int:
        """How many rows of each bucket the mask holds for: intp[count], or one number."""
        return (
            int(np.count_nonzero(mask)) if self.local is None else np.bincount(self.local[mask], minlength=self.count)
        )

    def rows(self, size: int) -> npt.NDArray[np.intp] | int:
        """How many rows each bucket has."""
        return size if self.local is None else np.bincount(self.local, minlength=self.count)

    def counts(self, cell: npt.NDArray[np.intp], cells: int) -> npt.NDArray[np.intp]:
        """intp[count, cells]: how many rows each bucket's cells have."""
        return np.bincount(self._index(cell, cells), minlength=self.count * cells).reshape(self.count, cells)

    def sums(self, cell: npt.NDArray[np.intp], cells: int, weights: Floats) -> Floats:
        """float64[count, cells]: the sum of the weights of each bucket's cells."""
        return _weighted(self._index(cell, cells), weights, self.count * cells).reshape(self.count, cells)

    def _index(self, cell: npt.NDArray[np.intp], cells: int) -> npt.NDArray[np.intp]:
        return cell if self.local is None else self.local * cells + cell

    def squares(self, x: Floats) -> Floats | float:
        """The sum of squares in each bucket."""
        if self.local is not None:
            return _weighted(self.local, x * x, self.count)
        return float(np.einsum("i,i->", x, x))  # not @: BLAS would start threads, and a task has one core

    def least(self, x: Floats) -> Floats | float:
        """The least number of each bucket; inf where it has none."""
        if self.local is None:
            return float(x.min(initial=np.inf))
        low = np.full(self.count, np.inf)
        np.minimum.at(low, self.local, x)
        return low

    def greatest(self, x: Floats) -> Floats | float:
        """The greatest number of each bucket; -inf where it has none."""
        negative = self.least(-x) if self.local is not None else -float(x.max(initial=-np.inf))
        return -negative


@dataclass(frozen=True)
class Buckets:
    """Consecutive steps of time, some of which are wanted.

    Attributes:
        edges: int64[steps + 1], increasing instants; step i is [edges[i], edges[i + 1]).
        bucket: intp[steps], each step's bucket, in order of time; -1 for a step that no window needs.
    """

    edges: npt.NDArray[np.int64]
    bucket: npt.NDArray[np.intp]

    @property
    def count(self) -> int:
        return int(self.bucket.max(initial=-1)) + 1

    def of(self, instants: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
        """intp[n], the bucket of each instant; -1 outside of all."""
        steps = len(self.bucket)
        if not len(instants) or not steps:
            return np.full(len(instants), -1, np.intp)
        low, high = np.searchsorted(self.edges, [instants.min(), instants.max()], side="right") - 1
        if low == high and 0 <= low < steps:
            return np.full(len(instants), self.bucket[low], np.intp)
        step = np.searchsorted(self.edges, instants, side="right") - 1
        inside = (step >= 0) & (step < steps) & (instants != UNDATED)
        return np.where(inside, self.bucket[np.clip(step, 0, steps - 1)], -1)


def _weighted(index: npt.NDArray[np.intp], weights: Floats, size: int) -> Floats:
    return np.bincount(index, weights, minlength=size).astype(np.float64, copy=False)
