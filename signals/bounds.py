"""Which bound is one value judged by? A threshold as it applies to this value, its baseline and its history."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite, isnan

from signals.measurement import Measurement, Undefined
from signals.thresholds import DynamicThreshold, FixedThreshold, Operator, RangeThreshold, Threshold
from signals.usual import Usual, usual_of

__all__ = ["Bound", "ThresholdKind", "bound_of"]

NO_NUMBER = "the threshold is not a number"
UPWARDS = (Operator.GREATER_THAN, Operator.GREATER_THAN_OR_EQUAL)


class ThresholdKind(StrEnum):
    FIXED = "fixed"
    RANGE = "range"
    RELATIVE = "relative_to_baseline"
    DYNAMIC = "dynamic"


@dataclass(frozen=True, slots=True)
class Bound:
    """A threshold as it applies to one value.

    Attributes:
        value: the bound, in the metric's unit.
        kind: where it comes from.
        operator: the value breaches when ``value OPERATOR bound``.
        usual: what a dynamic bound stands on.
    """

    value: float
    kind: ThresholdKind
    operator: Operator
    usual: Usual | None = None


def bound_of(threshold: Threshold, measurement: Measurement, history: Sequence[float]) -> Bound | Undefined:
    """The bound that a value is judged by; of two bounds the one that is crossed, or else the nearer one.

    Args:
        threshold: the threshold.
        measurement: the value, and in its details the baseline's.
        history: the check's earlier values, at least `min_points` of them; only a dynamic threshold looks at them.
    """
    match threshold:
        case RangeThreshold(low, high):
            return _checked(_nearer(measurement.value, low, high, ThresholdKind.RANGE))
        case DynamicThreshold():
            return _dynamic(threshold, measurement.value, history)
        case FixedThreshold(value, operator, relative_to_baseline=False):
            return _checked(Bound(value, ThresholdKind.FIXED, operator))
        case FixedThreshold(value, operator):
            before = measurement.details.get("baseline_value")
            if before is None:
                return Undefined("the threshold is relative to the baseline, for which this metric has no value")
            return _checked(Bound(before + value, ThresholdKind.RELATIVE, operator))


def _dynamic(threshold: DynamicThreshold, value: float, history: Sequence[float]) -> Bound | Undefined:
    usual = usual_of(history, threshold.method)
    low, high = usual.low(threshold.k), usual.high(threshold.k)
    if not (isfinite(low) and isfinite(high)):
        return Undefined("the earlier values are too large to take a threshold from")
    if threshold.operator is None:
        return _nearer(value, low, high, ThresholdKind.DYNAMIC, usual)
    bound = high if threshold.operator in UPWARDS else low
    return Bound(bound, ThresholdKind.DYNAMIC, threshold.operator, usual)


def _nearer(value: float, low: float, high: float, kind: ThresholdKind, usual: Usual | None = None) -> Bound:
    """Above the middle the upper bound is the nearer one; outside it is the one that was crossed."""
    if isnan(low + high):
        return Bound(low + high, kind, Operator.GREATER_THAN)
    if value - low < high - value:
        return Bound(low, kind, Operator.LESS_THAN, usual)
    return Bound(high, kind, Operator.GREATER_THAN, usual)


def _checked(bound: Bound) -> Bound | Undefined:
    return Undefined(NO_NUMBER) if isnan(bound.value) else bound
