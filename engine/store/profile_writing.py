"""Profiles as rows of `profiles`: tens of thousands at once, so their cells are put one after the other in one array.

These rows are state, not results: what has no value in a table (the lowest of no numbers) is NULL there.
"""

from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine.store import formats
from engine.store.profiles import StoredProfile, keys_of
from engine.tables import PROFILES
from engine.version import ENGINE_VERSION
from signals.profile import CategoricalProfile, NumericProfile, Profile

__all__ = ["to_rows"]

AT_ONCE = 10_000
"""Profiles in one Arrow batch: their cells are copied once, so that memory holds a batch more than the profiles."""


def to_rows(stored: Sequence[StoredProfile]) -> pa.Table:
    """One row of `profiles` each, in the same order."""
    parts = [stored[start : start + AT_ONCE] for start in range(0, len(stored), AT_ONCE)]
    return pa.Table.from_batches(map(_batch, parts), PROFILES.schema)


def _batch(stored: Sequence[StoredProfile]) -> pa.RecordBatch:
    profiles = [each.profile for each in stored]
    cells = _identity(stored) | _tally(profiles) | _numbers(profiles) | _written_by(len(stored))
    arrays = [
        each if isinstance(each := cells[field.name], pa.Array) else pa.array(each, field.type)
        for field in PROFILES.schema
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=PROFILES.schema)


def _written_by(size: int) -> dict[str, Any]:
    return {"engine_version": [ENGINE_VERSION] * size, "format_version": [formats.FORMAT_VERSION] * size}


def _identity(stored: Sequence[StoredProfile]) -> dict[str, Any]:
    return {
        "dataset": [each.dataset for each in stored],
        "source": [each.source for each in stored],
        "bins_id": [key.bins_id for key in keys_of(stored)],
        "column": [each.column for each in stored],
        "bucket_start": [each.bucket and each.bucket.start for each in stored],
        "bucket_end": [each.bucket and each.bucket.end for each in stored],
        "segment": [each.segment for each in stored],
        "fingerprint": [each.fingerprint for each in stored],
        "kind": [each.profile.bins.kind for each in stored],
    }


def _tally(profiles: Sequence[Profile]) -> dict[str, Any]:
    distinct = [each.distinct for each in profiles]
    values = [sorted(each.values) if each and each.registers is None else None for each in distinct]
    registers = [each.registers if each else None for each in distinct]
    return {
        "rows": [each.rows for each in profiles],
        "nulls": [each.nulls for each in profiles],
        "nans": [each.nans for each in profiles],
        "unreadable": [each.unreadable for each in profiles],
        "counts": _lists([each.counts for each in profiles], pa.int64()),
        "distinct_values": _listed(values, pa.array(list(chain.from_iterable(filter(None, values))), pa.string())),
        "distinct_registers": [None if each is None else each.tobytes() for each in registers],
    }


def _numbers(profiles: Sequence[Profile]) -> dict[str, Any]:
    summed = [None if isinstance(each, CategoricalProfile) else each for each in profiles]
    numeric = [each if isinstance(each, NumericProfile) else None for each in profiles]
    unseen = [each.unseen if isinstance(each, CategoricalProfile) else None for each in profiles]
    return {
        "sums": _lists([each and each.sums for each in summed], pa.float64()),
        "squares": [each and each.squares for each in summed],
        "low": [each and _finite(each.low) for each in numeric],
        "high": [each and _finite(each.high) for each in numeric],
        "infinite": [each and each.infinite for each in numeric],
        "unseen": _listed(unseen, _named(unseen)),
    }


def _named(unseen: Sequence[Mapping[str, int] | None]) -> pa.StructArray:
    known = [each for each in unseen if each]
    values = pa.array(list(chain.from_iterable(known)), pa.string())
    counts = pa.array(list(chain.from_iterable(each.values() for each in known)), pa.int64())
    return pa.StructArray.from_arrays([values, counts], ["value", "n"])


def _lists(parts: Sequence[npt.NDArray[Any] | None], kind: pa.DataType) -> pa.ListArray:
    known = [each for each in parts if each is not None]
    return _listed(parts, pa.array(np.concatenate(known) if known else [], kind))


def _listed(parts: Sequence[Collection[Any] | None], values: pa.Array) -> pa.ListArray:
    """Lists of these lengths (None: NULL) that the values are cut into."""
    ends = np.cumsum([0, *(0 if each is None else len(each) for each in parts)])
    absent = pa.array([each is None for each in parts], pa.bool_())
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), values, mask=absent)


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
