"""What one run found, and how a monitor's answers become runs: rows judged in the order of time, then their records."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pandas as pd

from engine.answered import Answered
from engine.events import run_status_changed
from engine.histories import Histories
from engine.measuring import measure
from engine.monitor import Monitor
from engine.records import Cost, run_id_of, run_of
from engine.results import MetricRow, Run, Status, as_table
from engine.revisions import Revision, revisions_of
from engine.rows import Stamp, rows_of
from engine.scored import Scored
from engine.sides import Comparison
from engine.store import Store
from engine.tables import SIGNAL_METRICS

__all__ = ["Due", "Evaluation", "Work"]


@dataclass(frozen=True)
class Due:
    """A monitor and the scheduled times (aware) that it is to be evaluated for."""

    monitor: Monitor
    times: tuple[datetime, ...]

    def and_also(self, times: Sequence[datetime]) -> "Due":
        """With these times too: UTC, in order, each once."""
        return replace(self, times=tuple(sorted({time.astimezone(UTC) for time in (*self.times, *times)})))


@dataclass(frozen=True)
class Evaluation:
    """What one run found.

    Attributes:
        run: the run's record; a failed one says why, and has rows that say so.
        rows: one row per check.
        errors: data that could not be read; the rows of its signals have the status `error`.
        revisions: what is other than in the earlier evaluation that this one replaces because labels arrived since;
            None where it is no revision.
    """

    run: Run
    rows: tuple[MetricRow, ...]
    errors: tuple[str, ...] = ()
    revisions: tuple[Revision, ...] | None = None

    @property
    def breaches(self) -> tuple[MetricRow, ...]:
        """The rows that crossed their threshold."""
        return tuple(row for row in self.rows if row.status is Status.BREACHED)

    def to_pandas(self) -> pd.DataFrame:
        """The rows with the columns of `signal_metrics`."""
        return as_table(self.rows, SIGNAL_METRICS).to_pandas()


@dataclass
class Work:
    """One monitor's signals, counted for all its times.

    Attributes:
        due: the monitor and its times.
        signals: what was counted, in the order of the monitor's signals.
        store: where earlier results are; None: nowhere.
        now: what the clock says.
    """

    due: Due
    signals: Sequence[Comparison | Scored | Answered]
    store: Store | None
    now: datetime
    _attempts: Mapping[datetime, int] = field(init=False)

    def __post_init__(self) -> None:
        monitor, times = self.due.monitor, self.due.times
        self._attempts = self.store.attempts(monitor.name, times[0], times[-1]) if self.store else {}

    def rows(self) -> list[MetricRow]:
        """Every check at every time, judged; a time's rows are history to the next one's."""
        histories = Histories(self.store, self.due.monitor, self.due.times)
        found: list[MetricRow] = []
        for time in self.due.times:
            stamp = Stamp(self.due.monitor, run_id_of(self.due.monitor, time, self._attempt(time)), time, self.now)
            own = [row for each in self.signals for row in rows_of(stamp, each.plan, measure(each, time), histories)]
            histories.add(own)
            found += own
        return found

    def evaluations(self, rows: Sequence[MetricRow], cost: Cost, asked: Collection[datetime]) -> list[Evaluation]:
        """The monitor's runs, in order of time.

        Args:
            rows: of this monitor and perhaps of others.
            cost: what all of it took.
            asked: the times that were asked for; the others are revisions.
        """
        errors = tuple(dict.fromkeys(each.trouble for each in self.signals if each.trouble))
        failed = "\n".join(errors) if all(each.trouble for each in self.signals) else None
        by_run: defaultdict[str, list[MetricRow]] = defaultdict(list)
        for row in rows:
            by_run[row.run_id].append(row)
        found: list[Evaluation] = []
        for time in self.due.times:
            run = self._run(time, cost, failed)
            own = tuple(by_run[run.run_id])
            changes = revisions_of(self.store, own) if self.store and time not in asked else None
            run = replace(run, event=run_status_changed(self.due.monitor, run, own))
            found.append(Evaluation(run, own, errors, changes))
        return found

    def _run(self, time: datetime, cost: Cost, error: str | None) -> Run:
        plans = [each.plan for each in self.signals]
        scored = [each for each in self.signals if isinstance(each, Scored)]
        states = {name: text for each in scored for name, text in each.record(time).items()}
        return run_of(self.due.monitor, plans, time, self._attempt(time), self.now, cost, error, states)

    def _attempt(self, time: datetime) -> int:
        return self._attempts.get(time, 0) + 1
