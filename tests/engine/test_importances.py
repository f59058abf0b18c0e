"""Features by their importance: the top N are watched, and rows say how much their feature matters."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import yaml
from deltalake import DeltaTable
from sklearn.ensemble import RandomForestRegressor
from sklearn.inspection import permutation_importance

from engine.monitor import Monitor
from engine.results import Status
from engine.run import Due, evaluate_together
from engine.store import Store
from tests.engine.known_importances import FEATURES, WEIGHTS, rows_of
from tests.engine.labs import NOW, Lab, assert_same_rows, by_name

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from engine.run import Evaluation

ROOT = Path(__file__).parent.parent.parent
MEANT = [name for name, weight in WEIGHTS.items() if weight]


@pytest.fixture
def lab(spark: SparkSession, tmp_path: Path) -> Lab:
    return Lab(spark, tmp_path)


def quality(lab: Lab, target: str | None, **keys: Any) -> Mapping[str, Any]:
    roles = {} if target is None else {"target_column": target}
    return {
        "type": "data_quality",
        "production_data": lab.data("production", timestamp="at"),
        "reference_data": lab.data("training", **roles),
        "metric_thresholds": {kind: {"null_value_rate": 0.5} for kind in ("numerical", "categorical")},
        **keys,
    }


def write(lab: Lab, training: pd.DataFrame, production: pd.DataFrame | None = None) -> None:
    lab.write("training", training)
    lab.write("production", (rows_of(200, 9) if production is None else production)[[*FEATURES, "at"]])


def importances(evaluation: Evaluation, signal: str) -> dict[str, float | None]:
    return {row.group: row.feature_importance for row in evaluation.rows if row.signal == signal}


def test_the_most_important_features_are_watched_and_every_row_says_how_much_its_feature_matters(
    lab: Lab, tmp_path: Path
) -> None:
    data = rows_of(2000, 1)[[*FEATURES, "minutes"]]
    write(lab, data)
    store = Store(tmp_path / "store")
    monitor = lab.monitor(
        top=quality(lab, "minutes", features={"top_n_feature_importance": 3}),
        all=quality(lab, "minutes", features={"top_n_feature_importance": 99}),
        listed=quality(lab, "minutes", features=["noise", "second"]),
        unasked=quality(lab, "minutes", feature_importance=False),
    )
    found = lab.evaluate(monitor, store=store)
    assert set(importances(found, "top")) == {"first", "second", "third"}
    every = {name: share for name, share in importances(found, "all").items() if share is not None}
    assert set(every) == set(FEATURES)
    assert sum(every.values()) == pytest.approx(1)
    assert importances(found, "listed") == {name: every[name] for name in ("noise", "second")}
    assert importances(found, "unasked") == dict.fromkeys(FEATURES)

    # The same order as scikit-learn's, and about the same shares.
    oracle = RandomForestRegressor(50, max_depth=6, max_features=1 / 3, random_state=0).fit(
        data[MEANT][::2], data["minutes"][::2]
    )
    held_out = permutation_importance(oracle, data[MEANT][1::2], data["minutes"][1::2], n_repeats=5, random_state=0)
    expected = dict(zip(MEANT, held_out.importances_mean / held_out.importances_mean.sum(), strict=True))
    assert sorted(MEANT, key=every.__getitem__) == sorted(MEANT, key=expected.__getitem__)
    assert {name: every[name] for name in MEANT} == pytest.approx(expected, abs=0.08)
    assert max(every["noise"], every["code"]) < 0.01

    # Kept: what is written is what the rows say, and the second run reads and learns nothing.
    kept = DeltaTable(str(tmp_path / "store" / "importances")).to_pandas().set_index("feature")
    assert kept["importance"].to_dict() == pytest.approx(every)
    assert kept.loc["first", ["rank", "rows", "target", "method"]].tolist() == [1, 2000, "minutes", "surrogate"]
    again = lab.evaluate(monitor, store=store)
    assert importances(again, "top") == importances(found, "top")
    assert again.run.spark_jobs == 0


def test_what_only_the_training_data_have_is_told_and_is_nothing_to_learn_from(lab: Lab) -> None:
    data = rows_of(300, 1)[[*FEATURES, "minutes"]]
    write(lab, data.assign(said=data["minutes"] + 0.01), rows_of(200, 9).assign(code="c1"))
    found = lab.evaluate(lab.monitor(top=quality(lab, "minutes", features={"top_n_feature_importance": 1})))
    rows = {row.group: row for row in found.rows}
    assert set(rows) == {"first", "said"}
    assert rows["first"].feature_importance is not None
    assert (rows["said"].status, rows["said"].feature_importance) == (Status.ERROR, None)


def test_a_spark_connect_session_comes_to_the_same(lab: Lab, connect_url: str, tmp_path: Path) -> None:
    write(lab, rows_of(300, 1)[[*FEATURES, "late"]])
    production = lab.data(str(tmp_path / "production"), timestamp="at", prediction="fourth")
    training = lab.data(str(tmp_path / "training"), target_column="late")
    signals = {
        "top": {"type": "data_drift", "features": {"top_n_feature_importance": 2}},
        "attribution": {"type": "feature_attribution_drift"},
    }
    written = {
        "name": "remote",
        "trigger": {"type": "recurrence", "frequency": "day", "interval": 1},
        "create_monitor": {
            "monitoring_signals": {
                name: {**keys, "production_data": production, "reference_data": training}
                for name, keys in signals.items()
            }
        },
    }
    path, output = tmp_path / "remote.yaml", tmp_path / "evaluation"
    path.write_text(yaml.safe_dump(written))
    client = [sys.executable, "-m", "tests.engine.connect_client", connect_url, path, NOW.isoformat(), output]
    done = subprocess.run(client, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    remote = pickle.loads(output.read_bytes())
    assert_same_rows(remote, lab.evaluate(Monitor.from_yaml(path)))
    assert len([row for row in remote.rows if row.feature_importance is not None]) == 2


def test_importances_are_learnt_again_when_the_baseline_changed_or_on_refresh(lab: Lab, tmp_path: Path) -> None:
    write(lab, rows_of(200, 1)[[*FEATURES, "minutes"]])
    store = Store(tmp_path / "store")
    monitor = lab.monitor(quality=quality(lab, "minutes"))

    def version() -> int:
        return DeltaTable(str(tmp_path / "store" / "importances")).version()

    one = lab.evaluate(monitor, store=store)
    first = version()
    lab.evaluate(monitor, store=store)
    assert version() == first
    evaluate_together(lab.spark, [Due(monitor, (NOW,))], store=store, refresh=True)
    refreshed = version()
    assert refreshed > first
    assert importances(lab.evaluate(monitor, store=store), "quality") == importances(one, "quality")
    lab.write("training", rows_of(200, 5)[[*FEATURES, "minutes"]])
    changed = lab.evaluate(monitor, store=store)
    assert version() > refreshed
    assert importances(changed, "quality") != importances(one, "quality")
    assert DeltaTable(str(tmp_path / "store" / "importances")).to_pandas()["feature"].is_unique


def test_a_table_has_the_importances_of_the_same_rows_in_files(lab: Lab) -> None:
    data = rows_of(400, 1)[[*FEATURES, "late"]]
    write(lab, data)
    dealt = lab.spark.createDataFrame(data.sample(frac=1, random_state=1)).repartition(5)
    table = {**quality(lab, None), "reference_data": lab.data({"table": "training"}, target_column="late")}
    monitor = lab.monitor(files=quality(lab, "late"), table=table)
    found = lab.evaluate(monitor, frames={"training": dealt})
    assert importances(found, "files") == importances(found, "table")
    assert None not in importances(found, "files").values()


def test_without_a_target_the_signal_says_what_is_missing_and_the_others_arrive(lab: Lab) -> None:
    noise = np.random.default_rng(3).standard_normal(100)
    write(lab, rows_of(100, 1)[[*FEATURES, "minutes"]].assign(flat=1, chance=noise))
    evaluation = lab.evaluate(
        lab.monitor(
            random=quality(lab, "chance", features={"top_n_feature_importance": 2}),
            nameless=quality(lab, None, features={"top_n_feature_importance": 2}),
            every=quality(lab, None, features={"top_n_feature_importance": 20}),
            constant=quality(lab, "flat", features={"top_n_feature_importance": 2}),
            absent=quality(lab, "gone", features=["first"]),
        )
    )
    found = by_name(evaluation)
    row = found["nameless", "dataset", "null_value_rate"]
    assert row.status is Status.ERROR
    assert "reference_data.data_column_names.target_column" in (row.reason or "")
    assert "the target 'flat': it has the same value" in (found["constant", "dataset", "null_value_rate"].reason or "")
    # Who would watch more features than there are watches all of them, as in Azure's example without a target.
    assert {group for signal, group, _ in found if signal == "every"} == {*FEATURES, "minutes"}
    assert found["every", "first", "null_value_rate"].status is Status.OK
    assert "no feature explains anything of the target 'chance'" in (
        found["random", "dataset", "null_value_rate"].reason or ""
    )
    # Who only wants to know how much a feature matters still learns how it is.
    row = found["absent", "first", "null_value_rate"]
    assert (row.status, row.feature_importance) == (Status.OK, None)
    assert any("absent: no feature's importance is known" in note for note in evaluation.run.notes)


def test_features_of_every_kind_and_state_are_learnt_from(lab: Lab) -> None:
    n, random = 400, np.random.default_rng(0)
    days = random.integers(0, 10_000, n)
    inf, nan = float("inf"), float("nan")
    target = days / 10_000 + random.standard_normal(n) / 20
    columns: dict[str, Any] = {
        "day": pa.array(days, pa.int32()).cast(pa.date32()),
        "moment": pa.array(random.integers(0, 10**15, n), pa.timestamp("us", "UTC")),
        "nothing": pa.nulls(n, pa.string()),
        "no_number": pa.nulls(n, pa.float64()),
        "constant": pa.array([7] * n),
        "flag": pa.array(random.random(n) < 0.5),
        "huge": pa.array([2**62 + int(each) for each in random.integers(0, 1000, n)]),
        "ends": pa.array(random.choice([inf, -inf, nan, 0.0], n)),
        "free.text": pa.array([f"line {number}, and so on" for number in range(n)]),
        "nested": pa.array([[1.0]] * n),
        "target": pa.array([None if number % 10 == 0 else value for number, value in enumerate(target)]),
    }
    lab.write("training", pa.table(columns))
    lab.write("production", pa.table({**columns, "at": pa.array([datetime(2024, 3, 9, 12, tzinfo=UTC)] * n)}))
    evaluation = lab.evaluate(lab.monitor(quality=quality(lab, "target")))
    found = importances(evaluation, "quality")
    assert set(found) == set(columns) - {"nested", "target"}
    assert found["day"] is not None
    assert found["day"] > 0.9
    assert found["constant"] == found["nothing"] == found["no_number"] == 0
