"""The kernel: record batches in, the mergeable state of every column, bucket and segment out.

It is called directly by unit tests, and in tasks by Spark; both feeds use it, so they count the same things. A piece of
the dataset (a row group) is counted on its own, and its state tagged with its origin, so that a state does not depend
on which pieces were counted by the same task.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from signals.atoms import atoms_of
from signals.keys import Keys
from signals.readback import profiles_of, sample_of
from signals.reports import TASK, Presence, TaskReport, report_of, write_report
from signals.scan_plan import ScannedColumn, ScanPlan
from signals.segments import EVERYTHING, masks
from signals.slots import Slots
from signals.state import StateRows
from signals.timestamps import UNDATED, TimeFormat, find_format, read_instants

__all__ = ["TASK", "Scan", "ScanPlan", "ScannedColumn", "TaskReport", "profiles_of", "report_of", "sample_of"]

KEPT = 30 << 20
"""Bytes; glibc's rule ends at 32 MB."""
Arrays = Mapping[str, pa.Array]
Places = npt.NDArray[np.intp]


class Scan:
    """Counts the batches of one task."""

    def __init__(self, plan: ScanPlan) -> None:
        self.plan = plan
        # Once so much was freed, glibc keeps what a batch frees for the next one. By default it hands arrays of this
        # size back to the system after each column, and getting them again can take half as long as the counting.
        np.empty(KEPT, np.uint8)
        self._counters = [column.counter() for column in plan.columns]
        self._presence = Presence()
        self._written = StateRows()
        self._rows_read = 0
        self._undated = 0
        self._formats: set[TimeFormat] = set()
        self._begin(0)

    def _begin(self, origin: int) -> None:
        self._origin = origin
        self._slots = Slots(len(self.plan.segments))
        self._random = np.random.default_rng([20130101, origin])
        self._format: TimeFormat | None = None

    def add(self, batch: pa.RecordBatch | Arrays, size: int, origin: int = 0) -> None:
        """Count one batch of `size` rows: arrays by name; absent names count as null.

        The batches of one origin, a number from 0 on, come one after the other.
        """
        if origin != self._origin:
            self._finish()
            self._begin(origin)
        self._rows_read += size
        found = dict(batch) if isinstance(batch, Mapping) else dict(zip(batch.schema.names, batch.columns, strict=True))
        plan = self.plan
        inside = None if plan.segments == (EVERYTHING,) else masks(plan.segments, found, size)
        instants = None if plan.buckets is None else self._instants(found.get(plan.timestamp or ""), size)
        bucket = None if plan.buckets is None or instants is None else plan.buckets.of(instants)
        if plan.sample_rate:
            self._keep(found, bucket, inside, size)
        for atoms in [None] if inside is None else atoms_of(inside):
            keys, rows = self._slots.keys(bucket, atoms, size)
            if keys is not None:
                self._count(found, keys, rows, instants)

    def _instants(self, timestamps: pa.Array | None, size: int) -> npt.NDArray[np.int64]:
        if timestamps is None:
            instants = np.full(size, UNDATED)
        else:
            if self._format is None and timestamps.null_count < len(timestamps):
                declared = self.plan.time_format
                self._format = find_format(timestamps) if declared is TimeFormat.AUTO else declared
                self._formats.add(self._format)
            instants = read_instants(timestamps, self._format or TimeFormat.AUTO)
        self._undated += int(np.count_nonzero(instants == UNDATED))
        return instants

    def _count(self, found: Arrays, keys: Keys, rows: Places | None, instants: npt.NDArray[np.int64] | None) -> None:
        """Count these rows, which are in the order of their keys; None: all, as they are."""
        taken = None if rows is None else pa.array(rows)
        self._presence.add(keys, instants if instants is None or rows is None else instants[rows])
        for column, counter in zip(self.plan.columns, self._counters, strict=True):
            array = found.get(column.name)
            if array is None:
                array = pa.nulls(keys.size)
            elif taken is not None:
                array = array.take(taken)
            counter.add(array, keys)

    def _keep(self, found: Arrays, bucket: Places | None, inside: npt.NDArray[np.bool_] | None, size: int) -> None:
        """Keep a random share of the rows that are in a bucket and in a segment; the others do not change which."""
        drawn = self._random.random(size) < self.plan.sample_rate
        if bucket is not None:
            drawn &= bucket >= 0
        if inside is not None:
            drawn &= inside.any(axis=0)
        rows = pa.array(np.flatnonzero(drawn))
        for column, counter in zip(self.plan.columns, self._counters, strict=True):
            array = found.get(column.name)
            if array is not None:
                counter.keep(array.take(rows))

    def _finish(self) -> None:
        """Write the state of the origin's batches, and forget it."""
        fold = self._slots.fold()
        for number, counter in enumerate(self._counters):
            counter.write(self._written, number, fold, self._origin)
        self._presence.write(self._written, fold)

    @property
    def rows_waiting(self) -> int:
        """How many state rows of earlier origins wait to be taken."""
        return self._written.size

    def take_rows(self) -> pa.Table:
        """The state rows of earlier origins, as rows of `STATE_SCHEMA`, once."""
        written, self._written = self._written, StateRows()
        return written.table()

    def rows(self, cpu_seconds: float = 0.0) -> pa.Table:
        """The state of everything that was added and not taken yet, as rows of `STATE_SCHEMA`: the last thing asked."""
        self._finish()
        write_report(self._written, self._rows_read, self._undated, cpu_seconds, self._formats)
        return self.take_rows()
