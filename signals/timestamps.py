"""When a row happened: any way of writing a timestamp, as microseconds since 1970 UTC.

Timestamps without a zone are UTC. Whole numbers are epoch seconds, milli-, micro- or nanoseconds: as declared, or by
their size (seconds have at most 11 digits, milliseconds 14, microseconds 17), which tells them apart from 1973 on.
"""

from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from signals.bins import ValueType
from signals.values import read_micros, read_numbers

__all__ = ["UNDATED", "TimeFormat", "find_format", "read_instants"]

UNDATED = np.iinfo(np.int64).min
"""The instant of a row whose timestamp is null or cannot be read: it lies in no window."""
FARTHEST = 9e18
"""Microseconds, about 285,000 years: what an int64 can hold, with some room for rounding."""


class TimeFormat(StrEnum):
    """How a timestamp column is written. `AUTO` finds it out from the column's type and size, and says which."""

    AUTO = "auto"
    TIMESTAMP = "timestamp"
    DATE = "date"
    ISO = "iso8601"
    SECONDS = "epoch_seconds"
    MILLISECONDS = "epoch_milliseconds"
    MICROSECONDS = "epoch_microseconds"
    NANOSECONDS = "epoch_nanoseconds"


PER_MICROSECOND = {
    TimeFormat.SECONDS: 1e6,
    TimeFormat.MILLISECONDS: 1e3,
    TimeFormat.MICROSECONDS: 1.0,
    TimeFormat.NANOSECONDS: 1e-3,
}


def find_format(array: pa.Array) -> TimeFormat:
    """How these timestamps are written."""
    kind = array.type
    if pa.types.is_timestamp(kind):
        return TimeFormat.TIMESTAMP
    if pa.types.is_date(kind):
        return TimeFormat.DATE
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        numbers = _within(array.cast(pa.float64(), safe=False), np.finfo(np.float64).max)
        greatest = pc.max(pc.abs(numbers)).as_py()
        digits = len(str(int(greatest))) if greatest is not None else 0
        steps = [(11, TimeFormat.SECONDS), (14, TimeFormat.MILLISECONDS), (17, TimeFormat.MICROSECONDS)]
        return next((name for most, name in steps if digits <= most), TimeFormat.NANOSECONDS)
    return TimeFormat.ISO


def read_instants(array: pa.Array, form: TimeFormat) -> npt.NDArray[np.int64]:
    """int64[n], microseconds since 1970 UTC; `UNDATED` where there is none.

    A column whose type does not fit the declared format (text that was declared as epoch seconds, say) is read as its
    type tells where that is plain, and is undated otherwise.
    """
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if form is TimeFormat.AUTO or pa.types.is_temporal(array.type):
        form = find_format(array)
    if form in PER_MICROSECOND:
        return _epochs(array, PER_MICROSECOND[form])
    return _or_undated(read_micros(array))


def _epochs(array: pa.Array, factor: float) -> npt.NDArray[np.int64]:
    if pa.types.is_integer(array.type):
        whole = _within(array.cast(pa.int64(), safe=False), int(FARTHEST / max(1.0, factor)))
        step = pa.scalar(int(factor) if factor >= 1 else int(1 / factor), pa.int64())
        return _or_undated(pc.multiply(whole, step) if factor >= 1 else pc.divide(whole, step))
    numbers = _within(pc.multiply(read_numbers(array, ValueType.DOUBLE), factor), FARTHEST)
    return _or_undated(pc.round(numbers).cast(pa.int64()))


def _within(numbers: pa.Array, bound: float) -> pa.Array:
    """Null beyond what an instant can be, and at NaN."""
    inside = pc.and_(pc.less_equal(numbers, bound), pc.greater_equal(numbers, -bound))
    return pc.if_else(inside, numbers, pa.scalar(None, numbers.type))


def _or_undated(instants: pa.Array) -> npt.NDArray[np.int64]:
    return pc.fill_null(instants, pa.scalar(int(UNDATED), pa.int64())).to_numpy(zero_copy_only=False)
