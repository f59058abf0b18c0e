"""How do the dimensions of vectors vary together? 514 numbers that add up over rows, however many dimensions there are.

A covariance matrix of 768 dimensions has 295,296 numbers; chance needs no more of it than its trace, the sum of its
squares, and its variance along a given direction. A tensor sketch keeps the latter two: each row's matrix x xᵀ is
hashed into 512 signed buckets, as the product of the Fourier transforms of two hashes of x. Inner products of matrices
are inner products of their sketches, give or take √(6/512) of their sizes: Pham & Pagh, Fast and Scalable Polynomial
Kernels via Explicit Feature Maps, 2013. Identical rows, correlated dimensions and the order of rows do it no harm.

The hashes are fixed for ever, so that what was kept years ago can be added to.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["SKETCH_SIZE", "SecondMoments", "Sketcher"]

BUCKETS = 512
FREQUENCIES = BUCKETS // 2 + 1
SKETCH_SIZE = 2 * FREQUENCIES
"""How many numbers a sketch has: real parts, then imaginary ones."""
ROWS_AT_ONCE = 64
"""What is made of so many rows stays in the processor's cache."""

Floats = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]
# A real transform has each frequency but the first and the last twice.
WEIGHTS = np.concatenate(([1.0], np.full(FREQUENCIES - 2, 2.0), [1.0])) / BUCKETS


class _Hash(NamedTuple):
    """How a block of at most 512 dimensions is hashed, twice; at first a dimension's bucket is its place in its block.

    Attributes:
        start: the first dimension.
        signs, other_signs: float64[dimensions], -1 or 1.
        places: intp[dimensions], the buckets of the second hash, no two the same.
    """

    start: int
    signs: Floats
    other_signs: Floats
    places: npt.NDArray[np.intp]


class Sketcher:
    """Sketches the matrices of vectors of so many dimensions."""

    def __init__(self, dimensions: int) -> None:
        self._hashes = [_hash(start, min(BUCKETS, dimensions - start)) for start in range(0, dimensions, BUCKETS)]

    def products(self, vectors: Floats) -> Floats:
        """float64[SKETCH_SIZE], the sketch of Σ x xᵀ over the rows of float64[n, dimensions]; each row's is its own."""
        total = np.zeros(FREQUENCIES, np.complex128)
        for start in range(0, len(vectors), ROWS_AT_ONCE):
            one, other = self._transformed(vectors[start : start + ROWS_AT_ONCE])
            total += (one * other).sum(axis=0)
        return np.concatenate((total.real, total.imag))

    def _transformed(self, vectors: Floats) -> tuple[Complex, Complex]:
        """complex128[n, FREQUENCIES] twice: the transforms of two hashes of each row."""
        one, other = np.zeros((2, len(vectors), BUCKETS))
        for start, signs, other_signs, places in self._hashes:
            block = vectors[:, start : start + BUCKETS]
            one[:, : block.shape[1]] += block * signs
            other[:, places] += block * other_signs
        return np.fft.rfft(one, axis=1), np.fft.rfft(other, axis=1)


class SecondMoments:
    """A symmetric matrix, as far as its sketch tells."""

    def __init__(self, sketch: Floats) -> None:
        self._frequencies: Complex = sketch[:FREQUENCIES] + 1j * sketch[FREQUENCIES:]

    def inner(self, other: "SecondMoments") -> float:
        """Σ Aᵢⱼ Bᵢⱼ."""
        return float(WEIGHTS @ (self._frequencies * other._frequencies.conj()).real)


def _hash(start: int, width: int) -> _Hash:
    numbers = 3 * np.arange(start, start + BUCKETS, dtype=np.uint64)
    signs, other_signs = (1.0 - 2.0 * (_mixed(numbers + which) >> 63).astype(np.float64)[:width] for which in (0, 1))
    return _Hash(start, signs, other_signs, np.argsort(_mixed(numbers + 2), kind="stable")[:width])


def _mixed(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The finalizer of SplitMix64 (Steele, Lea & Flood, 2014): 64 bits that look random."""
    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
