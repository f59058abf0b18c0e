"""Times of a table without pandas, which pyarrow imports as soon as it makes a timestamp a Python value."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa

__all__ = ["instant_of", "instants", "time_of"]

EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


def instants(column: pa.ChunkedArray) -> list[int | None]:
    """Microseconds since 1970 UTC; None where there is no time."""
    return column.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_pylist()


def instant_of(time: datetime) -> int:
    """Microseconds since 1970 UTC of an aware time."""
    return (time - EPOCH) // MICROSECOND


def time_of(instant: int) -> datetime:
    """The aware time, in UTC."""
    return EPOCH + instant * MICROSECOND
