"""How many Spark jobs does a run take? As many for a hundred features as for one.

    python benchmarks/spark_jobs.py

Counted by Spark (jobs of the run's own job group): in a new store, and with the baseline stored by the run of the day
before.
"""

import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from measure import ROOT, table
from pyspark.sql import SparkSession
from session import session

from engine import Monitor, Store, evaluate

FLIGHTS_AT = datetime(2013, 7, 2, 3, 15, tzinfo=UTC)
MADE_AT = datetime(2026, 1, 3, tzinfo=UTC)
ROWS = 10_000


def report() -> str:
    """The measured table, in Markdown."""
    spark = session()
    flights = Monitor.from_yaml(ROOT / "conf/monitors/flights.yaml")
    with tempfile.TemporaryDirectory() as folder:
        runs = {f"data drift and quality of {count:,} features": made(Path(folder), count) for count in (1, 10, 100)}
        lines = [[name, *jobs(spark, monitor, MADE_AT)] for name, monitor in runs.items()]
        lines.append(["all five signals of conf/monitors/flights.yaml", *jobs(spark, flights, FLIGHTS_AT)])
    return table("Spark jobs of a run", ["run", "first run", "baseline stored"], lines)


def jobs(spark: SparkSession, monitor: Monitor, at: datetime) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        new, stored = (Store(Path(folder) / name) for name in ("new", "stored"))
        evaluate(spark, monitor, at - timedelta(days=1), store=stored)
        return [str(evaluate(spark, monitor, at, store=store).run.spark_jobs) for store in (new, stored)]


def made(folder: Path, features: int) -> Monitor:
    """A monitor of so many columns of random numbers."""
    rng = np.random.default_rng(3)
    moments = np.datetime64("2026-01-02", "us") + (rng.random(ROWS) * 86_400e6).astype("timedelta64[us]")
    for side in ("baseline", "current"):
        path = folder / str(features) / side
        path.mkdir(parents=True)
        columns = {f"x{number}": rng.normal(size=ROWS) for number in range(features)}
        pq.write_table(pa.table({**columns, "ts": moments}), path / "part.parquet")
    return Monitor.from_dict(definition(folder / str(features)))


def definition(folder: Path) -> Mapping[str, Any]:
    production = {
        "input_data": {"path": str(folder / "current")},
        "data_context": "model_inputs",
        "data_column_names": {"timestamp": "ts"},
        "data_window": {"lookback_window_size": "P1D", "lookback_window_offset": "P0D"},
    }
    reference = {"input_data": {"path": str(folder / "baseline")}, "data_context": "training"}
    signal = {"production_data": production, "reference_data": reference}
    drift, quality = {"population_stability_index": 0.2}, {"null_value_rate": 0.01}
    return {
        "name": "benchmark",
        "trigger": {"type": "recurrence", "frequency": "day", "interval": 1},
        "create_monitor": {
            "monitoring_target": {"ml_task": "classification"},
            "monitoring_signals": {
                "drift": {"type": "data_drift", **signal, "metric_thresholds": {"numerical": drift}},
                "quality": {"type": "data_quality", **signal, "metric_thresholds": {"numerical": quality}},
            },
        },
    }


if __name__ == "__main__":
    print(report())
