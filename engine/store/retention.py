"""Which profiles there are, and which are not needed any more."""

from collections.abc import Collection
from datetime import datetime

import pyarrow as pa

from engine.results import AGGREGATE
from engine.store import formats
from engine.store.sql import every, literal, one_of, some
from engine.store.table import Change, Snapshot
from engine.tables import BINS, PROFILES

__all__ = ["LISTING", "bins_removal", "importances_removal", "listing", "outcomes_removal", "profiles_removal"]

LISTING = pa.schema(
    [
        pa.field("dataset", pa.string()),
        pa.field("source", pa.string()),
        pa.field("profiles", pa.int64()),
        pa.field("columns", pa.int64()),
        pa.field("bins", pa.int64()),
        pa.field("segments", pa.int64()),
        pa.field("buckets", pa.int64()),
        pa.field("first", pa.timestamp("us", tz="UTC")),
        pa.field("last", pa.timestamp("us", tz="UTC")),
        pa.field("rows", pa.int64()),
        pa.field("bytes", pa.int64()),
    ]
)
"""What `listing` answers; `engine.store.Store.list_profiles` says what it means."""


def listing(snapshot: Snapshot) -> pa.Table:
    """One row per dataset, by title."""
    found = snapshot.query(
        f"""
        WITH held AS (
            SELECT * FROM {PROFILES.name} WHERE {formats.still_read()}
        ), counted AS (
            SELECT dataset, max(total) AS rows FROM (
                SELECT dataset, sum(rows) AS total FROM held WHERE segment = {literal(AGGREGATE)}
                GROUP BY dataset, "column", bins_id, bucket_start IS NULL
            ) GROUP BY dataset
        ), listed AS (
            SELECT dataset, max(source) AS source, count(*) AS profiles,
                count(DISTINCT nullif("column", '')) AS columns, count(DISTINCT bins_id) AS bins,
                count(DISTINCT segment) AS segments,
                count(DISTINCT struct(bucket_start, bucket_end)) FILTER (WHERE bucket_start IS NOT NULL) AS buckets,
                min(bucket_start) AS first, max(bucket_end) AS last
            FROM held GROUP BY dataset
        )
        SELECT listed.*, rows FROM listed LEFT JOIN counted USING (dataset) ORDER BY source, dataset
        """
    )
    sizes = snapshot.sizes()
    held = [sizes.get(dataset) for dataset in found["dataset"].to_pylist()]
    return found.append_column("bytes", pa.array(held, pa.int64())).select(LISTING.names).cast(LISTING)


def profiles_removal(
    snapshot: Snapshot, superseded: Collection[str], before: datetime, dataset: str | None
) -> tuple[int, Change]:
    """How many profiles are not needed any more, and what removes them.

    These are the buckets before a time; of the datasets that are counted whole those in superseded bins that no other
    bucket is counted in; and what an older version wrote in another format, which counts as not there.

    Args:
        snapshot: the table as it is.
        superseded: ids of the bins that are in force nowhere.
        before: the buckets that end then or earlier go.
        dataset: of this dataset only; None: of all.
    """
    ended = every(['"bucket_end" IS NOT NULL', f'"bucket_end" <= {literal(before)}'])
    unused = set(superseded) - _ids(snapshot, f'"bucket_end" > {literal(before)}')
    whole = every(['"bucket_end" IS NULL', one_of("bins_id", unused)])
    of_dataset = [] if dataset is None else [one_of("dataset", [dataset])]
    where = every([*of_dataset, some([ended, whole, f"NOT ({formats.still_read()})"])])
    return _removal(snapshot, where)


def bins_removal(superseded: Collection[str], profiles: Snapshot) -> Change | None:
    """What removes the superseded bins that nothing is counted in; None where there are none."""
    unused = set(superseded) - _ids(profiles, "true")
    return Change(BINS.schema.empty_table(), one_of("bins_id", unused)) if unused else None


def _ids(profiles: Snapshot, where: str) -> set[str]:
    found = profiles.query(f"SELECT DISTINCT bins_id FROM {PROFILES.name} WHERE {where}")
    return set(found["bins_id"].to_pylist())


def outcomes_removal(snapshot: Snapshot, before: datetime) -> tuple[int, Change]:
    """How many rows of outcomes are of buckets that end before this time or then, and what removes them."""
    return _removal(snapshot, f'"bucket_end" <= {literal(before)}')


def importances_removal(snapshot: Snapshot, before: datetime) -> tuple[int, Change]:
    """How many importances are of windows that end before this time or then, and what removes them."""
    return _removal(snapshot, f'"window_end" <= {literal(before)}')


def _removal(snapshot: Snapshot, where: str) -> tuple[int, Change]:
    found = snapshot.query(f"SELECT count(*) AS n FROM {snapshot.definition.name} WHERE {where}")
    return found["n"][0].as_py(), Change(snapshot.definition.schema.empty_table(), where)
