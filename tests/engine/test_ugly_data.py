"""One column's trouble is a row with a reason, and everything else arrives."""

import math
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.errors import DataError
from engine.results import Status, as_table
from engine.run import Evaluation
from engine.tables import SIGNAL_METRICS
from signals.catalogue import BOTH_KINDS, Bad, Family, Kind, metrics_of
from tests.engine.labs import Lab, by_name
from tests.engine.ugly import BASELINE_ROWS, BUSY, EMPTY, LONELY, ROWS, baseline, production

BUSY_ROWS = ROWS - 20
DAYS = {"lookback_window_size": "P1D", "lookback_window_offset": "P0D"}
NESTED = ["list", "struct", "map", "bytes"]
DRIFT = {kind: [metric.name for metric in metrics_of(Family.DRIFT) if kind in metric.kinds] for kind in BOTH_KINDS}
QUALITY = {kind: [metric.name for metric in metrics_of(Family.QUALITY) if kind in metric.kinds] for kind in BOTH_KINDS}
DATASET = [metric.name for metric in metrics_of(Family.DATASET)]
CATEGORIES = ["number now", "commas", "quotes", "flag", "few", "many"]
KS, WASSERSTEIN = "kolmogorov_smirnov_statistic", "normalized_wasserstein_distance"
JS = "jensen_shannon_distance"


def asked(family: Family, kind: Kind | None = None) -> dict[str, float | None]:
    """Every metric of a family, judged where it has a bad direction."""
    fitting = [metric for metric in metrics_of(family) if kind is None or kind in metric.kinds]
    return {metric.name: None if metric.bad is Bad.NONE else 0.1 for metric in fitting}


@pytest.fixture(scope="module")
def evaluations(spark, tmp_path_factory) -> dict:
    """All metrics of drift and quality over a busy day, one with a single row, and an empty one."""
    lab = Lab(spark, tmp_path_factory.mktemp("ugly"))
    lab.write("inputs", production(), row_group_size=150)
    lab.write("baseline", baseline())
    data = {
        "production_data": lab.data("inputs", DAYS, timestamp="at", correlation_id="id"),
        "reference_data": lab.data("baseline"),
    }
    of_features = {kind: asked(Family.DRIFT, kind) for kind in BOTH_KINDS}
    of_columns = {kind.value: asked(Family.QUALITY, kind) for kind in BOTH_KINDS}
    monitor = lab.monitor(
        drift={"type": "data_drift", **data, "metric_thresholds": of_features},
        quality={"type": "data_quality", **data,
                 "metric_thresholds": {**of_columns, "dataset": asked(Family.DATASET)}},
    )  # fmt: skip
    times = [BUSY, LONELY, EMPTY]
    return dict(zip(times, lab.evaluate_all(monitor, times), strict=True))


@pytest.fixture(scope="module")
def busy(evaluations) -> dict:
    return by_name(evaluations[BUSY])


def test_every_metric_of_every_column_has_a_row_in_every_window(evaluations):
    columns = list(dict.fromkeys([*production().column_names, *baseline().column_names]))
    watched = [name for name in columns if name not in ("at", "id", *NESTED)]
    expected = {("quality", "dataset", metric) for metric in DATASET}
    for name in watched:
        kind = Kind.CATEGORICAL if name in CATEGORIES else Kind.NUMERICAL
        unknown = name in ("fresh", "gone")  # on one side only: nobody knows how it should be read
        kinds = list(BOTH_KINDS) if unknown else [kind]
        expected |= {("drift", name, metric) for kind in kinds for metric in DRIFT[kind]}
        expected |= {("quality", name, metric) for kind in kinds for metric in QUALITY[kind]}
    for evaluation in evaluations.values():
        assert set(by_name(evaluation)) == expected
        assert evaluation.errors == ()


def test_rows_can_be_stored_and_say_why_when_they_have_no_value(evaluations):
    for evaluation in evaluations.values():
        as_table(evaluation.rows, SIGNAL_METRICS)
        for row in evaluation.rows:
            assert (row.metric_value is None) == (row.status not in (Status.OK, Status.BREACHED)), row
            assert row.metric_value is None or math.isfinite(row.metric_value)
            assert row.reason or row.metric_value is not None


def test_a_window_with_one_row_is_measured(evaluations):
    rows = by_name(evaluations[LONELY])
    assert rows["quality", "dataset", "row_count"].metric_value == 1
    assert rows["drift", "good", JS].status in (Status.OK, Status.BREACHED)
    assert rows["quality", "good", "mean"].metric_value == rows["quality", "good", "p99"].metric_value
    assert rows["quality", "good", "standard_deviation"].reason == "one value has no standard deviation"


def test_an_empty_window_has_no_data_and_that_is_no_error(evaluations):
    rows = by_name(evaluations[EMPTY])
    lost = {name: row for name, row in rows.items() if name[1] in ("gone", "fresh")}
    assert {row.status for row in lost.values()} == {Status.ERROR}
    assert rows["quality", "dataset", "row_count"].metric_value == 0
    assert rows["quality", "dataset", "row_count"].status is Status.BREACHED
    others = {name: row for name, row in rows.items() if name not in lost and name[2] != "row_count"}
    assert {row.status for row in others.values()} == {Status.NO_DATA}
    assert {row.row_count for row in others.values()} == {0}


def test_rows_outside_the_window_do_not_count(busy):
    assert busy["quality", "dataset", "row_count"].metric_value == BUSY_ROWS
    assert busy["drift", "good", JS].row_count == BUSY_ROWS
    assert busy["drift", "good", JS].baseline_row_count == BASELINE_ROWS


def test_what_is_well_is_ok_next_to_all_that_is_not(busy):
    for name in ("good", "a.b", "ünï code", "back`tick", 'quo"te', "size", "Size", "negative", "commas", "quotes"):
        mine = [row for (signal, group, _), row in busy.items() if (signal, group) == ("drift", name)]
        assert len(mine) >= 7
        assert min(row.p_value for row in mine) > 0.001, name
        assert busy["quality", name, "null_value_rate"].metric_value == 0
        assert busy["quality", name, "out_of_bounds_rate"].metric_value <= 0.01


@pytest.mark.parametrize(
    ("signal", "group", "metric", "value"),
    [
        ("drift", "constant", JS, 0.0),
        ("drift", "constant", KS, 0.0),
        ("drift", "constant", WASSERSTEIN, 0.0),
        ("drift", "moved constant", JS, 1.0),
        ("drift", "moved constant", KS, 1.0),
        ("drift", "moved constant", WASSERSTEIN, 1000.0),
        ("quality", "constant", "standard_deviation", 0.0),
        ("quality", "moved constant", "out_of_bounds_rate", 1.0),
        ("drift", "null now", JS, 1.0),
        ("drift", "null before", JS, 1.0),
        ("drift", "nan now", JS, 1.0),
        ("quality", "null now", "null_value_rate", 1.0),
        ("quality", "null now", "cardinality", 0.0),
        ("quality", "nan now", "null_value_rate", 1.0),
        ("quality", "all null", "null_value_rate", 1.0),
        ("drift", "infinite now", KS, 0.5),
        ("quality", "infinite now", "out_of_bounds_rate", 1.0),
        ("quality", "number now", "data_type_error_rate", 0.0),
        ("quality", "commas", "cardinality", 4.0),
        ("quality", "commas", "new_values", 0.0),
        ("quality", "quotes", "missing_values", 0.0),
        ("quality", "few", "new_values", 1.0),
        ("quality", "huge", "out_of_bounds_rate", 0.0),
        ("quality", "huge", "maximum", 1.5e308),
        ("quality", "beyond 2^53", "out_of_bounds_rate", 0.0),
        ("quality", "decimal", "data_type_error_rate", 0.0),
        ("quality", "date", "data_type_error_rate", 0.0),
        ("quality", "moment", "data_type_error_rate", 0.0),
        ("quality", "flag", "cardinality", 2.0),
    ],
)  # fmt: skip
def test_a_columns_trouble_is_measured(busy, signal, group, metric, value):
    assert busy[signal, group, metric].metric_value == pytest.approx(value, abs=0.02)


@pytest.mark.parametrize(
    ("signal", "group", "metric", "status", "reason"),
    [
        ("drift", "all null", JS, Status.UNDEFINED, "all values are null, in the window and in the baseline"),
        ("drift", "null now", KS, Status.UNDEFINED, "all values are null in the window"),
        ("drift", "null before", WASSERSTEIN, Status.UNDEFINED, "all values are null in the baseline"),
        ("drift", "nan now", KS, Status.UNDEFINED, "all values are null in the window"),
        ("drift", "infinite now", WASSERSTEIN, Status.UNDEFINED, "infinite"),
        ("drift", "infinite before", WASSERSTEIN, Status.UNDEFINED, "in the baseline, 10 of 1000 values are infinite"),
        ("drift", "huge", WASSERSTEIN, Status.UNDEFINED, "too large"),
        ("quality", "huge", "mean", Status.UNDEFINED, "too large"),
        ("quality", "infinite now", "mean", Status.UNDEFINED, "infinite"),
        ("quality", "null now", "out_of_bounds_rate", Status.UNDEFINED, "there are no values"),
        ("quality", "null before", "out_of_bounds_rate", Status.UNDEFINED, "the baseline has no finite values"),
        ("drift", "gone", JS, Status.ERROR, "the column 'gone' is missing in production"),
        ("quality", "gone", "null_value_rate", Status.ERROR, "the column 'gone' is missing in production"),
        ("drift", "fresh", JS, Status.ERROR, "the column 'fresh' is missing in the baseline"),
    ],
)  # fmt: skip
def test_a_trouble_without_a_value_says_why(busy, signal, group, metric, status, reason):
    row = busy[signal, group, metric]
    assert row.status is status
    assert reason in row.reason


def test_a_retyped_column_is_read_as_far_as_it_can_be(busy):
    unreadable = [place for place in range(BUSY_ROWS) if place % 4 == 0]
    assert busy["quality", "text now", "data_type_error_rate"].metric_value == len(unreadable) / BUSY_ROWS
    assert busy["quality", "text now", "mean"].metric_value == pytest.approx(10, abs=0.5)
    assert busy["drift", "text now", KS].row_count == BUSY_ROWS - len(unreadable)
    assert busy["quality", "number now", "new_values"].details["values"] == ["3"]


def test_nested_columns_are_left_out_and_the_run_says_so(evaluations):
    notes = "\n".join(evaluations[BUSY].run.notes)
    for name in NESTED:
        what = "an embedding" if name == "list" else "nested or binary"
        assert f"the column {name!r} is {what}" in notes


def test_many_categories_are_counted_to_the_last(busy):
    row = busy["drift", "many", "total_variation_distance"]
    assert row.status is Status.BREACHED
    assert "other" in {bin_ for bin_, *_ in row.details["contributions"]}
    assert busy["quality", "many", "cardinality"].metric_value == pytest.approx(
        len(set(production()["many"].to_pylist()[:BUSY_ROWS])), rel=0.05
    )


def test_repeated_correlation_ids_are_counted(busy):
    assert busy["quality", "dataset", "duplicate_rate"].metric_value == pytest.approx(10 / BUSY_ROWS)


# ------------------------------------------------------------------------------------------- datasets in trouble


def drift_and_quality(lab: Lab, inputs="inputs", reference="baseline") -> dict:
    data = {"production_data": lab.data(inputs, DAYS, timestamp="at"), "reference_data": lab.data(reference)}
    return {"drift": {"type": "data_drift", **data}, "quality": {"type": "data_quality", **data}}


@pytest.fixture
def lab(spark, tmp_path) -> Lab:
    lab = Lab(spark, tmp_path)
    lab.write("inputs", production().select(["at", "good", "commas"]))
    lab.write("baseline", baseline().select(["good", "commas"]))
    return lab


def statuses(evaluation: Evaluation, signal: str) -> set[Status]:
    return {row.status for row in evaluation.rows if row.signal == signal}


def break_file(folder: Path) -> None:
    (folder / "broken.parquet").write_bytes(b"PAR1 this is no parquet file PAR1")


def test_a_baseline_without_rows_leaves_drift_undefined_and_nothing_failed(lab):
    lab.write("nothing", baseline().select(["good", "commas"]).slice(0, 0))
    evaluation = lab.evaluate(lab.monitor(**drift_and_quality(lab, reference="nothing")), BUSY)
    rows = by_name(evaluation)
    assert rows["drift", "good", WASSERSTEIN].status is Status.UNDEFINED
    assert rows["drift", "good", WASSERSTEIN].reason == "the baseline has no rows"
    assert rows["quality", "good", "null_value_rate"].metric_value == 0.0


def test_a_broken_baseline_is_an_error_of_its_signals_only(lab):
    lab.write("bad", baseline().select(["good"]))
    break_file(lab.folder / "bad")
    signals = {"broken": drift_and_quality(lab, reference="bad")["drift"], **drift_and_quality(lab)}
    evaluation = lab.evaluate(lab.monitor(**signals), BUSY)
    assert statuses(evaluation, "broken") == {Status.ERROR}
    assert Status.ERROR not in statuses(evaluation, "drift") | statuses(evaluation, "quality")
    assert len(evaluation.errors) == 1
    assert "broken.parquet" in evaluation.errors[0]
    assert all("broken.parquet" in row.reason for row in evaluation.rows if row.signal == "broken")


def test_a_page_that_breaks_while_it_is_read_is_an_error_of_its_signals_only(lab):
    path = lab.folder / "torn"
    path.mkdir()
    at = [BUSY - timedelta(hours=1)] * 5_000
    table = pa.table(
        {"at": pa.array(at, pa.timestamp("us", "UTC")), "good": np.random.default_rng(0).normal(size=5_000)}
    )
    pq.write_table(table, path / "torn.parquet", use_dictionary=False)
    content = bytearray((path / "torn.parquet").read_bytes())
    content[100:30_000] = bytes(29_900)
    (path / "torn.parquet").write_bytes(content)
    signals = {"torn": drift_and_quality(lab, inputs="torn")["quality"], **drift_and_quality(lab)}
    evaluation = lab.evaluate(lab.monitor(**signals), BUSY)
    assert statuses(evaluation, "torn") == {Status.ERROR}
    assert "torn.parquet" in evaluation.errors[0]
    assert Status.ERROR not in statuses(evaluation, "drift")


def test_data_of_which_nothing_can_be_read_is_a_data_error_that_names_the_file(lab):
    break_file(lab.folder / "inputs")
    with pytest.raises(DataError, match=r"inputs/broken\.parquet"):
        lab.evaluate(lab.monitor(**drift_and_quality(lab)), BUSY)


@pytest.mark.parametrize("timestamp", ["when", None])
def test_production_without_its_timestamp_is_a_data_error_with_a_hint(lab, timestamp):
    lab.write("undated", production().select(["good", "id"]))
    data = {"production_data": lab.data("undated", DAYS, timestamp=timestamp), "reference_data": lab.data("baseline")}
    with pytest.raises(DataError, match="timestamp"):
        lab.evaluate(lab.monitor(drift={"type": "data_drift", **data}), BUSY)


@pytest.mark.parametrize("form", ["iso8601", "epoch_seconds", "epoch_milliseconds", "epoch_microseconds"])
@pytest.mark.parametrize("declared", [True, False], ids=["declared", "found"])
def test_a_time_may_be_written_in_many_ways_and_one_that_is_found_is_said(lab, form, declared):
    rows = production().select(["at", "good"])
    at = [moment if moment < BUSY else BUSY for moment in rows["at"].to_pylist()]
    factor = {"epoch_seconds": 1, "epoch_milliseconds": 1_000, "epoch_microseconds": 1_000_000}.get(form)
    written = [int(moment.timestamp() * factor) if factor else moment.isoformat() for moment in at]
    lab.write("written", pa.table({"timestamp": written, "good": rows["good"]}))
    roles = {"timestamp": "timestamp", "timestamp_format": form} if declared else {}
    data = {"production_data": lab.data("written", DAYS, **roles), "reference_data": lab.data("baseline")}
    evaluation = lab.evaluate(lab.monitor(drift={"type": "data_drift", **data, "features": ["good"]}), BUSY)
    assert evaluation.rows[0].row_count == BUSY_ROWS
    said = "\n".join(evaluation.run.notes)
    assert (f"found 'timestamp' to be written as {form}" in said) is not declared
    assert ("found the timestamp column 'timestamp'" in said) is not declared
