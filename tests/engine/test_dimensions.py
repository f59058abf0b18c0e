"""By which values of a column rows are divided."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dimensions import Dimension, dimension_of
from signals.bins import CategoricalBins, NumericBins, ValueType
from signals.fitting import fit_bins
from signals.profile import CategoricalProfile, NumericProfile
from signals.segments import Segment
from signals.values import read_numbers, value_type_of


def of_texts(values: Sequence[str | None], vocabulary: Sequence[str], kind: ValueType) -> CategoricalProfile:
    counted = Counter(value for value in values if value is not None)
    unseen = {value: count for value, count in counted.items() if value not in vocabulary}
    counts = np.array([*(counted[value] for value in vocabulary), sum(unseen.values())], np.int64)
    nulls = sum(value is None for value in values)
    bins = CategoricalBins(kind, tuple(vocabulary))
    return CategoricalProfile(
        rows=len(values), nulls=nulls, nans=0, unreadable=0, counts=counts, bins=bins, unseen=unseen
    )


def of_numbers(array: pa.Array) -> NumericProfile:
    kind = value_type_of(array.type)
    assert kind is not None
    x = np.array(read_numbers(array, kind).drop_null().to_pylist(), np.float64)
    x = x[np.isfinite(x)]
    survey = counted(x, NumericBins(kind, np.zeros(0), np.nan, np.nan))
    bins = fit_bins(survey, x)
    assert isinstance(bins, NumericBins)
    return counted(x, bins)


def counted(x: np.ndarray, bins: NumericBins) -> NumericProfile:
    cells = np.searchsorted(bins.edges, x, side="right")
    return NumericProfile(
        rows=len(x), nulls=0, nans=0, unreadable=0, bins=bins, counts=np.bincount(cells, minlength=bins.cells),
        sums=np.bincount(cells, x - bins.center, minlength=bins.cells).astype(float),
        low=float(x.min(initial=math.inf)), high=float(x.max(initial=-math.inf)),
    )  # fmt: skip


def rows_of_parts(dimension: Dimension, array: pa.Array) -> dict[str, list[Any]]:
    """The values that each part holds, the others' and the rest; every row in one part at most."""

    def mask(segment: Segment) -> np.ndarray:
        return segment.mask({dimension.column: array}, len(array))

    def chosen(rows: np.ndarray) -> list[Any]:
        return array.filter(pa.array(rows)).to_pylist()

    masks, readable = {part.value: mask(part.segment) for part in dimension.parts}, mask(dimension.readable)
    inside = np.sum([np.zeros(len(array), int), *masks.values()], axis=0)
    assert inside.max(initial=0) <= 1
    assert not (inside.astype(bool) & ~readable).any()
    found = {name: chosen(rows) for name, rows in masks.items()}
    return {**found, "other": chosen(readable & (inside == 0)), "null": chosen(~readable)}


@given(
    now=st.lists(st.sampled_from(["a", "b", "other", "null", "", "ü", None]), max_size=30),
    before=st.lists(st.sampled_from(["a", "b", "c", None]), max_size=30),
)
def test_every_text_is_in_a_part_of_its_own_name_and_nulls_in_none(now, before):
    column = [*now, *before]
    vocabulary = sorted({value for value in before if value is not None})
    dimension = dimension_of("x", *(of_texts(side, vocabulary, ValueType.STRING) for side in (now, before)))
    found = rows_of_parts(dimension, pa.array(column, pa.string()))
    for name, values in found.items():
        assert {*values} == {None if name == "null" else name.strip('"')} or not values
    assert sum(map(len, found.values())) == len(column)


@pytest.mark.parametrize(
    ("kind", "arrow", "value"),
    [
        (ValueType.STRING, pa.string(), str),
        (ValueType.STRING, pa.dictionary(pa.int32(), pa.string()), str),
        (ValueType.INTEGER, pa.int64(), int),
        (ValueType.DOUBLE, pa.float64(), float),
    ],
)
def test_rare_values_are_counted_together_and_nulls_apart(kind, arrow, value):
    texts = [str(value(number)) for number in range(30) for _ in range(40 - number)]
    dimension = dimension_of("x", of_texts([], texts[:1], kind), of_texts(texts, texts[:1], kind))
    column = pa.array([*(value(text) for text in texts), None], pa.string() if value is str else arrow).cast(arrow)
    found = rows_of_parts(dimension, column)
    assert [*found] == [*(str(value(number)) for number in range(20)), "other", "null"]
    assert {*found["other"]} == {value(number) for number in range(20, 30)}
    assert found["null"] == [None]


def test_values_are_chosen_by_their_rows_on_both_sides():
    now = of_texts(["new"] * 50 + ["a"], ["a", "b"], ValueType.STRING)
    before = of_texts(["a"] * 20 + ["b"] * 30, ["a", "b"], ValueType.STRING)
    assert [part.value for part in dimension_of("x", now, before).parts] == ["new", "b", "a"]


def test_booleans_have_two_values():
    profile = of_texts(["true", "false", "true", None], ["false", "true"], ValueType.BOOLEAN)
    found = rows_of_parts(dimension_of("x", profile, profile), pa.array([True, False, True, None]))
    assert found == {"true": [True, True], "false": [False], "other": [], "null": [None]}


def test_numbers_are_divided_at_the_baselines_quarters():
    column = pa.array(np.linspace(0, 100, 1001))
    profile = of_numbers(column)
    found = rows_of_parts(dimension_of("x", profile, profile), column)
    assert [*found] == ["< 25", "[25, 50)", "[50, 75)", ">= 75", "other", "null"]
    assert [len(rows) for rows in found.values()] == [250, 250, 250, 251, 0, 0]


def test_a_value_that_is_a_quarter_of_all_has_a_part_of_its_own():
    column = pa.array([0.0] * 700 + [*np.linspace(0.01, 1, 300)])
    profile = of_numbers(column)
    found = rows_of_parts(dimension_of("x", profile, profile), column)
    assert {name: len(rows) for name, rows in found.items() if rows} == {"0": 700, "(0, 0.174)": 50, ">= 0.174": 250}


def test_a_constant_column_tells_its_value_from_others():
    profile = of_numbers(pa.array([7.5] * 100))
    found = rows_of_parts(dimension_of("x", profile, profile), pa.array([7.5, 7.0, 8.0, math.nan, None]))
    assert {name: len(rows) for name, rows in found.items()} == {
        "< 7.5": 1,
        "7.5": 1,
        "> 7.5": 1,
        "other": 0,
        "null": 2,
    }


def test_whole_numbers_are_divided_between_them():
    column = pa.array([*range(1, 101)])
    profile = of_numbers(column)
    found = rows_of_parts(dimension_of("x", profile, profile), column)
    assert [*found] == ["< 26", "[26, 51)", "[51, 76)", ">= 76", "other", "null"]


def test_times_are_divided_at_moments_that_can_be_read():
    column = pa.array([datetime(2024, 1, day, 12, tzinfo=UTC) for day in range(1, 29)], pa.timestamp("us", "UTC"))
    profile = of_numbers(column)
    found = rows_of_parts(dimension_of("x", profile, profile), column)
    assert [*found][:2] == ["< 2024-01-08 06:00:00", "[2024-01-08 06:00:00, 2024-01-15 00:00:00)"]
    assert [len(rows) for rows in found.values()] == [7, 7, 7, 7, 0, 0]


@given(st.lists(st.one_of(st.floats(), st.integers(-2, 2).map(float), st.none()), max_size=40))
def test_every_number_is_in_one_part(values):
    column = pa.array(values, pa.float64())
    profile = of_numbers(column)
    dimension = dimension_of("x", profile, profile)
    found = rows_of_parts(dimension, column)
    assert all(value is None or math.isnan(value) for value in found["null"])
    assert not found["other"] or not dimension.parts
    assert sum(map(len, found.values())) == len(values)


def test_a_baseline_without_values_divides_values_from_nulls():
    profile = of_numbers(pa.array([], pa.float64()))
    found = rows_of_parts(dimension_of("x", profile, profile), pa.array([1.0, -math.inf, None]))
    assert {name: len(rows) for name, rows in found.items()} == {"other": 2, "null": 1}
