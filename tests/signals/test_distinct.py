"""Distinct values are told apart exactly while they are few, and within five per cent beyond."""

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.bins import CategoricalBins, NumericBins, ValueType
from signals.distinct import EXACT_UP_TO, Distinct, sketch, sketch_numbers
from signals.kernel import Scan, ScannedColumn, ScanPlan, profiles_of
from signals.state import merge_rows
from tests.signals.kernel_runs import profile_of

WORDS = CategoricalBins(ValueType.STRING, ("a",))
ONE_CELL = NumericBins(ValueType.DOUBLE, np.zeros(0), np.nan, np.nan)
texts = st.sets(st.text(max_size=3), max_size=30)


@pytest.mark.parametrize("count", [1, 900, 5_000, 100_000])
@pytest.mark.parametrize("prefix", ["", "user-", "ü"])
def test_sketches_of_texts_are_within_five_per_cent(count, prefix):
    found = Distinct(registers=sketch(f"{prefix}{number}" for number in range(count)))
    assert found.count == pytest.approx(count, rel=0.05)


@pytest.mark.parametrize(
    "numbers",
    [
        np.arange(50_000.0),
        np.arange(50_000) * 1e-9,
        np.arange(50_000) * 1e300,
        np.arange(50_000) * 2.0**-1060,
        np.random.default_rng(1).normal(size=50_000),
        -(np.arange(50_000.0) ** 2),
    ],
    ids=["integers", "tiny", "huge", "denormal", "normal", "negative"],
)
def test_sketches_of_numbers_are_within_five_per_cent(numbers):
    assert Distinct(registers=sketch_numbers(numbers)).count == pytest.approx(len(numbers), rel=0.05)


@given(texts, texts, texts)
def test_sets_are_joined_in_any_order(one, two, three):
    a, b, c = map(Distinct.of, (one, two, three))
    assert (a | b | c).values == (c | (b | a)).values == one | two | three
    assert (a | Distinct()) == a


@given(texts, texts)
def test_a_sketch_of_both_is_the_sketch_of_the_whole(one, two):
    exact, sketched = Distinct.of(one), Distinct(registers=sketch(two))
    for joined in (exact | sketched, sketched | exact):
        np.testing.assert_array_equal(joined.registers, sketch(one | two))


@pytest.mark.parametrize("count", [EXACT_UP_TO - 1, EXACT_UP_TO, EXACT_UP_TO + 1])
@pytest.mark.parametrize("tasks", [1, 4])
def test_unseen_values_are_exact_up_to_a_thousand(count, tasks):
    values = [f"new {number}" for number in range(count)] * 2 + ["a"]
    found = profile_of(values, ScannedColumn("x", WORDS), batches=7, tasks=tasks)
    assert found.counts.tolist() == [1, 2 * count]
    assert found.distinct.exact == (count <= EXACT_UP_TO)
    assert len(found.unseen) == min(count, EXACT_UP_TO)
    assert set(found.unseen.values()) == {2}
    assert found.distinct.count == pytest.approx(count, rel=0.05)


@pytest.mark.parametrize("count", [EXACT_UP_TO, 20_000])
@pytest.mark.parametrize("tasks", [1, 4])
def test_distinct_numbers_are_exact_up_to_a_thousand(count, tasks):
    values = np.concatenate((np.arange(count), np.arange(count), [-0.0]))
    found = profile_of(pa.array(values), ScannedColumn("x", ONE_CELL, EXACT_UP_TO), batches=7, tasks=tasks)
    assert found.distinct.exact == (count <= EXACT_UP_TO)
    assert found.distinct.count == pytest.approx(count, rel=0.05 * (count > EXACT_UP_TO))


def test_a_survey_knows_twenty_numbers_from_more_without_a_sketch():
    column = ScannedColumn("x", ONE_CELL, 20, estimate=False)
    few = profile_of(pa.array(np.arange(1000) % 20.0), column, batches=9, tasks=3)
    many = profile_of(pa.array(np.arange(1000) % 21.0), column, batches=9, tasks=3)
    assert (len(few.distinct.values), few.distinct.exact) == (20, True)
    assert len(many.distinct.values) > 20


def test_the_frequent_ones_of_many_unseen_values_keep_their_names():
    random = np.random.default_rng(3)
    rare = [f"rare {number}" for number in range(60_000)]
    values = np.array(rare + ["common"] * 3_000 + ["usual"] * 1_000)
    random.shuffle(values)
    found = profile_of(pa.array(values), ScannedColumn("x", WORDS), batches=20, tasks=3)
    assert list(found.unseen)[:2] == ["common", "usual"]
    assert found.unseen["common"] == 3_000
    assert len(found.unseen) == EXACT_UP_TO


def batches_of_strings(count, size=32_768):
    for start in range(0, count, size):
        numbers = pa.array(range(start, min(start + size, count)))
        yield pc.binary_join_element_wise("user", numbers.cast(pa.string()), "-").dictionary_encode()


def test_a_million_distinct_strings_take_no_more_memory_than_a_hundred_thousand():
    scan = Scan(ScanPlan((ScannedColumn("x", WORDS),)))
    resident, process = [], psutil.Process()
    for batch in batches_of_strings(1_000_000):
        scan.add({"x": batch}, len(batch))
        resident.append(process.memory_info().rss)
    assert max(resident) - max(resident[:3]) < 30e6  # by name they would take 100 MB and more
    states = merge_rows(scan.rows())
    assert len(states) < EXACT_UP_TO + 4_096 + 20
    found = profiles_of(states, scan.plan.columns)[0][0]
    assert found.counts.tolist() == [0, 1_000_000]
    assert found.distinct.count == pytest.approx(1_000_000, rel=0.05)
