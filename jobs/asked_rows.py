"""Which stored rows does a question about a monitor mean? Where it means none, the error says which there are."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from engine.errors import StoreError
from engine.store import Store
from engine.table_rows import records
from engine.wording import listed, moment
from jobs.metric_names import canonical

__all__ = ["Found", "Question", "find_rows", "is_file", "monitor_name"]

INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Question:
    """What a user wants to see explained.

    Attributes:
        store_uri: the store.
        monitor: its name, or its file.
        at: the scheduled time; None: the latest one that is stored.
        feature: the group; None: every one that is breached.
        metric: its name or an alias; None: all.
    """

    store_uri: str
    monitor: str
    at: datetime | None = None
    feature: str | None = None
    metric: str | None = None


@dataclass(frozen=True)
class Found:
    """What is asked about.

    Attributes:
        monitor: its name.
        time: the scheduled time.
        rows: the rows to explain, breaches first; none where nothing breached and nothing was named.
        every: all rows of that run.
    """

    monitor: str
    time: datetime
    rows: list[dict[str, Any]]
    every: list[dict[str, Any]]


def find_rows(question: Question) -> Found:
    """The rows that are asked about.

    Raises:
        StoreError: there is no such row; it says which there are.
    """
    store, name = Store(question.store_uri), monitor_name(question.monitor)
    time, feature, metric = question.at or _latest(store, name), question.feature, question.metric
    every = [_opened(row) for row in records(store.read_metrics(monitor=name, start=time, end=time + INSTANT))]
    if not every:
        raise StoreError(_no_run(store, name, time))
    if metric is not None and not any(row["metric_name"] == metric for row in every):
        metric = canonical(metric)
    rows = [row for row in every if feature in (None, row["group"]) and metric in (None, row["metric_name"])]
    rows = [row for row in rows if feature or metric or row["breached"]]
    if not rows and (feature or metric):
        raise StoreError(_no_row(every, feature, metric))
    return Found(name, time, sorted(rows, key=lambda row: not row["breached"]), every)


def is_file(monitor: str) -> bool:
    """Whether a monitor is given by its file."""
    return monitor.endswith((".yaml", ".yml", ".json")) and Path(monitor).exists()


def monitor_name(monitor: str) -> str:
    """The name of a monitor that is given by its name or by its file.

    Raises:
        DefinitionError: the file is wrong.
    """
    if not is_file(monitor):
        return monitor
    from engine.monitor import Monitor

    return Monitor.from_yaml(monitor).name


def _opened(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "details": json.loads(row["details"])}


# ----------------------------------------------------------------------------------------------------- what is there


def _latest(store: Store, monitor: str) -> datetime:
    found = records(store.read_runs(monitor=monitor, columns=["scheduled_for"], limit=1))
    if not found:
        raise StoreError(_no_monitor(store, monitor))
    return found[0]["scheduled_for"]


def _no_monitor(store: Store, monitor: str) -> str:
    names = sorted(set(store.read_runs(columns=["monitor"])["monitor"].to_pylist()))
    return f"no results of a monitor {monitor!r} in {store.uri}; it holds {listed(names, 10) or 'none'}"


def _no_run(store: Store, monitor: str, time: datetime) -> str:
    times = [run["scheduled_for"] for run in records(store.read_runs(monitor=monitor, columns=["scheduled_for"]))]
    if not times:
        return _no_monitor(store, monitor)
    near = sorted(times, key=lambda other: abs(other - time))[:3]
    return f"no run of {monitor} at {moment(time)} in {store.uri}; near it: {', '.join(map(moment, sorted(near)))}"


def _no_row(rows: Sequence[Mapping[str, Any]], feature: str | None, metric: str | None) -> str:
    groups = list(dict.fromkeys(row["group"] for row in rows))
    if feature is not None and feature not in groups:
        return f"no feature {feature!r} in that run; it has {listed(groups, 30)}"
    metrics = dict.fromkeys(row["metric_name"] for row in rows if feature in (None, row["group"]))
    return f"no metric {metric!r} of {feature or 'any feature'} in that run; it has {listed(list(metrics), 30)}"
