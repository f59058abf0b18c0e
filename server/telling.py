"""From a run that was evaluated to messages in the outbox: how its checks stand now, and who is told of it.

All of it is one transaction, and doing it again changes nothing: a crash in between loses nothing, and tells nothing
twice. What takes long is done before it: the store is read, and the picture drawn.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.events import run_status_changed
from engine.monitor import Monitor
from engine.records import run_id_of
from engine.results import Run, RunStatus
from engine.store import Store
from engine.wording import moment, plural
from server.database import Database
from server.links import Link
from server.message import Message
from server.messages import message_of
from server.notices import Check, Outcome, Row, Told, notices_of
from server.outbox import EMAIL, Parcel, enqueue
from server.rows import run_rows
from server.tables import Alert, MonitorRecord
from signals.alerting import Seen, Standing

__all__ = ["Picture", "parcels_of", "tell"]

log = logging.getLogger("driftline.server")

Picture = Callable[[Store, Sequence[Told]], bytes | None]
"""Draws the worst of what is told."""


def tell(
    database: Database,
    store: Store,
    monitor: Monitor,
    time: datetime,
    *,
    now: datetime,
    error: str | None = None,
    picture: Picture | None = None,
    link: Link | None = None,
) -> int:
    """Bring the alerts of a monitor up to a run, and put what is to be told into the outbox.

    Args:
        database: the registry.
        store: where the run's rows are.
        monitor: what was evaluated.
        time: its scheduled time.
        now: what the clock says.
        error: why the run's process failed, for a run that the store knows nothing of.
        picture: draws the worst of what is told.
        link: where more is to be seen.

    Returns:
        How many messages are new.
    """
    found = run_rows(store, monitor.name, time)
    if found is None and error is None:
        return 0
    run, rows = found or (_lost(monitor, time, error or "", now), ())
    drawn, expected = None, ()
    if picture is not None:
        with database.reading() as session:
            before = _before(session, monitor, now)
        expected = before.after(monitor, run, rows).told if before else ()
        drawn = picture(store, expected) if expected else None
    with database.session() as session:
        before = _before(session, monitor, now, lock=True)
        if before is None:
            return 0
        outcome = before.after(monitor, run, rows)
        _keep(session, before, outcome, rows, now)
        if found is not None:
            _count(before.record, time, rows)
        messages = 0
        if outcome.told:
            shown = drawn if outcome.told == expected else None
            message = message_of(monitor, run, outcome.told, picture=shown, link=link)
            messages = enqueue(session, parcels_of(monitor, message, time), now)
    _say(monitor, run, rows, messages)
    return messages


@dataclass(frozen=True)
class _Before:
    """What the registry knows of a monitor's checks before a run is told."""

    record: MonitorRecord
    alerts: Mapping[Check, Alert]
    muted: bool

    def after(self, monitor: Monitor, run: Row, rows: Sequence[Row]) -> Outcome:
        standings = {check: _standing(alert.standing) for check, alert in self.alerts.items()}
        return notices_of(monitor, run, rows, standings, silent=self.muted)


def _before(session: Session, monitor: Monitor, now: datetime, *, lock: bool = False) -> _Before | None:
    """None: there is no such monitor any more."""
    asked = select(MonitorRecord).where(MonitorRecord.name == monitor.name)
    record = session.scalar(asked.with_for_update() if lock else asked)
    if record is None:
        return None
    held = session.scalars(select(Alert).where(Alert.monitor_id == record.id))
    return _Before(record, {_check(each): each for each in held}, _muted(record, now))


def _keep(session: Session, before: _Before, outcome: Outcome, rows: Sequence[Row], now: datetime) -> None:
    values = {_check_of(row): row["metric_value"] for row in rows}
    for check, standing in outcome.standings.items():
        alert = before.alerts.get(check) or _new(session, before.record.id, check)
        alert.state, alert.since, alert.standing = standing.state.value, standing.since, _plain(standing)
        alert.value, alert.updated_at = values.get(check), now


def _count(record: MonitorRecord, time: datetime, rows: Sequence[Row]) -> None:
    """Write down how many checks breached in the latest run; an older one that is evaluated again changes nothing."""
    if record.evaluated_for is None or record.evaluated_for <= time:
        breached = Counter({row["signal"]: 0 for row in rows})
        breached.update(row["signal"] for row in rows if row["breached"])
        record.evaluated_for, record.breached = time, dict(breached)


def parcels_of(monitor: Monitor, message: Message, time: datetime) -> list[Parcel]:
    """The message for each of the monitor's contacts."""
    addresses = [(EMAIL, each) for each in monitor.emails] + [("integration", each) for each in monitor.integrations]
    return [
        Parcel(f"{monitor.name}/{time:%Y-%m-%dT%H:%M:%SZ}/{channel}/{address}", channel, address, message)
        for channel, address in dict.fromkeys(addresses)
    ]


def _lost(monitor: Monitor, time: datetime, error: str, now: datetime) -> Row:
    """The record of a run whose process left none."""
    run = Run(
        run_id=run_id_of(monitor, time, 0),
        monitor=monitor.name,
        scheduled_for=time,
        status=RunStatus.FAILED,
        started_at=now,
        finished_at=now,
        error=error,
    )
    event = run_status_changed(monitor, run, ())
    nothing = {"window_start": None, "window_end": None}
    return {"run_id": run.run_id, "scheduled_for": time, "error": error, "event": event, **nothing}


def _say(monitor: Monitor, run: Row, rows: Sequence[Row], messages: int) -> None:
    """Write into the log what became of a run."""
    start, end, called = run["window_start"], run["window_end"], f"{monitor.name} of {moment(run['scheduled_for'])}"
    about = {
        "monitor": monitor.name,
        "scheduled_for": run["scheduled_for"].isoformat(),
        "window": f"{start.isoformat()}/{end.isoformat()}" if start else None,
        "run_id": run["run_id"],
    }
    if run["error"] is not None:
        log.error("%s failed: %s; %s", called, run["error"], plural(messages, "message"), extra=about)
        return
    breached = f"{sum(bool(row['breached']) for row in rows)} of {plural(len(rows), 'check')} breached"
    log.info("%s is evaluated: %s; %s", called, breached, plural(messages, "message"), extra=about)


def _muted(record: MonitorRecord, now: datetime) -> bool:
    return record.muted and (record.muted_until is None or now < record.muted_until)


def _check(alert: Alert) -> Check:
    return Check(alert.signal, alert.group, alert.dimension, alert.metric)


def _check_of(row: Row) -> Check:
    return Check(row["signal"], row["group"], row["group_dimension"] or "aggregate", row["metric_name"])


def _new(session: Session, monitor: int, check: Check) -> Alert:
    alert = Alert(
        monitor_id=monitor, signal=check.signal, group=check.group, dimension=check.dimension, metric=check.metric
    )
    session.add(alert)
    return alert


# --------------------------------------------------------------------------------------------- a standing as JSON


def _plain(standing: Standing) -> dict[str, Any]:
    return {
        "recent": [[each.time.isoformat(), each.breached, each.clear] for each in standing.recent],
        "latest": _text(standing.latest),
        "judged": standing.judged,
        "since": _text(standing.since),
        "told": _text(standing.told),
    }


def _standing(kept: Mapping[str, Any]) -> Standing:
    recent = tuple(Seen(datetime.fromisoformat(time), breached, clear) for time, breached, clear in kept["recent"])
    return Standing(recent, _time(kept["latest"]), kept["judged"], _time(kept["since"]), _time(kept["told"]))


def _text(time: datetime | None) -> str | None:
    return time.isoformat() if time else None


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
