"""A value is converted, or keeps its own where it cannot be; its neighbours make no difference."""

import decimal
from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.bins import ValueType
from signals.conversions import Conversion, convert, parted
from signals.values import read_numbers

INT, FLOAT, TEXT, BOOL, TIME = (
    ValueType.INTEGER, ValueType.DOUBLE, ValueType.STRING, ValueType.BOOLEAN, ValueType.TIMESTAMP,
)  # fmt: skip
NOON = datetime(2024, 12, 31, 12, tzinfo=UTC)


def read(values, to, **options):
    array = values if isinstance(values, pa.Array) else pa.array(values)
    found = convert(array, Conversion(("x",), to, **options))
    assert found.type == Conversion((), to).type
    return found.to_pylist()


@pytest.mark.parametrize(
    ("values", "to", "options", "expected"),
    [
        (["1", " 2 ", "+3", "-4", None], INT, {}, [1, 2, 3, -4, None]),
        (["3.0", "1e3", "3.5", "x", "", "nan", "inf"], INT, {}, [3, 1000, None, None, None, None, None]),
        (["9007199254740993", "99999999999999999999"], INT, {}, [9007199254740993, None]),
        ([1.0, 2.5, float("nan"), 1e300, None], INT, {}, [1, None, None, None, None]),
        ([True, False, None], INT, {}, [1, 0, None]),
        ([decimal.Decimal("2.00"), decimal.Decimal("2.50")], INT, {}, [2, None]),
        (["1", "1e3", "x", None], FLOAT, {}, [1.0, 1000.0, None, None]),
        ([1, None], FLOAT, {}, [1.0, None]),
        ([7, None], TEXT, {}, ["7", None]),
        ([True, None], TEXT, {}, ["true", None]),
        (["007", ""], TEXT, {}, ["007", ""]),
        (["TRUE", "false", "1", "0", "yes", None], BOOL, {}, [True, False, True, False, None, None]),
        ([1, 0, 2, None], BOOL, {}, [True, False, None, None]),
        (["yes", "no", "1", None], BOOL, {"true": ("yes",), "false": ("no",)}, [True, False, None, None]),
        (["yes", "no", "?", None], BOOL, {"true": ("yes",), "false": ("no",), "otherwise": False},
         [True, False, False, None]),
        ([1, 0, 2], BOOL, {"true": ("1",), "false": ("0",)}, [True, False, None]),
        (["31/12/2024 12", "31/12/2024", "x", None], TIME, {"formats": ("%d/%m/%Y %H", "%d/%m/%Y")},
         [NOON, NOON.replace(hour=0), None, None]),
        (["2024-12-31T14:00:00+0200"], TIME, {"formats": ("%Y-%m-%dT%H:%M:%S%z",)}, [NOON]),
        ([20241231], TIME, {"formats": ("%Y%m%d",)}, [NOON.replace(hour=0)]),
        (["2024-12-31T14:00:00+02:00", "31/12/2024"], TIME, {}, [NOON, None]),
        ([date(2024, 12, 31)], TIME, {"formats": ("%d",)}, [NOON.replace(hour=0)]),
    ],
)  # fmt: skip
def test_values_get_the_type_that_is_asked_for(values, to, options, expected):
    assert read(values, to, **options) == expected


@pytest.mark.parametrize("to", [INT, FLOAT, TEXT, BOOL, TIME])
def test_columns_without_values_are_converted_to_none(to):
    assert read([None, None], to) == [None, None]
    assert read(pa.array([], pa.string()), to) == []
    assert read([[1], None], to) == [None, None]  # nested


def test_a_dictionary_is_read_like_its_values():
    assert read(pa.array(["1", "x", "1"]).dictionary_encode(), INT) == [1, None, 1]


NUMBERS = [Conversion(("a", "b"), INT)]


def test_rows_in_which_everything_is_converted_are_one_part():
    ((arrays, rows),) = parted({"a": pa.array(["1", None]), "c": pa.array(["x", "y"])}, NUMBERS)
    assert rows is None
    assert arrays["a"].to_pylist() == [1, None]
    assert arrays["c"].to_pylist() == ["x", "y"]


def test_a_value_that_cannot_be_converted_keeps_its_own_and_is_not_a_null():
    columns = {"a": pa.array(["1", "x", None, "2"]), "b": pa.array(["y", "2", "3", None])}
    found = {}
    for arrays, rows in parted(columns, NUMBERS):
        for place, row in enumerate(rows):
            found[row] = (arrays["a"][place].as_py(), arrays["b"][place].as_py())
    assert found == {0: (1, "y"), 1: ("x", 2), 2: (None, 3), 3: (2, None)}


@given(st.lists(st.sampled_from(["1", "2", "x", "", "3.5", None]), min_size=1, max_size=12), st.data())
def test_neighbours_make_no_difference_to_what_is_counted(values, data):
    """What the kernel then counts as null and as unreadable is what it counts of each value by itself."""

    def counted(each):
        nulls = unreadable = 0
        total = 0.0
        for arrays, _ in parted({"a": pa.array(each, pa.string())}, NUMBERS):
            numbers = read_numbers(arrays["a"], INT)
            nulls += arrays["a"].null_count
            unreadable += numbers.null_count - arrays["a"].null_count
            total += np.nansum(numbers.to_numpy(zero_copy_only=False))
        return nulls, unreadable, total

    shuffled = data.draw(st.permutations(values))
    one_by_one = np.sum([counted([value]) for value in values], axis=0)
    assert counted(values) == counted(shuffled) == tuple(one_by_one)
