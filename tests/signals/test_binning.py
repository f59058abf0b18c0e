from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.bin_names import category_names, interval_names
from signals.binning import Binning, BinningMethod, requested_edges
from signals.bins import ValueType

EQUAL_WIDTH = Binning(BinningMethod.EQUAL_WIDTH, bins=4)
MEDIAN_CENTERED = Binning(BinningMethod.MEDIAN_CENTERED)


def edges_of(binning: Binning, **known: float) -> list[float]:
    return requested_edges(binning, **known).tolist()


def test_deciles_hold_a_tenth_of_the_baseline_each(profiles):
    change = profiles.change([1.0], np.random.default_rng(1).lognormal(size=50_000))
    _, baseline = change.counts
    assert len(change.value_bins) == 10
    assert baseline[:10] / 50_000 == pytest.approx(0.1, abs=0.006)


def test_more_quantiles_can_be_asked_for(profiles):
    change = profiles.change([1.0], np.random.default_rng(1).normal(size=9_000), binning=Binning(bins=20))
    assert len(change.value_bins) == 20


def test_equal_steps_lie_between_the_least_and_the_greatest_value():
    assert edges_of(EQUAL_WIDTH, low=0.0, high=8.0) == [2.0, 4.0, 6.0]


def test_equal_steps_of_the_widest_range_are_finite():
    assert np.isfinite(edges_of(EQUAL_WIDTH, low=-1.7e308, high=1.7e308)).all()


def test_median_centered_bins_are_a_third_of_a_standard_deviation_wide_with_two_open_tails():
    edges = edges_of(MEDIAN_CENTERED, low=-9.0, high=9.0, median=1.0, std=3.0)
    assert edges == [-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


def test_user_edges_are_sorted_and_each_is_used_once():
    assert edges_of(Binning(BinningMethod.EDGES, edges=(5.0, 1.0, 5.0)), low=math.nan, high=math.nan) == [1.0, 5.0]


@pytest.mark.parametrize("method", [BinningMethod.EQUAL_WIDTH, BinningMethod.MEDIAN_CENTERED, BinningMethod.QUANTILE])
def test_a_baseline_without_numbers_asks_for_no_edges(method):
    assert edges_of(Binning(method), low=math.nan, high=math.nan) == []


@pytest.mark.parametrize("binning", [EQUAL_WIDTH, MEDIAN_CENTERED, Binning(BinningMethod.EDGES, edges=(-1.0, 0.5))])
def test_edges_that_bins_were_frozen_with_are_used_exactly(binning, profiles):
    rng = np.random.default_rng(2)
    now, before = rng.normal(size=500), rng.normal(size=3_000)
    change = profiles.change(now, before, binning=binning)
    asked = change.details.get("requested_edges", change.details["edges"])
    assert change.details["edges"] == pytest.approx(asked, abs=0.02)  # the median is read from cells
    current, _ = change.counts
    assert current[:-1].tolist() == np.histogram(now, [-np.inf, *change.details["edges"], np.inf])[0].tolist()


def test_edges_asked_for_later_are_the_nearest_fine_ones_and_both_are_told(profiles):
    rng = np.random.default_rng(3)
    frozen = profiles.change(rng.normal(size=50), rng.normal(size=3_000))
    later = type(frozen)(frozen.current, frozen.baseline, Binning(BinningMethod.EDGES, edges=(0.123456, 99.0)))
    assert later.details["requested_edges"] == [0.123456, 99.0]
    used = later.details["edges"]
    assert used[0] == pytest.approx(0.123456, abs=0.02)
    assert used[1] == math.nextafter(frozen.current.bins.high, math.inf)


@pytest.mark.parametrize("method", list(BinningMethod))
def test_a_constant_is_a_bin_of_its_own(method, profiles):
    binning = Binning(method, edges=(7.0, math.nextafter(7.0, 8.0)) if method is BinningMethod.EDGES else ())
    change = profiles.change([6.0, 7.0, 7.5], np.full(100, 7.0), binning=binning)
    assert change.bins == ["< 7", "7", "> 7", "null"]
    assert [counts.tolist() for counts in change.counts] == [[1, 1, 1, 0], [0, 100, 0, 0]]


@pytest.mark.parametrize("method", list(BinningMethod))
def test_a_heavy_value_does_not_swallow_the_rest(method, profiles):
    rng = np.random.default_rng(4)
    before = np.where(rng.random(5_000) < 0.85, 0.0, rng.exponential(size=5_000))
    change = profiles.change(before, before, binning=Binning(method, edges=(0.0, 1.0)))
    assert len(change.value_bins) >= 3
    assert sum(change.counts[0]) == 5_000


def test_a_baseline_without_values_has_one_bin_for_any_and_one_for_nulls(profiles):
    change = profiles.change([1.0, math.nan], [math.nan] * 3)
    assert change.bins == ["any value", "null"]
    assert [counts.tolist() for counts in change.counts] == [[1, 1], [0, 3]]


@given(
    values=st.lists(st.floats(-1e9, 1e9) | st.integers(0, 3).map(float), min_size=1, max_size=80),
    bins=st.integers(1, 15),
    method=st.sampled_from(list(BinningMethod)),
)
def test_however_binned_every_row_is_in_one_bin(profiles, values, bins, method):
    change = profiles.change(values, values, binning=Binning(method, bins, edges=(0.0, 1.5)))
    edges = change.details["edges"]
    assert edges == sorted(set(edges))
    expected = np.histogram(values, [-np.inf, *edges, np.inf])[0]
    assert change.counts[0][:-1].tolist() == expected.tolist()
    assert len(set(change.bins)) == len(change.bins) == change.details["k"]


def after(value: float) -> float:
    return math.nextafter(value, math.inf)


@pytest.mark.parametrize(
    ("edges", "value_type", "names"),
    [
        ([3.0, 7.0], ValueType.DOUBLE, ["< 3", "[3, 7)", ">= 7"]),
        ([0.0, after(0.0), 2.5], ValueType.DOUBLE, ["< 0", "0", "(0, 2.5)", ">= 2.5"]),
        ([0.1, after(0.3)], ValueType.DOUBLE, ["< 0.1", "[0.1, 0.3]", "> 0.3"]),
        ([after(-1.5)], ValueType.DOUBLE, ["<= -1.5", "> -1.5"]),
        ([1 / 3, 2 / 3], ValueType.DOUBLE, ["< 0.3333", "[0.3333, 0.6667)", ">= 0.6667"]),
        ([1.00001, 1.00002], ValueType.DOUBLE, ["< 1.00001", "[1.00001, 1.00002)", ">= 1.00002"]),
        ([1e-9, 1e20], ValueType.DOUBLE, ["< 1e-09", "[1e-09, 1e+20)", ">= 1e+20"]),
        ([3.0, 4.0, 7.0], ValueType.INTEGER, ["< 3", "3", "[4, 7)", ">= 7"]),
        ([3.0, after(3.0), 7.0], ValueType.INTEGER, ["< 3", "3", "[4, 7)", ">= 7"]),
        (
            [15_706 * 86_400.0, 15_707 * 86_400.0, 15_737 * 86_400.0],
            ValueType.DATE,
            ["< 2013-01-01", "2013-01-01", "[2013-01-02, 2013-02-01)", ">= 2013-02-01"],
        ),
        ([1_356_998_400.0], ValueType.TIMESTAMP, ["< 2013-01-01 00:00:00", ">= 2013-01-01 00:00:00"]),
        ([1e300], ValueType.TIMESTAMP, ["< 1e+300", ">= 1e+300"]),
        ([1e300], ValueType.INTEGER, ["< 1e+300", ">= 1e+300"]),
        ([], ValueType.DOUBLE, ["any value"]),
    ],
)
def test_bins_are_named_for_people(edges, value_type, names):
    assert interval_names(np.array(edges), value_type) == names


def test_a_category_called_other_is_not_the_bin_of_others():
    assert category_names(("a, b", "other", "null", "")) == ["a, b", '"other"', '"null"', '""', "other"]
