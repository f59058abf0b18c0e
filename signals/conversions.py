"""A column's values in another type, as a table's definition wants them; null where a value has no such form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from signals.bins import ValueType
from signals.values import is_nested, read_micros, read_numbers, read_texts

__all__ = ["Conversion", "convert", "converted", "parted"]

WHOLE = r"^\s*[+-]?[0-9]{1,18}\s*$"
LARGEST = 2.0**63
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TYPES: Mapping[ValueType, pa.DataType] = {
    ValueType.INTEGER: pa.int64(),
    ValueType.DOUBLE: pa.float64(),
    ValueType.STRING: pa.string(),
    ValueType.BOOLEAN: pa.bool_(),
    ValueType.TIMESTAMP: pa.timestamp("us", "UTC"),
}


@dataclass(frozen=True)
class Conversion:
    """How the values of some columns are read.

    Attributes:
        columns: their names; one that is not there is no error.
        to: what they become.
        formats: of times, as `datetime.strptime` takes them; the first that fits counts. None given: ISO 8601.
        true, false: which texts are true and which false; none given: true, false, 1 and 0 in any case.
        otherwise: what any other text is as a boolean; None: it has no such form.
    """

    columns: tuple[str, ...]
    to: ValueType
    formats: tuple[str, ...] = ()
    true: tuple[str, ...] = ()
    false: tuple[str, ...] = ()
    otherwise: bool | None = None

    @property
    def type(self) -> pa.DataType:
        """The Arrow type that they have then."""
        return TYPES[self.to]


def convert(array: pa.Array, conversion: Conversion) -> pa.Array:
    """The values in the conversion's type; null where they are null or have no such form."""
    if is_nested(array.type):
        return pa.nulls(len(array), conversion.type)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if conversion.to is ValueType.INTEGER:
        return _integers(array)
    if conversion.to is ValueType.DOUBLE:
        return read_numbers(array, ValueType.DOUBLE)
    if conversion.to is ValueType.BOOLEAN:
        return _booleans(array, conversion)
    if conversion.to is ValueType.TIMESTAMP:
        return _times(array, conversion.formats)
    return _texts(array)


def converted(
    arrays: Mapping[str, pa.Array], conversions: Sequence[Conversion]
) -> tuple[dict[str, pa.Array], dict[str, npt.NDArray[np.bool_]]]:
    """The columns after all conversions; and of those that hold some, bool[n]: the values that have no such form.

    These are null in the first answer.
    """
    found, failed = {**arrays}, dict[str, npt.NDArray[np.bool_]]()
    for conversion in conversions:
        for name in conversion.columns:
            if name not in found:
                continue
            before = found[name]
            after = found[name] = convert(before, conversion)
            if after.null_count > before.null_count:
                lost = pc.and_(pc.is_valid(before), pc.is_null(after)).to_numpy(zero_copy_only=False)
                failed[name] = failed[name] | lost if name in failed else lost
    return found, failed


def parted(
    arrays: Mapping[str, pa.Array], conversions: Sequence[Conversion]
) -> list[tuple[dict[str, pa.Array], npt.NDArray[np.intp] | None]]:
    """The same rows in parts, in each of which a column is either converted, or as it was where no value could be.

    So a value that has no such form keeps its own, for whoever counts it to call it an error: in a column of one type
    it would be null, and be taken for one. A value's form does not depend on its neighbours.

    Returns:
        The columns of each part, and which rows it has; None for all of them.
    """
    found, failed = converted(arrays, conversions)
    if not failed:
        return [(found, None)]
    patterns, part = np.unique(np.stack([*failed.values()], axis=1), axis=0, return_inverse=True)
    parts: list[tuple[dict[str, pa.Array], npt.NDArray[np.intp] | None]] = []
    for number, pattern in enumerate(patterns):
        rows = np.flatnonzero(part.reshape(-1) == number)
        kept = {name for name, failing in zip(failed, pattern, strict=True) if failing}
        parts.append(({name: (arrays if name in kept else found)[name].take(pa.array(rows)) for name in arrays}, rows))
    return parts


# ------------------------------------------------------------------------------------------------------ by type


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _integers(array: pa.Array) -> pa.Array:
    if pa.types.is_integer(array.type) or pa.types.is_boolean(array.type):
        return array.cast(pa.int64(), safe=False)
    numbers = read_numbers(array, ValueType.INTEGER)
    inside = pc.and_(pc.less(numbers, LARGEST), pc.greater_equal(numbers, -LARGEST))  # NaN is not
    rounded = pc.if_else(inside, numbers, pa.scalar(None, pa.float64())).cast(pa.int64(), safe=False)
    if not _is_text(array.type):
        return rounded
    # As text a whole number is exact; as a double only up to 2**53.
    exact = pc.if_else(pc.match_substring_regex(array, WHOLE), pc.utf8_trim_whitespace(array), None)
    return pc.coalesce(pc.replace_substring_regex(exact, r"^\+", "").cast(pa.int64()), rounded)


def _texts(array: pa.Array) -> pa.Array:
    return read_texts(array, ValueType.STRING).cast(pa.string())


def _booleans(array: pa.Array, conversion: Conversion) -> pa.Array:
    if not (conversion.true or conversion.false):
        read = pc.equal(read_texts(array, ValueType.BOOLEAN).cast(pa.string()), "true")
    else:
        texts = _texts(array)
        true, false = (pc.is_in(texts, pa.array(given, pa.string())) for given in (conversion.true, conversion.false))
        read = pc.if_else(pc.or_(true, false), true, pa.scalar(None, pa.bool_()))
    if conversion.otherwise is None:
        return read
    return pc.if_else(pc.is_valid(array), pc.fill_null(read, conversion.otherwise), pa.scalar(None, pa.bool_()))


def _times(array: pa.Array, formats: Sequence[str]) -> pa.Array:
    kind = array.type
    if not formats or pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return read_micros(array).cast(TYPES[ValueType.TIMESTAMP])
    encoded = _texts(array).dictionary_encode()
    read = [None if text is None else _time(text.strip(), formats) for text in encoded.dictionary.to_pylist()]
    return pa.array(read, TYPES[ValueType.TIMESTAMP]).take(encoded.indices)


def _time(text: str, formats: Sequence[str]) -> datetime | None:
    """The moment, in UTC where the text names no zone."""
    for form in formats:
        try:
            moment = datetime.strptime(text, form)  # noqa: DTZ007 - the next line
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None
