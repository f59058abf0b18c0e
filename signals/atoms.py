"""Which rows of a batch are in the same segments? They are counted once, in however many segments they are."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Atoms", "atoms_of"]

AT_MOST = 1024
"""So many atoms are told apart at once. Segments that overlap to more are counted in several passes over the rows."""
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Atoms:
    """Rows told apart by which of some segments they are in.

    Attributes:
        codes: intp[rows], each row's atom.
        sets: bool[atoms, segments]: which segments an atom's rows are in, in an order that depends on the sets alone.
    """

    codes: Places
    sets: Mask

    def __len__(self) -> int:
        return len(self.sets)

    def crossed(self, other: "Atoms") -> "Atoms":
        """Rows told apart by the segments of both."""
        return _present(self.codes * len(other) + other.codes, self.sets, other.sets)


def atoms_of(masks: Mask) -> Iterator[Atoms]:
    """The atoms of bool[segments, rows]: of all segments at once, or, where they were too many, of some at a time.

    Depends on nothing but the masks, so that sums over atoms do not either.
    """
    segments, rows = masks.shape
    held = _disjoint(masks)
    if held is not None:
        yield held
        return
    held = Atoms(np.zeros(rows, np.intp), np.zeros((1, segments), np.bool_))
    for first in range(0, segments, 8):
        more = _of_eight(masks, first)
        both = held.crossed(more)
        if len(both) > AT_MOST:
            yield held
            both = more
        held = both
    yield held


def _disjoint(masks: Mask) -> Atoms | None:
    """The atoms where every row is in one segment at most, beside those that hold all rows; None where one is not."""
    segments, rows = masks.shape
    whole = np.all(masks, axis=1)
    some = np.flatnonzero(~whole)
    if np.count_nonzero(masks) > rows * (1 + segments - len(some)):
        return None
    kind = np.min_scalar_type(segments)
    memberships, codes = np.zeros(rows, kind), np.zeros(rows, kind)
    for place in some.tolist():
        memberships += masks[place]
        codes += masks[place] * kind.type(place + 1)
    if memberships.max(initial=0) > 1:
        return None
    return Atoms(codes.astype(np.intp), np.eye(segments + 1, segments, -1, np.bool_) | whole)


def _of_eight(masks: Mask, first: int) -> Atoms:
    """The atoms of eight segments, or the rest of them."""
    segments, rows = masks.shape
    codes = np.zeros(rows, np.uint8)
    for place, mask in enumerate(masks[first : first + 8]):
        codes |= mask.view(np.uint8) << np.uint8(place)
    sets = np.zeros((256, segments), np.bool_)
    eight = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")
    sets[:, first : first + 8] = eight[:, : segments - first]
    return _present(codes.astype(np.intp), np.zeros((1, segments), np.bool_), sets)


def _present(pairs: Places, one: Mask, other: Mask) -> Atoms:
    """The unions of a set of one and a set of the other that some row has: pair a · len(other) + b is of a and b."""
    found = np.flatnonzero(np.bincount(pairs, minlength=1))
    number = np.zeros(len(one) * len(other), np.intp)
    number[found] = np.arange(len(found))
    a, b = np.divmod(found, len(other))
    return Atoms(number[pairs], one[a] | other[b])
