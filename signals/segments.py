"""Which rows is a check about? A segment: conditions on columns that a row satisfies all of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from signals.answers import Answering
from signals.catalogue import near_names
from signals.conditions import Condition, FilterOperator
from signals.pruning import may_satisfy

__all__ = ["AGGREGATE", "EVERYTHING", "Condition", "FilterOperator", "Segment", "masks"]

AGGREGATE = "aggregate"
"""The name of all rows."""


@dataclass(frozen=True, slots=True)
class Segment:
    """The rows that satisfy every condition; without conditions all rows.

    Conditions are kept in canonical order and words, so that segments of one meaning are equal.
    """

    conditions: tuple[Condition, ...] = ()
    name: str = field(init=False, compare=False)
    """What results and the store call it, such as ``age >= 30 and state = "CA"``; ``aggregate`` for all rows."""

    def __post_init__(self) -> None:
        texts = {condition: condition.text for condition in {each.canonical for each in self.conditions}}
        conditions = sorted(texts, key=texts.__getitem__)
        object.__setattr__(self, "conditions", tuple(conditions))
        object.__setattr__(self, "name", " and ".join(dict.fromkeys(texts[each] for each in conditions)) or AGGREGATE)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it asks of, each once."""
        return tuple(dict.fromkeys(condition.column for condition in self.conditions))

    def mask(self, arrays: Mapping[str, pa.Array], size: int) -> npt.NDArray[np.bool_]:
        """bool[size]: which rows of a batch are in it; a column that the batch lacks is all null."""
        return masks([self], arrays, size)[0]

    def problems(self, types: Mapping[str, pa.DataType]) -> list[str]:
        """Why a dataset with these columns cannot answer, all of it; empty where it can."""
        found: list[str] = []
        for condition in self.conditions:
            kind = types.get(condition.column)
            found += [_missing(condition.column, types)] if kind is None else condition.problems(kind)
        return list(dict.fromkeys(found))

    def may_hold(self, ranges: Mapping[str, tuple[object, object]]) -> bool:
        """Whether rows with values in these ranges may be in it; False only where certainly none is.

        Args:
            ranges: by column the least and the greatest value as Python objects, from a row group's statistics or a
                partition's constant; nulls, NaNs, and long texts' ends may be missing from them. A column without a
                range, or with None for a bound, may hold anything.
        """
        return all(may_satisfy(condition, *ranges.get(condition.column, (None, None))) for condition in self.conditions)


EVERYTHING = Segment()
"""All rows."""


def masks(segments: Sequence[Segment], arrays: Mapping[str, pa.Array], size: int) -> npt.NDArray[np.bool_]:
    """bool[segments, size]: which rows of a batch are in which segment.

    What segments share is done once: a column is read once, a condition is answered once.
    """
    answering = Answering(arrays, size)
    found = np.ones((len(segments), size), np.bool_)
    for place, segment in enumerate(segments):
        for condition in segment.conditions:
            found[place] &= answering.answer(condition)
    return found


def _missing(column: str, types: Mapping[str, pa.DataType]) -> str:
    near = near_names(column, list(types), 3)
    hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else f"; it has {', '.join(types)}"
    return f"no column {column!r}{hint}"
