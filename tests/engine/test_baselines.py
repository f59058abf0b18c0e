"""Baselines are read once, bins are frozen with the first, and windows at once are what they are one by one."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from engine.results import Status
from engine.store import Store
from signals.bins import Bins, CategoricalBins
from tests.engine.labs import Lab, assert_same_rows, by_name, values

NOW = datetime(2024, 3, 10, tzinfo=UTC)
DAY = timedelta(days=1)
WINDOW = {"lookback_window_size": "P1D", "lookback_window_offset": "P0D"}
BEFORE = {"lookback_window_size": "P2D", "lookback_window_offset": "P1D"}
PSI = "population_stability_index"
METRICS = {
    "numerical": {"normalized_wasserstein_distance": 0.1, "kolmogorov_smirnov_statistic": 0.1, PSI: None},
    "categorical": {"jensen_shannon_distance": 0.1, "chi_squared_test": 0.01},
}
QUALITY = {
    "numerical": {"null_value_rate": {"threshold": 0.1, "relative_to": "baseline"}, "out_of_bounds_rate": 0.1},
    "categorical": {"out_of_bounds_rate": 0.1, "new_values": 0},
    "dataset": {"row_count": 10},
}


def days(count: int, per_day: int = 120, features: int = 2, seed: int = 3) -> pd.DataFrame:
    """So many days before NOW + 3 days, drifting slowly."""
    random = np.random.default_rng(seed)
    n = count * per_day
    at = [NOW + 3 * DAY - count * DAY + timedelta(seconds=86_400 / per_day * number) for number in range(n)]
    drift = np.arange(n) / n
    columns = {f"x{number}": random.normal(drift, 1) for number in range(features)}
    words = np.where(random.random(n) < drift / 2, "new", random.choice(["a", "b"], n))
    return pd.DataFrame({"at": at, **columns, "word": words, "few": random.integers(0, 4, n)})


def signals(lab: Lab, reference="baseline", window=None, **changes) -> dict:
    data = {
        "production_data": lab.data("inputs", WINDOW, timestamp="at"),
        "reference_data": lab.data(reference, window, timestamp="at" if window else None),
        **changes,
    }
    return {
        "drift": {"type": "data_drift", **data, "metric_thresholds": METRICS},
        "quality": {"type": "data_quality", **data, "metric_thresholds": QUALITY},
    }


@pytest.fixture
def lab(spark, tmp_path) -> Lab:
    lab = Lab(spark, tmp_path)
    lab.write("inputs", days(6), row_group_size=120)
    lab.write("baseline", days(10, seed=4).drop(columns="at"))
    return lab


# ---------------------------------------------------------------------------------------------------- read once


def test_a_stored_baseline_is_not_read_again_until_it_changes(lab, tmp_path):
    store, monitor = Store(tmp_path / "store"), lab.monitor(**signals(lab))
    first = lab.evaluate(monitor, store=store)
    again = lab.evaluate(monitor, store=store)
    assert first.run.rows_read > again.run.rows_read == 0
    assert first.run.spark_jobs == 3  # the survey, the baseline's profiles, production
    assert again.run.spark_jobs == 0
    assert lab.evaluate(monitor, NOW + DAY, store=store).run.rows_read == 120
    assert_same_rows(first, again)
    lab.write("baseline", days(5, seed=5).drop(columns="at"))
    changed = lab.evaluate(monitor, store=store)
    assert changed.run.spark_jobs == 1  # bins stay frozen
    assert by_name(changed)["drift", "x0", PSI].baseline_row_count == 15 * 120
    assert lab.evaluate(monitor, store=store).run.spark_jobs == 0


def frozen(store: Store) -> dict[str, Bins]:
    (dataset,) = set(DeltaTable(f"{store.uri}/bins").to_pandas()["dataset"])
    return store.load_bins(dataset)


def test_bins_stay_frozen_when_the_baseline_changes(lab, tmp_path):
    store, monitor = Store(tmp_path / "store"), lab.monitor(**signals(lab))
    lab.evaluate(monitor, store=store)
    before = frozen(store)
    lab.write("baseline", days(3, seed=6).drop(columns="at").assign(x0=1000.0, word="another"))
    rows = by_name(lab.evaluate(monitor, store=store))
    assert {name: bins.id for name, bins in frozen(store).items()} == {name: bins.id for name, bins in before.items()}
    assert rows["drift", "x0", PSI].baseline_row_count == 13 * 120
    assert rows["quality", "x0", "out_of_bounds_rate"].details["high"] == before["x0"].high < 1000


def test_a_column_that_comes_later_gets_bins_of_its_own(lab, tmp_path):
    store = Store(tmp_path / "store")
    lab.evaluate(lab.monitor(**signals(lab, features=["x0"])), store=store)
    found = by_name(lab.evaluate(lab.monitor(**signals(lab, features=["x0", "word"])), store=store))
    assert found["drift", "word", "jensen_shannon_distance"].status in (Status.OK, Status.BREACHED)


def test_signals_with_the_same_baseline_share_one_reading(lab):
    both = lab.evaluate(lab.monitor(**signals(lab)))
    one = lab.evaluate(lab.monitor(drift=signals(lab)["drift"]))
    assert both.run.spark_jobs == one.run.spark_jobs == 3
    assert both.run.rows_read == one.run.rows_read


@pytest.mark.parametrize("features", [3, 60])
def test_the_number_of_jobs_does_not_depend_on_the_number_of_features(spark, tmp_path, features):
    lab, store = Lab(spark, tmp_path), Store(tmp_path / "store")
    ids = [f"id {number}" for number in range(6 * 120)]
    inputs = days(6, features=features).assign(id=ids, said=1, score=0.5)
    lab.write("inputs", inputs)
    lab.write("baseline", inputs.drop(columns=["at", "id"]))
    lab.write("truth", pd.DataFrame({"id": ids, "true": 1, "known": NOW}))
    roles = {"timestamp": "at", "correlation_id": "id", "prediction": "said", "score": "score"}
    data = {"production_data": lab.data("inputs", WINDOW, **roles)}
    reference = {"reference_data": lab.data("baseline", prediction="said", score="score")}
    truth = {"reference_data": lab.data("truth", correlation_id="id", actual="true", timestamp="known")}
    quality = {**QUALITY, "dataset": {"row_count": 10, "duplicate_rate": 0, "freshness_seconds": 7200}}
    coverage = {"ground_truth_coverage": 0.5, "orphan_ground_truth_rate": 0.5}
    monitor = lab.monitor(
        drift={"type": "data_drift", **data, **reference},
        predictions={"type": "prediction_drift", **data, **reference},
        quality={"type": "data_quality", **data, **reference, "metric_thresholds": quality},
        performance={"type": "model_performance", **data, **truth,
                     "metric_thresholds": {"classification": {"accuracy": 0.5}, "coverage": coverage}},
    )  # fmt: skip
    first = lab.evaluate(monitor, store=store)
    second = lab.evaluate(monitor, store=store)
    # The baseline twice, production, the repeated ids, and the join of predictions with labels; then the ids alone.
    assert (first.run.spark_jobs, second.run.spark_jobs) == (5, 1)
    stored = store.read_runs(monitor="lab")
    assert stored["spark_jobs"].to_pylist() == [1]
    assert second.errors == ()
    assert len(second.rows) > features


# --------------------------------------------------------------------------------------------- windows at once


def test_many_windows_at_once_are_what_they_are_one_by_one(lab):
    times = [NOW + number * DAY for number in range(3)]
    monitor = lab.monitor(**signals(lab))
    for time, evaluation in zip(times, lab.evaluate_all(monitor, times[::-1]), strict=True):
        assert evaluation.run.scheduled_for == time
        assert_same_rows(evaluation, lab.evaluate(monitor, time))


@pytest.mark.parametrize("features", [None, ["x0", "word"]], ids=["all features", "some"])
def test_trailing_baselines_at_once_are_what_they_are_one_after_the_other(lab, tmp_path, features):
    lab.write("history", days(9, seed=8), row_group_size=120)
    keys = {} if features is None else {"features": features}
    monitor = lab.monitor(**signals(lab, "history", BEFORE, **keys))
    times = [NOW + number * DAY for number in range(3)]
    store = Store(tmp_path / "one by one")
    one_by_one = [lab.evaluate(monitor, time, store=store) for time in times]
    at_once = lab.evaluate_all(monitor, times, store=Store(tmp_path / "at once"))
    for one, other in zip(one_by_one, at_once, strict=True):
        assert_same_rows(one, other)
        row = by_name(other)["drift", "x0", PSI]
        assert (row.baseline_end, row.baseline_start) == (row.window_start, row.window_start - 2 * DAY)
        assert row.baseline_row_count == 240


def test_a_big_trailing_baseline_is_sampled_the_same_at_once_and_alone(spark, tmp_path):
    lab = Lab(spark, tmp_path)
    per_day = 15_000
    rows = days(6, per_day)
    for day, part in rows.groupby(rows["at"].dt.date):
        lab.write(f"inputs/date={day}", part)
    monitor = lab.monitor(drift=signals(lab, "inputs", BEFORE)["drift"])
    alone = lab.evaluate(monitor, NOW)
    at_once = lab.evaluate_all(monitor, [NOW, NOW + DAY])
    assert_same_rows(alone, at_once[0])


def test_bins_of_an_empty_first_window_are_not_kept(lab, tmp_path):
    store, monitor = Store(tmp_path / "store"), lab.monitor(**signals(lab, "inputs", BEFORE))
    early = lab.evaluate(monitor, NOW - 20 * DAY, store=store)
    assert {row.status for row in early.rows if row.metric_name != "row_count"} == {Status.NO_DATA}
    assert values(lab.evaluate(monitor, NOW, store=store))["drift", "x0", PSI] > 0


def test_bins_of_a_column_that_was_empty_in_the_first_window_are_not_kept(lab, tmp_path):
    history = days(9, seed=8)
    history["x0"] = history["x0"].where(history["at"] >= NOW - DAY)
    history["word"] = history["word"].where(history["at"] >= NOW - DAY)
    lab.write("history", history)
    store, monitor = Store(tmp_path / "store"), lab.monitor(**signals(lab, "history", BEFORE))
    first = by_name(lab.evaluate(monitor, NOW - DAY, store=store))
    assert first["drift", "x0", "kolmogorov_smirnov_statistic"].reason == "all values are null in the baseline"
    later = values(lab.evaluate(monitor, NOW + 2 * DAY, store=store))
    assert later["drift", "x0", "kolmogorov_smirnov_statistic"] < 0.5
    assert later["quality", "word", "out_of_bounds_rate"] == 0


# ---------------------------------------------------------------------------------------------------- what is kept


def test_what_is_frozen_can_be_read_by_hand(lab, tmp_path):
    store = Store(tmp_path / "store")
    lab.evaluate(lab.monitor(**signals(lab)), store=store)
    bins, baseline = frozen(store), days(10, seed=4)
    assert (bins["x0"].low, bins["x0"].high) == (baseline["x0"].min(), baseline["x0"].max())
    assert bins["few"] == CategoricalBins(bins["few"].value_type, ("0", "1", "2", "3"))
    assert set(bins["word"].categories) == {"a", "b", "new"}


def test_edges_that_the_user_gives_are_exactly_the_comparisons(lab):
    keys = signals(lab, binning={"method": "edges", "edges": [-0.5, 0.25, 1.75]})["drift"]
    row = by_name(lab.evaluate(lab.monitor(drift=keys)))["drift", "x0", PSI]
    assert row.details["edges"] == [-0.5, 0.25, 1.75]
    rows = days(6)
    x = rows["x0"][(rows["at"] >= NOW - DAY) & (rows["at"] < NOW)]
    shares = np.histogram(x, [-np.inf, -0.5, 0.25, 1.75, np.inf])[0] / len(x)
    # By name, the largest term first; the bin of nulls is empty.
    found = sorted(share for _, share, *_ in row.details["contributions"])
    assert found == pytest.approx(sorted([*shares, 0.0]))


def test_a_baseline_of_another_type_in_spark_or_files_is_the_same_baseline(lab):
    table = pa.Table.from_pandas(days(10, seed=4).drop(columns="at"), preserve_index=False)
    keys = signals(lab, reference={"table": "mine"})
    frames = {"mine": lab.spark.createDataFrame(table)}
    assert_same_rows(
        lab.evaluate(lab.monitor(**keys), frames=frames),
        lab.evaluate(lab.monitor(**signals(lab))),
        ["config_hash", "baseline_dataset"],
    )
