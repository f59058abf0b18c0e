"""One scheduler's step: what is due is claimed, what is queued is started, what has ended is written down.

    timetable ─► claimed ─► taken ─► a process each ─► ended, or tried again ─► told

The database is the truth; this process only remembers what it started. The clock is handed in with every step.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from engine.errors import DriftlineError
from server.due import Timetable
from server.launcher import Launched, Launcher
from server.policies import Overlap, Policy
from server.queue import Ending, Queue, Task

__all__ = ["Scheduler"]

FINE = frozenset({0, 10})
"""Exit codes of runs that evaluated what they were asked for; see `jobs.exits`."""
HOPELESS = frozenset({2})
"""Exit codes after which trying again would end in the same way: a definition is wrong."""

Files = Callable[[Sequence[str]], Sequence[Path]]
Ended = Callable[[Task, Ending, datetime], None]


@dataclass
class _Going:
    task: Task
    process: Launched
    started: datetime
    alive: datetime


@dataclass
class Scheduler:
    """Steps of one process.

    Attributes:
        queue: the runs in the database.
        timetable: when monitors are due.
        launcher: how runs are started.
        files: the files of these monitors' definitions.
        policy: what happens to the late and the failed.
        most: runs that go on at once in this process.
        room: raises where there is no room for what runs write: then they wait.
        ended: is told of each run that has ended for good, before that is written down: a crash in between lets it be
            told again, never not at all.
    """

    queue: Queue
    timetable: Timetable
    launcher: Launcher
    files: Files
    policy: Policy = Policy()  # noqa: RUF009 - frozen
    most: int = 1
    room: Callable[[], None] = lambda: None
    ended: Ended = lambda _task, _ending, _now: None
    _going: dict[int, _Going] = field(default_factory=dict[int, _Going])

    def step(self, now: datetime) -> None:
        """Do everything that can be done at this time.

        Raises:
            RegistryError: the database cannot be reached; the next step does what this one could not.
            NoRoomError: nothing could be started; everything else was done.
            DriftlineError: of a run that ended nobody could be told; everything else was done.
        """
        trouble = self._finish(now)
        self.queue.take_over(now)
        self.queue.claim(self.timetable.due(now), now)
        self.timetable.decided(now)  # only now: what could not be claimed is still due at the next step
        self._start(now)
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

    def stop(self, now: datetime) -> None:
        """End what goes on here and hand it over: somebody else, or this process after a restart, evaluates it."""
        for each in self._going.values():
            each.process.kill()
        self.queue.give_back([each.task for each in self._going.values()], now)
        self._going.clear()

    def _finish(self, now: datetime) -> DriftlineError | None:
        trouble = self._end(now)
        self._keep(now)
        return trouble

    def _start(self, now: datetime) -> None:
        most = self.most - len(self._going)
        if most < 1:
            return
        self.room()
        if self.policy.overlap is Overlap.SKIP:
            self.queue.skip_overlapping(now)
        failed: dict[Task, Ending] = {}
        for task in self.queue.take(now, most, in_turn=self.policy.overlap is not Overlap.PARALLEL):
            files = self.files(task.monitors)
            if not files:
                failed[task] = Ending(None, "its monitors are deleted, disabled or wrong by now")
                continue
            try:
                process = self.launcher.start(task, files)
            except OSError as error:
                failed[task] = self._failed(task, None, f"cannot be started: {error}", None, now)
            else:
                self._going[task.id] = _Going(task, process, now, now)
        trouble = self._close(failed, now)
        if trouble:
            raise trouble

    def _end(self, now: datetime) -> DriftlineError | None:
        endings = {each.task: self._ending(each, now) for each in self._going.values()}
        return self._close({task: ending for task, ending in endings.items() if ending}, now)

    def _ending(self, each: _Going, now: datetime) -> Ending | None:
        """How it has ended; None while it goes on."""
        code = each.process.poll()
        if code in FINE:
            return Ending(code, log=each.process.log)
        if code is not None:
            return self._failed(each.task, code, _said(code, each.process), each.process, now)
        if now - each.started < self.policy.time_limit:
            return None
        each.process.kill()
        late = f"ended after its time limit of {self.policy.time_limit}"
        return self._failed(each.task, None, late, each.process, now)

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
                    self.ended(task, ending, now)
            except DriftlineError as error:
                trouble = trouble or error
                untold.update(task.monitors)
            else:
                told[task] = ending
        self.queue.end(told, now)
        for task in told:
            self._going.pop(task.id, None)
        return trouble

    def _keep(self, now: datetime) -> None:
        """Give a sign of life now and then, and end what is no longer this process's own."""
        if all(abs(now - each.alive) < self.queue.lease / 4 for each in self._going.values()):
            return
        mine = self.queue.live([each.task for each in self._going.values()], now)
        for number, each in list(self._going.items()):
            each.alive = now
            if number not in mine:
                self._going.pop(number).process.kill()

    def _failed(self, task: Task, code: int | None, error: str, process: Launched | None, now: datetime) -> Ending:
        wait = None if code in HOPELESS else self.policy.retries.after(task.attempt)
        again = None if wait is None else now + wait
        return Ending(code, error, process.log if process else None, again)


REASONS: Mapping[int, str] = {
    1: "Spark did not start, or driftline has met a bug",
    2: "a definition is wrong",
    3: "data cannot be read",
    4: "the store cannot be read or written",
    137: "it was killed (137): most often for using more memory than there is",
    143: "it was terminated (143)",
}


def _said(code: int, process: Launched) -> str:
    return f"{REASONS.get(code, f'exit code {code}')}\n{process.last_lines()}"
