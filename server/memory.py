"""How checks stood before a run, as the store remembers it: for those who have no server."""

from collections import defaultdict
from datetime import datetime, timedelta
from itertools import chain

from engine.errors import StoreError
from engine.monitor import Monitor
from engine.store import Store
from server.notices import Check, Row, notices_of
from server.rows import opened
from signals.alerting import Standing
from signals.thresholds import FixedThreshold

__all__ = ["remembered"]

RUNS = 400
"""How many runs are looked at: an alert that began before them is taken to begin with the first of them."""
RUN_COLUMNS = ("scheduled_for", "error")
COLUMNS = (
    "scheduled_for", "signal", "group", "group_dimension", "metric_name", "metric_value", "threshold_value", "operator",
    "breached",
)  # fmt: skip


def remembered(store: Store, monitor: Monitor, until: datetime) -> dict[Check, Standing]:
    """How the monitor's checks stood after the runs that were due until this time, that one included.

    Every stored run is taken to have been told. So a run that is evaluated again is told only where it differs.
    """
    end = until + timedelta(microseconds=1)
    try:
        runs = opened(store.read_runs(monitor=monitor.name, end=end, columns=RUN_COLUMNS, limit=RUNS))
        if not runs:
            return {}
        first = min(run["scheduled_for"] for run in runs)
        columns = (*COLUMNS, "details") if _has_clear(monitor) else COLUMNS
        rows = opened(store.read_metrics(monitor=monitor.name, start=first, end=end, columns=columns))
    except StoreError:  # nothing was stored yet; a store that is broken is said where results are kept
        return {}
    by_time: defaultdict[datetime, list[Row]] = defaultdict(list)
    for row in rows:
        by_time[row["scheduled_for"]].append(row)
    standings: dict[Check, Standing] = {}
    for run in sorted(runs, key=lambda each: each["scheduled_for"]):
        standings |= notices_of(monitor, run, by_time[run["scheduled_for"]], standings).standings
    return standings


def _has_clear(monitor: Monitor) -> bool:
    requests = chain.from_iterable(signal.metrics for signal in monitor.signals)
    return any(isinstance(each.threshold, FixedThreshold) and each.threshold.clear is not None for each in requests)
