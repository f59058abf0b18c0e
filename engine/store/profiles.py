"""A profile with what it is the profile of, as a row of `profiles` and back.

There are tens of thousands of them in a year, each with a list of cells, so rows are made and read by column: lists
are slices of one long array. These rows are state, not results: what has no value in a table (the lowest of no
numbers) is NULL there and comes back as what it was.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine.errors import StoreError
from engine.results import AGGREGATE
from engine.store import formats
from engine.tables import PROFILES
from engine.version import ENGINE_VERSION
from engine.windows import Window
from signals.bins import Bins, NumericBins
from signals.distinct import Distinct
from signals.profile import CategoricalProfile, NumericProfile, Profile

__all__ = ["ProfileKey", "StoredProfile", "from_rows", "keys_of", "to_rows"]

AT_ONCE = 10_000
"""Profiles in one Arrow batch: their cells are copied once, so that memory holds a batch more than the profiles."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ProfileKey(NamedTuple):
    """What tells the profiles of one dataset apart."""

    column: str
    bins_id: str
    bucket: Window | None
    segment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredProfile:
    """A profile with what it is the profile of.

    Attributes:
        dataset: the dataset's key.
        source: the dataset's title, for people.
        column: the column's name; empty for what is known of a bucket whatever the column.
        profile: what was counted.
        fingerprint: the state of the source that was read.
        bucket: the stretch of time; None: the whole dataset.
        segment: which rows.
    """

    dataset: str
    source: str
    column: str
    profile: Profile
    fingerprint: str
    bucket: Window | None = None
    segment: str = AGGREGATE

    @property
    def key(self) -> ProfileKey:
        return ProfileKey(self.column, self.profile.bins.id, self.bucket, self.segment)


def keys_of(stored: Sequence[StoredProfile]) -> list[ProfileKey]:
    """The key of each; the ids of bins, which are digests of all their edges, are worked out once."""
    bins = {id(each.profile.bins): each.profile.bins for each in stored}
    ids = {number: each.id for number, each in bins.items()}
    return [ProfileKey(each.column, ids[id(each.profile.bins)], each.bucket, each.segment) for each in stored]


# ------------------------------------------------------------------------------------------------------ as rows


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
    numeric = [each if isinstance(each, NumericProfile) else None for each in profiles]
    unseen = [each.unseen if isinstance(each, CategoricalProfile) else None for each in profiles]
    return {
        "sums": _lists([each and each.sums for each in numeric], pa.float64()),
        "squares": [each and each.squares for each in numeric],
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


# ---------------------------------------------------------------------------------------------------- from rows


def from_rows(
    rows: pa.Table, dataset: str, bins: Mapping[tuple[str, str], Bins], buckets: Collection[Window | None]
) -> Iterator[tuple[ProfileKey, StoredProfile]]:
    """The rows that are of these bins, by column and id, and of these buckets.

    Raises:
        StoreError: a row has not as many cells as its bins.
    """
    wanted = {_microseconds(bucket): bucket for bucket in buckets}
    for batch in rows.to_batches():
        starts, ends = (batch[name].cast(pa.int64()).to_pylist() for name in ("bucket_start", "bucket_end"))
        keys = list(zip(batch["column"].to_pylist(), batch["bins_id"].to_pylist(), strict=True))
        times = list(zip(starts, ends, strict=True))
        held = [number for number, key in enumerate(keys) if key in bins and times[number] in wanted]
        if held:
            of_bins, of_buckets = [bins[keys[number]] for number in held], [wanted[times[number]] for number in held]
            kept = batch if len(held) == batch.num_rows else batch.take(pa.array(held))
            stored = _stored(kept, dataset, of_bins, of_buckets)
            for number, each in zip(held, stored, strict=True):
                yield ProfileKey(*keys[number], each.bucket, each.segment), each


def _stored(
    batch: pa.RecordBatch, dataset: str, bins: Sequence[Bins], buckets: Sequence[Window | None]
) -> Iterator[StoredProfile]:
    names = ("source", "column", "segment", "fingerprint")
    cells = zip(*(batch[name].to_pylist() for name in names), strict=True)
    profiles = _profiles(batch, dataset, bins)
    for profile, bucket, (source, column, segment, fingerprint) in zip(profiles, buckets, cells, strict=True):
        yield StoredProfile(
            dataset=dataset,
            source=source,
            column=column,
            profile=profile,
            fingerprint=fingerprint,
            bucket=bucket,
            segment=segment,
        )


def _profiles(batch: pa.RecordBatch, dataset: str, bins: Sequence[Bins]) -> Iterator[Profile]:
    tallies = _tallies(batch, bins)
    sums, unseen = _arrays(batch["sums"]), _unseen(batch["unseen"])
    numbers = [batch[name].to_pylist() for name in ("squares", "low", "high", "infinite")]
    for number, (own, tally) in enumerate(zip(bins, tallies, strict=True)):
        if len(tally["counts"]) != own.cells:
            column = batch["column"][number].as_py()
            raise StoreError(f"the profile of {column!r} in {dataset!r} has not as many cells as its bins")
        if isinstance(own, NumericBins):
            squares, low, high, infinite = (cells[number] for cells in numbers)
            ends = {"low": _or(low, np.inf), "high": _or(high, -np.inf)}
            yield NumericProfile(
                bins=own, sums=sums[number], squares=squares, infinite=infinite, **ends, **tally
            )  # fmt: skip
        else:
            yield CategoricalProfile(bins=own, unseen=unseen[number], **tally)


def _tallies(batch: pa.RecordBatch, bins: Sequence[Bins]) -> Iterator[dict[str, Any]]:
    names = ("rows", "nulls", "nans", "unreadable", "counts", "distinct")
    scalars = [batch[name].to_pylist() for name in names[:4]]
    for cells in zip(*scalars, _arrays(batch["counts"]), _distinct(batch, bins), strict=True):
        yield dict(zip(names, cells, strict=True))


def _arrays(lists: pa.ListArray) -> list[npt.NDArray[Any]]:
    """A view of each list's numbers, empty where it is NULL."""
    values = lists.flatten().to_numpy()
    return [values[each] for each in _slices(lists)]


def _unseen(lists: pa.ListArray) -> list[dict[str, int]]:
    values, counts = (each.to_pylist() for each in lists.flatten().flatten())
    return [dict(zip(values[each], counts[each], strict=True)) for each in _slices(lists)]


def _distinct(batch: pa.RecordBatch, bins: Sequence[Bins]) -> list[Distinct | None]:
    lists, registers = batch["distinct_values"], batch["distinct_registers"].to_pylist()
    values, known = lists.flatten().to_pylist(), lists.is_valid().to_pylist()
    found: list[Distinct | None] = []
    for own, each, listed, sketched in zip(bins, _slices(lists), known, registers, strict=True):
        numbers = isinstance(own, NumericBins)
        if sketched is not None:
            found.append(Distinct(registers=np.frombuffer(sketched, np.uint8), numbers=numbers))
        else:
            found.append(Distinct(frozenset(values[each]), numbers=numbers) if listed else None)
    return found


def _slices(lists: pa.ListArray) -> list[slice]:
    ends = np.cumsum(pc.fill_null(pc.list_value_length(lists), 0).to_numpy()).tolist()
    return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]


def _microseconds(bucket: Window | None) -> tuple[int | None, int | None]:
    if bucket is None:
        return None, None
    start, end = ((each - EPOCH) // timedelta(microseconds=1) for each in (bucket.start, bucket.end))
    return start, end


def _or(value: float | None, absent: float) -> float:
    return absent if value is None else value
