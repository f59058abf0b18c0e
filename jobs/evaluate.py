"""`driftline run` and `jobs/run_monitor.py`: evaluate monitors for one scheduled time, and tell what came out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from engine.results import RunStatus
from engine.wording import moment
from jobs.consoles import out, working
from jobs.exits import BREACHED, show_data_errors
from jobs.found import Found
from jobs.stores import opened_store
from jobs.times import due_or_latest, is_due, now

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from engine.monitor import Monitor
    from engine.run import Evaluation
    from engine.store import Store
    from jobs.notify import Notifier

__all__ = ["evaluate_monitors"]


def evaluate_monitors(
    monitors: Sequence[Monitor],
    at: datetime | None,
    store_uri: str,
    session: Callable[[], SparkSession],
    *,
    as_json: bool = False,
    fail_on_breach: bool = False,
    refresh: bool = False,
    silent: bool = False,
    notifier: Notifier | None = None,
) -> int:
    """Evaluate monitors together in one Spark application, and print what came out.

    Every dataset is read once for all of them; data that cannot be read do not keep the other monitors from being
    evaluated. Earlier runs whose labels have arrived since are evaluated again.

    Args:
        monitors: what to evaluate.
        at: the scheduled time; None: the latest at which each monitor was due.
        store_uri: where results are kept.
        session: gives the session when it is needed.
        as_json: one JSON document on stdout instead of tables.
        fail_on_breach: answer 10 where a check is breached.
        refresh: read again what is kept.
        silent: say nothing of what is being done.
        notifier: tells people of what came out; None: nobody is told.

    Returns:
        The exit code.

    Raises:
        DefinitionError: without a time, a monitor that has not been due yet; then nothing is evaluated.
        StoreError: results cannot be kept; it is told before anything is read, where it can be.
    """
    times = [due_or_latest(monitor, at) for monitor in monitors]
    store = opened_store(store_uri)
    if notifier:
        notifier.remember(monitors, times, store)
    with working(silent=silent) as say:
        for monitor, time in zip(monitors, times, strict=True):
            if not is_due(monitor.trigger, time):
                due = "its windows are computed from that time all the same"
                say(f"note: {monitor.name} is not due at {moment(time)}; {due}")
        say("starting Spark")
        spark = session()
        from engine.run import Due, evaluate_together

        due = [Due(monitor, (time,)) for monitor, time in zip(monitors, times, strict=True)]
        evaluations = evaluate_together(spark, due, store=store, now=now(), progress=say, refresh=refresh, revise=True)
    found = [_found(monitor, time, own, store) for monitor, time, own in zip(monitors, times, evaluations, strict=True)]
    _show(found, store, as_json=as_json)
    told = [notifier.tell(each.monitor, each.evaluation.run.scheduled_for, store) for each in found] if notifier else []
    return _exit_code(found, fail_on_breach=fail_on_breach) or max(told, default=0)


def _found(monitor: Monitor, time: datetime, evaluations: Sequence[Evaluation], store: Store) -> Found:
    asked = next(each for each in evaluations if each.run.scheduled_for == time)
    revised = tuple(each for each in evaluations if each.revisions is not None)
    return Found(monitor, asked, store.breached_since(monitor.name, time), revised)


def _show(found: Sequence[Found], store: Store, *, as_json: bool) -> None:
    console = out()
    whole = [each for each in found if each.evaluation.run.status is not RunStatus.FAILED]
    if as_json:
        from jobs.documents import evaluations_document

        console.file.write(evaluations_document(whole) + "\n")
        return
    from jobs.verdicts import verdict_of

    for number, each in enumerate(whole):
        if number:
            console.print()
        console.print(verdict_of(each, store.uri))


def _exit_code(found: Sequence[Found], *, fail_on_breach: bool) -> int:
    if code := show_data_errors(error for each in found for error in each.evaluation.errors):
        return code
    return BREACHED if fail_on_breach and any(each.evaluation.breaches for each in found) else 0
