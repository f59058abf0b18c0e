"""How good is the order of each group's items? Scores of many lists at once, each in [0, 1] or NaN where undefined.

Items of equal score have no order, so a score is its mean over all orders of them, in closed form (McSherry & Najork
2008, Computing information retrieval performance measures efficiently in the presence of tied scores). So the order of
rows never matters. An item is relevant when its gain is above 0.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

__all__ = ["RankedLists"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class RankedLists:
    """Items, list by list, the best first; those of one list with equal scores are tied.

    Attributes:
        lists: int64[items], increasing, each list's number from 0 without gaps.
        gain: float64[items], finite, 0 or more: how relevant an item is.
        tie: int64[items], increasing: equal for items that are tied.
        sizes: int64[lists]: how many items a list has.
        relevant: float64[lists]: how many of them are relevant.
        position: int64[items]: 1 for the first of each list.
        tied: float64[items]: n, how many items are tied with this one, itself included.
        place: float64[items]: j, the place of its position among theirs, from 1.
        hits: float64[items]: r, how many of them are relevant.
        hits_before: float64[items]: R, how many relevant items of the list come before them.
    """

    lists: Integers
    gain: Floats
    tie: Integers
    sizes: Integers
    relevant: Floats
    position: Integers
    tied: Floats
    place: Floats
    hits: Floats
    hits_before: Floats

    @classmethod
    def of(cls, lists: Integers, score: Floats, gain: Floats) -> Self:
        """Of items in any order; those without a score (NaN) come last.

        Args:
            lists: int64[items], each item's list, from 0 without gaps.
            score: float64[items], higher is better.
            gain: float64[items], finite, 0 or more.
        """
        order = np.lexsort((np.where(np.isnan(score), np.inf, -score), lists))
        lists, gain = lists[order], gain[order]
        score = np.where(np.isnan(score), -np.inf, score)[order]
        new = np.ones(len(lists), np.bool_)
        new[1:] = (lists[1:] != lists[:-1]) | (score[1:] != score[:-1])
        tie = np.cumsum(new) - 1
        sizes, tied = np.bincount(lists), np.bincount(tie)
        relevant, hits = _sums(lists, gain > 0), _sums(tie, gain > 0)
        return cls(
            lists,
            gain,
            tie,
            sizes,
            relevant,
            _places(lists, sizes),
            tied[tie].astype(np.float64),
            _places(tie, tied).astype(np.float64),
            hits[tie],
            _before(hits)[tie] - _before(relevant)[lists],
        )

    def ndcg(self, at: int | None) -> Floats:
        """float64[lists]: Σ gain / log2(1 + position), over the same sum in the best order; NaN without a gain."""
        greatest = np.maximum.reduceat(self.gain, _before(self.sizes)) if len(self.gain) else self.gain
        gain = self.gain / np.where(greatest > 0, greatest, 1.0)[self.lists]  # so that no sum overflows
        discount = self._within(at) / np.log2(1.0 + self.position)
        mean = _sums(self.tie, gain)[self.tie] / self.tied
        ideal = _sums(self.lists, gain[np.lexsort((-gain, self.lists))] * discount)
        return self._where_relevant(_sums(self.lists, mean * discount) / np.where(ideal > 0, ideal, 1.0))

    def precision(self, at: int | None) -> Floats:
        """float64[lists]: relevant items among the first `at`, over `at`; over all items where it is None."""
        return np.minimum(self._found(at) / (self.sizes if at is None else at), 1.0)

    def recall(self, at: int | None) -> Floats:
        """float64[lists]: relevant items among the first `at`, over all relevant ones; NaN without any."""
        return self._where_relevant(self._found(at) / np.maximum(self.relevant, 1))

    def average_precision(self, at: int | None) -> Floats:
        """float64[lists]: the sum of the precisions at which relevant items are found among the first `at`.

        Over the number of relevant ones, or `at` where they are more, so that the best order has 1; NaN without any.
        """
        n, j, r = self.tied, self.place, self.hits
        found = self.hits_before + 1 + (j - 1) * (r - 1) / np.maximum(n - 1, 1)
        total = _sums(self.lists, np.where(self._within(at), r / n * found / self.position, 0.0))
        most = self.relevant if at is None else np.minimum(self.relevant, at)
        return self._where_relevant(total / np.maximum(most, 1))

    def reciprocal_rank(self, at: int | None) -> Floats:
        """float64[lists]: 1 / the first relevant item's position, 0 where that is beyond `at`; NaN without any."""
        n, j, r = self.tied, self.place, self.hits
        may_be_first = (self.hits_before == 0) & (r > 0) & (j <= n - r + 1) & self._within(at)
        n, j, r = (each[may_be_first].astype(np.int64) for each in (n, j, r))
        # Of n tied items r are relevant: the first of them is the j-th in C(n - j, r - 1) of C(n, r) orders.
        logs = np.log(np.arange(1, n.max(initial=0) + 1))
        log_factorial = np.concatenate([[0.0], np.cumsum(logs)])  # scipy's would be half a second to import
        chance = np.exp(
            log_factorial[n - j] - log_factorial[r - 1] - log_factorial[n - j - r + 1]
            - log_factorial[n] + log_factorial[r] + log_factorial[n - r]
        )  # fmt: skip
        terms = np.zeros(len(self.lists))
        terms[may_be_first] = chance / self.position[may_be_first]
        return self._where_relevant(_sums(self.lists, terms))

    def auc(self) -> Floats:
        """float64[lists]: chance that a relevant item comes before another one, ties half; NaN without both kinds."""
        hits = self.gain > 0
        others = self.sizes - self.relevant
        misses_of_tie = _sums(self.tie, ~hits)
        so_far = np.cumsum(misses_of_tie)[self.tie] - _before(others)[self.lists]
        behind = others[self.lists] - so_far + misses_of_tie[self.tie] / 2
        pairs = self.relevant * others
        return np.where(pairs > 0, _sums(self.lists, hits * behind) / np.maximum(pairs, 1), np.nan)

    def _found(self, at: int | None) -> Floats:
        return _sums(self.lists, self._within(at) * self.hits / self.tied)

    def _within(self, at: int | None) -> npt.NDArray[np.bool_]:
        return np.ones(len(self.lists), np.bool_) if at is None else self.position <= at

    def _where_relevant(self, values: Floats) -> Floats:
        return np.where(self.relevant > 0, np.minimum(values, 1.0), np.nan)  # a rounding error above 1 at most


def _sums(codes: Integers, terms: npt.NDArray[np.generic]) -> Floats:
    """float64[codes]: the sum of the terms of each code."""
    return np.bincount(codes, terms).astype(np.float64)


def _before(counts: npt.NDArray[np.number[Any]]) -> npt.NDArray[Any]:
    """The sum of all counts before each."""
    return np.cumsum(counts) - counts


def _places(codes: Integers, counts: Integers) -> Integers:
    """int64[items]: the place of each item among those of its code, from 1; codes are in order."""
    return np.arange(len(codes)) - _before(counts)[codes] + 1
