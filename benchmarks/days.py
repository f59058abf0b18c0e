"""What issue-sized measurements read: daily Parquet files of 20 doubles, 5 strings and a timestamp, and monitors.

    python benchmarks/days.py DAYS ROWS

The columns are those of benchmarks/dataset.py; a file is a day.
"""

import sys
import tempfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import checkout  # noqa: F401  # pyright: ignore[reportUnusedImport] - it finds the engine
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from dataset import COLUMNS, part

from engine import Monitor

__all__ = ["FIRST", "at", "days", "monitor"]

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
"""The first day."""


def days(count: int, rows: int) -> Path:
    """The folder that holds so many daily files of so many rows; made when it is not there yet."""
    folder = Path(tempfile.gettempdir()) / "driftline-benchmarks" / f"{count}-days-of-{rows}"
    if not folder.exists():
        unfinished = folder.with_name(f"_{folder.name}")
        unfinished.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            pq.write_table(day(number, rows), unfinished / f"{FIRST + timedelta(days=number):%Y-%m-%d}.parquet")
        unfinished.rename(folder)
    return folder


def day(number: int, rows: int) -> pa.Table:
    """One day's rows in order of time; the same every time."""
    columns = part("current" if number % 7 == 0 else "baseline", number, rows)
    start = np.datetime64((FIRST + timedelta(days=number)).replace(tzinfo=None), "us")
    moments = start + np.linspace(0, 86_399e6, rows).astype("timedelta64[us]")
    return columns.set_column(columns.column_names.index("ts"), "ts", pa.array(moments, pa.timestamp("us", "UTC")))


def at(number: int) -> datetime:
    """The scheduled time at which so many days are over."""
    return FIRST + timedelta(days=number)


def monitor(
    folder: Path,
    name: str = "benchmark",
    *,
    window: str = "P1D",
    baseline: Mapping[str, str] | None = None,
    columns: Iterable[str] = COLUMNS,
    **signal: Any,
) -> Monitor:
    """The population stability index of the columns, against the first seven days or a moving baseline; or `signal`."""
    threshold = {"population_stability_index": 0.2}
    first_week = {"window_start": FIRST.isoformat(), "window_end": at(7).isoformat()}
    data = {"input_data": {"path": str(folder)}, "data_column_names": {"timestamp": "ts"}}
    own_window = {"lookback_window_size": window, "lookback_window_offset": "P0D"}
    drift = {
        "type": "data_drift",
        "production_data": {**data, "data_window": own_window},
        "reference_data": {**data, "data_window": dict(baseline or first_week)},
        "features": list(columns),
        "metric_thresholds": {"numerical": threshold, "categorical": threshold},
        **signal,
    }
    return Monitor.from_dict(
        {
            "name": name,
            "trigger": {"type": "recurrence", "frequency": "day", "interval": 1},
            "create_monitor": {"monitoring_signals": {"drift": drift}},
        }
    )


if __name__ == "__main__":
    print(days(int(sys.argv[1]), int(sys.argv[2])))
