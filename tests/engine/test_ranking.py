"""Ranked items are scored by group, as scikit-learn and a pencil would, whenever their labels arrive."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import ndcg_score, roc_auc_score

from engine import performance
from engine.errors import DefinitionError
from engine.results import Status
from engine.run import Due, evaluate_together
from engine.store import Store
from tests.engine.labs import Lab, assert_same_rows, by_name, numbers_of, values

START = datetime(2024, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
DAYS, QUERIES = 6, 12
METRICS = ["ndcg", "mean_average_precision", "mean_reciprocal_rank", "ranking_precision", "ranking_recall"]


def day(number: int) -> datetime:
    return START + number * DAY


def predictions() -> pd.DataFrame:
    """Queries of one to nine items within two hours, some of them over midnight; some rows without query or score."""
    random = np.random.default_rng(11)
    rows = []
    for number in range(DAYS * QUERIES):
        at = START + timedelta(hours=24 * number / QUERIES + random.uniform(0, 1.9))
        places = random.permutation(random.integers(1, 10)) + 1
        rows += [
            {"at": at + timedelta(minutes=float(random.uniform(0, 120))), "query": f"q{number}",
             "score": round(1 / place + random.uniform(0, 0.01), 6), "place": place}
            for place in places.tolist()
        ]  # fmt: skip
    found = pd.DataFrame(rows)
    found["id"] = [f"id {number}" for number in range(len(found))]
    found["device"] = random.choice(["phone", "desk"], len(found))
    found.loc[random.random(len(found)) < 0.03, "score"] = None
    found.loc[random.random(len(found)) < 0.03, "query"] = None
    return found


def labels(late: bool | None = None) -> pd.DataFrame:
    """Relevances 0 to 3 of most items, known within hours, or for every third item after days; not of all queries."""
    random = np.random.default_rng(12)
    rows = predictions()
    n = len(rows)
    relevance = np.where(random.random(n) < 0.6, 0.0, random.choice([0.5, 1.0, 3.0, -1.0], n))
    slow = np.arange(n) % 3 == 0
    wait = np.where(slow, 40.0, 3.0)
    truth = pd.DataFrame({
        "id": rows["id"], "relevance": relevance, "known": rows["at"] + pd.to_timedelta(wait, unit="h"),
        "clicked": np.where(relevance > 0, "click", "nothing"),
    })  # fmt: skip
    some = (random.random(n) < 0.8) & ~rows["query"].isin(["q3", "q20", "q33"])
    return truth[some & (True if late is None else slow == late)]


def signal(lab: Lab, days: int = 1, at: Sequence[object] = (10, 3, "all"), **changes) -> dict:
    window = {"lookback_window_size": f"P{days}D", "lookback_window_offset": "P0D"}
    roles = {"timestamp": "at", "correlation_id": "id", "score": "score", "group": "query"}
    thresholds: dict[str, object] = {name: [{"at": each} for each in at] for name in METRICS}
    return {
        "type": "model_performance",
        "production_data": lab.data("predictions", window, **roles | changes.pop("roles", {})),
        "reference_data": lab.data(
            "truth", timestamp="known", correlation_id="id", actual=changes.pop("actual", "relevance")
        ),
        "metric_thresholds": {"ranking": thresholds | {"group_auc": None}},
        **changes,
    }


# ------------------------------------------------------------------------------------------------------ the oracle


def expected(start: datetime, end: datetime, at: Sequence[object] = (10, 3, "all"), until=None, by="score", rows=None):
    rows = predictions() if rows is None else rows
    truth = labels() if until is None else labels()[lambda each: each["known"] <= until]
    rows = rows[(rows["at"] >= start) & (rows["at"] < end)].merge(truth, on="id", how="left")
    groups = [
        (own["relevance"].fillna(0).clip(0).to_numpy(), -own[by].fillna(99).to_numpy() if by == "place"
         else own[by].fillna(-1).to_numpy())
        for _, own in rows.groupby("query") if own["relevance"].notna().any() and own[by].notna().any()
    ]  # fmt: skip
    found = {}
    for k in at:
        scores = [scores_of(gain, score, len(gain) if k == "all" else k) for gain, score in groups]
        group = by if k == "all" else f"{by}@{k}"
        for metric, column in zip(METRICS, zip(*scores, strict=True), strict=True):
            found[group, metric] = np.nanmean(column)
    both = [(gain > 0, score) for gain, score in groups if 0 < (gain > 0).sum() < len(gain)]
    aucs = [roc_auc_score(hits, score) for hits, score in both]
    found[by, "group_auc"] = np.average(aucs, weights=[len(hits) for hits, _ in both])
    return found


def scores_of(gain: np.ndarray, score: np.ndarray, k: int) -> tuple[float, ...]:
    """By hand; the scores of these data have no ties but missing ones, which are never two in a group."""
    hits = (gain > 0)[np.argsort(-score, kind="stable")]
    if not hits.any():
        return np.nan, np.nan, np.nan, 0.0, np.nan
    ndcg = ndcg_score([gain], [score], k=k) if len(gain) > 1 else 1.0
    precisions = [hits[: place + 1].mean() for place in np.flatnonzero(hits[:k])]
    first = np.flatnonzero(hits)[0] + 1
    return (ndcg, sum(precisions) / min(hits.sum(), k), 1 / first if first <= k else 0.0, hits[:k].sum() / k,
            hits[:k].sum() / hits.sum())  # fmt: skip


def ranked(evaluation) -> dict[tuple[str, str], float]:
    return {(group, metric): value for (_, group, metric), value in values(evaluation).items()
            if metric in (*METRICS, "group_auc")}  # fmt: skip


@pytest.fixture
def lab(spark, tmp_path) -> Lab:
    lab = Lab(spark, tmp_path)
    rows = predictions()
    for part in range(3):  # a group's rows are in several files
        lab.write("predictions", rows[part::3])
    return lab


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store")


# ------------------------------------------------------------------------------------------------------ the story


@pytest.mark.parametrize("days", [1, 3])
def test_scores_are_those_of_the_windows_groups(lab, days):
    lab.write("truth", labels())
    times = [day(number) for number in range(3, 6)]
    over_midnight = predictions().groupby("query")["at"].agg(lambda at: at.dt.date.nunique()) > 1
    assert over_midnight.sum() > 2, "they are whole in a window that holds them, and cut by one that does not"
    for evaluation, time in zip(lab.evaluate_all(lab.monitor(p=signal(lab, days)), times), times, strict=True):
        assert ranked(evaluation) == pytest.approx(expected(time - days * DAY, time))


def test_a_rank_wins_over_a_score(lab):
    lab.write("truth", labels())
    found = lab.evaluate(lab.monitor(p=signal(lab, roles={"rank": "place", "score": None})), day(4))
    assert ranked(found) == pytest.approx(expected(day(3), day(4), by="place"))


def test_a_row_says_what_it_stands_on(lab):
    lab.write("truth", labels())
    thresholds = {"ranking": {"ndcg": {"threshold": 0.999, "at": 5}, "mrr": 0.0}}
    rows = by_name(lab.evaluate(lab.monitor(p=signal(lab, 3, metric_thresholds=thresholds)), day(4)))
    ndcg = rows["p", "score@5", "ndcg"]
    assert (ndcg.status, ndcg.operator) == (Status.BREACHED, "less_than")
    low, value, high = numbers_of(ndcg)
    assert low < value < high
    own = predictions()[lambda each: (each["at"] >= day(1)) & (each["at"] < day(4))]
    labelled = own.merge(labels(), on="id", how="left").groupby("query")["relevance"].agg(["count", "max"])
    assert ndcg.details["groups"] == (labelled["max"] > 0).sum()
    assert ndcg.details["groups_without_label"] == (labelled["count"] == 0).sum() > 0
    assert ndcg.details["rows_without_group"] == own["query"].isna().sum() > 0
    assert rows["p", "score@10", "mean_reciprocal_rank"].status is Status.OK, "ten items where nothing is said"


def test_the_label_that_makes_an_item_relevant_may_be_named(lab):
    lab.write("truth", labels())
    found = lab.evaluate(lab.monitor(p=signal(lab, actual="clicked", positive_class="click")), day(4))
    oracle = expected(day(3), day(4))
    same = [name for name in oracle if name[1] != "ndcg"]  # all clicks are worth the same
    assert {name: ranked(found)[name] for name in same} == pytest.approx({name: oracle[name] for name in same})


def test_labels_that_are_no_numbers_have_to_be_named(lab):
    lab.write("truth", labels())
    found = lab.evaluate(lab.monitor(p=signal(lab, actual="clicked")), day(4))
    reasons = {row.reason for row in found.rows if row.metric_name in METRICS}
    assert len(reasons) == 1
    assert "say which is the positive_class" in reasons.pop()


def test_a_group_is_what_passes_the_filters(lab):
    lab.write("truth", labels())
    found = lab.evaluate(lab.monitor(p=signal(lab, filters=[{"tag": "device", "value": "phone"}])), day(4))
    rows = predictions()[lambda each: each["device"] == "phone"]
    assert ranked(found) == pytest.approx(expected(day(3), day(4), rows=rows))
    assert {row.group_dimension for row in found.rows} == {'device = "phone"'}


@pytest.mark.parametrize("at_once", [1, 10])
def test_no_group_is_taken_apart_where_rows_come_in_many_batches(lab, monkeypatch, at_once):
    lab.write("truth", labels())
    monkeypatch.setattr(performance, "AT_ONCE", at_once)
    lab.spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "4")
    try:
        found = lab.evaluate(lab.monitor(p=signal(lab, 3)), day(4))
    finally:
        lab.spark.conf.unset("spark.sql.execution.arrow.maxRecordsPerBatch")
    assert ranked(found) == pytest.approx(expected(day(1), day(4)))
    rows = by_name(found)
    own = predictions()[lambda each: (each["at"] >= day(1)) & (each["at"] < day(4))]
    assert rows["p", "score", "ndcg"].details["rows_without_group"] == own["query"].isna().sum()


def test_predictions_may_carry_their_relevance_already(lab):
    lab.write("both", predictions().merge(labels(), on="id", how="left"))
    keys = signal(lab)
    del keys["reference_data"]
    keys["production_data"]["input_data"] = {"path": "both"}
    keys["production_data"]["data_column_names"]["actual"] = "relevance"
    assert ranked(lab.evaluate(lab.monitor(p=keys), day(4))) == pytest.approx(expected(day(3), day(4)))


def test_ids_ranks_and_relevances_of_any_type_are_read(spark, tmp_path):
    lab = Lab(spark, tmp_path)
    at = [day(3) + timedelta(hours=number) for number in range(8)]
    whole = pd.DataFrame({"at": at[:4], "id": range(4), "query": [17, 17, 18, 18], "place": ["1", "2", "1", "first"]})
    parts = pd.DataFrame({"at": at[4:], "id": range(4, 8), "query": [17.0, 18.0, np.nan, 19.0], "place": ["3"] * 4})
    lab.write("predictions", whole)
    lab.write("predictions", parts)
    relevant = [False, True, True, True, True, False, True, None]
    lab.write("truth", pd.DataFrame({"id": [float(number) for number in range(8)], "known": at, "relevance": relevant}))
    rows = by_name(
        lab.evaluate(lab.monitor(p=signal(lab, 1, ["all", 1], roles={"rank": "place", "score": None})), day(4))
    )
    # Of 17 the second and third item are relevant, of 18 the first and the one without a rank, which comes last.
    assert rows["p", "place", "mean_reciprocal_rank"].metric_value == pytest.approx((1 / 2 + 1) / 2)
    assert rows["p", "place", "mean_average_precision"].metric_value == pytest.approx(
        ((1 / 2 + 2 / 3) / 2 + (1 + 2 / 3) / 2) / 2
    )
    row = rows["p", "place@1", "ranking_precision"]
    assert row.metric_value == pytest.approx(0.5)
    assert row.details["rows_without_group"] == row.details["groups_without_label"] == 1
    assert row.details["items_without_score"] == 1


def test_a_window_without_rows_or_labels_says_so(lab):
    lab.write("truth", labels()[lambda each: each["known"] < day(2)])
    nothing = by_name(lab.evaluate(lab.monitor(p=signal(lab)), day(20)))
    assert nothing["p", "score@10", "ndcg"].status is Status.NO_DATA
    unlabelled = by_name(lab.evaluate(lab.monitor(p=signal(lab)), day(4)))
    assert unlabelled["p", "score@10", "ndcg"].status is Status.UNDEFINED
    assert "no labelled groups" in (unlabelled["p", "score@10", "ndcg"].reason or "")


def test_a_missing_column_is_a_clear_error(lab):
    lab.write("truth", labels())
    found = lab.evaluate(lab.monitor(p=signal(lab, roles={"group": "qeury"}), q=signal(lab)), day(4))
    wrong = [row for row in found.rows if row.signal == "p"]
    assert {row.status for row in wrong} == {Status.ERROR}
    assert "no column 'qeury' (its group); did you mean 'query'?" in wrong[0].reason
    assert ranked_of(found, "q") == pytest.approx(expected(day(3), day(4)))


def ranked_of(evaluation, signal_name: str) -> dict[tuple[str, str], float]:
    return {(group, metric): value for (name, group, metric), value in values(evaluation).items()
            if name == signal_name and metric in (*METRICS, "group_auc")}  # fmt: skip


def test_two_ways_to_group_and_other_metrics_go_side_by_side(lab):
    lab.write("truth", labels())
    both = {"regression": {"mae": None}, "ranking": {"ndcg": {"at": 3}}}
    by_device, beside = {"group": "device"}, {"prediction": "place"}
    monitor = lab.monitor(
        p=signal(lab), q=signal(lab, roles=by_device), r=signal(lab, metric_thresholds=both, roles=beside)
    )
    found, oracle = lab.evaluate(monitor, day(4)), expected(day(3), day(4))
    of_devices = expected(day(3), day(4), rows=predictions().assign(query=lambda each: each["device"]))
    assert ranked_of(found, "p") == pytest.approx(oracle)
    q = ranked_of(found, "q")
    assert q["score@3", "ranking_precision"] == pytest.approx(of_devices["score@3", "ranking_precision"])
    assert ranked_of(found, "r") == pytest.approx({("score@3", "ndcg"): oracle["score@3", "ndcg"]})
    own = predictions().merge(labels(), on="id")[lambda each: (each["at"] >= day(3)) & (each["at"] < day(4))]
    error = (own["place"] - own["relevance"]).abs().mean()
    assert values(found)["r", "place", "mean_absolute_error"] == pytest.approx(error)


# ------------------------------------------------------------------------------------------------------ late labels


def run(lab: Lab, monitor, times: Sequence[datetime], store: Store):
    return evaluate_together(lab.spark, [Due(monitor, tuple(times))], store=store, revise=True)[0]


def test_labels_that_arrive_later_revise_the_days_that_they_are_about(lab, store):
    lab.write("truth", labels(late=False))
    monitor = lab.monitor(p=signal(lab))
    before = ranked(run(lab, monitor, [day(number) for number in range(1, 5)], store)[2])
    of_day = predictions()[lambda each: (each["at"] >= day(2)) & (each["at"] < day(3))]["id"]
    lab.write("truth", labels(late=True)[lambda each: each["id"].isin(of_day)])
    revised, _ = run(lab, monitor, [day(5)], store)
    assert revised.run.scheduled_for == day(3)
    assert_same_rows(revised, lab.evaluate(monitor, day(3)))
    assert ranked(revised) == pytest.approx(expected(day(2), day(3)))
    assert ranked(revised) != before


@pytest.mark.parametrize("days", [1, 3])
def test_a_label_counts_until_the_windows_cutoff_in_a_backfill_as_in_runs_one_by_one(lab, days):
    lab.write("truth", labels())
    monitor = lab.monitor(p=signal(lab, days, ground_truth={"max_delay": "PT12H"}))
    times = [day(number) for number in range(2, 6)]
    for evaluation, time in zip(lab.evaluate_all(monitor, times), times, strict=True):
        assert ranked(evaluation) == pytest.approx(expected(time - days * DAY, time, until=time + DAY / 2))
        assert_same_rows(evaluation, lab.evaluate(monitor, time))


@pytest.mark.parametrize("rules", [{}, {"max_delay": "PT12H"}])
def test_what_is_kept_is_not_read_again(lab, store, rules):
    lab.write("truth", labels())
    monitor = lab.monitor(p=signal(lab, 3, ground_truth=rules))
    first = run(lab, monitor, [day(4)], store)[0]
    again = run(lab, monitor, [day(4)], store)[0]
    assert again.run.rows_read == 0
    assert_same_rows(again, first)


# ------------------------------------------------------------------------------------------------------ definitions


def problems(lab: Lab, **changes) -> str:
    with pytest.raises(DefinitionError) as caught:
        lab.monitor(p=signal(lab, **changes))
    return str(caught.value)


def test_what_ranking_needs_is_asked_for(lab):
    assert "which column says what an item is an item of?" in problems(lab, roles={"group": None})
    assert "which column is the rank, or the score?" in problems(lab, roles={"score": None, "prediction": "score"})


@pytest.mark.parametrize(("thresholds", "message"), [
    ({"ndcg": {"at": 0}}, "ndcg.at: 0 is neither a number of items nor all"),
    ({"ndcg": {"at": True}}, "ndcg.at: True is neither a number of items nor all"),
    ({"ndcg": {"at": "most"}}, "ndcg.at: 'most' is neither a number of items nor all"),
    ({"group_auc": {"at": 5}}, "group_auc is not a metric of the first items"),
    ({"ndcg": [{"at": 10}, 0.5]}, "is a second threshold of the same metric"),
    ({"ndgc": 0.5}, "did you mean ndcg?"),
    ({"accuracy": 0.5}, "it belongs to classification of model_performance"),
])  # fmt: skip
def test_what_cannot_be_meant_is_refused(lab, thresholds, message):
    assert message in problems(lab, metric_thresholds={"ranking": thresholds})


def test_the_task_ranking_has_metrics_of_its_own(lab):
    lab.write("truth", labels())
    keys = signal(lab)
    del keys["metric_thresholds"]
    body = {"monitoring_target": {"ml_task": "ranking"}, "monitoring_signals": {"p": keys}}
    trigger = {"type": "recurrence", "frequency": "day", "interval": 1}
    monitor = type(lab.monitor(p=signal(lab))).from_dict(
        {"name": "lab", "trigger": trigger, "create_monitor": body}, lab.folder
    )
    oracle = expected(day(3), day(4))
    wanted = [("score@10", name) for name in METRICS[:3]]
    assert ranked(lab.evaluate(monitor, day(4))) == pytest.approx({name: oracle[name] for name in wanted})
