"""Feature attribution drift, on data whose importances are known."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import ndcg_score

from engine.results import Status
from engine.store import Store
from tests.engine.known_importances import DAY, FEATURES, rows_of
from tests.engine.labs import NOW, Lab, assert_same_rows, by_name

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from engine.results import MetricRow

NDCG = "normalized_discounted_cumulative_gain"


@pytest.fixture
def lab(spark: SparkSession, tmp_path: Path) -> Lab:
    return Lab(spark, tmp_path)


def drift(lab: Lab, target: str, said: str, **keys: Any) -> Mapping[str, Any]:
    return {
        "type": "feature_attribution_drift",
        "production_data": lab.data("production", timestamp="at", prediction=said),
        "reference_data": lab.data("training", target_column=target),
        **keys,
    }


def ndcg(lab: Lab, target: str, said: str, **keys: Any) -> MetricRow:
    evaluation = lab.evaluate(lab.monitor(attribution=drift(lab, target, said, **keys)))
    return by_name(evaluation)["attribution", "dataset", NDCG]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("target", "said"), [("minutes", "minutes"), ("late", "chance")])
def test_where_nothing_changed_the_order_is_the_same(lab: Lab, target: str, said: str, seed: int) -> None:
    lab.write("training", rows_of(2000, seed)[[*FEATURES, target]])
    lab.write("production", rows_of(2000, 100 + seed)[[*FEATURES, "at", said]])
    row = ndcg(lab, target, said)
    assert row.metric_value is not None
    assert row.metric_value >= 0.99
    assert (row.status, row.threshold_value, row.operator) == (Status.OK, 0.9, "less_than")
    assert (row.row_count, row.baseline_row_count, row.group_dimension) == (2000, 2000, "aggregate")
    assert [each["feature"] for each in sorted(row.details["features"], key=lambda each: each["rank"])[:3]] == [
        "first", "second", "third",
    ]  # fmt: skip


def test_an_important_feature_that_becomes_noise_breaches_and_is_named_first(lab: Lab) -> None:
    production = rows_of(2000, 2)
    production["first"] = np.random.default_rng(0).permutation(production["first"])
    lab.write("training", rows_of(2000, 1)[[*FEATURES, "minutes"]])
    lab.write("production", production[[*FEATURES, "at", "minutes"]])
    row = ndcg(lab, "minutes", "minutes")
    assert row.metric_value is not None
    assert row.metric_value < 0.9
    assert row.status is Status.BREACHED
    moved = row.details["features"][0]
    assert (moved["feature"], moved["baseline_rank"]) == ("first", 1)
    assert moved["importance"] < 0.01 < 0.5 < moved["baseline_importance"]


def test_inputs_and_outputs_are_joined_and_so_the_same_as_one_dataset(lab: Lab) -> None:
    production = rows_of(600, 3)
    lab.write("training", rows_of(600, 1)[[*FEATURES, "late", "minutes"]])
    lab.write("production", production[[*FEATURES, "at", "chance"]])
    lab.write("inputs", production[["id", *FEATURES, "at"]])
    # Another output is no input of the model, though both sides have it.
    lab.write("outputs", production[["id", "chance", "minutes"]].sample(frac=1, random_state=0))
    apart = drift(
        lab,
        "late",
        "chance",
        production_data=[
            lab.data("inputs", timestamp="at", correlation_id="id"),
            {**lab.data("outputs", correlation_id="id", prediction="chance"), "data_context": "model_outputs"},
        ],
    )
    found = by_name(lab.evaluate(lab.monitor(apart=apart, together=drift(lab, "late", "chance"))))
    one, other = (found[name, "dataset", NDCG] for name in ("apart", "together"))
    assert one.metric_value == other.metric_value is not None
    assert one.details == other.details
    assert one.details["left_out"] == ["minutes"]


# --------------------------------------------------------------------------------------------------- attributions


def attributed(n: int, seed: int, *sizes: float) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    data = pd.DataFrame(
        {f"{name}_shap": size * random.standard_normal(n) for name, size in zip("abc", sizes, strict=True)}
    )
    data.iloc[::7, 0] = np.nan
    data["at"] = pd.date_range(NOW - DAY, NOW, n + 1)[:n].astype("datetime64[us, UTC]")
    return data.assign(a=1.0, b="x", c=range(n))


def test_columns_with_attributions_are_taken_at_their_word(lab: Lab) -> None:
    before, now = attributed(500, 1, 3, 2, 1), attributed(400, 2, 1, 2, 3)
    lab.write("training", before)
    lab.write("production", now)
    lab.write("production", now.assign(at=now["at"] - DAY, a_shap=1e6))
    written = {"a": "a_shap", "b": "b_shap", "c": "c_shap"}
    production = lab.data("production", timestamp="at", attributions=written)
    signal = {
        "type": "feature_attribution_drift",
        "production_data": production,
        "reference_data": lab.data("training", attributions="*_shap"),
        "metric_thresholds": {NDCG: 0.95},
    }
    quality = {"type": "data_quality", "production_data": lab.data("production", timestamp="at")}
    evaluation = lab.evaluate(lab.monitor(attribution=signal, quality=quality))
    row = by_name(evaluation)["attribution", "dataset", NDCG]
    means = [[float(side[f"{name}_shap"].abs().mean()) for name in "abc"] for side in (before, now)]
    assert row.metric_value == pytest.approx(ndcg_score([means[0]], [means[1]]), rel=1e-12)
    assert row.status is Status.BREACHED
    shares = {each["feature"]: each["importance"] for each in row.details["features"]}
    assert shares == pytest.approx({name: mean / sum(means[1]) for name, mean in zip("abc", means[1], strict=True)})
    assert (row.row_count, row.details["method"]) == (400, "attributions")
    assert {each.group for each in evaluation.rows if each.signal == "quality"} == {"a", "b", "c"}


def test_attributions_on_one_side_are_compared_with_a_surrogate_on_the_other(lab: Lab) -> None:
    production = rows_of(300, 2)
    for name, weight in (("first", 1.0), ("third", 0.4)):
        production[f"why_{name}"] = weight * production[name]
    lab.write("training", rows_of(600, 1)[[*FEATURES, "minutes"]])
    lab.write("production", production[[*FEATURES, "why_first", "why_third", "at"]])
    block = lab.data("production", timestamp="at", attributions="why_*")
    row = ndcg(lab, "minutes", "minutes", production_data=block)
    assert row.metric_value == 1
    assert {each["feature"] for each in row.details["features"]} == {"first", "third"}
    assert (row.details["method"], row.details["baseline_method"]) == ("attributions", "surrogate")
    assert set(row.details["left_out"]) == {"second", "fourth", "noise", "code"}


# -------------------------------------------------------------------------------------------------------- trouble


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({"minutes": 3.0}, Status.UNDEFINED, "production: the target 'minutes': it has the same value in all rows"),
        ({"minutes": None}, Status.UNDEFINED, "production: the target 'minutes': it has no value in any row"),
        ({"at": pd.Timestamp("2020-01-01", tz="UTC")}, Status.NO_DATA, "rows"),
    ],
)
def test_a_target_that_cannot_be_explained_is_a_row_with_a_reason(
    lab: Lab, change: dict[str, Any], status: Status, reason: str
) -> None:
    lab.write("training", rows_of(200, 1)[[*FEATURES, "minutes"]])
    lab.write("production", rows_of(200, 2)[[*FEATURES, "at", "minutes"]].assign(**change))
    row = ndcg(lab, "minutes", "minutes")
    assert (row.status, row.metric_value) == (status, None)
    assert reason in (row.reason or "")


def test_trouble_is_its_signals_alone(lab: Lab) -> None:
    lab.write("training", rows_of(40, 1)[[*FEATURES, "minutes"]].assign(flat=1))
    lab.write("production", rows_of(40, 2)[[*FEATURES, "at", "minutes"]].assign(flat=1))
    quality = {"type": "data_quality", "production_data": lab.data("production", timestamp="at")}
    evaluation = lab.evaluate(
        lab.monitor(
            absent=drift(lab, "minutess", "minutes"),
            few=drift(lab, "minutes", "minutes"),
            unknown=drift(lab, "minutes", "minutes", features=["first", "furst"]),
            quality={**quality, "reference_data": lab.data("training")},
        )
    )
    found = by_name(evaluation)
    reasons = {name: found[name, "dataset", NDCG].reason or "" for name in ("absent", "few", "unknown")}
    assert "no column 'minutess' (its target); did you mean 'minutes'" in reasons["absent"]
    assert "it is known in 40 rows, and a surrogate needs 50" in reasons["few"]
    assert "'furst'" in reasons["unknown"]
    assert found["quality", "first", "null_value_rate"].status is Status.OK


# ------------------------------------------------------------------------------------------------------- keeping


def test_a_backfill_is_equal_to_runs_one_by_one_and_the_baseline_is_learnt_once(lab: Lab, tmp_path: Path) -> None:
    lab.write("training", rows_of(300, 1)[[*FEATURES, "minutes"]])
    lab.write("production", rows_of(400, 2, days=2)[[*FEATURES, "at", "minutes"]])
    monitor = lab.monitor(attribution=drift(lab, "minutes", "minutes"))
    store = Store(tmp_path / "store")
    both = lab.evaluate_all(monitor, [NOW - DAY, NOW], store)
    alone = [lab.evaluate(monitor, each.run.scheduled_for) for each in both]
    for together, one in zip(both, alone, strict=True):
        assert_same_rows(together, one)
    again = lab.evaluate(monitor, NOW, store=store)
    assert_same_rows(both[1], again)
    jobs, jobs_with_baseline = again.run.spark_jobs, alone[1].run.spark_jobs
    assert jobs is not None
    assert jobs_with_baseline is not None
    assert jobs * 2 <= jobs_with_baseline + 1  # production's own forest, and none for the baseline
