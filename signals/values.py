"""How production values are read as the baseline's type, whatever type they arrive in.

What cannot be read becomes null here, so that ``read.null_count - array.null_count`` values are data type errors.
"""

import contextlib
import math
from collections.abc import Callable
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from signals.bins import LISTS, ValueType

__all__ = [
    "column_type_of", "is_nested", "list_type_of", "read_micros", "read_numbers", "read_texts", "value_type_of",
]  # fmt: skip

NUMBER = r"^\s*[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[iI]nf(inity)?|[nN]a[nN])\s*$"
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - UTC by definition
MICROSECOND = timedelta(microseconds=1)


def value_type_of(kind: pa.DataType) -> ValueType | None:
    """What a column of this Arrow type holds; None for nested and binary ones: their values are not one thing each."""
    if pa.types.is_dictionary(kind):
        return value_type_of(kind.value_type)
    known: list[tuple[Callable[[pa.DataType], bool], ValueType]] = [
        (pa.types.is_boolean, ValueType.BOOLEAN),
        (pa.types.is_integer, ValueType.INTEGER),
        (pa.types.is_floating, ValueType.DOUBLE),
        (pa.types.is_decimal, ValueType.DOUBLE),
        (pa.types.is_string, ValueType.STRING),
        (pa.types.is_large_string, ValueType.STRING),
        (pa.types.is_null, ValueType.STRING),
        (pa.types.is_date, ValueType.DATE),
        (pa.types.is_timestamp, ValueType.TIMESTAMP),
    ]
    return next((value_type for test, value_type in known if test(kind)), None)


def list_type_of(kind: pa.DataType) -> ValueType | None:
    """What the lists of a column of this Arrow type are; None for all other columns."""
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        return None
    element = value_type_of(kind.value_type)
    if pa.types.is_null(kind.value_type) or element is None:
        return None
    if element in (ValueType.INTEGER, ValueType.DOUBLE):
        return ValueType.VECTOR
    return ValueType.LIST if element is ValueType.STRING else None


def column_type_of(kind: pa.DataType) -> ValueType | None:
    """What a column of this Arrow type can be profiled as: one value a row, or a list of numbers or strings."""
    return value_type_of(kind) or list_type_of(kind)


def is_nested(kind: pa.DataType) -> bool:
    """Whether a column of this type has no distribution."""
    return value_type_of(kind) is None


def read_numbers(array: pa.Array, value_type: ValueType) -> pa.Array:
    """The values as double[n]; null where they are null or cannot be read as `value_type`.

    Dates and timestamps are seconds since 1970 UTC. Integers beyond 2**53 are rounded to the nearest double. Lists are
    their lengths.
    """
    kind = array.type
    if value_type in LISTS:
        fits = list_type_of(kind) is value_type
        return pc.list_value_length(array).cast(pa.float64()) if fits else pa.nulls(len(array), pa.float64())
    if pa.types.is_float64(kind) and value_type is ValueType.DOUBLE:
        return array
    if pa.types.is_dictionary(kind):
        return read_numbers(array.dictionary_decode(), value_type)
    if is_nested(kind):
        return pa.nulls(len(array), pa.float64())
    if _is_time(value_type):
        read = pc.divide(read_micros(array).cast(pa.float64(), safe=False), 1e6)
    elif _is_text(kind):
        read = _numbers_of_text(array)
    elif pa.types.is_temporal(kind):
        read = pa.nulls(len(array), pa.float64())
    elif pa.types.is_boolean(kind):
        read = array.cast(pa.int8()).cast(pa.float64())
    else:
        read = array.cast(pa.float64(), safe=False)
    whole = value_type is ValueType.INTEGER and not pa.types.is_integer(kind)
    return _only_integers(read) if whole else read


def read_micros(array: pa.Array) -> pa.Array:
    """Dates, timestamps and ISO 8601 text as int64[n], microseconds since 1970 UTC; null where there is no time.

    Whole numbers all the way: as a double of seconds, a time from 2106 on may come out a microsecond off.
    """
    kind = array.type
    if _is_text(kind):
        return pa.array([_micros_of_text(text) for text in array.to_pylist()], pa.int64())
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        zone = kind.tz if pa.types.is_timestamp(kind) else None
        return array.cast(pa.timestamp("us", zone), safe=False).cast(pa.int64())
    return pa.nulls(len(array), pa.int64())


def read_texts(array: pa.Array, value_type: ValueType) -> pa.DictionaryArray:
    """The values as dictionary<int32, string>[n], spelt one way; null where null or not readable as `value_type`.

    3.0 and 3.00 are spelt ``3``, booleans ``true`` and ``false``, times in UTC.
    """
    if is_nested(array.type):
        return pa.nulls(len(array), pa.dictionary(pa.int32(), pa.string()))
    if pa.types.is_boolean(array.type):  # there is no dictionary of booleans
        array = array.cast(pa.int8() if value_type is ValueType.INTEGER else pa.string())
    if pa.types.is_null(array.type):
        array = array.cast(pa.string())
    encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    dictionary = encoded.dictionary
    if value_type is ValueType.STRING and pa.types.is_string(dictionary.type):
        return encoded
    texts = _spelt(dictionary, value_type)
    # Two spellings of one value (3 and 3.0) and unreadable ones need a dictionary without repeats and nulls.
    again = texts.dictionary_encode()
    return pa.DictionaryArray.from_arrays(again.indices.take(encoded.indices).cast(pa.int32()), again.dictionary)


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _is_time(value_type: ValueType) -> bool:
    return value_type in (ValueType.DATE, ValueType.TIMESTAMP)


def _only_integers(numbers: pa.Array) -> pa.Array:
    # NaN stays: it is counted as such, not as a data type error.
    fits = pc.or_(pc.equal(numbers, pc.floor(numbers)), pc.is_nan(numbers))
    return pc.if_else(fits, numbers, pa.scalar(None, pa.float64()))


def _numbers_of_text(texts: pa.Array) -> pa.Array:
    readable = pc.match_substring_regex(texts, NUMBER)
    return pc.if_else(readable, pc.utf8_trim_whitespace(texts), None).cast(pa.float64())


def _micros_of_text(text: str | None) -> int | None:
    if text is None:
        return None
    with contextlib.suppress(ValueError):
        moment = datetime.fromisoformat(text.strip())
        return (moment.replace(tzinfo=None) - EPOCH - (moment.utcoffset() or timedelta())) // MICROSECOND
    return None


def _spelt(dictionary: pa.Array, value_type: ValueType) -> pa.Array:
    spell = {ValueType.INTEGER: _spell_integer, ValueType.BOOLEAN: _spell_boolean}.get(value_type)
    if spell is not None:
        return pa.array([None if value is None else spell(value) for value in dictionary.to_pylist()], pa.string())
    if value_type is ValueType.DOUBLE:
        return pc.add(read_numbers(dictionary, value_type), 0.0).cast(pa.string())  # + 0.0: there is no category -0
    if pa.types.is_timestamp(dictionary.type):  # one unit: files may differ in it
        dictionary = dictionary.cast(pa.timestamp("us", dictionary.type.tz), safe=False).cast(pa.timestamp("us"))
    return dictionary.cast(pa.string())


def _spell_integer(value: object) -> str | None:
    with contextlib.suppress(ValueError, TypeError, OverflowError, ArithmeticError):
        if isinstance(value, str):
            value = int(value) if value.strip().lstrip("+-").isdigit() else float(value)
        if isinstance(value, bool | int):
            return str(int(value))
        if math.isfinite(value) and value == math.floor(value):  # type: ignore[arg-type]
            return str(int(value))  # type: ignore[call-overload]
    return None


def _spell_boolean(value: object) -> str | None:
    text = str(value).strip().lower()
    return {"true": "true", "1": "true", "1.0": "true", "false": "false", "0": "false", "0.0": "false"}.get(text)
