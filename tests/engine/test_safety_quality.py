"""Answers are sampled, scored by a component of the user's own, and counted; nobody else judges them."""

import math
from collections.abc import Callable
from datetime import timedelta
from textwrap import dedent
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from engine.errors import DataError
from engine.results import Status
from engine.run import Evaluation
from tests.engine.labs import NOW, Lab, by_name

DAY = timedelta(days=1)
SIZE = 400
ROLES = {"timestamp": "at", "correlation_id": "id"}
LENGTH_SCORES = """
    from pyspark.sql import functions as F

    def run(production_data):
        return production_data.select(
            "correlation_id",
            (F.length("completion") % 6).alias("fluency"),
            F.when(F.col("context").isNotNull(), F.length("context") % 6).cast("double").alias("groundedness"),
        )
"""


@pytest.fixture
def answers(spark, tmp_path) -> pd.DataFrame:
    """Yesterday's questions, and the answers to them as another dataset."""
    random = np.random.default_rng(9)
    frame = pd.DataFrame({
        "id": [f"r{number}" for number in range(SIZE)],
        "at": pd.date_range(NOW - DAY, periods=SIZE, freq=DAY / SIZE).astype("datetime64[us, UTC]"),
        "question": "why",
        "answer": ["x" * size for size in random.integers(1, 60, SIZE)],
        "passages": ["y" * size if size else None for size in random.integers(0, 30, SIZE)],
    })  # fmt: skip
    lab = Lab(spark, tmp_path)
    lab.write("inputs", frame[["id", "at", "question", "passages"]])
    lab.write("outputs", frame[["id", "answer"]])
    return frame


@pytest.fixture
def evaluate(spark, tmp_path) -> Callable[..., Evaluation]:
    def run(code: str, time=NOW, **keys: Any) -> Evaluation:
        (tmp_path / "mine.py").write_text(dedent(code))
        lab = Lab(spark, tmp_path)
        return lab.evaluate(lab.monitor(quality=signal(lab, **keys)), time)

    return run


def signal(lab: Lab, **keys: Any) -> dict[str, Any]:
    data = [
        lab.data("inputs", **ROLES, context="passages"),
        lab.data("outputs", correlation_id="id"),
    ]
    usual = {"production_data": data, "metric_thresholds": thresholds(), "scoring_component": "mine:run"}
    return {"type": "generation_safety_quality", **usual, **keys}


def thresholds(**more: Any) -> dict[str, Any]:
    fluency = {"aggregated_fluency_pass_rate": 0.5, "acceptable_fluency_score_per_instance": 4}
    return {"fluency": fluency, "groundedness": {"aggregated_groundedness_pass_rate": 0.4}, **more}


def test_pass_rates_are_shares_of_the_scored_answers(evaluate, answers):
    rows = by_name(evaluate(LENGTH_SCORES))
    fluency = rows["quality", "dataset", "aggregated_fluency_pass_rate"]
    passed = int((answers["answer"].str.len() % 6 >= 4).sum())
    assert fluency.metric_value == passed / SIZE
    assert (fluency.breached, fluency.threshold_value, fluency.operator) == (passed / SIZE < 0.5, 0.5, "less_than")
    low, high = binomtest(passed, SIZE).proportion_ci(method="wilson")
    assert (fluency.interval_low, fluency.interval_high) == pytest.approx((low, high))
    assert (fluency.row_count, fluency.details["acceptable_score"], fluency.details["unscored"]) == (SIZE, 4.0, 0)

    grounded = rows["quality", "dataset", "aggregated_groundedness_pass_rate"]
    scored = answers["passages"].dropna()
    assert grounded.metric_value == (scored.str.len() % 6 >= 3).mean()
    assert (grounded.row_count, grounded.details["unscored"]) == (len(scored), SIZE - len(scored))


def test_a_component_gets_the_sample_under_the_names_of_the_roles(evaluate, answers, tmp_path):
    code = f"""
    def run(production_data, metrics, data_window_start, data_window_end):
        rows = production_data.toPandas()
        rows.to_json({str(tmp_path / "seen.json")!r}, orient="records")
        assert metrics == ["groundedness", "fluency"], metrics
        assert (data_window_start, data_window_end) == ("2024-03-09T00:00:00.000Z", "2024-03-10T00:00:00.000Z")
        return rows[[]].assign(fluency=5, groundedness=1.0)
    """

    def sampled() -> tuple[Evaluation, pd.DataFrame]:
        found = evaluate(code, sampling_rate=0.25)
        return found, pd.read_json(tmp_path / "seen.json").sort_values("correlation_id", ignore_index=True)

    (found, first), (_, second) = sampled(), sampled()
    rows = by_name(found)
    pd.testing.assert_frame_equal(first, second)
    assert [*first.columns] == ["prompt", "completion", "context", "correlation_id"]
    assert len(first) == pytest.approx(SIZE / 4, abs=4 * math.sqrt(SIZE * 0.25 * 0.75))
    chosen = answers[answers["id"].isin(first["correlation_id"])].sort_values("id", ignore_index=True)
    assert first["completion"].tolist() == chosen["answer"].tolist()
    row = rows["quality", "dataset", "aggregated_fluency_pass_rate"]
    assert (row.metric_value, row.details["sampled"], row.details["sampling_rate"]) == (1.0, len(first), 0.25)
    assert rows["quality", "dataset", "aggregated_groundedness_pass_rate"].metric_value == 0.0


def test_a_larger_sample_holds_the_smaller_one(evaluate, answers, tmp_path):
    code = f"""
    def run(production_data):
        rows = production_data.toPandas()
        rows[["correlation_id"]].to_json({str(tmp_path / "seen.json")!r}, orient="records")
        return rows[[]].assign(fluency=5, groundedness=1.0)
    """
    seen: list[set[str]] = []
    for rate in (0.1, 0.6):
        evaluate(code, sampling_rate=rate)
        seen.append(set(pd.read_json(tmp_path / "seen.json")["correlation_id"]))
    assert seen[0] < seen[1]


def test_scores_that_are_no_numbers_are_no_scores(evaluate, answers):
    code = """
    import pandas as pd
    def run(production_data):
        scores = [5, "4", None, float("nan"), float("inf"), "good", "2"]
        return pd.DataFrame({"fluency": scores, "groundedness": [None] * 7})
    """
    rows = by_name(evaluate(code))
    fluency = rows["quality", "dataset", "aggregated_fluency_pass_rate"]
    assert (fluency.metric_value, fluency.row_count, fluency.details["unscored"]) == (2 / 3, 3, SIZE - 3)
    grounded = rows["quality", "dataset", "aggregated_groundedness_pass_rate"]
    assert (grounded.status, grounded.reason) == (Status.UNDEFINED, f"none of {SIZE} sampled rows has a score")
    by_spark = code.replace("(production_data)", "(spark)").replace("float(\"inf\"), ", "float(\"inf\"), ").replace(
        'return pd.DataFrame({"fluency": scores, "groundedness": [None] * 7})',
        'return spark.createDataFrame([(None if s is None else str(s), None) for s in scores], '
        '"fluency string, groundedness double")',
    )  # fmt: skip
    again = by_name(evaluate(by_spark))["quality", "dataset", "aggregated_fluency_pass_rate"]
    assert (again.metric_value, again.row_count) == (fluency.metric_value, fluency.row_count)


def test_a_quality_that_is_not_scored_says_so_and_the_others_arrive(evaluate, answers):
    code = "def run(production_data): return production_data.toPandas()[[]].assign(fluency=5, groundednes=1)"
    rows = by_name(evaluate(code))
    assert rows["quality", "dataset", "aggregated_fluency_pass_rate"].status is Status.OK
    grounded = rows["quality", "dataset", "aggregated_groundedness_pass_rate"]
    assert grounded.reason == "the component returned no groundedness; did it mean 'groundednes'?"


def test_a_window_without_answers_calls_nobody_and_has_no_data(evaluate, answers):
    found = evaluate("def run(production_data): raise ValueError", NOW + 9 * DAY)
    assert {(row.status, row.reason) for row in found.rows} == {(Status.NO_DATA, "there are no rows")}


def test_few_scores_are_not_judged_where_more_are_asked_for(evaluate, answers):
    found = evaluate(LENGTH_SCORES, sampling_rate=0.05, min_rows=100)
    assert {row.status for row in found.rows} == {Status.INSUFFICIENT_DATA}


WRONG = {
    "def run(production_data): raise ValueError('no quota')": "mine:run: ValueError in mine.py, line 1: no quota",
    "def run(production_data): return production_data": "returned none of the columns groundedness, fluency; there are",
    "import pandas as pd\ndef run(): return pd.DataFrame({'fluency': [1] * 999})": "returned 999 rows for 400 answers",
    "def run(): return 3": "mine:run returned a int and not a DataFrame",
}


@pytest.mark.parametrize("code", WRONG)
def test_what_goes_wrong_in_the_component_is_said(evaluate, answers, code):
    with pytest.raises(DataError) as raised:
        evaluate(code)
    assert WRONG[code] in str(raised.value)


def test_data_that_has_no_answers_is_said(evaluate, answers, spark, tmp_path):
    lab = Lab(spark, tmp_path)
    with pytest.raises(DataError, match=r"has no completion column: name it in data_column_names\.completion"):
        evaluate(LENGTH_SCORES, production_data=[lab.data("inputs", **ROLES)])
