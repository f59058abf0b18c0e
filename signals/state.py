"""How partial states travel: sparse rows that merge by sum, minimum and maximum, so that any engine can add them.

A state (of a column, of a model's outcomes) is written as rows of `STATE_SCHEMA`; rows with the same (key, column,
part, cell, value) are merged by ``sum(n), sum(total), min(low), max(high)``, and the merged rows are read back as the
state of everything.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["STATE_SCHEMA", "StateRows", "merge_rows"]

STATE_SCHEMA = pa.schema(
    [
        ("key", pa.int32()),  # which bucket (and segment) of the scan
        ("column", pa.int32()),  # which column of the scan
        ("part", pa.int8()),  # which part of the state: its owner numbers them
        ("cell", pa.int32()),  # which element of that part
        ("value", pa.string()),  # a name where cells have no number; null otherwise
        ("n", pa.int64()),
        ("total", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
    ]
)
IDENTITY = ("key", "column", "part", "cell", "value")


@dataclass
class StateRows:
    """Collects rows of `STATE_SCHEMA`, many at a time."""

    _batches: list[pa.RecordBatch] = field(default_factory=list[pa.RecordBatch])

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
        size = len(cell)

        def numbers(data: npt.ArrayLike | None, kind: pa.DataType) -> pa.Array:
            return pa.nulls(size, kind) if data is None else pa.array(np.atleast_1d(np.asarray(data)), kind)

        columns = [
            pa.array(np.full(size, key), pa.int32()),
            pa.array(np.full(size, column), pa.int32()),
            pa.array(np.full(size, part), pa.int8()),
            pa.array(cell),
            pa.nulls(size, pa.string()) if values is None else pa.array(values, pa.string()),
            numbers(n, pa.int64()),
            numbers(total, pa.float64()),
            numbers(low, pa.float64()),
            numbers(high, pa.float64()),
        ]
        if size:
            self._batches.append(pa.RecordBatch.from_arrays(columns, schema=STATE_SCHEMA))

    def table(self) -> pa.Table:
        """All rows added so far."""
        return pa.Table.from_batches(self._batches, STATE_SCHEMA)


def merge_rows(rows: pa.Table) -> pa.Table:
    """What Spark's ``groupBy().agg()`` does to state rows, for callers without Spark."""
    merged = rows.group_by(list(IDENTITY)).aggregate([("n", "sum"), ("total", "sum"), ("low", "min"), ("high", "max")])
    return merged.rename_columns([*IDENTITY, "n", "total", "low", "high"]).select(STATE_SCHEMA.names)
