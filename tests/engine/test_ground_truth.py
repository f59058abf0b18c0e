"""Labels reach their predictions as pandas would join them: nothing is lost, nothing is multiplied, all is counted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sklearn

from engine.errors import DataError
from engine.results import Status
from signals.catalogue import Family, metrics_of
from tests.engine.labs import Lab, assert_same_rows, by_name, values

NOW = datetime(2024, 3, 10, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TIMES = [NOW - DAY, NOW, NOW + DAY]
TWO_DAYS = {"lookback_window_size": "P2D", "lookback_window_offset": "P0D"}
ONE_DAY = {"lookback_window_size": "P1D", "lookback_window_offset": "P0D"}
DELAYS = {"ever": None, "soon": timedelta(hours=6)}
CLASSIFICATION = ["accuracy", "precision", "recall", "f1", "auc", "log_loss"]
REGRESSION = ["mae", "rmse", "mean_error", "mase"]
COVERAGE = [metric.name for metric in metrics_of(Family.COVERAGE)]


def predictions(n=400) -> pd.DataFrame:
    """Five days of predictions; some ids twice, some rows without an id."""
    random = np.random.default_rng(5)
    at = [NOW - 3 * DAY + timedelta(seconds=int(second)) for second in random.integers(0, 5 * 86_400, n)]
    ids: list[str | None] = [f"id {number}" for number in range(n)]
    ids[10:20] = ids[:10]
    ids[20:25] = [None] * 5
    score = random.random(n).round(3)
    return pd.DataFrame({
        "at": at, "id": ids, "score": score, "said": (score > 0.5).astype(int), "minutes": random.normal(10, 5, n),
        "x": random.normal(size=n),
    })  # fmt: skip


def labels() -> pd.DataFrame:
    """Labels of most predictions, at most a week late: some several times, some in part, some of nobody."""
    random = np.random.default_rng(6)
    sure = predictions()
    known = sure[sure["id"].notna() & (random.random(len(sure)) < 0.85)]
    again = known.sample(frac=0.4, random_state=1)
    both = pd.concat([known, again], ignore_index=True)
    n = len(both)
    late = [at + timedelta(seconds=int(second)) for at, second in
            zip(both["at"], random.exponential(12 * 3_600, n).clip(0, 6 * 86_400), strict=True)]  # fmt: skip
    truth = pd.DataFrame({
        "key": both["id"], "known at": late,
        "true": np.where(random.random(n) < 0.1, np.nan, (random.random(n) < both["score"]) * 1.0),
        "delay": np.where(random.random(n) < 0.1, np.nan, both["minutes"] + random.normal(0, 3, n)),
    })  # fmt: skip
    nobody = pd.DataFrame({
        "key": [f"nobody {number}" for number in range(40)], "true": 1.0, "delay": 5.0,
        "known at": [NOW - 3 * DAY + timedelta(hours=3 * number) for number in range(40)],
    })  # fmt: skip
    nameless = pd.DataFrame({"key": [None] * 7, "true": 1.0, "delay": 5.0, "known at": [NOW - HOUR] * 7})
    return pd.concat([truth, nobody, nameless], ignore_index=True).sample(frac=1, random_state=2)


def joined(start, end, actual, delay) -> pd.DataFrame:
    """The window's predictions beside the label that counts, as pandas joins them."""
    rows, truth = predictions(), labels().dropna(subset=["key", actual])
    rows = rows[(rows["at"] >= start) & (rows["at"] < end)]
    every = truth.groupby("key").size().rename("every")
    if delay is not None:
        truth = truth[truth["known at"] <= end + delay]
    counting = truth.groupby("key").size().rename("counting")
    latest = truth.sort_values(["known at", actual]).drop_duplicates("key", keep="last").set_index("key")[actual]
    return rows.join(latest, on="id").join(counting, on="id").join(every, on="id")


def orphans(start, end, actual) -> int:
    truth = labels().dropna(subset=["key", actual]).sort_values("known at").drop_duplicates("key", keep="last")
    known = truth["known at"]
    return int((~truth["key"].isin(predictions()["id"]) & (known >= start) & (known < end)).sum())


def expected(start, end, kind, delay) -> dict[str, float]:
    actual = "true" if kind == "classification" else "delay"
    rows = joined(start, end, actual, delay)
    done = rows.dropna(subset=[actual])
    truth_rows = rows["counting"].fillna(0)
    lost = orphans(start, end, actual)
    found = {
        "ground_truth_coverage": len(done) / len(rows),
        "orphan_ground_truth_rate": lost / (lost + (truth_rows > 0).sum()),
        "duplicate_ground_truth_rate": (truth_rows - 1).clip(0).sum() / (truth_rows.sum() + lost),
    }
    if kind == "classification":
        y, said, score = done["true"], done["said"], done["score"]
        return found | {
            "accuracy": sklearn.accuracy_score(y, said),
            "precision": sklearn.precision_score(y, said),
            "recall": sklearn.recall_score(y, said),
            "f1": sklearn.f1_score(y, said),
            "auc": sklearn.roc_auc_score(y, score),
            "log_loss": sklearn.log_loss(y, score),
        }
    y, said = done["delay"], done["minutes"]
    ordered = done.sort_values(["at", "id"])
    naive = ordered["delay"].groupby(ordered["at"].dt.date).diff().abs().mean()
    return found | {
        "mean_absolute_error": sklearn.mean_absolute_error(y, said),
        "root_mean_squared_error": sklearn.root_mean_squared_error(y, said),
        "mean_error": (said - y).mean(),
        "mase": sklearn.mean_absolute_error(y, said) / naive,
    }


def signal(lab: Lab, kind="classification", delay=None, window=TWO_DAYS, **changes) -> dict:
    """A performance signal with all metrics of its kind and of coverage, not judged."""
    actual, prediction = ("true", "said") if kind == "classification" else ("delay", "minutes")
    score = "score" if kind == "classification" else None
    truth = {"max_delay": f"PT{int(delay.total_seconds())}S"} if delay is not None else {}
    metrics = CLASSIFICATION if kind == "classification" else REGRESSION
    return {
        "type": "model_performance",
        "production_data": lab.data(
            "predictions", window, timestamp="at", correlation_id="id", prediction=prediction, score=score
        ),
        "reference_data": lab.data("truth", timestamp="known at", correlation_id="key", actual=actual),
        "ground_truth": truth,
        "metric_thresholds": {kind: dict.fromkeys(metrics), "coverage": dict.fromkeys(COVERAGE)},
        **changes,
    }


@pytest.fixture(scope="module")
def lab(spark, tmp_path_factory) -> Lab:
    lab = Lab(spark, tmp_path_factory.mktemp("truth"))
    lab.write("predictions", predictions(), row_group_size=60)
    lab.write("truth", labels(), row_group_size=60)
    return lab


@pytest.fixture(scope="module")
def together(lab):
    """Both models at three delays over three overlapping windows, in one go."""
    signals = {
        f"{kind}_{name}": signal(lab, kind, delay)
        for name, delay in DELAYS.items()
        for kind in ("classification", "regression")
    }
    monitor = lab.monitor(**signals)
    return monitor, dict(zip(TIMES, lab.evaluate_all(monitor, TIMES), strict=True))


@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize("kind", ["classification", "regression"])
@pytest.mark.parametrize("time", TIMES, ids=lambda time: f"{time:%m-%d}")
def test_performance_is_that_of_the_rows_as_pandas_joins_them(together, kind, delay, time):
    _, evaluations = together
    found = {
        metric: value for (name, _, metric), value in values(evaluations[time]).items() if name == f"{kind}_{delay}"
    }
    wanted = expected(time - 2 * DAY, time, kind, DELAYS[delay])
    assert set(found) == set(wanted)
    for metric, value in wanted.items():
        tolerance = {"auc": 0.001, "log_loss": 0.001}.get(metric, 1e-9)
        assert found[metric] == pytest.approx(value, abs=tolerance), metric


def test_rows_say_how_much_of_their_window_is_labelled(together):
    _, evaluations = together
    rows = by_name(evaluations[NOW])
    of_window = joined(NOW - 2 * DAY, NOW, "true", DELAYS["soon"])
    row = rows["classification_soon", "said", "accuracy"]
    assert row.details["ground_truth_coverage"] == of_window["true"].notna().mean()
    assert row.details["unlabelled"] == of_window["true"].isna().sum()
    coverage = rows["classification_soon", "said", "ground_truth_coverage"]
    assert coverage.row_count == len(of_window)
    assert coverage.details["late"] == (of_window["every"].notna() & of_window["counting"].isna()).sum() > 0


def test_several_windows_in_one_go_are_what_they_are_one_by_one(lab, together):
    monitor, evaluations = together
    for time in TIMES[::2]:
        assert_same_rows(lab.evaluate(monitor, time), evaluations[time])


def test_two_signals_that_share_a_join_are_what_they_are_alone(lab, together):
    _, evaluations = together
    for kind in ("classification", "regression"):
        name = f"{kind}_soon"
        alone = lab.evaluate(lab.monitor(**{name: signal(lab, kind, DELAYS["soon"])}))
        shared = tuple(row for row in evaluations[NOW].rows if row.signal == name)
        assert_same_rows(alone, replace(evaluations[NOW], rows=shared), ignore=["config_hash"])


def test_signals_over_the_same_data_share_one_join(lab):
    one = lab.evaluate(lab.monitor(a=signal(lab)))
    two = lab.evaluate(lab.monitor(a=signal(lab), b=signal(lab, "regression")))
    assert two.run.spark_jobs == one.run.spark_jobs


# --------------------------------------------------------------------------------------------------- small cases


def small(spark, tmp_path, inputs: dict, truth: dict | None, **changes) -> dict:
    """The values of one day of a handful of rows; every row is an hour after the one before."""
    lab = Lab(spark, tmp_path)
    rows = len(next(iter(inputs.values())))
    lab.write("predictions", pd.DataFrame({"at": [NOW - DAY + n * HOUR for n in range(rows)], **inputs}))
    if truth is not None:
        lab.write("truth", pd.DataFrame(truth))
    roles = {"timestamp": "at", "correlation_id": "id", "prediction": "said", "score": None}
    keys = {
        "type": "model_performance",
        "production_data": lab.data("predictions", ONE_DAY, **roles),
        "reference_data": lab.data("truth", correlation_id="id", actual="true"),
        "metric_thresholds": {"classification": {"accuracy": 0.5}, "coverage": {"ground_truth_coverage": None}},
        **changes,
    }
    evaluation = lab.evaluate(lab.monitor(p={name: value for name, value in keys.items() if value is not None}))
    return {row.metric_name: row for row in evaluation.rows}


@pytest.mark.parametrize(
    ("production", "truth"),
    [
        ([1, 2, 3], ["1", "2", "3"]),
        (["1", "2", "3"], [1, 2, 3]),
        ([1, 2, 3], [1.0, 2.0, 3.0]),
        (np.array([1, 2, 3], np.int8), np.array([1, 2, 3], np.uint64)),
        ([2**62 + 1, 2, 3], [str(2**62 + 1), "2", "3"]),
    ],
    ids=["int and text", "text and int", "int and double", "int8 and uint64", "beyond 2^53"],
)
def test_ids_of_different_types_find_each_other(spark, tmp_path, production, truth):
    rows = small(spark, tmp_path, {"id": production, "said": [1, 0, 1]}, {"id": truth, "true": [1, 0, 0]})
    assert rows["ground_truth_coverage"].metric_value == 1
    assert rows["accuracy"].metric_value == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("said", "true"),
    [
        ([1, 0, 1], [True, False, False]),
        ([True, False, True], [1, 0, 0]),
        ([1.0, 0.0, 1.0], ["1", "0", "0"]),
        (["yes", "no", "yes"], ["yes", "no", "no"]),
        ([1, 0, 1], [1.0, 0.0, 0.0]),
    ],
)
def test_labels_of_different_types_are_compared_by_what_they_say(spark, tmp_path, said, true):
    rows = small(spark, tmp_path, {"id": [1, 2, 3], "said": said}, {"id": [1, 2, 3], "true": true})
    assert rows["accuracy"].metric_value == pytest.approx(2 / 3)


def test_repeated_predictions_are_each_compared_once(spark, tmp_path):
    inputs = {"id": ["a", "a", "b"], "said": [1, 0, 1]}
    rows = small(spark, tmp_path, inputs, {"id": ["a", "a", "b"], "true": [1, 1, 1]})
    assert rows["accuracy"].row_count == 3
    assert rows["accuracy"].metric_value == pytest.approx(2 / 3)


def test_rows_that_already_carry_their_label_need_no_join(spark, tmp_path):
    inputs = {"id": [1, 2, 3], "said": [1, 0, 1], "true": [1.0, 1.0, None]}
    lab = Lab(spark, tmp_path)
    roles = {"timestamp": "at", "prediction": "said", "actual": "true"}
    rows = small(
        spark, tmp_path, inputs, None,
        production_data=lab.data("predictions", ONE_DAY, **roles), reference_data=None,
    )  # fmt: skip
    assert rows["accuracy"].metric_value == 0.5
    assert rows["ground_truth_coverage"].metric_value == pytest.approx(2 / 3)


def test_inputs_and_outputs_may_be_two_datasets(spark, tmp_path, lab):
    every = predictions()
    split = Lab(spark, tmp_path)
    split.write("inputs", every[["at", "id", "x"]])
    split.write("outputs", every[["id", "said", "score"]].dropna(subset=["id"]).drop_duplicates("id"))
    split.write("truth", labels())
    keys = signal(split)
    keys["production_data"] = [
        split.data("inputs", TWO_DAYS, timestamp="at", correlation_id="id"),
        split.data("outputs", TWO_DAYS, correlation_id="id", prediction="said", score="score"),
    ]
    found = {row.metric_name: row for row in split.evaluate(split.monitor(p=keys)).rows}
    rows = joined(NOW - 2 * DAY, NOW, "true", None)
    said = rows["id"].map(every.dropna(subset=["id"]).drop_duplicates("id").set_index("id")["said"])
    done = rows["true"].notna()
    assert found["ground_truth_coverage"].metric_value == done.mean()
    assert found["ground_truth_coverage"].row_count == len(rows)
    assert found["accuracy"].metric_value == pytest.approx((said == rows["true"])[done].mean())


@pytest.mark.parametrize(
    ("below", "status", "value"),
    [("insufficient_data", Status.INSUFFICIENT_DATA, None), ("provisional", Status.OK, 1.0)],
)
def test_too_few_labels_are_said_and_judged_as_the_definition_wants(spark, tmp_path, below, status, value):
    rules = {"min_coverage": 0.8, "below_coverage": below}
    inputs = {"id": [1, 2, 3], "said": [1, 0, 1]}
    rows = small(spark, tmp_path, inputs, {"id": [1], "true": [1]}, ground_truth=rules)
    row = rows["accuracy"]
    assert (row.status, row.metric_value) == (status, value)
    assert row.reason == "33.3% of 3 rows are labelled, less than min_coverage = 0.8"
    assert row.details.get("provisional", False) is (below == "provisional")
    assert rows["ground_truth_coverage"].metric_value == pytest.approx(1 / 3)


def test_no_labels_at_all_leave_performance_without_a_value(spark, tmp_path):
    rows = small(spark, tmp_path, {"id": [1, 2], "said": [1, 0]}, {"id": [7], "true": [1]})
    assert rows["accuracy"].metric_value is None
    assert rows["accuracy"].status in (Status.NO_DATA, Status.INSUFFICIENT_DATA, Status.UNDEFINED)
    assert rows["ground_truth_coverage"].metric_value == 0


# ------------------------------------------------------------------------------------------------------- trouble


def drift(lab: Lab) -> dict:
    data = lab.data("predictions", ONE_DAY, timestamp="at", correlation_id="id")
    return {"type": "data_drift", "production_data": data, "reference_data": lab.data("baseline"), "features": ["x"]}


def test_a_broken_ground_truth_is_an_error_of_performance_only(spark, tmp_path):
    lab = Lab(spark, tmp_path)
    lab.write("predictions", predictions())
    lab.write("baseline", predictions()[["x"]])
    lab.write("truth", labels())
    (tmp_path / "truth" / "broken labels.parquet").write_bytes(b"PAR1 no parquet PAR1")
    evaluation = lab.evaluate(lab.monitor(drift=drift(lab), performance=signal(lab)))
    statuses = {
        name: {row.status for row in evaluation.rows if row.signal == name} for name in ("drift", "performance")
    }
    assert statuses["performance"] == {Status.ERROR}
    assert statuses["drift"] <= {Status.OK, Status.BREACHED}
    assert len(evaluation.errors) == 1
    assert "broken labels.parquet" in evaluation.errors[0]
    assert {row.metric_name for row in evaluation.rows if row.signal == "performance"} == {
        row.metric_name for row in lab.evaluate(lab.monitor(p=signal(mended(lab)))).rows
    }


def mended(lab: Lab) -> Lab:
    (lab.folder / "truth" / "broken labels.parquet").unlink()
    return lab


@pytest.mark.parametrize(
    ("side", "role", "name", "said"),
    [
        ("production_data", "correlation_id", "idd", r"predictions has no column 'idd'.*did you mean 'id'"),
        ("production_data", "prediction", "sayd", r"'sayd'.*did you mean 'said'"),
        ("reference_data", "actual", "truth", r"truth has no column 'truth'.*did you mean 'true'"),
        ("reference_data", "correlation_id", "keys", r"truth has no column 'keys'.*did you mean 'key'"),
    ],
)
def test_a_column_that_is_not_there_is_a_data_error_with_a_hint(lab, side, role, name, said):
    keys = signal(lab)
    keys[side] = {**keys[side], "data_column_names": {**keys[side]["data_column_names"], role: name}}
    with pytest.raises(DataError, match=said):
        lab.evaluate(lab.monitor(p=keys))
