"""Windows put together from the buckets that are kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.kept_windows import tiling, window_profiles
from engine.store import ProfileKey, Store
from engine.windows import Window
from tests.engine.profile_samples import NUMBERS, WORDS, days, of_numbers, of_rows

START = datetime(2013, 7, 1, tzinfo=UTC)


def hours(first: int, last: int) -> Window:
    return Window(START + timedelta(hours=first), START + timedelta(hours=last))


def test_a_window_is_made_up_of_the_buckets_between_its_ends() -> None:
    buckets = [hours(n, n + 1) for n in range(6)]
    assert tiling(hours(1, 4), buckets) == (hours(1, 2), hours(2, 3), hours(3, 4))


def test_of_several_grids_the_coarser_one_is_taken() -> None:
    buckets = [hours(n, n + 1) for n in range(48)] + [hours(0, 24), hours(24, 48)]
    assert tiling(hours(0, 48), buckets) == (hours(0, 24), hours(24, 48))
    assert tiling(hours(23, 48), buckets) == (hours(23, 24), hours(24, 48))


@pytest.mark.parametrize("window", [hours(0, 7), hours(2, 5), Window(START, START + timedelta(minutes=90))])
def test_a_window_with_a_gap_is_not_made_up(window: Window) -> None:
    assert tiling(window, [hours(0, 1), hours(1, 3), hours(4, 5), None]) is None


def test_the_whole_dataset_is_itself_alone() -> None:
    assert tiling(None, [hours(0, 1), None]) == (None,)
    assert tiling(None, [hours(0, 1)]) is None


@given(st.sets(st.tuples(st.integers(0, 8), st.integers(1, 4))), st.integers(0, 6), st.integers(1, 6))
def test_a_tiling_has_no_gap_and_no_overlap(spans: set[tuple[int, int]], first: int, length: int) -> None:
    window = hours(first, first + length)
    found = tiling(window, [hours(start, start + size) for start, size in spans])
    reachable = {first}
    for start, size in sorted(spans):
        if start in reachable:
            reachable.add(start + size)
    assert (found is not None) == (first + length in reachable)
    if found is not None:
        assert (found[0].start, found[-1].end) == (window.start, window.end)
        assert all(before.end == after.start for before, after in pairwise(found))


def key(bucket: Window | None, column: str = "x", segment: str = "aggregate") -> ProfileKey:
    return ProfileKey(column, NUMBERS.id, bucket, segment)


def test_the_profile_of_a_window_is_the_sum_of_its_buckets(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save_profiles(of_numbers(bucket=bucket, profile=of_rows(n + 1)) for n, bucket in enumerate(days(0, 1, 2)))
    store.save_profiles([of_numbers(bucket=None, profile=of_rows(100))])
    two = Window(days(1)[0].start, days(2)[0].end)
    found = window_profiles(store, "d", [key(two), key(None)], {NUMBERS.id: NUMBERS})
    assert {each.bucket: profile.rows for each, profile in found.items()} == {two: 5, None: 100}


def test_what_is_not_kept_is_left_out(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save_profiles([of_numbers(bucket=days(0)[0]), of_numbers(bucket=days(0)[0], column="y")])
    bins, day = {NUMBERS.id: NUMBERS}, days(0)[0]
    others = [key(days(1)[0]), key(day, "z"), key(day, segment='state = "CA"'), replace_bins(key(day))]
    assert window_profiles(store, "d", [key(day), *others], bins).keys() == {key(day)}
    assert window_profiles(store, "another", [key(day)], bins) == {}
    assert window_profiles(store, "d", [key(day)], {}) == {}


def replace_bins(one: ProfileKey) -> ProfileKey:
    return one._replace(bins_id=WORDS.id)


def test_a_store_without_profiles_has_no_window(tmp_path: Path) -> None:
    assert window_profiles(Store(tmp_path), "d", [key(None)], {NUMBERS.id: NUMBERS}) == {}


def test_columns_of_the_same_bins_stay_apart(tmp_path: Path) -> None:
    store, day = Store(tmp_path), days(0)[0]
    stored = of_numbers(bucket=day)
    store.save_profiles([stored, replace(stored, column="y", profile=of_rows(7))])
    found = window_profiles(store, "d", [key(day), key(day, "y")], {NUMBERS.id: NUMBERS})
    assert [found[key(day)].rows, found[key(day, "y")].rows] == [1, 7]
