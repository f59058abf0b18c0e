"""The seed's advanced examples on the credit sample: the ten features that matter, quality of a few, attribution."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from engine.results import MetricRow, Status
from engine.run import Evaluation
from tests.data.credit_rows import collected, reference, within
from tests.engine.labs import by_name
from tests.seeds import schedules
from tests.seeds.by_hand import assert_chi_squared, assert_jensen_shannon, value
from tests.seeds.sdk_runs import dumped
from tests.seeds.workshop import Workshop, credit_workshop

SCHEDULES = {"yaml": lambda: schedules.ADVANCED, "sdk": lambda: dumped("advanced")}
SIGNALS = {
    "yaml": ("drift_of_ten", "quality_of_two", "what_matters"),
    "sdk": ("data_drift_advanced", "data_quality_advanced", "feature_attribution_drift"),
}
CATEGORICAL = {"SEX", "EDUCATION", "MARRIAGE", "PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6"}
QUIET, BLIND = (datetime(2024, 5, day, 3, 15, tzinfo=UTC) for day in (9, 24))
NIGHTS = [QUIET, BLIND]


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return credit_workshop(tmp_path_factory.mktemp("credit"))


@pytest.fixture(scope="module", params=SCHEDULES)
def spelled(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def nights(spelled: str, spark, workshop: Workshop) -> dict[datetime, Evaluation]:
    return dict(zip(NIGHTS, workshop.run(spark, SCHEDULES[spelled](), NIGHTS), strict=True))


@pytest.fixture(scope="module")
def inputs() -> pd.DataFrame:
    return collected("model_inputs")


@pytest.fixture(scope="module")
def learned() -> pd.DataFrame:
    return reference()


def of_signal(evaluation: Evaluation, signal: str) -> dict[tuple[str, str], MetricRow]:
    return {(group, metric): row for (name, group, metric), row in by_name(evaluation).items() if name == signal}


def day_of(inputs: pd.DataFrame, night: datetime) -> pd.DataFrame:
    return within(inputs, night - timedelta(days=1), night)


def test_nothing_fails_and_everything_is_judged(nights: dict[datetime, Evaluation]):
    for evaluation in nights.values():
        assert evaluation.errors == ()
        assert {row.status for row in evaluation.rows} <= {Status.OK, Status.BREACHED}


def test_the_ten_most_important_features_are_watched_and_pay_0_is_the_first(
    nights: dict[datetime, Evaluation], spelled: str
):
    drift = SIGNALS[spelled][0]
    watched = {night: {row[0] for row in of_signal(evaluation, drift)} for night, evaluation in nights.items()}
    assert len(watched[QUIET]) == 10
    assert all(names == watched[QUIET] for names in watched.values())
    assert {"PAY_0", "PAY_2", "LIMIT_BAL", "PAY_AMT1"} <= watched[QUIET]
    assert not {"SEX", "MARRIAGE"} & watched[QUIET]


def test_drift_is_that_of_the_raw_rows(
    nights: dict[datetime, Evaluation], spelled: str, inputs: pd.DataFrame, learned: pd.DataFrame
):
    kinds = set()
    for night, evaluation in nights.items():
        now = day_of(inputs, night)
        for (name, metric), row in of_signal(evaluation, SIGNALS[spelled][0]).items():
            kinds.add(metric)
            if name in CATEGORICAL:
                assert metric == "pearsons_chi_squared_test"
                assert_chi_squared(row, now[name], learned[name])
            else:
                assert metric == "jensen_shannon_distance"
                assert_jensen_shannon(row, now[name], learned[name])
    assert kinds == {"pearsons_chi_squared_test", "jensen_shannon_distance"}


def test_a_p_value_breaches_below_its_threshold_and_a_distance_above(nights: dict[datetime, Evaluation], spelled: str):
    for evaluation in nights.values():
        for (_, metric), row in of_signal(evaluation, SIGNALS[spelled][0]).items():
            assert row.threshold_value is not None
            if metric == "pearsons_chi_squared_test":
                assert row.operator == "less_than"
                assert row.breached is (value(row) < row.threshold_value)
            else:
                assert row.operator == "greater_than"
                assert row.breached is (value(row) > row.threshold_value)


def test_quality_is_that_of_the_raw_rows(
    nights: dict[datetime, Evaluation], spelled: str, inputs: pd.DataFrame, learned: pd.DataFrame
):
    expected = {("SEX", "out_of_bounds_rate"), ("EDUCATION", "out_of_bounds_rate")}
    expected |= {("AGE", "null_value_rate")} if spelled == "sdk" else set()
    for night, evaluation in nights.items():
        rows, now = of_signal(evaluation, SIGNALS[spelled][1]), day_of(inputs, night)
        assert set(rows) == expected
        for name in ("SEX", "EDUCATION"):
            unseen = ~now[name].isin(learned[name])
            assert value(rows[name, "out_of_bounds_rate"]) == pytest.approx(unseen.mean())
        assert rows["EDUCATION", "out_of_bounds_rate"].breached is (night == BLIND)  # a new code since the 17th


def test_attribution_falls_where_the_scoring_code_does_not_read_pay_0_and_only_there(
    nights: dict[datetime, Evaluation], spelled: str
):
    gains = {
        night: [row for (_, metric), row in of_signal(evaluation, SIGNALS[spelled][2]).items()
                if metric == "normalized_discounted_cumulative_gain"]
        for night, evaluation in nights.items()
    }  # fmt: skip
    assert {len(found) for found in gains.values()} == {1}
    found = {night: value(rows[0]) for night, rows in gains.items()}
    assert gains[BLIND][0].breached
    assert gains[BLIND][0].operator == "less_than"
    assert found[BLIND] < 0.8
    assert found[QUIET] > 0.9
