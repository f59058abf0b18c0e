"""What the sample monitor says of the four weeks in data/credit: nothing on quiet days, and each mishap on its day."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine import Monitor, evaluate_all
from engine.results import Status
from engine.run import Evaluation

MONITOR = Path(__file__).parents[2] / "conf" / "monitors" / "credit.yaml"
BILLS = [f"BILL_AMT{month}" for month in range(1, 7)]
STORY = {
    6: set(),
    9: set(),
    # 10 May: bills in cents
    11: {
        *(("data_drift", bill, "normalized_wasserstein_distance") for bill in BILLS),
        *(("data_quality", bill, "out_of_bounds_rate") for bill in BILLS),
        ("prediction_drift", "DEFAULT_NEXT_MONTH", "jensen_shannon_distance"),
        ("feature_attribution", "dataset", "normalized_discounted_cumulative_gain"),
    },
    12: set(),
    # 14 May: PAY_0 is missing; and the labels of the 10th are in
    15: {
        ("data_drift", "PAY_0", "pearsons_chi_squared_test"),
        ("data_quality", "PAY_0", "null_value_rate"),
        ("performance", "DEFAULT_NEXT_MONTH", "accuracy"),
        ("performance", "DEFAULT_NEXT_MONTH", "precision"),
    },
    # 17 May: a new EDUCATION
    18: {
        ("data_drift", "EDUCATION", "pearsons_chi_squared_test"),
        ("data_quality", "EDUCATION", "out_of_bounds_rate"),
    },
    # 23 May: PAY_0 is not read, and no input shows it
    24: {
        ("feature_attribution", "dataset", "normalized_discounted_cumulative_gain"),
        ("prediction_drift", "DEFAULT_NEXT_MONTH", "jensen_shannon_distance"),
        ("data_quality", "EDUCATION", "out_of_bounds_rate"),
    },
    # 28 May: the labels of the 23rd and 24th are in
    29: {
        ("data_quality", "EDUCATION", "out_of_bounds_rate"),
        ("performance", "DEFAULT_NEXT_MONTH", "recall"),
    },
}
"""What breaches, by the day in May on which the run is due; of drift only the ten features that matter most."""


@pytest.fixture(scope="module")
def nights(spark) -> dict[int, Evaluation]:
    times = [datetime(2024, 5, day, 3, 15, tzinfo=UTC) for day in STORY]
    return dict(zip(STORY, evaluate_all(spark, Monitor.from_yaml(MONITOR), times), strict=True))


@pytest.mark.parametrize("day", STORY)
def test_each_mishap_breaches_on_its_day_and_nothing_else_does(nights: dict[int, Evaluation], day: int):
    watched = {(row.signal, row.group, row.metric_name) for row in nights[day].rows}
    breached = {(row.signal, row.group, row.metric_name) for row in nights[day].breaches}
    assert breached == STORY[day] & watched
    assert {name[0] for name in breached} == {name[0] for name in STORY[day]}


def test_everything_is_measured(nights: dict[int, Evaluation]):
    for evaluation in nights.values():
        assert evaluation.errors == ()
        assert {row.status for row in evaluation.rows} <= {Status.OK, Status.BREACHED}
