"""Embeddings and lists from raw rows to results: both feeds, segments, the store, and all that may be wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from scipy.spatial import distance

from engine.carriers import explain
from engine.errors import DefinitionError
from engine.feature_kinds import feature_kinds
from engine.file_feed import Split, read_splits
from engine.judgements import read_judgements
from engine.monitor import Monitor
from engine.rebinning import rebin
from engine.remeasuring import remeasure
from engine.replays import Setting
from engine.store import Store
from engine.verifying import verify
from signals.bins import VectorBins
from signals.catalogue import Kind
from signals.kernel import ScannedColumn, ScanPlan
from signals.verdicts import Status
from tests.engine.labs import NOW, Lab, assert_same_rows, by_name

DAY = timedelta(days=1)
DAYS = {"lookback_window_size": "P1D", "lookback_window_offset": "P0D"}
ROWS, DIMENSIONS, LAST = 900, 12, 3
"""Rows of three days, the last of which ends at NOW."""
EUCLID, COSINE, LENGTH = "euclidean_distance", "cosine_similarity", "average_string_list_length"
DRIFT = {"embedding": {EUCLID: 0.5, COSINE: 0.9}}
QUALITY = {"embedding": {"null_value_rate": 0.2, "data_type_error_rate": 0.2},
           "list": {LENGTH: {"low": 1, "high": 9}, "null_value_rate": 0.2}}  # fmt: skip


def vectors(seed: int, rows: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(1.0, 1.0, (rows, DIMENSIONS)) @ np.linspace(
        0, 1, DIMENSIONS * DIMENSIONS
    ).reshape(DIMENSIONS, DIMENSIONS)


def table(seed: int, rows: int, moved: float = 0.0) -> pa.Table:
    """Rows with an embedding of each Arrow type, one with troubles, and lists of strings."""
    rng = np.random.default_rng(seed)
    x = vectors(seed, rows)
    x[:, 5] += moved
    ugly: list[list[float | None] | None] = x.tolist()
    for place in range(0, rows, 10):
        ugly[place] = [None, [], [1.0], [*x[place][1:].tolist(), None], [float("nan"), *x[place][1:]]][place // 10 % 5]
    tags = [None if place % 9 == 0 else ["t"] * int(length) for place, length in enumerate(rng.poisson(2, rows))]
    return pa.table({
        "at": pa.array([NOW - LAST * DAY + timedelta(seconds=place * LAST * 86_400 // rows) for place in range(rows)]),
        "id": [f"{seed}-{place}" for place in range(rows)],
        "state": rng.choice(["ny", "tx"], rows),
        "amount": rng.normal(size=rows),
        "emb": pa.array(x.tolist()),
        "emb32": pa.array(x.astype(np.float32).tolist(), pa.list_(pa.float32())),
        "fixed": pa.array(x.tolist(), pa.list_(pa.float64(), DIMENSIONS)),
        "whole": pa.array(x.round().astype(int).tolist()),
        "ugly": pa.array(ugly, pa.list_(pa.float64())),
        "nothing": pa.nulls(rows, pa.list_(pa.float64())),
        "ragged": pa.array([[1.0] * (place % 7) for place in range(rows)]),
        "tags": pa.array(tags, pa.list_(pa.string())),
    })  # fmt: skip


BASELINE, PRODUCTION = table(1, 600), table(2, ROWS, moved=4.0)
LAST_DAY = slice(ROWS * 2 // 3, ROWS)


@pytest.fixture(scope="module")
def lab(spark, tmp_path_factory) -> Lab:
    lab = Lab(spark, tmp_path_factory.mktemp("embeddings"))
    for part in range(3):
        lab.write("inputs", PRODUCTION.slice(part * 300, 300), row_group_size=70)
    lab.write("baseline", BASELINE, row_group_size=200)
    return lab


def signals(lab: Lab, production: Any = "inputs", **keys: Any) -> dict[str, dict[str, Any]]:
    """A drift and a quality signal over all features."""
    shared = {
        "production_data": lab.data(production, DAYS, timestamp="at", correlation_id="id"),
        "reference_data": lab.data("baseline", timestamp="at", correlation_id="id"),
        **keys,
    }
    return {
        "drift": {"type": "data_drift", "metric_thresholds": DRIFT, **shared},
        "quality": {"type": "data_quality", "metric_thresholds": QUALITY, **shared},
    }


@pytest.fixture(scope="module")
def evaluation(lab: Lab):
    return lab.evaluate(lab.monitor(**signals(lab)))


@pytest.fixture(scope="module")
def rows(evaluation):
    assert evaluation.errors == ()
    return by_name(evaluation)


def means(name: str) -> tuple[np.ndarray, np.ndarray]:
    """The mean vectors of the last day and of the baseline, of raw rows."""
    return (
        np.mean(PRODUCTION[name].to_pylist()[LAST_DAY], axis=0),
        np.mean(BASELINE[name].to_pylist(), axis=0),
    )


# ------------------------------------------------------------------------------------------------------- results


@pytest.mark.parametrize("name", ["emb", "emb32", "fixed", "whole"])
def test_distances_are_those_of_the_mean_vectors_of_raw_rows(rows, name):
    now, before = means(name)
    far, turned = rows["drift", name, EUCLID], rows["drift", name, COSINE]
    assert far.metric_value == pytest.approx(distance.euclidean(now, before), rel=1e-6)
    assert turned.metric_value == pytest.approx(1 - distance.cosine(now, before), rel=1e-6)
    assert (far.row_count, far.baseline_row_count) == (300, 600)
    assert (far.status, far.breached, turned.breached) == (Status.BREACHED, True, False)
    assert far.p_value < 1e-6
    assert far.q_value is not None
    assert far.details["moved"][0][0] == 5
    assert far.details["moved"][0][3] > 0.9


def test_only_what_is_a_vector_is_counted_and_the_rest_is_told(rows):
    kept = [
        row for row in PRODUCTION["ugly"].to_pylist()[LAST_DAY]
        if row is not None and len(row) == DIMENSIONS and None not in row and not np.isnan(row).any()
    ]  # fmt: skip
    before = [
        row for row in BASELINE["ugly"].to_pylist()
        if row is not None and len(row) == DIMENSIONS and None not in row and not np.isnan(row).any()
    ]  # fmt: skip
    far = rows["drift", "ugly", EUCLID]
    assert far.metric_value == pytest.approx(np.linalg.norm(np.mean(kept, axis=0) - np.mean(before, axis=0)))
    assert far.row_count == len(kept) == 270
    assert rows["quality", "ugly", "null_value_rate"].metric_value == 6 / 300
    assert rows["quality", "ugly", "data_type_error_rate"].metric_value == pytest.approx(24 / 294)
    assert rows["quality", "ugly", "data_type_error_rate"].details["baseline_value"] == pytest.approx(48 / 588)


def test_columns_without_vectors_say_so(rows):
    assert rows["drift", "nothing", EUCLID].status is Status.UNDEFINED
    assert "length is not known" in rows["drift", "nothing", EUCLID].reason
    assert rows["quality", "nothing", "null_value_rate"].metric_value == 1.0
    assert "no length in common" in rows["drift", "ragged", COSINE].reason


def test_lists_have_their_mean_length(rows):
    def average(tags: list) -> float:
        return float(np.mean([len(each) for each in tags if each]))

    row = rows["quality", "tags", LENGTH]
    assert row.metric_value == pytest.approx(average(PRODUCTION["tags"].to_pylist()[LAST_DAY]))
    assert row.details["baseline_value"] == pytest.approx(average(BASELINE["tags"].to_pylist()))
    assert row.status is Status.OK
    assert rows["quality", "tags", "null_value_rate"].details["nulls"] == sum(
        each is None for each in PRODUCTION["tags"].to_pylist()[LAST_DAY]
    )


def test_other_columns_are_not_asked_about_vectors(rows, evaluation):
    assert {group for _, group, _ in rows} == {
        "emb", "emb32", "fixed", "whole", "ugly", "nothing", "ragged", "tags"
    }  # fmt: skip
    assert any(
        "'tags' is a list of strings" in note and note.startswith("drift: left out") for note in evaluation.run.notes
    )


def test_both_feeds_and_joined_data_say_the_same(lab, evaluation):
    frame = lab.spark.read.parquet(str(lab.folder / "inputs")).repartition(5)
    by_frame = lab.evaluate(
        lab.monitor(**signals(lab, {"table": "rows"})), frames={"rows": frame}
    )  # fmt: skip
    digests = ("details", "config_hash")
    assert_same_rows(evaluation, by_frame, digests)
    halves = (
        [name for name in PRODUCTION.column_names if name not in ("emb", "tags", "fixed")],
        ["id", "emb", "tags", "fixed"],
    )
    for name, columns in zip(("left", "right"), halves, strict=True):
        lab.write(name, PRODUCTION.select(columns))
    joined = {
        name: {**keys, "production_data": [lab.data("left", DAYS, timestamp="at", correlation_id="id"),
                                           lab.data("right", DAYS, correlation_id="id")]}
        for name, keys in signals(lab).items()
    }  # fmt: skip
    assert_same_rows(evaluation, lab.evaluate(lab.monitor(**joined)), digests)


def test_a_segment_is_its_own_rows(lab):
    keys = signals(lab, data_segment={"feature_name": "state", "feature_values": ["tx"]})
    found = by_name(lab.evaluate(lab.monitor(drift=keys["drift"])))
    texas = pc.field("state") == "tx"
    sides = [np.mean(each.filter(texas)["emb"].to_pylist(), axis=0) for each in (PRODUCTION.slice(600), BASELINE)]
    row = found["drift", "emb", EUCLID]
    assert row.metric_value == pytest.approx(distance.euclidean(*sides))
    assert row.row_count == PRODUCTION["state"].to_pylist()[LAST_DAY].count("tx")


# --------------------------------------------------------------------------------------------------------- store


def test_a_backfill_is_its_runs_one_by_one_and_profiles_are_kept(lab, tmp_path):
    monitor, times = lab.monitor(**signals(lab)), [NOW - 2 * DAY, NOW - DAY, NOW]
    store, other = Store(tmp_path / "one"), Store(tmp_path / "other")
    together = lab.evaluate_all(monitor, times, store)
    for time, evaluation in zip(times, together, strict=True):
        alone = lab.evaluate(monitor, time, store=other)
        here, there = by_name(evaluation), by_name(alone)
        assert {name: row.metric_value for name, row in here.items()} == {
            name: row.metric_value for name, row in there.items()
        }
        assert {name: row.p_value for name, row in here.items()} == {name: row.p_value for name, row in there.items()}
    again = lab.evaluate(monitor, NOW, store=store)
    assert_same_rows(again, together[-1])
    assert again.run.rows_read == 0
    (verified, *others), errors = verify(lab.spark, monitor, times, store)
    assert errors == []
    assert all(each.agreed and not each.different and not each.unkept for each in (verified, *others))


def test_rebinning_finds_another_length(lab, tmp_path):
    store = Store(tmp_path / "store")
    lab.write("short", pa.table({"emb": [[1.0, 2.0]] * 40}))
    lab.write("now", pa.table({"at": [NOW - DAY / 2] * 40, "emb": [[1.0, 2.0, 4.0]] * 40}))
    keys = {
        "type": "data_drift",
        "metric_thresholds": DRIFT,
        "production_data": lab.data("now", DAYS, timestamp="at"),
        "reference_data": lab.data("short"),
    }
    monitor = lab.monitor(drift=keys)
    row = by_name(lab.evaluate(monitor, store=store))["drift", "emb", EUCLID]
    assert row.reason == "the window has no vectors: 0 are null, 40 of another length or not all numbers"
    for file in (lab.folder / "short").iterdir():
        file.unlink()
    lab.write("short", pa.table({"emb": [[1.0, 2.0, 3.0]] * 40}))
    (rebinned,), _ = rebin(lab.spark, monitor, NOW, store)
    assert (rebinned.before["emb"], rebinned.after["emb"]) == (VectorBins(2), VectorBins(3))
    assert by_name(lab.evaluate(monitor, store=store))["drift", "emb", EUCLID].metric_value == 1.0


# --------------------------------------------------------------------------------------------------- definitions


def test_without_a_metric_of_theirs_lists_are_left_out_as_ever(lab):
    keys = {name: {key: each for key, each in signal.items() if key != "metric_thresholds"}
            for name, signal in signals(lab).items()}  # fmt: skip
    evaluation = lab.evaluate(lab.monitor(**keys))
    assert {row.group for row in evaluation.rows} == {"amount", "state"}
    notes = "\n".join(evaluation.run.notes)
    assert "left out: the column 'emb' is an embedding (list<element: double>): no metric of" in notes


def test_a_feature_that_is_named_has_default_quality_and_says_that_it_has_no_default_drift(lab):
    keys = {name: {**signal, "features": ["emb", "tags"], "metric_thresholds": {}}
            for name, signal in signals(lab).items()}  # fmt: skip
    found = by_name(lab.evaluate(lab.monitor(**keys)))
    assert {metric for signal, group, metric in found if (signal, group) == ("quality", "emb")} == {
        "null_value_rate", "data_type_error_rate"
    }  # fmt: skip
    drift = [row for (signal, group, _), row in found.items() if (signal, group) == ("drift", "emb")]
    assert {row.status for row in drift} == {Status.ERROR}
    assert {"metric_thresholds.embedding" in (row.reason or "") for row in drift} == {True}


def test_a_threshold_of_one_feature_wins(lab):
    keys = signals(lab)["drift"] | {
        "metric_thresholds": {"embedding": {"euclideanDistance": 0.5}, "features": {"emb": {"euclidean_distance": 1e9}}}
    }
    found = by_name(lab.evaluate(lab.monitor(drift=keys)))
    assert found["drift", "emb", EUCLID].status is Status.OK
    assert found["drift", "fixed", EUCLID].status is Status.BREACHED


@pytest.mark.parametrize(
    ("signal", "thresholds", "problem"),
    [
        ("data_drift", {"numerical": {EUCLID: 1}}, "euclidean_distance is not for numerical features"),
        ("data_drift", {"embedding": {"psi": 1}}, "population_stability_index is not for embedding features"),
        ("data_drift", {"embedding": {"cosine_simlarity": 1}}, "did you mean cosine_similarity?"),
        ("data_quality", {"list": {LENGTH: 2}}, "is bad in neither direction, so it needs an operator"),
        ("data_quality", {"categorical": {LENGTH: None}}, "average_string_list_length is not for categorical"),
    ],
)
def test_metrics_of_other_kinds_are_refused(signal, thresholds, problem):
    keys = {
        "name": "m",
        "trigger": {"type": "recurrence", "frequency": "day", "interval": 1},
        "create_monitor": {"monitoring_signals": {"s": {
            "type": signal,
            "production_data": {"input_data": {"path": "x"}, "data_column_names": {"timestamp": "at"}},
            "metric_thresholds": thresholds,
        }}},
    }  # fmt: skip
    with pytest.raises(DefinitionError, match=problem.replace("?", r"\?")):
        Monitor.from_dict(keys)


# ------------------------------------------------------------------------------------------------- what stands on it


def test_a_distance_that_nobody_asked_for_is_told_from_kept_profiles(lab, tmp_path):
    store = Store(tmp_path / "store")
    keys = signals(lab)["drift"]
    lab.evaluate(lab.monitor(drift=keys | {"metric_thresholds": {"embedding": {COSINE: 0.9}}}), store=store)
    judgements = read_judgements(store, "lab", None, None)
    found = remeasure(store, "lab", judgements, [Setting(EUCLID, 0.5), Setting("population_stability_index", 0.1)])
    told = {value.check.group: value.value for value in found.values}
    now, before = means("emb")
    assert told["emb"] == pytest.approx(distance.euclidean(now, before))
    assert {value.check.metric for value in found.values} == {EUCLID}
    assert {check.group: kind for check, kind in feature_kinds(store, "lab", NOW).items()}["emb"] is Kind.EMBEDDING


def test_missing_vectors_are_explained_by_other_columns_and_distances_say_that_they_do_not_add_up(lab, tmp_path):
    gone = PRODUCTION.set_column(
        PRODUCTION.column_names.index("emb"),
        "emb",
        pc.if_else(pc.equal(PRODUCTION["state"], "tx"), pa.scalar(None, PRODUCTION["emb"].type), PRODUCTION["emb"]),
    )
    lab.write("gone", gone)
    keys = signals(lab, "gone", explain_by=["state"])
    evaluation = lab.evaluate(lab.monitor(**keys), store=Store(tmp_path / "store"))
    assert evaluation.errors == ()
    row = by_name(evaluation)["quality", "emb", "null_value_rate"]
    assert row.breached
    (dimension, value, share, *_), *_ = row.details["carried_by"]
    assert (dimension, value) == ("state", "tx")
    assert share > 0.9
    asked = {"drift": [EUCLID]}
    (found,) = explain(lab.spark, lab.monitor(**keys), NOW, feature="emb", metrics=asked, dimensions=["state"])[
        "drift", EUCLID
    ]
    assert found.reason == "euclidean_distance does not add up over rows, so no part of it belongs to a value"


def test_text_where_vectors_were_is_a_data_type_error(lab):
    texts = PRODUCTION.set_column(PRODUCTION.column_names.index("emb"), "emb", [["[1, 2]"] * ROWS])
    lab.write("texts", texts)
    found = by_name(lab.evaluate(lab.monitor(**signals(lab, "texts"))))
    assert found["quality", "emb", "data_type_error_rate"].metric_value == 1.0
    assert "300 of another length or not all numbers" in (found["drift", "emb", EUCLID].reason or "")


def test_predictions_may_be_embeddings(lab):
    keys = {
        "type": "prediction_drift",
        "metric_thresholds": DRIFT,
        "production_data": lab.data("inputs", DAYS, timestamp="at", prediction="emb"),
        "reference_data": lab.data("baseline", prediction="emb32"),
    }
    found = by_name(lab.evaluate(lab.monitor(drift=keys)))
    now, before = means("emb")
    assert found["drift", "emb", EUCLID].metric_value == pytest.approx(distance.euclidean(now, before), rel=1e-6)


def test_long_lists_are_read_in_short_batches(lab, monkeypatch):
    monkeypatch.setattr("engine.file_feed.VALUES_AT_ONCE", 10 * DIMENSIONS)
    path = str(lab.folder / "baseline" / "part-0.parquet")

    def sizes(*names: str) -> set[int]:
        batches = read_splits([Split(path, 0, 200, {})], names, (), None)
        return {batch.size for batch in batches}

    assert sizes("amount", "emb") == sizes("fixed") == {10}
    assert sizes("amount") == {200}
    assert sum(batch.size for batch in read_splits([Split(path, 0, 200, {})], ("nothing",), (), None)) == 200


def test_many_dimensions_are_counted_in_scans_of_fewer_buckets():
    plan = ScanPlan((ScannedColumn("emb", VectorBins(4096)), ScannedColumn("x", VectorBins(0))))
    assert (plan.states, plan.width) == (19, 4097)
