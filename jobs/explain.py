"""`driftline explain`: what carried a value, from the evidence that is stored with it. No Spark."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from engine.errors import StoreError
from engine.store import Store
from jobs.charts import chart_of
from jobs.consoles import out
from jobs.evidence import evidence_of
from jobs.metric_names import canonical
from jobs.records import records
from jobs.wording import bound, listed, moment, number, ratio, span

__all__ = ["explain_rows", "monitor_name"]

STYLES = {"ok": "green", "breached": "bold red"}
INSTANT = timedelta(microseconds=1)


def explain_rows(store_uri: str, monitor: str, at: datetime | None, feature: str | None, metric: str | None) -> None:
    """Print the evidence of a feature's rows at a scheduled time, breaches first; without a feature of all breaches.

    Args:
        store_uri: the store.
        monitor: its name, or its file.
        at: the scheduled time; None: the latest one that is stored.
        feature: the group; None: every one that is breached.
        metric: its name or an alias; None: all.

    Raises:
        StoreError: there is no such row; it says which there are.
    """
    store, name = Store(store_uri), monitor_name(monitor)
    time = at or _latest(store, name)
    every = [_opened(row) for row in records(store.read_metrics(monitor=name, start=time, end=time + INSTANT))]
    if not every:
        raise StoreError(_no_run(store, name, time))
    if metric is not None and not any(row["metric_name"] == metric for row in every):
        metric = canonical(metric)
    rows = [row for row in every if feature in (None, row["group"]) and metric in (None, row["metric_name"])]
    rows = [row for row in rows if feature or metric or row["breached"]]
    console = out()
    if not rows and not feature and not metric:
        console.print(f"{name} · {moment(time)} · nothing breached: name a --feature to explain")
        return
    if not rows:
        raise StoreError(_no_row(every, feature, metric))
    for place, row in enumerate(sorted(rows, key=lambda row: not row["breached"])):
        if place:
            console.print()
        _explain(console, row, every)


def monitor_name(monitor: str) -> str:
    """The name of a monitor that is given by its name or by its file.

    Raises:
        DefinitionError: the file is wrong.
    """
    if not monitor.endswith((".yaml", ".yml", ".json")) or not Path(monitor).exists():
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


# ------------------------------------------------------------------------------------------------------ one row


def _explain(console: Console, row: Mapping[str, Any], every: Sequence[Mapping[str, Any]]) -> None:
    console.print(_headline(row))
    console.print(_verdict(row))
    for sentence in _chance(row):
        console.print(Text(sentence, "dim"))
    console.print(Text(_rows(row), "dim"))
    for sentence in evidence_of(row, every):
        console.print(sentence)
    if row["details"].get("contributions"):
        console.print()
        console.print(chart_of(row))


def _headline(row: Mapping[str, Any]) -> Text:
    where = f"{row['signal']} · {row['monitor']} · {moment(row['scheduled_for'])}"
    return Text.assemble((row["group"], "bold"), " · ", where)


def _verdict(row: Mapping[str, Any]) -> Text:
    text = Text.assemble(row["metric_name"], " = ", (number(row["metric_value"]), "bold"), "  ")
    text.append(row["status"].replace("_", " "), STYLES.get(row["status"], "yellow"))
    if row["threshold_value"] is not None:
        times = ratio(row["metric_value"], row["threshold_value"])
        text.append(f": a breach is {bound(row['operator'], row['threshold_value'], row['threshold_kind'])}")
        text.append(f" ({float(f'{times:.2g}'):g} times it)" if times else "")
    if row["reason"]:
        text.append(f"  {row['reason']}", "yellow")
    return text


def _chance(row: Mapping[str, Any]) -> list[str]:
    said: list[str] = []
    if row["expected_p95"] is not None:
        said.append(f"without any change it would stay below {number(row['expected_p95'])} in 95 of 100 windows")
    if row["p_value"] is not None:
        q_value = f", q = {number(row['q_value'])} over the signal's groups" if row["q_value"] is not None else ""
        said.append(f"p = {number(row['p_value'])}{q_value}")
    if row["interval_low"] is not None and row["interval_high"] is not None:
        said.append(f"95 % interval {number(row['interval_low'])} to {number(row['interval_high'])}")
    return ["; ".join(said)] if said else []


def _rows(row: Mapping[str, Any]) -> str:
    said = f"{number(row['row_count'])} rows of {span(row['window_start'], row['window_end'])}"
    if row["baseline_row_count"] is None:
        return said
    of = f" of {span(row['baseline_start'], row['baseline_end'])}" if row["baseline_start"] else ""
    return f"{said} against {number(row['baseline_row_count'])} in the baseline{of}"
