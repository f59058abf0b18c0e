"""What was counted once and need not be read again: `bins` and `profiles`, as rows and back.

These rows are state, not results: what has no value in a table (the lowest of no numbers) is NULL there and comes
back as what it was.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from engine.errors import StoreError
from engine.results import AGGREGATE
from engine.store.sql import every, literal, one_of
from engine.store.table import Change, Snapshot
from engine.tables import BINS, PROFILES
from engine.version import ENGINE_VERSION
from engine.windows import Window
from signals.bins import Bins, CategoricalBins, NumericBins, ValueType
from signals.catalogue import Kind
from signals.distinct import Distinct
from signals.profile import CategoricalProfile, NumericProfile, Profile

__all__ = ["FORMAT_VERSION", "StoredProfile", "bins_change", "load_bins", "load_profiles", "profiles_change"]

FORMAT_VERSION = 1
"""How bins and profiles are written; to be raised when a reader of today would misread what is written tomorrow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredProfile:
    """A profile with what it is the profile of.

    Attributes:
        dataset: the dataset's key.
        column: the column's name.
        profile: what was counted.
        fingerprint: the state of the source that was read.
        bucket: the stretch of time; None: the whole dataset.
        segment: which rows.
    """

    dataset: str
    column: str
    profile: Profile
    fingerprint: str
    bucket: Window | None = None
    segment: str = AGGREGATE


# -------------------------------------------------------------------------------------------------------- bins


def bins_change(snapshot: Snapshot, *, dataset: str, bins: Mapping[str, Bins], replace: bool) -> Change | None:
    """What freezes these bins; None where all the columns have bins already."""
    held = {} if replace else load_bins(snapshot, dataset)
    new = {column: each for column, each in bins.items() if column not in held}
    if not new:
        return None
    rows = [_bins_row(dataset, column, each) for column, each in new.items()]
    where = every([one_of("dataset", [dataset]), one_of("column", list(new))])
    return Change(pa.Table.from_pylist(rows, schema=BINS.schema), where)


def load_bins(snapshot: Snapshot, dataset: str) -> dict[str, Bins]:
    """The dataset's bins by column."""
    found = snapshot.query(f"SELECT * FROM {BINS.name} WHERE dataset = {literal(dataset)}")
    return {row["column"]: _bins_of(row) for row in _readable(found, snapshot)}


def _bins_row(dataset: str, column: str, bins: Bins) -> dict[str, Any]:
    row = {"dataset": dataset, "column": column, "bins_id": bins.id, "kind": bins.kind, "value_type": bins.value_type}
    match bins:
        case NumericBins():
            own = {
                "edges": bins.edges,
                "low": _finite(bins.low),
                "high": _finite(bins.high),
                "center": bins.center,
            }
        case CategoricalBins():
            own = {"categories": bins.categories, "complete": bins.complete}
    return row | own | _written_by()


def _bins_of(row: Mapping[str, Any]) -> Bins:
    value_type = ValueType(row["value_type"])
    if row["kind"] == Kind.NUMERICAL:
        edges = np.array(row["edges"], np.float64)
        low, high = _or(row["low"], np.nan), _or(row["high"], np.nan)
        bins: Bins = NumericBins(value_type, edges, low, high, row["center"])
    else:
        bins = CategoricalBins(value_type, tuple(row["categories"]), row["complete"])
    if bins.id != row["bins_id"]:
        raise StoreError(
            f"the bins of {row['column']!r} in {row['dataset']!r} are not what was written: {row['bins_id']}"
        )
    return bins


# ---------------------------------------------------------------------------------------------------- profiles


def profiles_change(profiles: Sequence[StoredProfile]) -> tuple[pa.Table, str]:
    """The profiles as rows, and which rows they replace.

    That is every row whose dataset, bins, column, bucket and segment each occur among them; at worst it takes along
    a profile that would have to be counted again.
    """
    rows = [_profile_row(each) for each in profiles]
    where = every([one_of(name, _among(rows, name)) for name in PROFILES.key])
    return pa.Table.from_pylist(rows, schema=PROFILES.schema), where


def load_profiles(
    snapshot: Snapshot,
    dataset: str,
    fingerprint: str,
    bins: Mapping[str, Bins],
    *,
    bucket: Window | None,
    segment: str,
) -> dict[str, Profile]:
    """The profiles by column that are of this fingerprint and these bins."""
    key = {
        "dataset": [dataset],
        "segment": [segment],
        "fingerprint": [fingerprint],
        "bucket_start": [bucket and bucket.start],
        "bucket_end": [bucket and bucket.end],
        "column": list(bins),
    }
    where = every(one_of(name, values) for name, values in key.items())
    found = snapshot.query(f"SELECT * FROM {PROFILES.name} WHERE {where}")
    rows = [row for row in _readable(found, snapshot) if row["bins_id"] == bins[row["column"]].id]
    return {row["column"]: _profile_of(row, bins[row["column"]]) for row in rows}


def _profile_row(stored: StoredProfile) -> dict[str, Any]:
    profile, bucket = stored.profile, stored.bucket
    distinct = profile.distinct
    row: dict[str, Any] = {
        "dataset": stored.dataset,
        "bins_id": profile.bins.id,
        "column": stored.column,
        "bucket_start": bucket and bucket.start,
        "bucket_end": bucket and bucket.end,
        "segment": stored.segment,
        "fingerprint": stored.fingerprint,
        "kind": profile.bins.kind,
        "rows": profile.rows,
        "nulls": profile.nulls,
        "nans": profile.nans,
        "unreadable": profile.unreadable,
        "counts": profile.counts,
        "distinct_values": sorted(distinct.values) if distinct and distinct.exact else None,
        "distinct_registers": distinct.registers.tobytes() if distinct and distinct.registers is not None else None,
    }
    match profile:
        case NumericProfile():
            own = {
                "sums": profile.sums,
                "squares": profile.squares,
                "low": _finite(profile.low),
                "high": _finite(profile.high),
                "infinite": profile.infinite,
            }
        case CategoricalProfile():
            own = {"unseen": [{"value": value, "n": n} for value, n in profile.unseen.items()]}
    return row | own | _written_by()


def _profile_of(row: Mapping[str, Any], bins: Bins) -> Profile:
    counts = np.array(row["counts"], np.int64)
    if len(counts) != bins.cells:
        raise StoreError(f"the profile of {row['column']!r} in {row['dataset']!r} has not as many cells as its bins")
    tally = {name: row[name] for name in ("rows", "nulls", "nans", "unreadable")}
    tally |= {"counts": counts, "distinct": _distinct_of(row)}
    match bins:
        case NumericBins():
            return NumericProfile(
                bins=bins,
                sums=np.array(row["sums"], np.float64),
                squares=row["squares"],
                low=_or(row["low"], np.inf),
                high=_or(row["high"], -np.inf),
                infinite=row["infinite"],
                **tally,
            )
        case CategoricalBins():
            return CategoricalProfile(bins=bins, unseen={each["value"]: each["n"] for each in row["unseen"]}, **tally)


def _distinct_of(row: Mapping[str, Any]) -> Distinct | None:
    if (registers := row["distinct_registers"]) is not None:
        return Distinct(registers=np.frombuffer(registers, np.uint8))
    return None if row["distinct_values"] is None else Distinct(frozenset(row["distinct_values"]))


# ------------------------------------------------------------------------------------------------------ of both


def _readable(found: pa.Table, snapshot: Snapshot) -> list[dict[str, Any]]:
    """The rows that are written as this version writes them; older ones count as not there.

    Raises:
        StoreError: a row is newer than this version.
    """
    rows = found.to_pylist()
    newest = max((row["format_version"] for row in rows), default=FORMAT_VERSION)
    if newest > FORMAT_VERSION:
        raise StoreError(
            f"{snapshot.uri} was written by a newer driftline (format {newest}, and this one reads "
            f"{FORMAT_VERSION}): upgrade driftline, or use another store"
        )
    return [row for row in rows if row["format_version"] == FORMAT_VERSION]


def _written_by() -> dict[str, Any]:
    return {"engine_version": ENGINE_VERSION, "format_version": FORMAT_VERSION}


def _among(rows: Collection[Mapping[str, Any]], name: str) -> list[Any]:
    return list({row[name] for row in rows})


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _or(value: float | None, absent: float) -> float:
    return absent if value is None else value
