"""Labels that arrive late change the days that they are about, and nothing else is read or written again."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from engine.batches import Span
from engine.duplicates import count_duplicates
from engine.joins import Join, Measure, Pair, Wanted, layers_of
from engine.label_rows import prediction_columns, prediction_schema, predictions_work
from engine.pieces import cutoffs_of
from engine.plan import plan_of
from engine.readings import Readings
from engine.results import Status
from engine.run import Due, evaluate_together
from engine.scored import Scored, score
from engine.store import Store
from engine.windows import Window
from tests.engine.labs import Lab, assert_same_rows, by_name, values

START = datetime(2024, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
DAYS, PER_DAY = 12, 40
STATES = ["CA", "NY", "TX"]


def day(number: int) -> datetime:
    return START + number * DAY


def predictions() -> pd.DataFrame:
    random = np.random.default_rng(7)
    n = DAYS * PER_DAY
    score = random.random(n).round(3)
    return pd.DataFrame({
        "at": [day(row // PER_DAY) + timedelta(minutes=int(random.integers(1_440))) for row in range(n)],
        "id": [f"id {row}" for row in range(n)], "score": score, "said": (score > 0.5).astype(int),
        "minutes": random.normal(10, 5, n).round(2), "state": random.choice(STATES, n),
    })  # fmt: skip


def labels(late: bool) -> pd.DataFrame:
    """Those that became known within hours, or those of every fifth prediction, which took days."""
    random = np.random.default_rng(8)
    rows = predictions()
    slow = np.arange(len(rows)) % 5 == 0
    wait = np.where(slow, 30 + random.random(len(rows)) * 40, random.random(len(rows)) * 20)
    truth = pd.DataFrame({
        "id": rows["id"], "true": (random.random(len(rows)) < rows["score"]).astype(int),
        "delay": (rows["minutes"] + random.normal(0, 3, len(rows))).round(2),
        "known": rows["at"] + pd.to_timedelta(wait, unit="h"),
    })  # fmt: skip
    return truth[slow == late]


def signal(lab: Lab, days: int = 1, kind: str = "classification", **changes: object) -> dict:
    regression = kind == "regression"
    prediction, score, actual = ("minutes", None, "delay") if regression else ("said", "score", "true")
    metrics = ["mean_absolute_error", "mase"] if regression else ["accuracy", "auc"]
    window = {"lookback_window_size": f"P{days}D", "lookback_window_offset": "P0D"}
    roles = {"timestamp": "at", "correlation_id": "id", "prediction": prediction, "score": score}
    return {
        "type": "model_performance",
        "production_data": lab.data("predictions", window, **roles),
        "reference_data": lab.data("truth", timestamp="known", correlation_id="id", actual=actual),
        "metric_thresholds": {kind: dict.fromkeys(metrics), "coverage": {"ground_truth_coverage": None}},
        **changes,
    }


@pytest.fixture
def lab(spark, tmp_path) -> Lab:
    lab = Lab(spark, tmp_path)
    lab.write("predictions", predictions(), row_group_size=PER_DAY)
    lab.write("truth", labels(late=False))
    return lab


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store")


def run(lab: Lab, monitor, times: Sequence[datetime], store: Store, **given):
    return evaluate_together(lab.spark, [Due(monitor, tuple(times))], store=store, revise=True, **given)[0]


def scored(lab: Lab, monitor, time: datetime, store: Store | None, **given) -> tuple[Scored, Readings]:
    readings = Readings(lab.spark)
    earlier = {monitor.name: store.completed(monitor.name, START, time)} if store else {}
    return score(plan_of(monitor, [time]), readings, store, earlier, **given)[0], readings


# -------------------------------------------------------------------------------------------------- late labels


def test_labels_that_arrive_late_for_an_old_day_revise_that_day_only(lab, store):
    monitor = lab.monitor(p=signal(lab))
    run(lab, monitor, [day(number) for number in range(1, 9)], store)
    before = values(run(lab, monitor, [day(9)], store)[0])
    of_day_4 = labels(late=True)[lambda rows: rows["id"].isin(predictions().iloc[4 * PER_DAY : 5 * PER_DAY]["id"])]
    lab.write("truth", of_day_4)
    revised, due = run(lab, monitor, [day(10)], store)
    assert (revised.run.scheduled_for, due.run.scheduled_for) == (day(5), day(10))
    assert revised.run.attempt == 2
    assert_same_rows(revised, lab.evaluate(monitor, day(5)))
    assert by_name(revised)["p", "said", "ground_truth_coverage"].metric_value == 1
    assert revised.revisions is not None
    changed = {each.check.metric_name: (each.before, each.after) for each in revised.revisions}
    assert changed["ground_truth_coverage"] == (0.8, 1.0)
    stored = {row["scheduled_for"]: row["metric_value"] for row in
              store.read_metrics(monitor="lab", metric="ground_truth_coverage").to_pylist()}  # fmt: skip
    assert [time for time, value in stored.items() if value == 1] == [day(5)]
    assert values(run(lab, monitor, [day(9)], store)[-1]) == before


def test_windows_of_a_week_are_revised_where_they_hold_the_day(lab, store):
    monitor = lab.monitor(p=signal(lab, days=7, ground_truth={"revise_within": "P6D"}))
    run(lab, monitor, [day(number) for number in range(2, 11)], store)
    lab.write("truth", labels(late=True)[lambda rows: rows["id"] == f"id {4 * PER_DAY}"])
    found, _ = scored(lab, monitor, day(11), store)
    # The windows that end from day 5 to day 11 hold day 4; day 11 is due, and day 5 is still recent enough.
    assert found.revised == tuple(day(number) for number in range(5, 11))
    assert found.plan.windows[day(5)] == Window(day(-2), day(5))
    fresh, _ = scored(lab, monitor, day(7), None)
    mine, theirs = found.performance[Window(day(0), day(7))], fresh.performance[Window(day(0), day(7))]
    assert (mine.coverage, mine.digest, mine.outcomes.pairs) == (theirs.coverage, theirs.digest, theirs.outcomes.pairs)


@pytest.mark.parametrize(("minutes", "revised"), [(59, (day(4),)), (61, ())])
def test_a_label_revises_the_window_that_it_came_in_time_for(lab, store, minutes, revised):
    monitor = lab.monitor(p=signal(lab, ground_truth={"max_delay": "PT1H"}))
    run(lab, monitor, [day(number) for number in range(2, 7)], store)
    known = day(4) + timedelta(minutes=minutes)
    lab.write("truth", pd.DataFrame({"id": [f"id {3 * PER_DAY}"], "true": [1], "delay": [1.0], "known": [known]}))
    found, _ = scored(lab, monitor, day(7), store)
    assert found.revised == revised


def test_when_nothing_changed_nothing_is_read(lab, store):
    monitor = lab.monitor(p=signal(lab, days=3))
    run(lab, monitor, [day(number) for number in range(3, 7)], store)
    found, readings = scored(lab, monitor, day(6), store)
    assert (readings.rows_read, found.revised) == (0, ())
    assert found.performance[Window(day(3), day(6))].coverage.rows == 3 * PER_DAY
    again, readings = scored(lab, monitor, day(6), store, refresh=True)
    assert readings.rows_read > 0
    assert again.states == found.states
    _, readings = scored(lab, monitor, day(7), store)
    assert readings.rows_read == PER_DAY + len(labels(late=False)), "one new day, and the labels"


def test_another_definition_does_not_rewrite_the_past(lab, store):
    run(lab, lab.monitor(p=signal(lab)), [day(number) for number in range(1, 5)], store)
    lab.write("truth", labels(late=True))
    other = lab.monitor(p=signal(lab, filters=[{"tag": "state", "value": "CA"}]))
    found, _ = scored(lab, other, day(5), store)
    assert found.revised == ()


def test_labels_that_are_deleted_after_a_while_do_not_rewrite_the_past(lab, store):
    monitor = lab.monitor(p=signal(lab))
    run(lab, monitor, [day(number) for number in range(1, 7)], store)
    recent = labels(late=False)[lambda rows: rows["known"] >= day(4)]
    (lab.folder / "truth" / "part-0.parquet").unlink()
    lab.write("truth", recent)
    found, _ = scored(lab, monitor, day(7), store)
    assert found.revised == ()


def test_predictions_that_are_deleted_after_a_while_do_not_rewrite_the_past(spark, tmp_path, store):
    lab = Lab(spark, tmp_path)
    for number in range(DAYS):
        lab.write("predictions", predictions().iloc[number * PER_DAY : (number + 1) * PER_DAY])
    lab.write("truth", labels(late=False))
    monitor = lab.monitor(p=signal(lab))
    run(lab, monitor, [day(number) for number in range(1, 7)], store)
    (lab.folder / "predictions" / "part-2.parquet").unlink()
    lab.write("truth", labels(late=True)[lambda rows: rows["id"] == f"id {4 * PER_DAY}"])
    found, _ = scored(lab, monitor, day(7), store)
    assert found.revised == (day(5),)
    again, _ = scored(lab, monitor, day(3), store)
    assert again.performance[Window(day(2), day(3))].coverage.rows == PER_DAY
    (row, *others) = run(lab, monitor, [day(3)], store)[0].rows
    assert "no longer in the source" in (row.reason or "")
    assert {each.reason for each in others} == {row.reason}


def test_all_signals_of_a_revised_run_are_evaluated(lab, store):
    slow = signal(lab, days=2)
    slow["ground_truth"] = {"revise_within": "P0D"}
    monitor = lab.monitor(quick=signal(lab), slow=slow)
    run(lab, monitor, [day(number) for number in range(2, 6)], store)
    lab.write("truth", labels(late=True)[lambda rows: rows["id"] == f"id {3 * PER_DAY}"])
    revised, _ = run(lab, monitor, [day(6)], store)
    assert revised.run.scheduled_for == day(4)
    assert {row.signal for row in revised.rows} == {"quick", "slow"}
    assert_same_rows(revised, lab.evaluate(monitor, day(4)))


# ---------------------------------------------------------------------------------------------------- the buckets


@pytest.mark.parametrize("delay", [None, "PT12H"])
@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_a_backfill_of_long_windows_is_what_its_windows_are_one_by_one(lab, kind, delay):
    lab.write("truth", labels(late=True))
    truth = {} if delay is None else {"max_delay": delay}
    monitor = lab.monitor(p=signal(lab, days=5, kind=kind, ground_truth=truth))
    times = [day(number) for number in range(3, DAYS + 1)]
    together = dict(zip(times, lab.evaluate_all(monitor, times), strict=True))
    for time in (times[0], times[4], times[-1]):
        assert_same_rows(lab.evaluate(monitor, time), together[time])


def test_every_prediction_is_handed_to_the_join_once(lab):
    plan = plan_of(lab.monitor(p=signal(lab, days=5)), [day(number) for number in range(5, DAYS + 1)])[0]
    buckets = tuple(cutoffs_of(plan.distinct_windows, plan.step, DAY))
    production, roles = Readings(lab.spark).opened(plan.signal.production, Span())
    join = Join(
        production, roles, production, roles, (Measure(Pair("said", "score", "true"), Wanted.OUTCOMES),), buckets
    )
    rows = production.map(predictions_work(join), prediction_columns(join), prediction_schema(join))
    assert rows.count() == DAYS * PER_DAY
    assert rows.select("bucket").distinct().count() == len(buckets) == DAYS


def test_buckets_that_overlap_each_have_all_their_rows(lab):
    buckets = (Window(day(0), day(2)), Window(day(1), day(3)), Window(day(2), day(4)))
    assert [layer.numbers.tolist() for layer in layers_of(buckets)] == [[0, 2], [1]]
    monitor = lab.monitor(p=signal(lab))
    production, roles = Readings(lab.spark).opened(monitor.signals[0].production, Span())
    assert {window: each.ids for window, each in count_duplicates(production, roles, buckets).items()} == dict.fromkeys(
        buckets, 2 * PER_DAY
    )


# ------------------------------------------------------------------------------------------------------- segments


def rows_of(segment: dict | None, time: datetime) -> pd.DataFrame:
    rows = predictions().merge(labels(late=False), on="id", how="left")
    rows = rows[(rows["at"] >= time - 2 * DAY) & (rows["at"] < time)]
    return rows if segment is None else rows[segment["keep"](rows)]


SEGMENTS = {
    "all": None,
    "california": {"filters": [{"tag": "state", "value": "CA"}], "keep": lambda rows: rows["state"] == "CA"},
    "sure": {
        "filters": [{"dimension": "prediction_score", "operator": "greater_than", "value": 0.7}],
        "keep": lambda rows: rows["score"] > 0.7,
    },
    "true": {
        "filters": [{"dimension": "actual_class", "value": 1}, {"tag": "state", "values": ["NY", "TX"]}],
        "keep": lambda rows: (rows["true"] == 1) & rows["state"].isin(["NY", "TX"]),
    },
    "nobody": {"filters": [{"tag": "state", "value": "ZZ"}], "keep": lambda rows: rows["state"] == "ZZ"},
}


def test_segments_are_what_pandas_finds_in_one_join(lab):
    signals = {
        name: signal(lab, days=2, **({"filters": each["filters"]} if each else {})) for name, each in SEGMENTS.items()
    }
    found = lab.evaluate(lab.monitor(**signals), day(6))
    rows = by_name(found)
    for name, segment in SEGMENTS.items():
        wanted = rows_of(segment, day(6))
        done = wanted.dropna(subset=["true"])
        coverage, accuracy = (rows[name, "said", metric] for metric in ("ground_truth_coverage", "accuracy"))
        assert coverage.row_count == len(wanted), name
        if len(done):
            assert coverage.metric_value == pytest.approx(len(done) / len(wanted))
            assert accuracy.metric_value == pytest.approx((done["said"] == done["true"]).mean())
        else:
            assert accuracy.metric_value is None
            assert accuracy.reason
    assert found.run.spark_jobs == lab.evaluate(lab.monitor(one=signals["all"]), day(6)).run.spark_jobs


def test_predictions_that_carry_their_labels_are_filtered_by_both(lab, tmp_path):
    both = predictions().merge(labels(late=False), on="id", how="left")
    lab.write("both", both)
    roles = {"timestamp": "at", "prediction": "said", "score": "score", "actual": "true"}
    window = {"lookback_window_size": "P2D", "lookback_window_offset": "P0D"}
    of_labels = SEGMENTS["true"]
    assert of_labels is not None
    keys = signal(lab, days=2, filters=of_labels["filters"])
    keys |= {"production_data": lab.data("both", window, **roles)}
    del keys["reference_data"]
    row = by_name(lab.evaluate(lab.monitor(p=keys), day(6)))["p", "said", "accuracy"]
    done = rows_of(of_labels, day(6))
    assert (row.metric_value, row.row_count) == (pytest.approx((done["said"] == 1).mean()), len(done))


def test_a_filter_on_a_missing_column_is_an_error_of_its_signal_only(lab):
    wrong = signal(lab, filters=[{"tag": "stat", "value": "CA"}])
    found = lab.evaluate(lab.monitor(right=signal(lab), wrong=wrong), day(6))
    statuses = {name: {row.status for row in found.rows if row.signal == name} for name in ("right", "wrong")}
    assert statuses["wrong"] == {Status.ERROR}
    assert Status.ERROR not in statuses["right"]
    assert "did you mean 'state'" in found.errors[0]


def test_a_column_that_cannot_be_read_takes_no_other_signal_along(lab):
    path = lab.folder / "predictions" / "part-0.parquet"
    pq.write_table(pq.read_table(path), path, compression="none", use_dictionary=False)
    of_minutes = next(
        column for column in map(pq.read_metadata(path).row_group(0).column, range(6))
        if column.path_in_schema == "minutes"
    )  # fmt: skip
    with path.open("r+b") as file:
        file.seek(of_minutes.data_page_offset)
        file.write(b"\xff" * 30)  # where the page says what it is
    found = lab.evaluate(lab.monitor(labels=signal(lab), minutes=signal(lab, kind="regression")), day(6))
    statuses = {name: {row.status for row in found.rows if row.signal == name} for name in ("labels", "minutes")}
    assert statuses["minutes"] == {Status.ERROR}
    assert Status.ERROR not in statuses["labels"]
    assert "part-0.parquet" in found.errors[0]
