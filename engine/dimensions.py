"""By which values of a column are rows divided, so that each of them can be asked what it carried of a shift?

Categories by their most frequent values, numbers and times by the quarters of the baseline. What else has a value is
`other`, and the rest is null.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np

from signals.bin_names import NULL, OTHER, category_names, interval_names
from signals.bins import ValueType
from signals.profile import CategoricalProfile, NumericProfile, Profile
from signals.quantiles import Quantile, quantile_of
from signals.remainders import remainder
from signals.segments import Condition, FilterOperator, Segment

__all__ = ["MOST_VALUES", "Dimension", "Part", "dimension_of"]

MOST_VALUES = 20
"""How many values of a category are told apart: the most frequent ones."""
QUARTER = 0.25
QUARTERS = (0.25, 0.5, 0.75)
TIMES = (ValueType.DATE, ValueType.TIMESTAMP)
FIRST_MOMENT, LAST_MOMENT = -62_135_596_800.0, 253_402_300_799.0
"""The years 1 to 9999, in which a moment can be written, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the rows: those with one value of the dimension, or with values in one range."""

    value: str
    segment: Segment


@dataclass(frozen=True, slots=True)
class Dimension:
    """A column by which rows are divided.

    Attributes:
        column: its name.
        parts: no row is in two of them.
        readable: the rows with a readable value, those of all parts and the others'.
    """

    column: str
    parts: tuple[Part, ...]
    readable: Segment

    @property
    def segments(self) -> tuple[Segment, ...]:
        """What has to be counted to divide rows: `divided` takes their profiles in this order."""
        return (self.readable, *(part.segment for part in self.parts))

    def divided(self, whole: Profile, counted: Sequence[Profile]) -> dict[str, Profile]:
        """The profile of all rows as the profiles of each value's rows.

        Args:
            whole: of all rows.
            counted: of the rows of each of `segments`.

        Raises:
            ValueError: they are not of the same rows.
        """
        readable, *parts = counted
        names = (part.value for part in self.parts)
        return {
            **dict(zip(names, parts, strict=True)),
            OTHER: remainder(readable, parts),
            NULL: remainder(whole, [readable]),
        }


def dimension_of(column: str, now: Profile, before: Profile) -> Dimension:
    """How the rows of both sides are divided by a column.

    Args:
        column: its name.
        now: its profile in the window.
        before: its profile in the baseline, in the same bins.
    """
    readable = Segment((_has_value(column, now.bins.value_type),))
    if isinstance(before, NumericProfile):
        return Dimension(column, tuple(_by_quarter(column, before)), readable)
    assert isinstance(now, CategoricalProfile)
    assert isinstance(before, CategoricalProfile)
    return Dimension(column, tuple(_by_category(column, now, before)), readable)


# ------------------------------------------------------------------------------------------------------- categories


def _by_category(column: str, now: CategoricalProfile, before: CategoricalProfile) -> list[Part]:
    rows = _rows_of_values(now) + _rows_of_values(before)
    values = sorted(rows, key=lambda value: (-rows[value], value))[:MOST_VALUES]
    names, kind = category_names(tuple(values)), now.bins.value_type
    return [
        Part(name, Segment((Condition(column, FilterOperator.EQUALS, (value,), kind),)))
        for name, value in zip(names[:-1], values, strict=True)
    ]


def _rows_of_values(profile: CategoricalProfile) -> Counter[str]:
    known = {value: int(count) for value, count in zip(profile.bins.categories, profile.counts, strict=False) if count}
    return Counter(known) + Counter(profile.unseen)


def _has_value(column: str, kind: ValueType) -> Condition:
    """What exactly the rows with a readable value satisfy."""
    if kind is ValueType.STRING:
        return Condition(column, FilterOperator.CONTAINS, ("",), kind)
    if kind is ValueType.BOOLEAN:
        return Condition(column, FilterOperator.EQUALS, ("true", "false"), kind)
    return Condition(column, FilterOperator.GREATER_THAN_OR_EQUAL, ("0001-01-01" if kind in TIMES else "-inf",), kind)


# ---------------------------------------------------------------------------------------------------------- numbers


class Edge(NamedTuple):
    """Where one part ends and the next begins: at a number, or right after it."""

    at: float
    after: bool = False


def _by_quarter(column: str, before: NumericProfile) -> list[Part]:
    """The quarters of the baseline's values; a value that makes up a quarter or more has a part of its own."""
    kind, edges = before.bins.value_type, _edges(before)
    if not edges:
        return []
    names = interval_names(np.array([_first_of_next_part(edge, kind) for edge in edges]), kind)
    return [
        Part(name, Segment(tuple(_between(column, kind, low, high))))
        for name, low, high in zip(names, [None, *edges], [*edges, None], strict=True)
    ]


def _edges(before: NumericProfile) -> list[Edge]:
    found = [quantile_of(before, share) for share in QUARTERS]
    quarters = [each.value for each in found if isinstance(each, Quantile)]
    heavy = {value for value in quarters if _share_of(value, before) >= QUARTER}
    plain = [Edge(value) for value in _short([*set(quarters) - heavy], before.bins.value_type)]
    return sorted({*plain, *(Edge(value, after) for value in heavy for after in (False, True))})


def _share_of(value: float, profile: NumericProfile) -> float:
    """The share of values that are this one; 0 where its cell holds others, too."""
    bins = profile.bins
    cell = int(np.searchsorted(bins.edges, value, side="right"))
    alone = 0 < cell < bins.cells - 1 and bins.edges[cell] <= _first_of_next_part(Edge(value, True), bins.value_type)
    return int(profile.counts[cell]) / profile.valid if alone and bins.edges[cell - 1] == value else 0.0


def _first_of_next_part(edge: Edge, kind: ValueType) -> float:
    if not edge.after:
        return edge.at
    step = {ValueType.INTEGER: 1.0, ValueType.DATE: 86_400.0}.get(kind)
    return math.nextafter(edge.at, math.inf) if step is None else edge.at + step


def _short(values: Sequence[float], kind: ValueType) -> list[float]:
    """The numbers with as few significant digits, at least three, as keep them apart: edges that can be read."""
    if kind in TIMES:
        step = 86_400 if kind is ValueType.DATE else 1
        return [value // step * step for value in values if FIRST_MOMENT <= value <= LAST_MOMENT]
    if kind is ValueType.INTEGER:
        return [float(math.ceil(value)) for value in values]
    for digits in range(3, 18):
        short = [float(f"{value:.{digits}g}") for value in values]
        if len({*short}) == len(values):
            return short
    return [*values]


def _between(column: str, kind: ValueType, low: Edge | None, high: Edge | None) -> Iterator[Condition]:
    if low:
        operator = FilterOperator.GREATER_THAN if low.after else FilterOperator.GREATER_THAN_OR_EQUAL
        yield Condition(column, operator, (_text(low.at, kind),), kind)
    if high:
        operator = FilterOperator.LESS_THAN_OR_EQUAL if high.after else FilterOperator.LESS_THAN
        yield Condition(column, operator, (_text(high.at, kind),), kind)


def _text(value: float, kind: ValueType) -> str:
    """A number as conditions read it, exactly."""
    if kind in TIMES:
        return datetime.fromtimestamp(value, UTC).replace(tzinfo=None).isoformat()
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
