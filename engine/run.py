"""The straight line: a definition and a scheduled time in, judged rows out.

    plan  ─►  profiles (one scan per dataset)  ─►  measurements  ─►  verdicts  ─►  signal_metrics

Spark counts, numpy compares. A signal whose data cannot be read has rows that say so; the others' results arrive.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd
from pyspark.sql import DataFrame, SparkSession

from engine.comparisons import compare
from engine.errors import DataError
from engine.histories import Histories
from engine.measuring import measure
from engine.monitor import Monitor, SignalType
from engine.plan import SignalPlan, plan_of
from engine.readings import Readings
from engine.records import Cost, run_of
from engine.results import MetricRow, Run, Status, as_table
from engine.rows import Stamp, rows_of
from engine.scored import score
from engine.spark import Meter
from engine.store import Store
from engine.tables import SIGNAL_METRICS
from engine.watched import role_names

__all__ = ["Evaluation", "evaluate", "evaluate_all"]

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Evaluation:
    """What one run found.

    Attributes:
        run: the run's record.
        rows: one row per check.
        errors: data that could not be read; the rows of its signals have the status `error`.
    """

    run: Run
    rows: tuple[MetricRow, ...]
    errors: tuple[str, ...] = ()

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
        store: where to keep results, frozen bins and the baseline's profiles; None keeps nothing.
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
    times = sorted({time.astimezone(UTC) for time in times})
    say = progress or (lambda _: None)
    readings = Readings(spark, frames or {})
    plans = plan_of(monitor, times)
    with Meter(spark) as meter:
        say("reading production and baselines")
        comparisons = compare([plan for plan in plans if not _labelled(plan)], role_names(monitor), readings, store)
        if labelled := [plan for plan in plans if _labelled(plan)]:
            say("joining predictions and ground truth")
        scored = score(labelled, readings)
        say("measuring")
        answers = {
            (each.plan.signal.name, time): measure(each, time) for each in (*comparisons, *scored) for time in times
        }
    nothing = all(each.trouble for each in (*comparisons, *scored))
    error = "\n".join(readings.errors) if nothing else None
    attempts = store.attempts(monitor.name, times[0], times[-1]) if store else {}
    histories = Histories(store, monitor, times)
    cost = Cost(readings, meter, times)
    evaluations: list[Evaluation] = []
    for time in times:
        run = run_of(monitor, plans, time, attempts.get(time, 0) + 1, now or times[-1], cost, error)
        stamp = Stamp(monitor, run.run_id, time, run.started_at)
        rows = [row for plan in plans for row in rows_of(stamp, plan, answers[plan.signal.name, time], histories)]
        histories.add(rows)
        evaluations.append(Evaluation(run, tuple(rows), tuple(readings.errors)))
    if store:
        say("writing results")
        store.write([each.run for each in evaluations], [row for each in evaluations for row in each.rows])
    if error:
        raise DataError(error)
    return evaluations


def _labelled(plan: SignalPlan) -> bool:
    return plan.signal.type is SignalType.MODEL_PERFORMANCE
