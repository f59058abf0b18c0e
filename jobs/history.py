"""`driftline backfill` and `jobs/backfill.py`: every due window of a range, evaluated in one go."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from engine.errors import DefinitionError, Problem
from engine.results import RunStatus, as_table
from engine.tables import RUNS, SIGNAL_METRICS
from engine.wording import moment
from jobs.consoles import Progress, out, working
from jobs.documents import plain_rows
from jobs.exits import show_data_errors
from jobs.periods import Tally, Window, periods_of
from jobs.stores import opened_store
from jobs.times import now

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from engine.monitor import Monitor
    from engine.run import Evaluation
    from engine.store import Store

__all__ = ["backfill_monitors"]

TOGETHER = 400
"""Windows that are evaluated at once: a year of days is one scan, and memory is bounded however long the range is.
No bucket is read twice because of it: those of the windows before are kept."""
LEFT_OUT = ("details",)


def backfill_monitors(
    monitors: Sequence[Monitor],
    start: datetime,
    end: datetime,
    store_uri: str,
    session: Callable[[], SparkSession],
    *,
    as_json: bool = False,
    refresh: bool = False,
    silent: bool = False,
) -> int:
    """Evaluate monitors for every time in [start, end) at which they were due, and print what came out.

    Returns:
        The exit code.

    Raises:
        DefinitionError: a monitor is never due in that range; then nothing is evaluated.
        StoreError: results cannot be kept.
    """
    due = [(time, number) for number, monitor in enumerate(monitors) for time in _due(monitor, start, end)]
    tallies = [Tally(monitor.name, tuple(signal.name for signal in monitor.signals)) for monitor in monitors]
    store = opened_store(store_uri)
    with working(silent=silent) as say:
        say("starting Spark")
        spark, due = session(), sorted(due)
        for first in range(0, len(due), TOGETHER):
            chunk = due[first : first + TOGETHER]
            done = f"windows {first + 1:,} to {first + len(chunk):,} of {len(due):,}: "
            _evaluate(monitors, chunk, tallies, store, spark, lambda text, done=done: say(done + text), refresh=refresh)
    _show([tally for tally in tallies if tally.windows], start, end, as_json=as_json)
    return show_data_errors(error for tally in tallies for error in tally.errors)


def _due(monitor: Monitor, start: datetime, end: datetime) -> list[datetime]:
    times = list(monitor.trigger.due(start, end))
    if not times:
        message = f"is never due from {moment(start)} to {moment(end)}"
        raise DefinitionError([Problem(str(monitor.path), "trigger", message, "choose another --from and --to")])
    return times


def _evaluate(  # noqa: PLR0917 - one of each
    monitors: Sequence[Monitor],
    chunk: Sequence[tuple[datetime, int]],
    tallies: Sequence[Tally],
    store: Store,
    spark: SparkSession,
    say: Progress,
    *,
    refresh: bool,
) -> None:
    """Evaluate some windows of some monitors together, and take them into the monitors' tallies."""
    from engine.run import Due, evaluate_together

    numbers = sorted({number for _, number in chunk})
    due = [Due(monitors[number], tuple(time for time, mine in chunk if mine == number)) for number in numbers]
    found = evaluate_together(spark, due, store=store, now=now(), progress=say, refresh=refresh)
    for number, evaluations in zip(numbers, found, strict=True):
        for evaluation in evaluations:
            tallies[number].errors |= dict.fromkeys(evaluation.errors)
            if evaluation.run.status is not RunStatus.FAILED:
                tallies[number].add(_window(evaluation))


def _window(evaluation: Evaluation) -> Window:
    """What is kept of one evaluation: the breaches, and how many checks there were."""
    return Window(
        scheduled_for=evaluation.run.scheduled_for,
        run=evaluation.run,
        checks=len(evaluation.rows),
        judged=sum(row.breached is not None for row in evaluation.rows),
        breaches=evaluation.breaches,
    )


def _show(tallies: Sequence[Tally], start: datetime, end: datetime, *, as_json: bool) -> None:
    console = out()
    if as_json:
        document = {"backfills": [_document(tally) for tally in tallies]}
        console.file.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
        return
    for tally in tallies:
        console.print(periods_of(tally, start, end))


def _document(tally: Tally) -> dict[str, Any]:
    """Every run with its breaches, but for their details: those, and all other rows, are in the store."""
    return {
        "monitor": tally.monitor,
        "evaluations": [
            {
                "run": plain_rows(as_table([window.run], RUNS))[0],
                "checks": window.checks,
                "judged": window.judged,
                "breaches": plain_rows(as_table(window.breaches, SIGNAL_METRICS).drop_columns(list(LEFT_OUT))),
            }
            for window in tally.windows
        ],
        "errors": list(tally.errors),
    }
