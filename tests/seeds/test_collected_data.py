"""The seed's examples for data from anywhere: a component of the user's makes the production data tabular."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import jensenshannon

from engine.results import MetricRow
from engine.run import Evaluation
from tests.engine.labs import by_name
from tests.seeds import schedules
from tests.seeds.by_hand import assert_chi_squared, value
from tests.seeds.sdk_runs import dumped
from tests.seeds.workshop import Workshop, transactions

COMPONENTS = Path(__file__).parent / "components" / "payments.py"
NAMES = {"amount": "feature_A", "kind": "feature_B", "tries": "feature_C"}
NIGHTS = [datetime(2023, 6, day, 3, 15, tzinfo=UTC) for day in (7, 8)]


@pytest.fixture(scope="module")
def payments() -> pd.DataFrame:
    """Ten days of payments; the last of them are mostly made at machines, by an unknown kind, or by nobody knows."""
    found = transactions(np.random.default_rng(5), 3_000, "2023-05-30", "2023-06-09")
    odd = found["at"].ge("2023-06-07T03:15Z")
    kinds = np.random.default_rng(6).choice(["machine", "shop", "telex", ""], odd.sum(), p=[0.6, 0.2, 0.1, 0.1])
    found.loc[odd, "kind"] = kinds
    return found.assign(kind=found["kind"].replace("", None))


@pytest.fixture(scope="module")
def learned() -> pd.DataFrame:
    return transactions(np.random.default_rng(4), 2_000, "2023-01-01", "2023-02-01")


@pytest.fixture(scope="module")
def workshop(payments: pd.DataFrame, learned: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    workshop = Workshop(tmp_path_factory.mktemp("anywhere") / "project")
    by_day = payments["at"].dt.strftime("%Y-%m-%d")
    inputs = payments[["at", "payment", "amount", "kind", "tries"]]
    for name in ("my_model_production_data", "my_production_inference_data_model_inputs"):
        workshop.csv(name, inputs, by_day)
    workshop.csv("my_production_inference_data_model_outputs", payments[["at", "payment", "said"]], by_day)
    training = learned[["amount", "kind", "tries"]].rename(columns=NAMES)
    workshop.mltable("my_model_training_data", training.assign(is_fraud=learned["fraud"]))
    workshop.mltable("my_model_validation_data", learned[["fraud"]].rename(columns={"fraud": "is_fraud"}))
    workshop.component("production_data_preprocessing", ["1", "1.0.0"], COMPONENTS, "features")
    workshop.model(
        "fraud",
        endpoint_deployment_ids="azureml:fraud-detection-endpoint:fraud-detection-deployment",
        data_column_names={"prediction": "is_fraud", "actual": "is_fraud"},
    )
    return workshop


@pytest.fixture(scope="module")
def by_sdk(spark, workshop: Workshop) -> dict[datetime, Evaluation]:
    return dict(zip(NIGHTS, workshop.run(spark, dumped("collected-data"), NIGHTS), strict=True))


@pytest.fixture(scope="module")
def by_yaml(spark, workshop: Workshop) -> dict[datetime, Evaluation]:
    return dict(zip(NIGHTS, workshop.run(spark, schedules.COLLECTED_DATA, NIGHTS), strict=True))


def day_of(payments: pd.DataFrame, night: datetime) -> pd.DataFrame:
    rows = payments[payments["at"].ge(night - timedelta(days=1)) & payments["at"].lt(night)]
    return rows.rename(columns=NAMES)


def test_the_sdks_monitor_watches_all_features_when_there_are_fewer_than_twenty(
    by_sdk: dict[datetime, Evaluation], payments: pd.DataFrame, learned: pd.DataFrame
):
    for night, evaluation in by_sdk.items():
        assert_drift(evaluation, "data_drift_advanced", day_of(payments, night), learned.rename(columns=NAMES))


def test_the_yamls_monitor_does_the_same(
    by_yaml: dict[datetime, Evaluation], payments: pd.DataFrame, learned: pd.DataFrame
):
    for night, evaluation in by_yaml.items():
        assert evaluation.errors == ()
        assert_drift(evaluation, "inputs_drift", day_of(payments, night), learned.rename(columns=NAMES))


def assert_drift(evaluation: Evaluation, signal: str, now: pd.DataFrame, before: pd.DataFrame) -> None:
    rows = of_signal(evaluation, signal)
    deciles = np.quantile(before["feature_A"], np.arange(0.1, 1, 0.1))
    shares = [np.histogram(side["feature_A"], [-np.inf, *deciles, np.inf])[0] / len(side) for side in (now, before)]
    distance = value(rows["feature_A", "jensen_shannon_distance"])
    assert distance == pytest.approx(jensenshannon(*shares, base=2), abs=0.01)
    for name in ("feature_B", "feature_C"):
        row = rows[name, "pearsons_chi_squared_test"]
        assert_chi_squared(row, now[name], before[name])
        assert (row.row_count, row.baseline_row_count) == (len(now), len(before))
        assert row.operator == "less_than"


def of_signal(evaluation: Evaluation, signal: str) -> dict[tuple[str, str], MetricRow]:
    return {(group, metric): row for (name, group, metric), row in by_name(evaluation).items() if name == signal}


def test_quality_of_three_features_is_that_of_the_raw_rows(
    by_sdk: dict[datetime, Evaluation], payments: pd.DataFrame, learned: pd.DataFrame
):
    for night, evaluation in by_sdk.items():
        rows, now = of_signal(evaluation, "data_quality_advanced"), day_of(payments, night)
        assert set(rows) == {("feature_A", "null_value_rate"), ("feature_B", "out_of_bounds_rate"),
                             ("feature_C", "out_of_bounds_rate")}  # fmt: skip
        assert value(rows["feature_A", "null_value_rate"]) == 0
        known = now["feature_B"].dropna()
        unseen = (~known.isin(learned["kind"])).sum() / len(known)
        assert value(rows["feature_B", "out_of_bounds_rate"]) == pytest.approx(unseen)
        assert rows["feature_B", "out_of_bounds_rate"].breached is (night == NIGHTS[1])


def test_predictions_are_compared_with_what_the_validation_data_say(
    by_yaml: dict[datetime, Evaluation], payments: pd.DataFrame, learned: pd.DataFrame
):
    for night, evaluation in by_yaml.items():
        row = of_signal(evaluation, "outputs_drift")["is_fraud", "pearsons_chi_squared_test"]
        assert_chi_squared(row, day_of(payments, night)["said"], learned["fraud"])


def test_what_the_sdk_leaves_unsaid_does_not_alert_and_what_the_yaml_says_does(workshop: Workshop):
    quiet, loud = workshop.monitor(dumped("collected-data")), workshop.monitor(schedules.COLLECTED_DATA)
    assert {signal.alert_enabled for signal in quiet.signals} == {False}
    assert {signal.alert_enabled for signal in loud.signals} == {True}
