"""Columns as the numbers that trees are grown on, and what the rows' hashes promise."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.encoding import MOST_CATEGORIES, Target, encode, read_target
from signals.hashing import row_hashes
from signals.measurement import Undefined

INF, NAN = float("inf"), float("nan")


def texts(*values: str | None) -> pa.DictionaryArray:
    return pa.array(values, pa.string()).dictionary_encode()


def numbers(*values: float | None) -> pa.Array:
    return pa.array(values, pa.float64())


def test_a_number_is_its_rank_and_a_null_is_below_all() -> None:
    found = encode({"a": numbers(1e300, None, -INF, 3, NAN, INF, 3)})
    assert found.x[:, 0].tolist() == [2, -1, 0, 1, -1, 3, 1]
    assert found.arities == {}


def test_a_category_is_a_code_the_most_frequent_first_and_null_the_last() -> None:
    found = encode({"n": numbers(*range(8)), "a": texts("x", None, "y", "y", "x", None, "y", "x")})
    assert found.x[:, 1].tolist() == [0, 2, 1, 1, 0, 2, 1, 0]
    assert found.arities == {1: 3}


def test_rare_categories_are_one() -> None:
    values = [str(number) for number in range(1000) for _ in range(1000 - number)]
    found = encode({"a": texts(*values)})
    assert found.arities == {0: MOST_CATEGORIES}
    assert set(found.x[found.x[:, 0] < 3, 0]) == {0.0, 1.0, 2.0}
    assert found.x[-1, 0] == MOST_CATEGORIES - 1


def test_one_category_is_no_category_to_a_tree() -> None:
    assert encode({"a": texts("x", "x"), "b": texts(None, None)}).arities == {}


def target(column: pa.Array, ml_task: str | None = None) -> Target:
    found = read_target(column, ml_task)
    assert isinstance(found, Target)
    return found


def test_texts_and_few_whole_numbers_are_classes_and_other_numbers_are_not() -> None:
    assert target(texts("yes", "no", "no", None)).classes == 2
    assert target(texts("yes", "no", "no", None)).known.tolist() == [True, True, True, False]
    assert target(numbers(0, 1, 1, NAN, None)).classes == 2
    assert target(numbers(0, 0.5, 1)).classes is None
    assert target(numbers(*range(21))).classes is None
    assert target(numbers(*range(21)), "classification").classes == 21
    assert target(numbers(0, 1, 1), "regression").classes is None
    assert target(numbers(0, 0.25, 1), "classification").classes is None  # a probability


def test_numbers_are_told_apart_however_large_they_are() -> None:
    found = target(numbers(-1.5e308, 1.5e308, 0.5, INF))
    assert found.known.tolist() == [True, True, True, False]
    assert np.abs(found.y).max() == 1
    assert found.y[0] < found.y[2] < found.y[1]


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (numbers(1, 1, 1), "it has the same value in all rows"),
        (numbers(0.1, 0.1, None), "it has the same value in all rows"),
        (texts("a", None), "it has the same value in all rows"),
        (numbers(None, NAN, INF), "it has no value in any row"),
        (texts(None), "it has no value in any row"),
        (numbers(), "it has no value in any row"),
    ],
)
def test_a_target_that_does_not_vary_explains_nothing(column: pa.Array, reason: str) -> None:
    assert read_target(column) == Undefined(reason)


ROWS = st.lists(
    st.tuples(st.one_of(st.none(), st.floats(width=32)), st.sampled_from(["a", "b", None])), min_size=1, max_size=40
)


@given(ROWS, st.randoms())
def test_a_row_has_its_hash_wherever_it_stands(rows: list[tuple[float | None, str | None]], random: object) -> None:
    def hashes(of: list[tuple[float | None, str | None]]) -> list[int]:
        floats, words = zip(*of, strict=True)
        return row_hashes([numbers(*floats), texts(*words)]).tolist()

    dealt = list(rows)
    random.shuffle(dealt)  # type: ignore[attr-defined]
    assert sorted(hashes(rows)) == sorted(hashes(dealt))
    assert hashes(rows[:1])[0] in hashes(dealt)


def test_equal_rows_have_hashes_of_their_own_so_that_each_has_its_chance() -> None:
    column = numbers(*([0.0, -0.0] * 5000))
    found = np.concatenate([row_hashes([column], place) for place in range(3)])
    assert len(np.unique(found)) == 1 + 3 * 9999  # the first of each batch is like any other such row
    low = (found < np.uint64(2**63)).mean()
    assert abs(low - 0.5) < 0.01


def test_hashes_are_even() -> None:
    found = row_hashes([numbers(*map(float, range(100_000)))]) >> np.uint64(54)
    counts = np.bincount(found.astype(np.int64), minlength=1024)
    assert abs(((counts - counts.mean()) ** 2 / counts.mean()).sum() - 1023) < 5 * np.sqrt(2 * 1023)
