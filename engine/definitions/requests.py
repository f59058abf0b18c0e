"""Which metrics does a signal ask for, and when does each of them breach?"""

from collections.abc import Iterator, Mapping

from engine.definitions.signal_keys import (
    DataDriftSignal,
    DataQualitySignal,
    FeatureAttributionDriftSignal,
    ModelPerformanceSignal,
    PredictionDriftSignal,
)
from engine.definitions.threshold_keys import ThresholdKeys
from engine.monitor import MetricRequest
from signals.catalogue import Kind
from signals.metrics import METRICS
from signals.rankings import AT_K
from signals.thresholds import FixedThreshold, Operator, RangeThreshold

__all__ = ["COVERAGE", "DEFAULTS", "MeasuredSignal", "requests_of"]

COVERAGE = "ground_truth_coverage"
"""Recorded by every performance signal, asked for or not."""

DRIFT_DEFAULTS = (
    MetricRequest("normalized_wasserstein_distance", FixedThreshold(0.1, Operator.GREATER_THAN), Kind.NUMERICAL),
    MetricRequest("jensen_shannon_distance", FixedThreshold(0.1, Operator.GREATER_THAN), Kind.CATEGORICAL),
)
QUALITY_DEFAULTS = tuple(
    MetricRequest(name, FixedThreshold(0.01, Operator.GREATER_THAN, relative_to_baseline=True))
    for name in ("null_value_rate", "data_type_error_rate", "out_of_bounds_rate")
)
TASK_DEFAULTS = {
    "classification": ("accuracy", "precision", "recall"),
    "regression": ("mean_absolute_error", "mean_squared_error", "root_mean_squared_error"),
    "ranking": ("ndcg", "mean_average_precision", "mean_reciprocal_rank"),
}
ATTRIBUTION_DEFAULTS = (
    MetricRequest("normalized_discounted_cumulative_gain", FixedThreshold(0.9, Operator.LESS_THAN)),
)
FOUR_FIFTHS = RangeThreshold(0.8, 1.25)
"""The rule of the US Uniform Guidelines on Employee Selection Procedures (1978), either way round."""
PARITIES = tuple(
    MetricRequest(name, FOUR_FIFTHS) for name in ("recall_parity", "false_positive_rate_parity", "disparate_impact")
)
DEFAULTS: Mapping[str, tuple[MetricRequest, ...]] = {
    "data_drift": DRIFT_DEFAULTS,
    "prediction_drift": DRIFT_DEFAULTS,
    "data_quality": QUALITY_DEFAULTS,
    "feature_attribution_drift": ATTRIBUTION_DEFAULTS,
}
"""By signal type: what is measured when no metric is named (metrics.md section 1)."""

MeasuredSignal = (
    DataDriftSignal | PredictionDriftSignal | DataQualitySignal | FeatureAttributionDriftSignal | ModelPerformanceSignal
)


def requests_of(signal: MeasuredSignal, ml_task: str | None) -> tuple[MetricRequest, ...]:
    """The signal's metrics with their thresholds, defaults filled in; empty where there is no default."""
    if isinstance(signal, ModelPerformanceSignal):
        return _performance(signal, ml_task)
    if isinstance(signal, FeatureAttributionDriftSignal):
        return tuple(_requests(signal.metric_thresholds)) or DEFAULTS[signal.type]
    return tuple(_by_kind(signal)) or DEFAULTS[signal.type]


def _performance(signal: ModelPerformanceSignal, ml_task: str | None) -> tuple[MetricRequest, ...]:
    thresholds = signal.metric_thresholds
    tables = (thresholds.classification, thresholds.regression, thresholds.ranking)
    asked = tuple(request for table in tables for request in _requests(table))
    parities = tuple(_requests(thresholds.fairness)) or (PARITIES if signal.fairness else ())
    measured = (*asked, *parities) or tuple(_of_task(ml_task))
    coverage = tuple(_requests(thresholds.coverage))
    if measured and COVERAGE not in thresholds.coverage:
        coverage = (*coverage, MetricRequest(COVERAGE, None))
    return (*measured, *coverage)


def _of_task(ml_task: str | None) -> Iterator[MetricRequest]:
    for name in TASK_DEFAULTS.get(ml_task or "", ()):
        yield MetricRequest(name, None, at=ThresholdKeys().cut_off if name in AT_K else None)


def _by_kind(signal: DataDriftSignal | PredictionDriftSignal | DataQualitySignal) -> Iterator[MetricRequest]:
    thresholds = signal.metric_thresholds
    yield from _requests(thresholds.numerical, Kind.NUMERICAL)
    yield from _requests(thresholds.categorical, Kind.CATEGORICAL)
    yield from _requests(thresholds.embedding, Kind.EMBEDDING)
    for feature, table in thresholds.features.items():
        yield from _requests(table, feature=feature)
    if isinstance(signal, DataQualitySignal):
        yield from _requests(signal.metric_thresholds.lists, Kind.LIST)
        yield from _requests(signal.metric_thresholds.dataset)


def _requests(
    table: Mapping[str, tuple[ThresholdKeys, ...]], kind: Kind | None = None, feature: str | None = None
) -> Iterator[MetricRequest]:
    for name, thresholds in table.items():
        for threshold in thresholds:
            at = threshold.cut_off if name in AT_K else None
            yield MetricRequest(name, threshold.threshold_of(METRICS[name]), kind, feature, threshold.label, at)
