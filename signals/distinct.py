"""How many distinct values there are: exact while they are few, HyperLogLog beyond.

Flajolet et al., HyperLogLog, 2007: 4,096 registers, a relative standard error of 1.04/sqrt(4096) = 1.6 %.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from signals.hashing import digests, mixed

__all__ = ["EXACT_UP_TO", "REGISTERS", "Distinct", "sketch", "sketch_numbers"]

EXACT_UP_TO = 1000
BITS = 12
REGISTERS = 1 << BITS


@dataclass(frozen=True, slots=True)
class Distinct:
    """A set of values that becomes a sketch when it outgrows `EXACT_UP_TO`. ``a | b`` holds the values of both.

    Attributes:
        values: the values themselves, as text; empty once they are too many.
        numbers: whether the values are numbers.
        registers: uint8[4096], the sketch; None while the set is exact.
    """

    values: frozenset[str] = frozenset()
    registers: npt.NDArray[np.uint8] | None = None
    numbers: bool = False

    @classmethod
    def of(cls, values: Iterable[str], *, numbers: bool = False) -> Self:
        """The distinct ones among these values."""
        found = cls(frozenset(values), numbers=numbers)
        return found if len(found.values) <= EXACT_UP_TO else cls(registers=_as_registers(found), numbers=numbers)

    @property
    def exact(self) -> bool:
        """Whether `count` is the true number."""
        return self.registers is None

    @property
    def count(self) -> int:
        """How many distinct values there are; an estimate unless `exact`."""
        return len(self.values) if self.registers is None else estimate(self.registers)

    def __or__(self, other: Self) -> Self:
        cls = type(self)
        if self.registers is None and other.registers is None:
            return cls.of(self.values | other.values, numbers=self.numbers)
        return cls(registers=np.maximum(_as_registers(self), _as_registers(other)), numbers=self.numbers)


def sketch(values: Iterable[str]) -> npt.NDArray[np.uint8]:
    """uint8[4096] registers of these values."""
    return _ranks(digests(values))


def sketch_numbers(x: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    """uint8[4096] registers of these numbers."""
    return _ranks(mixed(np.ascontiguousarray(x).view(np.uint64)))


def _ranks(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    registers = np.zeros(REGISTERS, np.uint8)
    rest = hashes >> np.uint64(BITS)
    # The rank is the place of the lowest set bit; a rest of 0 has all its bits unset.
    lowest = rest & (~rest + np.uint64(1))
    rank = np.where(rest == 0, 64 - BITS + 1, np.log2(np.maximum(lowest, 1).astype(np.float64)) + 1)
    np.maximum.at(registers, (hashes & np.uint64(REGISTERS - 1)).astype(np.int64), rank.astype(np.uint8))
    return registers


def estimate(registers: npt.NDArray[np.uint8]) -> int:
    """The number of distinct values that these registers have seen."""
    empty = int((registers == 0).sum())
    if empty > REGISTERS // 25:  # linear counting is the better estimator while registers are empty
        linear = REGISTERS * np.log(REGISTERS / empty)
        if linear <= 2.5 * REGISTERS:
            return round(linear)
    alpha = 0.7213 / (1 + 1.079 / REGISTERS)
    return round(alpha * REGISTERS**2 / np.sum(2.0 ** -registers.astype(np.float64)))


def _as_registers(distinct: Distinct) -> npt.NDArray[np.uint8]:
    if distinct.registers is not None:
        return distinct.registers
    return (
        sketch_numbers(np.array(sorted(map(float, distinct.values)))) if distinct.numbers else sketch(distinct.values)
    )
