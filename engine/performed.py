"""What performance metrics say of predictions whose truth is known: of all of them, of groups, of two segments."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from engine.measured import Measured, broken
from engine.monitor import MetricRequest, Signal
from engine.pieces import Performance
from engine.scored import Scored
from signals.catalogue import Family, Metric
from signals.coverage import Coverage
from signals.fairness import NEEDS_NO_LABEL, Parity
from signals.measurement import Measurement, Undefined
from signals.metrics import METRICS
from signals.ranking import Ranked
from signals.scorecard import Scorecard
from signals.verdicts import Status

__all__ = ["measure_performance"]


def measure_performance(found: Scored, scheduled_for: datetime) -> list[Measured]:
    """Every metric that a performance signal asks for, at one scheduled time."""
    answers: list[Measured] = []
    for request in found.plan.signal.metrics:
        if METRICS[request.metric].family is Family.FAIRNESS:
            answers += _compared(found, request, scheduled_for)
        elif found.trouble:
            answers.append(broken(_group(found, request), request, found.trouble))
        else:
            answers.append(_of_all(found, request, found.performance[found.plan.windows[scheduled_for]]))
    return answers


def _of_all(found: Scored, request: MetricRequest, performance: Performance) -> Measured:
    if METRICS[request.metric].family is Family.COVERAGE:
        return _covered(found, request, performance.coverage)
    return _performed(found, request, performance)


def _group(found: Scored, request: MetricRequest) -> str:
    return found.ranks if METRICS[request.metric].family is Family.RANKING else found.group


def _covered(found: Scored, request: MetricRequest, coverage: Coverage) -> Measured:
    def answer(metric: Metric) -> Measurement | Undefined:
        if metric.name == "orphan_ground_truth_rate" and found.plan.signal.filters:
            return Undefined("a label without a prediction is in no segment")
        if metric.name == "orphan_ground_truth_rate" and not found.truth_dated:
            return Undefined("labels do not tell when they became known: name data_column_names.timestamp")
        return metric.compute(coverage)

    return Measured(found.group, request, answer(METRICS[request.metric]), coverage.rows)


def _performed(found: Scored, request: MetricRequest, performance: Performance) -> Measured:
    signal, coverage, group = found.plan.signal, performance.coverage, _group(found, request)
    little = _too_little(signal, coverage)
    if little and signal.ground_truth.below_coverage == "insufficient_data":
        return Measured(group, request, Undefined(little), coverage.rows, Status.INSUFFICIENT_DATA)
    metric = METRICS[request.metric]
    match metric.family:
        case Family.CLASSIFICATION:
            result = metric.compute(Scorecard(performance.outcomes, signal.positive_class, request.label))
        case Family.RANKING:
            result = metric.compute(Ranked(performance.rankings, request.at))
        case _:
            result = metric.compute(performance.errors)
    return Measured(group, request, _with(_evidence(coverage), result), coverage.rows, provisional=little)


# ----------------------------------------------------------------------------------------------------- segments


def _compared(found: Scored, request: MetricRequest, scheduled_for: datetime) -> Iterator[Measured]:
    """One answer for each segment that is compared with a base segment."""
    for fairness, (segment, base) in zip(found.plan.signal.fairness, found.compared, strict=True):
        group = f"{found.group} of {fairness.name}"
        trouble = segment.trouble or base.trouble
        answer = broken(group, request, trouble) if trouble else _beside(group, request, segment, base, scheduled_for)
        yield replace(answer, segment=segment.segment)


def _beside(group: str, request: MetricRequest, segment: Scored, base: Scored, scheduled_for: datetime) -> Measured:
    signal, window = segment.plan.signal, segment.plan.windows[scheduled_for]
    mine, theirs = segment.performance[window], base.performance[window]
    rows, little = mine.coverage.rows, None
    if request.metric not in NEEDS_NO_LABEL:
        little = _too_little(signal, mine.coverage) or _too_little(signal, theirs.coverage, " of the base segment")
    if little and signal.ground_truth.below_coverage == "insufficient_data":
        return Measured(group, request, Undefined(little), rows, Status.INSUFFICIENT_DATA)
    result = METRICS[request.metric].compute(Parity(mine.outcomes, theirs.outcomes, signal.positive_class))
    if isinstance(result, Measurement) and (result.baseline_rows or 0) < signal.min_rows:
        few = f"{result.baseline_rows} rows of the base segment, fewer than min_rows = {signal.min_rows}"
        return Measured(group, request, Undefined(few), rows, Status.INSUFFICIENT_DATA)
    evidence = {"base_segment": base.segment, **_evidence(mine.coverage)}
    evidence |= {f"base_{name}": count for name, count in _evidence(theirs.coverage).items()}
    return Measured(group, request, _with(evidence, result), rows, provisional=little)


# ----------------------------------------------------------------------------------------------------- coverage


def _too_little(signal: Signal, coverage: Coverage, which: str = "") -> str | None:
    """Why the labels are too few; None where they are not."""
    least = signal.ground_truth.min_coverage
    share = coverage.labelled / coverage.rows if coverage.rows else 1.0
    if share >= least:
        return None
    return f"{share:.1%} of {coverage.rows:,} rows{which} are labelled, less than min_coverage = {least:g}"


def _evidence(coverage: Coverage) -> dict[str, Any]:
    share = coverage.labelled / coverage.rows if coverage.rows else None
    return {"ground_truth_coverage": share, "labelled": coverage.labelled, "unlabelled": coverage.unlabelled}


def _with(evidence: dict[str, Any], result: Measurement | Undefined) -> Measurement | Undefined:
    return result if isinstance(result, Undefined) else replace(result, details={**result.details, **evidence})
