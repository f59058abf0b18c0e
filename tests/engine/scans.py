"""Scans of a dataset as tests look at them: by window, of all rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.batches import Dataset
from engine.counting import count
from engine.monitor import Columns
from engine.windows import Window
from signals.kernel import ScannedColumn, TaskReport
from signals.profile import Profile
from signals.segments import EVERYTHING

__all__ = ["Scanned", "scan"]


@dataclass(frozen=True)
class Scanned:
    """What a scan found, by window."""

    profiles: dict[Window, list[Profile]]
    rows: dict[Window, int]
    latest: dict[Window, float]
    report: TaskReport


def scan(dataset: Dataset, columns: Sequence[ScannedColumn], windows: Sequence[Window], roles: Columns) -> Scanned:
    """Profile columns over windows, in one scan of all that the dataset holds."""
    found = count(dataset, columns, windows, (EVERYTHING,), roles)
    profiles, rows, latest = (
        {window: each[window, EVERYTHING.name] for window in windows if (window, EVERYTHING.name) in each}
        for each in (found.profiles, found.rows, found.latest)
    )
    return Scanned(profiles, rows, latest, found.report)
