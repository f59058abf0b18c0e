"""However rows are cut into batches, tasks and buckets, the kernel counts what plain numpy counts."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.bins import CategoricalBins, NumericBins, ValueType
from signals.kernel import Scan, ScannedColumn, ScanPlan, profiles_of, report_of, sample_of
from signals.keys import Buckets
from signals.profile import CategoricalProfile, NumericProfile
from signals.state import merge_rows
from signals.timestamps import TimeFormat
from tests.signals.kernel_runs import merged_states, profile_of, profiled

EDGES = np.array([-5.0, 0.0, np.nextafter(0.0, 1.0), 1.5, 7.0])
NUMBERS = NumericBins(ValueType.DOUBLE, EDGES, -5.0, 7.0, center=1.5)
WORDS = CategoricalBins(ValueType.STRING, ("a", "b", "c, d", ""))
COLUMNS = (
    ScannedColumn("x", NUMBERS, distinct_up_to=1000),
    ScannedColumn("word", WORDS),
    ScannedColumn("absent", NUMBERS),
)
# Five steps of a minute; the second is in no window, the third and fourth are of one bucket each.
BUCKETS = Buckets(np.arange(6) * 60_000_000, np.array([0, -1, 1, 2, 2]))
BUCKETED = ScanPlan(COLUMNS, "at", TimeFormat.TIMESTAMP, BUCKETS)
WHOLE = ScanPlan(COLUMNS)

numbers = st.sampled_from([None, np.nan, np.inf, -np.inf, -0.0, 0.0, -5.0, 1.5, 7.0]) | st.floats(-10, 10)
words = st.sampled_from([None, "a", "b", "c, d", "", "new", "d", "ünï"])
seconds = st.none() | st.floats(-30, 330)
rows = st.lists(st.tuples(numbers, words, seconds), max_size=60)
cuts = st.fixed_dictionaries({"batches": st.integers(1, 9), "tasks": st.integers(1, 4), "seed": st.integers(0, 99)})


def table_of(rows) -> pa.Table:
    x, word, second = zip(*rows, strict=True) if rows else ((), (), ())
    at = [None if s is None else round(s * 1e6) for s in second]
    return pa.table({
        "x": pa.array(x, pa.float64(), from_pandas=False),
        "word": pa.array(word, pa.string()),
        "at": pa.array(at, pa.int64()).cast(pa.timestamp("us", "UTC")),
    })  # fmt: skip


def in_bucket(rows, bucket):
    if bucket is None:
        return rows
    steps = [number for number, mine in enumerate(BUCKETS.bucket) if mine == bucket]
    return [row for row in rows if row[2] is not None and round(row[2] * 1e6) // 60_000_000 in steps]


def assert_counts_numbers(profile: NumericProfile, values) -> None:
    present = np.array([value for value in values if value is not None], np.float64)
    x = present[~np.isnan(present)]
    finite = x[np.isfinite(x)]
    assert (profile.rows, profile.nulls) == (len(values), len(values) - len(present))
    assert (profile.nans, profile.infinite, profile.unreadable) == (len(present) - len(x), len(x) - len(finite), 0)
    np.testing.assert_array_equal(profile.counts, np.histogram(x, [-np.inf, *EDGES, np.inf])[0])
    cell = np.searchsorted(EDGES, finite, side="right")
    sums = [(finite[cell == number] - 1.5).sum() for number in range(profile.bins.cells)]
    np.testing.assert_allclose(profile.sums, sums, atol=1e-9)
    np.testing.assert_allclose(profile.squares, ((finite - 1.5) ** 2).sum(), atol=1e-9)
    assert (profile.low, profile.high) == (finite.min(initial=np.inf), finite.max(initial=-np.inf))


def assert_counts_words(profile: CategoricalProfile, values) -> None:
    present = [value for value in values if value is not None]
    unseen = Counter(value for value in present if value not in WORDS.categories)
    assert (profile.rows, profile.nulls, profile.unreadable) == (len(values), values.count(None), 0)
    assert profile.counts.tolist() == [*(present.count(word) for word in WORDS.categories), unseen.total()]
    assert profile.unseen == unseen
    assert profile.distinct.values == set(unseen)


# np.histogram's last bin is closed, which differs at +inf only: the outermost edges are infinite.
@given(rows, cuts)
def test_counts_are_those_of_numpy_for_any_split(rows, cuts):
    for bucket, profiles in enumerate(profiled(table_of(rows), BUCKETED, **cuts)):
        mine = in_bucket(rows, bucket)
        assert_counts_numbers(profiles[0], [x for x, _, _ in mine])
        assert_counts_words(profiles[1], [word for _, word, _ in mine])
        assert_counts_numbers(profiles[2], [None] * len(mine))
    x, word, _ = profiled(table_of(rows), WHOLE, **cuts)[0]
    assert_counts_numbers(x, [x for x, _, _ in rows])
    assert_counts_words(word, [word for _, word, _ in rows])


@given(rows, cuts)
def test_a_scan_reports_its_rows_and_those_without_a_time(rows, cuts):
    report = report_of(merged_states(table_of(rows), BUCKETED, **cuts))
    dated = {bucket: [row[2] for row in in_bucket(rows, bucket)] for bucket in range(3)}
    assert report.rows_read == len(rows)
    assert report.undated == sum(second is None for _, _, second in rows)
    assert report.rows == {bucket: len(found) for bucket, found in dated.items() if found}
    assert report.latest == {bucket: round(max(found) * 1e6) / 1e6 for bucket, found in dated.items() if found}
    assert report.time_formats == ((TimeFormat.TIMESTAMP,) if report.undated < len(rows) else ())


@given(rows, rows, rows)
def test_profiles_add_in_any_order_to_the_profile_of_all_rows(one, two, three):
    whole = profiled(table_of([*one, *two, *three]), WHOLE)[0]
    parts = [profiled(table_of(part), WHOLE)[0] for part in (one, two, three)]
    for all_rows, a, b, c in zip(whole, *parts, strict=True):
        for total in (a + b + c, c + (b + a), type(a).empty(a.bins) + a + b + c):
            assert total.counts.tolist() == all_rows.counts.tolist()
            assert (total.rows, total.nulls, total.nans) == (all_rows.rows, all_rows.nulls, all_rows.nans)
            if isinstance(all_rows, NumericProfile):
                np.testing.assert_allclose(total.sums, all_rows.sums, atol=1e-9)
                assert (total.low, total.high, total.infinite) == (all_rows.low, all_rows.high, all_rows.infinite)
            else:
                assert total.unseen == all_rows.unseen


@given(rows, cuts)
def test_merging_merged_states_again_changes_nothing(rows, cuts):
    once = merged_states(table_of(rows), BUCKETED, **cuts)
    again = merge_rows(once)
    order = [(name, "ascending") for name in ("key", "column", "part", "cell", "value")]
    assert once.sort_by(order).equals(again.sort_by(order))


def test_profiles_of_different_bins_do_not_add():
    other = NumericBins(ValueType.DOUBLE, EDGES[1:], 0.0, 7.0)
    with pytest.raises(ValueError, match="different bins"):
        _ = NumericProfile.empty(NUMBERS) + NumericProfile.empty(other)


@pytest.mark.parametrize("empty", [NumericProfile.empty(NUMBERS), CategoricalProfile.empty(WORDS)])
def test_the_profile_of_no_rows_is_the_empty_one(empty):
    found = profile_of(pa.nulls(0, pa.float64()), ScannedColumn("x", empty.bins))
    assert (found.rows, found.valid, found.absent) == (0, 0, 0)
    assert found.counts.tolist() == empty.counts.tolist()


def test_huge_numbers_are_counted_though_their_sum_is_infinite():
    bins = NumericBins(ValueType.DOUBLE, np.array([0.0]), -1.7e308, 1.7e308, center=-1.7e308)
    values = [1.7e308, -1.7e308, 1.6e308]
    found = profile_of(values, ScannedColumn("x", bins))
    assert found.counts.tolist() == [1, 2]
    assert (found.low, found.high, found.infinite) == (-1.7e308, 1.7e308, 0)
    assert np.isinf(found.squares)


def test_integers_beyond_two_to_the_53_are_counted_as_the_nearest_double():
    bins = NumericBins(ValueType.INTEGER, np.array([2.0**53, 2.0**60]), 2.0**53, 2.0**60)
    found = profile_of(pa.array([2**53 - 1, 2**53, 2**60, 2**63 - 1], pa.int64()), ScannedColumn("x", bins))
    assert found.counts.tolist() == [1, 1, 2]
    assert found.high == 2.0**63


def test_a_batch_may_lack_a_column_and_the_next_may_have_it():
    plan = ScanPlan((ScannedColumn("x", NUMBERS), ScannedColumn("word", WORDS)))
    scan = Scan(plan)
    scan.add({"word": pa.array(["a", "z"])}, 2)
    scan.add({"x": pa.array([1.0])}, 1)
    x, word = profiles_of(merge_rows(scan.rows()), plan.columns)[0]
    assert (x.rows, x.nulls, x.valid) == (3, 2, 1)
    assert (word.rows, word.nulls, word.unseen) == (3, 1, {"z": 1})


def test_dictionary_strings_count_as_plain_ones():
    words = pa.array(["a", None, "b", "z", "a"])
    column = ScannedColumn("word", WORDS)
    plain, encoded = profile_of(words, column), profile_of(words.dictionary_encode(), column)
    assert plain.counts.tolist() == encoded.counts.tolist() == [2, 1, 0, 0, 1]
    assert plain.unseen == encoded.unseen == {"z": 1}
    assert plain.nulls == encoded.nulls == 1


def test_sampling_is_the_same_each_time_and_about_as_large_as_asked():
    table = pa.table({"x": np.random.default_rng(0).normal(size=50_000)})
    plan = ScanPlan((ScannedColumn("x", NUMBERS),), sample_rate=0.1)
    samples = [sample_of(merged_states(table, plan, batches=5, tasks=3, seed=seed), 0) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(samples[0], samples[1])
    assert len(samples[0]) == pytest.approx(5_000, rel=0.1)
    assert np.isin(samples[2], table["x"].to_numpy()).all()
    whole = ScanPlan(plan.columns, sample_rate=1.0)
    every = sample_of(merged_states(table, whole, batches=5, tasks=3), 0)
    np.testing.assert_array_equal(np.sort(every), np.sort(table["x"].to_numpy()))


def test_states_hold_only_what_was_found():
    states = merged_states(table_of([(1.0, "a", 10.0)]), BUCKETED)
    own = states.filter(pc.greater_equal(states["column"], 0))
    assert set(own["key"].to_pylist()) == {0}
    assert len(own) <= 10
