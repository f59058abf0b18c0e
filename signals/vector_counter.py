"""What one task counts of an embedding: its vectors' sums, one row of each array per slot of rows."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from signals.bins import VectorBins
from signals.counters import NULLS, ROWS, SCALARS, UNREADABLE, Part, block_of
from signals.covariance_sketch import Sketcher
from signals.growing import longer
from signals.keys import Keys
from signals.slots import Fold
from signals.state import StateRows
from signals.vectors import read_vectors

__all__ = ["VectorCounter"]

NUMBERS_AT_ONCE = 1 << 20
"""So many numbers of a run of rows are made doubles at once: 8 MB."""


@dataclass
class VectorCounter:
    """Adds vectors up; see `signals.profile.VectorProfile` for what each array is."""

    bins: VectorBins

    def __post_init__(self) -> None:
        self._sketcher = Sketcher(self.bins.dimensions)
        self._clear()

    def _clear(self) -> None:
        self._scalars = np.zeros((0, SCALARS), np.int64)
        self._counts = np.zeros((0, self.bins.cells), np.int64)
        self._sums = np.zeros((0, self.bins.sums))
        self._squares = np.zeros(0)

    def add(self, array: pa.Array, keys: Keys) -> None:
        self._scalars, self._counts = longer(self._scalars, keys.room), longer(self._counts, keys.room)
        self._sums, self._squares = longer(self._sums, keys.room), longer(self._squares, keys.room)
        self._scalars[keys.at, ROWS] += keys.sizes
        vectors, readable = read_vectors(array, self.bins.dimensions)
        if not readable.all():
            null = array.is_null().to_numpy(zero_copy_only=False)
            self._scalars[keys.at, NULLS] += keys.tally(null)
            self._scalars[keys.at, UNREADABLE] += keys.tally(~readable & ~null)
            keys = keys.where(readable)
        if len(vectors):
            self._counts[keys.at, 0] += keys.sizes
            for slot, start, size in zip(keys.slots.tolist(), keys.starts.tolist(), keys.sizes.tolist(), strict=True):
                self._add_up(slot, vectors[start : start + size])

    def _add_up(self, slot: int, vectors: npt.NDArray[np.number]) -> None:
        """The vectors of one slot, some at a time: how many does not depend on what else is in the batch."""
        dimensions = self.bins.dimensions
        at_once = max(1, NUMBERS_AT_ONCE // dimensions)
        for start in range(0, len(vectors), at_once):
            x = vectors[start : start + at_once].astype(np.float64)
            with np.errstate(over="ignore", invalid="ignore"):  # sums of huge numbers overflow; metrics say so
                self._sums[slot, :dimensions] += x.sum(axis=0)
                self._sums[slot, dimensions:] += self._sketcher.products(x)
                self._squares[slot] += np.square(x).sum()

    def keep(self, array: pa.Array) -> None:
        """Nothing is fitted to vectors, only to their lengths."""

    def write(self, rows: StateRows, column: int, fold: Fold, origin: int) -> None:
        arrays = {
            "counts": block_of(fold, self._scalars, self._counts),
            "sums": fold.of(self._sums),
            "total": fold.of(self._squares),
        }
        rows.add_arrays(fold.keys, column, Part.PROFILE, origin, arrays)
        self._clear()
