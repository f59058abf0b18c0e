"""The mergeable state of one column over one window: everything a metric needs, in a few hundred numbers.

Profiles add: ``a + b`` is the profile of both, `empty` changes nothing, order does not matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import add, or_
from typing import Self

import numpy as np
import numpy.typing as npt

from signals.bins import Bins, CategoricalBins, NumericBins, VectorBins
from signals.distinct import Distinct

__all__ = [
    "NAMED_UNSEEN",
    "CategoricalProfile",
    "NumericProfile",
    "Profile",
    "VectorProfile",
    "add_profiles",
    "most_frequent",
    "sum_profiles",
]

NAMED_UNSEEN = 1000
"""How many values outside the vocabulary are kept by name: the most frequent ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What every column's profile counts.

    Attributes:
        rows: all rows.
        nulls: nulls in the data itself; NaN is not one of them.
        nans: NaN values of a floating-point column.
        unreadable: non-null values that cannot be read as the baseline's type.
        counts: int64[cells], readable values per cell of the bins.
        distinct: the distinct values that no other field of the profile lists: for a category those outside
            the vocabulary, for a number all; None where they were not counted.
    """

    rows: int
    nulls: int
    nans: int
    unreadable: int
    counts: npt.NDArray[np.int64]
    distinct: Distinct | None = None

    @property
    def valid(self) -> int:
        """Rows whose value could be read: the sum of the cells."""
        return int(self.counts.sum())

    @property
    def absent(self) -> int:
        """Rows of the null bin: null, NaN, or unreadable as the baseline's type."""
        return self.rows - self.valid


@dataclass(frozen=True, slots=True, kw_only=True)
class NumericProfile(Tally):
    """The profile of a number.

    Attributes:
        bins: the frozen cells that counts and sums refer to.
        sums: float64[cells], sum of (value - bins.center) of the finite values per cell.
        squares: sum of (value - bins.center)² of the finite values.
        low, high: least and greatest finite value; +inf and -inf where there is none.
        infinite: how many values are -inf or +inf; they are counted in the outermost cells.
    """

    bins: NumericBins
    sums: npt.NDArray[np.float64]
    squares: float = 0.0
    low: float = np.inf
    high: float = -np.inf
    infinite: int = 0

    @classmethod
    def empty(cls, bins: NumericBins) -> Self:
        """The profile of no rows."""
        return cls(
            rows=0, nulls=0, nans=0, unreadable=0, bins=bins,
            counts=np.zeros(bins.cells, np.int64), sums=np.zeros(bins.cells),
        )  # fmt: skip

    def __add__(self, other: Self) -> Self:
        return add_profiles(self, other)  # type: ignore[return-value]


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoricalProfile(Tally):
    """The profile of a category; the last cell is `other`, the values outside the vocabulary.

    Attributes:
        bins: the frozen vocabulary that counts refer to.
        unseen: the most frequent values outside the vocabulary with their counts: exact while there are at most
            1,000 of them, else lower bounds.
    """

    bins: CategoricalBins
    unseen: dict[str, int] = field(default_factory=dict[str, int])

    @classmethod
    def empty(cls, bins: CategoricalBins) -> Self:
        """The profile of no rows."""
        return cls(rows=0, nulls=0, nans=0, unreadable=0, bins=bins, counts=np.zeros(bins.cells, np.int64))

    def __add__(self, other: Self) -> Self:
        return add_profiles(self, other)  # type: ignore[return-value]


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorProfile(Tally):
    """The profile of an embedding; a vector of another length or with an element that is no number is unreadable.

    Attributes:
        bins: how long vectors are.
        sums: float64[bins.sums], the sum of the vectors, and the sketch of Σ x xᵀ (`signals.covariance_sketch`).
        squares: Σ |x|².
    """

    bins: VectorBins
    sums: npt.NDArray[np.float64]
    squares: float = 0.0

    @classmethod
    def empty(cls, bins: VectorBins) -> Self:
        """The profile of no rows."""
        return cls(
            rows=0, nulls=0, nans=0, unreadable=0, bins=bins,
            counts=np.zeros(bins.cells, np.int64), sums=np.zeros(bins.sums),
        )  # fmt: skip

    @property
    def total(self) -> npt.NDArray[np.float64]:
        """float64[dimensions], the sum of the vectors."""
        return self.sums[: self.bins.dimensions]

    @property
    def sketch(self) -> npt.NDArray[np.float64]:
        """float64[SKETCH_SIZE], the sketch of Σ x xᵀ; empty without dimensions."""
        return self.sums[self.bins.dimensions :]

    def __add__(self, other: Self) -> Self:
        return add_profiles(self, other)  # type: ignore[return-value]


Profile = NumericProfile | CategoricalProfile | VectorProfile


def sum_profiles(profiles: Sequence[Profile]) -> Profile:
    """The sum of profiles of the same column, one or more, added in this order.

    Raises:
        ValueError: when their bins differ, or there are none.
    """
    if not profiles:
        raise ValueError("the sum of no profiles has no bins")
    first = profiles[0]
    for other in profiles[1:]:
        _same_bins(first.bins, other.bins)
    if len(profiles) == 1:
        return first
    if isinstance(first, NumericProfile):
        numeric = [each for each in profiles if isinstance(each, NumericProfile)]
        return replace(
            first,
            **_summed(profiles),
            **_sums(numeric),
            low=min(each.low for each in numeric),
            high=max(each.high for each in numeric),
            infinite=sum(each.infinite for each in numeric),
        )
    if isinstance(first, VectorProfile):
        return replace(
            first, **_summed(profiles), **_sums([each for each in profiles if isinstance(each, VectorProfile)])
        )
    unseen: dict[str, int] = {}
    for each in profiles:
        for value, count in each.unseen.items() if isinstance(each, CategoricalProfile) else ():
            unseen[value] = unseen.get(value, 0) + count
    return replace(first, **_summed(profiles), unseen=most_frequent(unseen, NAMED_UNSEEN))


def add_profiles(one: Profile, other: Profile) -> Profile:
    """``one + other`` of two profiles of the same column.

    Raises:
        ValueError: when their bins differ.
    """
    return sum_profiles((one, other))


def agree(one: Profile, other: Profile) -> bool:
    """Whether two profiles count the same; sums may differ by how they were rounded."""
    if one.bins.id != other.bins.id or not np.array_equal(one.counts, other.counts):
        return False
    exact = ("rows", "nulls", "nans", "unreadable")
    if any(getattr(one, name) != getattr(other, name) for name in exact):
        return False
    match one, other:
        case (CategoricalProfile(), CategoricalProfile()):
            return one.unseen == other.unseen
        case (VectorProfile(), VectorProfile()):
            same = bool(np.isclose(one.squares, other.squares, rtol=1e-9, equal_nan=True))
            return same and _close(one.total, other.total, one)
        case (NumericProfile(), NumericProfile()):
            same = (one.low, one.high, one.infinite) == (other.low, other.high, other.infinite)
            return same and _close(one.sums, other.sums, one)
        case _:
            return False


def _close(
    sums: npt.NDArray[np.float64], others: npt.NDArray[np.float64], profile: NumericProfile | VectorProfile
) -> bool:
    scale = np.sqrt(profile.squares * profile.rows)  # no sum is larger than this
    return np.allclose(sums, others, rtol=1e-9, atol=1e-9 * scale, equal_nan=True)


def most_frequent(counts: dict[str, int], keep: int) -> dict[str, int]:
    """The `keep` most frequent values, ties by name, so that the same counts always keep the same values."""
    if len(counts) <= keep:
        return counts
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:keep])


def _same_bins(one: Bins, other: Bins) -> None:
    if one is not other and one.id != other.id:
        raise ValueError(f"profiles of different bins do not add: {one.id} and {other.id}")


def _sums(profiles: Sequence[NumericProfile] | Sequence[VectorProfile]) -> dict[str, object]:
    with np.errstate(over="ignore", invalid="ignore"):  # sums of huge numbers overflow; metrics say so
        sums = np.add.reduce(np.stack([each.sums for each in profiles]), axis=0)
    return {"sums": sums, "squares": reduce(add, (each.squares for each in profiles))}


def _summed(profiles: Sequence[Tally]) -> dict[str, object]:
    distincts = [each.distinct for each in profiles if each.distinct is not None]
    return {
        "rows": sum(each.rows for each in profiles),
        "nulls": sum(each.nulls for each in profiles),
        "nans": sum(each.nans for each in profiles),
        "unreadable": sum(each.unreadable for each in profiles),
        "counts": np.add.reduce(np.stack([each.counts for each in profiles]), axis=0),
        "distinct": reduce(or_, distincts) if len(distincts) == len(profiles) else None,
    }
