"""Which rows are counted together, and what they add up to.

Rows of the same bucket that are in the same segments share a slot. Slots are disjoint, so that each row is counted
once; a slot belongs to as many keys (a bucket and a segment) as it has segments.
"""

from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from signals.atoms import Atoms
from signals.keys import Keys

__all__ = ["Fold", "Slots"]

MANY = 16
"""So many slots per key are added key by key: the same sums, and the memory of one key's slots only."""
Places = npt.NDArray[np.intp]
Number = TypeVar("Number", np.int64, np.float64)


@dataclass
class Slots:
    """Numbers the slots of a piece of the dataset as they are found.

    Attributes:
        segments: how many segments there are.
    """

    segments: int
    _numbers: dict[tuple[int, bytes], int] = field(default_factory=dict[tuple[int, bytes], int])

    def keys(self, bucket: Places | None, atoms: Atoms | None, size: int) -> tuple[Keys | None, Places | None]:
        """The slots of a batch's rows, and the rows in the order of their slots; None where that is as they are.

        Args:
            bucket: intp[size], -1 for a row in none; None where all are in bucket 0.
            atoms: None where all rows are in the one segment.
            size: how many rows there are.
        """
        if bucket is None and atoms is None:
            return self._keys(np.zeros(1, np.intp), None, np.zeros(1, np.intp), size), None
        code, rows = _codes(bucket, atoms, size)
        if not len(code):
            return None, None
        if (code[1:] < code[:-1]).any():
            order = np.argsort(_small(code), kind="stable")
            code, rows = code[order], order if rows is None else rows[order]
        starts = np.flatnonzero(np.diff(code, prepend=-1))
        buckets, atom = np.divmod(code[starts], 1 if atoms is None else len(atoms))
        return self._keys(buckets, None if atoms is None else atoms.sets[atom], starts, len(code)), rows

    def _keys(self, buckets: Places, sets: npt.NDArray[np.bool_] | None, starts: Places, size: int) -> Keys:
        every = np.ones((len(buckets), self.segments), np.bool_)
        packed = np.packbits(every if sets is None else sets, axis=1)
        slots = [
            self._numbers.setdefault((bucket, members.tobytes()), len(self._numbers))
            for bucket, members in zip(buckets.tolist(), packed, strict=True)
        ]
        return Keys(np.array(slots), starts, size, room=len(self._numbers))

    def fold(self) -> "Fold":
        """The way from all slots to keys. Slots are added in an order that depends on their sets alone."""
        slots = sorted(self._numbers.items())
        bucket = np.array([bucket for (bucket, _), _ in slots], np.intp)
        packed = np.frombuffer(b"".join(members for (_, members), _ in slots), np.uint8)
        sets = np.unpackbits(packed.reshape(len(slots), (self.segments + 7) // 8), axis=1, count=self.segments)
        place, segment = np.nonzero(sets)
        key = bucket[place] * self.segments + segment
        order = np.argsort(key, kind="stable")
        starts = np.flatnonzero(np.diff(key[order], prepend=-1))
        number = np.array([number for _, number in slots], np.intp)
        return Fold(key[order][starts], number[place[order]], starts)


@dataclass(frozen=True, slots=True)
class Fold:
    """Which slots make up each key.

    Attributes:
        keys: intp[keys], the numbers of the keys that have rows, increasing.
        slots: intp[pairs], the slots of each key, one key after the other.
        starts: intp[keys], where each key's slots begin.
    """

    keys: Places
    slots: Places
    starts: Places

    def of(self, totals: npt.NDArray[Number], add: np.ufunc = np.add) -> npt.NDArray[Number]:
        """[keys, ...] of [slots, ...]: what each key's slots add up to, one slot after the other."""
        if len(self.slots) == len(self.keys):
            return totals[self.slots]
        with np.errstate(over="ignore", invalid="ignore"):  # sums of huge numbers overflow; metrics say so
            if totals.ndim > 1 and len(self.slots) > MANY * len(self.keys):
                return np.stack([add.reduce(totals[mine], axis=0) for mine in np.split(self.slots, self.starts[1:])])
            return add.reduceat(totals[self.slots], self.starts, axis=0)

    def members(self) -> dict[int, list[int]]:
        """The slots of each key."""
        split = np.split(self.slots, self.starts[1:])
        return {key: slots.tolist() for key, slots in zip(self.keys.tolist(), split, strict=True)}


def _codes(bucket: Places | None, atoms: Atoms | None, size: int) -> tuple[Places, Places | None]:
    """A number for each bucket and atom, for the rows that have one; and those rows, None where they are all."""
    code, inside = np.zeros(size, np.intp), np.ones(size, np.bool_)
    if atoms is not None:
        code, inside = atoms.codes, np.any(atoms.sets, axis=1).take(atoms.codes)
    if bucket is not None:
        inside &= bucket >= 0
        code = bucket if atoms is None else bucket * len(atoms) + code
    rows = None if inside.all() else np.flatnonzero(inside)
    return code if rows is None else code[rows], rows


def _small(code: Places) -> npt.NDArray[np.unsignedinteger] | Places:
    """The same numbers in as few bits as they need: sorting 16 is much faster than sorting 64."""
    least, most = int(code.min()), int(code.max())
    return (code - least).astype(np.uint16) if most - least < 1 << 16 else code
