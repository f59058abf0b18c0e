"""How partial states travel: rows that merge by sum, minimum and maximum, so that any engine can add them.

A state (of a column, of a model's outcomes) is written as rows of `STATE_SCHEMA`. Rows with the same (key, column,
part, cell, value) are merged by ``sum(n), sum(total), min(low), max(high)``; arrays of numbers, where rows have them,
by the sum of each element of counts and sums, and the greatest of each element of ranks. The merged rows are read back
as the state of everything.

Sums of floating-point numbers depend on their order, so rows with arrays are added in the order of their origin: the
merged state does not depend on which task found what.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from signals.blocks import Blocks

__all__ = ["STATE_SCHEMA", "StateRows", "merge_rows"]

STATE_SCHEMA = pa.schema(
    [
        ("key", pa.int32()),  # which bucket and segment of the scan
        ("column", pa.int32()),  # which column of the scan
        ("part", pa.int8()),  # which part of the state: its owner numbers them
        ("origin", pa.int32()),  # which piece of the dataset was counted: what ranks before is added before
        ("cell", pa.int32()),  # which element of that part
        ("value", pa.string()),  # a name where cells have no number; null otherwise
        ("n", pa.int64()),
        ("total", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("counts", pa.binary()),  # int64[any], added; as long in every row of a (column, part), like the next two
        ("sums", pa.binary()),  # float64[any], added
        ("ranks", pa.binary()),  # uint8[a multiple of 8], the greatest is kept
    ]
)
IDENTITY = ("key", "column", "part", "cell", "value")
KINDS = {"counts": np.int64, "sums": np.float64, "ranks": np.uint8}
REDUCE = {"counts": np.add, "sums": np.add, "ranks": np.maximum, "total": np.add, "low": np.minimum, "high": np.maximum}


@dataclass
class StateRows:
    """Collects rows of `STATE_SCHEMA`, many at a time."""

    _batches: list[pa.RecordBatch] = field(default_factory=list[pa.RecordBatch])
    size: int = 0
    """How many rows there are."""

    def add(
        self,
        key: npt.ArrayLike,
        column: int,
        part: int,
        *,
        cells: npt.ArrayLike = (0,),
        values: Iterable[str] | None = None,
        n: npt.ArrayLike | None = None,
        total: npt.ArrayLike | None = None,
        low: npt.ArrayLike | None = None,
        high: npt.ArrayLike | None = None,
    ) -> None:
        """Add one row per cell; key, n, total, low and high are one number, or as many as there are cells."""
        cell = np.atleast_1d(np.asarray(cells, np.int32))
        value = None if values is None else pa.array(values, pa.string())
        numbers = {"cell": cell, "n": n, "total": total, "low": low, "high": high}
        self._add(len(cell), key=key, column=column, part=part, value=value, **numbers)

    def add_arrays(
        self, keys: npt.NDArray[np.intp], column: int, part: int, origin: int, arrays: Mapping[str, npt.NDArray[Any]]
    ) -> None:
        """Add one row per key: of counts, sums and ranks a row of any width, of total, low and high a number."""
        columns = {name: Blocks.column(each) if name in KINDS else each for name, each in arrays.items()}
        self._add(len(keys), key=keys, column=column, part=part, origin=origin, **columns)

    def _add(self, size: int, **given: npt.ArrayLike | pa.Array | None) -> None:
        if not size:
            return
        columns = [_column(given.get(each.name), size, each) for each in STATE_SCHEMA]
        self._batches.append(pa.RecordBatch.from_arrays(columns, schema=STATE_SCHEMA))
        self.size += size

    def table(self) -> pa.Table:
        """All rows added so far."""
        return pa.Table.from_batches(self._batches, STATE_SCHEMA)


def merge_rows(rows: pa.Table) -> pa.Table:
    """All rows of some (key, column) as one row per part, cell and value."""
    if rows.schema != STATE_SCHEMA:  # Spark may hand over types for larger data
        rows = rows.cast(STATE_SCHEMA)
    with_arrays = pc.or_(pc.is_valid(rows["counts"]), pc.is_valid(rows["ranks"])).to_numpy()
    if not with_arrays.any():
        return _merged_cells(rows)
    merged = StateRows()
    _merge_arrays(rows, np.flatnonzero(with_arrays), merged)
    return pa.concat_tables([_merged_cells(rows.filter(pa.array(~with_arrays))), merged.table()])


def _merged_cells(rows: pa.Table) -> pa.Table:
    by_cell = rows.group_by(list(IDENTITY), use_threads=False)  # threads would add in any order
    merged = by_cell.aggregate([("n", "sum"), ("total", "sum"), ("low", "min"), ("high", "max")])
    named = dict(zip([*IDENTITY, "n", "total", "low", "high"], merged.columns, strict=True))
    size = len(merged)
    named["origin"] = pa.array(np.zeros(size, np.int32))
    return pa.table([named.get(each.name, pa.nulls(size, each.type)) for each in STATE_SCHEMA], schema=STATE_SCHEMA)


def _merge_arrays(rows: pa.Table, places: npt.NDArray[np.intp], merged: StateRows) -> None:
    """Merge the rows at these places, all of which have arrays."""
    key, column, part, origin = (rows[name].to_numpy()[places] for name in ("key", "column", "part", "origin"))
    order = np.lexsort((origin, key, part, column))
    arrays = {name: Blocks.of(rows[name]) for name in KINDS}
    numbers = {name: rows[name].to_numpy() for name in ("total", "low", "high")}
    known = {name: pc.is_valid(rows[name]).to_numpy() for name in numbers}
    of_column = np.flatnonzero(np.diff(column[order], prepend=-2) | np.diff(part[order], prepend=-1))
    for start, end in pairwise([*of_column.tolist(), len(order)]):
        mine = places[order[start:end]]
        keys = key[order[start:end]]
        starts = np.flatnonzero(np.diff(keys, prepend=-1))
        found = {name: each.take(mine, KINDS[name]) for name, each in arrays.items() if each.lengths[mine[0]]}
        found |= {name: each[mine] for name, each in numbers.items() if known[name][mine[0]]}
        with np.errstate(over="ignore", invalid="ignore"):  # sums of huge numbers overflow; metrics say so
            merged.add_arrays(
                keys[starts],
                int(column[order[start]]),
                int(part[order[start]]),
                0,
                {name: REDUCE[name].reduceat(each, starts, axis=0) for name, each in found.items()},
            )


def _column(given: npt.ArrayLike | pa.Array | None, size: int, field: pa.Field) -> pa.Array:
    if isinstance(given, pa.Array):
        return given
    if given is None:
        return pa.array(np.zeros(size, np.int32)) if field.name == "origin" else pa.nulls(size, field.type)
    return pa.array(np.broadcast_to(np.asarray(given), size), field.type)
