"""The seed's out-of-box examples on the credit sample: only the deployment is named, the rest is found."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from engine.monitor import Monitor
from engine.results import Status
from engine.run import Evaluation
from tests.data.credit_rows import collected, within
from tests.engine.labs import by_name
from tests.seeds import schedules
from tests.seeds.by_hand import categorical_distance, numerical_distance, value
from tests.seeds.sdk_runs import dumped
from tests.seeds.workshop import Workshop, credit_workshop

SCHEDULES = {"yaml": lambda: schedules.OUT_OF_BOX, "sdk": lambda: dumped("out-of-box")}
CATEGORICAL = ["SEX", "EDUCATION", "MARRIAGE", "PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6"]
NUMERICAL = ["LIMIT_BAL", "AGE", *(f"{kind}_AMT{month}" for kind in ("BILL", "PAY") for month in range(1, 7))]
QUIET, CENTS, GAPS, TEXT = (datetime(2024, 5, day, 3, 15, tzinfo=UTC) for day in (9, 11, 15, 16))
NIGHTS = [QUIET, CENTS, GAPS, TEXT]


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return credit_workshop(tmp_path_factory.mktemp("credit"))


@pytest.fixture(scope="module", params=SCHEDULES)
def nights(request: pytest.FixtureRequest, spark, workshop: Workshop) -> dict[datetime, Evaluation]:
    return dict(zip(NIGHTS, workshop.run(spark, SCHEDULES[request.param](), NIGHTS), strict=True))


@pytest.fixture(scope="module")
def inputs() -> pd.DataFrame:
    return collected("model_inputs")


@pytest.fixture(scope="module")
def outputs() -> pd.DataFrame:
    return collected("model_outputs")


def sides(rows: pd.DataFrame, night: datetime) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The day before a night, and the two days before that."""
    day = timedelta(days=1)
    return within(rows, night - day, night), within(rows, night - 3 * day, night - day)


def test_both_spell_the_same_monitor(workshop: Workshop):
    one, other = (workshop.monitor(text()) for text in SCHEDULES.values())
    assert isinstance(one, Monitor)
    assert [signal.alert_enabled for signal in one.signals] == [True, True, True]
    assert (one.signals, one.trigger, one.model) == (other.signals, other.trigger, "credit-default")
    assert other.emails == ("abc@example.com", "def@example.com")


def test_every_feature_and_the_prediction_have_the_three_signals(nights: dict[datetime, Evaluation]):
    expected = {("data_drift", name, "normalized_wasserstein_distance") for name in NUMERICAL}
    expected |= {("data_drift", name, "jensen_shannon_distance") for name in CATEGORICAL}
    rates = ("null_value_rate", "data_type_error_rate", "out_of_bounds_rate")
    expected |= {("data_quality", name, rate) for name in (*NUMERICAL, *CATEGORICAL) for rate in rates}
    expected |= {("prediction_drift", "DEFAULT_NEXT_MONTH", "jensen_shannon_distance"),
                 ("prediction_drift", "DEFAULT_PROBABILITY", "normalized_wasserstein_distance")}  # fmt: skip
    for evaluation in nights.values():
        assert evaluation.errors == ()
        assert set(by_name(evaluation)) == expected
        assert {row.status for row in evaluation.rows} == {Status.OK, Status.BREACHED}


def test_a_window_is_the_last_day_and_the_baseline_the_two_before(
    nights: dict[datetime, Evaluation], inputs: pd.DataFrame
):
    for night, evaluation in nights.items():
        now, before = sides(inputs, night)
        row = by_name(evaluation)["data_quality", "AGE", "null_value_rate"]
        assert (row.window_start, row.window_end) == (night - timedelta(days=1), night)
        assert (row.row_count, row.baseline_row_count) == (len(now), len(before))


def test_drift_is_that_of_the_raw_rows(nights: dict[datetime, Evaluation], inputs: pd.DataFrame, outputs: pd.DataFrame):
    _, first = sides(inputs, QUIET)  # bins are fitted to it, and stay
    for night, evaluation in nights.items():
        rows = by_name(evaluation)
        now, before = sides(inputs, night)
        for name in CATEGORICAL:
            row = rows["data_drift", name, "jensen_shannon_distance"]
            expected = categorical_distance(now[name], before[name], first[name])
            assert value(row) == pytest.approx(expected, abs=1e-9), (night, name)
        for name in NUMERICAL:
            row = rows["data_drift", name, "normalized_wasserstein_distance"]
            expected = numerical_distance(now[name], before[name])
            assert value(row) == pytest.approx(expected, rel=0.03, abs=0.02), (night, name)
        said, before_that = (side["DEFAULT_NEXT_MONTH"] for side in sides(outputs, night))
        row = rows["prediction_drift", "DEFAULT_NEXT_MONTH", "jensen_shannon_distance"]
        expected = categorical_distance(said, before_that, before_that)
        assert value(row) == pytest.approx(expected, abs=1e-9)


def test_what_went_wrong_is_seen(nights: dict[datetime, Evaluation]):
    breached = {
        night: {(row.group, row.metric_name) for row in evaluation.breaches} for night, evaluation in nights.items()
    }
    bills = {(f"BILL_AMT{month}", metric) for month in range(1, 7)
             for metric in ("normalized_wasserstein_distance", "out_of_bounds_rate")}  # fmt: skip
    assert bills | {("DEFAULT_NEXT_MONTH", "jensen_shannon_distance")} <= breached[CENTS]
    assert not bills & breached[QUIET]
    assert ("PAY_0", "null_value_rate") in breached[GAPS] - breached[QUIET]
    assert ("LIMIT_BAL", "data_type_error_rate") in breached[TEXT] - breached[QUIET]


def test_rates_are_those_of_the_raw_rows(nights: dict[datetime, Evaluation], inputs: pd.DataFrame):
    gaps, _ = sides(inputs, GAPS)
    row = by_name(nights[GAPS])["data_quality", "PAY_0", "null_value_rate"]
    assert value(row) == pytest.approx(gaps["PAY_0"].isna().mean())
    text, _ = sides(inputs, TEXT)
    row = by_name(nights[TEXT])["data_quality", "LIMIT_BAL", "data_type_error_rate"]
    assert value(row) == pytest.approx(text["LIMIT_BAL"].eq("n/a").mean())
    cents, _ = sides(inputs, CENTS)
    _, first = sides(inputs, QUIET)
    row = by_name(nights[CENTS])["data_quality", "BILL_AMT1", "out_of_bounds_rate"]
    outside = ~cents["BILL_AMT1"].between(first["BILL_AMT1"].min(), first["BILL_AMT1"].max())
    assert value(row) == pytest.approx(outside.mean())
