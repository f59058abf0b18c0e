"""What a definition that is right comes to."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml

from engine.definitions import load_monitor, monitor_from
from engine.errors import DefinitionError
from engine.monitor import (
    PROFILED,
    Columns,
    Component,
    Context,
    FixedWindow,
    LookbackWindow,
    MetricRequest,
    Monitor,
    Signal,
    SignalType,
)
from engine.triggers import Cron, Frequency, Recurrence, Trigger
from signals.binning import Binning, BinningMethod
from signals.catalogue import Kind
from signals.thresholds import FixedThreshold, Operator, RangeThreshold
from tests.engine.definition_samples import (
    ADVANCED,
    ASSETS,
    COLLECTED,
    DAILY,
    MODEL,
    OUT_OF_BOX,
    PERFORMANCE,
    SPELLINGS,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    for name, text in (("models/credit.yaml", MODEL), ("assets.yaml", ASSETS)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "monitors").mkdir()
    return tmp_path


@pytest.fixture
def read(conf: Path) -> Callable[[str], Monitor]:
    def read(text: str) -> Monitor:
        path = conf / "monitors" / "monitor.yaml"
        path.write_text(dedent(text))
        return load_monitor(path)

    return read


@pytest.fixture
def signal(read: Callable[[str], Monitor]) -> Callable[[str], Signal]:
    def signal(keys: str) -> Signal:
        body = "create_monitor:\n  monitoring_target: {model_id: credit}\n  monitoring_signals: {s: " + keys + "}\n"
        return read("name: m\n" + DAILY + body).signals[0]

    return signal


def test_the_out_of_box_monitor_of_azures_documents(read: Callable[[str], Monitor], conf: Path) -> None:
    monitor = read(OUT_OF_BOX)
    assert (monitor.name, monitor.model, monitor.ml_task) == (
        "credit_default_model_monitoring", "credit", "classification",
    )  # fmt: skip
    assert monitor.trigger == Trigger(Recurrence(Frequency.DAY, 1, (3,), (15,)))
    assert monitor.emails == ("abc@example.com", "def@example.com")
    assert [(s.name, s.type.value, s.alert_enabled) for s in monitor.signals] == [
        ("data_drift", "data_drift", True),
        ("prediction_drift", "prediction_drift", True),
        ("data_quality", "data_quality", True),
    ]
    drift, prediction, quality = monitor.signals
    assert drift.production[0].source.path == str(conf / "data" / "in")
    assert drift.production[0].window == LookbackWindow("P1D", "P0D")
    assert drift.features.names is None
    for each in (drift, prediction, quality):
        assert each.reference is not None
        assert each.reference.source.path == "s3://bucket/ref"
        assert each.reference.window is None
    assert prediction.production[0].source.path == str(conf / "data" / "out")
    assert prediction.production[0].columns.prediction == "default"
    assert prediction.reference is not None
    assert prediction.reference.columns.prediction == "DEFAULT_NEXT_MONTH"
    assert drift.metrics == (
        MetricRequest("normalized_wasserstein_distance", FixedThreshold(0.1, Operator.GREATER_THAN), Kind.NUMERICAL),
        MetricRequest("jensen_shannon_distance", FixedThreshold(0.1, Operator.GREATER_THAN), Kind.CATEGORICAL),
    )
    assert quality.metrics == tuple(
        MetricRequest(name, FixedThreshold(0.01, Operator.GREATER_THAN, relative_to_baseline=True))
        for name in ("null_value_rate", "data_type_error_rate", "out_of_bounds_rate")
    )


def test_the_performance_monitor_of_azures_documents(read: Callable[[str], Monitor], conf: Path) -> None:
    monitor = read(PERFORMANCE)
    (signal,) = monitor.signals
    production, reference = signal.production[0], signal.reference
    assert reference is not None
    assert production.source.path == str(conf / "data" / "out")
    assert production.window == LookbackWindow("P7D", "P0D")
    assert production.columns == Columns("at", correlation_id="correlation_id", prediction="is_fraud", score="p")
    assert reference.source.path == str(conf / "data" / "truth-1")
    assert reference.context is Context.GROUND_TRUTH
    assert reference.columns == Columns(correlation_id="correlation_id", actual="is_fraud")
    assert signal.metrics == (
        MetricRequest("accuracy", FixedThreshold(0.95, Operator.LESS_THAN)),
        MetricRequest("precision", FixedThreshold(0.8, Operator.LESS_THAN)),
        MetricRequest("ground_truth_coverage", None),
    )


def test_the_advanced_monitor_of_azures_documents(read: Callable[[str], Monitor], conf: Path) -> None:
    drift, quality, attribution = read(ADVANCED).signals
    assert drift.metrics == (
        MetricRequest("jensen_shannon_distance", FixedThreshold(0.01, Operator.GREATER_THAN), Kind.NUMERICAL),
        MetricRequest("pearsons_chi_squared_test", FixedThreshold(0.02, Operator.LESS_THAN), Kind.CATEGORICAL),
    )
    assert (drift.features.names, drift.features.top_n_importance, drift.features.importance) == (None, 10, True)
    assert drift.reference is not None
    assert drift.reference.columns.actual == "DEFAULT_NEXT_MONTH"
    assert quality.features.names == ("SEX", "EDUCATION")
    assert attribution.metrics == (
        MetricRequest("normalized_discounted_cumulative_gain", FixedThreshold(0.9, Operator.LESS_THAN)),
    )
    # Not written: the model's inputs and outputs, joined.
    assert [data.source.path for data in attribution.production] == [
        str(conf / "data" / part) for part in ("in", "out")
    ]
    assert attribution.production[1].columns.prediction == "default"
    assert attribution.reference is not None
    assert attribution.reference.columns.actual == "DEFAULT_NEXT_MONTH"
    assert attribution.reference.window is None


def test_importance_is_wanted_where_the_target_is_named_or_asked_for(read: Callable[[str], Monitor]) -> None:
    def wants(keys: str) -> bool:
        written = yaml.safe_load(ADVANCED)
        written["create_monitor"]["monitoring_signals"] = {"drift": {"type": "data_drift", **yaml.safe_load(keys)}}
        return read(yaml.safe_dump(written)).signals[0].features.importance

    target = "reference_data: {input_data: {path: azureml:credit-reference:1}, target_column_name: late}"
    assert wants(f"{{{target}}}")
    assert wants("{feature_importance: true}")
    assert wants("{features: {top_n_feature_importance: '3'}}")
    assert not wants("{}")  # the model's file names the target, and nobody asked
    assert not wants(f"{{{target}, feature_importance: false}}")


def test_the_collected_data_monitor_of_azures_documents(read: Callable[[str], Monitor], conf: Path) -> None:
    with pytest.raises(DefinitionError) as error:
        read(COLLECTED)
    (problem,) = error.value.problems
    assert problem.message == "no component is named 'production_data_preprocessing'"
    (conf / "components").mkdir()
    (conf / "components" / "prepare.py").write_text("def run(data_window_start, data_window_end, input_data): ...")
    component = "components: [{name: production_data_preprocessing, version: 1.0.0, entry: 'prepare:run'}]\n"
    (conf / "assets.yaml").write_text(ASSETS + component)
    (signal,) = read(COLLECTED).signals
    assert signal.production[0].source.preprocessing == Component(
        "azureml:production_data_preprocessing:1.0.0", conf / "components", "prepare", "run"
    )
    assert signal.alert_enabled
    assert signal.production[0].columns == Columns("at", correlation_id="id", prediction="is_fraud")
    assert signal.reference is not None
    assert signal.reference.context is Context.VALIDATION
    assert signal.reference.columns.prediction == "was_fraud"


def test_the_flights_monitor_reads() -> None:
    monitor = load_monitor(ROOT / "conf" / "monitors" / "flights.yaml")
    assert {signal.type for signal in monitor.signals} == {*PROFILED, SignalType.MODEL_PERFORMANCE}
    july = datetime(2013, 7, 2, tzinfo=UTC)
    assert list(monitor.trigger.due(july, july + timedelta(1))) == [july + timedelta(hours=3, minutes=15)]


# Data


def test_a_signal_that_says_nothing_about_data_takes_the_models(signal: Callable[[str], Signal], conf: Path) -> None:
    found = signal("{type: model_performance}")
    assert found.production[0].source.path == str(conf / "data" / "out")
    assert found.reference is not None
    assert found.reference.source.path == str(conf / "data" / "truth-2")
    assert found.reference.source.options == {"header": "true"}
    assert found.reference.columns == Columns("known", correlation_id="key", actual="defaulted")
    assert [request.metric for request in found.metrics] == [
        "accuracy", "precision", "recall", "ground_truth_coverage",
    ]  # fmt: skip
    assert {request.threshold for request in found.metrics} == {None}


def test_a_role_set_to_null_is_no_role(signal: Callable[[str], Signal]) -> None:
    found = signal("{type: prediction_drift, production_data: {data_column_names: {score: null}}}")
    assert (found.production[0].columns.prediction, found.production[0].columns.score) == ("default", None)


def test_several_production_datasets_share_the_window_of_the_first_that_has_one(
    signal: Callable[[str], Signal],
) -> None:
    found = signal(
        "{type: model_performance, production_data: ["
        "{data_context: model_outputs, data_window: {lookback_window_size: P2D}},"
        "{data_context: model_inputs}]}"
    )
    assert [data.window for data in found.production] == [LookbackWindow("P2D", "P0D")] * 2


def test_pre_joined_data_needs_no_ground_truth(signal: Callable[[str], Signal]) -> None:
    found = signal(
        "{type: model_performance, production_data:"
        " {input_data: {table: joined}, data_column_names: {timestamp: at, prediction: y, actual: t}}}"
    )
    assert found.reference is None
    assert found.production[0].source.table == "joined"
    assert found.production[0].columns.actual == "t"


def test_a_reference_with_only_a_window_is_production_in_that_window(
    signal: Callable[[str], Signal], conf: Path
) -> None:
    found = signal("{type: data_drift, reference_data: {data_window: {lookback_window_size: P30D}}}")
    assert found.reference is not None
    assert found.reference.source.path == str(conf / "data" / "in")
    assert found.reference.window == LookbackWindow("P30D", "P1D")


def test_a_reference_context_of_production_is_the_recent_past(signal: Callable[[str], Signal]) -> None:
    found = signal(
        "{type: data_drift, production_data: {data_window: {lookback_window_offset: PT6H}},"
        " reference_data: {data_context: model_inputs}}"
    )
    assert found.reference is not None
    assert found.reference.window == LookbackWindow("P2D", "P1DT6H")


def test_a_window_written_as_default_is_the_default_one(signal: Callable[[str], Signal]) -> None:
    found = signal(
        "{type: data_drift, production_data: {data_window: default},"
        " reference_data: {input_data: {path: /x}, data_column_names: {timestamp: t},"
        " data_window: {lookback_window_size: default, lookback_window_offset: P9D}}}"
    )
    assert found.production[0].window == LookbackWindow("P1D", "P0D")
    assert found.reference is not None
    assert found.reference.window == LookbackWindow("P2D", "P9D")
    assert found.reference.source.path == "/x"


def test_a_fixed_window_is_in_utc(signal: Callable[[str], Signal]) -> None:
    found = signal(
        "{type: data_quality, production_data:"
        " {data_window: {window_start_date: 2013-01-01, window_end_date: '2013-01-02T02:00:00+02:00'}}}"
    )
    assert found.production[0].window == FixedWindow(datetime(2013, 1, 1, tzinfo=UTC), datetime(2013, 1, 2, tzinfo=UTC))


def test_a_model_without_a_baseline_is_compared_with_the_recent_past(conf: Path) -> None:
    model = yaml.safe_load(MODEL)
    del model["baseline"]
    (conf / "models" / "credit.yaml").write_text(yaml.safe_dump(model))
    monitor = monitor_from(
        {
            "name": "m",
            "trigger": {"type": "cron", "expression": "0 3 * * 1"},
            "create_monitor": {"monitoring_target": {"model_id": "azureml:credit:3"}},
        },
        conf / "monitors",
    )
    assert [s.reference.window for s in monitor.signals if s.reference] == [LookbackWindow("P14D", "P7D")] * 3
    assert [s.reference.source for s in monitor.signals if s.reference] == [
        s.production[0].source for s in monitor.signals
    ]


def test_an_asset_at_latest_is_its_highest_version(signal: Callable[[str], Signal], conf: Path) -> None:
    text = ASSETS + "".join(f"  - {{name: truth, version: {v}, path: data/truth-{v}}}\n" for v in (9, 10))
    (conf / "assets.yaml").write_text(text)
    found = signal("{type: data_drift, reference_data: {input_data: {path: azureml:truth@latest}}}")
    assert found.reference is not None
    assert found.reference.source.path == str(conf / "data" / "truth-10")


# Thresholds


@pytest.mark.parametrize(
    ("written", "threshold"),
    [
        ("0", FixedThreshold(0, Operator.GREATER_THAN)),
        ("'0.2'", FixedThreshold(0.2, Operator.GREATER_THAN)),
        ("null", None),
        ("{threshold: 0.2}", FixedThreshold(0.2, Operator.GREATER_THAN)),
        ("{threshold: 0.2, operator: '<='}", FixedThreshold(0.2, Operator.LESS_THAN_OR_EQUAL)),
        ("{threshold: 0.2, operator: lessThan}", FixedThreshold(0.2, Operator.LESS_THAN)),
        ("{threshold: 0.2, relative_to: baseline}", FixedThreshold(0.2, Operator.GREATER_THAN, True)),
        ("{low: 0, high: 0.5}", RangeThreshold(0, 0.5)),
    ],
)
def test_a_threshold_is_a_number_a_mapping_a_range_or_null(
    signal: Callable[[str], Signal], written: str, threshold: Any
) -> None:
    found = signal("{type: data_quality, metric_thresholds: {numerical: {null_value_rate: " + written + "}}}")
    assert found.metrics == (MetricRequest("null_value_rate", threshold, Kind.NUMERICAL),)


def test_a_feature_may_have_thresholds_of_its_own(signal: Callable[[str], Signal]) -> None:
    found = signal("{type: data_drift, features: [age], metric_thresholds: {features: {age: {psi: 0.2}}}}")
    assert found.metrics == (
        MetricRequest("population_stability_index", FixedThreshold(0.2, Operator.GREATER_THAN), feature="age"),
    )


def test_a_metric_of_one_class_names_its_class(signal: Callable[[str], Signal]) -> None:
    found = signal(
        "{type: model_performance, metric_thresholds: {classification: {multi_class_recall:"
        " [{threshold: 0.5, label: 1}, {label: 0}]}}}"
    )
    assert found.metrics[:2] == (
        MetricRequest("multi_class_recall", FixedThreshold(0.5, Operator.LESS_THAN), label="1"),
        MetricRequest("multi_class_recall", None, label="0"),
    )


# Spellings of metrics.md section 6


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("time_zone: Europe/Berlin", "timezone: W. Europe Standard Time"),
        ("schedule: {hours: 3, minutes: [15]}", "pattern: {hours: ['3'], minutes: 15}"),
    ],
)
def test_two_spellings_of_a_trigger_mean_the_same(read: Callable[[str], Monitor], one: str, other: str) -> None:
    text = "name: m\ntrigger: {type: recurrence, frequency: day, X}\ncreate_monitor: {monitoring_target: {model_id: credit}}\n"  # noqa: E501
    found, same = read(text.replace("X", one)), read(text.replace("X", other))
    assert found.trigger == same.trigger
    assert found.config_hash == same.config_hash


@pytest.mark.parametrize(
    ("one", "other"),
    SPELLINGS,
)
def test_two_spellings_of_a_signal_mean_the_same(signal: Callable[[str], Signal], one: str, other: str) -> None:
    assert signal(one) == signal(other)


def test_a_single_window_size_is_short_for_a_window(signal: Callable[[str], Signal]) -> None:
    found = signal("{type: data_drift, production_data: {data_window_size: P10D}}")
    assert found.production[0].window == LookbackWindow("P10D", "P0D")


def test_alerts_are_on_only_where_somebody_is_to_be_told(signal: Callable[[str], Signal]) -> None:
    assert not signal("{type: data_drift}").alert_enabled
    assert signal("{type: data_drift, alert_enabled: true}").alert_enabled


def test_azmonitoring_turns_alerts_on_and_names_nobody(read: Callable[[str], Monitor]) -> None:
    monitor = read(
        "name: m\n" + DAILY + "create_monitor:\n"
        "  {monitoring_target: {model_id: credit}, alert_notification: azmonitoring}\n"
    )
    assert monitor.emails == ()
    assert all(signal.alert_enabled for signal in monitor.signals)


def test_binning_nulls_and_the_like(signal: Callable[[str], Signal]) -> None:
    found = signal(
        "{type: data_drift, binning: {edges: [0, 1.5, 3]}, nulls: drop, max_categories: 20,"
        " feature_type_override: {age: categorical}, features: all_features, properties: {owner: 7}}"
    )
    assert found.binning == Binning(BinningMethod.EDGES, 10, (0, 1.5, 3))
    assert (found.nulls, found.max_categories, found.features.names) == ("drop", 20, None)
    assert found.features.type_override == {"age": Kind.CATEGORICAL}
    assert found.properties == {"owner": "7"}


def test_late_labels(signal: Callable[[str], Signal]) -> None:
    found = signal(
        "{type: model_performance, positive_class: 1,"
        " ground_truth: {max_delay: P1DT6H, min_coverage: 0.8, below_coverage: provisional}}"
    )
    assert found.positive_class == "1"
    assert found.ground_truth.max_delay == timedelta(days=1, hours=6)
    assert (found.ground_truth.min_coverage, found.ground_truth.below_coverage) == (0.8, "provisional")


def test_a_start_time_without_an_offset_is_in_the_triggers_time_zone(read: Callable[[str], Monitor]) -> None:
    monitor = read("""
        name: m
        trigger:
          type: cron
          expression: 15 3 * * *
          start_time: 2013-07-01T00:00:00
          time_zone: America/New_York
        create_monitor: {monitoring_target: {model_id: credit}}
        """)
    assert monitor.trigger.start_time == datetime(2013, 7, 1, 4, tzinfo=UTC)
    assert isinstance(monitor.trigger.rule, Cron)
