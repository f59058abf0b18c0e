"""Values are read as the baseline's type, whatever type they arrive in; what cannot be is null."""

import math
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.bins import ValueType
from signals.values import is_nested, read_numbers, read_texts, value_type_of

DAY = 86_400.0
MORNING = datetime(2013, 7, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "kind", "value_type", "read"),
    [
        ([1, 2**53 + 1, None], pa.int64(), ValueType.INTEGER, [1.0, 2.0**53, None]),
        ([2**64 - 1], pa.uint64(), ValueType.INTEGER, [2.0**64]),
        ([1.0, 1.5, math.inf], pa.float64(), ValueType.INTEGER, [1.0, None, math.inf]),
        ([1.5, None], pa.float32(), ValueType.DOUBLE, [1.5, None]),
        ([Decimal("1.50"), None], pa.decimal128(5, 2), ValueType.DOUBLE, [1.5, None]),
        ([True, False, None], pa.bool_(), ValueType.DOUBLE, [1.0, 0.0, None]),
        ([" 5 ", "+1e3", "-.5", "1e400", "abc", "", "0x1", "1_0"], pa.string(), ValueType.DOUBLE,
         [5.0, 1000.0, -0.5, math.inf, None, None, None, None]),
        (["5", "5.0", "5.5"], pa.string(), ValueType.INTEGER, [5.0, 5.0, None]),
        ([date(1970, 1, 2)], pa.date32(), ValueType.DATE, [DAY]),
        ([date(1970, 1, 2)], pa.date32(), ValueType.DOUBLE, [None]),
        ([MORNING], pa.timestamp("ns", "Europe/Berlin"), ValueType.TIMESTAMP, [MORNING.timestamp()]),
        (["2013-07-01T10:00:00+02:00", "2013-07-01 08:00", "2013-07-01", "yesterday"], pa.string(), ValueType.TIMESTAMP,
         [MORNING.timestamp(), MORNING.timestamp(), MORNING.timestamp() - 8 * 3600, None]),
        ([1372636800], pa.int64(), ValueType.TIMESTAMP, [None]),
        ([None, None], pa.null(), ValueType.DOUBLE, [None, None]),
        ([[1.0]], pa.list_(pa.float64()), ValueType.DOUBLE, [None]),
    ],
)  # fmt: skip
def test_numbers_are_read_from_any_type(values, kind, value_type, read):
    array = pa.array(values, kind)
    assert read_numbers(array, value_type).to_pylist() == read
    if not is_nested(kind) and not pa.types.is_null(kind):
        assert read_numbers(array.dictionary_encode(), value_type).to_pylist() == read


@pytest.mark.parametrize(
    ("values", "kind", "value_type", "read"),
    [
        (["a", "", None, "a, b", "A"], pa.string(), ValueType.STRING, ["a", "", None, "a, b", "A"]),
        (["a"], pa.large_string(), ValueType.STRING, ["a"]),
        ([3, None], pa.int64(), ValueType.STRING, ["3", None]),
        ([3.0, 3.5, math.inf], pa.float64(), ValueType.INTEGER, ["3", None, None]),
        (["3", "3.0", " 3", "+3", "03", "x"], pa.string(), ValueType.INTEGER, ["3", "3", "3", "3", "3", None]),
        ([2**63 - 1], pa.int64(), ValueType.INTEGER, ["9223372036854775807"]),
        ([True, False], pa.bool_(), ValueType.INTEGER, ["1", "0"]),
        ([True, None], pa.bool_(), ValueType.BOOLEAN, ["true", None]),
        ([1, 0, 2], pa.int64(), ValueType.BOOLEAN, ["true", "false", None]),
        (["True", "FALSE", "1.0", "yes"], pa.string(), ValueType.BOOLEAN, ["true", "false", "true", None]),
        ([Decimal("1.50"), Decimal("2.00")], pa.decimal128(5, 2), ValueType.DOUBLE, ["1.5", "2"]),
        (["1.50", "-0", "x"], pa.string(), ValueType.DOUBLE, ["1.5", "0", None]),
        ([date(2013, 7, 1)], pa.date32(), ValueType.DATE, ["2013-07-01"]),
        ([None], pa.null(), ValueType.STRING, [None]),
        ([{"a": 1}], pa.struct([("a", pa.int64())]), ValueType.STRING, [None]),
    ],
)  # fmt: skip
def test_categories_are_spelt_one_way_from_any_type(values, kind, value_type, read):
    assert read_texts(pa.array(values, kind), value_type).to_pylist() == read


def test_a_timestamp_as_a_category_does_not_depend_on_its_unit_or_zone():
    spelt = {
        read_texts(pa.array([MORNING], pa.timestamp(unit, zone)), ValueType.TIMESTAMP)[0].as_py()
        for unit in ("ms", "us", "ns")
        for zone in ("UTC", "Europe/Berlin")
    }
    assert len(spelt) == 1


@given(st.lists(st.none() | st.text(max_size=5), max_size=20))
def test_a_dictionary_has_no_repeats_and_no_nulls(texts):
    for value_type in (ValueType.STRING, ValueType.INTEGER, ValueType.BOOLEAN, ValueType.DOUBLE):
        read = read_texts(pa.array(texts, pa.string()), value_type)
        dictionary = read.dictionary.to_pylist()
        assert len(set(dictionary)) == len(dictionary)
        assert None not in dictionary
        assert len(read) == len(texts)


@given(st.floats() | st.integers(-(2**63), 2**63 - 1))
def test_a_number_survives_being_written_as_text(number):
    read = read_numbers(pa.array([repr(number)]), ValueType.DOUBLE)[0].as_py()
    assert read == float(number) or (math.isnan(read) and math.isnan(number))


@pytest.mark.parametrize(
    ("kind", "value_type"),
    [
        (pa.int8(), ValueType.INTEGER),
        (pa.float16(), ValueType.DOUBLE),
        (pa.decimal128(10, 0), ValueType.DOUBLE),
        (pa.bool_(), ValueType.BOOLEAN),
        (pa.large_string(), ValueType.STRING),
        (pa.dictionary(pa.int8(), pa.string()), ValueType.STRING),
        (pa.date64(), ValueType.DATE),
        (pa.timestamp("ns", "UTC"), ValueType.TIMESTAMP),
        (pa.null(), ValueType.STRING),
        (pa.list_(pa.int8()), None),
        (pa.struct([]), None),
        (pa.map_(pa.string(), pa.int8()), None),
        (pa.binary(), None),
        (pa.time64("us"), None),
    ],
)
def test_nested_and_binary_types_have_no_distribution(kind, value_type):
    assert value_type_of(kind) is value_type
    assert is_nested(kind) is (value_type is None)
