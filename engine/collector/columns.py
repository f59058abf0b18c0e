"""Of which type is a column of JSON values, and how do its values become Arrow's?

A column's type is that of most of its values. A batch in which all values are of it is an array of it; one with others
is an array of texts, each value spelt as JSON spells it: the kernel reads numbers from it, and counts what is none.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import pyarrow as pa

__all__ = ["Kind", "as_array", "column_type", "count_kinds", "is_mixed"]

LONGEST = 2**63


class Kind(StrEnum):
    """What a JSON value is; null is nothing."""

    INTEGER = "integer"
    WHOLE = "whole"
    """1.0, as pandas writes an integer whose column has a null elsewhere in the same event."""
    DOUBLE = "double"
    BOOLEAN = "boolean"
    TEXT = "text"
    NUMBERS = "numbers"
    TEXTS = "texts"
    NESTED = "nested"


TYPES = {
    Kind.BOOLEAN: pa.bool_(),
    Kind.TEXT: pa.string(),
    Kind.NUMBERS: pa.list_(pa.float64()),
    Kind.TEXTS: pa.list_(pa.string()),
    Kind.NESTED: pa.binary(),  # as JSON, so that a component may look into it
}
PLAIN = {bool: Kind.BOOLEAN, str: Kind.TEXT, dict: Kind.NESTED}


def count_kinds(values: Sequence[object]) -> Counter[Kind]:
    """How many of these values are of each kind."""
    found: Counter[Kind] = Counter()
    for kind, count in Counter(map(type, values)).items():
        if kind is list:
            found.update(_kind_of_list(value) for value in values if isinstance(value, list))
        elif kind is int:
            whole = [value for value in values if type(value) is int]
            huge = 0
            if min(whole) < -LONGEST or max(whole) >= LONGEST:
                huge = sum(not -LONGEST <= value < LONGEST for value in whole)
            found += Counter({Kind.INTEGER: count - huge, Kind.DOUBLE: huge})
        elif kind is float:
            whole = sum(map(_is_whole, filter(float.is_integer, (value for value in values if type(value) is float))))
            found += Counter({Kind.WHOLE: whole, Kind.DOUBLE: count - whole})
        elif kind is not type(None):
            found[PLAIN[kind]] += count
    return found


def _are_whole(numbers: Sequence[float | None]) -> bool:
    return all(_is_whole(number) for number in numbers if number is not None)


def _is_whole(number: float) -> bool:
    return -LONGEST <= number < LONGEST and number == int(number)


def _kind_of_list(values: Sequence[object]) -> Kind:
    kinds = {*map(type, values)} - {type(None)}
    if kinds <= {int, float}:
        return Kind.NUMBERS
    return Kind.TEXTS if kinds == {str} else Kind.NESTED


def column_type(kinds: Mapping[Kind, int]) -> pa.DataType:
    """The type of a column with so many values of each kind; null for one without values."""
    integers, whole, broken = (kinds.get(kind, 0) for kind in (Kind.INTEGER, Kind.WHOLE, Kind.DOUBLE))
    numbers = integers + whole + broken
    others = {kind: count for kind in TYPES if (count := kinds.get(kind, 0))}
    most = max(others, key=lambda kind: others[kind], default=None)
    if numbers and (most is None or numbers >= others[most]):
        return pa.float64() if broken or not integers else pa.int64()
    return pa.null() if most is None else TYPES[most]


def is_mixed(kinds: Mapping[Kind, int]) -> bool:
    """Whether some of a column's values are of another type than most."""
    return (
        len({TYPES.get(kind) for kind, count in kinds.items() if count}) > 1
    )  # all numbers are of no type of their own


def as_array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """The values as the column's type, or as texts where some are of another.

    A column of lists has null where there is another value; one of other nested values has their JSON.
    """
    found = {*map(type, values)} - {type(None)}
    if pa.types.is_list(kind) or pa.types.is_binary(kind):
        return _nested(values, kind)
    if not found:
        return pa.nulls(len(values), kind)
    if found == {str}:
        return _texts(values)
    if found == {bool} and pa.types.is_boolean(kind):
        return pa.array(values, pa.bool_())
    if found <= {int, float} and (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return _numbers(values, whole=found == {int} or (pa.types.is_integer(kind) and _are_whole(values)))
    return _texts([None if value is None else _spelt(value) for value in values])


def _numbers(values: Sequence[Any], *, whole: bool) -> pa.Array:
    try:
        return pa.array(values, pa.int64() if whole else pa.float64())
    except (OverflowError, pa.ArrowInvalid):  # integers that are not exactly representable
        return pa.array([None if value is None else _double(value) for value in values], pa.float64())


def _double(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _texts(values: Iterable[str | None]) -> pa.Array:
    try:
        return pa.array(values, pa.string())
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can write and UTF-8 cannot
        clean = (None if value is None else value.encode(errors="replace").decode() for value in values)
        return pa.array(list(clean), pa.string())


def _spelt(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _nested(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_binary(kind):
        return pa.array([None if value is None else json.dumps(value).encode() for value in values], kind)
    wanted = {Kind.NUMBERS} if pa.types.is_floating(kind.value_type) else {Kind.TEXTS}
    # An empty list is one of numbers to `count_kinds`, and of anything here.
    fits = [
        value if isinstance(value, list) and (not value or _kind_of_list(value) in wanted) else None for value in values
    ]
    if wanted == {Kind.NUMBERS}:
        fits = [
            None if value is None else [None if each is None else _double(each) for each in value] for value in fits
        ]
    return pa.array(fits, kind)
