"""From what is written to what is evaluated: keys in, `engine.monitor.Signal` out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from engine.definitions.custom_compiler import compile_custom
from engine.definitions.custom_keys import CustomSignal
from engine.definitions.data_keys import ReferenceData
from engine.definitions.datasets import Datasets, Setting
from engine.definitions.feature_keys import TopFeatures
from engine.definitions.generation_compiler import compile_generation
from engine.definitions.generation_keys import SafetyQualitySignal, TokenStatisticsSignal
from engine.definitions.requests import MeasuredSignal, requests_of
from engine.definitions.sentences import Report
from engine.definitions.signal_keys import (
    BinningKeys,
    DataDriftSignal,
    DataQualitySignal,
    FeatureAttributionDriftSignal,
    GroundTruthKeys,
    ModelPerformanceSignal,
    PredictionDriftSignal,
)
from engine.definitions.words import fixed_length
from engine.monitor import Context, Data, Features, Filter, GroundTruth, MetricRequest, Signal, SignalType
from engine.roles import target_of
from engine.segments import ROLES
from signals.binning import Binning, BinningMethod
from signals.catalogue import Family, Kind
from signals.metrics import METRICS

__all__ = ["AnySignal", "compile_signal", "out_of_box"]

AnySignal = MeasuredSignal | CustomSignal | TokenStatisticsSignal | SafetyQualitySignal

OUT_OF_BOX: dict[str, AnySignal] = {
    "data_drift": DataDriftSignal(type="data_drift"),
    "prediction_drift": PredictionDriftSignal(type="prediction_drift"),
    "data_quality": DataQualitySignal(type="data_quality"),
}
"""What a monitor that names a model and no signals gets, unless the model answers questions."""


def out_of_box(ml_task: str | None) -> Mapping[str, AnySignal]:
    """The signals of a monitor that names a model of that task and no signals."""
    if ml_task == "question_answering":
        return {"token_usage": TokenStatisticsSignal(type="generation_token_statistics")}
    return OUT_OF_BOX


def compile_signal(name: str, keys: AnySignal, setting: Setting, report: Report) -> Signal | None:
    """The signal, every default filled in; None after a report."""
    if isinstance(keys, CustomSignal):
        return compile_custom(name, keys, setting, report)
    if isinstance(keys, TokenStatisticsSignal | SafetyQualitySignal):
        return compile_generation(name, keys, setting, report)
    before = len(report.problems)
    metrics = requests_of(keys, setting.ml_task)
    if not metrics:
        hint = "name metrics under classification, regression or ranking, or say monitoring_target.ml_task"
        report.add(("metric_thresholds",), "is missing: no metric is named", hint)
    data = _data(keys, Datasets(setting, report), report)
    if data is not None:
        _report_missing_dimensions(keys, *data, report)
        _report_missing_ranking(metrics, data[0], report)
    if data is None or len(report.problems) > before:
        return None
    production, reference = data
    return _with_kind(
        Signal(
            name=name,
            type=SignalType(keys.type),
            production=production,
            reference=reference,
            metrics=metrics,
            filters=_filters(keys),
            min_rows=keys.min_rows,
            alert_enabled=setting.alerts if keys.alert_enabled is None else keys.alert_enabled,
            properties=dict(keys.properties),
        ),
        keys,
    )


def _with_kind(signal: Signal, keys: MeasuredSignal) -> Signal:
    """The keys that only this kind of signal has."""
    if isinstance(keys, ModelPerformanceSignal):
        return replace(
            signal,
            positive_class=keys.positive_class,
            ground_truth=_ground_truth(keys.ground_truth),
            fairness=tuple(each for block in keys.fairness for each in block.compared()),
        )
    if isinstance(keys, FeatureAttributionDriftSignal):
        return replace(signal, features=_features(keys))
    return replace(
        signal,
        features=_features(keys),
        binning=_binning(keys.binning),
        nulls=keys.nulls,
        max_categories=keys.max_categories,
        explain_by=keys.explain_by,
    )


def _features(
    keys: DataDriftSignal | PredictionDriftSignal | DataQualitySignal | FeatureAttributionDriftSignal,
) -> Features:
    override = {feature: Kind(kind) for feature, kind in keys.feature_type_override.items()}
    if isinstance(keys, PredictionDriftSignal):
        return Features(type_override=override)
    if isinstance(keys, FeatureAttributionDriftSignal):
        return Features(keys.features, override)
    if isinstance(keys.features, TopFeatures):
        return Features(None, override, keys.features.top_n_feature_importance, importance=True)
    # As in Azure: who names the target of the training data wants to know.
    wanted = _names_target(keys.reference_data) if keys.feature_importance is None else keys.feature_importance
    return Features(keys.features, override, importance=wanted)


def _names_target(reference: ReferenceData | None) -> bool:
    return reference is not None and reference.columns.actual is not None


def _binning(keys: BinningKeys) -> Binning:
    implied = BinningMethod.EDGES if keys.edges else BinningMethod.QUANTILE
    return Binning(BinningMethod(keys.method) if keys.method else implied, keys.bins, keys.edges)


def _filters(keys: MeasuredSignal) -> tuple[Filter, ...]:
    segment = (keys.data_segment.filter(),) if keys.data_segment else ()
    return (*segment, *(asked.filter() for asked in keys.filters))


def _report_missing_dimensions(
    keys: MeasuredSignal, production: tuple[Data, ...], reference: Data | None, report: Report
) -> None:
    """Report filters that ask about a role that no column plays."""
    sides = {"production_data": production, "reference_data": (reference,) if reference else production}
    if isinstance(keys, ModelPerformanceSignal):  # its two sides are joined, and what one has is enough
        sides = {"production_data": (*production, *sides["reference_data"])}
    for place, asked in enumerate(keys.filters):
        role = ROLES.get(asked.filter().dimension)
        for side, data in sides.items():
            if role and not any(getattr(one.columns, role) for one in data):
                where = "reference_data" if role == "actual" and len(sides) == 1 else side
                hint = f"name it in {where}.data_column_names.{role}"
                report.add(("filters", place, "dimension"), f"no column of {where} is the {role}", hint)


def _report_missing_ranking(metrics: Sequence[MetricRequest], production: tuple[Data, ...], report: Report) -> None:
    if not any(METRICS[request.metric].family is Family.RANKING for request in metrics if request.metric in METRICS):
        return
    if not any(data.columns.group for data in production):
        report.add(_role("production_data", "group"), "is missing", "which column says what an item is an item of?")
    if not any(data.columns.rank or data.columns.score for data in production):
        report.add(_role("production_data", "rank"), "is missing", "which column is the rank, or the score?")


def _ground_truth(keys: GroundTruthKeys) -> GroundTruth:
    delay = fixed_length(keys.max_delay) if keys.max_delay else None
    return GroundTruth(delay, keys.min_coverage, keys.below_coverage, fixed_length(keys.revise_within))


def _data(keys: MeasuredSignal, datasets: Datasets, report: Report) -> tuple[tuple[Data, ...], Data | None] | None:
    context = Context.MODEL_INPUTS
    if isinstance(keys, PredictionDriftSignal | ModelPerformanceSignal):
        context = Context.MODEL_OUTPUTS
    written = keys.production_data
    if written is None and isinstance(keys, FeatureAttributionDriftSignal):
        written = datasets.inputs_and_outputs()
    production = datasets.production(written, context)
    if production is None:
        return None
    if len(production) > 1:
        _report_missing_ids(production, report)
    if isinstance(keys, ModelPerformanceSignal):
        return _performance_data(keys, production, datasets, report)
    reference = datasets.reference(keys.reference_data, production)
    if isinstance(keys, FeatureAttributionDriftSignal):
        _report_missing_targets(production, reference, report)
    if isinstance(keys, PredictionDriftSignal):
        reference = _prediction_reference(production, reference, report)
    if reference is None:
        return None
    return production, reference


def _performance_data(
    keys: ModelPerformanceSignal, production: tuple[Data, ...], datasets: Datasets, report: Report
) -> tuple[tuple[Data, ...], Data | None] | None:
    if not any(data.columns.prediction or data.columns.score or data.columns.rank for data in production):
        report.add(_role("production_data", "prediction"), "is missing", "which column is the prediction?")
    prejoined = any(data.columns.actual for data in production)
    if prejoined and keys.reference_data is None:
        return production, None
    if keys.reference_data is None and not datasets.has_truth():
        hint = "give the ground truth, or data_column_names.actual where production_data has it already"
        report.add(("reference_data",), "is missing, and the monitor names no model with ground truth", hint)
        return None
    truth = datasets.truth(keys.reference_data)
    if truth is None:
        return None
    for key, role, question in _missing_truth_roles(keys, production, truth):
        report.add(_role(key, role), "is missing", question)
    return production, truth


def _missing_truth_roles(
    keys: ModelPerformanceSignal, production: tuple[Data, ...], truth: Data
) -> Iterator[tuple[str, str, str]]:
    if not truth.columns.actual:
        yield "reference_data", "actual", "which column is the truth?"
    joined = "which column joins predictions and ground truth?"
    if not truth.columns.correlation_id:
        yield "reference_data", "correlation_id", joined
    if len(production) == 1 and not _has_id(production[0]):
        yield "production_data", "correlation_id", joined
    if keys.ground_truth.max_delay and not truth.columns.timestamp:
        yield "reference_data", "timestamp", "ground_truth.max_delay needs to know when a label became known"


def _prediction_reference(
    production: tuple[Data, ...],
    reference: Data | None,
    report: Report,
) -> Data | None:
    """The reference with the column that is compared as its `prediction`: its own predictions, or else the target."""
    if not any(data.columns.prediction or data.columns.score for data in production):
        report.add(_role("production_data", "prediction"), "is missing", "which column is the prediction?")
        return None
    if reference is None:
        return None
    compared = reference.columns.prediction or reference.columns.actual
    if compared is None and not reference.columns.score:
        hint = "which column is compared with the prediction?"
        report.add(_role("reference_data", "target_column"), "is missing", hint)
        return None
    return replace(reference, columns=replace(reference.columns, prediction=compared))


def _report_missing_targets(production: tuple[Data, ...], reference: Data | None, report: Report) -> None:
    """Report sides whose importances nothing can tell: neither a target nor columns with attributions."""
    if not any(target_of(data.columns, truth=False) or data.columns.attributions for data in production):
        hint = "which column is the prediction? or name the columns with attributions"
        report.add(_role("production_data", "prediction"), "is missing", hint)
    if reference and not (target_of(reference.columns) or reference.columns.attributions):
        hint = "which column did the model learn? or name the columns with attributions"
        report.add(_role("reference_data", "target_column"), "is missing", hint)


def _report_missing_ids(production: tuple[Data, ...], report: Report) -> None:
    for place, data in enumerate(production):
        if not _has_id(data):
            key = ("production_data", place, "data_column_names", "correlation_id")
            report.add(key, "is missing", "several datasets are joined by it")


def _has_id(data: Data) -> bool:
    """Whether rows have a correlation id for sure: what the data collector wrote always has, and calls it the same."""
    return data.columns.correlation_id is not None or data.source.format == "collector"


def _role(key: str, role: str) -> tuple[str, ...]:
    return (key, "data_column_names", role)
