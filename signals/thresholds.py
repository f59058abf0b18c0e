"""When a value is a breach."""

from dataclasses import dataclass
from enum import StrEnum

from signals.catalogue import Bad

__all__ = ["FixedThreshold", "Operator", "RangeThreshold", "Threshold", "default_operator"]


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
    """

    value: float
    operator: Operator
    relative_to_baseline: bool = False


@dataclass(frozen=True, slots=True)
class RangeThreshold:
    """Two bounds, both inside: a value below `low` or above `high` breaches."""

    low: float
    high: float


Threshold = FixedThreshold | RangeThreshold
