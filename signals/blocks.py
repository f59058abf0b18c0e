"""How arrays of numbers travel in a column of bytes, one array per row."""

from dataclasses import dataclass
from typing import Self, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["Blocks"]

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Blocks:
    """The arrays of a binary column, read many rows at once.

    Attributes:
        data: uint8[bytes], all rows one after the other.
        starts, lengths: int64[rows], in bytes; the length of a null is 0.
    """

    data: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> Self:
        """The arrays of a column of type binary."""
        offsets = [_offsets(chunk) for chunk in column.chunks if len(chunk)]
        chunks = [chunk for chunk in column.chunks if len(chunk)]
        pieces = [_bytes(chunk, here) for chunk, here in zip(chunks, offsets, strict=True)]
        before = np.cumsum([0, *(len(piece) for piece in pieces)])
        starts = [here[:-1] - here[0] + base for here, base in zip(offsets, before[:-1], strict=True)]
        none = np.zeros(0, np.int64)
        return cls(
            pieces[0] if len(pieces) == 1 else np.concatenate([np.zeros(0, np.uint8), *pieces]),
            np.concatenate([none, *starts]),
            np.concatenate([none, *(np.diff(here) for here in offsets)]),
        )

    @staticmethod
    def column(arrays: npt.NDArray[np.generic]) -> pa.Array:
        """The rows of a two-dimensional array as a binary column; at most 2 GB."""
        rows, width = len(arrays), arrays.itemsize * arrays.shape[1]
        offsets = pa.array(np.arange(rows + 1, dtype=np.int64) * width).cast(pa.int32())
        data = pa.py_buffer(np.ascontiguousarray(arrays))
        return pa.Array.from_buffers(pa.binary(), rows, [None, offsets.buffers()[1], data])

    def take(self, rows: npt.NDArray[np.intp], kind: type[Scalar]) -> npt.NDArray[Scalar]:
        """kind[len(rows), width]: the arrays of these rows, which are one or more and of one length.

        Raises:
            ValueError: when their lengths differ: they are states of different bins.
        """
        length = int(self.lengths[rows[0]])
        if (self.lengths[rows] != length).any():
            raise ValueError("arrays of different lengths do not merge")
        words = self.data.view(np.int64)[(self.starts[rows] // 8)[:, None] + np.arange(length // 8)]
        return words.view(kind)


def _offsets(chunk: pa.Array) -> npt.NDArray[np.int64]:
    """int64[rows + 1], where rows begin and end in the chunk's buffer of bytes."""
    offsets = np.frombuffer(chunk.buffers()[1], np.int32)
    return offsets[chunk.offset : chunk.offset + len(chunk) + 1].astype(np.int64)


def _bytes(chunk: pa.Array, offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    buffer = chunk.buffers()[2]
    if buffer is None:
        return np.zeros(0, np.uint8)
    return np.frombuffer(buffer, np.uint8)[offsets[0] : offsets[-1]]
