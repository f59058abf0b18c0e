"""A segment beside a base segment: what pandas says of the raw rows, one row of results for each of them."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from engine.errors import DefinitionError
from engine.results import Status
from engine.run import Due, evaluate_together
from engine.store import Store
from tests.engine.labs import Lab, assert_same_rows, by_name, numbers_of, values

START = datetime(2024, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
PARITIES = ["recall_parity", "false_positive_rate_parity", "disparate_impact"]
ROLES = {"timestamp": "at", "correlation_id": "id", "prediction": "said"}


def day(number: int) -> datetime:
    return START + number * DAY


def predictions(n: int = 1_500) -> pd.DataFrame:
    """Five days; some people's sex is not known."""
    random = np.random.default_rng(21)
    sex = np.array(["male", "female", "other", None])[random.choice(4, n, p=[0.5, 0.35, 0.1, 0.05])]
    return pd.DataFrame({
        "at": [START + timedelta(seconds=int(each)) for each in random.integers(0, 5 * 86_400, n)],
        "id": [f"id {number}" for number in range(n)], "sex": sex, "state": random.choice(["CA", "NY"], n),
        "said": (random.random(n) < np.where(sex == "female", 0.25, 0.5)).astype(int),
    })  # fmt: skip


def labels(late: bool | None = None) -> pd.DataFrame:
    """Of four rows of five, every fourth of them after days."""
    random = np.random.default_rng(22)
    rows = predictions()
    slow = np.arange(len(rows)) % 4 == 0
    truth = pd.DataFrame({
        "id": rows["id"], "true": (random.random(len(rows)) < 0.3 + 0.3 * rows["said"]).astype(int),
        "known": rows["at"] + pd.to_timedelta(np.where(slow, 60, 2), unit="h"),
    })  # fmt: skip
    return truth[(random.random(len(rows)) < 0.8) & (True if late is None else slow == late)]


def expected(name: str, segment, base, end: datetime, days: int = 1, truth: pd.DataFrame | None = None) -> dict:
    rows = predictions()
    rows = rows[(rows["at"] >= end - days * DAY) & (rows["at"] < end)]
    rows = rows.merge(labels() if truth is None else truth, on="id", how="left")
    shares = []
    for mask in (segment(rows), base(rows)):
        own = rows[mask]
        shares.append((own[own["true"] == 1]["said"].mean(), own[own["true"] == 0]["said"].mean(), own["said"].mean()))
    ratios = [one / other for one, other in zip(*shares, strict=True)]
    return {(f"said of {name}", metric): ratio for metric, ratio in zip(PARITIES, ratios, strict=True)}


def of_sex(*values: str):
    return lambda rows: rows["sex"].isin(values)


BLOCK = {"tag": "sex", "values": ["female", "other"], "base": "male"}


def signal(lab: Lab, days: int = 1, fairness: object = BLOCK, **changes) -> dict:
    window = {"lookback_window_size": f"P{days}D", "lookback_window_offset": "P0D"}
    keys = {
        "type": "model_performance",
        "production_data": lab.data("predictions", window, **ROLES),
        "reference_data": lab.data("truth", timestamp="known", correlation_id="id", actual="true"),
        **changes,
    }
    return keys if fairness is None else keys | {"fairness": fairness}


def parities(evaluation) -> dict[tuple[str, str], float]:
    return {(group, metric): value for (_, group, metric), value in values(evaluation).items() if metric in PARITIES}


@pytest.fixture
def lab(spark, tmp_path) -> Lab:
    lab = Lab(spark, tmp_path)
    lab.write("predictions", predictions())
    return lab


def test_each_value_is_compared_with_the_base(lab):
    lab.write("truth", labels())
    monitor = lab.monitor(p=signal(lab, 2))
    times = [day(number) for number in range(2, 6)]
    for evaluation, time in zip(lab.evaluate_all(monitor, times), times, strict=True):
        male = of_sex("male")
        oracle = expected("sex = female", of_sex("female"), male, time, 2)
        assert parities(evaluation) == pytest.approx(oracle | expected("sex = other", of_sex("other"), male, time, 2))


def test_a_row_says_which_segment_and_what_it_stands_on(lab):
    lab.write("truth", labels())
    rows = by_name(lab.evaluate(lab.monitor(p=signal(lab, 5, filters=[{"tag": "state", "value": "CA"}])), day(5)))
    row = rows["p", "said of sex = female", "disparate_impact"]
    own = predictions()[lambda each: (each["state"] == "CA") & (each["sex"] == "female")]
    assert (row.row_count, row.group_dimension) == (len(own), 'sex = "female" and state = "CA"')
    assert row.details["base_segment"] == 'sex = "male" and state = "CA"'
    assert (row.status, row.threshold_kind, row.operator) == (Status.BREACHED, "range", "less_than")
    low, value, high = numbers_of(row)
    assert low < value < high < 0.8
    recall = rows["p", "said of sex = female", "recall_parity"]
    assert recall.row_count == own["id"].isin(labels()["id"]).sum()
    assert rows["p", "said", "ground_truth_coverage"].group_dimension == 'state = "CA"'


def test_metrics_of_all_rows_go_beside_it_in_one_join(lab):
    lab.write("truth", labels())
    thresholds = {"classification": {"accuracy": None}, "fairness": {"recall_parity": {"low": 0.5, "high": 2}}}
    alone = signal(lab, fairness=None, metric_thresholds={"classification": {"accuracy": None}})
    found, plain = (
        lab.evaluate(lab.monitor(p=each), day(3)) for each in (signal(lab, metric_thresholds=thresholds), alone)
    )
    assert (found.run.spark_jobs, found.run.rows_read) == (plain.run.spark_jobs, plain.run.rows_read)
    assert {name: values(found)[name] for name in values(plain)} == values(plain)
    assert set(parities(found)) == {(f"said of sex = {sex}", "recall_parity") for sex in ("female", "other")}


def test_any_segment_may_be_compared_with_any_other(lab):
    lab.write("truth", labels())
    long = {
        "name": "women in California",
        "segment": [{"tag": "sex", "value": "female"}, {"tag": "state", "value": "CA"}],
        "base_segment": {"tag": "state", "value": "NY"},
    }
    others = {"tag": "sex", "base": ["male", "other"]}
    found = lab.evaluate(lab.monitor(p=signal(lab, 5, [long, others])), day(5))
    oracle = expected("women in California", lambda rows: (rows["sex"] == "female") & (rows["state"] == "CA"),
                      lambda rows: rows["state"] == "NY", day(5), 5)  # fmt: skip
    oracle |= expected("sex other than male, other", lambda rows: ~rows["sex"].isin(["male", "other"]),
                       of_sex("male", "other"), day(5), 5)  # fmt: skip
    assert parities(found) == pytest.approx(oracle)


def test_predictions_that_are_not_labelled_yet_have_a_disparate_impact(lab):
    lab.write("truth", labels()[lambda each: each["known"] < day(1)])
    rules = {"min_coverage": 0.5}
    rows = by_name(lab.evaluate(lab.monitor(p=signal(lab, ground_truth=rules)), day(4)))
    impact = rows["p", "said of sex = female", "disparate_impact"]
    assert impact.metric_value == pytest.approx(
        expected("sex = female", of_sex("female"), of_sex("male"), day(4))["said of sex = female", "disparate_impact"]
    )
    recall = rows["p", "said of sex = female", "recall_parity"]
    assert recall.status is Status.INSUFFICIENT_DATA
    assert "are labelled, less than min_coverage" in (recall.reason or "")


def test_an_empty_segment_and_a_missing_column_are_rows_that_say_so(lab):
    lab.write("truth", labels())
    blocks = [
        BLOCK | {"values": ["female", "martian"]},
        {"tag": "sexx", "base": "male"},
        {"tag": "state", "base": "TX"},
    ]
    thresholds = {"classification": {"accuracy": None}, "fairness": {"recall_parity": None}}
    rows = by_name(lab.evaluate(lab.monitor(p=signal(lab, 1, blocks, metric_thresholds=thresholds)), day(3)))
    answer = {group: row for (_, group, metric), row in rows.items() if metric == "recall_parity"}
    assert answer["said of sex = martian"].status is Status.NO_DATA
    assert answer["said of sexx other than male"].status is Status.ERROR
    assert "no column 'sexx'; did you mean 'sex'?" in (answer["said of sexx other than male"].reason or "")
    assert answer["said of state other than TX"].status is Status.UNDEFINED
    assert answer["said of state other than TX"].reason == "there are no labelled rows in the base segment"
    assert answer["said of sex = female"].status is Status.OK
    assert rows["p", "said", "accuracy"].metric_value is not None


def test_where_nothing_can_be_read_each_segment_says_so(lab):
    nowhere = lab.data("nowhere", correlation_id="id", actual="true")
    lab.write("truth", labels())
    rows = by_name(lab.evaluate(lab.monitor(other=signal(lab, reference_data=nowhere), p=signal(lab)), day(3)))
    for sex in ("female", "other"):
        row = rows["other", f"said of sex = {sex}", "recall_parity"]
        assert row.status is Status.ERROR
        assert "nowhere" in (row.reason or "")


def test_a_base_of_too_few_rows_judges_nobody(lab):
    lab.write("truth", labels())
    block = {"tag": "sex", "values": ["male"], "base": ["other"]}
    rows = by_name(lab.evaluate(lab.monitor(p=signal(lab, 1, block, min_rows=60)), day(3)))
    row = rows["p", "said of sex = male", "disparate_impact"]
    assert row.status is Status.INSUFFICIENT_DATA
    assert "rows of the base segment, fewer than min_rows = 60" in (row.reason or "")


def test_labels_that_arrive_later_revise_the_comparison_too(lab, tmp_path):
    store = Store(tmp_path / "store")
    lab.write("truth", labels(late=False))
    monitor = lab.monitor(p=signal(lab))
    evaluate_together(lab.spark, [Due(monitor, tuple(day(number) for number in range(1, 4)))], store=store, revise=True)
    of_day = predictions()[lambda each: (each["at"] >= day(1)) & (each["at"] < day(2))]["id"]
    more = labels(late=True)[lambda each: each["id"].isin(of_day)]
    lab.write("truth", more)
    revised, _ = evaluate_together(lab.spark, [Due(monitor, (day(4),))], store=store, revise=True)[0]
    assert revised.run.scheduled_for == day(2)
    truth = pd.concat([labels(late=False), more])
    oracle = expected("sex = female", of_sex("female"), of_sex("male"), day(2), truth=truth)
    assert {name: parities(revised)[name] for name in oracle} == pytest.approx(oracle)
    assert_same_rows(revised, lab.evaluate(monitor, day(2)))
    again = evaluate_together(lab.spark, [Due(monitor, (day(4),))], store=store, revise=True)[0]
    assert [(each.run.scheduled_for, each.run.rows_read) for each in again] == [(day(4), 0)]


@pytest.mark.parametrize(("changes", "message"), [
    ({"fairness": {"tag": "sex"}}, "base: is missing"),
    ({"fairness": {"base": "male"}}, "feature: is missing (which column tells people apart?)"),
    ({"fairness": {"tag": "sex", "feature": "sex", "base": "male"}}, "tag: cannot go with feature"),
    ({"fairness": {"tag": "sex", "values": ["male"], "base": "male"}}, "'male' is in the base, too"),
    ({"fairness": {"name": "x", "tag": "sex"}}, "segment: is missing"),
    ({"fairness": [BLOCK, BLOCK]}, "'sex = female' is compared twice"),
    ({"fairness": None, "metric_thresholds": {"fairness": {"recall_parity": None}}},
     "fairness: is missing (which segment is compared with which?)"),
    ({"metric_thresholds": {"fairness": {"recall_parity": 0.8}}}, "needs an operator"),
])  # fmt: skip
def test_what_cannot_be_meant_is_refused(lab, changes, message):
    with pytest.raises(DefinitionError) as caught:
        lab.monitor(p=signal(lab, **changes))
    assert message in str(caught.value)
