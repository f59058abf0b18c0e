"""The PSI of 25 columns by driftline, in a Spark that has just started.

    python benchmarks/driftline_script.py ROWS STORE [default]

The costs are those of the evaluation: from the session's first trivial job to the results. In a new store it also reads
the baseline; run again, it finds it stored. The session is the one that `driftline run` starts; with `default` it is
Spark as it comes.
"""

import json
import resource
import sys
from datetime import datetime
from pathlib import Path

from dataset import COLUMNS, SCHEDULED_FOR, dataset
from measure import cost_of
from pyspark.sql import SparkSession
from session import session  # first: it finds the checkout

from engine import Evaluation, Monitor, Store, evaluate

WHEN = datetime.fromisoformat(SCHEDULED_FOR)


def main(rows: int, store: Path, *, as_it_comes: bool) -> None:
    monitor, stored = monitor_of(dataset(rows)), store.exists()
    spark = session(as_driftline_runs=not as_it_comes)
    found: list[Evaluation] = []
    cost = cost_of(lambda: found.append(evaluate(spark, monitor, WHEN, store=Store(store))))
    told = {
        "stored": stored,
        "cpu": cost.cpu,
        "wall": cost.wall,
        "psi": {row.group: row.metric_value for row in found[0].rows},
        "driver_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "heap_mb": live_heap(spark),
    }
    print(json.dumps(told))


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
    main(int(sys.argv[1]), Path(sys.argv[2]), as_it_comes="default" in sys.argv)
