"""The registry's monitors as a scheduler needs them: when they are due, and in which files their definitions are."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from engine.definitions import load_all
from engine.downtime import interrupted
from engine.errors import Problem
from engine.monitor import Monitor
from server.database import Database
from server.desired import Desired
from server.due import Watched
from server.queue import Queue
from server.registry import Registry
from server.tables import AuditEntry, MonitorRecord, Organization, Space
from server.workspace import Workspace

__all__ = ["Watching"]

IN_USE = timedelta(days=1)
"""A run that was started reads its definition soon."""


@dataclass
class Watching:
    """What is watched, read again when something in the registry has changed.

    Attributes:
        database, queue: the registry and its runs.
        workspace: where definitions are written as files.
        monitors: by name; those that are disabled, or whose definition is wrong, are not among them.
        problems: what is wrong with definitions: each was right when it was applied, but a file that it needs may be
            gone since.
    """

    database: Database
    queue: Queue
    workspace: Workspace
    monitors: dict[str, Monitor] = field(default_factory=dict[str, Monitor])
    problems: Sequence[Problem] = ()
    _version: int = -1

    def changed(self, now: datetime) -> list[Watched] | None:
        """What is to be watched from now on; None where that is the same as before."""
        with self.database.reading() as session:
            version = session.scalar(select(func.coalesce(func.max(AuditEntry.id), 0))) or 0
            if version == self._version:
                return None
            spaces = {
                name: Registry(session, "scheduler", now, name).current()
                for name in session.scalars(select(Space.name).join(Organization))
            }
            records = list(session.scalars(select(MonitorRecord).where(MonitorRecord.enabled)))
        self._read(spaces, {record.name for record in records})
        self.workspace.keep_only([*spaces.values()], now - IN_USE)
        claimed = self.queue.claimed_until()
        self._version = version
        return [
            Watched(
                record.id,
                record.name,
                record.model,
                interrupted(self.monitors[record.name].trigger, self.monitors[record.name].downtime),
                max(record.watched_since, claimed.get(record.id, record.watched_since)),
            )
            for record in records
            if record.name in self.monitors
        ]

    def files(self, monitors: Sequence[str]) -> list[Path]:
        """The files of these monitors' definitions; of one that has none any more, none."""
        found = (self.monitors[name].path for name in monitors if name in self.monitors)
        return [path for path in found if path is not None]

    def _read(self, spaces: dict[str, Desired], enabled: set[str]) -> None:
        self.monitors, problems = {}, list[Problem]()
        for space in spaces.values():
            names = sorted(enabled & set(space.monitors))
            found, wrong = load_all(self.workspace.files(space, names))
            self.monitors |= {monitor.name: monitor for monitor in found}
            problems += wrong
        self.problems = tuple(problems)
