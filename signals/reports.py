"""What the tasks of a scan say of themselves, beside the states of columns."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from signals.growing import longer
from signals.keys import Keys
from signals.slots import Fold
from signals.state import StateRows
from signals.timestamps import UNDATED, TimeFormat

__all__ = ["TASK", "Presence", "TaskReport", "report_of", "write_report"]

TASK = -1
"""The column number under which a task reports about itself."""
READ, NOT_DATED, FORMATS, LATEST, PRESENT = range(5)
"""Parts of the report as `StateRows` number them: rows read (n) and CPU seconds (total), undated rows (n), time formats
(value), and by key the latest timestamp in seconds (high) and the rows (n)."""


@dataclass
class Presence:
    """How many rows each slot has, and the latest instant among them."""

    _rows: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    _latest: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def add(self, keys: Keys, instants: npt.NDArray[np.int64] | None) -> None:
        """Count one batch; instants are in microseconds, in the order of the rows."""
        self._rows, self._latest = longer(self._rows, keys.room), longer(self._latest, keys.room, UNDATED)
        self._rows[keys.at] += keys.sizes
        if instants is not None:
            latest = np.maximum.reduceat(instants, keys.starts)
            self._latest[keys.at] = np.maximum(self._latest[keys.at], latest)

    def write(self, rows: StateRows, fold: Fold) -> None:
        """Write what was added, and begin anew."""
        size = np.zeros(len(fold.keys))
        latest = fold.of(self._latest, np.maximum)
        dated = latest != UNDATED
        rows.add(fold.keys, TASK, PRESENT, cells=size, n=fold.of(self._rows))
        rows.add(fold.keys[dated], TASK, LATEST, cells=size[dated], high=latest[dated] / 1e6)
        self._rows, self._latest = self._rows[:0], self._latest[:0]


@dataclass(frozen=True, slots=True)
class TaskReport:
    """What all tasks of a scan say of themselves.

    Attributes:
        rows_read: rows that were read, in or out of the windows.
        undated: rows without a readable timestamp, which are in no window.
        cpu_seconds: CPU seconds spent in the kernel.
        time_formats: how the timestamp column was written; more than one where files differ.
        rows: how many rows each key (see `signals.scan_plan.ScanPlan.keys`) has; absent where it has none.
        latest: the latest timestamp by key, in seconds since 1970 UTC.
    """

    rows_read: int
    undated: int
    cpu_seconds: float
    time_formats: tuple[TimeFormat, ...]
    rows: Mapping[int, int]
    latest: Mapping[int, float]


def write_report(
    rows: StateRows, rows_read: int, undated: int, cpu_seconds: float, formats: Iterable[TimeFormat]
) -> None:
    """Write what a task says of itself."""
    rows.add(0, TASK, READ, n=rows_read, total=cpu_seconds)
    rows.add(0, TASK, NOT_DATED, n=undated)
    names = [each.value for each in formats]
    rows.add(0, TASK, FORMATS, cells=np.zeros(len(names)), values=names, n=1)


def report_of(rows: pa.Table) -> TaskReport:
    """What merged state rows say of the tasks."""
    mine = (
        rows.filter(pc.equal(rows["column"], TASK)).select(["part", "key", "value", "n", "total", "high"]).to_pylist()
    )
    of = {part: [row for row in mine if row["part"] == part] for part in range(5)}
    return TaskReport(
        rows_read=sum(row["n"] for row in of[READ]),
        undated=sum(row["n"] for row in of[NOT_DATED]),
        cpu_seconds=sum(row["total"] for row in of[READ]),
        time_formats=tuple(sorted(TimeFormat(row["value"]) for row in of[FORMATS])),
        rows={row["key"]: row["n"] for row in of[PRESENT]},
        latest={row["key"]: row["high"] for row in of[LATEST]},
    )
