"""The whole of a scheduler's process: what changed is read, what is due is run, what is to be told is sent.

Each part may fail on its own (a database that restarts, a full disk): the others go on, and the next step does what
was left.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from engine.errors import DriftlineError, Problem
from engine.wording import plural
from server.launcher import forget_logs
from server.outbox import Outbox
from server.pulse import Pulse
from server.scheduler import Scheduler
from server.watching import Watching

__all__ = ["Service"]

log = logging.getLogger("driftline.server")

AGAIN = timedelta(minutes=1)
"""How soon trouble that goes on is said again: a step is a second, and the log may be on the disk that is full."""


@dataclass
class Service:
    """Steps of one process.

    Attributes:
        watching: the registry's monitors.
        scheduler: their runs.
        broken: tells of definitions that cannot be loaded any more, by the monitors' names.
        outbox: messages on their way; None: nothing is sent.
        pulse: tells others when the last step was.
        logs: the folder of the runs' output; None: there is none.
        keep_runs: how long records of runs and messages are kept, and the runs' output.
    """

    watching: Watching
    scheduler: Scheduler
    outbox: Outbox | None = None
    broken: Callable[[Mapping[str, Sequence[Problem]], datetime], None] = lambda _broken, _now: None
    logs: Path | None = None
    keep_runs: timedelta = timedelta(days=400)
    pulse: Pulse = field(default_factory=Pulse)
    _untold: Mapping[str, Sequence[Problem]] = field(default_factory=dict[str, Sequence[Problem]])
    _said: dict[str, datetime] = field(default_factory=dict[str, datetime])

    def __post_init__(self) -> None:
        self.pulse.timetable = self.scheduler.timetable

    def step(self, now: datetime) -> None:
        """Do what can be done at this time."""
        parts: list[Callable[[datetime], object]] = [self._watch, self.scheduler.step]
        went_well = [self._tried(part, now) for part in parts]  # each, whatever became of the others
        self.pulse.beat(now, well=all(went_well))

    def send(self, now: datetime) -> None:
        """Send what is to be sent; beside the steps, because a receiver may take its time."""
        if self.outbox is not None:
            self._tried(self.outbox.step, now)

    def stop_sending(self) -> None:
        """Let sending end after the message that is on its way."""
        if self.outbox is not None:
            self.outbox.stopped = True

    def finish(self, now: datetime) -> None:
        """Write down what has ended, and start nothing."""
        self._tried(self.scheduler.finish, now)

    def stop(self) -> None:
        """Hand over what goes on."""
        self.scheduler.stop()

    def tidy(self, now: datetime) -> None:
        """Note what was done, so that a start need not look through much of it, and forget what is old.

        What could not be loaded is looked at again: the file that it needs may be there by now.
        """
        if self.watching.loaded.broken:
            self.watching.look_again()
        self._tried(self._forget, now)

    def _forget(self, now: datetime) -> None:
        self.scheduler.queue.note()
        self.scheduler.queue.forget(now - self.keep_runs)
        if self.outbox is not None:
            self.outbox.forget(now - self.keep_runs)
        if self.logs is not None:
            forget_logs(self.logs, now - self.keep_runs)

    def _watch(self, now: datetime) -> None:
        found = self.watching.changed(now)
        if found is not None:
            self.scheduler.timetable.watch(found)
            hint = "" if found else "; driftline apply puts monitors there"
            log.info("watching %s%s", plural(len(found), "monitor"), hint)
            self.pulse.loaded = self.watching.loaded
            self._untold = self.watching.loaded.broken
            for problem in self.watching.loaded.problems:
                log.error("a definition is wrong, and its monitor not watched: %s", problem)
        if self._untold:
            self.broken(self._untold, now)
            self._untold = {}

    def _tried(self, part: Callable[[datetime], object], now: datetime) -> bool:
        try:
            part(now)
        except (DriftlineError, OSError) as error:
            text = str(error)
            self._said = {said: at for said, at in self._said.items() if abs(now - at) < AGAIN}
            if text not in self._said:
                self._said[text] = now
                log.error("%s", text)
            return False
        return True
