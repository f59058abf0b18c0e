"""Numbers that look random and are always the same: of texts, of bits, and of the rows of a batch."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["digests", "mixed", "row_hashes"]

Words = npt.NDArray[np.uint64]

NOTHING = np.uint64(0x9E37_79B9_7F4A_7C15)
"""What a null counts as."""


def digests(values: Iterable[str]) -> Words:
    """uint64[n], one of each text."""
    found = b"".join(blake2b(value.encode("utf-8", "surrogatepass"), digest_size=8).digest() for value in values)
    return np.frombuffer(found, "<u8")


def mixed(bits: Words) -> Words:
    """The words with every bit depending on every other, by the finalizer of splitmix64."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
    return bits ^ (bits >> np.uint64(31))


def row_hashes(columns: Sequence[pa.Array], place: int = 0) -> Words:
    """uint64[n], one of each row of these columns (double, int64 or dictionary of texts).

    A row has the same hash wherever it is read. A row that a batch has a second time has another one there, which also
    depends on `place`, the batch's own number: so that of many equal rows each has its own chance to be drawn.
    """
    size = len(columns[0]) if columns else 0
    found = np.zeros(size, np.uint64)
    for column in columns:
        found = mixed(found * np.uint64(0x2545_F491_4F6C_DD1D) + _words(column))
    copy = _copies(found)
    apart = mixed(copy.astype(np.uint64) * NOTHING + np.uint64(place))
    return np.where(copy > 0, mixed(found ^ apart), found)


def _words(column: pa.Array) -> Words:
    if pa.types.is_dictionary(column.type):
        known = np.append(digests(column.dictionary.to_pylist()), NOTHING)
        codes = pc.fill_null(column.indices.cast(pa.int64()), len(known) - 1)
        return known[codes.to_numpy(zero_copy_only=False)]
    nothing = column.is_null(nan_is_null=True).to_numpy(zero_copy_only=False)
    values = pc.fill_null(column, 0).to_numpy(zero_copy_only=False)
    bits = np.ascontiguousarray(values + values.dtype.type(0)).view(np.uint64)  # -0.0 is 0.0
    return np.where(nothing, NOTHING, bits)


def _copies(hashes: Words) -> npt.NDArray[np.intp]:
    """intp[n]: how many equal ones come before each."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])) if len(ordered) else np.zeros(0, np.intp)
    sizes = np.diff(np.append(starts, len(ordered)))
    found = np.empty(len(hashes), np.intp)
    found[order] = np.arange(len(ordered)) - np.repeat(starts, sizes)
    return found
