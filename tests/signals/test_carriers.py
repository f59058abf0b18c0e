"""A shift split over the values of a dimension: what adds up, and who is to blame."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.binning import Binning
from signals.bins import NumericBins
from signals.carriers import Carrier, Partition, carriers, own_value
from signals.catalogue import BOTH_KINDS, Family, Kind, metrics_of
from signals.change import Change
from signals.measurement import Measurement, Undefined
from signals.metrics import METRICS
from signals.prices import SPLITTABLE, prices_of
from signals.quality import Column

SQUARED = {"jensen_shannon_distance", "hellinger_distance"}
TESTS = {"two_sample_kolmogorov_smirnov_test", "pearsons_chi_squared_test"}
SMOOTHED = {"population_stability_index", "kl_divergence"}
UNREADABLE = "?"

splittable = pytest.mark.parametrize("metric", sorted(SPLITTABLE))
OF_BINS = {each.name for each in metrics_of(Family.DRIFT) if each.kinds & BOTH_KINDS}
distances = pytest.mark.parametrize("metric", sorted(OF_BINS))
cells = st.one_of(st.floats(-9, 9), st.integers(-2, 2).map(float), st.just(math.nan), st.just(UNREADABLE))
wild = st.one_of(st.floats(-1.7e308, 1.7e308), st.sampled_from([math.nan, math.inf, -math.inf, 1e300, 5e-324]))
sides = st.dictionaries(
    st.sampled_from("abc"), st.tuples(st.lists(cells, max_size=20), st.lists(cells, max_size=20)), min_size=1
)


@pytest.fixture(scope="module")
def partition(profiles):
    """Partitions of numbers, in bins fitted to all of the baseline."""

    def of(values: dict[str, tuple[Any, Any]], bins: NumericBins | None = None, **given: Any) -> Partition:
        bins = bins or profiles.bins(np.concatenate([readable(before) for _, before in values.values()]))
        now, before = (
            {value: profiles.numbers(readable(side[at]), bins, unreadable(side[at])) for value, side in values.items()}
            for at in (0, 1)
        )
        return Partition(now, before, **given)

    return of


def readable(rows: Any) -> np.ndarray:
    return np.asarray([each for each in rows if each is not UNREADABLE], np.float64)


def unreadable(rows: Any) -> int:
    return sum(each is UNREADABLE for each in rows)


def shift_of(metric: str, change: Change) -> float | Undefined:
    """What the prices of all rows add up to."""
    prices = prices_of(metric, change)
    if isinstance(prices, Undefined):
        return prices
    (n, now), (m, before) = prices.now(change.current), prices.before(change.baseline)
    return now / n - before / m


def expected_shift(metric: str, change: Change) -> float | Undefined:
    entry = METRICS[metric]
    of_drift = entry.family is Family.DRIFT
    found = entry.compute(change if of_drift else Column(change.current, change.baseline))
    if isinstance(found, Undefined):
        return found
    if metric in TESTS:
        return found.details["statistic"]
    if not of_drift:
        return found.value - found.details.get("baseline_value", math.nan)
    return found.value**2 if metric in SQUARED else found.value


def by_value(found: list[Carrier] | Undefined) -> dict[str, Carrier]:
    assert isinstance(found, list), found
    return {carrier.value: carrier for carrier in found}


def three(rng: np.random.Generator, **moved: float) -> dict[str, tuple[Any, Any]]:
    """Three values with 2,000 baseline rows and 1,000 current ones each, moved by so much."""
    base = rng.normal(size=2_000)
    return {value: (base[:1_000] + moved.get(value, 0.0), np.tile(base[:1_000], 2)) for value in "abc"}


# ---------------------------------------------------------------------------------------------------- what adds up


def test_every_distance_of_bins_can_be_split():
    assert OF_BINS <= SPLITTABLE
    assert set(METRICS) >= SPLITTABLE


@splittable
@settings(max_examples=60)
@given(values=sides, nulls=st.sampled_from(["bin", "drop"]))
def test_prices_add_up_to_the_metric(metric, partition, values, nulls):
    whole = partition(values, nulls=nulls).whole
    expected = expected_shift(metric, whole) if whole.current.rows and whole.baseline.rows else Undefined("")
    if isinstance(expected, Undefined) or math.isnan(expected):
        assert isinstance(carriers(metric, partition(values, nulls=nulls)), Undefined)
        return
    assert shift_of(metric, whole) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@splittable
@settings(max_examples=60)
@given(values=sides, nulls=st.sampled_from(["bin", "drop"]))
def test_the_shares_of_all_values_are_the_whole_shift(metric, partition, values, nulls):
    found = carriers(metric, partition(values, nulls=nulls))
    if isinstance(found, Undefined):
        return
    assert sum(each.share for each in found) == pytest.approx(1.0, abs=1e-6)
    assert all(each.mix + each.within == pytest.approx(each.share, abs=1e-9) for each in found)
    assert all(math.isfinite(each.share) for each in found)


@pytest.mark.parametrize("metric", [each.name for each in metrics_of(Family.DRIFT) if Kind.CATEGORICAL in each.kinds])
@pytest.mark.parametrize("nulls", ["bin", "drop"])
def test_categories_add_up_too(metric, nulls, profiles):
    bins = profiles.vocabulary(["x", "y", "z"])
    now = {"a": ["x"] * 30 + ["y"] * 10, "b": ["z"] * 25 + ["new"] * 9 + [None] * 3, "c": ["x"] * 5}
    before = {"a": ["x"] * 90 + ["y"] * 80, "b": ["z"] * 55 + [None] * 20, "c": ["y"] * 5}
    partition = Partition(
        *({key: profiles.categories(rows, bins) for key, rows in side.items()} for side in (now, before)), nulls=nulls
    )
    assert shift_of(metric, partition.whole) == pytest.approx(expected_shift(metric, partition.whole), rel=1e-9)
    found = carriers(metric, partition)
    assert not isinstance(found, Undefined)
    assert sum(each.share for each in found) == pytest.approx(1.0)


@pytest.mark.parametrize("binning", [Binning(bins=4), Binning(method="equal_width", bins=7)])
def test_the_comparisons_own_bins_are_split(binning, partition):
    found = partition(three(np.random.default_rng(1), b=0.5), binning=binning)
    assert shift_of("jensen_shannon_distance", found.whole) == pytest.approx(
        expected_shift("jensen_shannon_distance", found.whole), rel=1e-9
    )


@splittable
@settings(max_examples=30)
@given(values=sides)
def test_two_values_as_one_carry_what_they_carried_together(metric, partition, values):
    split = partition(values)
    (a_now, a_before), (b_now, b_before) = (values.get(key, ([], [])) for key in "ab")
    rest = {key: rows for key, rows in values.items() if key not in ("a", "b")}
    joined = partition({**rest, "both": (a_now + b_now, a_before + b_before)}, split.whole.current.bins)
    apart, together = carriers(metric, split), carriers(metric, joined)
    if isinstance(apart, Undefined) or isinstance(together, Undefined):
        return
    shares = {key: each.share for key, each in by_value(apart).items()}
    size = sum(map(abs, shares.values()))
    both = by_value(together).get("both")
    expected = pytest.approx(shares.get("a", 0.0) + shares.get("b", 0.0), abs=1e-6 * max(1.0, size))
    assert (both.share if both else 0.0) == expected


@splittable
def test_renamed_values_carry_the_same(metric, partition):
    values = three(np.random.default_rng(2), a=0.3, b=4.0)
    values["c"] = (np.append(values["c"][0], [math.nan] * 9), values["c"][1])
    names = {"a": "z", "b": "c", "c": "a"}
    one = carriers(metric, partition(values))
    other = carriers(metric, partition({names[key]: rows for key, rows in values.items()}))
    if isinstance(one, Undefined):
        assert other == one
        return
    for key, each in by_value(one).items():
        assert by_value(other)[names[key]].share == pytest.approx(each.share)


@splittable
@settings(max_examples=30)
@given(now=st.lists(wild, max_size=10), before=st.lists(wild, max_size=10), other=st.lists(wild, max_size=10))
def test_the_wildest_numbers_have_finite_shares_or_a_reason(metric, partition, now, before, other):
    with np.errstate(over="ignore", invalid="ignore"):  # in the plain counting of this test
        found = partition({"a": (now, before), "b": (other, before)})
    split = carriers(metric, found)
    for each in [] if isinstance(split, Undefined) else split:
        assert all(map(math.isfinite, (each.share, each.mix, each.within)))


# -------------------------------------------------------------------------------------------------- who is to blame


@distances
def test_a_shift_inside_one_value_is_that_values_own(metric, partition):
    found = by_value(carriers(metric, partition(three(np.random.default_rng(3), b=2.0))))
    # Half a row in every bin is a difference too, of samples of different sizes.
    assert found["b"].within == pytest.approx(1.0, abs=0.01 if metric in SMOOTHED else 1e-9)
    assert found["b"].mix == pytest.approx(0.0, abs=1e-9)
    assert found["a"].share == found["c"].share == pytest.approx(0.0, abs=0.01 if metric in SMOOTHED else 1e-9)


@distances
def test_a_shift_by_more_rows_of_one_value_is_mix_and_nothing_else(metric, partition):
    rng = np.random.default_rng(4)
    low, high = rng.normal(0, 1, 600), rng.normal(3, 1, 600)
    values = {"low": (low, np.tile(low, 9)), "high": (np.tile(high, 5), np.tile(high, 9))}
    found = by_value(carriers(metric, partition(values)))
    tolerance = 0.01 if metric in SMOOTHED else 1e-9
    assert all(each.within == pytest.approx(0.0, abs=tolerance) for each in found.values())
    assert found["low"].mix + found["high"].mix == pytest.approx(1.0, abs=2 * tolerance)
    assert found["low"].mix > 0.2
    assert found["high"].mix > 0.2


@distances
def test_a_value_that_grows_but_looks_like_all_rows_carries_nothing(metric, partition):
    rng = np.random.default_rng(5)
    base = rng.normal(size=500)
    values = {
        "grown": (np.tile(base, 4), np.tile(base, 3)),
        "moved": (base + 2.0, np.tile(base, 3)),
        "still": (base, np.tile(base, 6)),
    }
    found = by_value(carriers(metric, partition(values)))
    tolerance = 0.01 if metric in SMOOTHED else 1e-9
    assert found["grown"].share == pytest.approx(0.0, abs=tolerance)
    assert found["moved"].within == pytest.approx(1.0, abs=2 * tolerance)


@distances
def test_a_value_that_is_new_is_mix(metric, partition):
    rng = np.random.default_rng(6)
    base = rng.normal(size=1_000)
    found = by_value(carriers(metric, partition({"old": (base, base), "new": (rng.normal(4, 1, 500), [])})))
    assert found["new"].within == 0.0
    assert found["new"].mix > 0.9
    assert (found["new"].current_rows, found["new"].baseline_rows) == (500, 0)


def test_a_value_that_is_gone_is_mix(partition):
    base = np.random.default_rng(7).normal(size=1_000)
    found = by_value(carriers("normalized_wasserstein_distance", partition({"a": (base, base), "b": ([], base + 3)})))
    assert found["b"].within == 0.0
    assert found["b"].mix > 0.4


def test_values_in_one_open_cell_are_told_apart_by_their_sums(partition):
    """All of the window lies above the baseline's greatest value, in the last cell, but not equally far."""
    base = np.linspace(0, 1, 1_000)
    values = {"near": (base[:500] + 2, base), "far": (base[:500] + 12, base)}
    found = by_value(carriers("normalized_wasserstein_distance", partition(values)))
    assert found["far"].share / found["near"].share == pytest.approx(11.75 / 1.75, rel=0.01)


def test_a_value_that_moves_back_works_against_the_shift(partition):
    base = np.random.default_rng(8).normal(size=1_000)
    values = {"up": (base + 2, base), "down": (base - 1, base)}
    found = carriers("mean", partition(values))
    assert not isinstance(found, Undefined)
    assert [(each.value, each.share) for each in found] == [
        ("up", pytest.approx(2.0)),
        ("down", pytest.approx(-1.0)),
    ]


def test_nulls_of_one_value_carry_the_null_rate(partition):
    values = {"a": ([1.0] * 90 + [math.nan] * 10, [1.0] * 200), "b": ([2.0] * 100, [2.0] * 200)}
    found = by_value(carriers("null_value_rate", partition(values)))
    assert found["a"].within == pytest.approx(1.0)
    assert found["b"].share == pytest.approx(0.0)


def test_values_outside_the_baseline_carry_the_out_of_bounds_rate(partition):
    values = {"a": ([5.0] * 30 + [99.0] * 10, [1.0, 9.0] * 50), "b": ([4.0] * 40, [1.0, 9.0] * 50), "c": ([99.0], [])}
    found = by_value(carriers("out_of_bounds_rate", partition(values)))
    assert found["a"].within == pytest.approx(10 / 11)
    assert found["c"].mix == pytest.approx(1 / 11)


# -------------------------------------------------------------------------------------------------------- no answer


@splittable
def test_values_without_rows_are_left_out(metric, partition):
    values = three(np.random.default_rng(9), a=5.0)
    values["a"] = (np.append(values["a"][0], math.nan), values["a"][1])
    found = carriers(metric, partition({**values, "never": ([], [])}))
    assert found == carriers(metric, partition(values))


@splittable
def test_rows_that_did_not_change_have_no_carriers(metric, partition):
    same = np.random.default_rng(10).normal(size=50)
    found = carriers(metric, partition({"a": (same, same), "b": (same[:20], same[:20])}))
    assert found == Undefined("as a whole, nothing has shifted")


@splittable
@pytest.mark.parametrize(("now", "before"), [([], [1.0, 2.0]), ([1.0, 2.0], [])])
def test_a_side_without_rows_is_a_reason(metric, now, before, partition):
    assert isinstance(carriers(metric, partition({"a": (now, before)})), Undefined)


@pytest.mark.parametrize("metric", ["standard_deviation", "p95", "cardinality", "row_count", "accuracy", "no metric"])
def test_what_does_not_add_up_says_so(metric, partition):
    found = carriers(metric, partition(three(np.random.default_rng(11), a=1.0)))
    assert found == Undefined(f"{metric} does not add up over rows, so no part of it belongs to a value")


def test_infinite_values_are_a_reason(partition):
    found = partition({"a": ([math.inf], [1.0, 2.0])})
    assert "infinite" in carriers("normalized_wasserstein_distance", found).reason
    assert "infinite" in carriers("mean", found).reason


def test_a_values_own_distance_is_its_rows_alone(partition, profiles):
    values = three(np.random.default_rng(12), b=1.0)
    found = partition(values)
    alone = Change(found.now["b"], found.before["b"])
    measured = METRICS["jensen_shannon_distance"].compute(alone)
    assert isinstance(measured, Measurement)
    assert own_value("jensen_shannon_distance", found, "b") == measured.value
    assert own_value("mean", found, "b") == pytest.approx(float(np.mean(values["b"][0])))
    assert own_value("jensen_shannon_distance", partition({**values, "new": ([1.0], [])}), "new") is None
