"""Rows of `profiles` as profiles: tens of thousands at once, so each one's cells are a slice of one array.

What is NULL in a table because it has no value there (the lowest of no numbers) comes back as what it was.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine.errors import StoreError
from engine.instants import instant_of
from engine.store.profiles import ProfileKey, StoredProfile
from engine.tables import PROFILES
from engine.windows import Window
from signals.bins import Bins, CategoricalBins, NumericBins
from signals.distinct import Distinct
from signals.profile import CategoricalProfile, NumericProfile, Profile, VectorProfile

__all__ = ["from_rows"]


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
            kept = batch if len(held) == batch.num_rows else _plain(batch).take(pa.array(held))
            stored = _stored(kept, dataset, of_bins, of_buckets)
            for number, each in zip(held, stored, strict=True):
                yield ProfileKey(*keys[number], each.bucket, each.segment), each


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Text in arrays of its own: of views into others' pyarrow cannot take some."""
    return batch.select(PROFILES.schema.names).cast(PROFILES.schema)


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
        elif isinstance(own, CategoricalBins):
            yield CategoricalProfile(bins=own, unseen=unseen[number], **tally)
        else:
            yield VectorProfile(bins=own, sums=sums[number], squares=numbers[0][number], **tally)


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
    return (None, None) if bucket is None else (instant_of(bucket.start), instant_of(bucket.end))


def _or(value: float | None, absent: float) -> float:
    return absent if value is None else value
