"""The straight line: definitions and scheduled times in, judged rows out.

    plan  ─►  profiles (kept, or one scan per dataset)  ─►  measurements  ─►  verdicts  ─►  signal_metrics

Spark counts, numpy compares. A signal whose data cannot be read has rows that say so; the others' results arrive, and
so do the other monitors'.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pandas as pd
from pyspark.sql import DataFrame, SparkSession

from engine.comparisons import Comparison, compare
from engine.errors import DataError
from engine.histories import Histories
from engine.measuring import Measured, measure
from engine.monitor import Monitor, SignalType
from engine.plan import SignalPlan, plan_of
from engine.readings import Readings
from engine.records import Cost, run_of
from engine.results import MetricRow, Run, RunStatus, Status, as_table
from engine.revisions import Revision, revisions_of
from engine.rows import Stamp, rows_of
from engine.scored import Scored, score
from engine.spark import Meter
from engine.store import Store
from engine.tables import SIGNAL_METRICS

__all__ = ["Due", "Evaluation", "evaluate", "evaluate_all", "evaluate_together"]

Progress = Callable[[str], None]


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


def evaluate(
    spark: SparkSession,
    monitor: Monitor,
    scheduled_for: datetime,
    *,
    store: Store | None = None,
    now: datetime | None = None,
    frames: Mapping[str, DataFrame] | None = None,
) -> Evaluation:
    """Evaluate a monitor for one scheduled time.

    Args:
        spark: the caller's session, classic or Connect; nothing of it is changed.
        monitor: what to evaluate.
        scheduled_for: aware; the windows are computed from it, whenever this runs.
        store: where to keep results, frozen bins and profiles; None keeps nothing.
        now: what the clock says, for the record; the engine itself reads no clock (default: `scheduled_for`).
        frames: the caller's own DataFrames, by the name that the definition gives as `table`.

    Raises:
        DataError: when none of the monitor's data can be read; the store then holds a failed run that says why.
        StoreError: when results cannot be kept.
    """
    return evaluate_all(spark, monitor, [scheduled_for], store=store, now=now, frames=frames)[0]


def evaluate_all(
    spark: SparkSession,
    monitor: Monitor,
    times: Sequence[datetime],
    *,
    store: Store | None = None,
    now: datetime | None = None,
    frames: Mapping[str, DataFrame] | None = None,
    progress: Progress | None = None,
) -> list[Evaluation]:
    """Evaluate a monitor for several scheduled times, with every dataset read once for all of them; see `evaluate`."""
    due = [Due(monitor, tuple(times))]
    found = evaluate_together(spark, due, store=store, now=now, frames=frames, progress=progress)[0]
    if found[0].run.status is RunStatus.FAILED:
        raise DataError(found[0].run.error)
    return found


def evaluate_together(
    spark: SparkSession,
    due: Sequence[Due],
    *,
    store: Store | None = None,
    now: datetime | None = None,
    frames: Mapping[str, DataFrame] | None = None,
    progress: Progress | None = None,
    refresh: bool = False,
    revise: bool = False,
) -> list[list[Evaluation]]:
    """Evaluate several monitors, each for its times, with every dataset read once for all of them; see `evaluate`.

    Args:
        spark: as for `evaluate`.
        due: the monitors, each once.
        store: as for `evaluate`.
        now: as for `evaluate`.
        frames: as for `evaluate`.
        progress: is told what is being done.
        refresh: read again what is kept.
        revise: also evaluate again earlier runs whose labels have arrived since.

    Returns:
        For each monitor its evaluations in order of time. Those of a monitor whose data cannot be read are failed ones.
    """
    say = progress or (lambda _: None)
    readings = Readings(spark, frames or {})
    due = [each.and_also(()) for each in due]
    asked = {each.monitor.name: set(each.times) for each in due}
    with Meter(spark) as meter:
        due, scored = _scored(due, readings, store, say, refresh=refresh, revise=revise)
        say("reading production and baselines")
        plans = [plan for each in due for plan in plan_of(each.monitor, each.times) if not _labelled(plan)]
        compared = compare(plans, readings, store, refresh=refresh)
        say("measuring")
        signals = {_place(each.plan): each for each in (*scored, *compared)}
        answers = {(place, time): measure(each, time) for place, each in signals.items() for time in each.plan.windows}
    cost = Cost(readings, meter, sum(len(each.times) for each in due))
    found: list[list[Evaluation]] = []
    for each in due:
        own = [signals[each.monitor.name, signal.name] for signal in each.monitor.signals]
        revised = set(each.times) - asked[each.monitor.name]
        found.append(_evaluations(each, own, answers, cost, now, store, revised))
    if store:
        say("writing results")
        every = [evaluation for own in found for evaluation in own]
        store.write([each.run for each in every], [row for each in every for row in each.rows])
    return found


def _labelled(plan: SignalPlan) -> bool:
    return plan.signal.type is SignalType.MODEL_PERFORMANCE


def _scored(
    due: Sequence[Due], readings: Readings, store: Store | None, say: Progress, *, refresh: bool, revise: bool
) -> tuple[list[Due], list[Scored]]:
    """The performance signals' states; with the earlier times that labels have changed since."""
    labelled = [plan for each in due for plan in plan_of(each.monitor, each.times) if _labelled(plan)]
    if not labelled:
        return [*due], []
    say("joining predictions and ground truth")
    earlier = {each.monitor.name: _evaluated(each, store) for each in due} if revise and store else {}
    found = score(labelled, readings, store, earlier, refresh=refresh)
    return [each.and_also(_revised(each.monitor, found)) for each in due], found


def _evaluated(due: Due, store: Store) -> list[datetime]:
    """The monitor's runs that labels may have changed since."""
    within = [signal.ground_truth.revise_within for signal in due.monitor.signals]
    return store.completed(due.monitor.name, due.times[-1] - max(within), due.times[-1])


def _revised(monitor: Monitor, scored: Sequence[Scored]) -> list[datetime]:
    return [time for each in scored if each.plan.monitor is monitor for time in each.revised]


Place = tuple[str, str]
"""A monitor's and a signal's name."""


def _place(plan: SignalPlan) -> Place:
    return plan.monitor.name, plan.signal.name


def _evaluations(  # noqa: PLR0917 - one of each
    due: Due,
    signals: Sequence[Comparison | Scored],
    answers: Mapping[tuple[Place, datetime], Sequence[Measured]],
    cost: Cost,
    now: datetime | None,
    store: Store | None,
    revised: AbstractSet[datetime],
) -> list[Evaluation]:
    monitor, plans = due.monitor, [each.plan for each in signals]
    errors = tuple(dict.fromkeys(each.trouble for each in signals if each.trouble))
    error = "\n".join(errors) if all(each.trouble for each in signals) else None
    attempts = store.attempts(monitor.name, due.times[0], due.times[-1]) if store else {}
    histories = Histories(store, monitor, due.times)
    found: list[Evaluation] = []
    for time in due.times:
        states = {
            name: text for each in signals if isinstance(each, Scored) for name, text in each.record(time).items()
        }
        run = run_of(monitor, plans, time, attempts.get(time, 0) + 1, now or due.times[-1], cost, error, states)
        stamp = Stamp(monitor, run.run_id, time, run.started_at)
        rows = tuple(row for plan in plans for row in rows_of(stamp, plan, answers[_place(plan), time], histories))
        histories.add(rows)
        changes = revisions_of(store, rows) if store and time in revised else None
        found.append(Evaluation(run, rows, errors, changes))
    return found
