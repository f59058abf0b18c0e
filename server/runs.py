"""Runs as people ask for them: which there were, how they ended, and again."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from engine.wording import moment
from server.database import Database
from server.errors import RegistryError
from server.queue import Queue, State
from server.registry import Registry
from server.tables import Application, Claim, MonitorRecord

__all__ = ["OWN_CLAIMS", "RunView", "find_run", "list_runs", "trigger_run"]

OWN_CLAIMS = (Claim.scheduled_for == Application.scheduled_for) & (Claim.application_id == Application.id)
"""Joins claims to their application by the key that claims have."""


@dataclass(frozen=True)
class RunView:
    """A monitor's run; see `server.tables.Application`, which may be several monitors'."""

    id: int
    monitor: str
    monitor_id: int
    scheduled_for: datetime
    state: str
    origin: str
    attempt: int
    owner: str | None
    started_at: datetime | None
    finished_at: datetime | None
    not_before: datetime
    exit_code: int | None
    error: str | None
    log: str | None


def list_runs(
    session: Session, monitor: str | None, state: str | None, limit: int, *, time: datetime | None = None
) -> list[RunView]:
    """The latest runs first; of that monitor, in that state, for that scheduled time."""
    asked = (
        select(Application, MonitorRecord.name, MonitorRecord.id, Claim.skipped)
        .join(Claim, OWN_CLAIMS)
        .join(MonitorRecord, MonitorRecord.id == Claim.monitor_id)
        .order_by(Application.scheduled_for.desc(), MonitorRecord.name)
        .limit(limit)
    )
    if monitor is not None:
        asked = asked.where(MonitorRecord.name == monitor)
    if state is not None:
        skipped = Claim.skipped.is_not(None)
        as_a_whole = Application.state == state
        asked = asked.where(or_(as_a_whole, skipped) if state == State.SKIPPED else and_(as_a_whole, ~skipped))
    if time is not None:
        asked = asked.where(Application.scheduled_for == time)
    return [_view(*row) for row in session.execute(asked)]


def find_run(session: Session, monitor: str, time: datetime | None) -> RunView:
    """A monitor's run for a scheduled time, or its latest one.

    Raises:
        RegistryError: there is none.
    """
    found = list_runs(session, monitor, None, 1, time=time)
    if not found:
        when = f" for {time.isoformat()}" if time else ""
        raise RegistryError(f"no run of {monitor!r}{when} is known here: driftline runs list")
    return found[0]


def trigger_run(database: Database, monitor: str, time: datetime | None, now: datetime, actor: str) -> datetime:
    """Queue a monitor's run by hand; a scheduler takes it at its next step, like any other.

    Args:
        database: the registry.
        monitor: its name.
        time: the scheduled time; None: that of its latest run, or this minute, where there was none.
        now: what the clock says.
        actor: who asks, for the audit log.

    Returns:
        The scheduled time.

    Raises:
        RegistryError: there is no such monitor, it is disabled, or that time is still to come.
    """
    with database.reading() as session:
        record = session.scalar(select(MonitorRecord).where(MonitorRecord.name == monitor))
        latest = list_runs(session, monitor, None, 1)
    if record is None:
        raise RegistryError(f"no monitor is named {monitor!r}: driftline monitors list")
    if not record.enabled:
        raise RegistryError(f"{monitor!r} is disabled, and so is not evaluated: driftline monitors enable {monitor}")
    found = time or (latest[0].scheduled_for if latest else now.replace(second=0, microsecond=0))
    if found > now:  # a time is evaluated once: its data is not there yet, and later it would not be due
        raise RegistryError(f"{moment(found)} is still to come: what is due then is evaluated then")
    Queue(database, "").again(record.id, found, now)
    with database.session() as session:
        Registry(session, actor, now).log("trigger", "run", monitor, None, {"scheduled_for": found.isoformat()})
    return found


def _view(each: Application, monitor: str, number: int, skipped: str | None) -> RunView:
    return RunView(
        each.id,
        monitor,
        number,
        each.scheduled_for,
        State.SKIPPED if skipped else each.state,
        each.origin,
        each.attempt,
        each.owner,
        each.started_at,
        each.finished_at,
        each.not_before,
        None if skipped else each.exit_code,
        skipped or each.error,
        each.log,
    )
