"""The profiles of windows, from the buckets that are kept of them: nothing is read but the store."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from engine.store import Store
from engine.store.profiles import ProfileKey
from engine.windows import Window
from signals.bins import Bins
from signals.profile import Profile, sum_profiles

__all__ = ["tiling", "window_profiles"]

Bucket = Window | None
COLUMNS_AT_ONCE = 50
"""Of so many columns profiles are in memory at the same time."""


def tiling(window: Bucket, buckets: Collection[Bucket]) -> tuple[Bucket, ...] | None:
    """The fewest buckets that make up exactly this window, in order; None where it cannot be made up.

    Buckets may overlap, as those of several grids do. The whole dataset is made up of itself alone.
    """
    if window is None:
        return (None,) if None in buckets else None
    inside = [each for each in buckets if each and window.start <= each.start < each.end <= window.end]
    ways: dict[object, tuple[Window, ...]] = {window.start: ()}
    for bucket in sorted(inside):
        way, known = ways.get(bucket.start), ways.get(bucket.end)
        if way is not None and (known is None or len(way) + 1 < len(known)):
            ways[bucket.end] = (*way, bucket)
    return ways.get(window.end)


def window_profiles(
    store: Store, dataset: str, wanted: Collection[ProfileKey], bins: Mapping[str, Bins]
) -> dict[ProfileKey, Profile]:
    """The profiles of a dataset's columns over windows; those that are not kept are left out.

    Args:
        store: where buckets are kept.
        dataset: its key.
        wanted: what is wanted, with a window for a bucket.
        bins: by id; what is wanted in others is left out.
    """
    known = [key for key in wanted if key.bins_id in bins]
    if not known:
        return {}
    buckets: defaultdict[ProfileKey, list[Bucket]] = defaultdict(list)
    for key in store.profile_keys(dataset, {key.bins_id for key in known}):
        buckets[key._replace(bucket=None)].append(key.bucket)
    tilings = {key: tiling(key.bucket, buckets[key._replace(bucket=None)]) for key in known}
    tiled = {key: tiles for key, tiles in tilings.items() if tiles is not None}
    columns = sorted({key.column for key in tiled})
    found: dict[ProfileKey, Profile] = {}
    for first in range(0, len(columns), COLUMNS_AT_ONCE):
        at_once = set(columns[first : first + COLUMNS_AT_ONCE])
        found |= _summed(store, dataset, {key: tiles for key, tiles in tiled.items() if key.column in at_once}, bins)
    return found


def _summed(
    store: Store, dataset: str, tiled: Mapping[ProfileKey, Sequence[Bucket]], bins: Mapping[str, Bins]
) -> dict[ProfileKey, Profile]:
    cells = {(key.column, key.bins_id): bins[key.bins_id] for key in tiled}
    buckets = {bucket for tiles in tiled.values() for bucket in tiles}
    kept = store.load_profiles(
        dataset,
        [(column, each) for (column, _), each in cells.items()],
        buckets,
        {key.segment for key in tiled},
    )
    # A bucket may have been pruned in between.
    return {
        key: sum_profiles([kept[key._replace(bucket=bucket)].profile for bucket in tiles])
        for key, tiles in tiled.items()
        if all(key._replace(bucket=bucket) in kept for bucket in tiles)
    }
