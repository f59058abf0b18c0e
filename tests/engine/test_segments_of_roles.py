"""Filters become conditions on a dataset's columns, or everything that stands against it is said."""

import pyarrow as pa
import pytest

from engine.errors import DataError
from engine.monitor import Columns, Filter, FilterDimension
from engine.segments import segment_of, split
from signals.bins import ValueType
from signals.segments import EVERYTHING, Condition, FilterOperator

Dim, Op = FilterDimension, FilterOperator
COLUMNS = {"state": pa.string(), "age": pa.int64(), "label": pa.string(), "p": pa.float64(), "truth": pa.int64()}
ROLES = Columns(prediction="label", score="p", actual="truth")
STATE = Filter(Dim.FEATURE, "state", Op.IN, ("NY", "CA"))


def test_without_filters_a_segment_is_everything():
    assert segment_of((), Columns(), "inputs", COLUMNS) == EVERYTHING


def test_each_dimension_is_a_column():
    filters = [
        STATE,
        Filter(Dim.TAG, "age", Op.GREATER_THAN, ("30",)),
        Filter(Dim.PREDICTION_CLASS, None, Op.EQUALS, ("fraud",)),
        Filter(Dim.PREDICTION_SCORE, None, Op.LESS_THAN, ("0.7",)),
        Filter(Dim.ACTUAL_CLASS, None, Op.NOT_EQUALS, ("1",)),
        Filter(Dim.ACTUAL_SCORE, None, Op.LESS_THAN_OR_EQUAL, ("3",)),
    ]
    segment = segment_of(filters, ROLES, "inputs", COLUMNS)
    assert segment.name == (
        'age > 30 and label = "fraud" and p < 0.7 and state in ("CA", "NY") and truth != 1 and truth <= 3'
    )


def test_values_are_read_as_the_datasets_column_in_every_file():
    segment = segment_of([Filter(Dim.FEATURE, "age", Op.EQUALS, ("30",))], ROLES, "inputs", COLUMNS)
    assert segment.conditions == (Condition("age", Op.EQUALS, ("30",), ValueType.INTEGER),)
    assert segment.mask({"age": pa.array(["30.0", "x"])}, 2).tolist() == [True, False]


def test_everything_that_stands_against_a_filter_is_said_at_once():
    filters = [
        Filter(Dim.FEATURE, "stat", Op.EQUALS, ("CA",)),
        Filter(Dim.FEATURE, "state", Op.GREATER_THAN, ("3",)),
        Filter(Dim.FEATURE, "age", Op.EQUALS, ("old",)),
        Filter(Dim.PREDICTION_SCORE, None, Op.LESS_THAN, ("0.7",)),
    ]
    with pytest.raises(DataError) as error:
        segment_of(filters, Columns(), "inputs (data/in)", COLUMNS)
    assert set(str(error.value).split("\n")) == {
        "inputs (data/in) cannot be filtered: it has no score column, which prediction_score asks about; "
        "name it in data_column_names.score",
        "inputs (data/in) cannot be filtered: the value 'old' is not a number, and the column 'age' is int64",
        "inputs (data/in) cannot be filtered: greater_than needs numbers or times, and the column 'state' is string; "
        "use equals, not_equals, in or contains",
        "inputs (data/in) cannot be filtered: no column 'stat'; did you mean 'state'?",
    }


def test_a_role_that_names_a_column_which_is_not_there_is_said():
    with pytest.raises(DataError, match="inputs cannot be filtered: no column 'probability'; it has state"):
        segment_of(
            [Filter(Dim.PREDICTION_SCORE, None, Op.LESS_THAN, ("1",))], Columns(score="probability"), "inputs", COLUMNS
        )


def test_filters_on_the_truth_are_told_from_the_others():
    fraud = Filter(Dim.ACTUAL_CLASS, None, Op.EQUALS, ("fraud",))
    assert split([STATE, fraud]) == ((STATE,), (fraud,))
    assert split([]) == ((), ())
