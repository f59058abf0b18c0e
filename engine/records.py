"""The record of a run: what it was asked, what it read, what it cost, and whether it failed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.monitor import Monitor
from engine.plan import SignalPlan
from engine.readings import Readings
from engine.results import Run, RunStatus
from engine.spark import Meter

__all__ = ["Cost", "run_id_of", "run_of"]


@dataclass(frozen=True)
class Cost:
    """What the evaluation of some monitors and times read and cost, all together.

    Attributes:
        readings: what was read.
        meter: what it took.
        runs: how many runs it was.
    """

    readings: Readings
    meter: Meter
    runs: int

    def notes(self, titles: Collection[str]) -> tuple[str, ...]:
        """What was found out about these datasets, and whose cost it is."""
        own = self.readings.notes(titles)
        if self.runs == 1:
            return tuple(own)
        others = f"{self.runs - 1:,} other run{'s' if self.runs > 2 else ''}"
        return (*own, f"evaluated with {others}: rows read, jobs and cost are of all of them")


def run_id_of(monitor: Monitor, time: datetime, attempt: int) -> str:
    """The id of one scheduled time's run, in its so-manieth attempt."""
    return f"{monitor.name}/{time:%Y-%m-%dT%H:%M:%SZ}/{attempt}"


def run_of(  # noqa: PLR0917 - one of each
    monitor: Monitor,
    plans: Sequence[SignalPlan],
    time: datetime,
    attempt: int,
    now: datetime,
    cost: Cost,
    error: str | None,
    states: Mapping[str, str],
) -> Run:
    """The record of one scheduled time, in its so-manieth attempt; with an error it is a failed one.

    The states of its labelled predictions are kept beside the fingerprints of what was read.
    """
    readings, meter = cost.readings, cost.meter
    titles = readings.titles(monitor)
    return Run(
        run_id=run_id_of(monitor, time, attempt),
        monitor=monitor.name,
        scheduled_for=time,
        status=RunStatus.FAILED if error else RunStatus.COMPLETED,
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
        fingerprints={
            **{title: print_ for title, print_ in readings.fingerprints.items() if title in titles},
            **states,
        },
        notes=cost.notes(titles),
        error=error,
    )
