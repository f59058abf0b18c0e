"""Which bins are frozen: `bins`, as rows and back.

Making new bins on purpose adds a generation; the newest is in force, and older ones stay, so that what was counted
in them can still be read.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from engine.errors import StoreError
from engine.store import formats
from engine.store.sql import every, literal, one_of, some
from engine.store.table import Change, Snapshot
from engine.tables import BINS
from engine.version import ENGINE_VERSION
from signals.bins import Bins, CategoricalBins, NumericBins, ValueType, VectorBins
from signals.catalogue import Kind

__all__ = ["bins_change", "find_bins", "load_bins", "superseded_ids"]


def bins_change(snapshot: Snapshot, *, dataset: str, bins: Mapping[str, Bins], replace: bool) -> Change | None:
    """What freezes these bins; None where nothing changes.

    Args:
        snapshot: the table as it is.
        dataset: the dataset's key.
        bins: by column.
        replace: whether columns that have other bins get these as a new generation, or keep theirs.
    """
    held = {row["column"]: row for row in _in_force(snapshot, dataset)}
    ids = {column: each.id for column, each in bins.items()}
    new = [name for name in bins if name not in held or (replace and held[name]["bins_id"] != ids[name])]
    if not new:
        return None
    rows = [_row(dataset, name, bins[name], held[name]["generation"] + 1 if name in held else 1) for name in new]
    return Change(pa.Table.from_pylist(rows, schema=BINS.schema), _of_generations(dataset, rows))


def load_bins(snapshot: Snapshot, dataset: str) -> dict[str, Bins]:
    """The dataset's bins in force, by column."""
    return {row["column"]: _bins_of(row) for row in _in_force(snapshot, dataset)}


def find_bins(snapshot: Snapshot, ids: Collection[str]) -> dict[str, Bins]:
    """The bins with these ids, of whatever dataset and generation."""
    return {row["bins_id"]: _bins_of(row) for row in _rows(snapshot, one_of("bins_id", ids))}


def superseded_ids(snapshot: Snapshot) -> set[str]:
    """Ids of the bins that are in force nowhere any more."""
    newest: dict[tuple[str, str], str] = {}
    rows = _rows(snapshot, "true")
    for row in rows:
        newest[row["dataset"], row["column"]] = row["bins_id"]
    return {row["bins_id"] for row in rows} - set(newest.values())


def _in_force(snapshot: Snapshot, dataset: str) -> list[dict[str, Any]]:
    newest = {row["column"]: row for row in _rows(snapshot, f"dataset = {literal(dataset)}")}
    return list(newest.values())


def _of_generations(dataset: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows with the columns and generations of these, as SQL."""
    columns: dict[int, list[str]] = {}
    for row in rows:
        columns.setdefault(row["generation"], []).append(row["column"])
    of_dataset = one_of("dataset", [dataset])
    return some(every([of_dataset, f"generation = {each}", one_of("column", columns[each])]) for each in columns)


def _rows(snapshot: Snapshot, where: str) -> list[dict[str, Any]]:
    """The rows that can be read, older generations first."""
    found = snapshot.query(
        f"SELECT * FROM {BINS.name} WHERE {every([where, formats.still_read()])} ORDER BY generation"
    ).to_pylist()
    formats.refuse_newer((row["format_version"] for row in found), snapshot.uri)
    return found


def _row(dataset: str, column: str, bins: Bins, generation: int) -> dict[str, Any]:
    row = {"dataset": dataset, "column": column, "generation": generation, "bins_id": bins.id, "kind": bins.kind}
    row |= {"value_type": bins.value_type, "engine_version": ENGINE_VERSION, "format_version": formats.FORMAT_VERSION}
    match bins:
        case NumericBins():
            ends = {"low": _finite(bins.low), "high": _finite(bins.high)}
            return row | ends | {"edges": bins.edges, "center": bins.center}
        case CategoricalBins():
            return row | {"categories": bins.categories, "complete": bins.complete}
        case VectorBins():
            return row | {"dimensions": bins.dimensions}


def _bins_of(row: Mapping[str, Any]) -> Bins:
    value_type = ValueType(row["value_type"])
    bins: Bins
    match Kind(row["kind"]):
        case Kind.NUMERICAL | Kind.LIST:
            edges = np.array(row["edges"], np.float64)
            bins = NumericBins(value_type, edges, _or_nan(row["low"]), _or_nan(row["high"]), row["center"])
        case Kind.CATEGORICAL:
            bins = CategoricalBins(value_type, tuple(row["categories"]), row["complete"])
        case Kind.EMBEDDING:
            bins = VectorBins(row["dimensions"])
    if bins.id != row["bins_id"]:
        raise StoreError(
            f"the bins of {row['column']!r} in {row['dataset']!r} are not what was written: {row['bins_id']}"
        )
    return bins


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value
