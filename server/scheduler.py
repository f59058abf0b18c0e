"""One scheduler's step: what is due is claimed, what is queued is started, what has ended is written down.

    timetable ─► claimed ─► taken ─► a process each ─► ended, or tried again ─► told

The database is the truth; this process only remembers what it started. The clock is handed in with every step. It may
be wrong, and be set: it says what is due. How long something has taken is counted by one that nobody can set.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from engine.errors import DriftlineError
from engine.wording import moment
from server.due import Timetable
from server.endings import FINE, HOPELESS, reason_of
from server.launcher import Launched, Launcher
from server.policies import Overlap, Policy
from server.queue import Ending, Queue, Sign, Task
from server.vigil import Vigil

__all__ = ["Scheduler"]

logger = logging.getLogger("driftline.server")

Files = Callable[[Sequence[str]], tuple[Sequence[Path], Mapping[str, str]]]
Ended = Callable[[Task, Ending, datetime], None]


@dataclass
class _Going:
    """A process that was started here.

    Attributes:
        task, process: the attempt, and what evaluates it.
        skipped: by name the monitors that it does not evaluate, and why.
        started, alive: by the clock that nobody can set: since when, and when the database last said that it is ours.
        why: for which it was told to end; None: it was not.
        lost: somebody else has taken it over; all that is left to do is to see it end.
    """

    task: Task
    process: Launched
    skipped: Mapping[str, str]
    started: float
    alive: float
    why: str | None = None
    lost: bool = False


@dataclass
class Scheduler:
    """Steps of one process.

    Attributes:
        queue: the runs in the database.
        timetable: when monitors are due.
        launcher: how runs are started.
        files: the files of these monitors' definitions; and of those that have none any more, why.
        policy: what happens to the late and the failed.
        most: runs that go on at once in this process.
        room: raises where there is no room for what runs write: then they wait.
        ended: is told of each run that has ended for good, before that is written down: a crash in between lets it be
            told again, never not at all.
        elapsed: seconds by a clock that nobody can set.
    """

    queue: Queue
    timetable: Timetable
    launcher: Launcher
    files: Files
    policy: Policy = Policy()  # noqa: RUF009 - frozen
    most: int = 1
    room: Callable[[], None] = lambda: None
    ended: Ended = lambda _task, _ending, _now: None
    elapsed: Callable[[], float] = time.monotonic
    _going: dict[Task, _Going] = field(default_factory=dict[Task, _Going])
    _vigil: Vigil = field(default_factory=Vigil)

    def step(self, now: datetime) -> None:
        """Do everything that can be done at this time.

        Raises:
            RegistryError: the database cannot be reached; the next step does what this one could not.
            NoRoomError: nothing could be started; everything else was done.
            DriftlineError: of a run that ended nobody could be told; everything else was done.
        """
        trouble = self._finish(now)
        trouble = self._take_over(now) or trouble
        self.queue.claim(self.timetable.due(now), now)
        self.timetable.decided(now)  # only now: what could not be claimed is still due at the next step
        trouble = self._start(now) or trouble
        if trouble:
            raise trouble

    def finish(self, now: datetime) -> None:
        """Write down what has ended, and keep what goes on; start nothing. Raises like `step`."""
        trouble = self._finish(now)
        if trouble:
            raise trouble

    @property
    def going(self) -> int:
        """How many runs go on in this process."""
        return len(self._going)

    def stop(self) -> None:
        """End what goes on here and hand it over: somebody else, or this process after a restart, evaluates it."""
        for each in self._going.values():
            each.process.end()
        for each in self._going.values():
            each.process.wait()
        self.queue.give_back([each.task for each in self._going.values()])
        for task in self._going:
            logger.info("%s is handed over, unfinished", _called(task), extra=_about(task))
        self._going.clear()

    # ------------------------------------------------------------------------------------------- what goes on here

    def _finish(self, now: datetime) -> DriftlineError | None:
        trouble = self._end(now)
        self._keep(now)
        return trouble

    def _end(self, now: datetime) -> DriftlineError | None:
        found = {each.task: self._ending(each, now) for each in self._going.values()}
        for task in [task for task, ending in found.items() if ending and self._going[task].lost]:
            del found[task], self._going[task]
        return self._close({task: ending for task, ending in found.items() if ending}, now)

    def _ending(self, each: _Going, now: datetime) -> Ending | None:
        """How it has ended; None while it goes on."""
        code = each.process.poll()
        if code is None:
            if each.why is None and self.elapsed() - each.started >= self.policy.time_limit.total_seconds():
                each.why = f"ended after its time limit of {self.policy.time_limit}"
                each.process.end()
            return None
        if code in FINE:
            return Ending(code, log=each.process.log, skipped=each.skipped)
        if each.why:
            return self._failed(each.task, None, each.why, now, log=each.process.log, skipped=each.skipped)
        why = reason_of(code, each.process.output())
        return self._failed(each.task, code, why, now, log=each.process.log, skipped=each.skipped)

    def _keep(self, now: datetime) -> None:
        """Give a sign of life now and then, and end what is no longer this process's own.

        Where the database cannot be reached, none reaches the processes, and they end by themselves after the lease.
        """
        elapsed, lease = self.elapsed(), self.queue.lease.total_seconds()
        own = [each for each in self._going.values() if not each.lost]
        if all(elapsed - each.alive < lease / 4 for each in own):
            return
        mine = self.queue.live([each.task for each in own], now)
        for each in own:
            if each.task in mine:
                each.alive = elapsed
                each.process.keep()
            else:
                each.lost = True
                each.process.end()

    # ------------------------------------------------------------------------------------ what others have left behind

    def _take_over(self, now: datetime) -> DriftlineError | None:
        """Queue again what belongs to the dead; what was attempted too often has failed."""
        mine = {(each.task.id, each.task.attempt) for each in self._going.values() if not each.lost}
        signs = [sign for sign in self.queue.signs() if (sign.id, sign.attempt) not in mine]
        # A quarter more than a lease, in which the dead one's own processes end.
        lapsed = self._vigil.lapsed(signs, self.elapsed(), 1.25 * self.queue.lease.total_seconds())
        last = {(sign.id, sign.attempt): sign for sign in lapsed if self.policy.retries.after(sign.attempt) is None}
        for sign in lapsed:
            logger.warning("run %s: %s gave no sign of life, and is taken over from", sign.id, sign.owner)
        self.queue.take_over([sign for sign in lapsed if sign not in last.values()])
        endings = {task: _given_up(last[task.id, task.attempt]) for task in self.queue.inherit([*last.values()], now)}
        return self._close(endings, now)

    # --------------------------------------------------------------------------------------------- what is queued

    def _start(self, now: datetime) -> DriftlineError | None:
        most = self.most - len(self._going)
        if most < 1:
            return None
        self.room()
        if self.policy.overlap is Overlap.SKIP:
            self.queue.skip_overlapping(now)
        ended: dict[Task, Ending] = {}
        for task in self.queue.take(now, most, in_turn=self.policy.overlap is not Overlap.PARALLEL):
            started = self.elapsed()
            try:
                files, skipped = self.files(task.monitors)
                if files:
                    self._going[task] = _Going(task, self.launcher.start(task, files), skipped, started, started)
                    logger.info("%s is started, attempt %s", _called(task), task.attempt, extra=_about(task))
                else:
                    ended[task] = Ending(None, "none of its monitors can be evaluated any more", skipped=skipped)
            except OSError as error:
                ended[task] = self._failed(task, None, f"cannot be started: {error}", now)
        return self._close(ended, now)

    # ------------------------------------------------------------------------------------------------ what has ended

    def _close(self, endings: Mapping[Task, Ending], now: datetime) -> DriftlineError | None:
        """Tell, and write down what was told; the first trouble with the others, which are told at the next step.

        Of one monitor the earlier run is told first, and while it cannot be no later one.
        """
        trouble, told, untold = None, dict[Task, Ending](), set[str]()
        for task, ending in sorted(endings.items(), key=lambda each: each[0].time):
            if not untold.isdisjoint(task.monitors):
                continue
            try:
                if ending.again_at is None:
                    self._tell(task, ending, now)
            except DriftlineError as error:
                trouble = trouble or error
                untold.update(task.monitors)
            else:
                told[task] = ending
        self.queue.end(told, now)
        for task in told:
            self._going.pop(task, None)
        return trouble

    def _tell(self, task: Task, ending: Ending, now: datetime) -> None:
        evaluated = tuple(name for name in task.monitors if name not in ending.skipped)
        if evaluated:
            self.ended(replace(task, monitors=evaluated), ending, now)
        for name, reason in ending.skipped.items():
            self.ended(replace(task, monitors=(name,)), Ending(None, reason), now)

    def _failed(
        self,
        task: Task,
        code: int | None,
        error: str,
        now: datetime,
        *,
        log: str | None = None,
        skipped: Mapping[str, str] = MappingProxyType({}),
    ) -> Ending:
        wait = None if code in HOPELESS else self.policy.retries.after(task.attempt)
        after = "not tried again" if wait is None else f"tried again in {wait}"
        logger.warning("%s, attempt %s: %s: %s", _called(task), task.attempt, after, error, extra=_about(task))
        return Ending(code, error, log, None if wait is None else now + wait, skipped)


def _called(task: Task) -> str:
    return f"run {task.id} ({', '.join(task.monitors)} of {moment(task.time)})"


def _about(task: Task) -> dict[str, object]:
    """The facts of a log line."""
    return {"monitor": ", ".join(task.monitors), "scheduled_for": task.time.isoformat(), "application": task.id}


def _given_up(sign: Sign) -> Ending:
    why = f"{sign.owner}, which evaluated it, gave no sign of life; that was attempt {sign.attempt}, and the last one"
    return Ending(None, why)
