"""Rows are counted for any segments at once as they would be for each alone."""

from itertools import product

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.bins import CategoricalBins, NumericBins, ValueType
from signals.kernel import Scan, ScannedColumn, ScanPlan, profiles_of, report_of
from signals.keys import Buckets
from signals.profile import CategoricalProfile, NumericProfile
from signals.segments import EVERYTHING, Condition, FilterOperator, Segment
from signals.state import merge_rows
from signals.timestamps import TimeFormat
from tests.signals.kernel_runs import merged_states, profiled

NUMBERS = NumericBins(ValueType.DOUBLE, np.array([-2.0, -0.5, 0.0, 0.5, 2.0]), -2.0, 2.0, center=0.25)
COLUMNS = (
    ScannedColumn("x", NUMBERS, distinct_up_to=1000),
    ScannedColumn("word", CategoricalBins(ValueType.STRING, ("a", "b"))),
    ScannedColumn("state", CategoricalBins(ValueType.STRING, ("CA",))),
)
BUCKETS = Buckets(np.arange(4) * 60_000_000, np.array([0, -1, 1]))
STATES = ["CA", "NY", "TX", "WA"]


def segment(column: str, operator: FilterOperator, *values: str) -> Segment:
    return Segment((Condition(column, operator, values),))


OF_STATES = tuple(segment("state", FilterOperator.EQUALS, state) for state in STATES)
NOWHERE = segment("state", FilterOperator.EQUALS, "ZZ")
POSITIVE = segment("x", FilterOperator.GREATER_THAN, "0")
WEST = segment("state", FilterOperator.IN, "CA", "WA")
KINDS = {
    "everything alone": (EVERYTHING,),
    "one state alone": OF_STATES[:1],
    "disjoint": OF_STATES,
    "disjoint, one empty, some rows in none": (NOWHERE, *OF_STATES[:2]),
    "everything next to disjoint ones": (*OF_STATES, EVERYTHING),
    "overlapping": (POSITIVE, WEST, OF_STATES[0]),
    "overlapping next to everything and nothing": (NOWHERE, POSITIVE, EVERYTHING, WEST, *OF_STATES),
    "nothing": (NOWHERE,),
}
PANDAS = {
    EVERYTHING: lambda frame: frame.index == frame.index,
    NOWHERE: lambda frame: frame.index != frame.index,
    POSITIVE: lambda frame: frame["x"] > 0,
    WEST: lambda frame: frame["state"].isin(["CA", "WA"]),
    **{each: lambda frame, state=state: frame["state"] == state for each, state in zip(OF_STATES, STATES, strict=True)},
}

x = st.sampled_from([None, np.nan, np.inf, -np.inf, 0.0]) | st.integers(-3000, 3000).map(lambda each: each / 1024)
rows = st.lists(
    st.tuples(x, st.sampled_from([None, "a", "b", "c", "d"]), st.sampled_from([None, *STATES]), st.integers(-9, 200)),
    max_size=40,
)
cuts = st.fixed_dictionaries({"batches": st.integers(1, 6), "tasks": st.integers(1, 3), "seed": st.integers(0, 99)})


def table_of(rows) -> pa.Table:
    x, word, state, second = zip(*rows, strict=True) if rows else ((), (), (), ())
    return pa.table({
        "x": pa.array(x, pa.float64(), from_pandas=False),
        "word": pa.array(word, pa.string()),
        "state": pa.array(state, pa.string()),
        "at": pa.array([each * 1_000_000 for each in second], pa.int64()).cast(pa.timestamp("us", "UTC")),
    })  # fmt: skip


def assert_same(one, other) -> None:
    assert (one.rows, one.nulls, one.nans, one.unreadable) == (other.rows, other.nulls, other.nans, other.unreadable)
    assert one.counts.tolist() == other.counts.tolist()
    assert one.distinct.values == other.distinct.values
    if isinstance(one, NumericProfile):
        assert one.sums.tolist() == other.sums.tolist()
        assert (one.squares, one.low, one.high, one.infinite) == (other.squares, other.low, other.high, other.infinite)
    if isinstance(one, CategoricalProfile):
        assert one.unseen == other.unseen


@pytest.mark.parametrize("segments", KINDS.values(), ids=KINDS)
@settings(max_examples=20)
@given(rows=rows, cuts=cuts)
def test_a_segment_is_counted_as_its_rows_alone(segments, rows, cuts):
    table = table_of(rows)
    frame = pd.DataFrame(rows, columns=["x", "word", "state", "second"]).astype({"x": float})
    plan = ScanPlan(COLUMNS, "at", TimeFormat.TIMESTAMP, BUCKETS, segments=segments)
    states = merged_states(table, plan, **cuts)
    found, report = profiles_of(states, COLUMNS, plan.keys), report_of(states)
    steps = pd.cut(frame["second"].astype(float), [0, 60, 120, 180], right=False, labels=False)
    for key, (step, each) in enumerate(product((0, 2), segments)):
        inside = np.asarray((steps == step) & PANDAS[each](frame), np.bool_)
        alone = profiled(table.filter(pa.array(inside)), ScanPlan(COLUMNS))[0]
        for one, other in zip(found[key], alone, strict=True):
            assert_same(one, other)
        assert report.rows.get(key, 0) == inside.sum()
        assert report.latest.get(key) == (float(frame["second"][inside].max()) if inside.any() else None)


def test_segments_that_overlap_beyond_what_is_told_apart_at_once_are_counted_too():
    random = np.random.default_rng(5)
    table = pa.table({"x": random.integers(-3000, 3000, 4_000) / 1024, "word": random.choice(list("abcd"), 4_000)})
    table = table.append_column("y", pa.array(random.normal(size=4_000)))
    limits = np.linspace(-2, 2, 12).round(2).astype(str)
    segments = tuple(segment(name, FilterOperator.GREATER_THAN, limit) for name in "xy" for limit in limits)
    crossed = tuple(Segment(a.conditions + b.conditions) for a, b in product(segments[:12:3], segments[12::3]))
    every = tuple(dict.fromkeys((*segments, *crossed, *(segment("word", FilterOperator.EQUALS, w) for w in "abcd"))))
    plan = ScanPlan(COLUMNS[:2], segments=every)
    together = profiled(table, plan, batches=3, tasks=2)
    for profiles, each in zip(together, every, strict=True):
        arrays = {name: table[name].combine_chunks() for name in table.column_names}
        alone = profiled(table.filter(pa.array(each.mask(arrays, 4_000))), ScanPlan(COLUMNS[:2]))[0]
        for one, other in zip(profiles, alone, strict=True):
            assert_same(one, other)


def test_a_filter_on_a_column_that_is_not_profiled_is_read_too():
    plan = ScanPlan(COLUMNS[:1], segments=(WEST, POSITIVE))
    assert plan.names == ("x", "state")


def test_a_row_of_no_segment_is_not_kept_for_fitting():
    scan = Scan(ScanPlan(COLUMNS[:1], sample_rate=1.0, segments=(POSITIVE,)))
    scan.add({"x": pa.array([-1.0, 2.0, None, 3.0])}, 4)
    values = merge_rows(scan.rows())["value"].drop_null().to_pylist()
    assert [np.frombuffer(bytes.fromhex(each)).tolist() for each in values if len(each) > 16] == [[2.0, 3.0]]
