"""Embeddings: profiles against numpy on raw rows, their laws, both distances, and what chance says of them."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from scipy.spatial import distance

from signals.bins import VectorBins
from signals.change import Change
from signals.covariance_sketch import SKETCH_SIZE, SecondMoments, Sketcher
from signals.embeddings import cosine_similarity, euclidean_distance
from signals.kernel import ScannedColumn, ScanPlan
from signals.keys import Buckets
from signals.measurement import Measurement, Undefined
from signals.profile import VectorProfile, agree, sum_profiles
from signals.quality import Column, data_type_error_rate, null_value_rate
from signals.remainders import remainder
from tests.signals.kernel_runs import fitted, profile_of, profiled

KINDS = {
    "doubles": pa.list_(pa.float64()),
    "floats": pa.large_list(pa.float32()),
    "integers": pa.list_(pa.int16()),
    "fixed size": pa.list_(pa.float64(), 3),
    "decimals": pa.list_(pa.decimal128(12, 4)),
}


FROZEN = [57033984.0, -14557082.993361514, -43436480.0, 0.0, 37239245.33410276, 0.0]
"""Some numbers of the sketch of 1, 2, …, 600."""


def column(dimensions: int) -> ScannedColumn:
    return ScannedColumn("x", VectorBins(dimensions))


def lists(vectors: np.ndarray) -> pa.Array:
    """Vectors as a column, without a copy by Python."""
    offsets = pa.array(np.arange(0, vectors.size + 1, vectors.shape[1]), pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.array(vectors.ravel()))


def of(vectors: np.ndarray, **cuts: int) -> VectorProfile:
    profile = profile_of(lists(vectors), column(vectors.shape[1]), **cuts)
    assert isinstance(profile, VectorProfile)
    return profile


def sketched_products(vectors: np.ndarray) -> np.ndarray:
    return Sketcher(vectors.shape[1]).products(vectors)


def by_hand(vectors: np.ndarray) -> VectorProfile:
    """The same without the kernel, which takes longer."""
    rows, dimensions = vectors.shape
    return VectorProfile(
        rows=rows, nulls=0, nans=0, unreadable=0, counts=np.array([rows]), bins=VectorBins(dimensions),
        sums=np.concatenate((vectors.sum(axis=0), sketched_products(vectors))), squares=float(np.square(vectors).sum()),
    )  # fmt: skip


def change(current: np.ndarray, baseline: np.ndarray) -> Change:
    return Change(of(current), of(baseline))


def assert_same(one: VectorProfile, other: VectorProfile) -> None:
    assert agree(one, other)
    np.testing.assert_allclose(one.sums, other.sums, rtol=1e-9, atol=1e-9 * one.squares)


# ------------------------------------------------------------------------------------------------------ profiles


@pytest.mark.parametrize("kind", KINDS)
def test_a_profile_is_what_numpy_finds_on_raw_rows(kind):
    x = np.random.default_rng(1).integers(-50, 50, (200, 3))
    rows = [None if place % 7 == 0 else row for place, row in enumerate(x.tolist())]
    if kind == "decimals":
        rows = [row and [Decimal(value) for value in row] for row in rows]
    found = profile_of(pa.array(rows, KINDS[kind]), column(3), batches=4, tasks=2)
    kept = x[[place for place in range(200) if place % 7]].astype(float)
    assert isinstance(found, VectorProfile)
    assert (found.rows, found.nulls, found.unreadable, found.valid) == (200, 29, 0, 171)
    np.testing.assert_allclose(found.total, kept.sum(axis=0))
    np.testing.assert_allclose(found.sketch, sketched_products(kept))
    assert found.squares == pytest.approx(np.square(kept).sum())


def test_what_is_no_vector_is_a_data_type_error_and_counted():
    rows = [[1.0, 2.0], None, [], [1.0], [1.0, 2.0, 3.0], [1.0, None], [np.nan, 1.0], [np.inf, 0.0], [3.0, 5.0]]
    found = profile_of(pa.array(rows), column(2))
    assert isinstance(found, VectorProfile)
    assert (found.rows, found.nulls, found.unreadable, found.valid, found.nans) == (9, 1, 6, 2, 0)
    assert found.total.tolist() == [4.0, 7.0]
    assert data_type_error_rate(Column(found)) == Measurement(6 / 8, 8, details={"unreadable": 6})
    rate = null_value_rate(Column(found))
    assert isinstance(rate, Measurement)
    assert rate.value == 1 / 9


@pytest.mark.parametrize(
    "array",
    [pa.array(["[1, 2]", None]), pa.array([1.5, None]), pa.array([["1", "2"], None]), pa.array([b"x", None])],
    ids=["text", "numbers", "lists of strings", "bytes"],
)
def test_columns_of_other_types_have_no_vectors(array):
    found = profile_of(array, column(2))
    assert (found.nulls, found.unreadable, found.valid) == (1, 1, 0)


def test_a_missing_column_is_null():
    found = profiled(pa.table({"y": [1, 2]}), ScanPlan((column(2),)))[0][0]
    assert (found.rows, found.nulls, found.valid) == (2, 2, 0)


def test_slices_of_arrays_are_read_where_they_begin():
    array = pa.array([[9.0, 9.0], None, [1.0, 2.0], [7.0], [3.0, 4.0], [9.0, 9.0]])
    for sliced in (array.slice(1, 4), array.cast(pa.large_list(pa.float64())).slice(1, 4)):
        found = profile_of(sliced, column(2))
        assert isinstance(found, VectorProfile)
        assert (found.total.tolist(), found.nulls, found.unreadable) == ([4.0, 6.0], 1, 1)
    fixed = pa.array([[9.0, 9.0], None, [1.0, 2.0], [3.0, 4.0]], pa.list_(pa.float64(), 2)).slice(1, 2)
    found = profile_of(fixed, column(2))
    assert isinstance(found, VectorProfile)
    assert (found.total.tolist(), found.nulls) == ([1.0, 2.0], 1)


def test_however_rows_are_cut_and_dealt_out_the_profile_is_the_same():
    x = np.random.default_rng(2).normal(size=(500, 700))
    whole = of(x)
    for seed in range(4):
        assert_same(of(x, batches=6, tasks=3, seed=seed), whole)
    assert_same(of(x[::-1].copy()), whole)


def test_a_profile_by_hand_is_that_of_the_kernel():
    x = np.random.default_rng(15).normal(size=(40, 6))
    assert_same(by_hand(x), of(x))


def test_profiles_add_and_empty_changes_nothing():
    x = np.random.default_rng(3).normal(size=(90, 4))
    parts = [of(x[start:end]) for start, end in pairwise((0, 10, 60, 90))]
    assert_same(sum_profiles(parts), of(x))
    assert_same(sum_profiles(parts[::-1]), of(x))
    empty = VectorProfile.empty(VectorBins(4))
    np.testing.assert_array_equal((parts[0] + empty).sums, parts[0].sums)
    assert_same(remainder(of(x), parts[:2]), parts[2])
    assert_same(remainder(of(x), parts), empty)
    with pytest.raises(ValueError, match="different bins"):
        _ = parts[0] + of(x[:, :3].copy())


def test_a_bucket_has_the_same_sums_to_the_last_bit_whatever_else_is_counted():
    rng = np.random.default_rng(4)
    x, hour = rng.normal(size=(3_000, 300)), rng.integers(0, 5, 3_000)
    table = pa.table({"x": lists(x), "at": pa.array(hour * 1_000_000, pa.timestamp("us"))})
    edges = np.arange(0, 6) * 1_000_000
    together = profiled(table, ScanPlan((column(300),), "at", buckets=Buckets(edges, np.arange(5))))
    for number in range(5):
        bucket = np.where(np.arange(5) == number, 0, -1)
        alone = profiled(table, ScanPlan((column(300),), "at", buckets=Buckets(edges, bucket)))[0][0]
        assert isinstance(alone, VectorProfile)
        found = together[number][0]
        assert isinstance(found, VectorProfile)
        np.testing.assert_array_equal(found.sums, alone.sums)
        assert found.squares == alone.squares
        np.testing.assert_allclose(alone.total, x[hour == number].sum(axis=0), atol=1e-9)


# ---------------------------------------------------------------------------------------------------------- bins


def test_bins_are_the_length_that_most_of_the_baseline_have():
    assert fitted(pa.array([[1.0, 2.0]] * 9)) == VectorBins(2)
    assert fitted(pa.array([[1, 2, 3]] * 9 + [None, [1]])) == VectorBins(3)
    assert fitted(pa.array([[1.0] * length for length in range(1, 9)])) == VectorBins(0)
    assert fitted(pa.array([None, None], pa.list_(pa.float64()))) == VectorBins(0)
    assert fitted(pa.array([[], []], pa.list_(pa.float32()))) == VectorBins(0)
    assert VectorBins(2).id != VectorBins(3).id


def test_bins_tell_how_many_sums_there_are():
    assert VectorBins(768).sums == 768 + SKETCH_SIZE == len(of(np.zeros((1, 768))).sums)
    assert VectorBins(0).sums == 0
    assert ScannedColumn("x", VectorBins(4096)).states == 18


# --------------------------------------------------------------------------------------------------------- sketch


@pytest.mark.parametrize("dimensions", [1, 2, 40, 512, 513, 1500])
def test_a_sketch_tells_the_size_of_a_covariance_matrix_and_what_lies_along_a_direction(dimensions):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(400, dimensions)) / np.sqrt(np.arange(1, dimensions + 1))
    moments = x.T @ x
    found = SecondMoments(sketched_products(x))
    size = np.square(moments).sum()
    assert found.inner(found) == pytest.approx(size, rel=0.35)
    for direction in (np.eye(dimensions)[0], np.ones(dimensions) / np.sqrt(dimensions)):
        along = found.inner(SecondMoments(sketched_products(direction[np.newaxis])))
        assert along == pytest.approx(direction @ moments @ direction, abs=0.25 * np.sqrt(size))


def test_the_hashes_never_change():
    """What was kept years ago is added to what is counted today."""
    sketch = sketched_products(np.arange(1.0, 601.0)[np.newaxis])
    assert sketch[[0, 1, 256, 257, 300, 513]].tolist() == pytest.approx(FROZEN)


# ------------------------------------------------------------------------------------------------------- metrics


def test_distances_are_what_scipy_finds_between_the_mean_vectors():
    rng = np.random.default_rng(6)
    now, before = rng.normal(0.3, 1, (400, 50)), rng.normal(0.1, 2, (1_000, 50))
    a, b = now.mean(axis=0), before.mean(axis=0)
    far = euclidean_distance(change(now, before))
    assert isinstance(far, Measurement)
    assert far.value == pytest.approx(distance.euclidean(a, b), rel=1e-12)
    assert (far.rows, far.baseline_rows, far.details["dimensions"]) == (400, 1_000, 50)
    turned = cosine_similarity(change(now, before))
    assert isinstance(turned, Measurement)
    assert turned.value == pytest.approx(1 - distance.cosine(a, b), rel=1e-12)
    assert turned.details["norm"] == pytest.approx(np.linalg.norm(a))


def test_the_dimensions_that_moved_most_are_named():
    before = np.random.default_rng(7).normal(size=(2_000, 30))
    now = before.copy()
    now[:, 17] += 3
    now[:, 4] -= 1
    far = euclidean_distance(change(now, before))
    assert isinstance(far, Measurement)
    (first, mean, earlier, share), (second, *_, rest), *others = far.details["moved"]
    assert (first, second, len(others)) == (17, 4, 0)
    assert mean - earlier == pytest.approx(3)
    assert (share, rest) == pytest.approx((0.9, 0.1))


def test_the_same_vectors_have_not_moved():
    x = np.random.default_rng(8).normal(1.0, 1.0, (500, 20))
    far, turned = euclidean_distance(change(x, x)), cosine_similarity(change(x, x))
    assert isinstance(far, Measurement)
    assert isinstance(turned, Measurement)
    assert (far.value, far.p_value, far.details["moved"]) == (0.0, 1.0, [])
    assert turned.value == 1.0
    assert turned.p_value == 1.0


def test_opposite_means_have_the_cosine_minus_one():
    x = np.random.default_rng(9).normal(5.0, 1.0, (100, 8))
    turned = cosine_similarity(change(-x, x))
    assert isinstance(turned, Measurement)
    assert turned.value == pytest.approx(-1.0, abs=1e-12)


def test_a_mean_of_zero_has_no_direction():
    x = np.random.default_rng(10).normal(size=(100, 3))
    zero = np.zeros((100, 3))
    assert cosine_similarity(change(zero, x)) == Undefined(
        "the mean vector of the window is zero, so it has no direction"
    )
    assert cosine_similarity(change(x, zero)) == Undefined(
        "the mean vector of the baseline is zero, so it has no direction"
    )
    far = euclidean_distance(change(zero, x))
    assert isinstance(far, Measurement)
    assert far.value == pytest.approx(np.linalg.norm(x.mean(axis=0)))


@pytest.mark.parametrize("metric", [euclidean_distance, cosine_similarity])
def test_where_there_is_nothing_to_compare_the_reason_says_why(metric):
    x = lists(np.ones((3, 2)))

    def against(now: pa.Array, before: pa.Array = x, dimensions: int = 2) -> str:
        sides = [profile_of(each, column(dimensions)) for each in (now, before)]
        answer = metric(Change(*sides))
        assert isinstance(answer, Undefined)
        return answer.reason

    kind = pa.list_(pa.float64())
    assert against(pa.array([], kind)) == "the window has no rows"
    assert against(x, pa.array([], kind)) == "the baseline has no rows"
    nothing = "the window has no vectors: 1 are null, 1 of another length or not all numbers"
    assert against(pa.array([None, [1.0]], kind)) == nothing
    assert "no length in common" in against(x, x, 0)
    assert "length is not known" in against(x, pa.array([None], kind), 0)
    assert "too large" in against(lists(np.full((3, 2), 1.7e308)))


def test_without_enough_vectors_or_variance_there_is_a_value_and_no_p_value():
    rng = np.random.default_rng(11)
    few = change(rng.normal(size=(29, 4)), rng.normal(size=(99, 4)))
    constant = change(np.full((50, 4), 0.1), np.full((50, 4), 0.3))
    for both, why in ((few, "fewer than 30"), (constant, "do not vary")):
        far = euclidean_distance(both)
        assert isinstance(far, Measurement)
        assert (far.p_value, far.expected_p95) == (None, None)
        assert why in far.details["p_value_method"]


def test_where_chance_turns_a_mean_anywhere_the_cosine_has_no_p_value():
    rng = np.random.default_rng(12)
    short = cosine_similarity(change(rng.normal(size=(100, 20)), rng.normal(size=(100, 20))))
    assert isinstance(short, Measurement)
    assert short.p_value is None
    assert "too short" in short.details["p_value_method"]
    ray = rng.normal(size=(1, 20))
    along = cosine_similarity(change(rng.exponential(size=(100, 1)) * ray, rng.exponential(size=(100, 1)) * ray))
    assert isinstance(along, Measurement)
    assert "along their mean" in along.details["p_value_method"]


def test_what_moved_is_worse_than_chance():
    rng = np.random.default_rng(13)
    before, now = rng.normal(1.0, 1.0, (3_000, 64)), rng.normal(1.0, 1.0, (500, 64))
    now[:, :32] += 0.3
    far, turned = euclidean_distance(change(now, before)), cosine_similarity(change(now, before))
    assert isinstance(far, Measurement)
    assert isinstance(turned, Measurement)
    assert far.p_value is not None
    assert turned.p_value is not None
    assert max(far.p_value, turned.p_value) < 1e-6
    assert far.value > (far.expected_p95 or 0)
    assert turned.value < (turned.expected_p95 or 0)


# ------------------------------------------------------------------------------------------------------ evidence


def _rotated(rng: np.random.Generator, dimensions: int, spread: np.ndarray):
    turn = np.linalg.qr(rng.normal(size=(dimensions, dimensions)))[0]
    return lambda n: rng.normal(size=(n, dimensions)) * spread @ turn


def _worlds(rng: np.random.Generator, dimensions: int) -> dict:
    clusters = 2 * rng.normal(size=(5, dimensions))
    return {
        "alike": lambda n: rng.normal(size=(n, dimensions)),
        "a power law": _rotated(rng, dimensions, np.arange(1, dimensions + 1) ** -0.7),
        "one factor in all": lambda n: rng.normal(size=(n, dimensions)) + rng.normal(size=(n, 1)),
        "skewed": lambda n: rng.exponential(size=(n, dimensions)),
        "clusters": lambda n: clusters[rng.integers(0, 5, n)] + 0.3 * rng.normal(size=(n, dimensions)),
        "a default": lambda n: (rng.random((n, 1)) > 0.2) * rng.normal(size=(n, dimensions)),
    }


WINDOWS = 2_000


@pytest.mark.parametrize("world", _worlds(np.random.default_rng(0), 3))
def test_without_drift_about_one_p_value_in_twenty_is_below_a_twentieth(world):
    """Whatever the correlations of the dimensions; the same for the values beyond their expected 95th percentile."""
    rng, dimensions = np.random.default_rng(14), 24
    draw = _worlds(rng, dimensions)[world]
    shift = 3 * rng.normal(size=dimensions)  # away from zero, so that means have a direction
    low: dict[str, list[bool]] = {"euclidean": [], "cosine": []}
    for _ in range(WINDOWS):
        both = Change(by_hand(draw(60) + shift), by_hand(draw(180) + shift))
        for name, metric in (("euclidean", euclidean_distance), ("cosine", cosine_similarity)):
            found = metric(both)
            assert isinstance(found, Measurement)
            if found.p_value is not None and found.expected_p95 is not None:
                beyond = found.value > found.expected_p95 if name == "euclidean" else found.value < found.expected_p95
                assert beyond == (found.p_value < 0.05)
                low[name].append(beyond)
    assert len(low["euclidean"]) == WINDOWS
    assert len(low["cosine"]) in (0, WINDOWS)
    assert 0.03 < np.mean(low["euclidean"]) < 0.07
    assert not low["cosine"] or 0.03 < np.mean(low["cosine"]) < 0.07
