"""Token statistics from logged counts, day by day and model by model, against pandas on the raw rows."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from engine.errors import DataError
from engine.results import Status
from tests.engine.labs import NOW, Lab, by_name

DAY = timedelta(days=1)


@pytest.fixture
def lab(spark, tmp_path) -> Lab:
    return Lab(spark, tmp_path)


@pytest.fixture
def requests() -> pd.DataFrame:
    random = np.random.default_rng(3)
    size = 600
    frame = pd.DataFrame({
        "at": pd.date_range(NOW - 3 * DAY, periods=size, freq=3 * DAY / size).astype("datetime64[us, UTC]"),
        "model": np.array(["large", "small", None])[random.integers(0, 3, size)],
        "prompt_tokens": pd.array(random.integers(1, 2_000, size), "Int64"),
        "completion_tokens": pd.array(random.integers(1, 500, size), "Int64"),
    })  # fmt: skip
    frame.loc[random.random(size) < 0.1, "completion_tokens"] = pd.NA  # an embedding has no completion
    return frame


def signal(lab: Lab, thresholds: dict | None = None, source: str = "requests", **roles: str) -> dict:
    found = {"type": "generation_token_statistics", "production_data": lab.data(source, timestamp="at", **roles)}
    return found | ({"metric_thresholds": {"totaltoken": thresholds}} if thresholds else {})


def test_sums_and_means_of_each_day_are_those_of_the_raw_rows(lab, requests):
    lab.write("requests", requests.iloc[:400])
    lab.write("requests", requests.iloc[400:])
    thresholds = {"total_token_count": 1, "total_token_count_per_group": 100_000, "average_token_count": 1e6}
    times = [NOW - 2 * DAY, NOW - DAY, NOW]
    found = lab.evaluate_all(lab.monitor(tokens=signal(lab, thresholds)), times)

    for evaluation, time in zip(found, times, strict=True):
        day = requests[(requests["at"] >= time - DAY) & (requests["at"] < time)]
        prompt, completion = day["prompt_tokens"], day["completion_tokens"]
        total = prompt + completion.fillna(0)
        rows = by_name(evaluation)
        assert {name[2]: row.metric_value for name, row in rows.items() if name[1] == "dataset"} == {
            "total_token_count": total.sum(),
            "total_prompt_count": prompt.sum(),
            "total_completion_count": completion.sum(),
            "average_token_count": pytest.approx(total.mean()),
            "average_prompt_count": pytest.approx(prompt.mean()),
            "average_completion_count": pytest.approx(completion.mean()),
        }
        assert {name[1]: row.metric_value for name, row in rows.items() if name[1] != "dataset"} == {
            model: total[day["model"].fillna("null") == model].sum() for model in ("large", "small", "null")
        }
        whole, large = (
            rows["tokens", "dataset", "total_token_count"],
            rows["tokens", "large", "total_token_count_per_group"],
        )
        assert (whole.breached, whole.operator, whole.row_count) == (True, "greater_than", len(day))
        assert large.breached is bool(total[day["model"] == "large"].sum() > 100_000)
        assert rows["tokens", "dataset", "average_token_count"].breached is False
        assert whole.details["logged"] == len(day)
        assert rows["tokens", "dataset", "total_prompt_count"].threshold_value is None
    assert found[0].run.spark_jobs is not None
    assert any("found 'model' to be the group" in note for note in found[0].run.notes)


def test_any_number_of_windows_is_one_scan(lab, requests):
    lab.write("requests", requests)
    monitor = lab.monitor(tokens=signal(lab))
    one = lab.evaluate(monitor).run.spark_jobs
    many = lab.evaluate_all(monitor, [NOW - each * DAY / 4 for each in range(8, -1, -1)])
    assert {each.run.spark_jobs for each in many} == {one}


def test_columns_go_by_the_names_that_are_given_and_a_logged_total_counts_as_it_is(lab):
    rows = pd.DataFrame({"at": [NOW - DAY / 2] * 3, "p": [1, 2, 3], "t": [10.0, None, 30.0], "team": ["a", "a", "b"]})
    lab.write("requests", rows)
    roles = {"prompt_count": "p", "total_count": "t", "group": "team"}
    rows = by_name(lab.evaluate(lab.monitor(tokens=signal(lab, **roles))))
    assert rows["tokens", "dataset", "total_token_count"].metric_value == 10 + 2 + 30
    assert rows["tokens", "a", "total_token_count_per_group"].metric_value == 12
    completion = rows["tokens", "dataset", "total_completion_count"]
    assert (completion.status, completion.reason) == (Status.UNDEFINED, "none of 3 requests logged it")


def test_what_is_no_count_was_not_logged(lab):
    counts = pa.array(["12", "-3", "many", None, "7.5", "8.0"])
    lab.write("requests", pa.table({"at": pa.array([NOW - DAY / 2] * 6), "prompt_tokens": counts}))
    rows = by_name(lab.evaluate(lab.monitor(tokens=signal(lab))))
    found = rows["tokens", "dataset", "total_prompt_count"]
    # A text column is read as text, number by number.
    assert (found.metric_value, found.details["logged"], found.row_count) == (20.0, 2, 6)
    assert rows["tokens", "dataset", "average_prompt_count"].metric_value == 10.0


def test_a_window_without_requests_has_no_data(lab, requests):
    lab.write("requests", requests)
    found = lab.evaluate(lab.monitor(tokens=signal(lab, {"total_token_count_per_group": 1})), NOW + 9 * DAY)
    assert {row.status for row in found.rows} == {Status.NO_DATA}
    assert {row.reason for row in found.rows} == {"there are no requests"}
    assert ("tokens", "dataset", "total_token_count_per_group") in by_name(found)


def test_groups_that_nothing_tells_are_said_where_they_are_asked_for(lab, requests):
    lab.write("requests", requests.drop(columns="model"))
    silent = by_name(lab.evaluate(lab.monitor(tokens=signal(lab))))
    assert len(silent) == 6
    asked = by_name(lab.evaluate(lab.monitor(tokens=signal(lab, {"total_token_count_per_group": 1}))))
    row = asked["tokens", "dataset", "total_token_count_per_group"]
    assert (row.status, row.reason) == (Status.UNDEFINED, "nothing tells the group: name data_column_names.group")


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        ({}, "tells no token counts: name data_column_names.prompt_tokens, completion_tokens"),
        ({"prompt_tokens": "wrods"}, "has no column 'wrods' (its prompt_tokens); did you mean 'words'?"),
    ],
)
def test_data_without_counts_is_said(lab, roles, said):
    lab.write("requests", pd.DataFrame({"at": [NOW - DAY / 2], "words": ["hello"]}))
    with pytest.raises(DataError) as raised:
        lab.evaluate(lab.monitor(tokens=signal(lab, **roles)))
    assert said in str(raised.value)
