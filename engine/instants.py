"""Times as whole microseconds since 1970 UTC, and back, exactly."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["instant_of", "instants_in", "instants_of", "time_of"]

EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


def instant_of(time: datetime) -> int:
    """The instant of an aware time."""
    return (time - EPOCH) // MICROSECOND


def time_of(instant: int) -> datetime:
    """The aware time, in UTC."""
    return EPOCH + instant * MICROSECOND


def instants_of(times: Sequence[datetime]) -> npt.NDArray[np.int64]:
    """int64[n], the instants of aware times."""
    return np.array([instant_of(time) for time in times], np.int64)


def instants_in(column: pa.ChunkedArray) -> list[int | None]:
    """A table's timestamps; None where there is none.

    Without pandas, which pyarrow imports, for a third of a second, as soon as it makes a timestamp a Python value.
    """
    return column.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_pylist()
