"""Which rows of a column satisfy a condition?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from signals.bins import ValueType
from signals.conditions import NEED_ORDER, NUMERIC, TEMPORAL, Condition, FilterOperator, moment_of, number_of, truth_of
from signals.values import is_nested, read_numbers, read_texts

__all__ = ["Answering"]

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.generic]
Compare = Callable[[Numbers, int | float], Mask]
COMPARE: Mapping[FilterOperator, Compare] = {
    FilterOperator.EQUALS: np.equal,
    FilterOperator.GREATER_THAN: np.greater,
    FilterOperator.GREATER_THAN_OR_EQUAL: np.greater_equal,
    FilterOperator.LESS_THAN: np.less,
    FilterOperator.LESS_THAN_OR_EQUAL: np.less_equal,
}


@dataclass(frozen=True)
class Read:
    """A column's values as a condition compares them.

    Attributes:
        values: numpy numbers, or an Arrow array of texts; one per row, or one per entry of the column's dictionary.
        valid: bool[values], False where a value is null or cannot be read.
        codes: integer[rows], each row's entry, the one after the last for a null; None where values are rows.
    """

    values: Numbers | pa.Array
    valid: Mask
    codes: npt.NDArray[np.integer] | None = None

    def rows(self, hits: Mask) -> Mask:
        """An answer by value as one by row."""
        known = hits & self.valid
        if self.codes is None:
            return known
        places = np.flatnonzero(known)
        if len(places) == 1:  # the usual case, and several times faster than looking each row up
            return self.codes == places[0]
        return np.append(known, False)[self.codes]


class Answering:
    """Answers conditions about one batch: each distinct one once, each column read once for all of them."""

    def __init__(self, arrays: Mapping[str, pa.Array], size: int) -> None:
        self._arrays = arrays
        self._size = size
        self._reads: dict[tuple[str, ValueType], Read] = {}
        self._answers: dict[Condition, Mask] = {}

    def answer(self, condition: Condition) -> Mask:
        """bool[rows]; a column that the batch lacks is all null."""
        known = self._answers.get(condition)
        if known is None:
            known = self._answers[condition] = self._answer(condition.canonical)
        return known

    def _answer(self, asked: Condition) -> Mask:
        if asked.operator is FilterOperator.NOT_EQUALS:
            return ~self.answer(Condition(asked.column, FilterOperator.EQUALS, asked.values, asked.read_as))
        array = self._arrays.get(asked.column)
        if array is None or is_nested(array.type):
            return np.zeros(self._size, np.bool_)
        holds = _held(asked, array.type)
        read = self._reads.get((asked.column, holds))
        if read is None:
            read = self._reads[asked.column, holds] = _read(array, holds)
        return read.rows(_hits(read.values, asked, holds))


def _held(asked: Condition, kind: pa.DataType) -> ValueType:
    """What the values are compared as; where an operator does not fit it, this file is not of the column's type."""
    holds = asked.holds(kind) or ValueType.STRING
    if asked.operator is FilterOperator.CONTAINS:
        return ValueType.STRING
    return ValueType.DOUBLE if asked.operator in NEED_ORDER and holds is ValueType.STRING else holds


def _read(array: pa.Array, holds: ValueType) -> Read:
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        array = array.dictionary_encode()
    if not pa.types.is_dictionary(array.type):
        if holds is ValueType.STRING:
            return _read(read_texts(array, holds), holds)
        return _plain(array, holds)
    codes = array.indices.cast(pa.int32()).fill_null(len(array.dictionary)).to_numpy(zero_copy_only=False)
    plain = _plain(array.dictionary, holds)
    return Read(plain.values, plain.valid, codes)


def _plain(array: pa.Array, holds: ValueType) -> Read:
    """A column without a dictionary."""
    if holds is ValueType.STRING:
        texts = array if pa.types.is_string(array.type) else array.cast(pa.string())
        return Read(texts, _valid(texts))
    if holds is ValueType.BOOLEAN:
        numbers = _truths(array)
    elif holds in TEMPORAL or not _as_it_is(array.type):
        numbers = read_numbers(_spelt_decimals(array), ValueType.TIMESTAMP if holds in TEMPORAL else ValueType.DOUBLE)
    else:
        numbers = array
    return Read(numbers.fill_null(0).to_numpy(zero_copy_only=False), _valid(numbers))


def _as_it_is(kind: pa.DataType) -> bool:
    """Whether numpy compares such numbers as they are: whole ones exactly, single precision in single precision."""
    return pa.types.is_integer(kind) or pa.types.is_float32(kind) or pa.types.is_float64(kind)


def _spelt_decimals(array: pa.Array) -> pa.Array:
    # Arrow's cast of a decimal may miss the nearest double; its text does not.
    return array.cast(pa.string()) if pa.types.is_decimal(array.type) else array


def _truths(array: pa.Array) -> pa.Array:
    if pa.types.is_boolean(array.type):
        return array.cast(pa.int8())
    texts = read_texts(array, ValueType.BOOLEAN)
    truths = pa.array([truth_of(text) for text in texts.dictionary.to_pylist()], pa.bool_())
    return truths.cast(pa.int8()).take(texts.indices)


def _valid(array: pa.Array) -> Mask:
    return np.ones(len(array), np.bool_) if not array.null_count else array.is_valid().to_numpy(zero_copy_only=False)


def _hits(values: Numbers | pa.Array, asked: Condition, holds: ValueType) -> Mask:
    """Which of the values satisfy the condition, whatever stands where there is no value."""
    if isinstance(values, np.ndarray):
        bounds = [bound for bound in (_bound(value, holds) for value in asked.values) if bound is not None]
        return _any([_compared(values, COMPARE[asked.operator], bound) for bound in bounds], len(values))
    if asked.operator is FilterOperator.CONTAINS:
        found = [pc.match_substring(values, value) for value in asked.values]
        return _any([hits.fill_null(False).to_numpy(zero_copy_only=False) for hits in found], len(values))
    return pc.is_in(values, value_set=pa.array(asked.values, pa.string())).to_numpy(zero_copy_only=False)


def _compared(values: Numbers, compare: Compare, bound: int | float) -> Mask:
    with np.errstate(over="ignore"):  # a bound beyond single precision is infinite there
        return compare(values, float(bound) if values.dtype.kind == "f" else bound)


def _bound(text: str, holds: ValueType) -> int | float | None:
    if holds in NUMERIC:
        return number_of(text)
    return moment_of(text) if holds in TEMPORAL else truth_of(text)


def _any(masks: list[Mask], size: int) -> Mask:
    return np.logical_or.reduce(masks) if masks else np.zeros(size, np.bool_)
