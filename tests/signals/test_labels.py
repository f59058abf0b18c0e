"""A class has one name, however truth and prediction spell it."""

import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from signals.labels import canonical_labels, positive_class_of, resolve_class


def names(truth: pa.Array, prediction: pa.Array) -> tuple[list[str | None], list[str | None]]:
    found = canonical_labels(truth, prediction)
    assert found is not None
    one, other = ([None if code < 0 else side.names[code] for code in side.codes.tolist()] for side in found)
    return one, other


ONES_AND_ZEROS = {
    "integers": pa.array([1, 0, None]),
    "small integers": pa.array([1, 0, None], pa.int8()),
    "doubles": pa.array([1.0, -0.0, None]),
    "floats": pa.array([1.0, 0.0, None], pa.float32()),
    "decimals": pa.array([Decimal("1.00"), Decimal("0.00"), None]),
    "booleans": pa.array([True, False, None]),
    "texts": pa.array(["1", "0", None]),
    "texts of doubles": pa.array(["1.0", "0.0", None]),
    "large texts": pa.array(["1", "0", None], pa.large_string()),
    "words": pa.array(["True", "false", None]),
    "dictionary": pa.array(["1", "0", None]).dictionary_encode(),
}
TEXTS = {"texts", "texts of doubles", "large texts", "words", "dictionary"}


@pytest.mark.parametrize("prediction", ONES_AND_ZEROS)
@pytest.mark.parametrize("truth", ONES_AND_ZEROS)
def test_one_is_one_however_it_is_written(truth: str, prediction: str) -> None:
    one, other = names(ONES_AND_ZEROS[truth], ONES_AND_ZEROS[prediction])
    assert one[2] is None
    assert other[2] is None
    if {truth, prediction} <= TEXTS and {truth, prediction} & {"words", "texts of doubles"}:
        return  # two columns of texts: a text is itself
    assert one == other


def test_texts_beside_texts_are_themselves() -> None:
    assert names(pa.array(["1.0", "True"]), pa.array(["1", "true"])) == (["1.0", "True"], ["1", "true"])


def test_a_boolean_is_a_word_unless_it_stands_beside_numbers() -> None:
    assert names(pa.array([True]), pa.array([False])) == (["true"], ["false"])
    assert names(pa.array([True]), pa.array([2])) == (["1"], ["2"])


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([0.5, float("nan"), 1e300]), ["0.5", None, str(int(1e300))]),
        (pa.array([2**53 + 1]), ["9007199254740993"]),
        (pa.array(["a, b", ""]), ["a, b", ""]),
        (pa.array([datetime.date(2013, 7, 2)]), ["2013-07-02"]),
        (pa.array([[1], [2]]), [None, None]),
        (pa.array([b"x"]), [None]),
        (pa.nulls(2), [None, None]),
        (pa.array([], pa.int64()), []),
    ],
)
def test_a_class_is_spelt_by_its_value(array: pa.Array, expected: list[str | None]) -> None:
    assert names(array, pa.nulls(len(array)))[0] == expected


def test_a_text_that_is_no_number_stays_beside_numbers() -> None:
    assert names(pa.array(["late", "9007199254740993"]), pa.array([1, 9007199254740993])) == (
        ["late", "9007199254740993"],
        ["1", "9007199254740993"],
    )


@pytest.mark.parametrize(
    ("classes", "positive"),
    [
        (["0", "1"], "1"), (["1"], "1"), (["0"], "1"), (["false", "true"], "true"), (["false"], "true"),
        ([], None), (["0", "1", "2"], None), (["no", "yes"], None), (["1", "true"], None),
    ],
)  # fmt: skip
def test_the_positive_class_is_known_where_it_is_plain(classes: list[str], positive: str | None) -> None:
    assert positive_class_of(classes) == positive


@pytest.mark.parametrize(
    ("name", "classes", "meant"),
    [
        ("1", ["0", "1"], "1"), ("1.0", ["0", "1"], "1"), ("True", ["0", "1"], "1"), ("1", ["false", "true"], "true"),
        ("TRUE", ["false", "true"], "true"), ("late", ["late", "on time"], "late"), ("Late", ["late"], "Late"),
        ("1.0", ["1", "1.0"], "1.0"),
    ],
)  # fmt: skip
def test_a_user_may_spell_a_class_as_they_like(name: str, classes: list[Any], meant: str) -> None:
    assert resolve_class(name, classes) == meant
