"""Is what a component returned a table of metrics? What is wrong with it is said, and never becomes a breach."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from engine.custom_answers import custom_answers
from engine.custom_rows import MOST_ROWS, CustomRow, custom_rows
from engine.errors import DataError
from engine.monitor import Component, Custom, LookbackWindow, MetricRequest, Signal, SignalType
from signals.measurement import Undefined
from signals.segments import AGGREGATE
from signals.thresholds import DynamicThreshold, FixedThreshold, Operator, RangeThreshold
from signals.verdicts import Status

NAME = "azureml:mine:1"


def rows(*values: tuple, columns: str = "group metric_name metric_value threshold_value") -> list[CustomRow]:
    return custom_rows(NAME, pd.DataFrame(list(values), columns=columns.split(), dtype=object), "dataset")


def complaint(frame: pd.DataFrame) -> str:
    with pytest.raises(DataError) as raised:
        custom_rows(NAME, frame, "dataset")
    return str(raised.value)


# -------------------------------------------------------------------------------------------- what is returned


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.int64(2), "2", Decimal(2)])
def test_a_number_is_a_number_however_it_comes(value):
    assert rows(("a", "m", value, value)) == [CustomRow("a", AGGREGATE, "m", 2.0, 2.0)]


@pytest.mark.parametrize("value", [None, float("nan"), np.float32("nan"), pd.NA, pd.NaT, float("inf"), "-inf", "NaN"])
def test_no_number_is_a_reason_and_no_threshold(value):
    (row,) = rows(("a", "m", value, value))
    assert isinstance(row.value, Undefined)
    assert row.value.reason.startswith("the component returned ")
    assert (row.threshold, row.malformed) == (None, False)


@pytest.mark.parametrize("place", [2, 3])
@pytest.mark.parametrize("value", ["44,896.082", "high", [1.0], pd.Timestamp("2024-03-09")])
def test_a_value_of_a_wrong_type_is_an_error_of_its_row_alone(value, place):
    wrong = ["a", "m", 1.0, 1.0]
    wrong[place] = value
    row, other = rows(tuple(wrong), ("b", "m", 1.0, 1.0))
    assert row.malformed
    assert "which is no number" in row.value.reason
    assert other == CustomRow("b", AGGREGATE, "m", 1.0, 1.0)


def test_a_dimension_is_taken_also_as_azures_example_calls_it():
    columns = "group metric_name metric_value threshold_value"
    for name in ("group_dimension", "group_pivot"):
        found = rows(("a", "m", 1, 1, "CA"), ("a", "m", 1, 1, ""), columns=f"{columns} {name}")
        assert [row.dimension for row in found] == ["CA", AGGREGATE]


def test_a_row_without_a_group_is_about_the_dataset():
    assert [row.group for row in rows((None, "m", 1, 1), ("", "n", 1, 1))] == ["dataset", "dataset"]


def test_other_columns_do_not_matter():
    frame = pd.DataFrame({"x": [1], "threshold_value": [1], "metric_value": [2], "metric_name": ["m"], "group": ["a"]})
    assert custom_rows(NAME, frame, "dataset") == [CustomRow("a", AGGREGATE, "m", 2.0, 1.0)]


def test_no_rows_are_no_rows():
    assert rows() == []


def test_missing_columns_are_named_with_what_is_near():
    said = complaint(pd.DataFrame({"group": ["a"], "metric": ["m"], "value": [1]}))
    assert said.startswith(
        "component azureml:mine:1 returned no column metric_name (did you mean metric?), metric_value"
    )
    assert "threshold_value" in said
    assert said.endswith("there are group, metric, value")


def test_what_cannot_be_told_apart_is_refused():
    frame = pd.DataFrame({"group": ["a", "a"], "metric_name": "m", "metric_value": [1, 2], "threshold_value": 1})
    assert complaint(frame) == "component azureml:mine:1 returned 'm' of 'a' 2 times: once is meant"
    assert "'a', 'CA' 2 times" in complaint(frame.assign(group_dimension="CA"))
    assert len(custom_rows(NAME, frame.assign(group_dimension=["CA", "TX"]), "dataset")) == 2
    columns = ["group", "metric_name", "metric_value", "threshold_value", "group"]
    assert "two columns named group" in complaint(pd.DataFrame([["a", "m", 1, 1, "b"]], columns=columns))


def test_a_row_without_a_metric_is_refused():
    assert "a row without a metric_name" in complaint(
        pd.DataFrame({"group": ["a"], "metric_name": [None], "metric_value": [1], "threshold_value": [1]})
    )


def test_more_rows_than_metrics_can_be_are_refused():
    frame = pd.DataFrame({"group": np.arange(MOST_ROWS + 5).astype(str)})
    said = complaint(frame.assign(metric_name="m", metric_value=1.0, threshold_value=1.0))
    assert said.startswith("component azureml:mine:1 returned more than 100,000 rows")


# ----------------------------------------------------------------------------------------- what it is judged by


def signal(tmp_path, *metrics: MetricRequest, **operators: Operator) -> Signal:
    custom = Custom(Component(NAME, tmp_path, "m", "run"), {}, LookbackWindow("P1D", "P0D"), operators=operators)
    return Signal("s", SignalType.CUSTOM, (), None, metrics, min_rows=0, custom=custom)


def test_the_returned_threshold_counts_with_the_definitions_operator(tmp_path):
    asked = MetricRequest("m", FixedThreshold(9.0, Operator.LESS_THAN))
    found = custom_answers(
        signal(tmp_path, asked, m=Operator.LESS_THAN), rows(("a", "m", 1, 2), ("b", "m", 1, None)), ""
    )
    assert [each.request.threshold for each in found] == [FixedThreshold(2.0, Operator.LESS_THAN), asked.threshold]
    assert [each.result.details.get("defined_threshold") for each in found] == [9.0, None]


def test_a_metric_that_nobody_named_breaches_above_its_own_threshold(tmp_path):
    found = custom_answers(signal(tmp_path), rows(("a", "m", 1, 2), ("b", "m", 1, None)), "")
    assert [each.request.threshold for each in found] == [FixedThreshold(2.0, Operator.GREATER_THAN), None]


@pytest.mark.parametrize("threshold", [RangeThreshold(0.0, 1.0), DynamicThreshold(None)])
def test_a_range_and_a_dynamic_threshold_win_over_the_returned_one(tmp_path, threshold):
    (found,) = custom_answers(signal(tmp_path, MetricRequest("m", threshold)), rows(("a", "m", 1, 2)), "")
    assert found.request.threshold == threshold


def test_a_metric_that_is_not_returned_says_so(tmp_path):
    asked = [MetricRequest("std_deviation", FixedThreshold(2.0, Operator.GREATER_THAN)), MetricRequest("mean", None)]
    returned, first, second = custom_answers(signal(tmp_path, *asked), rows(("a", "StdDeviation", 1, 2)), "")
    assert returned.request.metric == "StdDeviation"
    assert first.result == Undefined("the component returned no metric 'std_deviation'; did it mean 'StdDeviation'?")
    assert second.result == Undefined("the component returned no metric 'mean'; it returned StdDeviation")
    (nothing, _) = custom_answers(signal(tmp_path, *asked), [], "")
    assert nothing.result.reason.endswith("it returned no rows")


def test_a_malformed_value_is_an_error_and_a_missing_one_is_not(tmp_path):
    wrong, missing = custom_answers(signal(tmp_path), rows(("a", "m", "high", 2), ("b", "m", None, 2)), "")
    assert (wrong.status, missing.status) == (Status.ERROR, None)
