"""A model whose inputs and outputs Azure's data collector wrote: joined with each other and with the ground truth."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sklearn

from engine.monitor import Monitor
from tests.engine.collected import collect, event, write_events
from tests.engine.labs import NOW, Lab, assert_same_rows, values

DAY = timedelta(days=1)
BATCH = 3
THRESHOLDS = {"classification": {"accuracy": 0.5, "recall": 0.1}, "coverage": {"ground_truth_coverage": 0.1}}


@pytest.fixture
def lab(spark, tmp_path) -> Lab:
    return Lab(spark, tmp_path)


def at(number: int) -> datetime:
    return NOW - 2 * DAY + number // BATCH * timedelta(minutes=10)


def scored(rows: int = 600) -> pd.DataFrame:
    """Two days of rows: what was asked, what the model said, and what was true."""
    random = np.random.default_rng(4)
    frame = pd.DataFrame({"income": random.normal(50, 10, rows).round(2), "region": random.choice(["n", "s"], rows)})
    frame["score"] = (1 / (1 + np.exp((frame["income"] - 50) / 5))).round(3)
    frame["said"] = (frame["score"] > 0.5).astype(int)
    frame["true"] = (random.random(rows) < frame["score"]).astype(int)
    frame["id"] = [f"request-{number // BATCH}_{number % BATCH}" for number in range(rows)]
    frame["at"] = [at(number) for number in range(rows)]
    return frame


def write_collected(lab: Lab, frame: pd.DataFrame, *own: str) -> None:
    """The frame as two collections, of which each row also has the columns `own`."""
    for name, columns in (("model_inputs", ["income", "region"]), ("model_outputs", ["said", "score"])):
        rows = frame[[*columns, *own]].astype(object).to_dict("records")
        collect(lab.folder / "collected" / name, rows, at, batch=BATCH, collection=name)


def performance(production: list[dict] | dict, truth: dict) -> dict:
    return {
        "type": "model_performance", "production_data": production, "reference_data": truth,
        "metric_thresholds": THRESHOLDS,
    }  # fmt: skip


def in_window(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[(frame["at"] >= NOW - DAY) & (frame["at"] < NOW)]


def test_ground_truth_finds_its_predictions_by_the_events_id_and_the_place_in_it(lab):
    frame = scored()
    write_collected(lab, frame)
    known = frame.sample(frac=0.8, random_state=1)
    lab.write("truth", known[["id", "true"]])
    collected = {"path": "collected/model_outputs", "format": "collector"}
    outputs = lab.data(collected, prediction="said", score="score")
    truth = lab.data("truth", correlation_id="id", actual="true")
    found = values(lab.evaluate(lab.monitor(p=performance(outputs, truth))))
    window = in_window(frame)
    done = window[window["id"].isin(known["id"])]
    assert found["p", "said", "accuracy"] == pytest.approx(sklearn.accuracy_score(done["true"], done["said"]))
    assert found["p", "said", "recall"] == pytest.approx(sklearn.recall_score(done["true"], done["said"]))
    assert found["p", "said", "ground_truth_coverage"] == pytest.approx(len(done) / len(window))


def test_a_users_own_id_column_wins(lab):
    frame = scored()
    frame["loan"] = [f"L{number:04}" for number in range(len(frame))]
    write_collected(lab, frame, "loan")
    lab.write("truth", frame[["loan", "true"]])
    outputs = lab.data("collected/model_outputs", prediction="said", correlation_id="loan")
    truth = lab.data("truth", correlation_id="loan", actual="true")
    found = values(lab.evaluate(lab.monitor(p=performance(outputs, truth))))
    window = in_window(frame)
    assert found["p", "said", "accuracy"] == pytest.approx(sklearn.accuracy_score(window["true"], window["said"]))
    assert found["p", "said", "ground_truth_coverage"] == 1


def test_inputs_and_outputs_joined_give_the_rows_of_one_parquet_dataset(lab):
    frame = scored()
    write_collected(lab, frame)
    lab.write("written", frame.drop(columns="true").rename(columns={"id": "correlationid", "at": "time"}))
    lab.write("truth", frame[["id", "true"]])
    lab.write("before", scored(300)[["income", "region"]])
    truth = lab.data("truth", correlation_id="id", actual="true")
    joined = [
        lab.data({"path": "collected/model_inputs", "format": "collector"}),
        lab.data("collected/model_outputs", correlation_id="correlationid", prediction="said", score="score"),
    ]
    joined[1]["input_data"]["joined_within"] = "PT0S"
    written = lab.data("written", correlation_id="correlationid", prediction="said", score="score")
    south = {"filters": [{"dimension_type": "feature", "name": "region", "operator": "equals", "values": ["s"]}]}
    found = []
    for production in (joined, written):
        drift = {"type": "data_drift", "production_data": production, "reference_data": lab.data("before")}
        asked = performance(production, truth)
        monitor = lab.monitor(p=asked, drift=drift, south=asked | south)
        found.append(lab.evaluate(monitor))
    assert_same_rows(*found, ignore=["config_hash", "dataset"])
    window = in_window(frame)
    south_rows = window[window["region"] == "s"]
    accuracy = sklearn.accuracy_score(south_rows["true"], south_rows["said"])
    assert values(found[0])["south", "said", "accuracy"] == pytest.approx(accuracy)
    assert {row.group for row in found[0].rows if row.signal == "drift"} == {"income", "region"}


def test_a_value_of_another_type_is_an_error_in_joined_data_too(lab):
    frame = scored()
    frame["income"] = frame["income"].astype(object).where(frame.index % 7 > 0, "n/a")
    frame["score"] = frame["score"].astype(object).where(frame.index % 5 > 0, "high")
    write_collected(lab, frame)
    lab.write("before", scored(300)[["income", "score", "region"]])
    rates = {"data_type_error_rate": 0.5, "null_value_rate": 0.5}
    keys = {
        "type": "data_quality",
        "reference_data": lab.data("before"),
        "metric_thresholds": {"numerical": rates, "categorical": rates},
    }
    both = [
        lab.data({"path": f"collected/{name}", "format": "collector"}) for name in ("model_inputs", "model_outputs")
    ]
    found = values(lab.evaluate(lab.monitor(both={**keys, "production_data": both, "features": ["income", "score"]})))
    window = in_window(frame)
    for name, text in (("income", "n/a"), ("score", "high")):
        assert found["both", name, "data_type_error_rate"] == pytest.approx((window[name] == text).mean())
        assert found["both", name, "null_value_rate"] == 0


def test_a_model_whose_data_were_collected_is_monitored_out_of_the_box(lab):
    frame = scored()
    write_collected(lab, frame)
    (lab.folder / "models").mkdir()
    (lab.folder / "models" / "credit.yaml").write_text("""
name: credit
endpoint_deployment_ids: [azureml:credit:main]
ml_task: classification
model_inputs: {input_data: {path: ../collected/model_inputs}}
model_outputs: {input_data: {path: ../collected/model_outputs}, data_column_names: {prediction: said, score: score}}
""")
    monitor = Monitor.from_dict(
        {
            "name": "box",
            "trigger": {"type": "recurrence", "frequency": "day", "interval": 1},
            "create_monitor": {"monitoring_target": {"endpoint_deployment_id": "azureml:credit:main"}},
        },
        lab.folder,
    )
    found = lab.evaluate(monitor)
    assert found.run.status == "completed"
    groups = {(row.signal_type, row.group) for row in found.rows}
    assert groups >= {("data_drift", "income"), ("data_drift", "region"), ("prediction_drift", "said")}
    assert {group for kind, group in groups if kind != "prediction_drift"} <= {
        "income",
        "region",
        "said",
        "score",
        "dataset",
    }
    assert not [row for row in found.rows if row.status == "error"]


def test_a_backfill_gives_what_each_day_gives_alone(lab):
    frame = scored(1_200)
    write_collected(lab, frame)
    late = [event(NOW - DAY, [{"income": 1.0, "region": "w"}] * 20, "late")]
    write_events(lab.folder / "collected" / "model_inputs", NOW + 2 * DAY, late)
    lab.write("before", scored(300)[["income", "region"]])
    keys = {"production_data": lab.data("collected/model_inputs"), "reference_data": lab.data("before")}
    monitor = lab.monitor(drift={"type": "data_drift", **keys})
    times = [NOW, NOW + DAY]
    together = lab.evaluate_all(monitor, times)
    for time, one in zip(times, together, strict=True):
        assert_same_rows(lab.evaluate(monitor, time), one)
    assert together[0].rows[0].row_count == 288 * BATCH // 2 + 20
