"""The straight line: a definition and a scheduled time in, judged rows out.

    plan  ─►  profiles (one scan per dataset)  ─►  measurements  ─►  verdicts  ─►  signal_metrics

Spark counts, numpy compares. A signal whose data cannot be read has rows that say so; the others' results arrive.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pandas as pd
from pyspark.sql import DataFrame, SparkSession

from engine.comparisons import Comparison, compare
from engine.errors import DataError
from engine.measuring import measure
from engine.monitor import Monitor, SignalType
from engine.plan import SignalPlan, plan_of
from engine.readings import Readings
from engine.results import MetricRow, Run, RunStatus, Status, as_table
from engine.rows import Stamp, rows_of
from engine.scored import Scored, score
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
        DataError: when none of the monitor's data can be read.
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
    meter = Meter(spark)
    readings = Readings(spark, frames or {})
    plans = plan_of(monitor, times)
    with meter:
        say("reading production and baselines")
        comparisons = compare([plan for plan in plans if not _labelled(plan)], role_names(monitor), readings, store)
        if labelled := [plan for plan in plans if _labelled(plan)]:
            say("joining predictions and ground truth")
        scored = score(labelled, readings)
        _refuse_if_nothing_is_readable(readings, [*comparisons, *scored])
        say("measuring")
        answers = {
            (each.plan.signal.name, time): measure(each, time) for each in (*comparisons, *scored) for time in times
        }
    now = now or times[-1]
    others = f"evaluated with {len(times) - 1:,} other times: rows read, jobs and cost are of all of them"
    together = [others] if len(times) > 1 else []
    attempts = store.attempts(monitor.name, times[0], times[-1]) if store else {}
    evaluations: list[Evaluation] = []
    for time in times:
        run = _run(monitor, plans, time, attempts.get(time, 0) + 1, now, readings, meter, together)
        stamp = Stamp(monitor, run.run_id, time, now)
        rows = [row for plan in plans for row in rows_of(stamp, plan, answers[plan.signal.name, time])]
        evaluations.append(Evaluation(run, tuple(rows), tuple(readings.errors)))
    if store:
        say("writing results")
        store.write([each.run for each in evaluations], [row for each in evaluations for row in each.rows])
    return evaluations


def _labelled(plan: SignalPlan) -> bool:
    return plan.signal.type is SignalType.MODEL_PERFORMANCE


def _refuse_if_nothing_is_readable(readings: Readings, found: Sequence[Comparison | Scored]) -> None:
    if found and all(each.trouble for each in found):
        raise DataError("\n".join(readings.errors))


def _run(  # noqa: PLR0917 - a record of everything that took part
    monitor: Monitor,
    plans: Sequence[SignalPlan],
    time: datetime,
    attempt: int,
    now: datetime,
    readings: Readings,
    meter: Meter,
    together: Sequence[str],
) -> Run:
    return Run(
        run_id=f"{monitor.name}/{time:%Y-%m-%dT%H:%M:%SZ}/{attempt}",
        monitor=monitor.name,
        scheduled_for=time,
        status=RunStatus.COMPLETED,
        attempt=attempt,
        started_at=now,
        finished_at=now + timedelta(seconds=meter.wall_seconds),
        window_start=min(plan.windows[time].start for plan in plans),
        window_end=max(plan.windows[time].end for plan in plans),
        rows_read=readings.rows_read,
        spark_jobs=meter.spark_jobs,
        cpu_seconds=readings.cpu_seconds + meter.driver_seconds,
        wall_seconds=meter.wall_seconds,
        config_hash=monitor.config_hash,
        fingerprints=readings.fingerprints,
        notes=(*readings.notes, *together),
    )
