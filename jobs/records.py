"""A table's rows as Python values, without waiting for pandas.

`pyarrow` imports pandas, for a third of a second, as soon as it is asked for a timestamp as a Python value.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

__all__ = ["records"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def records(table: pa.Table) -> list[dict[str, Any]]:
    """One dictionary per row; times are aware, in UTC."""
    columns = [_values(column) for column in table.columns]
    return [dict(zip(table.column_names, row, strict=True)) for row in zip(*columns, strict=True)]


def _values(column: pa.ChunkedArray) -> list[Any]:
    if not pa.types.is_timestamp(column.type):
        return column.to_pylist()
    instants = column.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_pylist()
    return [None if at is None else EPOCH + timedelta(microseconds=at) for at in instants]
