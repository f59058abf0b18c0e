"""Runs as people ask for them: which there were, how they ended, and again."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.errors import RegistryError
from server.tables import Application, Claim, MonitorRecord

__all__ = ["OWN_CLAIMS", "RunView", "find_run", "list_runs"]

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
        select(Application, MonitorRecord.name, MonitorRecord.id)
        .join(Claim, OWN_CLAIMS)
        .join(MonitorRecord, MonitorRecord.id == Claim.monitor_id)
        .order_by(Application.scheduled_for.desc(), MonitorRecord.name)
        .limit(limit)
    )
    if monitor is not None:
        asked = asked.where(MonitorRecord.name == monitor)
    if state is not None:
        asked = asked.where(Application.state == state)
    if time is not None:
        asked = asked.where(Application.scheduled_for == time)
    return [_view(application, name, number) for application, name, number in session.execute(asked)]


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


def _view(each: Application, monitor: str, number: int) -> RunView:
    return RunView(
        each.id,
        monitor,
        number,
        each.scheduled_for,
        each.state,
        each.origin,
        each.attempt,
        each.owner,
        each.started_at,
        each.finished_at,
        each.not_before,
        each.exit_code,
        each.error,
        each.log,
    )
