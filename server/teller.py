"""Tells people of runs as they end; see `server.telling`."""

import logging
from dataclasses import dataclass
from datetime import datetime

from engine.errors import DriftlineError
from engine.store import Store
from engine.wording import moment
from server.database import Database
from server.lineage_sinks import Lineage
from server.links import Link
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
        link: where messages lead.
        lineage: hears of every run, too; None: nobody does.
    """

    database: Database
    store: Store
    watching: Watching
    picture: Picture | None = None
    link: Link | None = None
    lineage: Lineage | None = None

    def ended(self, task: Task, ending: Ending, now: datetime) -> None:
        """Tell of each monitor of a run.

        Raises:
            RegistryError, StoreError: it cannot be told now; the run is not written down as ended, and tried again.
        """
        known = {name: self.watching.monitors.get(name) for name in task.monitors}
        monitors = [monitor for monitor in known.values() if monitor is not None]
        for name in (name for name, monitor in known.items() if monitor is None):
            log.info("%s of %s: deleted, disabled or broken meanwhile: nobody is told", name, moment(task.time))
        trouble: DriftlineError | None = None
        for monitor in monitors:
            try:
                tell(
                    self.database,
                    self.store,
                    monitor,
                    task.time,
                    now=now,
                    error=ending.error,
                    picture=self.picture,
                    link=self.link,
                )
            except DriftlineError as error:  # the others are told all the same
                trouble = trouble or error
            except Exception:  # a bug: it would be there at every step, and nothing else would go on
                log.exception("%s: its run of %s cannot be told", monitor.name, task.time.isoformat())
        if trouble:
            raise trouble
        if self.lineage is not None:  # only now: an event is sent once, and this may be tried again
            for monitor in monitors:
                self.lineage.ended(monitor.name, task.time, ending.error, now)
