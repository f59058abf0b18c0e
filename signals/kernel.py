"""The kernel: record batches in, the mergeable state of every column and bucket out.

It is called directly by unit tests, and in tasks by Spark; both feeds use it, so they count the same things.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from signals.bins import Bins, NumericBins
from signals.counters import (
    INFINITE,
    NANS,
    NULLS,
    ROWS,
    UNREADABLE,
    CategoricalCounter,
    Counter,
    NumericCounter,
    Part,
)
from signals.distinct import REGISTERS, Distinct
from signals.keys import Buckets, Keys
from signals.profile import NAMED_UNSEEN, CategoricalProfile, NumericProfile, Profile, most_frequent
from signals.state import StateRows
from signals.timestamps import UNDATED, TimeFormat, find_format, read_instants

__all__ = ["TASK", "Scan", "ScanPlan", "ScannedColumn", "TaskReport", "profiles_of", "report_of", "sample_of"]

TASK = -1
"""The column number under which a task reports about itself."""


@dataclass(frozen=True)
class ScannedColumn:
    """One column of a scan.

    Attributes:
        name: its name in the batches; a batch without it counts as all null.
        bins: the frozen cells that it is counted in; without edges or categories while bins are being fitted.
        distinct_up_to: how many distinct numbers are told apart exactly; 0: they are not counted.
        estimate: whether more distinct numbers than that are estimated, or just known to be more.
        named: how many values outside the vocabulary are kept by name.
    """

    name: str
    bins: Bins
    distinct_up_to: int = 0
    estimate: bool = True
    named: int = NAMED_UNSEEN

    def counter(self, buckets: int) -> Counter:
        """A fresh counter of this column."""
        if isinstance(self.bins, NumericBins):
            return NumericCounter(self.bins, buckets, self.distinct_up_to, self.estimate)
        return CategoricalCounter(self.bins, buckets, self.named)


@dataclass(frozen=True)
class ScanPlan:
    """What a scan counts.

    Attributes:
        columns: the columns, in the order that states number them.
        timestamp: the column that tells a row's bucket; None where all rows are in one bucket.
        time_format: how the timestamp is written.
        buckets: the buckets; None where all rows are in one.
        sample_rate: the share of rows to keep as they are, for fitting bins.
    """

    columns: tuple[ScannedColumn, ...]
    timestamp: str | None = None
    time_format: TimeFormat = TimeFormat.AUTO
    buckets: Buckets | None = None
    sample_rate: float = 0.0

    @property
    def names(self) -> tuple[str, ...]:
        """Every column that a scan reads, each once."""
        time = () if self.timestamp is None else (self.timestamp,)
        return tuple(dict.fromkeys((*(column.name for column in self.columns), *time)))


class Scan:
    """Counts the batches of one task."""

    def __init__(self, plan: ScanPlan, task: int = 0) -> None:
        self.plan = plan
        self._task = task
        buckets = 1 if plan.buckets is None else plan.buckets.count
        self._counters = [column.counter(buckets) for column in plan.columns]
        self._random = np.random.default_rng([20130101, task])
        self._rows_read = 0
        self._undated = 0
        self._format: TimeFormat | None = None
        self._rows = np.zeros(buckets, np.int64)
        self._latest = np.full(buckets, UNDATED)

    def add(self, batch: pa.RecordBatch | Mapping[str, pa.Array], size: int) -> None:
        """Count one batch of `size` rows: arrays by name; absent names count as null."""
        self._rows_read += size
        found = dict(batch) if isinstance(batch, Mapping) else dict(zip(batch.schema.names, batch.columns, strict=True))
        keys, inside = self._keys(found.get(self.plan.timestamp or ""), size)
        if keys is None:
            return
        kept = size if inside is None else len(inside)
        self._rows[keys.span] += keys.rows(kept)
        sample = self._sampled(kept)
        positions = None if inside is None else pa.array(inside)
        for column, counter in zip(self.plan.columns, self._counters, strict=True):
            array = found.get(column.name)
            if array is None:
                array = pa.nulls(kept)
            elif positions is not None:
                array = array.take(positions)
            counter.add(array, keys, sample)

    def _keys(self, timestamps: pa.Array | None, size: int) -> tuple[Keys | None, npt.NDArray[np.intp] | None]:
        """The buckets of the rows that are in one, and the positions of those rows (None: all of them)."""
        if self.plan.buckets is None:
            return Keys(0), None
        if timestamps is None:
            self._undated += size
            return None, None
        if self._format is None and timestamps.null_count < len(timestamps):
            declared = self.plan.time_format
            self._format = find_format(timestamps) if declared is TimeFormat.AUTO else declared
        instants = read_instants(timestamps, self._format or TimeFormat.AUTO)
        self._undated += int(np.count_nonzero(instants == UNDATED))
        bucket = self.plan.buckets.of(instants)
        inside = None if (bucket >= 0).all() else np.flatnonzero(bucket >= 0)
        if inside is not None:
            bucket, instants = bucket[inside], instants[inside]
        if not len(bucket):
            return None, None
        np.maximum.at(self._latest, bucket, instants)
        first, last = int(bucket.min()), int(bucket.max())
        return Keys(first, last - first + 1, None if first == last else bucket - first), inside

    def _sampled(self, size: int) -> npt.NDArray[np.intp] | None:
        if not self.plan.sample_rate:
            return None
        return np.flatnonzero(self._random.random(size) < self.plan.sample_rate)

    def rows(self, cpu_seconds: float = 0.0) -> pa.Table:
        """The state of everything that was added, as rows of `STATE_SCHEMA`."""
        rows = StateRows()
        for number, counter in enumerate(self._counters):
            counter.write(rows, number, self._task)
        rows.add(0, TASK, 0, n=self._rows_read, total=cpu_seconds)
        rows.add(0, TASK, 1, n=self._undated)
        if self._format is not None:
            rows.add(0, TASK, 2, values=[self._format.value], n=1)
        filled = np.flatnonzero(self._rows)
        rows.add(filled, TASK, 4, cells=np.zeros(len(filled)), n=self._rows[filled])
        dated = np.flatnonzero(self._latest != UNDATED)
        rows.add(dated, TASK, 3, cells=np.zeros(len(dated)), high=self._latest[dated] / 1e6)
        return rows.table()


@dataclass(frozen=True, slots=True)
class TaskReport:
    """What all tasks of a scan say of themselves.

    Attributes:
        rows_read: rows that were read, in or out of the windows.
        undated: rows without a readable timestamp, which are in no window.
        cpu_seconds: CPU seconds spent in the kernel.
        time_formats: how the timestamp column was written; more than one where files differ.
        rows: how many rows each bucket has; absent where it has none.
        latest: the latest timestamp by bucket, in seconds since 1970 UTC.
    """

    rows_read: int
    undated: int
    cpu_seconds: float
    time_formats: tuple[TimeFormat, ...]
    rows: Mapping[int, int]
    latest: Mapping[int, float]


def report_of(rows: pa.Table) -> TaskReport:
    """What merged state rows say of the tasks."""
    mine = rows.filter(pc.equal(rows["column"], TASK)).to_pylist()
    of = {part: [row for row in mine if row["part"] == part] for part in range(5)}
    return TaskReport(
        rows_read=sum(row["n"] for row in of[0]),
        undated=sum(row["n"] for row in of[1]),
        cpu_seconds=sum(row["total"] for row in of[0]),
        time_formats=tuple(sorted(TimeFormat(row["value"]) for row in of[2])),
        rows={row["key"]: row["n"] for row in of[4]},
        latest={row["key"]: row["high"] for row in of[3]},
    )


def profiles_of(rows: pa.Table, columns: Sequence[ScannedColumn], buckets: int = 1) -> list[list[Profile]]:
    """Merged state rows as profiles: one list per bucket, in the order of the columns."""
    parts = _Parts(rows)
    return [
        [_profile(parts.of(bucket, number), column) for number, column in enumerate(columns)]
        for bucket in range(buckets)
    ]


def sample_of(rows: pa.Table, column: int) -> npt.NDArray[np.float64]:
    """The column's sampled numbers, in no order."""
    mine = rows.filter(pc.and_(pc.equal(rows["column"], column), pc.equal(rows["part"], Part.SAMPLE)))
    pieces = sorted(zip(mine["cell"].to_pylist(), mine["value"].to_pylist(), strict=True))
    return np.concatenate([np.zeros(0), *(np.frombuffer(bytes.fromhex(piece)) for _, piece in pieces)])


Columns = dict[str, npt.NDArray[np.generic]]


class _Parts:
    """State rows by (bucket, column), then part."""

    def __init__(self, rows: pa.Table) -> None:
        order = rows.sort_by([("key", "ascending"), ("column", "ascending"), ("part", "ascending")])
        self._arrays: Columns = {
            name: order[name].to_numpy() for name in ("key", "column", "part", "cell", "n", "total", "low", "high")
        }
        self._values = order["value"]
        label = self._arrays["key"].astype(np.int64) << 32 | (self._arrays["column"].astype(np.int64) + 1)
        starts = np.flatnonzero(np.diff(label, prepend=-1))
        self._spans = {
            int(label[start]): (int(start), int(end))
            for start, end in zip(starts, [*starts[1:], len(label)], strict=True)
        }

    def of(self, bucket: int, column: int) -> "_State":
        start, end = self._spans.get(bucket << 32 | (column + 1), (0, 0))
        return _State(
            {name: array[start:end] for name, array in self._arrays.items()},
            self._values.slice(start, end - start),
        )


@dataclass(frozen=True)
class _State:
    """The state rows of one column and bucket."""

    arrays: Columns
    texts: pa.ChunkedArray

    def rows(self, part: int) -> slice:
        first, last = np.searchsorted(self.arrays["part"], [part, part + 1])
        return slice(int(first), int(last))

    def dense(self, part: int, size: int, name: str) -> npt.NDArray[np.float64]:
        """One number per cell; 0 for the cells that have no row."""
        rows = self.rows(part)
        full = np.zeros(size)
        full[self.arrays["cell"][rows].astype(np.intp)] = self.arrays[name][rows]
        return full

    def values(self, part: int) -> list[str]:
        rows = self.rows(part)
        return self.texts.slice(rows.start, rows.stop - rows.start).to_pylist()


def _profile(state: _State, column: ScannedColumn) -> Profile:
    scalars = state.dense(Part.SCALARS, 5, "n").astype(np.int64).tolist()
    tally = {
        "rows": scalars[ROWS],
        "nulls": scalars[NULLS],
        "nans": scalars[NANS],
        "unreadable": scalars[UNREADABLE],
    }
    counts = state.dense(Part.CELLS, column.bins.cells, "n").astype(np.int64)
    if isinstance(column.bins, NumericBins):
        moments = state.rows(Part.MOMENTS)
        known = moments.stop > moments.start
        return NumericProfile(
            **tally, bins=column.bins, counts=counts, sums=state.dense(Part.CELLS, column.bins.cells, "total"),
            squares=float(state.arrays["total"][moments][0]) if known else 0.0,
            low=float(state.arrays["low"][moments][0]) if known else np.inf,
            high=float(state.arrays["high"][moments][0]) if known else -np.inf,
            infinite=scalars[INFINITE],
            distinct=_distinct(state, state.values(Part.DISTINCT), numbers=True) if column.distinct_up_to else None,
        )  # fmt: skip
    named = state.values(Part.UNSEEN)
    unseen = dict(zip(named, state.arrays["n"][state.rows(Part.UNSEEN)].astype(np.int64).tolist(), strict=True))
    return CategoricalProfile(
        **tally, bins=column.bins, counts=counts,
        unseen=most_frequent(unseen, column.named), distinct=_distinct(state, named, numbers=False),
    )  # fmt: skip


def _distinct(state: _State, values: list[str], *, numbers: bool) -> Distinct:
    found = Distinct.of(values, numbers=numbers)
    if state.rows(Part.REGISTERS) == slice(0, 0) or not len(state.arrays["cell"][state.rows(Part.REGISTERS)]):
        return found
    return found | Distinct(registers=state.dense(Part.REGISTERS, REGISTERS, "high").astype(np.uint8), numbers=numbers)
