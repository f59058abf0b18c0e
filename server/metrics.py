"""How the server does, in Prometheus' words: counted from the database when somebody asks, whoever's process it was."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from server.database import Database
from server.loaded import Loaded
from server.outbox import DeliveryState
from server.queue import Origin, State
from server.runs import OWN_CLAIMS
from server.tables import Alert, Application, Claim, Delivery, MonitorRecord
from signals.alerting import AlertState

__all__ = ["exposition"]


class _Counts:
    """What the database says, as a collector of Prometheus' library."""

    def __init__(self, database: Database, now: datetime, upcoming: datetime | None, loaded: Loaded) -> None:
        self.database, self.now, self.upcoming, self.loaded = database, now, upcoming, loaded

    def collect(self) -> Iterator[Metric]:
        with self.database.reading() as session:
            yield from _runs(session)
            yield from _lags(session, self.now)
            yield from _deliveries(session)
            yield from _alerts(session)
            yield from _latest(session)
        yield from _watched(self.loaded, self.now)
        if self.upcoming is not None:
            until = (self.upcoming - self.now).total_seconds()
            yield GaugeMetricFamily("driftline_next_due_seconds", "Seconds until something is due.", value=until)


def exposition(database: Database, now: datetime, upcoming: datetime | None, loaded: Loaded) -> bytes:
    """The text that Prometheus scrapes.

    Args:
        database: the registry.
        now: what the clock says.
        upcoming: when something is due next.
        loaded: what this process watches, and what it cannot.

    Raises:
        RegistryError: the database cannot be reached.
    """
    collected = CollectorRegistry(auto_describe=False)
    collected.register(_Counts(database, now, upcoming, loaded))  # type: ignore[arg-type] - it has `collect`
    return generate_latest(collected)


def _runs(session: Session) -> Iterator[Metric]:
    counted = session.execute(select(Application.state, func.count()).group_by(Application.state))
    yield _by_state("driftline_runs", "Runs that are known, by state.", State, counted)
    oldest = session.scalar(select(func.min(Application.not_before)).where(Application.state == "queued"))
    depth = session.scalar(select(func.count()).select_from(Application).where(Application.state == "queued")) or 0
    yield GaugeMetricFamily("driftline_queue_depth", "Runs that wait to be started.", value=depth)
    if oldest is not None:
        at = oldest.timestamp()
        yield GaugeMetricFamily("driftline_queue_oldest_timestamp_seconds", "Since when the oldest waits.", value=at)


def _lags(session: Session, now: datetime) -> Iterator[Metric]:
    lag = GaugeMetricFamily(
        "driftline_monitor_lag_seconds",
        "How long ago the oldest time was at which a monitor was due and that is not evaluated yet; 0: none is open.",
        labels=["monitor"],
    )
    waiting = (
        select(Claim.monitor_id, func.min(Claim.scheduled_for))
        .join(Application, OWN_CLAIMS)
        .where(Application.state.in_(["queued", "running"]), Application.origin == Origin.SCHEDULE)
        .group_by(Claim.monitor_id)
    )
    open_since = {row[0]: row[1] for row in session.execute(waiting)}
    for number, name in session.execute(select(MonitorRecord.id, MonitorRecord.name)):
        since = open_since.get(number)
        lag.add_metric([name], (now - since).total_seconds() if since else 0)
    yield lag


def _watched(loaded: Loaded, now: datetime) -> Iterator[Metric]:
    broken = GaugeMetricFamily(
        "driftline_monitor_broken", "1: its definition cannot be loaded, and it is not evaluated.", labels=["monitor"]
    )
    paused = GaugeMetricFamily(
        "driftline_monitor_in_downtime", "1: what is due now is not evaluated.", labels=["monitor"]
    )
    for name in (*loaded.monitors, *loaded.broken):
        broken.add_metric([name], name in loaded.broken)
    for name, monitor in loaded.monitors.items():
        paused.add_metric([name], monitor.downtime is not None and monitor.downtime.until(now) is not None)
    yield broken
    yield paused


def _deliveries(session: Session) -> Iterator[Metric]:
    counted = session.execute(select(Delivery.state, func.count()).group_by(Delivery.state))
    yield _by_state("driftline_deliveries", "Messages, by state.", DeliveryState, counted)


def _by_state(name: str, text: str, states: type[StrEnum], counted: Iterable[Row[str, int]]) -> Metric:
    """Counts of every state, also of those that nothing is in: the first failure is a rise, from 0."""
    found, family = {row[0]: row[1] for row in counted}, GaugeMetricFamily(name, text, labels=["state"])
    for state in states:
        family.add_metric([state], found.get(state, 0))
    return family


def _alerts(session: Session) -> Iterator[Metric]:
    triggered = GaugeMetricFamily(
        "driftline_triggered_checks", "Checks with an alert that goes on.", labels=["monitor", "signal"]
    )
    found = (
        select(MonitorRecord.name, Alert.signal, func.count())
        .join(MonitorRecord, MonitorRecord.id == Alert.monitor_id)
        .where(Alert.state == AlertState.TRIGGERED)
        .group_by(MonitorRecord.name, Alert.signal)
    )
    for monitor, signal, count in session.execute(found):
        triggered.add_metric([monitor, signal], count)
    yield triggered


def _latest(session: Session) -> Iterator[Metric]:
    """Of each monitor's latest run with results: how long it took, and what breached."""
    took = GaugeMetricFamily(
        "driftline_run_duration_seconds", "How long the latest run of a monitor took.", labels=["monitor"]
    )
    breached = GaugeMetricFamily(
        "driftline_breached_checks",
        "Checks that breached in the latest run, whether they alert or not.",
        labels=["monitor", "signal"],
    )
    runs = (
        select(MonitorRecord.name, MonitorRecord.breached, Application.started_at, Application.finished_at)
        .join(Claim, (Claim.monitor_id == MonitorRecord.id) & (Claim.scheduled_for == MonitorRecord.evaluated_for))
        .join(Application, Application.id == Claim.application_id)
    )
    for monitor, by_signal, started, finished in session.execute(runs):
        if started and finished:
            took.add_metric([monitor], (finished - started).total_seconds())
        for signal, count in (by_signal or {}).items():
            breached.add_metric([monitor, signal], count)
    yield took
    yield breached
