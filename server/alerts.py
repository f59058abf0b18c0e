"""How checks stand: which alerts go on, since when, and at which value."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.places import the_space
from server.tables import Alert, MonitorRecord
from signals.alerting import AlertState

__all__ = ["AlertView", "list_alerts"]

ORDER = [AlertState.TRIGGERED, AlertState.NO_DATA, AlertState.CLEARED]


@dataclass(frozen=True)
class AlertView:
    """A check's alert; see `signals.alerting`.

    Attributes:
        check: the feature or group that it is about; of the check whether it could be evaluated, the monitor.
        segment: which rows; ``aggregate``: all.
        since: when the alert began that goes on.
        value: of the latest evaluation; None where it could not be judged.
        updated: when it was last looked at.
    """

    monitor: str
    signal: str | None
    check: str
    segment: str
    metric: str
    state: str
    since: datetime | None
    value: float | None
    updated: datetime


def list_alerts(session: Session, space: str | None, monitor: str | None, state: AlertState | None) -> list[AlertView]:
    """Those of a space, or of all, that go on first, the oldest of them first.

    Raises:
        RegistryError: there is no such space.
    """
    found = select(Alert, MonitorRecord.name).join(MonitorRecord, MonitorRecord.id == Alert.monitor_id)
    if space is not None:
        found = found.where(MonitorRecord.space_id == the_space(session, space).id)
    if monitor is not None:
        found = found.where(MonitorRecord.name == monitor)
    if state is not None:
        found = found.where(Alert.state == state)
    views = [
        AlertView(
            name,
            each.signal or None,
            each.group,
            each.dimension,
            each.metric,
            each.state,
            each.since,
            each.value,
            each.updated_at,
        )
        for each, name in session.execute(found)
    ]
    return sorted(views, key=_order)


def _order(view: AlertView) -> tuple[int, float, str, str, str, str, str]:
    since = view.since.timestamp() if view.since else 0
    place = (view.monitor, view.signal or "", view.check, view.segment, view.metric)
    return ORDER.index(AlertState(view.state)), since, *place
