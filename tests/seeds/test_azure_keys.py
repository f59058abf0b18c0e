"""Azure's schema key by key: each is read here too, or refused with a reason."""

from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter, ValidationError

from engine.definitions import (
    alert_keys,
    custom_keys,
    data_keys,
    feature_keys,
    filter_keys,
    generation_keys,
    metric_keys,
    monitor_keys,
    signal_keys,
    trigger_keys,
)
from engine.definitions.shape import Shape
from signals.pass_rates import QUALITIES
from tests.seeds.sdk_runs import words

SHAPES: dict[str, type[Shape]] = {
    "MonitorScheduleSchema": monitor_keys.Schedule,
    "MonitorDefinitionSchema": monitor_keys.CreateMonitor,
    "AlertNotificationSchema": alert_keys.AlertNotification,
    "MonitoringTargetSchema": monitor_keys.MonitoringTarget,
    "ServerlessSparkComputeSchema": monitor_keys.Compute,
    "RecurrenceTriggerSchema": trigger_keys.RecurrenceTrigger,
    "RecurrencePatternSchema": trigger_keys.Pattern,
    "CronTriggerSchema": trigger_keys.CronTrigger,
    "DataInputSchema": data_keys.InputData,
    "MLTableInputSchema": data_keys.InputData,
    "BaselineDataRangeSchema": data_keys.DataWindow,
    "ReferenceDataSchema": data_keys.ReferenceData,
    "ProductionDataSchema": data_keys.ProductionData,
    "FADProductionDataSchema": data_keys.ProductionData,
    "DataSegmentSchema": filter_keys.DataSegment,
    "DataDriftSignalSchema": signal_keys.DataDriftSignal,
    "DataDriftMetricThresholdSchema": metric_keys.DriftThresholds,
    "PredictionDriftSignalSchema": signal_keys.PredictionDriftSignal,
    "PredictionDriftMetricThresholdSchema": metric_keys.DriftThresholds,
    "DataQualitySignalSchema": signal_keys.DataQualitySignal,
    "DataQualityMetricThresholdSchema": metric_keys.QualityThresholds,
    "ModelPerformanceSignalSchema": signal_keys.ModelPerformanceSignal,
    "ModelPerformanceMetricThresholdSchema": metric_keys.PerformanceThresholds,
    "MonitorFeatureFilterSchema": feature_keys.TopFeatures,
    "FeatureAttributionDriftSignalSchema": signal_keys.FeatureAttributionDriftSignal,
    "CustomMonitoringSignalSchema": custom_keys.CustomSignal,
    "CustomMonitoringMetricThresholdSchema": custom_keys.CustomThreshold,
    "ConnectionSchema": custom_keys.ConnectionKeys,
    "LlmDataSchema": generation_keys.LlmData,
    "GenerationSafetyQualitySchema": generation_keys.SafetyQualitySignal,
    "GenerationSafetyQualityMetricThresholdSchema": generation_keys.AnswerThresholds,
    "GenerationTokenStatisticsSchema": generation_keys.TokenStatisticsSignal,
    "GenerationTokenStatisticsMonitorMetricThresholdSchema": generation_keys.TokenThresholds,
}
"""Which block of ours reads Azure's."""

METRICS: dict[str, tuple[type[Shape], str]] = {
    "NumericalDriftMetricsSchema": (metric_keys.DriftThresholds, "numerical"),
    "CategoricalDriftMetricsSchema": (metric_keys.DriftThresholds, "categorical"),
    "DataQualityMetricsNumericalSchema": (metric_keys.QualityThresholds, "numerical"),
    "DataQualityMetricsCategoricalSchema": (metric_keys.QualityThresholds, "categorical"),
    "ModelPerformanceClassificationThresholdsSchema": (metric_keys.PerformanceThresholds, "classification"),
    "ModelPerformanceRegressionThresholdsSchema": (metric_keys.PerformanceThresholds, "regression"),
}
"""Where ours reads metrics by name."""

OF_METRICS = {"totaltoken", *QUALITIES}
"""Keys whose words are keys again."""

SCHEMA_KEY = {"schema_ignored": "$schema"}
REFUSED = {
    "DataInputSchema": {"path_on_compute"},
    "MLTableInputSchema": {"path_on_compute"},
    "DataDriftMetricThresholdSchema": {"threshold", "data_type"},
    "PredictionDriftMetricThresholdSchema": {"threshold", "data_type"},
    "DataQualityMetricThresholdSchema": {"threshold", "data_type"},
    "ModelPerformanceMetricThresholdSchema": {"threshold"},
}


def test_no_block_of_azures_is_left_out():
    free = {"CreationContextSchema"}  # anything at all may stand in it
    of_one_metric = {"FeatureAttributionDriftMetricThresholdSchema"}
    assert {*SHAPES, *METRICS} | free | of_one_metric == words().keys()


@pytest.mark.parametrize("schema", SHAPES)
def test_every_key_of_azures_is_read_or_refused_with_a_reason(schema: str):
    theirs = {SCHEMA_KEY.get(key, key) for key in words()[schema]}
    refused = theirs & set(SHAPES[schema].refused)
    assert refused == REFUSED.get(schema, set())
    assert theirs - refused <= SHAPES[schema].keys()


@pytest.mark.parametrize(("schema", "key"), [(name, key) for name, keys in REFUSED.items() for key in sorted(keys)])
def test_what_is_refused_says_why_and_what_to_write(schema: str, key: str):
    with pytest.raises(ValidationError) as caught:
        SHAPES[schema].model_validate({key: "x"})
    said = next(each.get("ctx", {}) for each in caught.value.errors() if each["loc"] == (key,))
    assert said["message"] != "unknown key"
    assert ": " in said["hint"]


@pytest.mark.parametrize("schema", METRICS)
def test_every_metric_of_azures_is_read(schema: str):
    shape, table = METRICS[schema]
    for name in words()[schema]:
        camel = "".join(part.capitalize() for part in name.split("_"))
        for spelled in (name, camel, name.upper()):
            (read,) = getattr(shape.model_validate({table: {spelled: 0.5}}), table).values()
            assert read[0].threshold == 0.5


def test_the_metric_of_attribution_drift_is_read_and_a_threshold_of_no_metric_is_not():
    known, alone = sorted(words()["FeatureAttributionDriftMetricThresholdSchema"])
    read = TypeAdapter(metric_keys.AttributionThresholds)
    for spelled in (known, "NormalizedDiscountedCumulativeGain", known.upper()):
        (thresholds,) = read.validate_python({spelled: 0.9}).values()
        assert thresholds[0].threshold == 0.9
    with pytest.raises(ValidationError, match="says nothing without a metric"):
        read.validate_python({alone: 0.9})


@pytest.mark.parametrize("schema", SHAPES)
def test_every_word_that_azure_allows_is_read_in_any_case(schema: str):
    shape = SHAPES[schema]
    for key, allowed in words()[schema].items():
        if key in shape.refused or key == "data_column_names":
            continue
        for word in allowed or ():
            for spelled in {word, word if key == "type" else word.upper()}:
                reader(shape, key).validate_python({spelled: 0.5} if key in OF_METRICS else spelled)


def reader(shape: type[Shape], key: str) -> TypeAdapter[Any]:
    """Reads what stands at a key of a block."""
    name = next(name for name, field in shape.model_fields.items() if key in {field.alias or name, *spelt(shape, name)})
    field = shape.model_fields[name]
    if not field.metadata:
        return TypeAdapter(field.annotation)
    return TypeAdapter(Annotated[field.annotation, *field.metadata])  # pyright: ignore[reportInvalidTypeForm]


def spelt(shape: type[Shape], name: str) -> frozenset[str]:
    return shape.spellings().get(name, frozenset())


def test_every_column_role_of_azures_is_one_of_ours():
    assert set(words()["FADProductionDataSchema"]["data_column_names"] or ()) <= data_keys.ProductionColumns.keys()
