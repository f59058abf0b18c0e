"""How well were the items of groups ranked? The mergeable state of scores per group.

Rankings add as long as a group's items are in one of them: ``a + b`` holds the groups of both, `empty` changes nothing,
order does not matter.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from signals.bins import ValueType
from signals.conditions import Condition, FilterOperator
from signals.ranked_lists import RankedLists
from signals.segments import Segment
from signals.state import StateRows
from signals.values import read_numbers

__all__ = ["ALL", "AT_K", "GROUP_AUC", "Rankings", "Sums", "score_name"]

ALL = None
"""The cut-off of scores over all items of a group."""
AT_K: Mapping[str, Callable[[RankedLists, int | None], npt.NDArray[np.float64]]] = {
    "ndcg": RankedLists.ndcg,
    "mean_average_precision": RankedLists.average_precision,
    "mean_reciprocal_rank": RankedLists.reciprocal_rank,
    "ranking_precision": RankedLists.precision,
    "ranking_recall": RankedLists.recall,
}
"""The scores that look at the first k items, by metric."""
GROUP_AUC = "group_auc"
COUNTS, SCORES = range(2)
"""Parts of the state as `StateRows` number them: counts have one cell per field (n); scores have the score's name as
value, and as cells groups and items (n) and the sums (total)."""

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def score_name(metric: str, at: int | None) -> str:
    """What a state calls a metric's scores at a cut-off: ``ndcg@10``, ``ndcg`` over all items."""
    return metric if at is None else f"{metric}@{at}"


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over the groups that have a score x, each with its weight w.

    Attributes:
        groups, items: how many they are.
        w, wx, w2, w2x, w2x2: Σw, Σwx, Σw², Σw²x, Σw²x².
    """

    groups: int = 0
    items: int = 0
    w: float = 0.0
    wx: float = 0.0
    w2: float = 0.0
    w2x: float = 0.0
    w2x2: float = 0.0

    @classmethod
    def of(cls, x: Floats, items: npt.NDArray[np.int64], *, weighted: bool) -> Self:
        """Of the groups' scores (NaN: none), weighted by their items or all alike."""
        known = ~np.isnan(x)
        x, items = x[known], items[known]
        w = items.astype(np.float64) if weighted else np.ones(len(x))
        sums = [w, w * x, w * w, w * w * x, w * w * x * x]
        return cls(len(x), int(items.sum()), *(float(terms.sum()) for terms in sums))

    def __add__(self, other: Self) -> Self:
        return type(self)(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Rankings:
    """Scores of groups, and what could not take part.

    Attributes:
        groups: groups with a label and a score; only these have scores.
        groups_without_label: groups none of whose items has a label, which are left out.
        groups_without_score: labelled groups none of whose items has a score or rank, which are left out.
        items: items of `groups`.
        items_without_label: those of them without a label; they count as not relevant.
        items_without_score: those of them without a score or rank; they come last.
        items_without_group: rows without a group, which are left out.
        unreadable_labels: labels that are no number, which count as none.
        scores: sums over groups by `score_name`.
    """

    groups: int = 0
    groups_without_label: int = 0
    groups_without_score: int = 0
    items: int = 0
    items_without_label: int = 0
    items_without_score: int = 0
    items_without_group: int = 0
    unreadable_labels: int = 0
    scores: Mapping[str, Sums] = field(default_factory=dict[str, Sums])

    @classmethod
    def empty(cls) -> Self:
        """Of no rows."""
        return cls()

    @classmethod
    def of(
        cls,
        group: pa.Array,
        score: pa.Array,
        label: pa.Array,
        ats: tuple[int | None, ...] = (ALL,),
        relevant: str | None = None,
    ) -> Self:
        """Count rows, all items of a group among them.

        Args:
            group: text, the group that a row is an item of.
            score: a number, the higher the better.
            label: the item's relevance: a number, of which below 0 is as good as 0, or a boolean; of any type with
                `relevant`.
            ats: at which cut-offs scores are counted.
            relevant: the label that makes an item relevant; all others do not.
        """
        grouped = pc.is_valid(group).to_numpy(zero_copy_only=False)
        gain, unreadable = _gains(label, relevant)
        points = _numbers(score)
        codes = _codes(group, grouped)
        gain, points = gain[grouped], points[grouped]
        labelled, scored = (_any(codes, ~np.isnan(each)) for each in (gain, points))
        taken = (labelled & scored)[codes]
        gain, points = gain[taken], points[taken]
        lists = RankedLists.of(_dense(codes[taken]), points, np.nan_to_num(gain))
        return cls(
            groups=len(lists.sizes),
            groups_without_label=int((~labelled).sum()),
            groups_without_score=int((labelled & ~scored).sum()),
            items=len(gain),
            items_without_label=int(np.isnan(gain).sum()),
            items_without_score=int(np.isnan(points).sum()),
            items_without_group=int((~grouped).sum()),
            unreadable_labels=unreadable,
            scores=dict(_scores(lists, ats)),
        )

    def __add__(self, other: Self) -> Self:
        names = dict.fromkeys((*self.scores, *other.scores))
        scores = {name: self.scores.get(name, Sums()) + other.scores.get(name, Sums()) for name in names}
        counts = {name: getattr(self, name) + getattr(other, name) for name in COUNT_FIELDS}
        return type(self)(**counts, scores=scores)

    def to_rows(self, rows: StateRows, key: int, column: int) -> None:
        """Write the state."""
        counts = np.array([getattr(self, name) for name in COUNT_FIELDS])
        known = np.flatnonzero(counts)  # mostly nobody asks for rankings
        rows.add(key, column, COUNTS, cells=known, n=counts[known])
        for name, sums in self.scores.items():
            totals, size = [getattr(sums, each) for each in TOTALS], len(TOTALS)
            numbers = [sums.groups, sums.items, *[0] * (size - 2)]
            rows.add(key, column, SCORES, cells=range(size), values=[name] * size, n=numbers, total=totals)

    @classmethod
    def from_rows(cls, table: pa.Table) -> Self:
        """The state of the rows of one (key, column), merged or not."""
        mine = table.filter(pc.equal(table["part"], COUNTS))
        counts = np.bincount(mine["cell"].to_numpy(), mine["n"].to_numpy(), minlength=len(COUNT_FIELDS))
        scores: dict[str, Sums] = {}
        of_scores = table.filter(pc.equal(table["part"], SCORES))
        for name in pc.unique(of_scores["value"]).to_pylist():
            own = of_scores.filter(pc.equal(of_scores["value"], name))
            numbers, totals = (np.bincount(own["cell"].to_numpy(), own[each].to_numpy()) for each in ("n", "total"))
            scores[name] = Sums(int(numbers[0]), int(numbers[1]), *totals.tolist())
        return cls(**dict(zip(COUNT_FIELDS, map(int, counts), strict=True)), scores=scores)


COUNT_FIELDS = [each.name for each in fields(Rankings) if each.type is int]
TOTALS = [each.name for each in fields(Sums) if each.type is float]


def _scores(lists: RankedLists, ats: tuple[int | None, ...]) -> Iterator[tuple[str, Sums]]:
    for metric, score in AT_K.items():
        for at in ats:
            yield score_name(metric, at), Sums.of(score(lists, at), lists.sizes, weighted=False)
    yield GROUP_AUC, Sums.of(lists.auc(), lists.sizes, weighted=True)


def _gains(label: pa.Array, relevant: str | None) -> tuple[Floats, int]:
    """float64[rows], 0 or more and NaN without a label, and how many labels could not be read."""
    absent = pc.is_null(label, nan_is_null=pa.types.is_floating(label.type)).to_numpy(zero_copy_only=False)
    if relevant is None:
        numbers = _numbers(label)
        finite = np.isfinite(numbers)
        return np.maximum(np.where(finite, numbers, np.nan), 0.0), int((~finite & ~absent).sum())
    asked = Segment((Condition("label", FilterOperator.EQUALS, (relevant,)),))
    return np.where(absent, np.nan, asked.mask({"label": label}, len(label))), 0


def _numbers(array: pa.Array) -> Floats:
    return read_numbers(array, ValueType.DOUBLE).to_numpy(zero_copy_only=False)


def _codes(group: pa.Array, grouped: Mask) -> npt.NDArray[np.int64]:
    encoded = group.filter(pa.array(grouped)).dictionary_encode()
    return encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)


def _dense(codes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


def _any(codes: npt.NDArray[np.int64], holds: Mask) -> Mask:
    """bool[groups]: whether it holds for any item."""
    return np.bincount(codes, holds) > 0
