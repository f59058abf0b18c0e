"""Azure's documents, its examples and its SDK spell the same things differently: all of them mean the same here."""

from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine import Monitor
from engine.errors import DefinitionError
from signals.metrics import METRICS
from signals.thresholds import FixedThreshold, Operator

SCHEDULE = """
name: spelt
trigger: {type: recurrence, frequency: week, interval: 1, time_zone: UTC,
          schedule: {hours: [3], minutes: [15], week_days: [monday]}}
create_monitor:
  monitoring_target: {ml_task: classification}
  monitoring_signals:
    drift:
      type: data_drift
      features: [a, b]
      alert_enabled: false
      production_data: {input_data: {type: uri_folder, path: in}, data_context: model_inputs,
                        data_window: {lookback_window_size: P7D, lookback_window_offset: P0D}}
      reference_data: {input_data: {type: mltable, path: ref.parquet}, data_context: training}
      metric_thresholds: {numerical: {jensen_shannon_distance: 0.1}, categorical: {pearsons_chi_squared_test: 0.02}}
    performance:
      type: model_performance
      production_data: {input_data: {path: out}, data_column_names: {prediction: said, correlation_id: id}}
      reference_data: {input_data: {path: labels}, data_context: ground_truth,
                       data_column_names: {actual: true, correlation_id: id}}
      metric_thresholds: {classification: {accuracy: 0.8, precision: 0, recall: 0.5}}
  alert_notification: {emails: [abc@example.com]}
""".replace("actual: true", 'actual: "true"')

DRIFT, PERFORMANCE = (f"create_monitor.monitoring_signals.{name}" for name in ("drift", "performance"))

# At which key, what is written, and what it means.
SPELLINGS = [
    # what the SDK's dump adds
    ("tags", "{}", None),
    ("properties", "{}", None),
    ("properties", "null", None),
    ("id", "azureml:/subscriptions/s/schedules/spelt", None),
    ("is_enabled", "true", None),
    ("is_enabled", '"True"', None),
    ("provisioning_state", "Succeeded", None),
    ("creation_context", "{created_by: me, created_at: 2024-05-01}", None),
    ("$schema", "http://azureml/sdk-2-0/Schedule.json", None),
    ("create_monitor.compute", "{compute_type: ServerlessSpark, instance_type: standard_e4s_v3, runtime_version: 3.3}",
     None),
    (f"{DRIFT}.properties", "{}", None),
    (f"{DRIFT}.production_data.input_data.mode", "ro_mount", None),
    (f"{DRIFT}.production_data.input_data.datastore", "azureml:workspaceblobstore", None),
    # triggers
    ("trigger.type", "Recurrence", "recurrence"),
    ("trigger.frequency", "Week", "week"),
    ("trigger.interval", '"1"', "1"),
    ("trigger.time_zone", "utc", "UTC"),
    ("trigger.schedule", "{hours: 3, minutes: 15, weekdays: Monday}",
     "{hours: [3], minutes: [15], week_days: [monday]}"),
    ("trigger.schedule", '{hours: "3", minutes: ["15"], week_days: monday, month_days: []}',
     "{hours: [3], minutes: [15], week_days: [monday]}"),
    # the target
    ("create_monitor.monitoring_target.ml_task", "Classification", "classification"),
    ("create_monitor.monitoring_target.ml_task", "tabular_classification", "classification"),
    ("create_monitor.monitoring_target.ml_task", "tabular_regression", "regression"),
    ("create_monitor.monitoring_target.ml_task", "QuestionAnswering", "question_answering"),
    ("create_monitor.alert_notification", "AzMonitoring", "azmonitoring"),
    ("create_monitor.alert_notification", "azmonitoring", "{}"),
    # signals
    (f"{DRIFT}.type", "Data_Drift", "data_drift"),
    (f"{DRIFT}.alert_enabled", '"False"', "false"),
    (f"{DRIFT}.alert_enabled", '"True"', "true"),
    (f"{DRIFT}.features", "All_Features", "all_features"),
    (f"{DRIFT}.feature_type_override", "{a: Numerical, b: CATEGORICAL}", "{a: numerical, b: categorical}"),
    # data
    (f"{DRIFT}.production_data.input_data.type", "Uri_Folder", "uri_folder"),
    (f"{DRIFT}.production_data.data_context", "Model_Inputs", "model_inputs"),
    (f"{DRIFT}.production_data.data_context", "model_input_output", "model_inputs_outputs"),
    (f"{PERFORMANCE}.reference_data.data_context", "actuals", "ground_truth"),
    (f"{PERFORMANCE}.reference_data.data_context", "ground_truth_data", "ground_truth"),
    (f"{PERFORMANCE}.reference_data.data_context", "GroundTruth", "ground_truth"),
    (f"{DRIFT}.production_data.data_window", "{data_window_size: P7D, lookback_window_offset: P0D}",
     "{lookback_window_size: P7D, lookback_window_offset: P0D}"),
    (f"{DRIFT}.production_data.data_window", "{trailing_window_size: P7D, trailing_window_offset: default}",
     "{lookback_window_size: P7D, lookback_window_offset: P0D}"),
    (f"{DRIFT}.production_data.data_window", "default", "{lookback_window_size: P7D, lookback_window_offset: P0D}"),
    (f"{DRIFT}.reference_data.data_window", "{window_start_date: 2023-05-01, window_end_date: '2023-06-01'}",
     "{window_start: '2023-05-01T00:00:00Z', window_end: 2023-06-01}"),
    (f"{PERFORMANCE}.production_data.data_column_names", "{target_column: said, join_column: id}",
     "{prediction: said, correlation_id: id}"),
    (f"{PERFORMANCE}.production_data.data_column_names",
     "{prediction: said, prediction_probability: p, correlation_id: id}",
     "{prediction: said, score: p, correlation_id: id}"),
    (f"{PERFORMANCE}.reference_data.data_column_names", '{target_column: "true", join_column: id}',
     '{actual: "true", correlation_id: id}'),
    (f"{DRIFT}.reference_data",
     "{input_data: {type: mltable, path: ref.parquet}, data_context: training, target_column_name: y}",
     "{input_data: {type: mltable, path: ref.parquet}, data_context: training, data_column_names: {target_column: y}}"),
    # thresholds
    (f"{DRIFT}.metric_thresholds", "{numerical: {JensenShannonDistance: 0.1}, categorical: {chi_squared_test: 0.02}}",
     "{numerical: {jensen_shannon_distance: 0.1}, categorical: {pearsons_chi_squared_test: 0.02}}"),
    (f"{DRIFT}.metric_thresholds", '{numerical: {js: "0.1"}, categorical: {PearsonsChiSquaredTest: 0.02}}',
     "{numerical: {jensen_shannon_distance: 0.1}, categorical: {pearsons_chi_squared_test: 0.02}}"),
    (f"{PERFORMANCE}.metric_thresholds", "{tabular_classification: {Accuracy: 0.8, f1_score: 0.5, Precision: 0}}",
     "{classification: {accuracy: 0.8, f1: 0.5, precision: 0}}"),
    (f"{PERFORMANCE}.metric_thresholds", "{regression: {mae: 1, mse: 2, rmse: 0}}",
     "{regression: {mean_absolute_error: 1, mean_squared_error: 2, root_mean_squared_error: 0}}"),
    (f"{PERFORMANCE}.metric_thresholds", "{tabular_regression: {MAE: 1, MeanSquaredError: 2, RMSE: 3}}",
     "{regression: {mae: 1, mse: 2, rmse: 3}}"),
]  # fmt: skip


def monitor(key: str, written: str | None, folder: Path) -> Monitor:
    """The schedule with this at a key, or as it is."""
    document = deepcopy(yaml.safe_load(SCHEDULE))
    if written is not None:
        block: Any = document
        *within, last = key.split(".")
        for step in within:
            block = block[step]
        block[last] = yaml.safe_load(written)
    return replace(Monitor.from_dict(document, folder), config_hash="")


@pytest.mark.parametrize(("key", "written", "meant"), SPELLINGS)
def test_another_spelling_means_the_same(key: str, written: str, meant: str | None, tmp_path: Path):
    assert monitor(key, written, tmp_path) == monitor(key, meant, tmp_path)


def test_one_production_dataset_is_a_list_of_one(tmp_path: Path):
    one = yaml.safe_load(SCHEDULE)["create_monitor"]["monitoring_signals"]["drift"]["production_data"]
    key = f"{DRIFT}.production_data"
    assert monitor(key, yaml.safe_dump([one]), tmp_path) == monitor(key, yaml.safe_dump(one), tmp_path)


def test_a_threshold_of_zero_is_a_threshold(tmp_path: Path):
    signals = {signal.name: signal for signal in monitor("", None, tmp_path).signals}
    found = {request.metric: request.threshold for request in signals["performance"].metrics}
    assert found["precision"].value == 0


TESTS = ["two_sample_kolmogorov_smirnov_test", "TwoSampleKolmogorovSmirnovTest", "pearsons_chi_squared_test",
         "PearsonsChiSquaredTest", "chi_squared_test"]  # fmt: skip
DISTANCES = ["jensen_shannon_distance", "population_stability_index", "PopulationStabilityIndex"]


@pytest.mark.parametrize("name", [*TESTS, *DISTANCES])
def test_thresholds_of_tests_are_p_values_and_breach_below_and_those_of_distances_above(name: str, tmp_path: Path):
    kind = "categorical" if "hi" in name and "quared" in name else "numerical"
    drift = monitor(f"{DRIFT}.metric_thresholds", f"{{{kind}: {{{name}: 0.02}}}}", tmp_path).signals[0]
    (request,) = drift.metrics
    assert (METRICS[request.metric].unit == "p-value") is (name in TESTS)
    assert request.threshold == FixedThreshold(0.02, Operator.LESS_THAN if name in TESTS else Operator.GREATER_THAN)


REFUSED = [
    ("is_enabled", "false", "driftline runs the monitors that it is given"),
    (f"{DRIFT}.production_data.input_data.path_on_compute", "/mnt/x", "is a folder of an Azure compute instance"),
    (f"{DRIFT}.metric_thresholds", "{data_type: numerical, threshold: 0.1}", "says nothing without a metric"),
    (f"{PERFORMANCE}.metric_thresholds", "{threshold: 0.1}", "says nothing without a metric"),
    (f"{DRIFT}.reference_data", "{target_column_name: y, data_column_names: {target_column: z}, input_data: {path: r}}",
     "cannot go with data_column_names.target_column"),
    (f"{DRIFT}.alert_enabled", "perhaps", "is not true or false"),
    ("trigger.schedule", "{hours: 99, minutes: 15}", "99 must be 23 or less"),
    ("trigger.schedule", "{hours: three, minutes: 15}", "is not a whole number"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "written", "reason"), REFUSED)
def test_what_cannot_be_served_is_refused_with_its_reason(key: str, written: str, reason: str, tmp_path: Path):
    with pytest.raises(DefinitionError, match=reason):
        monitor(key, written, tmp_path)
