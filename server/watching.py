"""The registry's monitors as a scheduler needs them: when they are due, and in which files their definitions are."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from engine.downtime import interrupted
from engine.errors import Problem
from engine.monitor import Monitor
from server.changes import Kind
from server.database import Database
from server.desired import Desired
from server.due import Watched
from server.loaded import Loaded, load
from server.queue import Queue
from server.registry import held_in
from server.tables import AuditEntry, MonitorRecord, Space
from server.workspace import Workspace

__all__ = ["Watching"]

LATEST_CHANGE = select(func.coalesce(func.max(AuditEntry.id), 0)).where(AuditEntry.kind.in_([*Kind]))
"""Keys, integrations and runs by hand change nothing that is watched."""
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
    _spaces: Sequence[Desired] = ()
    _disabled: Collection[str] = ()

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
            self._spaces = [held_in(session, space) for space in session.scalars(select(Space.id))]
            records = list(session.scalars(select(MonitorRecord).where(MonitorRecord.enabled)))
            self._disabled = set(session.scalars(select(MonitorRecord.name).where(~MonitorRecord.enabled)))
        self.loaded = load(self._spaces, {record.name for record in records}, self.workspace)
        self.workspace.keep_only(self._spaces, now - IN_USE)
        self._version = version
        return [
            Watched(each.id, each.name, each.model, interrupted(found.trigger, found.downtime), each.watched_since)
            for each in records
            if (found := self.monitors.get(each.name))
        ]

    def look_again(self) -> None:
        """Read everything at the next step, although nothing in the registry has changed."""
        self._version = None

    def files(self, monitors: Sequence[str]) -> tuple[list[Path], Mapping[str, str]]:
        """The files of these monitors' definitions; and of those that cannot be evaluated, why.

        They are loaded again: what else a definition needs may be gone since.
        """
        again = load(self._spaces, self.monitors.keys() & set(monitors), self.workspace)
        broken = {**self.loaded.broken, **again.broken}
        why = {name: self._why(name, broken) for name in monitors if name not in again.monitors}
        return [found.path for found in again.monitors.values() if found.path], why

    def _why(self, name: str, broken: Mapping[str, Sequence[Problem]]) -> str:
        if name in broken:
            return f"skipped: its definition is wrong: {broken[name][0]}"
        return f"skipped: its monitor is {'disabled' if name in self._disabled else 'deleted'}"
