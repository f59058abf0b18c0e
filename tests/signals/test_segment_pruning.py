"""Statistics rule out only what holds no row of a segment, and they do rule out."""

from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.bins import ValueType
from signals.segments import EVERYTHING, Condition, FilterOperator, Segment

Op = FilterOperator
INSTANTS = st.datetimes(datetime(2013, 1, 1), datetime(2013, 1, 3))  # noqa: DTZ001 - hypothesis wants them so
COLUMNS: list[tuple[pa.DataType, st.SearchStrategy]] = [
    (pa.int64(), st.integers(-5, 5) | st.sampled_from([2**53, 2**53 + 1])),
    (pa.uint8(), st.integers(0, 5)),
    (pa.float64(), st.floats(-1, 1) | st.sampled_from([0.1, float("nan"), float("inf"), 2.0**53])),
    (pa.float32(), st.floats(-1, 1, width=32) | st.sampled_from([float(pa.scalar(0.1, pa.float32()).as_py())])),
    (pa.decimal128(5, 2), st.sampled_from([Decimal("0.1"), Decimal("0.25"), Decimal(-3)])),
    (pa.bool_(), st.booleans()),
    (pa.string(), st.text("abcé1.5\U0001f600", max_size=4)),
    (pa.date32(), st.dates(date(2013, 1, 1), date(2013, 1, 3))),
    (pa.timestamp("ms"), INSTANTS),
    (pa.timestamp("us", "UTC"), INSTANTS),
]
TYPES = st.none() | st.sampled_from(ValueType)


def ranges_of(array: pa.Array) -> dict[str, tuple[object, object]]:
    """What a Parquet file says of a row group."""
    file = BytesIO()
    pq.write_table(pa.table({"x": array}), file)
    found = pq.read_metadata(file).row_group(0).column(0).statistics if len(array) else None
    return {"x": (found.min, found.max)} if found is not None and found.has_min_max else {}


def spelt(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value).lower() if isinstance(value, bool) else str(value)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Condition, pa.Array]:
    kind, values = draw(st.sampled_from(COLUMNS))
    array = pa.array(draw(st.lists(st.none() | values, max_size=4)), kind)
    words = values.map(spelt) | st.sampled_from(["0.1", "1", "true", "2013-01-02", "b", "-inf", "0.30000001"])
    asked = tuple(draw(st.lists(words, min_size=1, max_size=2)))
    return Condition("x", draw(st.sampled_from(Op)), asked, draw(TYPES)), array


@given(cases())
def test_a_row_group_with_a_row_of_the_segment_is_never_ruled_out(case):
    condition, array = case
    segment = Segment((condition,))
    if segment.mask({"x": array}, len(array)).any():
        assert segment.may_hold(ranges_of(array))


@given(
    st.lists(st.text("abé\U0001f600", max_size=6), min_size=1, max_size=4),
    st.sampled_from([Op.EQUALS, Op.IN, Op.NOT_EQUALS, Op.CONTAINS]),
    st.integers(0, 3),
    st.data(),
)
def test_the_beginnings_of_long_texts_rule_out_no_row(values, operator, kept, data):
    segment = Segment((Condition("x", operator, (data.draw(st.sampled_from(values)),)),))
    ordered = sorted(values)
    assert segment.may_hold({"x": (ordered[0][:kept], ordered[-1][:kept])})


def test_the_beginning_of_the_greatest_text_leaves_room_for_what_follows():
    assert Segment((Condition("x", Op.EQUALS, ("abcd",)),)).may_hold({"x": ("abc", "abc")})


@pytest.mark.parametrize(
    ("operator", "values", "low", "high", "may"),
    [
        (Op.EQUALS, ["7"], 8, 9, False),
        (Op.EQUALS, ["8.0"], 8, 9, True),
        (Op.EQUALS, ["8.5"], 8.0, 8.25, False),
        (Op.IN, ["7", "10"], 8, 9, False),
        (Op.IN, ["7", "9"], 8, 9, True),
        (Op.NOT_EQUALS, ["8"], 8, 8, True),  # a null there is not 8
        (Op.GREATER_THAN, ["9"], 8, 9, False),
        (Op.GREATER_THAN_OR_EQUAL, ["9"], 8, 9, True),
        (Op.LESS_THAN, ["8"], 8, 9, False),
        (Op.LESS_THAN_OR_EQUAL, ["8"], 8, 9, True),
        (Op.EQUALS, [str(2**53 + 1)], 2**53, 2**53, False),
        (Op.GREATER_THAN, ["0.5"], Decimal("0.1"), Decimal("0.4"), False),
        (Op.GREATER_THAN, ["0.1"], float("nan"), float("nan"), True),
        (Op.EQUALS, ["0.1"], 0.10000000149011612, 0.10000000149011612, True),  # 0.1 in single precision
        (Op.EQUALS, ["true"], False, False, False),
        (Op.EQUALS, ["1"], True, True, True),
        (Op.EQUALS, ["CA"], "NY", "TX", False),
        (Op.EQUALS, ["CA"], "AL", "AZ", False),
        (Op.EQUALS, ["CA"], "CA", "CA", True),
        (Op.IN, ["CA", "OH"], "NY", "TX", True),
        (Op.CONTAINS, ["CA"], "NY", "TX", True),
        (Op.EQUALS, ["CA"], None, None, True),
        (Op.LESS_THAN, ["2013-07-01"], date(2013, 7, 1), date(2013, 7, 2), False),
        (Op.LESS_THAN, ["2013-07-01T12:00"], datetime(2013, 7, 1, tzinfo=UTC), datetime(2013, 7, 2, tzinfo=UTC), True),
        (Op.EQUALS, ["x"], b"a", b"b", True),
    ],
)
def test_what_statistics_rule_out(operator, values, low, high, may):
    assert Segment((Condition("x", operator, tuple(values)),)).may_hold({"x": (low, high)}) is may


@pytest.mark.parametrize(
    ("read_as", "asked", "low", "high"),
    [
        (ValueType.DOUBLE, "30", "10", "20"),  # texts of numbers are not in the order of numbers
        (ValueType.STRING, "30", 1, 2),
        (ValueType.BOOLEAN, "true", 0, 0),
        (ValueType.DOUBLE, "7", False, True),
        (ValueType.TIMESTAMP, "2013-07-01", "2014", "2015"),
    ],
)
def test_a_file_of_another_type_than_the_column_is_read(read_as, asked, low, high):
    assert Segment((Condition("x", Op.EQUALS, (asked,), read_as),)).may_hold({"x": (low, high)})


def test_one_condition_that_rules_out_is_enough_and_all_rows_are_never_ruled_out():
    conditions = [Condition("state", Op.EQUALS, ("CA",)), Condition("age", Op.GREATER_THAN, ("30",))]
    assert not Segment(tuple(conditions)).may_hold({"state": ("CA", "CA"), "age": (1, 30)})
    assert Segment(tuple(conditions)).may_hold({"state": ("CA", "CA")})
    assert EVERYTHING.may_hold({"age": (1, 30)})
