"""The registry's monitors as a scheduler needs them: when they are due, and in which files their definitions are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from engine.downtime import interrupted
from engine.monitor import Monitor
from server.database import Database
from server.due import Watched
from server.loaded import Loaded, load
from server.queue import Queue
from server.registry import held_in
from server.tables import AuditEntry, MonitorRecord, Space
from server.workspace import Workspace

__all__ = ["Watching"]

LATEST_CHANGE = select(func.coalesce(func.max(AuditEntry.id), 0))
IN_USE = timedelta(days=1)
"""A run that was started reads its definition soon."""


@dataclass
class Watching:
    """What is watched, read again when something in the registry has changed.

    Attributes:
        database, queue: the registry and its runs.
        workspace: where definitions are written as files.
        loaded: those that are enabled.
    """

    database: Database
    queue: Queue
    workspace: Workspace
    loaded: Loaded = field(default_factory=Loaded)
    _version: int | None = None

    @property
    def monitors(self) -> Mapping[str, Monitor]:
        """By name those that are watched."""
        return self.loaded.monitors

    def changed(self, now: datetime) -> list[Watched] | None:
        """What is to be watched from now on; None where that is the same as before."""
        with self.database.reading() as session:
            version = session.scalar(LATEST_CHANGE)
            if version == self._version:
                return None
        self.queue.note()
        with self.database.reading() as session:
            version = session.scalar(LATEST_CHANGE)
            spaces = [held_in(session, space) for space in session.scalars(select(Space.id))]
            records = list(session.scalars(select(MonitorRecord).where(MonitorRecord.enabled)))
        self.loaded = load(spaces, {record.name for record in records}, self.workspace)
        self.workspace.keep_only(spaces, now - IN_USE)
        self._version = version
        return [
            Watched(each.id, each.name, each.model, interrupted(found.trigger, found.downtime), each.watched_since)
            for each in records
            if (found := self.monitors.get(each.name))
        ]

    def files(self, monitors: Sequence[str]) -> list[Path]:
        """The files of these monitors' definitions; of one that has none any more, none."""
        found = (self.monitors[name].path for name in monitors if name in self.monitors)
        return [path for path in found if path is not None]
