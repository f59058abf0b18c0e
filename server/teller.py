"""Tells people of runs as they end; see `server.telling`."""

import logging
from dataclasses import dataclass
from datetime import datetime

from engine.store import Store
from server.database import Database
from server.lineage_sinks import Lineage
from server.queue import Ending, Task
from server.telling import Picture, tell
from server.watching import Watching

__all__ = ["Teller"]

log = logging.getLogger("driftline.server")


@dataclass(frozen=True)
class Teller:
    """What is done when a run has ended.

    Attributes:
        database: the registry, with alerts and the outbox.
        store: where results are.
        watching: the monitors' definitions.
        picture: draws the worst of what is told.
        lineage: hears of every run, too; None: nobody does.
    """

    database: Database
    store: Store
    watching: Watching
    picture: Picture | None = None
    lineage: Lineage | None = None

    def ended(self, task: Task, ending: Ending, now: datetime) -> None:
        """Tell of each monitor of a run.

        Raises:
            RegistryError, StoreError: it cannot be told now; the run is not written down as ended, and tried again.
        """
        for name in task.monitors:
            monitor = self.watching.monitors.get(name)
            if monitor is None:  # it was deleted meanwhile
                continue
            with self.database.session() as session:
                found = tell(session, self.store, monitor, task.time, now=now, error=ending.error, picture=self.picture)
            if found:
                log.info("%s: %s messages", name, found)
            if self.lineage is not None:
                self.lineage.ended(name, task.time, ending.error, now)
