"""Is a value a breach of its threshold? Deciding only; whom to tell is decided elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isnan

from signals.bounds import ThresholdKind, bound_of
from signals.measurement import Measurement, Undefined
from signals.thresholds import DynamicThreshold, FixedThreshold, Operator, Threshold
from signals.usual import Usual

__all__ = ["Status", "ThresholdKind", "Verdict", "judge"]


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


@dataclass(frozen=True, slots=True)
class Verdict:
    """A value judged.

    Attributes:
        status: how the check ended.
        breached: whether the value crossed its threshold; None where it was not judged.
        threshold_value: the bound that was used: with a baseline's value added; of a range the bound that was crossed,
            or else the nearer one; None where nothing was judged, but for a fixed bound.
        threshold_kind: where the bound comes from. `DYNAMIC` without a bound: the history was too short, and the value
            is part of the history of those to come.
        operator: a value breaches when ``value OPERATOR threshold_value``.
        reason: why the value was not judged, for a person to read.
        usual: what a dynamic bound stands on.
    """

    status: Status
    breached: bool | None = None
    threshold_value: float | None = None
    threshold_kind: ThresholdKind | None = None
    operator: Operator | None = None
    reason: str | None = None
    usual: Usual | None = None


def judge(
    result: Measurement | Undefined,
    threshold: Threshold | None,
    *,
    history: Sequence[float] = (),
    min_rows: int = 1,
    rows: int | None = None,
) -> Verdict:
    """The verdict on a metric's result.

    Args:
        result: what the metric answered. NaN never breaches: no metric answers it, and if one did it is undefined.
        threshold: None: the value is recorded and not judged, so it is `OK`.
        history: the check's earlier values within the lookback of a dynamic threshold, in any order; fewer than its
            `min_points` are `INSUFFICIENT_DATA`.
        min_rows: a value that stands on fewer rows is `INSUFFICIENT_DATA`; 0 for the metrics of a whole dataset, for
            which few rows are the news.
        rows: the window's rows, so that a metric that is undefined for want of them is `NO_DATA` or
            `INSUFFICIENT_DATA`.
    """
    if isinstance(result, Undefined):
        return _unjudged(_missing(rows, min_rows), threshold, result.reason)
    if result.rows is not None and result.rows < min_rows:
        status = Status.INSUFFICIENT_DATA if result.rows else _missing(rows, min_rows)
        return _unjudged(status, threshold, f"{result.rows} rows, fewer than min_rows = {min_rows}")
    if isnan(result.value):
        return _unjudged(Status.UNDEFINED, threshold, "the value is not a number")
    return Verdict(Status.OK, breached=False) if threshold is None else _judged(result, threshold, history)


def _judged(result: Measurement, threshold: Threshold, history: Sequence[float]) -> Verdict:
    if isinstance(threshold, DynamicThreshold) and len(history) < threshold.min_points:
        return _too_young(threshold, len(history))
    bound = bound_of(threshold, result, history)
    if isinstance(bound, Undefined):
        return _unjudged(Status.UNDEFINED, threshold, bound.reason)
    breached = bound.operator.holds(result.value, bound.value)
    status = Status.BREACHED if breached else Status.OK
    return Verdict(status, breached, bound.value, bound.kind, bound.operator, usual=bound.usual)


def _too_young(threshold: DynamicThreshold, points: int) -> Verdict:
    values = "1 earlier value" if points == 1 else f"{points} earlier values"
    reason = f"{values} in its history, fewer than min_points = {threshold.min_points}"
    kind, operator = ThresholdKind.DYNAMIC, threshold.operator
    return Verdict(Status.INSUFFICIENT_DATA, None, None, kind, operator, reason)


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
