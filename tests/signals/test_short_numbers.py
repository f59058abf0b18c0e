from __future__ import annotations

from itertools import islice
from math import inf

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from signals.short_numbers import short_numbers

Numbers = st.floats(-1e12, 1e12, allow_nan=False)


@pytest.mark.parametrize(
    ("low", "high", "number"),
    [
        (0.1312, 0.17, 0.14),
        (0.1312, 0.139, 0.132),
        (0.1312, inf, 0.14),
        (0.15, 0.2, 0.15),
        (0.0, 0.3, 0.0),
        (-884.2, -700.0, -880.0),
        (-0.1234, -0.121, -0.123),
        (1e-300, 1.0, 1e-300),
        (999.6, 2000.0, 1000.0),
    ],
)
def test_a_threshold_that_values_must_exceed_is_short_and_tight(low: float, high: float, number: float) -> None:
    assert next(short_numbers(low, high, strict=True)) == number


@pytest.mark.parametrize(
    ("low", "high", "number"), [(0.15, 0.2, 0.16), (0.15, 0.15001, 0.15001), (0.0, inf, 0.01), (0.3, inf, 0.31)]
)
def test_a_threshold_that_values_must_reach_lies_above_the_ones_below(low: float, high: float, number: float) -> None:
    assert next(short_numbers(low, high, strict=False)) == number


@given(Numbers, Numbers, st.booleans())
def test_the_first_number_lies_in_the_gap(low: float, high: float, strict: bool) -> None:
    assume(low < high)
    number = next(short_numbers(low, high, strict=strict))
    assert (low <= number < high) if strict else (low < number <= high)


@given(Numbers, st.booleans())
def test_a_gap_without_an_end_has_numbers_too(low: float, strict: bool) -> None:
    for number in islice(short_numbers(low, inf, strict=strict), 3):
        assert number >= low if strict else number > low
