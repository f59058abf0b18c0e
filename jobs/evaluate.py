"""`driftline run` and `jobs/run_monitor.py`: evaluate monitors for one scheduled time, and tell what came out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from engine.errors import DataError, DefinitionError, Problem
from jobs.consoles import Progress, err, out, working
from jobs.exits import BREACHED, show_error
from jobs.found import Found
from jobs.stores import opened_store
from jobs.times import is_due, latest_due, now
from jobs.wording import moment

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from engine.monitor import Monitor
    from engine.store import Store

__all__ = ["evaluate_monitors"]


def evaluate_monitors(
    monitors: Sequence[Monitor],
    at: datetime | None,
    store_uri: str,
    session: Callable[[], SparkSession],
    *,
    as_json: bool = False,
    fail_on_breach: bool = False,
    silent: bool = False,
) -> int:
    """Evaluate monitors, each in its turn, in one Spark application, and print what came out.

    Data that cannot be read does not keep the other monitors from being evaluated.

    Args:
        monitors: what to evaluate.
        at: the scheduled time; None: the latest at which each monitor was due.
        store_uri: where results are kept.
        session: gives the session when it is needed.
        as_json: one JSON document on stdout instead of tables.
        fail_on_breach: answer 10 where a check is breached.
        silent: say nothing of what is being done.

    Returns:
        The exit code.

    Raises:
        DefinitionError: without a time, a monitor that has not been due yet; then nothing is evaluated.
        StoreError: results cannot be kept; it is told before anything is read, where it can be.
    """
    times = [at or _latest(monitor) for monitor in monitors]
    store = opened_store(store_uri)
    found: list[Found] = []
    failures: list[DataError] = []
    with working(silent=silent) as say:
        for monitor, time in zip(monitors, times, strict=True):
            try:
                found.append(_evaluate(monitor, time, store, session, say))
            except DataError as error:
                failures.append(error)
    _show(found, store, as_json=as_json)
    return _exit_code(found, failures, fail_on_breach=fail_on_breach)


def _latest(monitor: Monitor) -> datetime:
    due = latest_due(monitor.trigger, now())
    if due is None:
        hint = "say --at to evaluate it for a time of your choice"
        raise DefinitionError([Problem(str(monitor.path), "trigger", "has not been due yet", hint)])
    return due


def _evaluate(
    monitor: Monitor, time: datetime, store: Store, session: Callable[[], SparkSession], say: Progress
) -> Found:
    from engine.run import evaluate_all

    if not is_due(monitor.trigger, time):
        say(f"note: {monitor.name} is not due at {moment(time)}; its windows are computed from that time all the same")
    say("starting Spark")
    spark = session()
    started = now()
    said = f"{monitor.name}: "
    evaluations = evaluate_all(
        spark, monitor, [time], store=store, now=started, progress=lambda message: say(said + message)
    )
    return Found(monitor, evaluations[0], store.breached_since(monitor.name, time))


def _show(found: Sequence[Found], store: Store, *, as_json: bool) -> None:
    console = out()
    if as_json:
        from jobs.documents import evaluations_document

        console.file.write(evaluations_document(found) + "\n")
        return
    from jobs.verdicts import verdict_of

    for number, each in enumerate(found):
        if number:
            console.print()
        console.print(verdict_of(each, store.uri))


def _exit_code(found: Sequence[Found], failures: Sequence[DataError], *, fail_on_breach: bool) -> int:
    console = err()
    for error in failures:
        show_error(console, error)
    told = {text for error in failures for text in str(error).splitlines()}
    for text in dict.fromkeys(text for each in found for text in each.evaluation.errors):
        if text not in told:
            show_error(console, DataError(text))
    if failures or any(each.evaluation.errors for each in found):
        return DataError.exit_code
    return BREACHED if fail_on_breach and any(each.evaluation.breaches for each in found) else 0
