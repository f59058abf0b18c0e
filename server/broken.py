"""A definition that cannot be loaded any more is told like a run that failed: once, and its recovery too."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select

from engine.errors import Problem
from engine.monitor import Monitor
from engine.store import Store
from engine.triggers import Frequency, Recurrence, Trigger
from server.contacts import contacts_in
from server.database import Database
from server.links import Link
from server.tables import MonitorRecord, MonitorVersion
from server.telling import tell

__all__ = ["tell_broken"]

LATEST_TEXT = select(MonitorVersion.text).join(
    MonitorRecord, (MonitorRecord.id == MonitorVersion.monitor_id) & (MonitorRecord.version == MonitorVersion.number)
)


def tell_broken(
    database: Database, store: Store, link: Link | None, broken: Mapping[str, Sequence[Problem]], now: datetime
) -> None:
    """Tell the contacts of monitors that cannot be loaded, as far as their definitions' texts name any.

    Raises:
        RegistryError, StoreError: somebody could not be told; doing it again tells nobody twice.
    """
    for name, problems in broken.items():
        error = "\n".join(["its definition cannot be loaded any more:", *map(str, problems)])
        with database.reading() as session:
            contacts = contacts_in(session.scalar(LATEST_TEXT.where(MonitorRecord.name == name)) or "")
        # Nothing but its name and its contacts is known, and nothing else is asked of it.
        trigger = Trigger(Recurrence(Frequency.DAY))
        known = Monitor(name, (), trigger, emails=contacts.emails, integrations=contacts.integrations)
        tell(database, store, known, now, now=now, error=error, link=link)
