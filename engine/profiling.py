"""The profiles of a dataset's columns over windows and segments: what is kept is added up, only the rest is read.

    windows ─► buckets ─► kept and unchanged? ─► the others: one scan ─► kept ─► summed by window

A bucket whose source did not change is never read again. When it cannot be told, it is read.
"""

import gc
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from engine.batches import NO_ROWS, Dataset
from engine.counting import Bucket, Counted, count, nothing_counted
from engine.joins import without_overlaps
from engine.ledger import MOMENTS, TIMELINE, Cell, Ledger, Need, ProfileRequest, needs_of, timeline_key, union
from engine.monitor import Columns
from engine.readings import Readings
from engine.store import Store
from engine.store.profiles import ProfileKey, StoredProfile
from engine.windows import Window
from signals.profile import NumericProfile, Profile, agree
from signals.segments import EVERYTHING, Segment

__all__ = ["ProfileRequest", "Profiled", "ProfiledData", "profile", "recount"]

MOST_STATES = 60_000
"""So many profiles (some 2 KB each) are counted at once; more buckets are read in several scans, each its own."""
UNKNOWN = "unknown"
"""The fingerprint of what cannot be told to be unchanged; it equals no other."""

Fingerprints = Mapping[Bucket, str | None]


@dataclass(frozen=True)
class ProfiledData:
    """A dataset to be profiled, its roles, and the key that its profiles are kept under."""

    dataset: Dataset
    roles: Columns
    key: str

    def fingerprints(self, buckets: Collection[Bucket]) -> Fingerprints:
        """The state of the source, by bucket; see `engine.batches.Dataset.fingerprints`."""
        dated = [bucket for bucket in buckets if bucket is not None]
        found: dict[Bucket, str | None] = {**self.dataset.fingerprints(self.roles, dated)} if dated else {}
        return found | ({None: self.dataset.fingerprint} if None in buckets else {})


@dataclass
class Profiled:
    """What a request gets.

    Attributes:
        profiles: by window, then column.
        rows: by window, how many rows it has.
        latest: by window the latest timestamp in seconds since 1970 UTC; absent where it has no rows.
        vanished: by window, how many of its buckets are no longer in the source; their kept profiles stand in.
    """

    profiles: dict[Window | None, dict[str, Profile]] = field(default_factory=dict[Bucket, dict[str, Profile]])
    rows: dict[Window | None, int] = field(default_factory=dict[Bucket, int])
    latest: dict[Window | None, float] = field(default_factory=dict[Bucket, float])
    vanished: dict[Window | None, int] = field(default_factory=dict[Bucket, int])


def profile(
    data: ProfiledData,
    requests: Sequence[ProfileRequest],
    readings: Readings,
    store: Store | None,
    *,
    refresh: bool = False,
) -> list[Profiled]:
    """Answer requests for one dataset's profiles; a bucket is read at most once for all of them.

    Args:
        data: the dataset.
        requests: what is needed of it.
        readings: takes in what the scans say.
        store: where profiles are kept; None keeps nothing.
        refresh: read again what is kept.

    Raises:
        DataError: when data cannot be read.
    """
    with _uncollected():
        return _profile(data, requests, readings, store, refresh=refresh)


@contextmanager
def _uncollected() -> Generator[None]:
    """Without looking for garbage: tens of thousands of profiles are made, and each look would see all of them."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _profile(
    data: ProfiledData,
    requests: Sequence[ProfileRequest],
    readings: Readings,
    store: Store | None,
    *,
    refresh: bool,
) -> list[Profiled]:
    needs = needs_of(requests)
    fingerprints = data.fingerprints(needs)
    ledger = _kept(data, needs, fingerprints, store) if store and not refresh else Ledger()
    missing = {bucket: less for bucket, need in needs.items() if (less := ledger.missing(bucket, need))}
    empty = {bucket: missing.pop(bucket) for bucket in [*missing] if fingerprints[bucket] == NO_ROWS}
    apart = data.dataset.by_window
    for buckets, need in _scans(empty, apart=apart):
        ledger.add(nothing_counted(tuple(need.columns.values()), buckets, need.segments), need)
        if store and refresh:  # what was kept of them is not to come back with the next run
            store.save_profiles(_stored(data, ledger, buckets, need, fingerprints))
    for buckets, need in _scans(missing, apart=apart):
        counted = _count(data, buckets, need, readings)
        ledger.add(counted, need)
        if store:
            store.save_profiles(_stored(data, ledger, buckets, need, fingerprints))
    if ledger.vanished:
        readings.note(_gone(data.dataset.title, len(ledger.vanished)), data.dataset.title)
    return [_summed(request, ledger) for request in requests]


def recount(
    data: ProfiledData, requests: Sequence[ProfileRequest], readings: Readings, store: Store
) -> tuple[list[ProfileKey], list[ProfileKey], int]:
    """Count again what is kept for these requests, and keep nothing of it.

    Returns:
        The kept profiles that agree with the source, those that do not, and how many are not kept, or are of another
        state of the source than today's.

    Raises:
        DataError: when data cannot be read.
    """
    needs = needs_of(requests)
    kept, counted = _kept(data, needs, data.fingerprints(needs), store), Ledger()
    whole = {
        bucket: need for bucket, need in needs.items() if not kept.missing(bucket, need) and bucket not in kept.vanished
    }
    for buckets, need in _scans(whole, apart=data.dataset.by_window):
        counted.add(_count(data, buckets, need, readings), need)
    keys = [key for bucket, need in whole.items() for key, _ in need.keys(bucket)]
    same = [key for key in keys if agree(kept.profiles[key], counted.profiles[key])]
    agreed = set(same)
    different = [key for key in keys if key not in agreed]
    return same, different, sum(len(list(need.keys(bucket))) for bucket, need in needs.items()) - len(keys)


# ------------------------------------------------------------------------------------------------------ what is kept


def _kept(data: ProfiledData, needs: Mapping[Bucket, Need], fingerprints: Fingerprints, store: Store) -> Ledger:
    """What the store has of the source as it is today, or of what is gone from it."""
    every = union(list(needs.values()))
    bins = [(cell.column, column.bins) for cell, column in every.columns.items()]
    names = [segment.name for segment in every.segments]
    stored = store.load_profiles(data.key, [(TIMELINE, MOMENTS), *bins], needs.keys(), names)
    ledger = Ledger()
    for bucket, need in needs.items():
        ledger.take(stored, bucket, need, fingerprints[bucket])
    return ledger


def _stored(
    data: ProfiledData, ledger: Ledger, buckets: Sequence[Bucket], need: Need, fingerprints: Fingerprints
) -> Iterator[StoredProfile]:
    for bucket in buckets:
        for key, _ in need.keys(bucket):
            yield StoredProfile(
                dataset=data.key,
                source=data.dataset.title,
                column=key.column,
                profile=ledger.profiles[key],
                fingerprint=fingerprints[bucket] or UNKNOWN,
                bucket=bucket,
                segment=key.segment,
            )


def _gone(title: str, count: int) -> str:
    return (
        f"{title}: {count:,} bucket{'s are' if count > 1 else ' is'} no longer in the source; "
        "what was kept of them is used (--refresh counts them as empty)"
    )


# ------------------------------------------------------------------------------------------------------ what is read


def _scans(missing: Mapping[Bucket, Need], *, apart: bool) -> Iterator[tuple[list[Bucket], Need]]:
    """What is read in one go: buckets of which the same is needed, or where buckets overlap, all of them.

    Args:
        missing: the buckets.
        apart: whether buckets that overlap must not be read together.
    """
    dated = sorted(bucket for bucket in missing if bucket is not None)
    shares: list[list[Bucket]] = [[None]] if None in missing else []
    if any(later.start < earlier.end for earlier, later in pairwise(dated)):
        overlapping: list[list[Bucket]] = [[*share] for share in (without_overlaps(dated) if apart else [dated])]
        shares += overlapping
    else:
        groups: dict[tuple[frozenset[Cell], frozenset[Segment]], list[Bucket]] = {}
        for bucket in dated:
            same = frozenset(missing[bucket].columns), frozenset(missing[bucket].segments)
            groups.setdefault(same, []).append(bucket)
        shares += groups.values()
    for buckets in shares:
        need = union([missing[bucket] for bucket in buckets])
        states = sum(column.states for column in need.columns.values()) + 1
        at_once = max(1, MOST_STATES // (states * len(need.segments)))
        yield from ((buckets[first : first + at_once], need) for first in range(0, len(buckets), at_once))


def _count(data: ProfiledData, buckets: Sequence[Bucket], need: Need, readings: Readings) -> Counted:
    dated = [bucket for bucket in buckets if bucket is not None]
    segments = () if EVERYTHING in need.segments else need.segments
    dataset = data.dataset.within(data.roles, dated, segments) if dated or segments else data.dataset
    counted = count(dataset, tuple(need.columns.values()), buckets, need.segments, data.roles)
    readings.report(dataset.title, data.roles, counted.report)
    return counted


# ----------------------------------------------------------------------------------------------------- what is told


def _summed(request: ProfileRequest, ledger: Ledger) -> Profiled:
    found, cells = Profiled(), list(request.cells)
    for window in request.windows:
        timeline = ledger.sum(timeline_key(window, request.segment), request)
        found.profiles[window] = {
            cell.column: ledger.sum(ProfileKey(*cell, window, request.segment.name), request) for cell in cells
        }
        found.rows[window] = timeline.rows
        if isinstance(timeline, NumericProfile) and np.isfinite(timeline.high):
            found.latest[window] = timeline.high
        found.vanished[window] = sum(tile in ledger.vanished for tile in request.tiles(window))
    return found
