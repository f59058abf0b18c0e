"""A state depends on the rows of each row group, and on nothing else: not by a bit."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.bins import CategoricalBins, NumericBins, ValueType
from signals.kernel import Scan, ScannedColumn, ScanPlan, profiles_of, sample_of
from signals.keys import Buckets
from signals.segments import EVERYTHING, Condition, FilterOperator, Segment
from signals.state import STATE_SCHEMA, StateRows, merge_rows
from signals.timestamps import TimeFormat

EDGES = np.array([-1.0, 0.1, 0.7, 3.0])
COLUMNS = (
    ScannedColumn("x", NumericBins(ValueType.DOUBLE, EDGES, -1.0, 3.0, center=0.3)),
    ScannedColumn("whole", NumericBins(ValueType.DOUBLE, np.zeros(0), 0.0, 1.0, center=0.1), distinct_up_to=9),
    ScannedColumn("word", CategoricalBins(ValueType.STRING, ("a", "b"))),
)
HOURS = 6
ROWS_AT_ONCE = 40
HOUR = 3_600_000_000
SEGMENTS = (
    EVERYTHING,
    Segment((Condition("word", FilterOperator.EQUALS, ("a",)),)),
    Segment((Condition("x", FilterOperator.GREATER_THAN, ("0",)),)),
)


def row_groups(seed: int, count: int, *, sorted_by_time: bool) -> list[pa.Table]:
    random = np.random.default_rng(seed)
    sizes = random.integers(1, 120, count)
    at = random.integers(0, HOURS * HOUR, sizes.sum())
    table = pa.table({
        "x": pa.array(random.normal(size=len(at)) ** 3, mask=random.random(len(at)) < 0.1),
        "whole": pa.array(random.normal(size=len(at)) * 1e3),
        "word": pa.array(random.choice(list("abcd"), len(at))),
        "at": pa.array(np.sort(at) if sorted_by_time else at).cast(pa.timestamp("us", "UTC")),
    })  # fmt: skip
    ends = np.cumsum(sizes).tolist()
    return [table.slice(end - size, size) for end, size in zip(ends, sizes.tolist(), strict=True)]


def counted(groups: list[pa.Table], hours: list[int], tasks: int, seed: int, segments=SEGMENTS) -> pa.Table:
    """The merged state of these hours, with row groups dealt out at random and states merged in any order."""
    random = np.random.default_rng(seed)
    wanted = np.isin(np.arange(HOURS), hours)
    buckets = Buckets(np.arange(HOURS + 1) * HOUR, np.where(wanted, np.cumsum(wanted) - 1, -1))
    plan = ScanPlan(COLUMNS, "at", TimeFormat.TIMESTAMP, buckets, sample_rate=0.3, segments=segments)
    scans, states = [Scan(plan) for _ in range(tasks)], []
    for origin in random.permutation(len(groups)).tolist():
        scan = scans[random.integers(tasks)]
        for batch in groups[origin].to_batches(max_chunksize=ROWS_AT_ONCE):
            scan.add(batch, batch.num_rows, origin)
        if scan.rows_waiting > 20:
            states.append(scan.take_rows())
    states += [scan.rows() for scan in scans]
    random.shuffle(states)
    return merge_rows(pa.concat_tables(states))


def bits(profile) -> list[object]:
    fields = ("rows", "nulls", "counts", "sums", "squares", "low", "high", "infinite", "unseen")
    found = [getattr(profile, name, None) for name in fields]
    found += [profile.distinct.values, profile.distinct.registers] if profile.distinct else []
    return [each.tobytes() if isinstance(each, np.ndarray) else each for each in found]


cases = st.fixed_dictionaries(
    {"seed": st.integers(0, 999), "count": st.integers(1, 9), "sorted_by_time": st.booleans()}
)


@settings(max_examples=40)
@given(cases, st.sets(st.integers(0, HOURS - 1), min_size=1), st.integers(1, 5), st.integers(0, 99))
def test_a_bucket_has_the_same_bits_alone_and_with_others_in_any_tasks(case, hours, tasks, seed):
    groups, several = row_groups(**case), sorted(hours)
    together = profiles_of(counted(groups, several, tasks, seed), COLUMNS, len(several) * len(SEGMENTS))
    for place, hour in enumerate(several):
        alone = profiles_of(counted(groups, [hour], 1, 0), COLUMNS, len(SEGMENTS))
        for number, profiles in enumerate(alone):
            for one, other in zip(together[place * len(SEGMENTS) + number], profiles, strict=True):
                assert bits(one) == bits(other)


@pytest.mark.parametrize("tasks", [2, 3, 7])
def test_the_same_rows_are_sampled_in_any_tasks(tasks):
    groups = row_groups(3, 7, sorted_by_time=False)
    one, other = (sample_of(counted(groups, [0, 3], count, count), 0) for count in (1, tasks))
    assert len(one) > 20
    assert one.tobytes() == other.tobytes()


def test_rows_of_unknown_origin_are_of_the_first():
    rows = StateRows()
    rows.add(0, 0, 1, n=1)
    assert rows.table()["origin"].to_pylist() == [0]


def test_many_small_row_groups_leave_one_state_each():
    scan = Scan(ScanPlan(COLUMNS))
    for origin in range(50):
        scan.add({"x": pa.array([0.5]), "word": pa.array(["a"])}, 1, origin)
    states = scan.rows()
    own = [row for row in states.select(["column", "part", "origin"]).to_pylist() if row["column"] == 0]
    assert own == [{"column": 0, "part": 0, "origin": origin} for origin in range(50)]
    assert profiles_of(merge_rows(states), COLUMNS)[0][0].rows == 50


def test_states_of_different_bins_do_not_merge():
    rows = StateRows()
    for width in (3, 4):
        rows.add_arrays(np.zeros(1, np.intp), 0, 0, 0, {"counts": np.zeros((1, width), np.int64)})
    with pytest.raises(ValueError, match="different lengths"):
        merge_rows(rows.table())


def test_no_states_merge_to_none():
    assert merge_rows(STATE_SCHEMA.empty_table()).schema == STATE_SCHEMA
    assert profiles_of(STATE_SCHEMA.empty_table(), COLUMNS, 2)[1][0].rows == 0


def test_states_survive_a_trip_in_other_chunks_and_larger_types():
    groups = row_groups(8, 5, sorted_by_time=True)
    states = counted(groups, [0, 1, 2], 2, 0)
    large = pa.schema([
        each.with_type({pa.binary(): pa.large_binary(), pa.string(): pa.large_string()}.get(each.type, each.type))
        for each in states.schema
    ])  # fmt: skip
    cut = pa.concat_tables([states.slice(start, 3) for start in range(0, len(states), 3)]).cast(large)
    for one, other in zip(*(profiles_of(merge_rows(each), COLUMNS, 9) for each in (states, cut)), strict=True):
        assert [bits(each) for each in one] == [bits(each) for each in other]
