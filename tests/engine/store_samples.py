"""Runs and rows for the tests of the store; imports nothing that a child process would wait for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from engine.results import MetricRow, Run, Status

START = datetime(2013, 7, 2, 3, 15, tzinfo=UTC)


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def a_run(monitor: str = "flights", at: datetime = START, **fields: Any) -> Run:
    given: dict[str, Any] = {"run_id": f"{monitor}@{at:%Y-%m-%dT%H:%M}", "started_at": at, "finished_at": at}
    return Run(monitor=monitor, scheduled_for=at, **(given | fields))


def a_row(run: Run, group: str = "distance", **fields: Any) -> MetricRow:
    given: dict[str, Any] = {
        "monitor": run.monitor,
        "signal": "drift",
        "signal_type": "data_drift",
        "run_id": run.run_id,
        "scheduled_for": run.scheduled_for,
        "window_start": run.scheduled_for - timedelta(days=1),
        "window_end": run.scheduled_for,
        "group": group,
        "metric_name": "jensen_shannon_distance",
        "metric_value": 0.05,
        "threshold_value": 0.1,
        "threshold_kind": "fixed",
        "operator": "greater_than",
        "breached": False,
        "status": Status.OK,
        "row_count": 900,
        "config_hash": "c0ffee",
        "evaluated_at": run.started_at,
    }
    return MetricRow(**given | fields)


def breach(run: Run, group: str = "distance", **fields: Any) -> MetricRow:
    return a_row(run, group, **{"metric_value": 0.2, "breached": True, "status": Status.BREACHED} | fields)


def no_data(run: Run, group: str = "distance") -> MetricRow:
    nothing = {"metric_value": None, "breached": None, "status": Status.NO_DATA, "reason": "the window is empty"}
    return a_row(run, group, **nothing)
