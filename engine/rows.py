"""Judged answers as rows of `signal_metrics`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from engine.histories import Histories, Point
from engine.measured import Measured
from engine.monitor import Monitor
from engine.plan import SignalPlan
from engine.results import CheckKey, MetricRow
from signals.catalogue import Family
from signals.false_discovery import q_values
from signals.measurement import Measurement
from signals.metrics import METRICS
from signals.thresholds import DynamicThreshold, FixedThreshold, Threshold
from signals.usual import SpreadMethod
from signals.verdicts import Verdict, judge

__all__ = ["Stamp", "rows_of"]

MOST_BINS = 50
"""Evidence names every comparison bin of a column with at most so many; of others the ones that carry most."""
CONTRIBUTIONS = 20
CENTER_AND_DEVIATION = {
    SpreadMethod.STANDARD_DEVIATION: ("mean", "standard_deviation"),
    SpreadMethod.MEDIAN_ABSOLUTE_DEVIATION: ("median", "median_absolute_deviation"),
}


@dataclass(frozen=True, slots=True)
class Stamp:
    """What all rows of one run have in common."""

    monitor: Monitor
    run_id: str
    scheduled_for: datetime
    evaluated_at: datetime


def rows_of(stamp: Stamp, plan: SignalPlan, answers: Sequence[Measured], histories: Histories) -> list[MetricRow]:
    """One row per answer, judged; q-values are over the groups of the signal that a metric was asked of.

    Args:
        stamp: what the rows of the run have in common.
        plan: the signal and its windows.
        answers: what the signal's metrics answered at the stamp's scheduled time.
        histories: the checks' values of earlier times, which dynamic thresholds stand on.
    """
    q_value_of = _q_values(answers)
    return [_row(stamp, plan, answer, q_value_of.get(id(answer)), histories) for answer in answers]


def _row(stamp: Stamp, plan: SignalPlan, answer: Measured, q_value: float | None, histories: Histories) -> MetricRow:
    signal, request, result = plan.signal, answer.request, answer.result
    window, baseline = plan.windows[stamp.scheduled_for], plan.baselines[stamp.scheduled_for]
    found = result if isinstance(result, Measurement) else None
    history = _history(stamp, plan, answer, histories)
    verdict = _verdict(answer, signal.min_rows, history)
    interval = found.interval if found and found.interval else (None, None)
    return MetricRow(
        monitor=stamp.monitor.name,
        signal=signal.name,
        signal_type=signal.type.value,
        run_id=stamp.run_id,
        scheduled_for=stamp.scheduled_for,
        window_start=window.start,
        window_end=window.end,
        baseline_start=baseline.start if baseline else None,
        baseline_end=baseline.end if baseline else None,
        group=_group(answer),
        group_dimension=answer.segment,
        metric_name=request.metric,
        metric_value=found.value if found else None,
        threshold_value=verdict.threshold_value,
        threshold_kind=verdict.threshold_kind.value if verdict.threshold_kind else None,
        operator=verdict.operator.value if verdict.operator else None,
        breached=verdict.breached,
        status=verdict.status,
        reason=verdict.reason or answer.provisional or answer.remark,
        row_count=found.rows if found else answer.rows,
        baseline_row_count=found.baseline_rows if found else None,
        p_value=found.p_value if found else None,
        q_value=q_value,
        expected_p95=found.expected_p95 if found else None,
        feature_importance=answer.importance,
        interval_low=interval[0],
        interval_high=interval[1],
        details=_details(answer, found) | _standing(verdict, request.threshold, history),
        config_hash=stamp.monitor.config_hash,
        evaluated_at=stamp.evaluated_at,
    )


def _history(stamp: Stamp, plan: SignalPlan, answer: Measured, histories: Histories) -> list[Point]:
    threshold = answer.request.threshold
    if not isinstance(threshold, DynamicThreshold):
        return []
    check = CheckKey(plan.signal.name, _group(answer), answer.request.metric, answer.segment)
    return histories.before(check, stamp.scheduled_for, threshold.lookback)


def _verdict(answer: Measured, min_rows: int, history: Sequence[Point]) -> Verdict:
    verdict = judge(
        answer.result,
        answer.request.threshold,
        history=[value for _, value in history],
        min_rows=_gate(answer, min_rows),
        rows=answer.rows,
    )
    return replace(verdict, status=answer.status) if answer.status else verdict


def _gate(answer: Measured, min_rows: int) -> int:
    family = _family(answer.request.metric)
    return 0 if family in (Family.DATASET, Family.COVERAGE, None) else min_rows


def _family(metric: str) -> Family | None:
    """The metric's family; None for one of a user's own component, which counts its rows itself."""
    return METRICS[metric].family if metric in METRICS else None


def _group(answer: Measured) -> str:
    """The group; a metric of one class names it too, and one of the first k items says how many."""
    if answer.request.at is not None:
        return f"{answer.group}@{answer.request.at}"
    return f"{answer.group}={answer.request.label}" if answer.request.label is not None else answer.group


def _details(answer: Measured, found: Measurement | None) -> dict[str, Any]:
    if found is None:
        return {}
    details = dict(found.details)
    if len(details.get("bins", ())) > MOST_BINS:
        del details["bins"]
    if found.contributions:
        details["contributions"] = [
            [each.bin, each.current, each.baseline, each.term] for each in found.contributions[:CONTRIBUTIONS]
        ]
        details["more_contributions"] = max(0, len(found.contributions) - CONTRIBUTIONS)
    if answer.provisional:
        details["provisional"] = True
    return details


def _standing(verdict: Verdict, threshold: Threshold | None, history: Sequence[Point]) -> dict[str, Any]:
    """What a dynamic threshold stands on, so that anybody can work out the bound again; and where an alert ends."""
    if isinstance(threshold, FixedThreshold) and threshold.clear is not None:
        return {"clear": threshold.clear + (verdict.threshold_value or threshold.value) - threshold.value}
    usual = verdict.usual
    if usual is None or not isinstance(threshold, DynamicThreshold):
        return {}
    center, deviation = CENTER_AND_DEVIATION[usual.method]
    return {
        "history": {
            "method": usual.method.value,
            center: usual.center,
            deviation: usual.deviation,
            "k": threshold.k,
            "points": usual.points,
            "from": history[0][0].isoformat(),
            "to": history[-1][0].isoformat(),
        }
    }


def _q_values(answers: Sequence[Measured]) -> dict[int, float | None]:
    by_metric: dict[str, list[Measured]] = {}
    for answer in answers:
        by_metric.setdefault(answer.request.metric, []).append(answer)
    found: dict[int, float | None] = {}
    for same in by_metric.values():
        p_values = [each.result.p_value if isinstance(each.result, Measurement) else None for each in same]
        if _family(same[0].request.metric) is Family.DRIFT:
            found |= {id(each): q for each, q in zip(same, q_values(p_values), strict=True)}
    return found
