"""What was counted once and need not be read again: finding and replacing stored profiles."""

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from itertools import pairwise

from engine.store import formats
from engine.store.folder import folder_name
from engine.store.profile_reading import from_rows
from engine.store.profile_writing import to_rows
from engine.store.profiles import ProfileKey, StoredProfile, keys_of
from engine.store.sql import between, every, one_of, some
from engine.store.table import Change, Snapshot
from engine.tables import PROFILES
from engine.windows import Window
from signals.bins import Bins

__all__ = ["ProfileKey", "StoredProfile", "load_profiles", "profiles_change"]

STRETCHES = 16
"""Into how many ranges buckets are put at most: files are skipped by ranges, and not by long lists of times."""


def profiles_change(stored: Sequence[StoredProfile]) -> Change:
    """The profiles as rows, and which rows they replace.

    At worst they take along another segment of a column in the same bucket, which would have to be counted again.

    Raises:
        StoreError: a dataset's key cannot be stored.
        ValueError: two profiles have the same key: a bug of the caller.
    """
    keys = [(each.dataset, key) for each, key in zip(stored, keys_of(stored), strict=True)]
    if len(set(keys)) < len(keys):
        raise ValueError("a profile is written once at a time: two have the same dataset, bins, bucket and segment")
    for dataset in {each.dataset for each in stored}:
        folder_name("dataset", dataset)
    return Change(to_rows(stored), some(_of_keys(*each) for each in _alike(keys)))


def load_profiles(
    snapshot: Snapshot,
    dataset: str,
    bins: Iterable[tuple[str, Bins]],
    buckets: Collection[Window | None],
    segments: Collection[str],
) -> dict[ProfileKey, StoredProfile]:
    """The profiles of these columns in these bins, of these buckets and segments, whatever their fingerprint."""
    wanted = {(column, each.id): each for column, each in bins}
    among = {
        "dataset": [dataset],
        "segment": segments,
        "column": {column for column, _ in wanted},
        "bins_id": {own for _, own in wanted},
    }
    where = every([*(one_of(name, values) for name, values in among.items()), _of_buckets(buckets)])
    found = snapshot.query(f"SELECT * FROM {PROFILES.name} WHERE {where} AND {formats.still_read()}")
    formats.refuse_newer(set(found["format_version"].to_pylist()), snapshot.uri)
    return dict(from_rows(found, dataset, wanted, buckets))


def _alike(keys: Iterable[tuple[str, ProfileKey]]) -> list[tuple[str, Collection[ProfileKey], set[Window | None]]]:
    """By dataset the buckets that have the same profiles: a new column of old buckets is apart from new buckets."""
    by_bucket: dict[tuple[str, Window | None], set[ProfileKey]] = {}
    for dataset, key in keys:
        by_bucket.setdefault((dataset, key.bucket), set()).add(key._replace(bucket=None))
    alike: dict[tuple[str, frozenset[ProfileKey]], set[Window | None]] = {}
    for (dataset, bucket), held in by_bucket.items():
        alike.setdefault((dataset, frozenset(held)), set()).add(bucket)
    return [(dataset, held, buckets) for (dataset, held), buckets in alike.items()]


def _of_keys(dataset: str, keys: Collection[ProfileKey], buckets: Collection[Window | None]) -> str:
    among = {
        "dataset": {dataset},
        "bins_id": {each.bins_id for each in keys},
        "column": {each.column for each in keys},
        "segment": {each.segment for each in keys},
    }
    return every([*(one_of(name, values) for name, values in among.items()), _of_buckets(buckets), _exactly(buckets)])


def _of_buckets(buckets: Collection[Window | None]) -> str:
    """A few ranges of time that hold these buckets, as SQL; NULL for the whole dataset."""
    whole = ['"bucket_start" IS NULL'] if None in buckets else []
    ordered = sorted(each for each in buckets if each is not None)
    ranges = [between("bucket_start", first.start, last.start) for first, last in _stretches(ordered)]
    return some([*ranges, *whole])


def _exactly(buckets: Collection[Window | None]) -> str:
    starts = one_of("bucket_start", {each and each.start for each in buckets})
    return every([starts, one_of("bucket_end", {each and each.end for each in buckets})])


def _stretches(ordered: Sequence[Window]) -> list[tuple[Window, Window]]:
    """First and last window of each stretch; the stretches end at the widest gaps."""
    if not ordered:
        return []
    gaps = {number: after.start - before.end for number, (before, after) in enumerate(pairwise(ordered), start=1)}
    apart = [number for number, gap in gaps.items() if gap > timedelta(0)]
    widest = sorted(apart, key=lambda number: gaps[number], reverse=True)[: STRETCHES - 1]
    edges = [0, *sorted(widest), len(ordered)]
    return [(ordered[start], ordered[end - 1]) for start, end in pairwise(edges)]
