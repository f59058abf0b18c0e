"""The seed's performance example in YAML: a model of another name, whose application logs an id of its own."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, precision_score

from engine.run import Evaluation
from tests.engine.labs import by_name
from tests.seeds.by_hand import value
from tests.seeds.workshop import Workshop, transactions

SCHEDULE = (Path(__file__).parent / "snippets" / "model-performance.yaml").read_text(encoding="utf-8")
WEEKS = [datetime(2023, 5, day, 10, 15, tzinfo=UTC) for day in (9, 16, 23)]


@pytest.fixture(scope="module")
def payments() -> pd.DataFrame:
    return transactions(np.random.default_rng(11), 2_000, "2023-05-01", "2023-05-23")


@pytest.fixture(scope="module")
def workshop(payments: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    workshop = Workshop(tmp_path_factory.mktemp("fraud") / "project")
    answers = payments[["at", "payment", "said"]].rename(columns={"payment": "correlation_id", "said": "is_fraud"})
    workshop.collected("loan_approval_outputs", answers, times="at")
    truth = payments[["payment", "fraud"]].rename(columns={"payment": "correlation_id", "fraud": "is_fraud"})
    workshop.mltable("my_model_ground_truth_data", truth.iloc[::-1][: len(truth) - 100])  # the first have no label
    workshop.model(
        "loan-approval",
        endpoint_deployment_ids="azureml:loan-approval-endpoint:loan-approval-deployment",
        model_outputs={"input_data": {"path": "azureml:loan_approval_outputs:1"}},
    )
    return workshop


@pytest.fixture(scope="module")
def weeks(spark, workshop: Workshop) -> dict[datetime, Evaluation]:
    return dict(zip(WEEKS, workshop.run(spark, SCHEDULE, WEEKS), strict=True))


def test_accuracy_and_precision_are_scikit_learns(weeks: dict[datetime, Evaluation], payments: pd.DataFrame):
    labelled = payments.iloc[100:]
    for week, evaluation in weeks.items():
        assert evaluation.errors == ()
        rows = by_name(evaluation)
        within = labelled[labelled["at"].ge(week - timedelta(days=7)) & labelled["at"].lt(week)]
        accuracy = rows["fraud_detection_model_performance", "is_fraud", "accuracy"]
        precision = rows["fraud_detection_model_performance", "is_fraud", "precision"]
        assert value(accuracy) == pytest.approx(accuracy_score(within["fraud"], within["said"]))
        assert value(precision) == pytest.approx(precision_score(within["fraud"], within["said"]))
        assert (accuracy.threshold_value, precision.threshold_value) == (0.95, 0.8)
        assert (accuracy.breached, precision.breached) == (True, True)


def test_the_window_is_the_triggers_seven_days_and_all_its_rows_are_there(
    weeks: dict[datetime, Evaluation], payments: pd.DataFrame
):
    for week, evaluation in weeks.items():
        row = by_name(evaluation)["fraud_detection_model_performance", "is_fraud", "ground_truth_coverage"]
        within = payments["at"].ge(week - timedelta(days=7)) & payments["at"].lt(week)
        assert (row.window_start, row.window_end) == (week - timedelta(days=7), week)
        assert row.row_count == within.sum()
        assert row.metric_value == pytest.approx((payments[within].index >= 100).mean())


def test_it_alerts_and_it_is_due_at_a_quarter_past_ten(workshop: Workshop):
    monitor = workshop.monitor(SCHEDULE)
    assert [signal.alert_enabled for signal in monitor.signals] == [True]
    assert monitor.display_name == "Credit card fraud model performance"
    assert monitor.emails == ("abc@example.com",)
