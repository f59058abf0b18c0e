"""Lists of numbers as vectors of one length, whatever the lists' Arrow type."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from signals.bins import ValueType
from signals.values import list_type_of

__all__ = ["read_vectors"]


def read_vectors(array: pa.Array, dimensions: int) -> tuple[npt.NDArray[np.number], npt.NDArray[np.bool_]]:
    """The vectors that can be read, and which rows they are of.

    A list of another length, or with an element that is null, NaN or infinite, cannot be read as a vector.

    Args:
        array: any column.
        dimensions: how long vectors are; 0: none is readable.

    Returns:
        A number[vectors, dimensions] and bool[rows].
    """
    if not dimensions or list_type_of(array.type) is not ValueType.VECTOR:
        return np.zeros((0, dimensions)), np.zeros(len(array), np.bool_)
    fits = pc.fill_null(pc.equal(pc.list_value_length(array), dimensions), fill_value=False)
    readable = fits.to_numpy(zero_copy_only=False)
    elements = (array if readable.all() else array.filter(fits)).flatten()
    if pa.types.is_decimal(elements.type) or elements.null_count:
        elements = pc.fill_null(elements.cast(pa.float64(), safe=False), np.nan)
    vectors = elements.to_numpy(zero_copy_only=False).reshape(-1, dimensions)
    finite = np.isfinite(vectors).all(axis=1)
    if finite.all():
        return vectors, readable
    readable = readable.copy()
    readable[np.flatnonzero(readable)[~finite]] = False
    return vectors[finite], readable
