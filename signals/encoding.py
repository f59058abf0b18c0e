"""Columns of any kind as the numbers that trees are grown on.

A number becomes its rank among the sample's, because trees ask for nothing else: so heavy tails, infinities and large
integers do no harm, and nulls, below all others, can be told apart. A category becomes a code, the most frequent first.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from signals.measurement import Undefined

__all__ = ["MOST_CATEGORIES", "Encoded", "Target", "encode", "read_target"]

MOST_CATEGORIES = 32
"""A feature's most frequent categories, with one for the others and one for nulls; of a target as many classes."""
FEW_NUMBERS = 20
"""A target of at most so many whole numbers is one of classes, where nobody says what it is."""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Encoded:
    """Features as a matrix.

    Attributes:
        names: the columns' names.
        x: float64[rows, columns].
        arities: of each categorical column, by its place, how many categories it has.
    """

    names: tuple[str, ...]
    x: Floats
    arities: Mapping[int, int]


@dataclass(frozen=True)
class Target:
    """What the features are to explain.

    Attributes:
        y: float64[rows], a number or a class's code; of rows without one anything.
        known: bool[rows], which rows have one.
        classes: how many classes there are; None for numbers.
    """

    y: Floats
    known: npt.NDArray[np.bool_]
    classes: int | None


def encode(columns: Mapping[str, pa.Array]) -> Encoded:
    """Columns of doubles, or of dictionaries of texts, as a matrix."""
    arities: dict[int, int] = {}
    found: list[Floats] = []
    for place, column in enumerate(columns.values()):
        if pa.types.is_dictionary(column.type):
            codes, count = _codes(column, min(MOST_CATEGORIES, max(2, len(column) // 4)))
            if count > 1:  # one category is no split to a tree, and Spark refuses it
                arities[place] = count
            found.append(codes)
        else:
            found.append(_ranks(column))
    size = len(next(iter(columns.values()))) if columns else 0
    return Encoded(tuple(columns), np.stack(found, axis=1) if found else np.zeros((size, 0)), arities)


def read_target(column: pa.Array, ml_task: str | None = None) -> Target | Undefined:
    """The target of a column of doubles or of a dictionary of texts.

    Classes are texts, what `ml_task` says to be classified and is whole, and what has few whole numbers where it says
    nothing.
    """
    known = ~column.is_null(nan_is_null=True).to_numpy(zero_copy_only=False)
    if not pa.types.is_dictionary(column.type):
        values = np.asarray(pc.fill_null(column, np.nan).to_numpy(zero_copy_only=False), np.float64)
        known &= np.isfinite(values)
        distinct = np.unique(values[known])
        whole = bool((distinct == np.floor(distinct)).all())
        few = ml_task == "classification" or (ml_task is None and len(distinct) <= FEW_NUMBERS)
        if not (whole and few):
            return _spread(Target(_scaled(values, known), known, None), len(distinct))
        column = pa.array(values, mask=~known).cast(pa.string()).dictionary_encode()
    codes, _ = _codes(column, MOST_CATEGORIES)
    classes = int(codes[known].max(initial=-1)) + 1
    return _spread(Target(codes, known, classes), classes)


def _spread(target: Target, distinct: int) -> Target | Undefined:
    if not target.known.any():
        return Undefined("it has no value in any row")
    return Undefined("it has the same value in all rows") if distinct < 2 else target


def _scaled(values: Floats, known: npt.NDArray[np.bool_]) -> Floats:
    """The values around their mean, in units of their largest distance from it: so that no square overflows."""
    inside = values[known]
    if not len(inside):
        return values
    half = inside / 2
    distance = half - half.mean()
    unit = np.abs(distance).max(initial=0.0) or 1.0
    found = np.zeros(len(values))
    found[known] = distance / unit
    return found


def _ranks(column: pa.Array) -> Floats:
    """float64[rows]: 0 for the least number, 1 for the next; -1 for nulls."""
    values = np.asarray(pc.fill_null(column, np.nan).to_numpy(zero_copy_only=False), np.float64)
    known = ~np.isnan(values)
    found = np.full(len(values), -1.0)
    found[known] = np.unique(values[known], return_inverse=True)[1]
    return found


def _codes(column: pa.DictionaryArray, most: int) -> tuple[Floats, int]:
    """float64[rows], 0 for the most frequent text; then the others together, then nulls; and how many there are."""
    texts = column.dictionary.to_pylist()
    indices = pc.fill_null(column.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
    sizes = np.bincount(indices[indices >= 0], minlength=len(texts))
    order = sorted(range(len(texts)), key=lambda place: (-sizes[place], texts[place]))
    used = [place for place in order if sizes[place]]
    kept = used[: most - 1] if len(used) > most else used
    count = len(kept) + (len(used) > len(kept))
    code = np.full(len(texts) + 1, len(kept), np.float64)
    code[kept] = np.arange(len(kept))
    code[-1] = count
    return code[indices], count + bool((indices < 0).any())
