"""Bins as they are fitted from a survey: exact where that is promised, and fine enough for scipy's answers."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from signals.bins import CategoricalBins, NumericBins, ValueType
from signals.catalogue import Kind
from signals.change import Change
from signals.fitting import FEW_INTEGERS
from signals.kernel import ScannedColumn
from signals.metrics import METRICS
from tests.signals.kernel_runs import fitted, profile_of

ROWS = 100_000


def normal(random, drift):
    return random.normal(0.15 * drift, 1 + 0.1 * drift, ROWS)


def lognormal(random, drift):
    return random.lognormal(0.1 * drift, 1.0, ROWS)


def heavy_lognormal(random, drift):
    return random.lognormal(0.1 * drift, 2.5, ROWS)


def exponential(random, drift):
    return random.exponential(1 + 0.2 * drift, ROWS)


def bimodal(random, drift):
    return np.where(random.random(ROWS) < 0.4 + 0.1 * drift, random.normal(-4, 1, ROWS), random.normal(5, 0.3, ROWS))


def zero_inflated(random, drift):
    return np.where(random.random(ROWS) < 0.7 - 0.1 * drift, 0.0, random.gamma(2.0, 3.0, ROWS))


def student(random, drift):
    return random.standard_t(3, ROWS) + 0.1 * drift


def integers(random, drift):
    return random.poisson(30 + 2 * drift, ROWS).astype(np.int64)


def calendar_year(random, drift):
    day = random.integers(0, 365 - 40 * drift, ROWS)
    return 1.3570e9 + day * 86_400 + random.normal(13, 3, ROWS) * 3_600


def rounded_prices(random, drift):
    return np.round(random.lognormal(3 + 0.1 * drift, 0.5, ROWS), 1)


SHAPES = [
    normal, lognormal, heavy_lognormal, exponential, bimodal, zero_inflated, student, integers, calendar_year,
    rounded_prices,
]  # fmt: skip


def change(current, baseline, kind=Kind.NUMERICAL) -> Change:
    """What the engine compares: bins fitted from the baseline's survey, both sides counted in them, in pieces."""
    bins = fitted(pa.array(baseline), kind, batches=6, tasks=2)
    column = ScannedColumn("x", bins)
    return Change(*(profile_of(pa.array(side), column, batches=6, tasks=2) for side in (current, baseline)))


@pytest.mark.parametrize("drift", [0, 1], ids=["without drift", "with drift"])
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_distances_from_fine_cells_are_those_of_scipy_on_raw_rows(shape, drift):
    baseline = shape(np.random.default_rng(1), 0)
    current = shape(np.random.default_rng(2), drift)
    change_ = change(current, baseline)
    gap = METRICS["kolmogorov_smirnov_statistic"].compute(change_)
    assert gap.value == pytest.approx(stats.ks_2samp(current, baseline).statistic, abs=0.001)
    moved = METRICS["normalized_wasserstein_distance"].compute(change_)
    expected = stats.wasserstein_distance(current, baseline) / np.std(baseline, ddof=1)
    assert moved.value == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_there_are_a_few_hundred_cells_at_most(shape):
    bins = fitted(pa.array(shape(np.random.default_rng(1), 0)), Kind.NUMERICAL)
    assert 20 < bins.cells < 300


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_the_baselines_range_is_exact(shape):
    x = shape(np.random.default_rng(1), 0)
    bins = fitted(pa.array(x), Kind.NUMERICAL)
    assert (bins.low, bins.high) == (x.min(), x.max())
    profile = profile_of(pa.array(x), ScannedColumn("x", bins))
    assert profile.counts[0] == profile.counts[-1] == 0
    around = pa.array([x.min() - 1, x.min(), x.max(), x.max() + 1, x.max() + 2])
    assert profile_of(around, ScannedColumn("x", bins)).counts[[0, -1]].tolist() == [1, 2]


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=40))
def test_any_baseline_lies_inside_its_own_range(values):
    bins = fitted(pa.array(values), Kind.NUMERICAL)
    x = np.array(values)
    finite = x[np.isfinite(x)]
    profile = profile_of(pa.array(x), ScannedColumn("x", bins))
    assert profile.valid == len(x)
    assert (np.diff(bins.edges) > 0).all()
    assert np.isfinite(bins.edges).all()
    if len(finite):
        assert (bins.low, bins.high) == (finite.min(), finite.max())
        assert profile.counts[0] == (x == -np.inf).sum()
        beyond = (x == np.inf).sum()
        assert profile.counts[-1] == beyond or bins.high == np.finfo(float).max


def test_a_heavy_value_has_a_cell_of_its_own():
    random = np.random.default_rng(1)
    x = np.where(random.random(50_000) < 0.3, 0.25, random.normal(size=50_000))
    bins = fitted(pa.array(x))
    cell = np.searchsorted(bins.edges, 0.25, side="right")
    assert bins.edges[cell - 1] == 0.25
    assert bins.edges[cell] == np.nextafter(0.25, 1)
    assert profile_of(pa.array(x), ScannedColumn("x", bins)).counts[cell] == (x == 0.25).sum()


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (np.arange(1000) % FEW_INTEGERS, None, Kind.CATEGORICAL),
        (np.arange(1000) % (FEW_INTEGERS + 1), None, Kind.NUMERICAL),
        (np.arange(1000) % 2, Kind.NUMERICAL, Kind.NUMERICAL),
        (np.arange(1000) % 500, Kind.CATEGORICAL, Kind.CATEGORICAL),
        ((np.arange(1000) % 3).astype(float), None, Kind.NUMERICAL),
        (np.arange(1000) % 2 == 0, None, Kind.CATEGORICAL),
        (np.arange(1000) % 2 == 0, Kind.NUMERICAL, Kind.NUMERICAL),
        (np.array(["1", "2"]), None, Kind.CATEGORICAL),
        (np.array(["1", "2"]), Kind.NUMERICAL, Kind.NUMERICAL),
        (np.array(["2013-01-01"], "datetime64[D]"), None, Kind.NUMERICAL),
    ],
)
def test_few_integers_are_categories_unless_the_user_says_otherwise(values, kind, expected):
    bins = fitted(pa.array(values), kind, batches=5, tasks=3)
    assert bins.kind is expected
    assert profile_of(pa.array(values), ScannedColumn("x", bins)).counts[-1] == 0


def test_few_integers_are_spelt_in_order_and_found_again():
    bins = fitted(pa.array([10, 2, -1, 2, None]))
    assert bins == CategoricalBins(ValueType.INTEGER, ("-1", "2", "10"))
    found = profile_of(pa.array([2.0, 2.5, 10.0, 7.0]), ScannedColumn("x", bins))
    assert found.counts.tolist() == [0, 1, 1, 1]
    assert (found.unreadable, found.unseen) == (1, {"7": 1})


def test_integers_beyond_two_to_the_53_keep_a_range():
    x = 2**53 + np.arange(0, 4_000, 2)
    bins = fitted(pa.array(x))
    assert (bins.low, bins.high) == (2.0**53, 2.0**53 + 3_998)
    found = profile_of(pa.array([2**53 - 1, 2**53, 2**53 + 3_998, 2**53 + 4_000, 2**63 - 1]), ScannedColumn("x", bins))
    assert found.counts[0] == 1
    assert found.counts[-1] == 2
    assert found.rows == found.valid == 5


@pytest.mark.parametrize("values", [pa.nulls(5, pa.float64()), pa.array([np.nan] * 5), pa.array([np.inf, -np.inf])])
def test_a_column_without_finite_numbers_has_one_cell(values):
    bins = fitted(values)
    assert bins.cells == 1
    assert np.isnan(bins.low)
    assert profile_of(values, ScannedColumn("x", bins)).rows == len(values)


def test_a_constant_has_its_own_cell_between_two_open_ones():
    bins = fitted(pa.array([7.5] * 100))
    assert bins.edges.tolist() == [7.5, np.nextafter(7.5, 8)]
    assert profile_of(pa.array([7.4, 7.5, 7.5, 7.6]), ScannedColumn("x", bins)).counts.tolist() == [1, 2, 1]


@pytest.mark.parametrize(
    ("distinct", "cap", "complete"), [(50, 50, True), (51, 50, False), (3_000, 3_000, True), (3_001, 3_000, False)]
)
def test_a_vocabulary_knows_whether_it_is_complete(distinct, cap, complete):
    values = [f"v{number:05}" for number in range(distinct)] + ["v00001", "v00000", "v00001"]
    bins = fitted(pa.array(values), max_categories=cap, batches=9, tasks=3)
    assert bins.categories[:3] == ("v00001", "v00000", "v00002")
    assert len(bins.categories) == min(distinct, cap)
    assert bins.complete is complete
    assert profile_of(pa.array(values), ScannedColumn("x", bins)).counts[-1] == max(0, distinct - cap)


def test_edges_that_a_comparison_asks_for_are_among_the_fine_ones():
    bins = fitted(pa.array(np.random.default_rng(0).normal(size=1000)), edges=[-0.123, 0.456, np.inf])
    assert {-0.123, 0.456} <= set(bins.edges.tolist())


@settings(max_examples=20)
@given(st.integers(0, 1000), st.integers(1, 9), st.integers(1, 3))
def test_the_same_baseline_has_the_same_bins_while_all_of_it_is_sampled(seed, batches, tasks):
    x = pa.array(np.random.default_rng(seed).normal(size=500))
    assert fitted(x, batches=batches, tasks=tasks, seed=seed).id == fitted(x).id


def test_ids_tell_bins_apart_and_stay_the_same_between_processes():
    numbers = NumericBins(ValueType.DOUBLE, np.array([0.0, 1.0]), 0.0, 1.0)
    same = NumericBins(ValueType.DOUBLE, np.array([0.0, 1.0]), np.float64(0.0), np.float64(1.0), np.float64(0.0))
    others = [
        NumericBins(ValueType.INTEGER, np.array([0.0, 1.0]), 0.0, 1.0),
        NumericBins(ValueType.DOUBLE, np.array([0.0, 1.5]), 0.0, 1.0),
        NumericBins(ValueType.DOUBLE, np.array([0.0, 1.0]), 0.0, 1.0, center=0.5),
        CategoricalBins(ValueType.STRING, ("a", "b")),
        CategoricalBins(ValueType.STRING, ("b", "a")),
        CategoricalBins(ValueType.STRING, ("a", "b"), complete=False),
        CategoricalBins(ValueType.STRING, ("a, b",)),
    ]
    assert numbers.id == same.id == "613b4d8e7cbce8eb"
    assert CategoricalBins(ValueType.STRING, ("a", "b")).id == "e728479906f873ec"
    assert len({numbers.id, *(bins.id for bins in others)}) == 1 + len(others)
