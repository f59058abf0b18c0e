"""How scores are distributed under each label: counts in bins that are fixed a priori, and exact sums.

A bin is a range of scores that share the leading bits of their distance to 0 (below a half) or to 1 (from a half on):
bins are narrow where scores crowd near 0 or near 1, whatever the power of ten, and they keep the scores' order. At
level L the last L bits are left out, so a level's bins are pairs of bins of the level below. A state stands on the
lowest level at which it has at most `MAX_BINS` non-empty (label, bin) pairs. That level depends on the rows alone, not
on the order in which they came or the states they were in: fitting is never needed, and states add.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Self

import numpy as np
import numpy.typing as npt

from signals.labels import Classes

__all__ = ["CLIP", "MAX_BINS", "TENTHS", "LabelScores", "Scores", "Sum"]

MAX_BINS = 8192
LEVELS = 32
TENTHS = 10
"""Bins of equal width of the expected calibration error."""
CLIP = 1e-15
"""The log loss takes probabilities as at least this far from 0 and 1."""
BITS_LEFT_OUT = 34
"""How many of a double's 64 bits level 0 leaves out: 18 bits of the mantissa stay, so 4e-6 of the value."""
HALF = int(np.float64(0.5).view(np.int64)) >> BITS_LEFT_OUT
OFFSET = 1 << 29

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class Sum(IntEnum):
    """Sums over the scores s of a label; `MISS` is 1 - s, and losses are natural logarithms."""

    SCORE = 0
    SCORE_2 = 1
    SCORE_4 = 2
    MISS_2 = 3
    MISS_4 = 4
    LOSS_IF_TRUE = 5
    LOSS_IF_TRUE_2 = 6
    LOSS_IF_FALSE = 7
    LOSS_IF_FALSE_2 = 8


@dataclass(frozen=True, slots=True, eq=False)
class LabelScores:
    """The scores of the rows that have one label. Scores outside [0, 1] are in the bins only.

    Attributes:
        bins: int64[k], non-empty bins in the order of the scores.
        counts: int64[k], rows by bin.
        low, high: float64[k], least and greatest score of each bin.
        sums: float64[9], by `Sum`.
        tenth_counts, tenth_sums: int64[10] and float64[10], rows and sum of scores in [0, 0.1], (0.1, 0.2], ...
        outside: scores outside [0, 1], which are no probabilities.
    """

    bins: Integers
    counts: Integers
    low: Floats
    high: Floats
    sums: Floats
    tenth_counts: Integers
    tenth_sums: Floats
    outside: int

    @classmethod
    def empty(cls) -> Self:
        """Of no rows."""
        none, tenths = np.zeros(0), np.zeros(TENTHS)
        counts = none.astype(np.int64)
        return cls(counts, counts, none, none, np.zeros(len(Sum)), tenths.astype(np.int64), tenths, 0)

    def __add__(self, other: Self) -> Self:
        return type(self)(
            *_gathered(
                np.concatenate([self.bins, other.bins]),
                np.concatenate([self.counts, other.counts]),
                np.concatenate([self.low, other.low]),
                np.concatenate([self.high, other.high]),
            ),
            self.sums + other.sums,
            self.tenth_counts + other.tenth_counts,
            self.tenth_sums + other.tenth_sums,
            self.outside + other.outside,
        )

    @property
    def rows(self) -> int:
        return int(self.counts.sum())

    def coarser(self, levels: int) -> Self:
        """The same scores, that many levels up."""
        if not levels:
            return self
        by_bin = _gathered(self.bins >> levels, self.counts, self.low, self.high)
        return type(self)(*by_bin, self.sums, self.tenth_counts, self.tenth_sums, self.outside)

    @classmethod
    def of(cls, scores: Floats, level: int) -> Self:
        """Of sorted scores without NaN."""
        bins = level_0(scores) >> level
        starts = np.flatnonzero(np.diff(bins, prepend=-1))
        ends = np.append(starts[1:], len(bins))
        inside = scores[np.searchsorted(scores, 0.0, "left") : np.searchsorted(scores, 1.0, "right")]
        edges = np.searchsorted(inside, np.arange(1, TENTHS) / TENTHS, "right")
        return cls(
            bins[starts], ends - starts, scores[starts], scores[ends - 1], _sums(inside),
            np.diff(edges, prepend=0, append=len(inside)),
            np.array([part.sum() for part in np.split(inside, edges)]),
            len(scores) - len(inside),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """The scores of all labels, on one level. ``a + b`` holds the scores of both."""

    level: int = 0
    of_label: Mapping[str, LabelScores] = field(default_factory=dict[str, LabelScores])

    @classmethod
    def of(cls, truth: Classes, scores: Floats) -> Self:
        """Of rows that all have a label and a score (not NaN)."""
        order = np.argsort(truth.codes.astype(np.int16), kind="stable")  # radix sort: classes are few
        ends = np.cumsum(np.bincount(truth.codes, minlength=len(truth.names)))
        parts = [np.sort(part) for part in np.split(scores[order] + 0.0, ends[:-1])] if len(ends) else []
        named = {name: part for name, part in zip(truth.names, parts, strict=True) if len(part)}
        level = lowest_level([level_0(part) for part in named.values()])
        return cls(level, {name: LabelScores.of(part, level) for name, part in named.items()})

    @classmethod
    def together(cls, states: Sequence[Self]) -> Self:
        """All these states as one, however many levels they are on."""
        level = max((state.level for state in states), default=0)
        merged: dict[str, LabelScores] = {}
        for state in states:
            for label, scores in state.of_label.items():
                merged[label] = merged.get(label, LabelScores.empty()) + scores.coarser(level - state.level)
        levels = lowest_level([scores.bins for scores in merged.values()])
        return cls(level + levels, {label: scores.coarser(levels) for label, scores in merged.items()})

    def __add__(self, other: Self) -> Self:
        return type(self).together((self, other))

    @property
    def rows(self) -> int:
        return sum(scores.rows for scores in self.of_label.values())

    @property
    def outside(self) -> int:
        """Scores outside [0, 1]."""
        return sum(scores.outside for scores in self.of_label.values())


def level_0(scores: Floats) -> Integers:
    """int64[n], 0 to 2**31: the bins at level 0, for any numbers but NaN (-0.0 written as 0.0); monotone."""
    lower = scores < 0.5
    near = np.where(lower, scores, 1 - scores)
    bits = near.view(np.int64)
    # The bits of a double in the order of the numbers: those of negative ones are turned round.
    place = (bits ^ ((bits >> 63) & np.int64(0x7FFF_FFFF_FFFF_FFFF))) >> BITS_LEFT_OUT
    return np.where(lower, place, 2 * HALF - place) + OFFSET


def lowest_level(sorted_bins: Sequence[Integers]) -> int:
    """How many levels up these bins (of each label) are at most `MAX_BINS`."""
    if not sorted_bins:
        return 0
    # Neighbours share a bin at level L where they differ in no other bits than the last L.
    differing = np.concatenate([bins[1:] ^ bins[:-1] for bins in sorted_bins])
    return bisect_left(
        range(LEVELS - 1),
        x=True,
        key=lambda level: len(sorted_bins) + np.count_nonzero(differing >> level) <= MAX_BINS,
    )


def _gathered(bins: Integers, counts: Integers, low: Floats, high: Floats) -> tuple[Integers, Integers, Floats, Floats]:
    """Each bin once, in order."""
    order = np.argsort(bins, kind="stable")
    bins = bins[order]
    starts = np.flatnonzero(np.diff(bins, prepend=-1))
    if not len(starts):
        return bins, counts, low, high
    return (
        bins[starts],
        np.add.reduceat(counts[order], starts),
        np.minimum.reduceat(low[order], starts),
        np.maximum.reduceat(high[order], starts),
    )


def _sums(s: Floats) -> Floats:
    """float64[9] of scores inside [0, 1], by `Sum`."""
    clipped = np.clip(s, CLIP, 1 - CLIP)
    score_2, miss_2 = s * s, (1 - s) ** 2
    if_true, if_false = -np.log(clipped), -np.log(1 - clipped)
    # Not s @ s: BLAS starts threads for it, which costs more than it saves beside a task on every core.
    squares = ((terms * terms).sum() for terms in (score_2, miss_2, if_true, if_false))
    score_4, miss_4, if_true_2, if_false_2 = squares
    return np.array(
        [
            s.sum(), score_2.sum(), score_4, miss_2.sum(), miss_4,
            if_true.sum(), if_true_2, if_false.sum(), if_false_2,
        ]
    )  # fmt: skip
