"""Out-of-box monitoring: a schedule that names a model, and nothing else, gets three signals over all its features."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance

from engine.monitor import SignalType
from engine.results import MetricRow, Status
from engine.run import Evaluation
from tests.engine.labs import by_name
from tests.seeds.workshop import Workshop, transactions

BY_MODEL_ID = """\
name: payments_out_of_box
trigger:
  type: recurrence
  frequency: day
  interval: 1
  schedule:
    hours: 3
    minutes: 15
create_monitor:
  compute:
    instance_type: standard_e4s_v3
    runtime_version: "3.4"
  monitoring_target:
    ml_task: classification
    model_id: azureml:payments:1
"""
NIGHTS = [datetime(2023, 5, day, 3, 15, tzinfo=UTC) for day in (8, 9)]


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Two weeks of payments; on the 8th they are a hundred times as large."""
    found = transactions(np.random.default_rng(7), 6_000, "2023-05-01", "2023-05-15").drop(columns="fraud")
    night = NIGHTS[1]
    within = found["at"].ge(night - timedelta(days=1)) & found["at"].lt(night)
    return found.assign(amount=found["amount"].where(~within, found["amount"] * 100))


@pytest.fixture(scope="module")
def workshop(rows: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    workshop = Workshop(tmp_path_factory.mktemp("out_of_box") / "project")
    workshop.parquet("payments", rows)
    workshop.model(
        "payments",
        model_inputs_outputs={
            "input_data": {"path": "azureml:payments:1"},
            "data_column_names": {"timestamp": "at", "correlation_id": "payment", "prediction": "said"},
        },
    )
    return workshop


@pytest.fixture(scope="module")
def nights(spark, workshop: Workshop) -> list[Evaluation]:
    return workshop.run(spark, BY_MODEL_ID, NIGHTS)


def in_window(rows: pd.DataFrame, night: datetime, days: int = 1, before: int = 0) -> pd.DataFrame:
    end = night - timedelta(days=before)
    return rows[rows["at"].ge(end - timedelta(days=days)) & rows["at"].lt(end)]


def test_a_model_by_its_id_gets_the_three_signals_over_all_features(nights: list[Evaluation]):
    drift = {("amount", "normalized_wasserstein_distance"), ("kind", "jensen_shannon_distance"),
             ("tries", "jensen_shannon_distance")}  # fmt: skip
    rates = ("null_value_rate", "data_type_error_rate", "out_of_bounds_rate")
    quality = {(feature, rate) for feature in ("amount", "kind", "tries") for rate in rates}
    for night in nights:
        assert night.errors == ()
        found: dict[SignalType, set[tuple[str, str]]] = {}
        for row in night.rows:
            found.setdefault(SignalType(row.signal_type), set()).add((row.group, row.metric_name))
        assert found == {
            SignalType.DATA_DRIFT: drift,
            SignalType.PREDICTION_DRIFT: {("said", "jensen_shannon_distance")},
            SignalType.DATA_QUALITY: quality,
        }
        assert {row.status for row in night.rows} <= {Status.OK, Status.BREACHED}


def test_its_baseline_is_the_recent_past(nights: list[Evaluation], rows: pd.DataFrame):
    for night, evaluation in zip(NIGHTS, nights, strict=True):
        for row in evaluation.rows:
            assert (row.window_start, row.window_end) == (night - timedelta(days=1), night)
            assert (row.baseline_start, row.baseline_end) == (night - timedelta(days=3), night - timedelta(days=1))
            assert row.row_count == len(in_window(rows, night))
            assert row.baseline_row_count == len(in_window(rows, night, days=2, before=1))


def test_its_thresholds_are_the_defaults(nights: list[Evaluation]):
    for row in nights[0].rows:
        default = 0.01 if row.signal_type == SignalType.DATA_QUALITY else 0.1
        assert (row.threshold_value, row.operator) == (pytest.approx(default), "greater_than")


def test_its_numbers_are_those_of_the_raw_rows(nights: list[Evaluation], rows: pd.DataFrame):
    for night, evaluation in zip(NIGHTS, nights, strict=True):
        now, before = in_window(rows, night), in_window(rows, night, days=2, before=1)
        found = by_name(evaluation)
        distance = wasserstein_distance(now["amount"], before["amount"]) / before["amount"].std()
        measured = _value(found["data_drift", "amount", "normalized_wasserstein_distance"])
        assert measured == pytest.approx(distance, rel=0.02, abs=0.005)
        for signal, column in (("data_drift", "kind"), ("data_drift", "tries"), ("prediction_drift", "said")):
            counts = pd.concat([now[column].value_counts(), before[column].value_counts()], axis=1).fillna(0).to_numpy()
            shares = jensenshannon(counts[:, 0], counts[:, 1], base=2)
            assert _value(found[signal, column, "jensen_shannon_distance"]) == pytest.approx(shares, abs=1e-12)
        outside = (~now["amount"].between(before["amount"].min(), before["amount"].max())).mean()
        assert _value(found["data_quality", "amount", "out_of_bounds_rate"]) == pytest.approx(outside)


def test_the_night_that_is_different_breaches_and_the_other_does_not(nights: list[Evaluation]):
    assert {(row.group, row.metric_name) for row in nights[0].breaches} == set()
    assert {(row.group, row.metric_name) for row in nights[1].breaches} == {
        ("amount", "normalized_wasserstein_distance"),
        ("amount", "out_of_bounds_rate"),
    }


BY_DEPLOYMENT = """\
name: questions_out_of_box
trigger:
  type: recurrence
  frequency: day
  interval: 1
create_monitor:
  monitoring_target:
    ml_task: QuestionAnswering
    endpoint_deployment_id: azureml:questions:main
"""


def test_a_model_that_answers_questions_gets_its_tokens_counted(spark, tmp_path: Path):
    logged = pd.DataFrame({
        "at": pd.date_range("2023-05-01", periods=96, freq="h", tz="UTC"),
        "prompt_tokens": range(96),
        "completion_tokens": 10,
    })  # fmt: skip
    workshop = Workshop(tmp_path / "project")
    workshop.parquet("questions", logged)
    workshop.model(
        "questions",
        endpoint_deployment_ids="azureml:questions:main",
        model_inputs_outputs={"input_data": {"path": "azureml:questions:1"}, "data_column_names": {"timestamp": "at"}},
    )
    (evaluation,) = workshop.run(spark, BY_DEPLOYMENT, [datetime(2023, 5, 3, tzinfo=UTC)])
    assert evaluation.errors == ()
    assert {row.signal for row in evaluation.rows} == {"token_usage"}
    of_day = logged.iloc[24:48]
    found = by_name(evaluation)["token_usage", "dataset", "total_token_count"]
    assert found.metric_value == (of_day["prompt_tokens"] + of_day["completion_tokens"]).sum()


def _value(row: MetricRow) -> float:
    assert row.metric_value is not None
    return row.metric_value
