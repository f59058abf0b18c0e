"""The straight line: a definition and a scheduled time in, judged rows out.

    plan  ─►  profiles (one scan per dataset)  ─►  measurements  ─►  verdicts  ─►  signal_metrics

Spark counts, numpy compares. A signal whose data cannot be read has rows that say so; the others' results arrive.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import perf_counter, process_time

import pandas as pd
from pyspark.sql import DataFrame, SparkSession

from engine.comparisons import compare
from engine.errors import DataError
from engine.measuring import Measured, measure_comparison, measure_scored
from engine.monitor import Monitor, SignalType
from engine.plan import SignalPlan, plan_of
from engine.readings import Readings
from engine.results import MetricRow, Run, RunStatus, Status, as_table
from engine.rows import Stamp, rows_of
from engine.scored import score
from engine.spark import count_jobs
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
    began, cpu_before = perf_counter(), process_time()
    readings = Readings(spark, frames or {})
    plans = plan_of(monitor, times)
    with count_jobs(spark) as jobs:
        say("reading production and baseline")
        comparisons = compare(
            [plan for plan in plans if not _is_performance(plan)], role_names(monitor), readings, store
        )
        say("joining predictions and ground truth")
        scored = score([plan for plan in plans if _is_performance(plan)], readings)
    if readings.errors and all(each.trouble for each in (*comparisons, *scored)):
        raise DataError("\n".join(readings.errors))
    say("measuring")
    answers: dict[tuple[str, datetime], list[Measured]] = {
        (each.plan.signal.name, time): measured
        for time in times
        for each, measured in (
            *((each, measure_comparison(each, time)) for each in comparisons),
            *((each, measure_scored(each, time)) for each in scored),
        )
    }
    started = now or times[-1]
    attempts = _attempts(store, monitor, times)
    wall = perf_counter() - began
    evaluations: list[Evaluation] = []
    for time in times:
        stamp = Stamp(monitor, f"{monitor.name}/{time:%Y-%m-%dT%H:%M:%SZ}/{attempts[time]}", time, started)
        rows = [row for plan in plans for row in rows_of(stamp, plan, answers[plan.signal.name, time])]
        run = Run(
            run_id=stamp.run_id,
            monitor=monitor.name,
            scheduled_for=time,
            status=RunStatus.COMPLETED,
            attempt=attempts[time],
            started_at=started,
            finished_at=started + timedelta(seconds=wall),
            window_start=min(plan.windows[time].start for plan in plans),
            window_end=max(plan.windows[time].end for plan in plans),
            rows_read=readings.rows_read,
            spark_jobs=jobs.count,
            cpu_seconds=readings.cpu_seconds + process_time() - cpu_before,
            wall_seconds=wall,
            config_hash=monitor.config_hash,
            fingerprints=readings.fingerprints,
            notes=tuple(readings.notes),
        )
        evaluations.append(Evaluation(run, tuple(rows), tuple(readings.errors)))
    if store:
        say("writing results")
        store.write([each.run for each in evaluations], [row for each in evaluations for row in each.rows])
    return evaluations


def _is_performance(plan: SignalPlan) -> bool:
    return plan.signal.type is SignalType.MODEL_PERFORMANCE


def _attempts(store: Store | None, monitor: Monitor, times: Sequence[datetime]) -> dict[datetime, int]:
    """The number of each run's attempt: one more than the attempt that is stored."""
    if store is None:
        return dict.fromkeys(times, 1)
    stored = store.attempts(monitor.name, times[0], times[-1])
    return {time: stored.get(time, 0) + 1 for time in times}
