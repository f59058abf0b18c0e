"""When a value is a breach."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from signals.catalogue import Bad
from signals.usual import SpreadMethod

__all__ = ["DynamicThreshold", "FixedThreshold", "Operator", "RangeThreshold", "Threshold", "default_operator"]


class Operator(StrEnum):
    """A value breaches when ``value OPERATOR threshold`` holds."""

    GREATER_THAN = "greater_than"
    GREATER_THAN_OR_EQUAL = "greater_than_or_equal"
    LESS_THAN = "less_than"
    LESS_THAN_OR_EQUAL = "less_than_or_equal"
    EQUALS = "equals"
    NOT_EQUALS = "not_equals"

    def holds(self, value: float, threshold: float) -> bool:
        """Whether ``value OPERATOR threshold``."""
        return {
            Operator.GREATER_THAN: value > threshold,
            Operator.GREATER_THAN_OR_EQUAL: value >= threshold,
            Operator.LESS_THAN: value < threshold,
            Operator.LESS_THAN_OR_EQUAL: value <= threshold,
            Operator.EQUALS: value == threshold,
            Operator.NOT_EQUALS: value != threshold,
        }[self]


def default_operator(bad: Bad) -> Operator | None:
    """The operator that a metric's bad direction implies; None where it has none."""
    return {Bad.HIGHER: Operator.GREATER_THAN, Bad.LOWER: Operator.LESS_THAN, Bad.NONE: None}[bad]


@dataclass(frozen=True, slots=True)
class FixedThreshold:
    """One bound.

    Attributes:
        value: the bound, in the metric's unit; 0 is a bound like any other.
        operator: how a breaching value stands to it.
        relative_to_baseline: the baseline's own value of the metric is added to the bound before it is used.
        clear: an alert ends only when a value no longer stands so to this bound (hysteresis); None: to `value`.
    """

    value: float
    operator: Operator
    relative_to_baseline: bool = False
    clear: float | None = None


@dataclass(frozen=True, slots=True)
class RangeThreshold:
    """Two bounds, both inside: a value below `low` or above `high` breaches."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class DynamicThreshold:
    """A bound that the check's own history sets: ``center ± k * spread`` of its earlier values.

    The value that is judged is no part of its history. A history without spread has its centre for a bound (but for a
    billionth of it, which is rounding), so that any change for the worse breaches.

    Attributes:
        operator: how a breaching value stands to its bound, which is above the centre for ``greater_than`` and below
            it for ``less_than``; None: there is a bound on either side, and a value outside them breaches.
        method: how centre and spread are taken from the earlier values.
        k: how many spreads lie between the centre and a bound.
        lookback: how far back the history goes from the time that is judged.
        min_points: with fewer earlier values nothing is judged.

    Raises:
        ValueError: no bound is the like of that.
    """

    operator: Operator | None
    method: SpreadMethod = SpreadMethod.STANDARD_DEVIATION
    k: float = 2.0
    lookback: timedelta = timedelta(days=14)
    min_points: int = 5

    def __post_init__(self) -> None:
        if self.operator in (Operator.EQUALS, Operator.NOT_EQUALS):
            raise ValueError(f"a dynamic threshold is above or below a history: {self.operator}")
        if not self.k >= 0 or self.min_points < 2 or self.lookback <= timedelta(0):
            raise ValueError(f"k is at least 0, min_points at least 2, and the lookback longer than nothing: {self}")


Threshold = FixedThreshold | RangeThreshold | DynamicThreshold
