"""Which profiles are kept of a dataset? Their keys alone, without the counts."""

from collections.abc import Collection

from engine.instants import time_of
from engine.store import formats
from engine.store.profiles import ProfileKey
from engine.store.sql import every, one_of
from engine.store.table import Snapshot
from engine.tables import PROFILES
from engine.windows import Window

__all__ = ["profile_keys"]


def profile_keys(snapshot: Snapshot, dataset: str, bins_ids: Collection[str]) -> set[ProfileKey]:
    """The keys of a dataset's profiles in these bins.

    Raises:
        StoreError: one was written by a newer version.
    """
    where = every([one_of("dataset", [dataset]), one_of("bins_id", bins_ids), formats.still_read()])
    found = snapshot.query(
        f"""
        SELECT "column", bins_id, segment, arrow_cast(bucket_start, 'Int64') AS first,
            arrow_cast(bucket_end, 'Int64') AS last, format_version
        FROM {PROFILES.name} WHERE {where}
        """
    )
    formats.refuse_newer(set(found["format_version"].to_pylist()), snapshot.uri)
    columns = [found[name].to_pylist() for name in ("column", "bins_id", "first", "last", "segment")]
    return {
        ProfileKey(column, bins_id, _bucket(first, last), segment)
        for column, bins_id, first, last, segment in zip(*columns, strict=True)
    }


def _bucket(first: int | None, last: int | None) -> Window | None:
    if first is None or last is None:
        return None
    return Window(time_of(first), time_of(last))
