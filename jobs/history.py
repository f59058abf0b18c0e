"""`driftline backfill` and `jobs/backfill.py`: every due window of a range, evaluated in one go."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from engine.errors import DataError, DefinitionError, Problem
from engine.results import as_table
from engine.tables import RUNS, SIGNAL_METRICS
from jobs.consoles import Progress, err, out, working
from jobs.documents import plain_rows
from jobs.exits import show_error
from jobs.periods import Tally, Window, periods_of
from jobs.stores import opened_store
from jobs.times import now
from jobs.wording import moment

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from engine.monitor import Monitor
    from engine.run import Evaluation
    from engine.store import Store

__all__ = ["backfill_monitors"]

TOGETHER = 400
"""Windows that are evaluated at once: a year of days is one scan, and memory is bounded however long the range is."""
LEFT_OUT = ("details",)


def backfill_monitors(
    monitors: Sequence[Monitor],
    start: datetime,
    end: datetime,
    store_uri: str,
    session: Callable[[], SparkSession],
    *,
    as_json: bool = False,
    silent: bool = False,
) -> int:
    """Evaluate monitors for every time in [start, end) at which they were due, and print what came out.

    Returns:
        The exit code.

    Raises:
        DefinitionError: a monitor is never due in that range; then nothing is evaluated.
        DataError: no data can be read.
        StoreError: results cannot be kept.
    """
    due = {monitor.name: _due(monitor, start, end) for monitor in monitors}
    store, tallies = opened_store(store_uri), list[Tally]()
    with working(silent=silent) as say:
        for monitor in monitors:
            tallies.append(_backfill(monitor, due[monitor.name], store, session, say))
    _show(tallies, start, end, as_json=as_json)
    errors = dict.fromkeys(error for tally in tallies for error in tally.errors)
    for text in errors:
        show_error(err(), DataError(text))
    return DataError.exit_code if errors else 0


def _due(monitor: Monitor, start: datetime, end: datetime) -> list[datetime]:
    times = list(monitor.trigger.due(start, end))
    if not times:
        message = f"is never due from {moment(start)} to {moment(end)}"
        raise DefinitionError([Problem(str(monitor.path), "trigger", message, "choose another --from and --to")])
    return times


def _backfill(
    monitor: Monitor, times: Sequence[datetime], store: Store, session: Callable[[], SparkSession], say: Progress
) -> Tally:
    from engine.run import evaluate_all

    say("starting Spark")
    spark, tally = session(), Tally(monitor.name, tuple(signal.name for signal in monitor.signals))
    for first in range(0, len(times), TOGETHER):
        chunk = times[first : first + TOGETHER]
        done = f"{monitor.name}, windows {first + 1:,} to {first + len(chunk):,} of {len(times):,}: "
        evaluations = evaluate_all(
            spark, monitor, chunk, store=store, now=now(), progress=lambda text, done=done: say(done + text)
        )
        for evaluation in evaluations:
            tally.add(_window(evaluation), evaluation.errors)
    return tally


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
