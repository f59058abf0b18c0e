"""A dataset's rows as a plain DataFrame, for what wants to look at rows themselves: a user's component, a model fit."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame

from engine.batches import Batch, Batches, Dataset
from engine.instants import instants_of
from engine.monitor import Columns
from engine.plain import read_plain
from engine.windows import Window
from signals.segments import EVERYTHING, Segment
from signals.timestamps import UNDATED, read_instants
from signals.values import value_type_of

__all__ = ["frame_of"]

INSTANT = pa.timestamp("us", "UTC")


def frame_of(
    dataset: Dataset,
    roles: Columns,
    window: Window | None = None,
    names: Sequence[str] | None = None,
    segment: Segment = EVERYTHING,
) -> DataFrame:
    """The rows of a window and a segment; lazily, it is read when the frame is.

    Args:
        dataset: whose rows.
        roles: its timestamp, where there is a window; a row without a readable one is in none.
        window: which rows; None: all of them.
        names: which columns, each once; None: all of them, but for the one in which we keep of which call of a
            preprocessing component a row is.
        segment: which rows of the window.

    Returns:
        The columns as Spark has them: integers, doubles, texts, booleans, decimals, dates, timestamps (UTC), lists and
        structs. A value that a file has in another type than the dataset's is read as that, or null.
    """
    ours = dataset.envelope if dataset.by_window else ()
    wanted = tuple((name for name in dataset.columns if name not in ours) if names is None else names)
    schema = pa.schema([(name, _in_spark(dataset.columns[name])) for name in wanted])
    timestamp, form = roles.timestamp if window else None, roles.timestamp_format
    low, high = instants_of([window.start, window.end]) if window else (0, 0)

    def kept(batch: Batch) -> np.ndarray:
        inside = segment.mask(batch.arrays, batch.size)
        if timestamp is None:
            return inside
        array = batch.arrays.get(timestamp)
        if array is None:
            return np.zeros(batch.size, np.bool_)
        instants = read_instants(array, form)
        return inside & (instants != UNDATED) & (instants >= low) & (instants < high)

    def work(batches: Batches, task: int) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            mask = kept(batch)
            if mask.any():
                arrays = [_read(batch.arrays.get(field.name), field.type, batch.size) for field in schema]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema).filter(pa.array(mask))

    held = dataset.within(roles, [window], [segment]) if window else dataset
    return held.map(work, tuple(dict.fromkeys((*wanted, *filter(None, [timestamp]), *segment.columns))), schema)


def _read(array: pa.Array | None, target: pa.DataType, size: int) -> pa.Array:
    if array is None:
        return pa.nulls(size, target)
    if array.type == target:
        return array
    if value_type_of(array.type) is not None and value_type_of(target) is not None and not pa.types.is_decimal(target):
        return read_plain(array, target, size)
    try:
        return array.cast(target, safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # a file that has something else than the others
        return pa.nulls(size, target)


def _in_spark(kind: pa.DataType) -> pa.DataType:
    """The nearest type that Spark has."""
    if pa.types.is_dictionary(kind):
        return _in_spark(kind.value_type)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return pa.list_(_in_spark(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, _in_spark(field.type)) for field in kind.fields])
    if pa.types.is_map(kind):
        return pa.map_(_in_spark(kind.key_type), _in_spark(kind.item_type))
    if pa.types.is_timestamp(kind):
        return INSTANT
    found = [known for test, known in NEAREST if test(kind)]
    return found[0] if found else kind


NEAREST = [
    (pa.types.is_large_string, pa.string()),
    (pa.types.is_null, pa.string()),
    (pa.types.is_time, pa.string()),
    (pa.types.is_large_binary, pa.binary()),
    (pa.types.is_fixed_size_binary, pa.binary()),
    (pa.types.is_date, pa.date32()),
    (pa.types.is_duration, pa.duration("us")),
    (pa.types.is_float16, pa.float32()),
    (pa.types.is_uint8, pa.int16()),
    (pa.types.is_uint16, pa.int32()),
    (pa.types.is_uint32, pa.int64()),
    (pa.types.is_uint64, pa.decimal128(20, 0)),
    (pa.types.is_decimal256, pa.float64()),
]
