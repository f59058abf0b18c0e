"""Three days of real flights, as the sample monitor sees them.

The model learned in winter which flights leaving New York arrive late. On the first of July there are thunderstorms:
two flights of three are late, and the model does not see it coming. A Monday in March is as the winter was. On the
last day of the year the weather data end.
"""

import pickle
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance
from sklearn import metrics as sklearn

from engine import Monitor, evaluate_all
from engine.results import Status
from tests.engine.labs import assert_same_rows, by_name, values

ROOT = Path(__file__).parents[2]
MONITOR = ROOT / "conf" / "monitors" / "flights.yaml"
FLIGHTS = ROOT / "data" / "flights"
QUIET = datetime(2013, 3, 12, 3, 15, tzinfo=UTC)
STORM = datetime(2013, 7, 2, 3, 15, tzinfo=UTC)
NO_WEATHER = datetime(2014, 1, 1, 3, 15, tzinfo=UTC)
WEATHER = ["temperature", "wind_speed", "wind_direction", "wind_gust", "precipitation", "visibility", "pressure"]


@pytest.fixture(scope="module")
def days(spark) -> dict:
    """What the monitor's runs of the three nights found, by scheduled time."""
    monitor = Monitor.from_yaml(MONITOR)
    times = [QUIET, STORM, NO_WEATHER]
    return dict(zip(times, evaluate_all(spark, monitor, times), strict=True))


@pytest.fixture(scope="module")
def storm(days) -> dict:
    return by_name(days[STORM])


def breaches(evaluation) -> set[tuple[str, str]]:
    """The groups and metrics that breached."""
    return {(row.group, row.metric_name) for row in evaluation.breaches}


# ------------------------------------------------------------------------------------------------------ the story


def test_on_the_day_of_the_storm_the_model_is_wrong_and_its_ranking_is_not(storm):
    accuracy, auc = storm["performance", "predicted_late", "accuracy"], storm["performance", "predicted_late", "auc"]
    assert accuracy.breached
    assert accuracy.metric_value < 0.44 < accuracy.threshold_value
    assert storm["performance", "predicted_late", "recall"].metric_value < 0.2
    assert storm["performance", "predicted_late", "calibration"].breached
    assert auc.status is Status.OK
    assert auc.metric_value > 0.7


def test_flights_are_an_hour_later_than_foreseen(storm):
    error = storm["minutes_late", "predicted_minutes_late", "mean_absolute_error"]
    assert error.breached
    assert error.metric_value > 60
    bias = storm["minutes_late", "predicted_minutes_late", "mean_error"]
    assert bias.breached
    assert (bias.threshold_value, bias.operator) == (-30.0, "less_than")


def test_the_storm_is_seen_in_the_weather_too(days, storm):
    assert {("temperature", "normalized_wasserstein_distance"), ("temperature", "out_of_bounds_rate"),
            ("precipitation", "normalized_wasserstein_distance"), ("pressure", "null_value_rate")} <= breaches(
        days[STORM]
    )  # fmt: skip
    drift = storm["data_drift", "temperature", "normalized_wasserstein_distance"]
    warmest = drift.details["contributions"][0]
    assert (drift.p_value or 1) < 0.01
    assert (drift.expected_p95 or 1) < 0.1
    assert warmest[1] > 0.9  # nearly all of the day is in the baseline's warmest bin
    assert storm["data_drift", "carrier", "jensen_shannon_distance"].status is Status.OK


def test_labels_that_came_within_a_day_are_nearly_all_there_are(storm):
    coverage = storm["performance", "predicted_late", "ground_truth_coverage"]
    assert coverage.metric_value > 0.9
    assert coverage.row_count == 980


def test_on_a_quiet_monday_nothing_is_wrong_with_the_model(days):
    quiet = days[QUIET]
    assert breaches(quiet) == {("wind_gust", "normalized_wasserstein_distance")}
    assert {row.status for row in quiet.rows} == {Status.OK, Status.BREACHED}


def test_when_the_weather_ends_each_gap_is_said_and_all_else_is_measured(days):
    rows = by_name(days[NO_WEATHER])
    for name in WEATHER:
        drift = rows["data_drift", name, "normalized_wasserstein_distance"]
        assert (drift.status, drift.reason) == (Status.UNDEFINED, "all values are null in the window")
        gaps = rows["data_quality", name, "null_value_rate"]
        assert gaps.metric_value == 1.0
        assert gaps.breached is (name != "wind_gust")  # which is usually null, and not judged
    for name in ("carrier", "origin", "dest"):
        assert rows["data_drift", name, "jensen_shannon_distance"].metric_value is not None
    assert values(days[NO_WEATHER])["performance", "predicted_late", "accuracy"] > 0.6


def test_every_run_says_what_it_read(days):
    for time, evaluation in days.items():
        run = evaluation.run
        assert run.window_end == time - timedelta(hours=3, minutes=15)
        assert run.window_start == run.window_end - timedelta(days=1)
        assert evaluation.errors == ()
        assert {Path(title.split(" + ")[0]).name for title in run.fingerprints} >= {"inputs", "baseline", "actuals"}


def test_a_spark_connect_session_tells_the_same_story(days, connect_url, tmp_path):
    output = tmp_path / "evaluation"
    client = [sys.executable, "-m", "tests.engine.connect_client", connect_url, MONITOR, STORM.isoformat(), output]
    done = subprocess.run(client, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    remote = pickle.loads(output.read_bytes())
    assert_same_rows(remote, days[STORM])
    assert remote.run.spark_jobs is None  # Connect does not tell
    assert remote.errors == ()


# ---------------------------------------------------------------------------------- the same by hand, from the files


def day_of(dataset: str) -> pd.DataFrame:
    return pd.read_parquet(FLIGHTS / dataset / "date=2013-07-01" / "part-0.parquet")


@pytest.fixture(scope="module")
def baseline() -> pd.DataFrame:
    return pd.read_parquet(FLIGHTS / "baseline")


@pytest.fixture(scope="module")
def labelled() -> pd.DataFrame:
    """The day's predictions with the labels that were known a day after it."""
    actuals = pd.read_parquet(FLIGHTS / "actuals")
    known = actuals[actuals["known_at"] <= STORM - timedelta(hours=3, minutes=15) + timedelta(days=1)]
    return day_of("outputs").merge(known, on="correlation_id", how="left")


def test_the_null_rate_by_hand(storm, baseline):
    row = storm["data_quality", "pressure", "null_value_rate"]
    assert row.metric_value == pytest.approx(day_of("inputs")["pressure"].isna().mean())
    assert row.threshold_value == pytest.approx(0.25 + baseline["pressure"].isna().mean())


def test_the_drift_of_destinations_by_hand(storm, baseline):
    counts = pd.concat([day_of("inputs")["dest"].value_counts(), baseline["dest"].value_counts()], axis=1).fillna(0)
    known = counts[counts.iloc[:, 1] > 0]
    other = counts[counts.iloc[:, 1] == 0].sum()  # destinations that the baseline does not have are one bin
    p, q = np.vstack([known, other]).T
    row = storm["data_drift", "dest", "jensen_shannon_distance"]
    assert row.metric_value == pytest.approx(jensenshannon(p, q, base=2), abs=1e-12)


@pytest.mark.parametrize("feature", ["temperature", "distance", "pressure", "precipitation", "wind_gust"])
def test_the_drift_of_numbers_by_hand(storm, baseline, feature):
    now, before = day_of("inputs")[feature].dropna(), baseline[feature].dropna()
    row = storm["data_drift", feature, "normalized_wasserstein_distance"]
    assert row.metric_value == pytest.approx(wasserstein_distance(now, before) / before.std(), abs=0.005)
    assert (row.row_count, row.baseline_row_count) == (len(now), len(before))


def test_performance_by_hand(storm, labelled):
    done = labelled.dropna(subset=["late"])
    y, said = done["late"].astype(int), done["predicted_late"]
    expected = {
        "accuracy": sklearn.accuracy_score(y, said),
        "precision": sklearn.precision_score(y, said),
        "recall": sklearn.recall_score(y, said),
        "f1": sklearn.f1_score(y, said),
        "calibration": done["score"].mean() / y.mean(),
        "ground_truth_coverage": len(done) / len(labelled),
    }
    found = {metric: storm["performance", "predicted_late", metric].metric_value for metric in expected}
    assert found == pytest.approx(expected)
    auc = storm["performance", "predicted_late", "auc"].metric_value
    assert auc == pytest.approx(sklearn.roc_auc_score(y, done["score"]), abs=0.001)


def test_minutes_by_hand(storm, labelled):
    done = labelled.dropna(subset=["minutes_late"])
    error = done["predicted_minutes_late"] - done["minutes_late"]
    found = {
        metric: storm["minutes_late", "predicted_minutes_late", metric].metric_value
        for metric in ("mean_absolute_error", "root_mean_squared_error", "mean_error")
    }
    assert found == pytest.approx({
        "mean_absolute_error": error.abs().mean(),
        "root_mean_squared_error": np.sqrt((error**2).mean()),
        "mean_error": error.mean(),
    })  # fmt: skip
