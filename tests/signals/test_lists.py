"""Lists of strings: their lengths, counted against plain Python."""

from __future__ import annotations

from statistics import mean

import pyarrow as pa
import pytest

from signals.bins import ValueType
from signals.catalogue import Kind
from signals.kernel import ScannedColumn
from signals.lists import average_string_list_length
from signals.measurement import Measurement, Undefined
from signals.profile import NumericProfile
from signals.quality import Column, data_type_error_rate, null_value_rate
from tests.signals.kernel_runs import fitted, profile_of

TAGS = [["a", "b"], [], None, ["c"], ["x", None, "y, z", ""], [], ["a"] * 30]
TEXTS = pa.list_(pa.string())


def column(values: pa.Array, baseline: pa.Array) -> Column:
    bins = fitted(baseline)
    return Column(*(profile_of(each, ScannedColumn("x", bins), batches=3) for each in (values, baseline)))


@pytest.mark.parametrize("kind", [TEXTS, pa.large_list(pa.large_string())])
def test_the_mean_length_is_that_of_lists_that_are_not_empty(kind):
    found = average_string_list_length(column(pa.array(TAGS, kind), pa.array([["q"], ["r", "s"], []], kind)))
    lengths = [len(tags) for tags in TAGS if tags]
    assert isinstance(found, Measurement)
    assert found.value == pytest.approx(mean(lengths), rel=1e-12)
    assert (found.rows, found.details["empty"], found.details["baseline_value"]) == (len(lengths), 2, 1.5)


def test_lists_are_told_from_nulls_and_from_what_is_no_list():
    baseline = pa.array([["q"], ["r", "s"]])
    found = column(pa.array(TAGS, TEXTS), baseline)
    rate = null_value_rate(found)
    assert isinstance(rate, Measurement)
    assert rate.value == 1 / 7
    for other in (pa.array(["a", None]), pa.array([[1.0], None]), pa.array([1, None])):
        wrong = data_type_error_rate(column(other, baseline))
        assert isinstance(wrong, Measurement)
        assert wrong.value == 1.0


@pytest.mark.parametrize("baseline", [[[]], [None], [["a"], []], [["a"] * 5] * 9], ids=str)
def test_empty_lists_are_told_from_others_whatever_the_baseline_has(baseline):
    values = pa.array([[], ["a"], ["b", "c"], []], TEXTS)
    found = column(values, pa.array(baseline, TEXTS))
    answer = average_string_list_length(found)
    assert isinstance(answer, Measurement)
    assert (answer.value, answer.rows, answer.details["empty"]) == (1.5, 2, 2)


def test_lists_that_are_all_empty_or_null_have_no_length():
    baseline = pa.array([["a"]])
    assert average_string_list_length(column(pa.array([[], []], TEXTS), baseline)) == Undefined("all lists are empty")
    nulls = average_string_list_length(column(pa.array([None], TEXTS), baseline))
    assert nulls == Undefined("there are no values: all rows are null")
    assert average_string_list_length(column(pa.array([], TEXTS), baseline)) == Undefined("there are no rows")


def test_profiles_of_lists_are_of_a_kind_of_their_own_and_add_up():
    bins = fitted(pa.array(TAGS, TEXTS))
    assert (bins.kind, bins.value_type) == (Kind.LIST, ValueType.LIST)
    one, other = (profile_of(pa.array(part, TEXTS), ScannedColumn("x", bins)) for part in (TAGS[:3], TAGS[3:]))
    whole = profile_of(pa.array(TAGS, TEXTS), ScannedColumn("x", bins))
    assert isinstance(one, NumericProfile)
    assert isinstance(other, NumericProfile)
    assert average_string_list_length(Column(one + other)) == average_string_list_length(Column(whole))
