"""The seed's performance example of the SDK: predictions from the collector, labels with indexed correlation ids."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, precision_score, recall_score

from engine.run import Evaluation
from tests.data.credit_rows import collected, labels, within
from tests.engine.labs import by_name
from tests.seeds.by_hand import value
from tests.seeds.sdk_runs import dumped
from tests.seeds.workshop import Workshop, credit_workshop

NIGHTS = [datetime(2024, 5, day, 3, 15, tzinfo=UTC) for day in (11, 21, 26)]
SCORES = {"accuracy": accuracy_score, "precision": precision_score, "recall": recall_score}


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return credit_workshop(tmp_path_factory.mktemp("credit"))


@pytest.fixture(scope="module")
def nights(spark, workshop: Workshop) -> dict[datetime, Evaluation]:
    return dict(zip(NIGHTS, workshop.run(spark, dumped("model-performance"), NIGHTS), strict=True))


@pytest.fixture(scope="module")
def joined() -> pd.DataFrame:
    return collected("model_outputs").merge(labels(), on="correlationid", how="left")


def of_night(joined: pd.DataFrame, night: datetime) -> pd.DataFrame:
    return within(joined, night - timedelta(days=10), night)


def test_the_three_metrics_are_scikit_learns_on_the_joined_rows(
    nights: dict[datetime, Evaluation], joined: pd.DataFrame
):
    for night, evaluation in nights.items():
        assert evaluation.errors == ()
        rows = by_name(evaluation)
        known = of_night(joined, night).dropna(subset="ground_truth")
        for metric, score in SCORES.items():
            row = rows["model_performance", "DEFAULT_NEXT_MONTH", metric]
            assert value(row) == pytest.approx(score(known["ground_truth"], known["DEFAULT_NEXT_MONTH"])), metric
            assert (row.threshold_value, row.operator) == (0.5, "less_than")
            assert row.breached is (value(row) < 0.5)


def test_every_row_of_ten_days_is_there_and_those_without_a_label_are_counted(
    nights: dict[datetime, Evaluation], joined: pd.DataFrame
):
    for night, evaluation in nights.items():
        window = of_night(joined, night)
        row = by_name(evaluation)["model_performance", "DEFAULT_NEXT_MONTH", "ground_truth_coverage"]
        assert (row.window_start, row.window_end) == (night - timedelta(days=10), night)
        assert row.row_count == len(window)
        assert row.metric_value == pytest.approx(window["ground_truth"].notna().mean())


def test_the_days_in_cents_cost_precision(nights: dict[datetime, Evaluation]):
    breached = {night: {row.metric_name for row in evaluation.breaches} for night, evaluation in nights.items()}
    assert "precision" in breached[NIGHTS[0]]
    assert "precision" not in breached[NIGHTS[2]]


def test_it_does_not_alert_because_the_sdk_says_so(workshop: Workshop):
    monitor = workshop.monitor(dumped("model-performance"))
    assert [signal.alert_enabled for signal in monitor.signals] == [False]
