"""The frozen partition of a column's values: numeric edges or a category vocabulary.

Bins are fitted once, on the baseline, and never refitted on production, so that two windows can always be compared.
"""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from signals.catalogue import Kind
from signals.covariance_sketch import SKETCH_SIZE

__all__ = ["LISTS", "SHORTEST", "Bins", "CategoricalBins", "NumericBins", "ValueType", "VectorBins"]


class ValueType(StrEnum):
    """What the baseline's values are; a production value that cannot be read as one is a data type error."""

    INTEGER = "integer"
    DOUBLE = "double"
    BOOLEAN = "boolean"
    STRING = "string"
    DATE = "date"
    TIMESTAMP = "timestamp"
    VECTOR = "vector"
    """A list of numbers."""
    LIST = "list"
    """A list of strings; as a number it is its length."""


LISTS = frozenset({ValueType.VECTOR, ValueType.LIST})
SHORTEST = 1.0
"""An edge among lists' lengths, so that empty lists are in cells of their own."""


@dataclass(frozen=True)
class NumericBins:
    """Half-open cells ``(-inf, e0), [e0, e1), ..., [e_last, inf)`` of a numerical column, or of lists' lengths.

    A single value v has a cell of its own as ``[v, next representable number)``, and the baseline's range is exactly
    the cells between ``low`` and the number after ``high``, so that being out of bounds is a count of cells.

    Attributes:
        value_type: what the baseline's values are.
        edges: float64[cells - 1], strictly increasing, finite.
        low, high: the baseline's least and greatest finite value; NaN where it has none.
        center: what sums are taken relative to, so that squares of large numbers keep their digits.
    """

    value_type: ValueType
    edges: npt.NDArray[np.float64]
    low: float
    high: float
    center: float = 0.0

    @property
    def kind(self) -> Kind:
        return Kind.LIST if self.value_type in LISTS else Kind.NUMERICAL

    @property
    def cells(self) -> int:
        return len(self.edges) + 1

    @property
    def sums(self) -> int:
        """How many sums a profile has."""
        return self.cells

    @property
    def inside(self) -> slice:
        """The cells of the baseline's range; values in the others are out of bounds."""
        # The first edge above `high` is where the values after it begin, so that counts on both sides are exact.
        low = int(np.searchsorted(self.edges, self.low, side="left"))
        return slice(low + 1, int(np.searchsorted(self.edges, self.high, side="right")) + 1)

    @property
    def id(self) -> str:
        """A name that is equal exactly where the bins are equal."""
        if "_id" not in self.__dict__:  # worked out once: cached_property has a lock, which does not travel to tasks
            numbers = tuple(map(float, (self.low, self.high, self.center)))  # numpy's own floats print differently
            self.__dict__["_id"] = _digest(self.value_type, self.edges.tobytes().hex(), repr(numbers))
        return self.__dict__["_id"]


@dataclass(frozen=True)
class CategoricalBins:
    """One cell per category of the baseline, and a last one, `other`, for every other value.

    Attributes:
        value_type: what the baseline's values are.
        categories: the vocabulary as text, most frequent first, at most `max_categories`.
        complete: whether the vocabulary holds every value of the baseline (else the rarest are in `other`).
    """

    value_type: ValueType
    categories: tuple[str, ...]
    complete: bool = True

    kind = Kind.CATEGORICAL
    sums = 0

    @property
    def cells(self) -> int:
        return len(self.categories) + 1

    @property
    def id(self) -> str:
        """A name that is equal exactly where the bins are equal."""
        if "_id" not in self.__dict__:
            self.__dict__["_id"] = _digest(self.value_type, str(self.complete), *self.categories)
        return self.__dict__["_id"]


@dataclass(frozen=True)
class VectorBins:
    """What vectors of an embedding have in common: all that can be read are in the one cell.

    Attributes:
        dimensions: how long a readable vector is; 0 where the baseline's have no length in common, and none is read.
    """

    dimensions: int

    kind = Kind.EMBEDDING
    value_type = ValueType.VECTOR
    cells = 1

    @property
    def sums(self) -> int:
        """How many sums a profile has: one per dimension, and those of the sketch of their covariance."""
        return self.dimensions + SKETCH_SIZE if self.dimensions else 0

    @property
    def id(self) -> str:
        """A name that is equal exactly where the bins are equal."""
        return _digest(self.value_type, str(self.dimensions))


Bins = NumericBins | CategoricalBins | VectorBins


def _digest(*parts: str) -> str:
    digest = blake2b(digest_size=8)
    for part in parts:
        digest.update(part.encode("utf-8", "surrogatepass") + b"\x00")
    return digest.hexdigest()
