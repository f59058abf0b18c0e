"""Is a value a breach of its threshold? Deciding only; whom to tell is decided elsewhere."""

from dataclasses import dataclass
from enum import StrEnum
from math import isnan

from signals.measurement import Measurement, Undefined
from signals.thresholds import FixedThreshold, Operator, RangeThreshold, Threshold

__all__ = ["Status", "ThresholdKind", "Verdict", "judge"]

NO_NUMBER = "the threshold is not a number"


class Status(StrEnum):
    """How a check ended; only `OK` and `BREACHED` carry a flag."""

    OK = "ok"
    BREACHED = "breached"
    NO_DATA = "no_data"
    """The window has no rows."""
    INSUFFICIENT_DATA = "insufficient_data"
    """It has too few to judge by."""
    UNDEFINED = "undefined"
    """The metric, or its threshold, has no value here."""
    ERROR = "error"
    """The check failed."""


class ThresholdKind(StrEnum):
    FIXED = "fixed"
    RANGE = "range"
    RELATIVE = "relative_to_baseline"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A value judged.

    Attributes:
        status: how the check ended.
        breached: whether the value crossed its threshold; None where it was not judged.
        threshold_value: the bound that was used: with a baseline's value added; of a range the bound that was crossed,
            or else the nearer one.
        threshold_kind: where the bound comes from.
        operator: a value breaches when ``value OPERATOR threshold_value``.
        reason: why the value was not judged, for a person to read.
    """

    status: Status
    breached: bool | None = None
    threshold_value: float | None = None
    threshold_kind: ThresholdKind | None = None
    operator: Operator | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Bound:
    """A threshold as it applies to one value; see `Verdict`."""

    value: float
    kind: ThresholdKind
    operator: Operator


def judge(
    result: Measurement | Undefined, threshold: Threshold | None, *, min_rows: int = 1, rows: int | None = None
) -> Verdict:
    """The verdict on a metric's result.

    Args:
        result: what the metric answered. NaN never breaches: no metric answers it, and if one did it is undefined.
        threshold: None: the value is recorded and not judged, so it is `OK`.
        min_rows: a value that stands on fewer rows is `INSUFFICIENT_DATA`; 0 for the metrics of a whole dataset, for
            which few rows are the news.
        rows: the window's rows, so that a metric that is undefined for want of them is `NO_DATA` or
            `INSUFFICIENT_DATA`.
    """
    if isinstance(result, Undefined):
        return _unjudged(_missing(rows, min_rows), threshold, result.reason)
    if result.rows < min_rows:
        status = Status.INSUFFICIENT_DATA if result.rows else _missing(rows, min_rows)
        return _unjudged(status, threshold, f"{result.rows} rows, fewer than min_rows = {min_rows}")
    if isnan(result.value):
        return _unjudged(Status.UNDEFINED, threshold, "the value is not a number")
    if threshold is None:
        return Verdict(Status.OK, breached=False)
    bound = _bound(threshold, result)
    if isinstance(bound, Undefined):
        return _unjudged(Status.UNDEFINED, threshold, bound.reason)
    breached = bound.operator.holds(result.value, bound.value)
    return Verdict(Status.BREACHED if breached else Status.OK, breached, bound.value, bound.kind, bound.operator)


def _missing(rows: int | None, min_rows: int) -> Status:
    """Why a metric has no value: no rows, too few of them, or anything else."""
    if rows == 0:
        return Status.NO_DATA
    return Status.INSUFFICIENT_DATA if rows is not None and rows < min_rows else Status.UNDEFINED


def _unjudged(status: Status, threshold: Threshold | None, reason: str) -> Verdict:
    """Without a flag; a bound that does not depend on the value is still told."""
    if isinstance(threshold, FixedThreshold) and not threshold.relative_to_baseline:
        return Verdict(status, None, threshold.value, ThresholdKind.FIXED, threshold.operator, reason)
    return Verdict(status, reason=reason)


def _bound(threshold: Threshold, measurement: Measurement) -> Bound | Undefined:
    if isinstance(threshold, RangeThreshold):
        return _nearer_bound(threshold, measurement.value)
    if not threshold.relative_to_baseline:
        return _checked(Bound(threshold.value, ThresholdKind.FIXED, threshold.operator))
    before = measurement.details.get("baseline_value")
    if before is None:
        return Undefined("the threshold is relative to the baseline, for which this metric has no value")
    return _checked(Bound(before + threshold.value, ThresholdKind.RELATIVE, threshold.operator))


def _nearer_bound(threshold: RangeThreshold, value: float) -> Bound | Undefined:
    low = Bound(threshold.low, ThresholdKind.RANGE, Operator.LESS_THAN)
    high = Bound(threshold.high, ThresholdKind.RANGE, Operator.GREATER_THAN)
    # Above the middle the upper bound is the nearer one; outside it is the one that was crossed.
    bound = low if value - threshold.low < threshold.high - value else high
    return _checked(bound) if not isnan(threshold.low + threshold.high) else Undefined(NO_NUMBER)


def _checked(bound: Bound) -> Bound | Undefined:
    return Undefined(NO_NUMBER) if isnan(bound.value) else bound
