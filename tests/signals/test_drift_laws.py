"""Laws that every drift metric of the catalogue obeys, a new one from the moment it is declared."""

from __future__ import annotations

import json
import math
from copy import deepcopy
from dataclasses import asdict
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.bins import ValueType
from signals.catalogue import Bad, Family, Kind, Metric, metrics_of
from signals.change import Change
from signals.measurement import Measurement, Undefined
from signals.metrics import METRICS

DRIFT = metrics_of(Family.DRIFT)
OF_NUMBERS = [each for each in DRIFT if Kind.NUMERICAL in each.kinds]
OF_CATEGORIES = [each for each in DRIFT if Kind.CATEGORICAL in each.kinds]
# Of two samples one is the reference: Wasserstein's unit is the baseline's, Kullback-Leibler's weights the window's.
ONE_SIDED = {"kl_divergence", "normalized_wasserstein_distance"}

by_name = pytest.mark.parametrize("metric", DRIFT, ids=lambda metric: metric.name)
by_name_of_numbers = pytest.mark.parametrize("metric", OF_NUMBERS, ids=lambda metric: metric.name)
by_name_of_categories = pytest.mark.parametrize("metric", OF_CATEGORIES, ids=lambda metric: metric.name)

number_columns = st.lists(
    st.one_of(
        st.floats(-1e6, 1e6), st.integers(-3, 3).map(float), st.just(math.nan), st.sampled_from([1e18, -1e18, 5e-324])
    ),
    max_size=60,
)
wild_columns = st.lists(
    st.one_of(st.floats(-1.7e308, 1.7e308), st.sampled_from([math.nan, math.inf, -math.inf, 1e300])), max_size=20
)
category_columns = st.lists(st.sampled_from(["a", "b", "c,d", "other", "null", "", "ü", None]), max_size=60)


def measurement(metric: Metric, change: Change) -> Any:
    """The measurement; `Any`, because its evidence is there for every metric of drift."""
    result = metric.compute(change)
    assert isinstance(result, Measurement), result
    return result


def unchanged_value(metric: Metric) -> float:
    """A distance of nothing, or a test that finds nothing."""
    return 1.0 if metric.bad is Bad.LOWER else 0.0


@by_name_of_numbers
def test_the_same_numbers_have_not_drifted(metric, profiles):
    x = np.random.default_rng(1).normal(size=2_000)
    same = measurement(metric, profiles.change(x, x))
    assert same.value == pytest.approx(unchanged_value(metric), abs=1e-12)
    assert same.p_value == pytest.approx(1.0)


@by_name_of_categories
def test_the_same_categories_have_not_drifted(metric, profiles):
    x = ["a"] * 60 + ["b"] * 40 + [None] * 9
    same = measurement(metric, profiles.change_of_categories(x, x))
    assert same.value == pytest.approx(unchanged_value(metric), abs=1e-12)
    assert same.p_value == pytest.approx(1.0)


@by_name_of_numbers
def test_a_moved_column_is_worse_than_chance(metric, profiles):
    rng = np.random.default_rng(2)
    moved = measurement(metric, profiles.change(rng.normal(1.0, size=1_000), rng.normal(size=5_000)))
    assert moved.p_value < 0.01
    if metric.bad is Bad.LOWER:
        assert moved.value < moved.expected_p95
    else:
        assert moved.value > moved.expected_p95
    assert moved.contributions[0].term > 0


@by_name_of_numbers
@pytest.mark.parametrize("share", [0.0, 0.2])
def test_a_constant_column_that_stays_has_hardly_drifted(metric, share, profiles):
    now, before = np.full(1_000, 7.0), np.full(10_000, 7.0)
    now[: int(share * len(now))] = before[: int(share * len(before))] = np.nan
    same = measurement(metric, profiles.change(now, before))
    assert same.value == pytest.approx(unchanged_value(metric), abs=0.05)
    assert same.p_value > 0.9


@by_name_of_numbers
@pytest.mark.parametrize("now", [6.0, 7.0000001, -1e9])
def test_a_constant_that_changes_is_seen(metric, now, profiles):
    moved = measurement(metric, profiles.change(np.full(1_000, now), np.full(10_000, 7.0)))
    assert moved.p_value < 0.01


@by_name_of_categories
def test_swapping_the_sides_changes_nothing_where_both_count_alike(metric, profiles):
    bins = profiles.vocabulary(["a", "b", "c"])
    one = profiles.categories(["a"] * 50 + ["b"] * 30 + ["c"] * 20, bins)
    other = profiles.categories(["a"] * 10 + ["b"] * 70 + ["c"] * 60 + ["new"] * 5, bins)
    there, back = measurement(metric, Change(one, other)), measurement(metric, Change(other, one))
    assert (there.value == pytest.approx(back.value, rel=1e-12)) is (metric.name not in ONE_SIDED)


@by_name_of_numbers
def test_order_on_the_number_line_counts_alike_from_both_sides(metric, profiles):
    rng = np.random.default_rng(3)
    bins = profiles.bins(rng.normal(size=500))
    one, other = (profiles.numbers(rng.normal(shift, size=400), bins) for shift in (0.0, 0.3))
    if Kind.CATEGORICAL not in metric.kinds and metric.name not in ONE_SIDED:
        there, back = measurement(metric, Change(one, other)), measurement(metric, Change(other, one))
        assert there.value == pytest.approx(back.value, rel=1e-12)


@by_name_of_numbers
@settings(max_examples=25)
@given(current=number_columns, baseline=number_columns, nulls=st.sampled_from(["bin", "drop"]))
def test_any_numbers_have_a_finite_value_or_a_reason(metric, profiles, current, baseline, nulls):
    assert_sound(metric, profiles.change(current, baseline, nulls=nulls))


@by_name_of_numbers
@settings(max_examples=10)
@given(current=wild_columns, baseline=wild_columns)
def test_the_wildest_numbers_have_a_finite_value_or_a_reason(metric, profiles, current, baseline):
    with np.errstate(over="ignore", invalid="ignore"):  # in the plain counting of this test
        change = profiles.change(current, baseline)
    assert_sound(metric, change)


@by_name_of_categories
@settings(max_examples=25)
@given(current=category_columns, baseline=category_columns, nulls=st.sampled_from(["bin", "drop"]))
def test_any_categories_have_a_finite_value_or_a_reason(metric, profiles, current, baseline, nulls):
    assert_sound(metric, profiles.change_of_categories(current, baseline, nulls))


def assert_sound(metric: Metric, change: Change) -> None:
    if isinstance(metric.compute(change), Undefined):
        return
    result = measurement(metric, change)
    low, high = metric.range
    assert low <= result.value <= high
    assert math.isfinite(result.value)
    assert 0.0 <= result.p_value <= 1.0
    assert math.isfinite(result.expected_p95)
    assert result.rows > 0
    assert result.baseline_rows > 0
    terms = [each.term for each in result.contributions]
    assert terms == sorted(terms, reverse=True)
    assert all(math.isfinite(term) for term in terms)
    assert len({each.bin for each in result.contributions}) == len(terms)
    assert sum(each.current for each in result.contributions) == pytest.approx(1.0)
    assert sum(each.baseline for each in result.contributions) == pytest.approx(1.0)
    json.dumps(asdict(result)["details"], allow_nan=False)


@by_name
def test_a_metric_changes_nothing_that_it_reads(metric, profiles):
    rng = np.random.default_rng(4)
    change = profiles.change(rng.normal(size=50), rng.normal(size=70))
    before = deepcopy((change.current, change.baseline))
    metric.compute(change)
    for now, then in zip((change.current, change.baseline), before, strict=True):
        assert now.counts.tolist() == then.counts.tolist()
        assert now.sums.tolist() == then.sums.tolist()


@by_name
def test_a_metric_answers_the_same_alone_and_after_all_others(metric, profiles):
    rng = np.random.default_rng(5)
    now, before = rng.normal(0.1, size=80), rng.normal(size=300)
    shared = profiles.change(now, before)
    for other in reversed(DRIFT):
        other.compute(shared)
    assert metric.compute(shared) == metric.compute(profiles.change(now, before))


@by_name_of_numbers
@pytest.mark.parametrize("value_type", [ValueType.DOUBLE, ValueType.INTEGER])
def test_days_added_up_measure_like_all_their_rows_at_once(metric, value_type, profiles):
    rng = np.random.default_rng(6)
    days = [np.round(rng.normal(10 * shift, 4.0, size=150)) for shift in (0.0, 0.5, 1.0)]
    whole = profiles.change(np.concatenate(days), np.round(rng.normal(0, 4.0, size=900)), value_type)
    bins = whole.current.bins
    added = reduce(add, (profiles.numbers(day, bins) for day in days))
    merged = measurement(metric, Change(added, whole.baseline))
    assert merged.value == pytest.approx(measurement(metric, whole).value, rel=1e-9)
    assert merged.p_value == pytest.approx(measurement(metric, whole).p_value, rel=1e-9)


@by_name_of_categories
def test_days_of_categories_added_up_measure_like_all_their_rows_at_once(metric, profiles):
    days = [["a"] * 20 + [None], ["b"] * 9 + ["new"] * 4, ["a", "c", "new"]]
    whole = profiles.change_of_categories([row for day in days for row in day], list("aaabbbcccccc") * 5)
    bins = whole.current.bins
    added = reduce(add, (profiles.categories(day, bins) for day in days))
    assert metric.compute(Change(added, whole.baseline)) == metric.compute(whole)


@by_name_of_numbers
@pytest.mark.parametrize(
    ("now", "before", "reason"),
    [
        ([], [1.0, 2.0], "the window has no rows"),
        ([1.0, 2.0], [], "the baseline has no rows"),
        ([math.nan], [math.nan] * 3, "all values are null, in the window and in the baseline"),
    ],
)
def test_nothing_to_compare_is_a_reason(metric, now, before, reason, profiles):
    assert metric.compute(profiles.change(now, before)) == Undefined(reason)


@by_name_of_numbers
def test_nulls_left_out_leave_their_column_without_values(metric, profiles):
    result = metric.compute(profiles.change([math.nan] * 3, [1.0, 2.0], nulls="drop"))
    assert result == Undefined("all values are null in the window, and nulls are left out")


def test_two_kinds_of_bins_do_not_compare(profiles):
    one, other = profiles.bins([1.0, 2.0]), profiles.bins([1.0, 3.0])
    with pytest.raises(ValueError, match="different bins"):
        Change(profiles.numbers([1.0], one), profiles.numbers([1.0], other))


def test_the_catalogue_has_exactly_the_drift_metrics_that_are_defined():
    assert {each.name for each in DRIFT} == {
        "population_stability_index",
        "kl_divergence",
        "jensen_shannon_distance",
        "hellinger_distance",
        "total_variation_distance",
        "chebyshev_distance",
        "two_sample_kolmogorov_smirnov_test",
        "kolmogorov_smirnov_statistic",
        "normalized_wasserstein_distance",
        "pearsons_chi_squared_test",
        "euclidean_distance",
        "cosine_similarity",
    }
    assert {each.name for each in DRIFT if each.bad is Bad.LOWER} == {
        "two_sample_kolmogorov_smirnov_test", "pearsons_chi_squared_test", "cosine_similarity",
    }  # fmt: skip
    assert {METRICS[each.name].bad for each in DRIFT} == {Bad.LOWER, Bad.HIGHER}
