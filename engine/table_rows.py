"""A table's rows as Python values, without waiting for pandas; see `engine.instants`."""

from typing import Any

import pyarrow as pa

from engine.instants import instants_in, time_of

__all__ = ["records"]


def records(table: pa.Table) -> list[dict[str, Any]]:
    """One dictionary per row; times are aware, in UTC."""
    columns = [_values(column) for column in table.columns]
    return [dict(zip(table.column_names, row, strict=True)) for row in zip(*columns, strict=True)]


def _values(column: pa.ChunkedArray) -> list[Any]:
    if not pa.types.is_timestamp(column.type):
        return column.to_pylist()
    return [None if instant is None else time_of(instant) for instant in instants_in(column)]
