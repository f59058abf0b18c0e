"""What of a run people are to be told: checks that begin to breach, go on, or have recovered. Pure but for rows.

A run that failed is a check of its own, so that it is told once, and its recovery too.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from engine.monitor import Monitor
from engine.results import AGGREGATE
from signals.alerting import Notice, Seen, Standing, after
from signals.thresholds import Operator

__all__ = ["RUN", "Check", "Told", "notices_of"]

RUN = "run"
"""The metric of the check whether a monitor could be evaluated at all."""

Row = Mapping[str, Any]
"""A row of `signal_metrics`; `details` may be left out."""


class Check(NamedTuple):
    """What tells a monitor's checks apart, from one run to the next."""

    signal: str
    group: str
    dimension: str
    metric: str


@dataclass(frozen=True)
class Told:
    """One check that people are told of.

    Attributes:
        notice: why.
        row: its row; of a failed run its record.
        since: the scheduled time of the first of the breaches that began its alert.
    """

    notice: Notice
    check: Check
    row: Row
    since: datetime


@dataclass(frozen=True)
class Outcome:
    """What came of a run.

    Attributes:
        standings: how its checks stand now.
        told: what is to be told, the worst first.
    """

    standings: Mapping[Check, Standing]
    told: Sequence[Told]


def notices_of(
    monitor: Monitor,
    run: Row,
    rows: Sequence[Row],
    standings: Mapping[Check, Standing],
    *,
    silent: bool = False,
) -> Outcome:
    """How the checks of a run stand after it, and what is to be told.

    Args:
        monitor: says which of its signals alert, and by which rule.
        run: its record in `runs`.
        rows: its rows in `signal_metrics`.
        standings: how checks stood before; those that are new are not among them.
        silent: nothing is told.
    """
    found: dict[Check, Standing] = {}
    told: list[Told] = []
    for check, seen, row in _seen(monitor, run, rows):
        before = standings.get(check, Standing())
        found[check], notice = after(before, seen, monitor.alerting, silent=silent)
        if notice is not None:
            told.append(Told(notice, check, row, found[check].since or before.since or seen.time))
    return Outcome(found, sorted(told, key=_order))


def _seen(monitor: Monitor, run: Row, rows: Sequence[Row]) -> Iterator[tuple[Check, Seen, Row]]:
    time: datetime = run["scheduled_for"]
    yield Check("", monitor.name, AGGREGATE, RUN), Seen(time, run["error"] is not None), run
    alerting: Collection[str] = {signal.name for signal in monitor.signals if signal.alert_enabled}
    for row in rows:
        if row["signal"] in alerting:
            check = Check(row["signal"], row["group"], row["group_dimension"] or AGGREGATE, row["metric_name"])
            yield check, Seen(time, row["breached"], _clear(row)), row


def _clear(row: Row) -> bool:
    bound = (row.get("details") or {}).get("clear")
    if bound is None or row["metric_value"] is None or row["operator"] is None:
        return True
    return not Operator(row["operator"]).holds(row["metric_value"], bound)


ORDER = {Notice.TRIGGERED: 0, Notice.STILL: 1, Notice.RECOVERED: 2}


def _order(told: Told) -> tuple[int, float, Check]:
    """What begins before what goes on before what has ended; in each, what is farthest beyond its threshold first."""
    return ORDER[told.notice], -_excess(told.row), told.check


def _excess(row: Row) -> float:
    value, bound = row.get("metric_value"), row.get("threshold_value")
    if value is None or bound is None:
        return float("inf")
    return abs(value - bound) / abs(bound) if bound else abs(value)
