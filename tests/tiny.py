"""A monitor beside its data, for runs in processes of their own: two days, in which `amount` has moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["AT", "MONITOR", "write_tiny"]

AT = datetime(2024, 3, 2, 3, 15, tzinfo=UTC)
"""When it is due."""
MONITOR = """
name: tiny
trigger: {type: recurrence, frequency: day, interval: 1, schedule: {hours: 3, minutes: 15}, time_zone: UTC}
create_monitor:
  monitoring_signals:
    drift:
      type: data_drift
      production_data:
        input_data: {path: production.parquet}
        data_context: model_inputs
        data_column_names: {timestamp: event_time}
        data_window: {lookback_window_size: P1D, lookback_window_offset: PT3H15M}
      reference_data:
        input_data: {path: baseline.parquet}
        data_context: training
      metric_thresholds:
        numerical: {population_stability_index: 0.1}
        categorical: {jensen_shannon_distance: 0.2}
"""


def write_tiny(folder: Path) -> Path:
    """Write the monitor and its data; the monitor's file."""
    rng = np.random.default_rng(1)
    _write(folder / "baseline.parquet", datetime(2024, 1, 1, tzinfo=UTC), rng.normal(0, 1, 1000), rng)
    _write(folder / "production.parquet", datetime(2024, 3, 1, tzinfo=UTC), rng.normal(1, 1, 2 * 1440), rng)
    (folder / "tiny.yaml").write_text(MONITOR)
    return folder / "tiny.yaml"


def _write(path: Path, start: datetime, amounts: np.ndarray, rng: np.random.Generator) -> None:
    times = pa.array([start + timedelta(minutes=minute) for minute in range(len(amounts))], pa.timestamp("us", "UTC"))
    colours = rng.choice(["red", "blue"], len(amounts))
    pq.write_table(pa.table({"event_time": times, "amount": amounts, "colour": colours}), path)
