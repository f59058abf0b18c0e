from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.remainders import remainder

numbers = st.lists(st.one_of(st.floats(-9, 9), st.just(math.nan)), max_size=20)
texts = st.lists(st.sampled_from(["a", "b", "new", "newer", None]), max_size=20)


@given(rest=numbers, parts=st.lists(numbers, max_size=3))
def test_what_is_left_of_numbers_is_the_profile_of_the_other_rows(rest, parts, profiles):
    bins = profiles.bins([-5.0, 0.0, 1.0, 2.0, 5.0])
    whole = profiles.numbers([*rest, *(value for part in parts for value in part)], bins)
    left, expected = remainder(whole, [profiles.numbers(part, bins) for part in parts]), profiles.numbers(rest, bins)
    assert (left.rows, left.nulls, left.counts.tolist()) == (expected.rows, expected.nulls, expected.counts.tolist())
    assert left.sums == pytest.approx(expected.sums, abs=1e-9)
    assert left.squares == pytest.approx(expected.squares, abs=1e-9)
    assert left.low <= expected.low
    assert left.high >= expected.high


@given(rest=texts, parts=st.lists(texts, max_size=3))
def test_what_is_left_of_categories_is_the_profile_of_the_other_rows(rest, parts, profiles):
    bins = profiles.vocabulary(["a", "b"])
    whole = profiles.categories([*rest, *(value for part in parts for value in part)], bins)
    left = remainder(whole, [profiles.categories(part, bins) for part in parts])
    expected = profiles.categories(rest, bins)
    assert (left.rows, left.nulls, left.counts.tolist()) == (expected.rows, expected.nulls, expected.counts.tolist())
    assert left.unseen == expected.unseen


def test_rows_that_are_not_of_the_whole_cannot_be_taken_away(profiles):
    bins = profiles.bins([1.0, 2.0])
    with pytest.raises(ValueError, match="not of its rows"):
        remainder(profiles.numbers([1.0], bins), [profiles.numbers([2.0], bins)])


def test_other_bins_cannot_be_taken_away(profiles):
    one, other = profiles.bins([1.0, 2.0]), profiles.bins([1.0, 3.0])
    with pytest.raises(ValueError, match="different bins"):
        remainder(profiles.numbers([1.0], one), [profiles.numbers([1.0], other)])
