"""Columns in one plain type, whatever type a file has, so that Spark can join them."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from signals.bins import ValueType
from signals.timestamps import UNDATED, TimeFormat, read_instants
from signals.values import list_type_of, read_numbers, value_type_of

__all__ = ["read_ids", "read_plain"]


def read_ids(array: Any, size: int) -> pa.Array:
    """Ids as string[size], null without an array; 17, 17.0 and "17" are the same id."""
    if array is None or value_type_of(array.type) is None:
        return pa.nulls(size, pa.string())
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_floating(array.type) or pa.types.is_decimal(array.type):
        numbers = array.cast(pa.float64(), safe=False)
        whole = pc.equal(numbers, pc.floor(numbers))
        return pc.if_else(whole, numbers.cast(pa.int64(), safe=False).cast(pa.string()), numbers.cast(pa.string()))
    return array.cast(pa.string())


def read_plain(array: Any, target: pa.DataType, size: int) -> pa.Array:
    """An array as text, bool, int64, double, date, timestamp or lists; null without one, and where it cannot be so."""
    if array is not None and pa.types.is_list(target):
        return (
            array.cast(target, safe=False)
            if list_type_of(array.type) is list_type_of(target)
            else pa.nulls(size, target)
        )
    if array is None or value_type_of(array.type) is None:
        return pa.nulls(size, target)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if array.type == target:
        return array
    if pa.types.is_string(target) or (pa.types.is_integer(array.type) and pa.types.is_integer(target)):
        return array.cast(target, safe=False)
    if pa.types.is_temporal(target):
        instants = read_instants(array, TimeFormat.AUTO)
        return pa.array(instants, pa.timestamp("us", "UTC"), mask=instants == UNDATED).cast(target, safe=False)
    numbers = read_numbers(array, ValueType.INTEGER if pa.types.is_integer(target) else ValueType.DOUBLE)
    if not pa.types.is_floating(target):
        numbers = pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, pa.float64()))
    return numbers.cast(target, safe=False)
