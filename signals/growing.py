"""Arrays that get longer."""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["longer"]

Number = TypeVar("Number", np.int64, np.float64)


def longer(array: npt.NDArray[Number], size: int, fill: float = 0) -> npt.NDArray[Number]:
    """The array with so many rows or more: twice as many as before where it grows, so that growing is cheap."""
    if size <= len(array):
        return array
    longer = np.zeros((max(size, 2 * len(array)), *array.shape[1:]), array.dtype)
    longer[: len(array)] = array
    if fill:
        longer[len(array) :] = fill
    return longer
