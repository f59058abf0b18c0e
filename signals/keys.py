"""Which rows of a batch are counted together, and which bucket of time an instant belongs to."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from signals.timestamps import UNDATED

__all__ = ["Buckets", "Keys"]

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]


@dataclass(slots=True)
class Keys:
    """The slots of rows that are sorted by slot: one run of rows per slot.

    What is added up is added up slot by slot in the order of the rows, so that a slot's sum does not depend on others.

    Attributes:
        slots: intp[runs], each run's slot; no two are the same.
        starts: intp[runs], the first row of each run; none is empty.
        size: how many rows there are.
        room: how many slots there are, these and others.
        sizes: intp[runs], how many rows each run has.
        at: the slots as an index of an array over all slots.
    """

    slots: Places
    starts: Places
    size: int
    room: int
    sizes: Places = field(init=False)
    at: slice | Places = field(init=False)

    def __post_init__(self) -> None:
        self.sizes = np.append(self.starts[1:], self.size) - self.starts if len(self.starts) else self.starts
        first, runs = int(self.slots[0]) if len(self.slots) else 0, len(self.slots)
        consecutive = runs <= 1 or bool((self.slots == np.arange(first, first + runs)).all())
        self.at = slice(first, first + runs) if consecutive else self.slots

    def where(self, mask: Mask) -> "Keys":
        """The slots of the rows that a mask keeps."""
        kept = self.tally(mask)
        runs = kept > 0
        ends = np.cumsum(kept[runs])
        return Keys(self.slots[runs], ends - kept[runs], int(kept.sum()), self.room)

    def tally(self, mask: Mask) -> Places:
        """intp[runs]: how many rows of each the mask holds for."""
        if len(self.slots) == 1:
            return np.array([np.count_nonzero(mask)])
        return np.add.reduceat(mask, self.starts, dtype=np.intp)

    def index(self, cell: Places, cells: int) -> Places:
        """intp[rows]: where each row's slot and cell are among the elements of [slots, cells]."""
        if len(self.slots) == 1:
            return cell + self.slots[0] * cells if self.slots[0] else cell
        return np.repeat(self.slots * cells, self.sizes) + cell

    def squares(self, x: Floats) -> Floats:
        """float64[runs], the sum of squares."""
        return np.add.reduceat(x * x, self.starts)

    def least(self, x: Floats) -> Floats:
        """float64[runs], the least number."""
        return np.minimum.reduceat(x, self.starts)

    def greatest(self, x: Floats) -> Floats:
        """float64[runs], the greatest number."""
        return np.maximum.reduceat(x, self.starts)


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
