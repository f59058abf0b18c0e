"""Into which cell a number falls, in a few vectorized steps instead of a binary search per value.

A monotone map takes a number to one of a few thousand slots. A slot knows the cell in which it begins and the first
two edges inside it, so ``cell = first_cell[slot] + (x >= edge_1[slot]) + (x >= edge_2[slot])`` is exact for any edges:
the map only has to be monotone, because numbers on different sides of an edge are compared with the edge itself.
Slots with three edges or more are rare; their values are searched for. The map is linear, or follows the bits of the
floating-point format (about logarithmic) where values are heavy-tailed: whichever leaves fewer values to be searched.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Lookup"]

SLOTS = 4096
GREATEST = float(np.finfo(np.float64).max)
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Lookup:
    """Finds cells for the edges that it was made for; see `Lookup.for_edges`.

    Attributes:
        edges: float64[cells - 1], the cells' edges.
        logarithmic: whether slots follow the bits of the numbers or the numbers themselves.
        origin, step: slot = (number - origin) * step, or (bits >> step) - origin.
        first_cell: uint8[SLOTS + 2] (small integers are fast) or as large as is needed: the cell at each slot's
            beginning, and for a slot with more edges than two the number after the last cell's. The outer two slots are
            open-ended.
        edge_1, edge_2: float64[SLOTS + 2], the slot's first two edges; NaN where it has none, or more than two.
        two_edges: whether any slot has a second edge.
    """

    edges: Floats
    logarithmic: bool
    origin: float | int
    step: float | int
    first_cell: npt.NDArray[np.unsignedinteger]
    edge_1: Floats
    edge_2: Floats
    two_edges: bool

    @classmethod
    def for_edges(cls, edges: Floats) -> "Lookup":
        """The faster of both maps, judged by how many edges share a slot with others.

        Edges stand about where the values are, so crowded edges mean crowded values.
        """
        linear, logarithmic = _make(edges, logarithmic=False), _make(edges, logarithmic=True)
        return min(linear, logarithmic, key=lambda lookup: (lookup.searched_edges, lookup.logarithmic))

    @property
    def searched_edges(self) -> int:
        """How many edges lie in slots whose values must be searched for."""
        return int(np.count_nonzero(self.first_cell.take(self.slots(self.edges)) == len(self.edges) + 1))

    def slots(self, x: Floats) -> npt.NDArray[np.intp]:
        """intp[n], 0 to SLOTS + 1; monotone in x."""
        if self.logarithmic:
            origin, shifted = int(self.origin), _ordered_bits(x) >> int(self.step)
            np.clip(shifted, origin - 1, origin + SLOTS, out=shifted)  # first: the difference may overflow
            shifted -= origin - 1
            return shifted.astype(np.intp, copy=False)
        with np.errstate(over="ignore"):
            scaled = x - self.origin
            scaled *= self.step
        np.clip(scaled, -1.0, float(SLOTS), out=scaled)
        scaled += 1.0  # so that truncation towards zero rounds down
        return scaled.astype(np.intp)

    def cells(self, x: Floats) -> npt.NDArray[np.intp]:
        """intp[n]: ``searchsorted(edges, x, side="right")``, for any numbers but NaN."""
        slots = self.slots(x)
        cells = self.first_cell.take(slots)
        cells += (x >= self.edge_1.take(slots)).view(np.uint8)
        if self.two_edges:
            cells += (x >= self.edge_2.take(slots)).view(np.uint8)
        hard = np.flatnonzero(cells == len(self.edges) + 1)
        found = cells.astype(np.intp)
        if len(hard):
            found[hard] = np.searchsorted(self.edges, x[hard], side="right")
        return found


def _make(edges: Floats, *, logarithmic: bool) -> Lookup:
    origin, step = _scale(edges, logarithmic=logarithmic)
    nowhere = np.full(SLOTS + 2, np.nan)  # no number is >= NaN
    slots = Lookup(edges, logarithmic, origin, step, np.zeros(0, np.uint8), nowhere, nowhere, False).slots(edges)
    first_cell = np.searchsorted(slots, np.arange(SLOTS + 2), side="left")
    in_slot = np.bincount(slots, minlength=SLOTS + 2)
    edge_1, edge_2 = nowhere.copy(), nowhere.copy()
    one, two = (in_slot == 1) | (in_slot == 2), in_slot == 2
    edge_1[one], edge_2[two] = edges[first_cell[one]], edges[first_cell[two] + 1]
    first_cell[in_slot > 2] = len(edges) + 1
    small = first_cell.astype(np.min_scalar_type(len(edges) + 1))
    return Lookup(edges, logarithmic, origin, step, small, edge_1, edge_2, bool(two.any()))


def _scale(edges: Floats, *, logarithmic: bool) -> tuple[float | int, float | int]:
    """Origin and step of the map, from the inner edges: the outermost ones may be far away.

    Any positive step is right, if not fast; one of 0 would be no number at infinity.
    """
    if not len(edges):
        return 0.0, 1.0
    margin = len(edges) // 32
    inner = edges[margin : len(edges) - margin]
    if logarithmic:
        bits = _ordered_bits(inner)
        span = int(bits[-1]) - int(bits[0])
        step = max(0, (span // SLOTS).bit_length())
        return int(bits[0]) >> step, step
    with np.errstate(over="ignore"):
        span = float(inner[-1]) - float(inner[0])
    if not np.isfinite(span) or span <= 0:
        return float(inner[0]), 1.0
    return float(inner[0]), min(SLOTS / span, GREATEST)


def _ordered_bits(x: Floats) -> npt.NDArray[np.int64]:
    """int64[n] in the order of the numbers: the bits of a float, with those of negative ones turned round."""
    bits = (x + 0.0).view(np.int64)  # + 0.0 makes -0.0 the 0.0 that it equals
    return bits ^ ((bits >> 63) & np.int64(0x7FFF_FFFF_FFFF_FFFF))
