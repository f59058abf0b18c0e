"""What becomes of a dataset's columns on their way to the kernel: some go, some get another type."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import pyarrow as pa

from engine.batches import Batch, Batches, Work
from engine.mltable import Drop, Keep, Step
from signals.conversions import Conversion, parted

__all__ = ["converting", "shaped"]


def shaped(columns: Mapping[str, pa.DataType], steps: Sequence[Step]) -> dict[str, pa.DataType]:
    """The columns and their types after these steps. A column that is not there is left out without a word.

    Whoever needs it says so; a column that comes and goes is no reason not to look at the others.
    """
    found = {**columns}
    for step in steps:
        if isinstance(step, Keep):
            found = {name: kind for name, kind in found.items() if name in step.columns}
        elif isinstance(step, Drop):
            found = {name: kind for name, kind in found.items() if name not in step.columns}
        else:
            found |= {name: step.type for name in step.columns if name in found}
    return found


def converting(work: Work, conversions: Sequence[Conversion]) -> Work:
    """The same work, on converted columns."""
    return _converted(work, conversions) if conversions else work


def _converted(work: Work, conversions: Sequence[Conversion]) -> Callable[[Batches, int], Iterator[pa.RecordBatch]]:
    def task(batches: Batches, number: int) -> Iterator[pa.RecordBatch]:
        return work(_each(batches), number)

    def _each(batches: Batches) -> Batches:
        for batch in batches:
            for arrays, rows in parted(batch.arrays, conversions):
                yield Batch(arrays, batch.size if rows is None else len(rows), batch.origin)

    return task
