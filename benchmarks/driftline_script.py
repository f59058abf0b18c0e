"""The PSI of 25 columns by driftline, in a Spark that has just started.

    python benchmarks/driftline_script.py ROWS STORE [before] [default]

The costs are those of the evaluation: from the session's first trivial job to the results. In a new store it also reads
the baseline. With `before` it is evaluated a day earlier, when there is nothing but the baseline to read; in a store
that has this, the day is evaluated on a copy, or the next round would find the day's profiles and read nothing. The
session is the one that `driftline run` starts; with `default` it is Spark as it comes.
"""

import json
import resource
import shutil
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from dataset import COLUMNS, SCHEDULED_FOR, dataset
from measure import cost_of
from pyspark.sql import SparkSession
from session import session  # first: it finds the checkout

from engine import Evaluation, Monitor, Store, evaluate

WHEN = datetime.fromisoformat(SCHEDULED_FOR)
BEFORE = WHEN - timedelta(days=1)


def main(rows: int, store: Path, when: datetime, *, as_it_comes: bool) -> None:
    if not store.exists():
        told = evaluated(rows, store, when, as_it_comes=as_it_comes)
    else:
        with tempfile.TemporaryDirectory() as folder:
            copy = shutil.copytree(store, Path(folder) / "store")
            told = evaluated(rows, copy, when, as_it_comes=as_it_comes)
    print(json.dumps(told))


def evaluated(rows: int, store: Path, when: datetime, *, as_it_comes: bool) -> dict[str, Any]:
    """One evaluation: what it read, cost and came to."""
    monitor, spark = monitor_of(dataset(rows)), session(as_driftline_runs=not as_it_comes)
    found: list[Evaluation] = []
    cost = cost_of(lambda: found.append(evaluate(spark, monitor, when, store=Store(store))))
    return {
        "rows_read": found[0].run.rows_read,
        "cpu": cost.cpu,
        "wall": cost.wall,
        "psi": {row.group: row.metric_value for row in found[0].rows},
        "driver_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "heap_mb": live_heap(spark),
    }


def live_heap(spark: SparkSession) -> float:
    """MB that the JVM still holds when its garbage is collected."""
    runtime = spark._jvm.java.lang.Runtime.getRuntime()
    runtime.gc()
    return (runtime.totalMemory() - runtime.freeMemory()) / 1e6


def monitor_of(folder: Path) -> Monitor:
    """One signal: the population stability index of the 25 columns."""
    threshold = {"population_stability_index": 0.2}
    return Monitor.from_dict(
        {
            "name": "benchmark",
            "trigger": {"type": "recurrence", "frequency": "day", "interval": 1},
            "create_monitor": {
                "monitoring_target": {"ml_task": "classification"},
                "monitoring_signals": {
                    "drift": {
                        "type": "data_drift",
                        "production_data": {
                            "input_data": {"path": str(folder / "current")},
                            "data_context": "model_inputs",
                            "data_column_names": {"timestamp": "ts"},
                            "data_window": {"lookback_window_size": "P1D", "lookback_window_offset": "P0D"},
                        },
                        "reference_data": {
                            "input_data": {"path": str(folder / "baseline")},
                            "data_context": "training",
                        },
                        "features": COLUMNS,
                        "metric_thresholds": {"numerical": threshold, "categorical": threshold},
                    }
                },
            },
        }
    )


if __name__ == "__main__":
    scheduled_for = BEFORE if "before" in sys.argv else WHEN
    main(int(sys.argv[1]), Path(sys.argv[2]), scheduled_for, as_it_comes="default" in sys.argv)
