"""Laws of every performance metric, found by introspection: a new metric is covered the moment it is declared."""

import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import reduce
from math import isfinite
from operator import add
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.catalogue import Bad, Family, Metric, find_metric, metrics_of
from signals.coverage import Coverage
from signals.error_sums import Errors
from signals.fairness import Parity
from signals.measurement import Measurement, Undefined
from signals.metrics import METRICS
from signals.outcomes import Outcomes
from signals.ranking import Ranked
from signals.rankings import Rankings
from signals.scorecard import Scorecard
from signals.state import StateRows, merge_rows

PERFORMANCE = [
    entry
    for entry in METRICS.values()
    if entry.family in (Family.CLASSIFICATION, Family.REGRESSION, Family.RANKING, Family.FAIRNESS, Family.COVERAGE)
]
Row = tuple[Any, ...]

SECTION_3 = {
    Family.CLASSIFICATION: """
        accuracy precision recall f1 specificity false_positive_rate false_negative_rate false_negative_density
        macro_averaged_precision macro_averaged_recall macro_averaged_f1
        micro_averaged_precision micro_averaged_recall micro_averaged_f1
        multi_class_precision multi_class_recall
        auc pr_auc log_loss calibration brier_score expected_calibration_error""",
    Family.REGRESSION: """
        mean_absolute_error mean_squared_error root_mean_squared_error mean_absolute_percentage_error smape wape mase
        r_squared mean_error prediction_average actuals_average""",
    Family.RANKING: """
        ndcg mean_average_precision mean_reciprocal_rank ranking_precision ranking_recall group_auc""",
    Family.FAIRNESS: "recall_parity false_positive_rate_parity disparate_impact",
    Family.COVERAGE: "ground_truth_coverage orphan_ground_truth_rate duplicate_ground_truth_rate",
}
SPELLINGS = {
    "sensitivity": "recall", "f_1": "f1", "prAuc": "pr_auc", "logLoss": "log_loss", "mae": "mean_absolute_error",
    "mse": "mean_squared_error", "rmse": "root_mean_squared_error", "mape": "mean_absolute_percentage_error",
    "rSquared": "r_squared", "meanError": "mean_error", "falseNegativeDensity": "false_negative_density",
    "predictionAverage": "prediction_average", "actualsAverage": "actuals_average",
    "macroAveragedRecall": "macro_averaged_recall", "multiClassPrecision": "multi_class_precision",
    "rankingMap": "mean_average_precision", "map": "mean_average_precision", "mrr": "mean_reciprocal_rank",
    "groupAuc": "group_auc", "recallParity": "recall_parity", "disparateImpact": "disparate_impact",
    "falsePositiveRateParity": "false_positive_rate_parity",
}  # fmt: skip


def outcomes(rows: Sequence[Row]) -> Outcomes:
    label, prediction, score = zip(*rows, strict=True) if rows else ((), (), ())
    return Outcomes.of(pa.array(label, pa.string()), pa.array(prediction, pa.string()), pa.array(score, pa.float64()))


def errors(rows: Sequence[Row]) -> Errors:
    actual, prediction, naive = zip(*rows, strict=True) if rows else ((), (), ())
    return Errors.of(*(pa.array(column, pa.float64()) for column in (actual, prediction, naive)))


def coverage(rows: Sequence[Row]) -> Coverage:
    parts = (Coverage(rows=row[0] + row[1], labelled=row[0], late=row[1], truth_rows=row[0]) for row in rows)
    return reduce(add, parts, Coverage.empty())


def predicted(rows: Sequence[Row]) -> Outcomes:
    label, prediction = zip(*rows, strict=True) if rows else ((), ())
    return Outcomes.of(pa.array(label, pa.string()), pa.array(prediction, pa.string()), of_all=True)


def rankings(rows: Sequence[Row]) -> Rankings:
    """A row is a group; of its name only whether there is one matters."""
    items = [(name and f"{name} {place}", *item) for place, (name, own) in enumerate(rows) for item in own]
    group, score, label = zip(*items, strict=True) if items else ((), (), ())
    return Rankings.of(
        pa.array(group, pa.string()), pa.array(score, pa.float64()), pa.array(label, pa.float64()), (None, 2)
    )


LABELS = st.sampled_from(["0", "1", "1", "yes, no", None])
SCORES = st.one_of(st.none(), st.just(float("nan")), st.floats(0, 1), st.sampled_from([0.0, 0.1, 0.5, 1.0]))
NUMBERS = st.one_of(st.none(), st.floats(-1e6, 1e6, width=32), st.sampled_from([0.0, 1.0, float("nan"), float("inf")]))
RELEVANCES = st.one_of(st.none(), st.sampled_from([0.0, 1.0, 2.0, -1.0, float("nan"), float("inf")]))
BASE = [("1", "1"), ("1", "0"), ("0", "1"), ("0", "0"), (None, "1")]
FAMILIES: dict[Family, tuple[st.SearchStrategy[Row], Callable[[Sequence[Row]], Any], Callable[[Any], Any]]] = {
    Family.CLASSIFICATION: (st.tuples(LABELS, LABELS, SCORES), outcomes, lambda state: Scorecard(state, "1", "0")),
    Family.REGRESSION: (
        st.tuples(NUMBERS, NUMBERS, st.one_of(st.none(), st.floats(0, 9))),
        errors,
        lambda state: state,
    ),
    Family.RANKING: (
        st.tuples(st.sampled_from(["a", "b", None]), st.lists(st.tuples(SCORES, RELEVANCES), max_size=5)),
        rankings,
        lambda state: Ranked(state, 2),
    ),
    Family.FAIRNESS: (st.tuples(LABELS, LABELS), predicted, lambda state: Parity(state, state + predicted(BASE), "1")),
    Family.COVERAGE: (st.tuples(st.integers(0, 9), st.integers(0, 9)), coverage, lambda state: state),
}


@pytest.mark.parametrize("family", SECTION_3)
def test_the_catalogue_is_what_the_definitions_list(family: Family) -> None:
    assert {entry.name for entry in metrics_of(family)} == set(SECTION_3[family].split())


ARIZE = """
    accuracy precision recall f_1 sensitivity specificity falsePositiveRate falseNegativeRate falseNegativeDensity
    mse rmse mae mape smape wape mase rSquared meanError predictionAverage actualsAverage
    auc prAuc logLoss calibration ndcg groupAuc mrr rankingMap rankingRecall rankingPrecision
    recallParity falsePositiveRateParity disparateImpact
    microAveragedPrecision microAveragedRecall macroAveragedPrecision macroAveragedRecall
    multiClassPrecision multiClassRecall"""


def test_every_performance_metric_of_arizes_is_known_but_for_the_users_own() -> None:
    assert [name for name in ARIZE.split() if find_metric(name) is None] == []


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_metric_answers_to_its_spellings(spelling: str) -> None:
    found = find_metric(spelling)
    assert found is not None
    assert found.name == SPELLINGS[spelling]


def test_errors_are_bad_when_higher_and_scores_when_lower() -> None:
    directions = {entry.name: entry.bad for entry in PERFORMANCE}
    assert {name for name, bad in directions.items() if bad is Bad.NONE} == {
        "calibration", "mean_error", "prediction_average", "actuals_average",
        "recall_parity", "false_positive_rate_parity", "disparate_impact",
    }  # fmt: skip
    assert {name for name, bad in directions.items() if bad is Bad.HIGHER} == {
        "false_positive_rate", "false_negative_rate", "false_negative_density", "log_loss", "brier_score",
        "expected_calibration_error", "mean_absolute_error", "mean_squared_error", "root_mean_squared_error",
        "mean_absolute_percentage_error", "smape", "wape", "mase", "orphan_ground_truth_rate",
        "duplicate_ground_truth_rate",
    }  # fmt: skip


def same(one: Measurement | Undefined, other: Measurement | Undefined) -> bool:
    if isinstance(one, Undefined) or isinstance(other, Undefined):
        return one == other
    bounds = zip(one.interval or (), other.interval or (), strict=True)
    return (
        one.value == pytest.approx(other.value, rel=1e-6, abs=1e-9)
        and one.rows == other.rows
        and set(one.details) == set(other.details)
        and all(low == pytest.approx(high, rel=1e-4, abs=1e-4 * max(1, abs(one.value))) for low, high in bounds)
    )


def transported(states: Sequence[Any]) -> Any:
    """As Spark does it: every state written as rows, rows merged, and read back."""
    rows = StateRows()
    for state in states:
        state.to_rows(rows, 3, 7)
    return type(states[0]).from_rows(merge_rows(rows.table()))


@pytest.mark.parametrize("family", FAMILIES)
@given(data=st.data())
def test_neither_order_nor_merging_nor_transport_matters(family: Family, data: st.DataObject) -> None:
    row, state_of, argument = FAMILIES[family]
    rows = data.draw(st.lists(row, max_size=40))
    cut = data.draw(st.integers(0, len(rows)))
    parts = [state_of(rows[:cut]), state_of(rows[cut:])]
    whole = state_of(rows)
    others = [
        parts[0] + parts[1],
        parts[1] + parts[0],
        state_of(data.draw(st.permutations(rows))),
        type(whole).empty() + whole,
        whole + type(whole).empty(),
        transported([whole]),
        transported(parts),
        type(whole).from_rows(merged_late(parts)),
    ]
    for entry in metrics_of(family):
        expected = entry.compute(argument(whole))
        for other in others:
            assert same(entry.compute(argument(other)), expected), entry.name


def merged_late(states: Sequence[Any]) -> pa.Table:
    """Rows of several tasks that nobody has merged yet."""
    rows = StateRows()
    for state in states:
        state.to_rows(rows, 0, 0)
    return rows.table()


@pytest.mark.parametrize("family", FAMILIES)
@given(data=st.data())
def test_every_answer_is_finite_in_range_and_inside_its_interval(family: Family, data: st.DataObject) -> None:
    row, state_of, argument = FAMILIES[family]
    state = state_of(data.draw(st.lists(row, max_size=30)))
    for entry in metrics_of(family):
        answer = entry.compute(argument(state))
        if isinstance(answer, Undefined):
            assert answer.reason
            continue
        assert isfinite(answer.value)
        assert type(answer.value) is float
        assert json.loads(json.dumps(dict(answer.details))) == answer.details
        assert entry.range[0] - 1e-12 <= answer.value <= entry.range[1] + 1e-12, entry.name
        assert (answer.rows or 0) >= 1
        if answer.interval is not None:
            low, high = answer.interval
            assert (type(low), type(high)) == (float, float), entry.name
            slack = 1e-9 * max(1.0, abs(answer.value))
            assert low - slack <= answer.value <= high + slack, entry.name
            assert entry.range[0] - 1e-12 <= low <= high <= entry.range[1] + 1e-12, entry.name


@pytest.mark.parametrize("entry", PERFORMANCE, ids=lambda entry: entry.name)
def test_a_metric_of_no_rows_says_so(entry: Metric) -> None:
    _, state_of, argument = FAMILIES[entry.family]
    answer = entry.compute(argument(state_of([])))
    assert isinstance(answer, Undefined)
    assert answer.reason.startswith("there are no ")


@pytest.mark.parametrize("family", FAMILIES)
def test_adding_and_measuring_leave_their_input_alone(family: Family) -> None:
    examples: dict[Family, list[Row]] = {
        Family.CLASSIFICATION: [("1", "0", 0.2), ("0", "0", 0.7), ("1", "1", 0.9)],
        Family.REGRESSION: [(1.0, 2.0, None), (2.0, 2.5, 1.0), (4.0, 2.0, 2.0)],
        Family.RANKING: [("a", [(0.5, 1.0), (0.7, 0.0)]), ("b", [(0.5, 2.0), (0.7, 1.0)])],
        Family.FAIRNESS: [("1", "0"), ("0", "0"), ("1", "1")],
        Family.COVERAGE: [(3, 1), (4, 0)],
    }
    _, state_of, argument = FAMILIES[family]
    state = state_of(examples[family])
    before = written(deepcopy(state))
    added = state + state
    for entry in metrics_of(family):
        entry.compute(argument(state))
    assert written(state).equals(before)
    assert not written(added).equals(before)


def written(state: Any) -> pa.Table:
    rows = StateRows()
    state.to_rows(rows, 0, 0)
    return rows.table()


@pytest.mark.parametrize("family", [Family.CLASSIFICATION, Family.REGRESSION])
def test_building_leaves_the_columns_alone(family: Family) -> None:
    numbers = np.array([0.25, 0.5, 0.75, 0.5])
    numbers.flags.writeable = False  # numpy refuses whoever writes into it
    column = pa.array(numbers)
    state = (
        Outcomes.of(pa.array([0, 1, 1, 0]), None, column)
        if family is Family.CLASSIFICATION
        else Errors.of(column, column)
    )
    assert written(state).num_rows
    assert column.to_pylist() == [0.25, 0.5, 0.75, 0.5]
