"""The data plane: one evaluation of one or many monitors on Spark.

from engine import Monitor, Store, evaluate

evaluation = evaluate(spark, Monitor.from_yaml("conf/monitors/flights.yaml"), scheduled_for)
evaluation.to_pandas()
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.monitor import Monitor
    from engine.run import Evaluation, evaluate, evaluate_all
    from engine.store import Store

__all__ = ["Evaluation", "Monitor", "Store", "evaluate", "evaluate_all"]

HOMES = {
    "Evaluation": "engine.run",
    "Monitor": "engine.monitor",
    "Store": "engine.store",
    "evaluate": "engine.run",
    "evaluate_all": "engine.run",
}


def __getattr__(name: str) -> Any:
    # On demand: reading results or validating a definition must not wait for Spark to be imported.
    if name in HOMES:
        return getattr(import_module(HOMES[name]), name)
    raise AttributeError(f"module 'engine' has no attribute {name!r}")
