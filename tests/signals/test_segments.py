"""Which rows are in a segment, against pandas; what a segment is called; what a column cannot answer."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import combinations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.bins import ValueType
from signals.segments import EVERYTHING, Condition, FilterOperator, Segment, masks

Op = FilterOperator
SIZES = [Op.GREATER_THAN, Op.GREATER_THAN_OR_EQUAL, Op.LESS_THAN, Op.LESS_THAN_OR_EQUAL]
MORNING = datetime(2013, 7, 1, 8, tzinfo=UTC)
TEXTS = ["CA", "NY", "", "ca", "30", "CAN", "é"]


def one(column: str, operator: FilterOperator, *values: str, read_as: ValueType | None = None) -> Segment:
    return Segment((Condition(column, operator, values, read_as),))


def rows(segment: Segment, *values: object, kind: pa.DataType | None = None) -> list[bool]:
    return segment.mask({"x": pa.array(values, kind)}, len(values)).tolist()


def by_pandas(series: pd.Series, operator: FilterOperator, values: list) -> np.ndarray:
    if operator is Op.NOT_EQUALS:
        return ~series.isin(values).fillna(False).to_numpy(bool)
    if operator in (Op.EQUALS, Op.IN):
        return (series.isin(values) & series.notna()).to_numpy(bool)
    if operator is Op.CONTAINS:
        found = [series.str.contains(value, regex=False) for value in values]
        return np.any([hits.fillna(False).to_numpy(bool) for hits in found], axis=0)
    compare = {
        Op.GREATER_THAN: series.gt, Op.GREATER_THAN_OR_EQUAL: series.ge,
        Op.LESS_THAN: series.lt, Op.LESS_THAN_OR_EQUAL: series.le,
    }[operator]  # fmt: skip
    return compare(values[0]).fillna(False).to_numpy(bool)


NUMBERS = st.lists(st.none() | st.sampled_from([-1, 0, 1, 30, 2**53, 2**53 + 1]) | st.integers(-3, 3), max_size=30)
REALS = st.lists(st.none() | st.sampled_from([float("nan"), 0.1, -0.0, 1e300]) | st.floats(-2, 2), max_size=30)


@given(REALS, st.sampled_from([*SIZES, Op.EQUALS, Op.NOT_EQUALS, Op.IN]), st.data(), st.booleans())
def test_numbers_are_in_a_segment_as_pandas_says(values, operator, data, encoded):
    candidates = st.sampled_from([value for value in values if value is not None] or [0.1]) | st.floats(-2, 2)
    asked = data.draw(st.lists(candidates, min_size=1, max_size=1 if operator in SIZES else 3))
    asked = [value if value == value else 0.5 for value in asked]
    array = pa.array(values, pa.float64())
    mask = one("x", operator, *map(repr, asked)).mask(
        {"x": array.dictionary_encode() if encoded else array}, len(values)
    )
    # To pandas, too, a NaN is no number here: as a null it is in nothing but not_equals.
    assert mask.tolist() == by_pandas(pd.Series(values, dtype="Float64"), operator, asked).tolist()


@given(NUMBERS, st.sampled_from([*SIZES, Op.EQUALS, Op.NOT_EQUALS]), st.sampled_from([0, 1, 2**53, 2**53 + 1]))
def test_whole_numbers_are_compared_to_the_last_digit(values, operator, asked):
    series = pd.Series(pd.array(values, dtype="Int64"))
    assert (
        rows(one("x", operator, str(asked)), *values, kind=pa.int64()) == by_pandas(series, operator, [asked]).tolist()
    )


@given(
    st.lists(st.none() | st.sampled_from(TEXTS), max_size=30),
    st.sampled_from([Op.EQUALS, Op.NOT_EQUALS, Op.IN, Op.CONTAINS]),
    st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3),
    st.sampled_from([pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())]),
)
def test_texts_are_in_a_segment_as_pandas_says(values, operator, asked, kind):
    array = pa.array(values, pa.string()).cast(kind)
    mask = one("x", operator, *asked).mask({"x": array}, len(values))
    assert mask.tolist() == by_pandas(pd.Series(values, dtype="string"), operator, asked).tolist()


@given(st.lists(st.none() | st.sampled_from(TEXTS), max_size=20), st.lists(st.sampled_from(TEXTS), min_size=1))
def test_equals_and_not_equals_together_are_all_rows(values, asked):
    equal, other = (
        rows(one("x", operator, *asked), *values, kind=pa.string()) for operator in (Op.EQUALS, Op.NOT_EQUALS)
    )
    assert other == [not hit for hit in equal]


@pytest.mark.parametrize(
    ("values", "kind", "operator", "asked", "hits"),
    [
        ([30, 31, None], pa.int64(), Op.EQUALS, "30.0", [True, False, False]),
        ([0.1, 0.2], pa.float32(), Op.EQUALS, "0.1", [True, False]),
        ([0.1, 0.2], pa.float32(), Op.GREATER_THAN, "0.1", [False, True]),
        ([1.0, 2.0], pa.float32(), Op.LESS_THAN, "1e300", [True, True]),
        ([0.5, 1.5], pa.float16(), Op.GREATER_THAN, "1", [False, True]),
        ([0, 2**64 - 1], pa.uint64(), Op.GREATER_THAN, "-1", [True, True]),
        ([1, 2], pa.int64(), Op.LESS_THAN, "9" * 400, [True, True]),
        ([1, 2], pa.int8(), Op.LESS_THAN, "300", [True, True]),
        ([Decimal("0.10"), Decimal("0.30"), None], pa.decimal128(10, 2), Op.EQUALS, "0.3", [False, True, False]),
        ([True, False, None], pa.bool_(), Op.EQUALS, "TRUE", [True, False, False]),
        ([True, False, None], pa.bool_(), Op.NOT_EQUALS, "1", [False, True, True]),
        ([True, False, None], pa.bool_(), Op.IN, "0", [False, True, False]),
        ([date(2013, 7, 1), date(2013, 7, 2)], pa.date32(), Op.GREATER_THAN, "2013-07-01", [False, True]),
        ([date(2013, 7, 1), None], pa.date32(), Op.EQUALS, "2013-07-01", [True, False]),
        ([MORNING], pa.timestamp("us", "UTC"), Op.LESS_THAN, "2013-07-01T10:30+02:00", [True]),
        ([MORNING], pa.timestamp("ms"), Op.GREATER_THAN_OR_EQUAL, "2013-07-01T08:00:00Z", [True]),
        ([None, None], pa.null(), Op.EQUALS, "x", [False, False]),
        ([[1], None], pa.list_(pa.int64()), Op.EQUALS, "1", [False, False]),
    ],
)  # fmt: skip
def test_values_are_compared_as_what_the_column_holds(values, kind, operator, asked, hits):
    assert rows(one("x", operator, asked), *values, kind=kind) == hits


@pytest.mark.parametrize(
    ("values", "read_as", "operator", "asked", "hits"),
    [
        (["30", " 30.0", "3e1", "CA", None], ValueType.DOUBLE, Op.EQUALS, "30", [True, True, True, False, False]),
        (["30", "x"], None, Op.GREATER_THAN, "9", [True, False]),
        (["true", "1", "no"], ValueType.BOOLEAN, Op.EQUALS, "true", [True, True, False]),
        ([True, False, None], ValueType.DOUBLE, Op.GREATER_THAN, "0.5", [True, False, False]),
        ([30, 31], ValueType.STRING, Op.EQUALS, "30", [True, False]),
        ([130, 45], ValueType.STRING, Op.CONTAINS, "30", [True, False]),
        ([130, 45], None, Op.CONTAINS, "30", [True, False]),
        ([1.0, 2.0], ValueType.INTEGER, Op.EQUALS, "1", [True, False]),
        ([0, 1, 2, None], ValueType.BOOLEAN, Op.EQUALS, "true", [False, True, False, False]),
        (["2013-07-02T00:00:00Z", "soon"], ValueType.TIMESTAMP, Op.GREATER_THAN, "2013-07-01", [True, False]),
        ([None, None], ValueType.DOUBLE, Op.GREATER_THAN, "1", [False, False]),
        ([None], ValueType.TIMESTAMP, Op.NOT_EQUALS, "2013-07-01", [True]),
        ([date(2013, 7, 1)], ValueType.DOUBLE, Op.GREATER_THAN, "1", [False]),
    ],
)
def test_a_file_of_another_type_is_read_as_the_columns_and_what_cannot_be_does_not_match(
    values, read_as, operator, asked, hits
):
    segment = one("x", operator, asked, read_as=read_as)
    assert rows(segment, *values) == hits
    if not isinstance(values[0], bool | None):
        encoded = pa.array(values).dictionary_encode()
        assert segment.mask({"x": encoded}, len(values)).tolist() == hits


def test_a_dictionary_may_be_full_have_nulls_and_repeat_itself():
    entries = pa.array([f"{number}" for number in range(126)] + [None, "7"])
    array = pa.DictionaryArray.from_arrays(pa.array([7, 126, 127, None, 0], pa.int8()), entries)
    assert one("x", Op.EQUALS, "7").mask({"x": array}, 5).tolist() == [True, False, True, False, False]
    assert one("x", Op.NOT_EQUALS, "7").mask({"x": array}, 5).tolist() == [False, True, False, True, True]


def test_a_slice_of_an_array_is_read_from_its_start():
    array = pa.array(["a", "b", "c", "b"])
    for sliced in (array[1:], array.dictionary_encode()[1:]):
        assert one("x", Op.EQUALS, "b").mask({"x": sliced}, 3).tolist() == [True, False, True]


def test_a_column_that_the_batch_lacks_is_all_null():
    assert one("y", Op.EQUALS, "a").mask({}, 2).tolist() == [False, False]
    assert one("y", Op.NOT_EQUALS, "a").mask({}, 2).tolist() == [True, True]
    assert EVERYTHING.mask({}, 2).tolist() == [True, True]


def test_a_row_has_to_satisfy_every_condition():
    arrays = {"state": pa.array(["CA", "CA", "NY"]), "age": pa.array([20, 40, 40])}
    both = Segment((*one("state", Op.EQUALS, "CA").conditions, *one("age", Op.GREATER_THAN, "30").conditions))
    assert both.mask(arrays, 3).tolist() == [False, True, False]


def test_many_segments_at_once_are_the_same_as_each_alone():
    random = np.random.default_rng(3)
    arrays = {
        "state": pa.array([None, "CA", "NY", "TX"]).take(pa.array(random.integers(0, 4, 500))),
        "age": pa.array(random.integers(0, 90, 500)),
    }
    conditions = [
        Condition("state", Op.IN, ("CA", "NY")), Condition("state", Op.NOT_EQUALS, ("TX",)),
        Condition("age", Op.GREATER_THAN, ("30",)), Condition("age", Op.LESS_THAN_OR_EQUAL, ("60.5",)),
    ]  # fmt: skip
    segments = [Segment(some) for count in range(4) for some in combinations(conditions, count)]
    together = masks(segments, arrays, 500)
    assert together.shape == (len(segments), 500)
    for mask, segment in zip(together, segments, strict=True):
        assert (mask == segment.mask(arrays, 500)).all()
    assert together[0].all()
    assert not together[1:].all(axis=1).any()


# Names


def test_a_segment_is_called_by_its_conditions():
    age = Condition("age", Op.GREATER_THAN_OR_EQUAL, ("30",))
    state = Condition("state", Op.IN, ("NY", "CA", "NY"))
    assert Segment((state, age)).name == 'age >= 30 and state in ("CA", "NY")'
    assert Segment((state, age)).columns == ("age", "state")
    assert one("my col", Op.CONTAINS, 'a "b"').name == '"my col" contains "a \\"b\\""'
    assert one("x", Op.NOT_EQUALS, "true", "b").name == 'x not in ("b", true)'
    assert EVERYTHING.name == "aggregate"


def test_segments_of_one_meaning_are_one_segment():
    some = Condition("state", Op.IN, ("NY", "CA"))
    assert Segment((some, some)) == Segment((Condition("state", Op.EQUALS, ("CA", "NY", "NY")),))
    assert one("a", Op.IN, "x").name == one("a", Op.EQUALS, "x").name == 'a = "x"'


WORDS = st.text('ab "\\,()=1', max_size=6)


@given(*[st.builds(Condition, WORDS, st.sampled_from(Op), st.lists(WORDS, min_size=1, max_size=3).map(tuple))] * 2)
def test_conditions_of_different_meaning_have_different_names(first, second):
    same = first.canonical == second.canonical
    assert (first.text == second.text) is same


# Problems


@pytest.mark.parametrize(
    ("segment", "kind", "problem"),
    [
        (one("stat", Op.EQUALS, "CA"), pa.string(), "no column 'stat'; did you mean 'state'?"),
        (one("city", Op.EQUALS, "CA"), pa.string(), "no column 'city'; it has state"),
        (one("state", Op.GREATER_THAN, "3"), pa.dictionary(pa.int32(), pa.string()), "greater_than needs numbers or times, and the column 'state' is string; use equals, not_equals, in or contains"),  # noqa: E501
        (one("state", Op.LESS_THAN, "1"), pa.bool_(), "less_than needs numbers or times, and the column 'state' is bool; use equals, not_equals, in or contains"),  # noqa: E501
        (one("state", Op.CONTAINS, "3"), pa.int64(), "contains needs text, and the column 'state' is int64; use equals, in, greater_than or less_than"),  # noqa: E501
        (one("state", Op.EQUALS, "CA"), pa.float64(), "the value 'CA' is not a number, and the column 'state' is double"),  # noqa: E501
        (one("state", Op.EQUALS, "nan"), pa.float64(), "the value 'nan' is not a number, and the column 'state' is double"),  # noqa: E501
        (one("state", Op.EQUALS, "٣"), pa.float64(), "the value '٣' is not a number, and the column 'state' is double"),
        (one("state", Op.EQUALS, "yes"), pa.bool_(), "the value 'yes' is not true or false, and the column 'state' is bool"),  # noqa: E501
        (one("state", Op.EQUALS, "soon"), pa.date32(), "the value 'soon' is not an ISO-8601 date or time, and the column 'state' is date32[day]"),  # noqa: E501
        (one("state", Op.LESS_THAN, "1", "2"), pa.int64(), "less_than on the column 'state' takes one value, not 2"),
        (one("state", Op.IN), pa.int64(), "the filter on the column 'state' has no value"),
        (one("state", Op.EQUALS, "1"), pa.list_(pa.int64()), "the column 'state' is nested or binary (list<item: int64>): it cannot be filtered"),  # noqa: E501
    ],
)  # fmt: skip
def test_what_a_column_cannot_answer_is_said(segment, kind, problem):
    assert segment.problems({"state": kind}) == [problem]


def test_all_problems_are_said_and_a_fitting_segment_has_none():
    types = {"state": pa.string(), "age": pa.int64(), "late": pa.bool_(), "day": pa.date32()}
    wrong = Segment((Condition("stat", Op.EQUALS, ("CA",)), Condition("age", Op.IN, ("x", "1", "y"))))
    assert len(wrong.problems(types)) == 3
    fitting = [
        ("state", Op.CONTAINS, "C"),
        ("age", Op.LESS_THAN, "3"),
        ("late", Op.IN, "1"),
        ("day", Op.LESS_THAN, "2013-07-01"),
    ]
    assert (
        Segment(tuple(Condition(name, operator, (value,)) for name, operator, value in fitting)).problems(types) == []
    )
