"""Runs the kernel as Spark does: rows cut into batches, batches dealt out to tasks, states merged in any order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa

from signals.bins import Bins, ValueType
from signals.catalogue import Kind
from signals.fitting import SAMPLE_SIZE, fit_bins, surveyed_column
from signals.kernel import Scan, ScannedColumn, ScanPlan, profiles_of, sample_of
from signals.profile import Profile
from signals.state import merge_rows
from signals.values import column_type_of


def merged_states(table: pa.Table, plan: ScanPlan, batches: int = 1, tasks: int = 1, seed: int = 0) -> pa.Table:
    """The merged state of a table, however it was cut and dealt out."""
    random = np.random.default_rng(seed)
    cuts = [0, *sorted(random.integers(0, len(table) + 1, batches - 1).tolist()), len(table)]
    scans = [Scan(plan) for _ in range(tasks)]
    for start, end in pairwise(cuts):
        part = table.slice(start, end - start)
        arrays = {name: pa.concat_arrays(part[name].chunks) for name in table.column_names if len(part)}
        task = int(random.integers(tasks))
        scans[task].add(arrays, len(part), task)
    states = [scan.rows() for scan in scans]
    random.shuffle(states)
    return merge_rows(pa.concat_tables(states))


def profiled(table: pa.Table, plan: ScanPlan, batches: int = 1, tasks: int = 1, seed: int = 0) -> list[list[Profile]]:
    """The profiles by key, then column."""
    return profiles_of(merged_states(table, plan, batches, tasks, seed), plan.columns, plan.keys)


def profile_of(values: pa.Array | Sequence[object], column: ScannedColumn, **cuts: int) -> Profile:
    """The profile of one column in one bucket."""
    array = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)
    return profiled(pa.table({column.name: array}), ScanPlan((column,)), **cuts)[0][0]


def fitted(
    baseline: pa.Array, kind: Kind | None = None, max_categories: int = 1000, edges: Iterable[float] = (), **cuts: int
) -> Bins:
    """Bins as the engine fits them: survey the baseline with a bounded sample, then fit."""
    value_type = column_type_of(baseline.type) or ValueType.STRING
    column = surveyed_column("x", value_type, kind, max_categories)
    plan = ScanPlan((column,), sample_rate=min(1.0, SAMPLE_SIZE / max(1, len(baseline))))
    states = merged_states(pa.table({"x": baseline}), plan, **cuts)
    return fit_bins(profiles_of(states, plan.columns)[0][0], sample_of(states, 0), kind, max_categories, edges)
